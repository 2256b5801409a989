"""The module's functions, awaitable: ``from notebook_mux import aio as nm``.

Streams, tables and managers are the same objects as those of the blocking functions. What waits on a stream has its
form here too: ``await nm.wait(stream, "condition=Ready")``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from notebook_mux.handles import calls
from notebook_mux.handles.log_targets import Since
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.objects import Object
from notebook_mux.handles.origins import Paths
from notebook_mux.handles.patterns import Regex
from notebook_mux.handles.programs import Command, Completed, Input
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.stream import WAIT_SECONDS, Stream
from notebook_mux.handles.waiting import awaiting

if TYPE_CHECKING:
    from notebook_mux.handles.events import Events
    from notebook_mux.handles.forward import Forward
    from notebook_mux.handles.log_lines import Line
    from notebook_mux.handles.logs import Logs
    from notebook_mux.printing.listing import Listing
    from notebook_mux.printing.report import Report
    from notebook_mux.widgets.status import Status
    from notebook_mux.widgets.table import Table
    from notebook_mux.widgets.terminal import Terminal

__all__ = [
    "close",
    "connect",
    "contexts",
    "demo",
    "doctor",
    "events",
    "get",
    "kinds",
    "logs",
    "port_forward",
    "run",
    "shell",
    "status",
    "table",
    "wait",
    "watch",
]

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


@overload
async def exec(  # noqa: A001 - the contract's word
    target: Any,
    command: Command,
    *,
    container: str | None = None,
    stdin: Input = None,
    text: Literal[False] = False,
    check: bool = False,
    timeout: float | None = 30.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Completed[bytes]: ...
@overload
async def exec(  # noqa: A001 - the contract's word
    target: Any,
    command: Command,
    *,
    container: str | None = None,
    stdin: Input = None,
    text: Literal[True],
    check: bool = False,
    timeout: float | None = 30.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Completed[str]: ...
@overload
async def exec(  # noqa: A001 - the contract's word
    target: Any,
    command: Command,
    *,
    container: str | None = None,
    stdin: Input = None,
    text: bool,
    check: bool = False,
    timeout: float | None = 30.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Completed[bytes] | Completed[str]: ...
async def exec(  # noqa: A001 - the contract's word
    target: Any,
    command: Command,
    *,
    container: str | None = None,
    stdin: Input = None,
    text: bool = False,
    check: bool = False,
    timeout: float | None = 30.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Completed[bytes] | Completed[str]:
    """As `notebook_mux.exec`."""
    found: Completed[bytes] | Completed[str] = await awaiting(
        calls.exec_(target, command, container, stdin, text, check, timeout, namespace, cluster)
    )
    return found


async def shell(
    target: Any,
    command: Command | None = None,
    *,
    container: str | None = None,
    image: str | None = None,
    attach: bool = False,
    name: str | None = None,
    namespace: Names = None,
    cluster: Names = None,
) -> Terminal:
    """As `notebook_mux.shell`."""
    return await awaiting(calls.shell(target, command, container, image, attach, name, namespace, cluster))


async def port_forward(target: Any, port: int | str, *, namespace: Names = None, cluster: Names = None) -> Forward:
    """As `notebook_mux.port_forward`."""
    return await awaiting(calls.port_forward(target, port, namespace, cluster))


async def logs(
    target: Any,
    *,
    selector: Selector = None,
    container: Regex = None,
    since: Since = None,
    tail: int | None = 100,
    previous: bool = False,
    follow: bool = True,
    include: Regex = None,
    exclude: Regex = None,
    max_pods: int = 50,
    namespace: Names = None,
    cluster: Names = None,
) -> Logs:
    """As `notebook_mux.logs`."""
    chosen = (selector, container, since, tail, previous, follow, include, exclude, max_pods)
    return await awaiting(calls.logs(target, *chosen, namespace, cluster))


async def events(
    target: Any = None, *, warnings: bool = False, namespace: Names = None, cluster: Names = None
) -> Events:
    """As `notebook_mux.events`."""
    return await awaiting(calls.events(target, warnings, namespace, cluster))


async def status() -> Status:
    """As `notebook_mux.status`."""
    return await awaiting(calls.status())


async def contexts(kubeconfig: Paths = None) -> Listing:
    """As `notebook_mux.contexts`."""
    return await awaiting(calls.contexts(kubeconfig))


async def kinds(cluster: Names = None, match: str | None = None) -> Listing:
    """As `notebook_mux.kinds`."""
    return await awaiting(calls.kinds(cluster, match))


async def doctor(cluster: str | Sequence[str] | None = None, *, kubeconfig: Paths = None) -> Report:
    """As `notebook_mux.doctor`."""
    return await awaiting(calls.doctor(cluster, kubeconfig))


async def close() -> None:
    """As `notebook_mux.close`."""
    await awaiting(calls.close())


async def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """As `notebook_mux.run`; here it is just awaited."""
    return await coroutine


@overload
async def wait(
    stream: Stream,
    until: str | Callable[[Object], Any],
    of: Literal["all"] | int = "all",
    timeout: float | None = WAIT_SECONDS,
) -> Snapshot: ...
@overload
async def wait(stream: Logs, until: str | re.Pattern[str], *, timeout: float | None = WAIT_SECONDS) -> Line: ...
async def wait(stream: Any, until: Any, of: Any = "all", timeout: float | None = WAIT_SECONDS) -> Any:
    """As `Stream.wait` and `Logs.wait`."""
    arguments = (until, of, timeout) if hasattr(stream, "changes") else (until, timeout)
    return await awaiting(stream._wait(*arguments))
