"""The playground: clusters, their servers on loopback, and knobs for fault tests.

::

    async with Playground("first-look", seed=1) as playground:
        playground.url, playground.token, playground.kubeconfig     # bytes of a kubeconfig
        playground.expire_history()
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket as sockets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from notebook_mux.listening import stop_accepting
from notebook_mux.playground import certificates, kubeconfig
from notebook_mux.playground.access import Access, Rule, User
from notebook_mux.playground.accounts.signing import Signer
from notebook_mux.playground.accounts.tokens import Tokens
from notebook_mux.playground.api import Api
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.control import HEADER, Control, header
from notebook_mux.playground.faults import Faults, Refusal
from notebook_mux.playground.rbac import people
from notebook_mux.playground.rbac.resolver import Resolver
from notebook_mux.playground.scenarios import DEFAULT, Settings, build, check, resume, told

if TYPE_CHECKING:
    from notebook_mux.playground.state.folder import StateFolder

Json = dict[str, Any]

HOST = "127.0.0.1"
TOKEN_BYTES = 24
BACKLOG = 128
LINE_LIMIT = 256 * 1024
"""Bytes of a request's first line: an exec has its command there. A real server takes a megabyte (net/http)."""

SHUTDOWN_S = 0.5
"""For handlers after their watches have been ended; what is left then is cut."""

SPARE_VERSIONS = 100_000
"""Between those of a cluster and those of the one that is built in its place: it goes on while that is done."""

Keep = Callable[[Mapping[str, Any]], object]

ADMIN = User("demo-admin", ("system:masters", "system:authenticated"))


@dataclass(frozen=True)
class Plan:
    """What a cluster is built by: its scenario, and the settings of that."""

    name: str = "empty"
    settings: Settings = field(default_factory=Settings)


class Served:
    """One cluster and its server.

    Args:
        cluster: The cluster.
        certificate: The server's certificates.
        port: Where to listen; 0 is any.
        token: Its administrator's; None makes one.
        plan: What it is built by.
        keep: Called when its clock is changed, with what there is to be kept of it.
    """

    def __init__(
        self,
        cluster: Cluster,
        certificate: certificates.Certificates,
        port: int,
        token: str | None = None,
        *,
        plan: Plan | None = None,
        keep: Keep | None = None,
    ):
        self.cluster = cluster
        self.token = token or _token()
        self.resolver = Resolver(cluster)
        self.access = Access({self.token: ADMIN}, self.resolver, Tokens(cluster, cluster.signer))
        self.faults = Faults()
        self.plan = plan or Plan()
        self.begun = cluster.agenda.now()
        self._keep = keep
        self.control = Control(self)
        self.api = Api(cluster, self.access, self.faults)
        self.api.control = self.control
        self.port = port
        self._certificate = certificate
        self._runner: web.ServerRunner | None = None
        self._listening: sockets.socket | None = None
        self._moving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"https://{HOST}:{self.port}"

    @property
    def reach(self) -> kubeconfig.Reach:
        """How it is reached."""
        return kubeconfig.Reach(self.cluster.name, self.url, self._certificate.authority, self.token)

    def enrol(self, name: str, *, namespace: str = "", role: str = people.ROLE) -> kubeconfig.Reach:
        """Make a user with a namespace (see `people.enrol`).

        Returns:
            How this user reaches the cluster: what `kubeconfig.text` makes a kubeconfig of.
        """
        token = people.enrol(self.cluster, self.access, name, namespace=namespace, role=role)
        authority = self._certificate.authority
        return kubeconfig.Reach(self.cluster.name, self.url, authority, token, namespace or name, name)

    def expel(self, name: str) -> None:
        """Know a user no more, and cut what they have open; their namespace and what is in it stay."""
        self.access.remove(name)
        self.api.hang_up(name)

    async def listen(self) -> None:
        """Begin to serve, on the port it had before if there was one.

        Raises:
            OSError: The port is taken.
        """
        try:
            listening = sockets.create_server((HOST, self.port), backlog=BACKLOG)
        except OSError as error:
            raise OSError(error.errno, f"{os.strerror(error.errno or 0).lower()}: {HOST}:{self.port}") from None
        runner = web.ServerRunner(
            web.Server(self._answer, access_log=None, max_line_size=LINE_LIMIT), shutdown_timeout=SHUTDOWN_S
        )
        await runner.setup()
        await web.SockSite(
            runner, listening, ssl_context=self._certificate.context(self.cluster.client_authority), backlog=BACKLOG
        ).start()
        self._runner, self._listening = runner, listening
        self.port = listening.getsockname()[1]
        self.cluster.address = (HOST, self.port)

    async def hang_up(self) -> None:
        """Stop serving; connections are ended. The cluster goes on."""
        runner, self._runner = self._runner, None
        if runner is not None and self._listening is not None:
            self.faults.gate.set()
            await self._close_all()
            await stop_accepting([self._listening])
            await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        await self.control.steady()
        response = await self.api(request)
        if not response.prepared:
            response.headers[HEADER] = header(self.cluster.agenda.clock)
        return response

    async def _close_all(self) -> None:
        self.close_watches()
        self.close_logs()
        for session in list(self.api.sessions):
            session.close()
        await self.api.forwards.close()

    # ------------------------------------------------------------------------------------- for its administrators

    def scenario(self) -> dict[str, Any]:
        """What is told of the scenario: its name and seed, title, what it teaches, what the seed has chosen."""
        plan = self.plan
        return {"name": plan.name, "seed": self.cluster.seed, "begun": self.begun, **told(plan.name, self.cluster)}

    def clock_changed(self) -> None:
        """Let who watches ask again, and see the clock as it is now."""
        self.close_watches()
        for log in list(self.api.logs):
            log.look()
        if self._keep is not None:
            self._keep(self.kept())

    def remember(self, kept: Mapping[str, Any] | None) -> None:
        """Go on with the time that was kept, if one was."""
        if kept is not None:
            self.cluster.agenda.clock.restore(kept)
            self.begun = float(kept["begun"])

    def kept(self) -> dict[str, Any]:
        """What there is to be kept of its time."""
        return {**self.cluster.agenda.clock.kept(), "begun": self.begun}

    async def reset(self) -> None:
        """Build the cluster anew, from its scenario's beginning with the same seed, and serve it in this one's place.

        The wall's time is its own again. Tokens stay good, but for those of service accounts, whose objects are others.
        """
        old, begun = self.cluster, self.cluster.agenda.clock.wall()
        new = await asyncio.to_thread(self._built, old)
        moves = self._moving is not None
        await self.freeze()
        await self._close_all()
        if old.sandboxes is not None:
            await old.sandboxes.close()
        if old.store.journal is not None:
            old.store.journal.goes_on_with(old.store.everything()[0], new.store.everything)
            new.store.journal, old.store.journal = old.store.journal, None
        self.cluster, self.begun = new, begun
        self.resolver = Resolver(new)
        self.access.authorizer, self.access.issuer = self.resolver, Tokens(new, new.signer)
        self.api = Api(new, self.access, self.faults)
        self.api.control = self.control
        if moves:
            self.move()
        self.clock_changed()

    def _built(self, old: Cluster) -> Cluster:
        new = Cluster(old.name, old.seed, after=old.store.revision + SPARE_VERSIONS)
        new.authority, new.signer = old.authority, old.signer
        new.address, new.shell = old.address, old.shell
        new.client_authority = old.client_authority
        build(self.plan.name, new, self.plan.settings)
        return new

    # --------------------------------------------------------------------------------------------------- its ends

    def close_watches(self) -> None:
        """End all open watches, as a server does that shuts down."""
        for stream in list(self.api.streams):
            stream.close()

    def close_logs(self) -> None:
        """End all logs that are followed."""
        for log in list(self.api.logs):
            log.close()

    def move(self) -> None:
        """Let time pass in the cluster."""
        if self._moving is None:
            self._moving = asyncio.get_running_loop().create_task(self.cluster.agenda.run())

    async def freeze(self) -> None:
        """Stop time in the cluster."""
        task, self._moving = self._moving, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class Playground:
    """Some clusters with the same scenario, served by this process's loop.

    Args:
        scenario: What is in them.
        seed: Of all that is random there.
        clusters: How many. One is called ``demo``, several ``demo-1``, ``demo-2`` ...
        port: Of the first; the others get the next ones. 0 is any.
        settings: Of the scenario.
        state: Where it is kept: what is there already is gone on with, on the ports it had. The caller closes it.
        shell: Which shell containers have: ``auto``, ``sandbox``, ``emulated`` (`sandbox.modes`).

    Raises:
        UnknownScenario: It lists the known ones.
        StateRefused: The state cannot be read or written.
    """

    def __init__(
        self,
        scenario: str = DEFAULT,
        *,
        seed: int = 0,
        clusters: int = 1,
        port: int = 0,
        settings: Settings | None = None,
        state: StateFolder | None = None,
        shell: str = "emulated",
    ):
        check(scenario)
        asked = settings or Settings()
        names = ["demo"] if clusters == 1 else [f"demo-{number + 1}" for number in range(clusters)]
        made = {name: Cluster(name, seed) for name in names}
        self.served: list[Served] = []
        if state is None:
            certificate = certificates.make()
        else:
            days = certificates.KEPT_DAYS
            certificate = certificates.make(state.secret("authority", lambda: certificates.make_authority(days)))
        for number, (name, cluster) in enumerate(made.items()):
            cluster.authority = certificate.authority
            cluster.client_authority = _client_authority(name, state)
            cluster.shell = shell
            if state is not None:
                cluster.signer = Signer(state.secret(f"signer {name}", _signer_pem).encode())
            token = state.secret(f"token {name}", _token) if state is not None else None
            at = port + number if port else state.port(name) if state is not None else 0
            keep = partial(state.keep_time, name) if state is not None else None
            self.served.append(Served(cluster, certificate, at, token, plan=Plan(scenario, asked), keep=keep))
        if state is not None:
            for one in self.served:
                one.remember(state.time(one.cluster.name))
            begun = {one.cluster.name: one.begun for one in self.served}
            state.fill(
                made,
                lambda cluster: build(scenario, cluster, asked),
                lambda cluster: resume(scenario, cluster, asked, begun[cluster.name]),
            )
            for one in self.served:
                state.keep_time(one.cluster.name, one.kept())
        else:
            for cluster in made.values():
                build(scenario, cluster, asked)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        for one in self.served:
            await one.freeze()
            if one.cluster.sandboxes is not None:
                await one.cluster.sandboxes.close()

    async def start(self) -> None:
        """Serve, and let time pass. After `stop` it is on the same ports again.

        Raises:
            OSError: A port is taken.
        """
        try:
            for one in self.served:
                await one.listen()
                one.move()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop serving; the clusters' time goes on."""
        for one in self.served:
            await one.hang_up()

    # ------------------------------------------------------------------------------ of the first cluster

    @property
    def first(self) -> Served:
        """The first cluster and its server."""
        return self.served[0]

    @property
    def cluster(self) -> Cluster:
        """The first cluster."""
        return self.first.cluster

    @property
    def url(self) -> str:
        """Where the first cluster is reached."""
        return self.first.url

    @property
    def token(self) -> str:
        """The first cluster's bearer token."""
        return self.first.token

    @property
    def authority(self) -> bytes:
        """The PEM of the authority of all servers' certificates."""
        return self.first.reach.authority

    @property
    def kubeconfig(self) -> bytes:
        """A kubeconfig for all clusters."""
        return kubeconfig.text([one.reach for one in self.served])

    @property
    def open_watches(self) -> int:
        """How many watches are open, on all clusters."""
        return sum(len(one.api.streams) for one in self.served)

    @property
    def open_forwards(self) -> int:
        """How many port-forwards are open, on all clusters."""
        return sum(one.api.forwards.open for one in self.served)

    @property
    def open_logs(self) -> int:
        """How many logs are followed, on all clusters."""
        return sum(len(one.api.logs) for one in self.served)

    def recently_asked(self, seconds: float = 30.0) -> bool:
        """Whether anybody with a token asked anything within the last seconds."""
        now = asyncio.get_running_loop().time()
        return any(now - one.api.last_asked < seconds for one in self.served)

    # ---------------------------------------------------------------------------------- what goes wrong

    def close_watches(self) -> None:
        """End all open watches, as a server does that shuts down."""
        for one in self.served:
            one.close_watches()

    def expire_history(self) -> None:
        """Forget the past: every older version is from now on too old."""
        for one in self.served:
            one.cluster.store.compact()

    def stall(self) -> None:
        """Say nothing more, on open connections and on new ones, until `resume`."""
        for one in self.served:
            one.faults.gate.clear()

    def resume(self) -> None:
        """Speak again."""
        for one in self.served:
            one.faults.gate.set()

    def refuse(self, status: int, *, times: int | None = None, path: str = "/", retry_after: int | None = None) -> None:
        """Answer requests with a failure, so many times, or until `clear`."""
        for one in self.served:
            one.faults.refusals.append(Refusal(status, times, path, retry_after))

    def forbid(self, *, verb: str = "", resource: str = "", namespace: str | None = None, user: str = "") -> None:
        """Refuse what matches with 403, and say so in access reviews; an empty argument is any."""
        for one in self.served:
            one.access.rules.append(Rule(verb, resource, namespace, user))

    def allow(self) -> None:
        """Forbid nothing any more."""
        for one in self.served:
            one.access.rules.clear()

    @property
    def max_watch_seconds(self) -> float | None:
        """The longest that a watch lives; None is the server's usual choice."""
        return self.first.faults.max_watch_seconds

    @max_watch_seconds.setter
    def max_watch_seconds(self, seconds: float | None) -> None:
        for one in self.served:
            one.faults.max_watch_seconds = seconds

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.allow()
        for one in self.served:
            one.faults.clear()


def _token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def _client_authority(name: str, state: StateFolder | None) -> str:
    """Each cluster's own, so that a certificate is good for one of them."""
    called = f"notebook-mux playground {name}"
    if state is None:
        return certificates.make_authority(name=called)
    return state.secret(f"clients {name}", lambda: certificates.make_authority(certificates.KEPT_DAYS, called))


def _signer_pem() -> str:
    return Signer().pem.decode()
