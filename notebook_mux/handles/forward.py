"""`port_forward`: a pod's port on a port of this machine, from the right to have it to its end."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote, urlsplit

from notebook_mux import errors
from notebook_mux.handles.crossing import answered, told
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.ports import Port, checked_port, port_of
from notebook_mux.handles.questions import Names, chosen_contexts
from notebook_mux.handles.rights import may_run, may_write
from notebook_mux.handles.targets import Named, Place, meant, named, phase_of
from notebook_mux.handles.waiting import awaiting, blocking, deadline_in, in_thread
from notebook_mux.kernel import holder
from notebook_mux.urls import is_loopback

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager
    from notebook_mux.widgets.forward import ForwardView

LOOPBACK = "127.0.0.1"

AUTO = "auto"
"""The endpoint of a gateway on this machine."""

HEADLAMP = "headlamp"
"""The dialect of a Headlamp server, in the status."""

LOOKS = 10
LOOK_SECONDS = 1.0
"""How often, and between, another pod is looked for: a workload has one again within seconds, and a connection that
waits for it at the gateway waits ten."""

PAGE_SECONDS = 30.0

ENDED = ("Succeeded", "Failed")


class Bytes(NamedTuple):
    """Bytes through a forward, all connections together."""

    sent: int
    received: int


class Goal(NamedTuple):
    """What a forward is for.

    Attributes:
        named: The target as it was given.
        words: As in ``service default/web``.
        port: As it was given.
        context: The cluster's.
        moves: Whether another pod may stand for it: of a service or a workload.
    """

    named: Named
    words: str
    port: Port
    context: Context
    moves: bool


class Forward:
    """A pod's port on a loopback port. Made by `port_forward`; the same target and port give the same one.

    It stays open through re-runs, lost networks and kernel restarts until `close`, or ten minutes after the kernel has
    gone. Any thread may call. Also a context manager, and an awaitable one.
    """

    def __init__(self, manager: Manager, key: str, goal: Goal) -> None:
        self._manager = manager
        self._connection = manager._identity.connection
        self._key = key
        self._goal = goal
        self._pod = ""
        self._remote = 0
        self._last: dict[str, Any] = {"state": "starting", "port": 0, "reason": ""}
        self._closed = threading.Event()
        self._looking = threading.Lock()
        self._shown: ForwardView | None = None

    # --- where it is ------------------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """``127.0.0.1``: of the machine that the gateway runs on, which is the kernel's."""
        return LOOPBACK

    @property
    def port(self) -> int:
        """The local port."""
        return int(self._view()["port"])

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``, for what speaks HTTP; for anything else there are `host` and `port`."""
        return f"http://{LOOPBACK}:{self.port}"

    # --- where it goes ----------------------------------------------------------------------------------------------

    @property
    def target(self) -> str:
        """As in ``service default/web``."""
        return self._goal.words

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self._goal.context.alias

    @property
    def pod(self) -> str:
        """The pod that new connections go to."""
        return self._pod

    @property
    def pod_port(self) -> int:
        """The pod's port."""
        return self._remote

    # --- how it is --------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``"listening" "lost" "offline" "ended" "closed"``; see `reason`.

        Lost: the pod has gone, and another one may be looked for. Offline: the gateway cannot be asked just now.
        """
        return str(self._view()["state"])

    @property
    def reason(self) -> str:
        """Why it is not listening; "" where it is."""
        return str(self._view().get("reason", ""))

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return int(self._view().get("connections", 0))

    @property
    def total(self) -> int:
        """Connections there have been."""
        return int(self._view().get("total", 0))

    @property
    def bytes(self) -> Bytes:
        """``(sent, received)``: to the pod and from it."""
        view = self._view()
        return Bytes(view.get("sent", 0), view.get("received", 0))

    @property
    def errors(self) -> int:
        """Connections that failed."""
        return int(self._view().get("errors", 0))

    @property
    def error(self) -> str:
        """Why the last of them failed, in the server's words; "" where none did."""
        return str(self._view().get("error", ""))

    def _view(self) -> dict[str, Any]:
        """What is known of it; the last that was known, where nobody can be asked (a forked child)."""
        if self._closed.is_set():
            return self._last
        running = holder.running()
        if running is None:
            return self._last | {"state": "offline", "reason": "this process is not connected to the gateway"}
        try:
            self._last = told(running.forward_view, self._connection, self._key)
        except errors.MuxError as error:
            return self._last | {"state": "closed", "reason": error.what}
        return self._last

    # --- what can be done -------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End it: the local port, and all connections through it. Idempotent, does not wait."""
        if self._closed.is_set():
            return
        self._last = self._view() | {"state": "closed", "reason": "closed by close()", "connections": 0}
        self._closed.set()
        self._manager._forwards.pop(self._key, None)
        running = holder.running()
        if running is not None:
            try:
                told(running.end_forward, self._connection, self._key)
            except errors.MuxError:
                return  # with its connection

    @property
    def closed(self) -> bool:
        """Whether it has ended; then `port_forward` makes another one."""
        return self.state in ("closed", "ended")

    def jupyter_url(self, *, trusted: bool = False) -> str:
        """A path that shows the pod's pages through the Jupyter server, for a browser on another machine. Waits.

        The path is behind the Jupyter server's base URL and needs jupyter-server-proxy there. Whoever knows it, and is
        logged in to the Jupyter server, sees what the pod serves; so it has a secret in it, which ends with the
        forward. Cookies, tokens and the like are kept from the pod, and its pages run in a sandbox: without it a page
        of the pod's could do in Jupyter what you can. So it is for pages that are whole in themselves: from a sandbox
        Chromium sends no cookie, and Jupyter refuses the scripts, pictures and data that a page loads after itself.
        Use `url` where the kernel is on your machine.

        Args:
            trusted: Say True to have it: you let the pod show you pages under the Jupyter server's address.

        Raises:
            InvalidArgument: `trusted` is not True.
        """
        if trusted is not True:
            raise errors.InvalidArgument(
                f"pages of {self.target} are not shown under the Jupyter server's address unless you trust them",
                cluster=self.cluster,
                todo="jupyter_url(trusted=True) where you do; .url where the kernel is on your own machine",
            )
        return blocking(self._jupyter_url())

    async def _jupyter_url(self) -> str:
        found = await answered(
            holder.core().forward_page,
            self._connection,
            self._key,
            deadline=deadline_in(PAGE_SECONDS),
            what=f"opening the pages of {self.target}",
        )
        base = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/").rstrip("/")
        gateway = urlsplit(found["gateway"])
        return f"{base}/proxy/{gateway.port}{gateway.path.rstrip('/')}{found['path']}"

    def on_change(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called when something of it has changed; returns the undo.

        Called on a thread of the library's; it must not block.
        """
        undo: Callable[[], None] = told(holder.core().on_forward, self._connection, self._key, wake)
        return undo

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    # --- in a notebook ----------------------------------------------------------------------------------------------

    def _view_of(self) -> ForwardView:
        from notebook_mux.widgets.forward import ForwardView

        if self._shown is None or self._shown.closed:
            self._shown = ForwardView(self, (self._connection, self._key))
        return self._shown

    def _hide(self) -> None:
        """Close its widget, if it was shown."""
        if self._shown is not None:
            self._shown.close()

    def _ipython_display_(self) -> None:
        """Show it as a widget, with its static copy beside it."""
        if self._closed.is_set():
            raise NotImplementedError  # IPython takes the next way to show it, its repr
        self._view_of()._ipython_display_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self._closed.is_set():
            return {"text/plain": repr(self)}
        return self._view_of()._repr_mimebundle_(include=include, exclude=exclude)

    def __repr__(self) -> str:
        state, reason = self.state, self.reason
        ended = f": {state}{f', {reason}' if reason else ''}" if state != "listening" else ""
        return f"<Forward {LOOPBACK}:{self.port} to {self.pod}:{self.pod_port} of {self.target}{ended}>"

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _open(self, pod: Object, port: int) -> None:
        context, identity = self._goal.context, self._manager._identity
        self._pod, self._remote = pod.name, port
        await answered(
            holder.core().forward,
            self._connection,
            self._key,
            context.ref,
            path_of(pod),
            port,
            scope=identity.scope,
            again=self._again,
            moves=self._goal.moves,
            what=f"forwarding port {port} of pod {pod.namespace}/{pod.name}",
        )
        self._view()

    def _again(self) -> None:
        """The pod may have gone: look for another one, in a thread of its own. On the core's loop."""
        if not self._closed.is_set() and self._looking.acquire(blocking=False):
            in_thread(self._look, "notebook_mux forward")

    def _look(self) -> None:
        try:
            for _ in range(LOOKS):
                if self._closed.is_set() or self._found():
                    return
                self._closed.wait(LOOK_SECONDS)
        finally:
            self._looking.release()

    def _found(self) -> bool:
        """Whether there is a pod again, which new connections go to then."""
        try:
            found = asyncio.run(awaiting(_meant(self._manager._identity, self._goal.named, self._goal.port)))
        except errors.MuxError:
            return False
        self._pod, self._remote = found.pod.name, found.port
        told(holder.core().forward_to, self._connection, self._key, path_of(found.pod), found.port)
        return True


class Found(NamedTuple):
    """A target looked up: the cluster, what was named, a pod of it, and the pod's port."""

    context: Context
    owner: Object
    pod: Object
    port: int


def path_of(pod: Object) -> str:
    """The port-forward of a pod."""
    return f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/portforward"


async def open_(manager: Manager, target: Any, port: Any, namespace: Names, cluster: Names) -> Forward:
    """See `api.port_forward`. A coroutine of `waiting`'s kind."""
    wanted_port = checked_port(port)
    identity = manager._identity
    wanted = named(target, namespace, cluster)
    what = "forwarding a port"
    _is_here(identity)
    may_write(manager, chosen_contexts(identity, wanted.cluster), what)
    found = await _meant(identity, wanted, wanted_port)
    may_write(manager, [found.context], what)
    context, owner = found.context, found.owner
    words = f"{owner.kind.lower()} {owner.namespace}/{owner.name}"
    key = f"{context.name} {context.server} {words} {wanted_port}"
    known = manager._forwards.get(key)
    if known is not None and known.state == "listening" and known.pod == found.pod.name:
        return known
    await may_run(identity, Place(context, found.pod, ""), "portforward")
    if known is None or known.closed:
        goal = Goal(wanted._replace(cluster=context.alias), words, wanted_port, context, owner.kind != "Pod")
        known = manager._forwards[key] = Forward(manager, key, goal)
    await known._open(found.pod, found.port)
    return known


async def _meant(identity: Identity, target: Named, port: Port) -> Found:
    context, owner, pod = await meant(identity, target)
    if phase_of(pod) in ENDED:
        raise errors.InvalidArgument(
            f"pod {pod.namespace}/{pod.name} has ended ({phase_of(pod)}): nothing listens in it", cluster=pod.cluster
        )
    return Found(context, owner, pod, port_of(owner, pod, port))


def _is_here(identity: Identity) -> None:
    """Refuse where the port would be on another machine.

    Raises:
        InvalidArgument: The gateway is on another one. (By way of a Headlamp server the kernel itself listens.)
    """
    kind, url = identity.endpoint
    if kind == AUTO or is_loopback(url or ""):
        return
    status: dict[str, Any] = told(holder.core().status, identity.connection)
    if status.get("dialect") != HEADLAMP:
        raise errors.InvalidArgument(
            "the gateway is on another machine, and a forwarded port would be there",
            todo="connect without url=, or forward the port where the gateway runs",
        )
