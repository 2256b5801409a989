"""The module's functions, awaitable: ``from notebook_mux import aio as nm``.

Streams, tables and managers are the same objects as those of the blocking functions. What waits on a stream has its
form here too: ``await nm.wait(stream, "condition=Ready")``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from notebook_mux.handles import calls
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.objects import Object
from notebook_mux.handles.origins import Paths
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.stream import WAIT_SECONDS, Stream
from notebook_mux.handles.waiting import awaiting

if TYPE_CHECKING:
    from notebook_mux.widgets.status import Status
    from notebook_mux.widgets.table import Table

__all__ = ["close", "connect", "demo", "get", "run", "status", "table", "wait", "watch"]

T = TypeVar("T")


async def connect(
    *contexts: str | Mapping[str, str],
    url: str | None = None,
    kubeconfig: Paths = None,
    namespace: str | None = None,
    write: bool | str | Sequence[str] = False,
    user_id: str | None = None,
    timeout: float = 30.0,
) -> Manager:
    """As `notebook_mux.connect`."""
    return await awaiting(calls.connect(contexts, url, kubeconfig, namespace, write, user_id, timeout))


async def demo(
    scenario: str = "first-look", *, seed: int = 0, clusters: int = 1, reset: bool = False, env: bool = False
) -> Manager:
    """As `notebook_mux.demo`."""
    return await awaiting(calls.demo(scenario, seed, clusters, reset, env))


@overload
async def get(
    kind: str,
    name: None = None,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Snapshot: ...
@overload
async def get(
    kind: str,
    name: str,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Object: ...
async def get(
    kind: str,
    name: str | None = None,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Snapshot | Object:
    """As `notebook_mux.get`."""
    found: Snapshot | Object = await awaiting(calls.get(kind, name, namespace, cluster, selector, field_selector))
    return found


async def watch(
    kind: str,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
    timeout: float | None = 10.0,
) -> Stream:
    """As `notebook_mux.watch`."""
    return await awaiting(calls.watch(kind, namespace, cluster, selector, field_selector, timeout))


async def table(
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
    """As `notebook_mux.table`."""
    settings = {"columns": columns, "wide": wide, "filter": filter, "sort": sort, "height": height}
    return await awaiting(calls.table(what, name, settings, watch))


async def status() -> Status:
    """As `notebook_mux.status`."""
    return await awaiting(calls.status())


async def close() -> None:
    """As `notebook_mux.close`."""
    await awaiting(calls.close())


async def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """As `notebook_mux.run`; here it is just awaited."""
    return await coroutine


async def wait(
    stream: Stream,
    until: str | Callable[[Object], Any],
    of: Literal["all"] | int = "all",
    timeout: float | None = WAIT_SECONDS,
) -> Snapshot:
    """As `Stream.wait`."""
    return await awaiting(stream._wait(until, of, timeout))
