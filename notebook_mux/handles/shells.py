"""`shell`: a terminal in a container, the one that is there already or a new one, from the right to have it on.

What makes two the same is what was asked for and not the pod that was picked: run again, after a reload or a restart of
the kernel, the same words find the same terminal, whatever became of the pod.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from notebook_mux import errors
from notebook_mux.handles.crossing import answered, crossed, told
from notebook_mux.handles.debugging import debug_container
from notebook_mux.handles.fetching import EVERYWHERE, fetch_one
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.node_shells import discard, node_shell
from notebook_mux.handles.objects import Object
from notebook_mux.handles.programs import MISSING, words_of
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts
from notebook_mux.handles.rights import may_run, may_write
from notebook_mux.handles.server import Server
from notebook_mux.handles.targets import Named, Place, containers_of, find, named
from notebook_mux.handles.terminals import CLOSE_SECONDS, START_SECONDS, Session, place_of
from notebook_mux.handles.waiting import Wait, deadline_in, gather
from notebook_mux.kernel import holder

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

UNIX, WINDOWS = ("bash", "sh"), ("powershell", "cmd")

OS_LABEL = "kubernetes.io/os"
"""Of a node, and in a pod's nodeSelector (kubernetes.io, "Well-Known Labels")."""

CALM_SECONDS = 0.3
"""How long a shell must have run to be believed: a server says that it has started, and then that it is not there."""

NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"
"""A notebook's path, as the Jupyter server tells its kernel."""

TITLE_LENGTH = 200

DISTROLESS = "give it a shell beside it, in a debug container: nm.shell({target!r}, image='busybox')"


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    target: Named
    command: tuple[str, ...] | None = None
    container: str | None = None
    image: str | None = None
    attach: bool = False
    name: str = ""


@dataclass(frozen=True)
class Plan:
    """What is to be started."""

    place: Place
    path: str
    queries: tuple[str, ...]
    tty: bool = True
    stdin: bool = True
    delete: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)


def wish(
    target: Any,
    command: Any,
    container: str | None,
    image: str | None,
    attach: bool,
    name: str | None,
    namespace: Names,
    cluster: Names,
) -> Wish:
    """What was asked for, checked.

    Raises:
        InvalidArgument: It cannot be asked for.
    """
    found = named(target, namespace, cluster)
    checked_namespaces(found.namespace)
    words = None if command is None else words_of(command)
    for what, value in (("container", container), ("image", image), ("name", name)):
        if value is not None and not (isinstance(value, str) and value):
            raise errors.InvalidArgument(f"{what}={value!r} is no {what}'s name")
    if attach and (words is not None or image is not None):
        other = "command" if words is not None else "image="
        raise errors.InvalidArgument(
            f"attach=True shows the container's own program, and {other} asks for another", todo="leave one of them out"
        )
    if found.is_node and (attach or container is not None):
        raise errors.InvalidArgument(
            f"{found.words} is no pod, so there is no container to choose", todo="a node takes command= and image="
        )
    return Wish(found, words, container, image, bool(attach), name or "")


async def session(manager: Manager, wanted: Wish) -> Session:
    """The terminal, found or started. A coroutine of `waiting`'s kind.

    Raises:
        MuxError: See `api.shell`.
    """
    identity, core = manager._identity, holder.core()
    contexts = chosen_contexts(identity, wanted.target.cluster)
    keys = {context.ref: await _key(identity, wanted, context, contexts) for context in contexts}
    may_write(manager, contexts)
    for context in contexts:
        known = told(core.terminals.find, identity.connection, context.ref, keys[context.ref])
        if known:
            may_write(manager, [context])
            return _session(manager, known)
    kept = await _kept(manager, wanted, contexts, keys)
    if kept is not None:
        return kept
    plan = await _plan(manager, wanted)
    return await _started(manager, wanted, plan, keys[plan.place.context.ref])


async def _key(identity: Identity, wanted: Wish, context: Context, contexts: Sequence[Context]) -> str:
    """What the kernel calls it: the same words of the same cluster, whichever way they were said."""
    target = wanted.target
    kind = target.kind.lower()
    if target.is_pod:
        kind = "pods"
    elif kind:
        try:
            resource = await Server(identity, context).resource(target.kind)
            kind = f"{resource['name']}.{resource['group']}".rstrip(".")
        except errors.MuxError:
            pass  # said where the object is looked for
    namespaces = checked_namespaces(target.namespace) or (context.namespace,)
    clusters = tuple(sorted(one.alias for one in contexts)) if len(contexts) > 1 else ()
    parts = (kind, target.name, () if target.is_node else namespaces, clusters)
    parts += (wanted.command, wanted.container, wanted.image, wanted.attach, wanted.name)  # type: ignore[assignment]
    return f"{kind}/{target.name[:TITLE_LENGTH]} {hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


def _session(manager: Manager, id_: str) -> Session:
    async def review(one: Session) -> None:
        identity = manager._identity
        context = next((c for c in identity.contexts if c.alias == one.cluster), identity.contexts[0])
        may_write(manager, [context])
        pod = Object({"metadata": {"name": one.pod, "namespace": one.namespace}}, context.alias)
        await may_run(identity, Place(context, pod, one.container), "attach" if one.attached else "exec")

    return Session(manager, id_, review)


# --- one that the gateway has kept ------------------------------------------------------------------------------------


async def _kept(manager: Manager, wanted: Wish, contexts: Sequence[Context], keys: Mapping[str, str]) -> Session | None:
    """The one that this kernel had before its restart."""
    identity = manager._identity
    writable = [context for context in contexts if context.ref in manager._write]
    results = await gather([_looked_for(identity, context, keys[context.ref]) for context in writable])
    for context, found in zip(writable, results, strict=True):
        if isinstance(found, Exception):
            if isinstance(found, errors.MuxError) and len(writable) > 1:
                continue
            raise found
        if not found:
            continue
        core = holder.core()
        now = told(core.terminals.now, found)
        namespace, name = place_of(now["path"])
        try:
            pod = await fetch_one([Server(identity, context)], "pods", name, (namespace,))
            containers = containers_of(pod)
        except errors.MuxError:
            containers = []  # the pod has gone, and what it showed is still there
        reads = "stdin=true" in now["queries"][0].split("&")
        told(core.terminals.describe, found, _about(wanted, context, name, containers, reads))
        return _session(manager, found)
    return None


async def _looked_for(identity: Identity, context: Context, key: str) -> str:
    order = {"key": key, "scope": identity.scope, "notebook": _notebook()}
    return await answered(
        holder.core().terminals.open,
        identity.connection,
        context.ref,
        order,
        create=False,
        what=f"looking for a terminal of {context.alias} that is there already",
    )


def _about(
    wanted: Wish, context: Context, pod: str, containers: Sequence[tuple[str, str]], reads: bool
) -> dict[str, Any]:
    return {
        "words": _title(wanted, pod, reads),
        "cluster": context.alias,
        "containers": [tuple(one) for one in containers],
    }


def _title(wanted: Wish, pod: str, reads: bool) -> str:
    target = wanted.target
    words = [target.words] if target.is_node else [pod]
    if wanted.command:
        words = [" ".join(wanted.command), "in", *words]
    elif wanted.attach:
        words = ["attached to", *words]
    extra = [] if target.is_pod or target.is_node else [target.words if target.kind else target.name]
    extra += [f"debug container of {wanted.image}"] if wanted.image and not target.is_node else []
    extra += [wanted.name] if wanted.name else []
    extra += [] if reads else ["to look at only: its container has no stdin"]
    return " ".join([*words, f"({', '.join(extra)})"] if extra else words)


# --- a new one --------------------------------------------------------------------------------------------------------


async def _plan(manager: Manager, wanted: Wish) -> Plan:
    identity = manager._identity
    if wanted.target.is_node:
        return await _on_node(manager, wanted)
    place = await find(identity, wanted.target, wanted.container)
    may_write(manager, [place.context])
    if wanted.image is not None:
        target = place.container if wanted.container else None
        place = await debug_container(identity, place.context, place.pod, wanted.image, target)
        return await _of_our_own(identity, place, wanted)
    if wanted.attach:
        await may_run(identity, place, "attach")
        return attaching(place)
    await may_run(identity, place)
    commands = (wanted.command,) if wanted.command else await _shells(identity, place)
    return running(place, commands)


async def _on_node(manager: Manager, wanted: Wish) -> Plan:
    identity, target = manager._identity, wanted.target
    contexts = {context.alias: context for context in chosen_contexts(identity, target.cluster)}
    node = await fetch_one([Server(identity, one) for one in contexts.values()], "nodes", target.name, ())
    context = contexts[node.cluster]
    may_write(manager, [context])
    namespaces = checked_namespaces(target.namespace)
    if namespaces == EVERYWHERE or len(namespaces) > 1:
        raise errors.InvalidArgument("the pod of a node's shell is in one namespace", todo="give one with namespace=")
    place, path = await node_shell(identity, context, node.name, wanted.image, namespace=next(iter(namespaces), None))
    try:
        plan = await _of_our_own(identity, place, wanted)
    except BaseException:  # an interrupt too, which leaves no time to wait
        discard(identity, context, path)
        raise
    return replace(plan, delete=path)


async def _of_our_own(identity: Identity, place: Place, wanted: Wish) -> Plan:
    """In a container that was made for it: a shell, which can be started again when it has ended, else its program."""
    if not wanted.command:
        try:
            await may_run(identity, place)
        except errors.Forbidden:
            return attaching(place)  # for which the right was asked before the container was made
        return running(place, [(shell,) for shell in UNIX])
    await may_run(identity, place)
    return running(place, [wanted.command])


async def _delete(identity: Identity, context: Context, path: str) -> None:
    try:
        await Server(identity, context).change("DELETE", path)
    except errors.MuxError:
        pass  # its deadline ends it, or the next node shell's sweep


def running(place: Place, commands: Sequence[Sequence[str]]) -> Plan:
    """Programs in a container, tried in turn, on a terminal."""
    flags = {"container": place.container, "stdin": "true", "stdout": "true", "tty": "true"}
    queries = [_query(flags, command) for command in commands]
    return Plan(place, _path(place, "exec"), tuple(queries))


def attaching(place: Place) -> Plan:
    """The container's own program, with the terminal and the input that its spec gives it."""
    spec = _spec_of(place.pod, place.container)
    tty, stdin = bool(spec.get("tty")), bool(spec.get("stdin"))
    # a terminal has one output; a server refuses to give its errors apart
    flags = {"stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
    query = _query({"container": place.container} | {name: "true" for name, wanted in flags.items() if wanted}, ())
    return Plan(place, _path(place, "attach"), (query,), tty, stdin)


def _path(place: Place, subresource: str) -> str:
    pod = place.pod
    return f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/{subresource}"


def _query(flags: Mapping[str, str], command: Sequence[str]) -> str:
    return urlencode([*flags.items(), *(("command", word) for word in command)], quote_via=quote)


def _spec_of(pod: Mapping[str, Any], container: str) -> Mapping[str, Any]:
    spec = pod.get("spec") or {}
    groups = (spec.get(group) or () for group in ("containers", "initContainers", "ephemeralContainers"))
    return next((one for group in groups for one in group if one.get("name") == container), {})


async def _shells(identity: Identity, place: Place) -> list[tuple[str, ...]]:
    """Which shells to try, those of the pod's system first."""
    first = await _system(identity, place) == "windows"
    return [(shell,) for shell in ((*WINDOWS, *UNIX) if first else (*UNIX, *WINDOWS))]


async def _system(identity: Identity, place: Place) -> str:
    """The pod's system as it says it, else its node's; "" where nobody says."""
    spec = place.pod.get("spec") or {}
    found = (spec.get("os") or {}).get("name") or (spec.get("nodeSelector") or {}).get(OS_LABEL)
    if found or not spec.get("nodeName"):
        return str(found or "")
    try:
        node = await fetch_one([Server(identity, place.context)], "nodes", str(spec["nodeName"]), ())
    except errors.MuxError:
        return ""  # who may run programs need not see nodes
    return str((node["metadata"].get("labels") or {}).get(OS_LABEL) or "")


async def _started(manager: Manager, wanted: Wish, plan: Plan, key: str) -> Session:
    identity, core, place = manager._identity, holder.core(), plan.place
    about = {**_about(wanted, place.context, place.pod.name, containers_of(place.pod), plan.stdin), **plan.about}
    order = {
        "key": key,
        "path": plan.path,
        "queries": list(plan.queries),
        "tty": plan.tty,
        "stdin": plan.stdin,
        "scope": identity.scope,
        "title": about["words"][:TITLE_LENGTH],
        "notebook": _notebook(),
        "delete": plan.delete,
    }
    doing = f"starting {about['words']} on {place.context.alias}"
    deadline = deadline_in(START_SECONDS)
    opening, where = core.terminals.open, (identity.connection, place.context.ref)
    try:
        id_ = await answered(opening, *where, order, about, deadline=deadline, what=doing)
    except errors.MuxError:
        if plan.delete:
            await _delete(identity, place.context, plan.delete)
        raise
    settled = told(core.terminals.settled, id_, 0.0 if wanted.attach else CALM_SECONDS)
    try:
        now = await Wait(settled, deadline=deadline, what=doing)
    except errors.TimedOut:
        return _session(manager, id_)  # it may come yet, and says itself how it stands
    except Exception as failure:  # noqa: BLE001 - of the core's generation, so not known by class
        raise crossed(failure) from None
    finally:
        settled.cancel()
    error = _failure(wanted, plan, now)
    if error is not None:
        await answered(core.terminals.close, id_, deadline=deadline_in(START_SECONDS), what="cleaning up")
        raise error
    return _session(manager, id_)


def _failure(wanted: Wish, plan: Plan, now: Mapping[str, Any]) -> errors.MuxError | None:
    """Why it never ran; None where it did."""
    place = plan.place
    if now["state"] == "lost":
        fields = {"what": now["reason"], "cluster": place.context.alias, "said": now["said"], "todo": now["todo"]}
        return errors.from_code(now["code"], fields)
    if now["state"] != "ended" or now["returncode"] is not None:
        return None
    said = now["reason"] or None
    what = f"{' '.join(wanted.command)!r} could not be run" if wanted.command else "no shell could be started"
    if said is None or not any(words in said for words in MISSING):
        return errors.ServerError(f"{what} in {place.words}", cluster=place.context.alias, said=said)
    if wanted.command:
        what = f"{wanted.command[0]!r} cannot be run in {place.words}"
        todo = "see what the image has; another container= may have it"
    else:
        tried = [dict(parse_qsl(query)).get("command", "") for query in plan.queries]
        what = f"there is no shell in {place.words}: {', '.join(tried)} were tried"
        todo = DISTROLESS.format(target=place.pod.name)
    return errors.NotFound(what, cluster=place.context.alias, said=said, todo=todo)


def _notebook() -> str:
    return os.environ.get(NOTEBOOK_VARIABLE, "")


async def close_all(identity: Identity) -> None:
    """End the terminals of a manager, those of earlier generations of the modules too. Of `waiting`'s kind."""
    core = holder.running()
    if core is None:
        return
    mine = [now["id"] for now in core.terminals.all(identity.connection) if now["scope"] == identity.scope]
    what = f"ending {len(mine)} terminals"
    closing = [answered(core.terminals.close, id_, deadline=deadline_in(CLOSE_SECONDS), what=what) for id_ in mine]
    await gather(closing)  # one that could not be ended is so by the gateway, when nobody comes back
