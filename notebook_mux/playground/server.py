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
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from notebook_mux.listening import stop_accepting
from notebook_mux.playground import certificates, kubeconfig
from notebook_mux.playground.access import Access, Rule, User
from notebook_mux.playground.accounts.signing import Signer
from notebook_mux.playground.accounts.tokens import Tokens
from notebook_mux.playground.api import Api
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.faults import Faults, Refusal
from notebook_mux.playground.rbac import people
from notebook_mux.playground.rbac.resolver import Resolver
from notebook_mux.playground.scenarios import DEFAULT, Settings, build, check, resume

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

ADMIN = User("demo-admin", ("system:masters", "system:authenticated"))


class Served:
    """One cluster and its server.

    Args:
        cluster: The cluster.
        certificate: The server's certificates.
        port: Where to listen; 0 is any.
        token: Its administrator's; None makes one.
    """

    def __init__(self, cluster: Cluster, certificate: certificates.Certificates, port: int, token: str | None = None):
        self.cluster = cluster
        self.token = token or _token()
        self.resolver = Resolver(cluster)
        self.access = Access({self.token: ADMIN}, self.resolver, Tokens(cluster, cluster.signer))
        self.faults = Faults()
        self.api = Api(cluster, self.access, self.faults)
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
            web.Server(self.api, access_log=None, max_line_size=LINE_LIMIT), shutdown_timeout=SHUTDOWN_S
        )
        await runner.setup()
        await web.SockSite(runner, listening, ssl_context=self._certificate.context, backlog=BACKLOG).start()
        self._runner, self._listening = runner, listening
        self.port = listening.getsockname()[1]

    async def hang_up(self) -> None:
        """Stop serving; connections are ended. The cluster goes on."""
        runner, self._runner = self._runner, None
        if runner is not None and self._listening is not None:
            self.faults.gate.set()
            self.close_watches()
            self.close_logs()
            for session in list(self.api.sessions):
                session.close()
            await self.api.forwards.close()
            await stop_accepting([self._listening])
            await runner.cleanup()

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
    ):
        check(scenario)
        asked = settings or Settings()
        names = ["demo"] if clusters == 1 else [f"demo-{number + 1}" for number in range(clusters)]
        made = {name: Cluster(name, seed) for name in names}
        self.served: list[Served] = []
        if state is None:
            certificate = certificates.make()
        else:
            keep = certificates.KEPT_DAYS
            certificate = certificates.make(state.secret("authority", lambda: certificates.make_authority(keep)))
        for number, (name, cluster) in enumerate(made.items()):
            cluster.authority = certificate.authority
            if state is not None:
                cluster.signer = Signer(state.secret(f"signer {name}", _signer_pem).encode())
            token = state.secret(f"token {name}", _token) if state is not None else None
            at = port + number if port else state.port(name) if state is not None else 0
            self.served.append(Served(cluster, certificate, at, token))
        if state is not None:
            state.fill(
                made, lambda cluster: build(scenario, cluster, asked), lambda cluster: resume(scenario, cluster, asked)
            )
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


def _signer_pem() -> str:
    return Signer().pem.decode()
