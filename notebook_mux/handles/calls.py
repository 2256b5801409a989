"""The steps of the module's functions, written once for `api` (blocking) and `aio` (awaitable)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from notebook_mux import errors
from notebook_mux.handles import managers, notices, origins
from notebook_mux.handles.advice import plain_advice
from notebook_mux.handles.crossing import answered, told
from notebook_mux.handles.identity import Context, Identity, problem_of
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.programs import Completed
from notebook_mux.handles.questions import Names, checked_namespaces
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.stream import Stream
from notebook_mux.handles.telling import most_telling, parted
from notebook_mux.handles.waiting import Wait, deadline_in, gather, in_thread
from notebook_mux.kernel import holder

if TYPE_CHECKING:
    from notebook_mux.handles.demos import Demo
    from notebook_mux.handles.events import Events
    from notebook_mux.handles.forward import Forward
    from notebook_mux.handles.logs import Logs
    from notebook_mux.handles.playgrounds import Playground
    from notebook_mux.handles.plugs.plug import Plug
    from notebook_mux.printing.check import Check
    from notebook_mux.printing.listing import Listing
    from notebook_mux.printing.outcome import Outcome
    from notebook_mux.printing.report import Report
    from notebook_mux.widgets.status import Status
    from notebook_mux.widgets.table import Table
    from notebook_mux.widgets.terminal import Terminal

CONNECT_SECONDS = 30.0

GRACE_SECONDS = 5.0
"""What is waited longer than the limit that the core was given, so that its better words arrive."""


async def connect(
    chosen: Sequence[str | Mapping[str, str]],
    url: str | None,
    kubeconfig: origins.Paths,
    namespace: str | None,
    write: bool | str | Sequence[str] | None,
    user_id: str | None,
    timeout: float,
    demo: tuple[str, int] | None = None,
) -> Manager:
    """See `api.connect`."""
    if not timeout > 0:
        raise errors.InvalidArgument(f"timeout={timeout!r} leaves no time", todo="give seconds, such as 30")
    names, aliases = origins.named(chosen)
    default_namespace = _one_namespace(namespace)
    origin = origins.find(url, kubeconfig)
    deadline = deadline_in(timeout + GRACE_SECONDS)
    core = holder.core()
    connection = await answered(
        core.connect, origin.endpoint, timeout, deadline=deadline, what=f"connecting (by {origin.words})"
    )
    source, at = origin.source, told(core.status, connection)
    if kubeconfig is None and not at.get("environment", True):
        source = origins.NOTHING  # a gateway that was started by hand, and serves what it was started with
    if write is None:
        write = bool(at.get("unasked"))
    found = await answered(
        core.contexts,
        connection,
        source,
        names,
        timeout,
        deadline=deadline,
        what=f"reading the contexts of {origin.words}",
    )
    if not found:
        raise errors.NoCluster(
            f"there is no context in {origin.words}", todo="nm.demo() starts a cluster inside this machine"
        )
    resolved = tuple(_context(one, aliases, default_namespace) for one in found)
    if not any(context.ref for context in resolved):
        raise most_telling([(context.alias, problem_of(context)) for context in resolved])
    identity = Identity(connection, origin.endpoint, source, names, resolved, user_id or _user(), demo)
    manager = managers.get(identity)
    manager._refs_to_write(write)  # a name that is wrong is said before anything is asked of a cluster
    notices.of_clusters((aliases.get(one["name"], one["name"]), one.get("notes") or ()) for one in found)
    notices.say()
    await _probe(manager, timeout, deadline)
    await manager._allow(write)
    managers.set_default(manager)
    return manager


async def _probe(manager: Manager, timeout: float, deadline: float | None) -> None:
    """Ask the clusters side by side whether they answer, those that have not just done so; raise if none does."""
    identity = manager._identity
    usable = [context for context in identity.contexts if context.ref]
    asked = [context for context in usable if not manager._answered_lately(context.ref)]
    results = await gather([_answer(identity, context, timeout, deadline) for context in asked])
    came, unanswered = parted(asked, results)
    for context, _ in came:
        manager._answered_now(context.ref)
    if len(unanswered) == len(usable):
        failed = [(context.alias, error) for context, error in unanswered]
        unusable = [(context.alias, problem_of(context)) for context in identity.contexts if not context.ref]
        raise most_telling([*failed, *unusable])


async def _answer(identity: Identity, context: Context, timeout: float, deadline: float | None) -> Any:
    began, what = time.monotonic(), f"waiting for {context.alias} ({context.server})"
    try:
        return await answered(
            holder.core().probe, identity.connection, context.ref, timeout, deadline=deadline, what=what
        )
    except errors.MuxError as error:
        raise plain_advice(identity, context, error, time.monotonic() - began) from None


async def demo(scenario: str, seed: int, clusters: int, reset: bool, env: bool) -> Demo:
    """See `api.demo`."""
    manager, running = await _embedded(scenario, seed, clusters, anew=False)
    if reset and not running.fresh:
        try:
            await manager._reset()
        except (errors.Unreachable, errors.TimedOut, errors.ServerError, errors.NotFound):
            # It does not answer, or cannot do that: another one takes its place.
            manager, running = await _embedded(scenario, seed, clusters, anew=True)
    if env:
        os.environ[origins.KUBECONFIG_VARIABLE] = running.kubeconfig
    return manager


async def _embedded(scenario: str, seed: int, clusters: int, *, anew: bool) -> tuple[Demo, Playground]:
    from notebook_mux.handles import playgrounds
    from notebook_mux.handles.demos import Demo

    running = await Wait(
        in_thread(lambda: playgrounds.started(scenario, seed, clusters, anew), "notebook_mux playground"),
        what=f"starting the embedded cluster with the scenario {scenario}",
    )
    told_of = (scenario, seed)
    manager = await connect(["*"], None, running.kubeconfig, None, True, None, CONNECT_SECONDS, told_of)
    assert isinstance(manager, Demo)
    return manager, running


async def default() -> Manager:
    """The manager connected last, or what `connect()` gives if there is none."""
    found = managers.default()
    return found if found is not None else await connect([], None, None, None, False, None, CONNECT_SECONDS)


async def get(
    kind: str, name: str | None, namespace: Names, cluster: Names, selector: Selector, field_selector: Selector
) -> Any:
    """See `api.get`."""
    return await (await default())._get(kind, name, namespace, cluster, selector, field_selector)


async def watch(
    kind: str,
    namespace: Names,
    cluster: Names,
    selector: Selector,
    field_selector: Selector,
    timeout: float | None,
) -> Stream:
    """See `api.watch`."""
    return await (await default())._watch(kind, namespace, cluster, selector, field_selector, timeout)


async def table(what: str | Stream, name: str | None, settings: Mapping[str, Any], watch_: Mapping[str, Any]) -> Table:
    """See `api.table`."""
    owner = what._source.owner if isinstance(what, Stream) else await default()
    assert isinstance(owner, Manager)
    return await owner._table(what, name, settings, watch_)


async def exec_(*arguments: Any) -> Completed[Any]:
    """See `api.exec`."""
    return await (await default())._exec(*arguments)


async def shell(*arguments: Any) -> Terminal:
    """See `api.shell`."""
    return await (await default())._shell(*arguments)


async def kubeconfig() -> str:
    """See `api.kubeconfig`."""
    return await (await default())._kubeconfig()


async def port_forward(*arguments: Any) -> Forward:
    """See `api.port_forward`."""
    return await (await default())._port_forward(*arguments)


async def logs(*arguments: Any) -> Logs:
    """See `api.logs`."""
    return await (await default())._logs(*arguments)


async def events(*arguments: Any) -> Events:
    """See `api.events`."""
    return await (await default())._events(*arguments)


async def expect(target: Any, **expected: Any) -> Check:
    """See `api_checks.expect`."""
    from notebook_mux.handles.expecting import running
    from notebook_mux.handles.expecting.wish import wish

    wished = wish(target, **expected)
    return await running.check(wished, await default() if wished.needs_cluster else None)


async def change(verb: str, *arguments: Any) -> Outcome:
    """See `api_changes`."""
    return await (await default())._alter(verb, *arguments)


async def plug(*arguments: Any) -> Plug:
    """See `api_checks.plug`."""
    return await (await default())._plug(*arguments)


async def status() -> Status:
    """See `api.status`."""
    return (await default()).status()


async def contexts(kubeconfig: origins.Paths) -> Listing:
    """See `api.contexts`."""
    from notebook_mux.handles import contexts as listed

    return await listed.contexts(kubeconfig)


async def kinds(cluster: Names, match: str | None) -> Listing:
    """See `api.kinds`."""
    from notebook_mux.handles import kinds as listed

    return await listed.kinds(await default(), cluster, match)


async def doctor(cluster: str | Sequence[str] | None, kubeconfig: origins.Paths) -> Report:
    """See `api.doctor`."""
    from notebook_mux.handles import doctor as examined

    return await examined.doctor(cluster, kubeconfig)


async def close() -> None:
    """See `api.close`."""
    found = managers.default()
    if found is not None:
        await found._close()


def _context(found: Mapping[str, Any], aliases: Mapping[str, str], namespace: str | None) -> Context:
    name = found["name"]
    problem = found.get("error") or {}
    if problem:
        code = str(problem.get("code", "error"))
        problem = {"state": "login" if code == "login" else "closed", **problem}
    return Context(
        aliases.get(name, name),
        name,
        "" if problem else found.get("ref", ""),
        found.get("server", ""),
        namespace or found.get("namespace") or "default",
        tuple(sorted(problem.items())),
        bool(found.get("current")),
    )


def _one_namespace(namespace: Any) -> str | None:
    if namespace is None:
        return None
    names = checked_namespaces(namespace)
    if len(names) != 1 or names == ("*",):
        raise errors.InvalidArgument(
            f"namespace={namespace!r} is no one namespace", todo="give lists and '*' to get and watch"
        )
    return names[0]


def _user() -> str:
    from notebook_mux.life.user import user_id

    return user_id()
