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
    from notebook_mux.handles.demos import Demo
    from notebook_mux.handles.events import Events
    from notebook_mux.handles.forward import Forward
    from notebook_mux.handles.log_lines import Line
    from notebook_mux.handles.logs import Logs
    from notebook_mux.handles.plugs.plug import Plug
    from notebook_mux.printing.check import Check
    from notebook_mux.printing.listing import Listing
    from notebook_mux.printing.outcome import Outcome
    from notebook_mux.printing.report import Report
    from notebook_mux.widgets.columns import Columns
    from notebook_mux.widgets.status import Status
    from notebook_mux.widgets.table import Table
    from notebook_mux.widgets.terminal import Terminal

__all__ = [
    "apply",
    "close",
    "connect",
    "contexts",
    "delete",
    "demo",
    "doctor",
    "events",
    "expect",
    "get",
    "kinds",
    "kubeconfig",
    "logs",
    "plug",
    "port_forward",
    "restart",
    "run",
    "scale",
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
    write: bool | str | Sequence[str] | None = None,
    user_id: str | None = None,
    timeout: float = 30.0,
) -> Manager:
    """As `notebook_mux.connect`."""
    return await awaiting(calls.connect(contexts, url, kubeconfig, namespace, write, user_id, timeout))


async def demo(
    scenario: str = "first-look", *, seed: int = 0, clusters: int = 1, reset: bool = False, env: bool = False
) -> Demo:
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
    columns: Columns = None,
    labels: Sequence[str] = (),
    wide: bool = False,
    usage: bool = False,
    filter: str = "",  # noqa: A002 - the contract's word
    faults: bool = False,
    sort: str | None = None,
    group: str | None = None,
    height: int = 400,
    **watch: Any,
) -> Table:
    """As `notebook_mux.table`."""
    settings = {
        "columns": columns, "labels": labels, "wide": wide, "usage": usage, "filter": filter, "faults": faults,
        "sort": sort, "group": group, "height": height,
    }  # fmt: skip
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


async def apply(
    manifest: Any, *, dry_run: bool = False, force: bool = False, namespace: Names = None, cluster: Names = None
) -> Outcome:
    """As `notebook_mux.apply`."""
    return await awaiting(calls.change("apply", manifest, dry_run, force, namespace, cluster))


async def scale(
    target: Any, replicas: int, *, dry_run: bool = False, namespace: Names = None, cluster: Names = None
) -> Outcome:
    """As `notebook_mux.scale`."""
    return await awaiting(calls.change("scale", target, replicas, dry_run, namespace, cluster))


async def restart(target: Any, *, dry_run: bool = False, namespace: Names = None, cluster: Names = None) -> Outcome:
    """As `notebook_mux.restart`."""
    return await awaiting(calls.change("restart", target, dry_run, namespace, cluster))


async def delete(
    target: Any,
    *,
    cascade: str = "background",
    grace: int | None = None,
    dry_run: bool = False,
    namespace: Names = None,
    cluster: Names = None,
) -> Outcome:
    """As `notebook_mux.delete`."""
    return await awaiting(calls.change("delete", target, cascade, grace, dry_run, namespace, cluster))


async def expect(
    target: Any = None,
    *,
    ready: int | bool | None = None,
    count: int | None = None,
    exists: bool | None = None,
    image: str | None = None,
    condition: str | None = None,
    field: str | None = None,
    equals: Any = ...,
    endpoints: int | None = None,
    answers: bool | int | str | re.Pattern[str] | None = None,
    port: int | str | None = None,
    path: str = "/",
    can: str | Sequence[str] = (),
    cannot: str | Sequence[str] = (),
    that: Callable[..., Any] | None = None,
    value: Any = ...,
    sha: str | None = None,
    name: str | None = None,
    hints: str | Sequence[str] = (),
    selector: Selector = None,
    timeout: float | None = 60.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Check:
    """As `notebook_mux.expect`; a function that is given is called on this loop."""
    steps = calls.expect(
        target,
        ready=ready,
        count=count,
        exists=exists,
        image=image,
        condition=condition,
        field=field,
        equals=equals,
        endpoints=endpoints,
        answers=answers,
        port=port,
        path=path,
        can=can,
        cannot=cannot,
        that=that,
        value=value,
        sha=sha,
        name=name,
        hints=hints,
        selector=selector,
        timeout=timeout,
        namespace=namespace,
        cluster=cluster,
    )
    return await awaiting(steps)


async def plug(name: str = "plug", *, namespace: str | None = None, cluster: str | None = None) -> Plug:
    """As `notebook_mux.plug`."""
    return await awaiting(calls.plug(name, namespace, cluster))


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


async def kubeconfig() -> str:
    """As `notebook_mux.kubeconfig`."""
    return await awaiting(calls.kubeconfig())


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
