"""The module's functions: what a cell calls. Each waits where it must, and can be interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from notebook_mux.errors import InvalidArgument, WrongThread
from notebook_mux.handles import calls
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.objects import Object
from notebook_mux.handles.origins import Paths
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.stream import Stream
from notebook_mux.handles.waiting import blocking, refuse_here

if TYPE_CHECKING:
    from notebook_mux.widgets.status import Status
    from notebook_mux.widgets.table import Table

T = TypeVar("T")


def connect(
    *contexts: str | Mapping[str, str],
    url: str | None = None,
    kubeconfig: Paths = None,
    namespace: str | None = None,
    write: bool | str | Sequence[str] = False,
    user_id: str | None = None,
    timeout: float = 30.0,
) -> Manager:
    """Connect to clusters, or get the manager that is connected to them already.

    Contexts are looked for in the arguments, ``NOTEBOOK_MUX_URL``, ``KUBECONFIG``, ``~/.kube/config`` and, inside a
    pod, its service account; the first of these that is there is used.

    Args:
        contexts: Names of contexts, ``"*"`` for all, or ``{"prod": "arn:aws:eks:..."}`` to name them shorter; none is
            the current context.
        url: A gateway's URL, with ``?token=``.
        kubeconfig: A file, or several as kubectl merges them.
        namespace: What is meant where no namespace is given, instead of the contexts' own.
        write: Whether changes are allowed: on all clusters, or on those named. The last call decides.
        user_id: What tells users apart behind a shared multiplexer; kept per user on disk by default.
        timeout: Seconds for connecting and for the first answer of each cluster.

    Returns:
        The manager; a cluster that does not answer is a state of it.

    Raises:
        NoCluster: There is nothing to connect to; it says what was looked at.
        UnknownContext: There is no such context.
        MuxError: No cluster can be used; the most telling of their errors.
    """
    return blocking(calls.connect(contexts, url, kubeconfig, namespace, write, user_id, timeout))


def demo(
    scenario: str = "first-look", *, seed: int = 0, clusters: int = 1, reset: bool = False, env: bool = False
) -> Manager:
    """Connect to the embedded cluster, with nothing needed; it is started if it does not run, and it is writable.

    Args:
        scenario: What goes on in it.
        seed: The same seed gives the same course of things.
        clusters: How many clusters there are.
        reset: Begin the scenario anew.
        env: Set ``KUBECONFIG`` for this kernel, for ``!kubectl``.

    Raises:
        InvalidArgument: There is no such scenario.
        GatewayError: The embedded cluster or the gateway cannot be started.
    """
    return blocking(calls.demo(scenario, seed, clusters, reset, env))


@overload
def get(
    kind: str,
    name: None = None,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Snapshot: ...
@overload
def get(
    kind: str,
    name: str,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Object: ...
def get(
    kind: str,
    name: str | None = None,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Snapshot | Object:
    """Read objects once: all of a kind, or one by its name.

    Args:
        kind: ``"pods"``, ``"po"``, ``"Pod"``, ``"deployments.apps"``, ``"apps/v1/deployments"``, custom ones too.
        name: One object's name.
        namespace: None is the context's own; a name, several, or ``"*"`` for all.
        cluster: One or several of the manager's clusters; None is all of them.
        selector: Labels, as text (``"app=web"``) or dict.
        field_selector: Fields, as text or dict.

    Raises:
        UnknownKind: No cluster serves it; with near names.
        NotFound: There is no object of that name; with near names.
        Ambiguous: There are two, in two namespaces or clusters.
        MuxError: No cluster answered; the most telling of their errors.
    """
    found: Snapshot | Object = blocking(calls.get(kind, name, namespace, cluster, selector, field_selector))
    return found


def watch(
    kind: str,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
    timeout: float | None = 10.0,
) -> Stream:
    """Watch objects of a kind; the same arguments give the same stream.

    It returns when each cluster has sent a complete list or failed once; what is not there yet comes by itself.

    Args:
        kind: As for `get`.
        namespace: As for `get`.
        cluster: As for `get`.
        selector: As for `get`.
        field_selector: As for `get`.
        timeout: Seconds to wait at most.

    Raises:
        UnknownKind: No cluster serves it; with near names.
        MuxError: No cluster can be watched so: a selector that is refused, no right, no login.
    """
    return blocking(calls.watch(kind, namespace, cluster, selector, field_selector, timeout))


def table(
    what: str | Stream,
    *,
    name: str | None = None,
    columns: Sequence[str] | None = None,
    wide: bool = False,
    filter: str = "",  # noqa: A002 - the contract's word
    sort: str | None = None,
    height: int = 400,
    **watch: Any,
) -> Table:
    """A live table of a stream; the same question and name give the same table, set as the arguments say.

    Args:
        what: A kind, as for `watch`, or a stream.
        name: To have another table of the same stream.
        columns: Titles of columns, in this order; None is the server's.
        wide: Show the server's wide columns too.
        filter: Words that a row must contain.
        sort: A column's title, ``-`` before it for descending.
        height: Pixels.
        watch: The keyword arguments of `watch`.
    """
    settings = {"columns": columns, "wide": wide, "filter": filter, "sort": sort, "height": height}
    return blocking(calls.table(what, name, settings, watch))


def status() -> Status:
    """The status widget of the manager connected last: the socket, the clusters, the streams."""
    return blocking(calls.status())


def close() -> None:
    """Close the manager connected last, its streams and tables, and the socket if no other manager uses it."""
    blocking(calls.close())


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from a cell or a script that cannot ``await``.

    Inside a running loop, a notebook's, this nests into it by nest_asyncio: the loop's other tasks go on meanwhile.

    Raises:
        WrongThread: The running loop cannot be nested into (uvloop), or this thread must not wait.
        InvalidArgument: It is no coroutine.
    """
    if not asyncio.iscoroutine(coroutine):
        raise InvalidArgument(
            f"{coroutine!r} is no coroutine", todo="call the function: nm.run(main()), not nm.run(main)"
        )
    try:
        refuse_here()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(coroutine)
        _nest(loop)
    except WrongThread:
        coroutine.close()
        raise
    return loop.run_until_complete(coroutine)


def _nest(loop: asyncio.AbstractEventLoop) -> None:
    import nest_asyncio

    try:
        nest_asyncio.apply(loop)
    except (ValueError, RuntimeError) as error:
        kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
        raise WrongThread(
            f"the running event loop ({kind}) cannot be nested into",
            said=str(error),
            todo="write `await` before the coroutine instead of nm.run(...)",
        ) from None
