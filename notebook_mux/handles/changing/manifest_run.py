"""`apply` of a manager: documents in the order in which they need each other, each rehearsed as soon as it can be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from notebook_mux import errors
from notebook_mux.handles.changing.applying import Apply
from notebook_mux.handles.changing.manifests import Document, documents
from notebook_mux.handles.changing.running import (
    Ledger,
    check_write,
    each,
    looked,
    permitted,
    placed,
    show,
    through,
    told_if_stopped,
)
from notebook_mux.handles.changing.steps import Spot
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts
from notebook_mux.handles.rights import may_write
from notebook_mux.handles.server import Server
from notebook_mux.handles.waiting import Wait
from notebook_mux.printing.facts import part
from notebook_mux.printing.outcome import Outcome

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

NEW_KIND_SECONDS = 30.0
"""From a definition's apply to its kind being served: a second or two on a server that is well."""

PAUSE = 0.2

CRD, NAMESPACE = "CustomResourceDefinition", "Namespace"


class Waiting(Apply):
    """An apply of an object whose kind is not served yet: its definition is in the same manifest."""

    there = False


async def apply(
    manager: Manager, manifest: Any, dry_run: bool, force: bool, namespace: Names, cluster: Names
) -> Outcome:
    """See `api_changes.apply`."""
    given = documents(manifest)
    place = _one_namespace(namespace)
    title = f"apply {given[0].kind} {given[0].name}" if len(given) == 1 else f"apply {len(given)} objects"
    pairs = [(document, context) for document in given for context in _contexts(manager, document, cluster)]
    for context in {context.ref: context for _, context in pairs}.values():
        may_write(manager, [context], title)
    steps = await _steps(manager._identity, pairs, place, force)
    check_write(manager, steps, title)
    await looked([step for step in steps if not isinstance(step, Waiting)])
    await permitted(manager._identity, steps)
    later = _dependent(steps)
    soon = [step for step in steps if step not in later]
    seen = dict(zip(soon, await each(soon, lambda step: step.rehearse()), strict=True))
    ledger = Ledger(title, steps)
    if dry_run:
        for step in steps:
            ledger.put(step, step.done(seen.get(step) or step.promised()))
        return ledger.outcome(dry_run=True)
    show(steps, ledger.words)
    with told_if_stopped(ledger):
        for step in steps:
            ledger.begin(step)
            try:
                if isinstance(step, Waiting):
                    await _served(step)
                ledger.put(step, step.done(await through(step, seen.get(step))))
            except errors.MuxError as error:
                ledger.fail(step, placed(error, step))
                raise ledger.error() from None
    return ledger.outcome()


def _contexts(manager: Manager, document: Document, cluster: Names) -> list[Context]:
    """The clusters that a document is for: its own, or those that are named."""
    identity = manager._identity
    known = {context.alias for context in identity.contexts}
    if cluster is None and document.cluster in known:
        return chosen_contexts(identity, document.cluster)
    chosen = chosen_contexts(identity, cluster)
    if cluster is None and len(chosen) > 1:
        raise errors.Ambiguous(
            f"{document.words} could be applied to {len(chosen)} clusters: "
            + ", ".join(context.alias for context in chosen),
            todo="give cluster=",
        )
    return chosen


def _one_namespace(namespace: Names) -> str | None:
    names = checked_namespaces(namespace)
    if not names:
        return None
    if len(names) > 1 or names == ("*",):
        raise errors.InvalidArgument(f"namespace={namespace!r} is no one namespace", todo="give one, or leave it out")
    return names[0]


async def _steps(
    identity: Identity, pairs: Sequence[tuple[Document, Context]], namespace: str | None, force: bool
) -> list[Apply]:
    coming = {defined for document, _ in pairs if (defined := _defines(document))}
    steps = []
    for document, context in pairs:
        server = Server(identity, context)
        kind: type[Apply] = Apply
        try:
            resource = await server.resource(f"{document.content['apiVersion']}/{document.kind}")
        except errors.UnknownKind as error:
            group, _, version = document.content["apiVersion"].rpartition("/")
            if (group, document.kind) not in coming:
                error.what += f", of which {document.words} is"
                raise
            plural, namespaced = coming_of(pairs, group, document.kind)
            resource = {"name": plural, "singular": document.kind.lower(), "kind": document.kind, "group": group,
                        "version": version, "namespaced": namespaced}  # fmt: skip
            kind = Waiting
        if "patch" not in resource.get("verbs", ("patch",)):
            raise errors.InvalidArgument(
                f"{document.words} cannot be applied: what the cluster does with this kind is"
                f" {', '.join(resource['verbs'])}",
                cluster=server.name,
                todo="leave it out",
            )
        where = _namespace(document, namespace, server.default_namespace) if resource["namespaced"] else ""
        steps.append(kind(Spot(server, context, resource, where, document.name), document, force=force))
    seen: dict[tuple[str, str], Apply] = {}
    for step in steps:
        earlier = seen.setdefault((step.spot.context.ref, step.spot.path()), step)
        if earlier is not step:
            raise errors.InvalidArgument(
                f"{step.document.words} stands twice in the manifest", todo="leave one of the two out"
            )
    return steps


def _namespace(document: Document, namespace: str | None, default: str) -> str:
    own = _one_namespace(document.content["metadata"].get("namespace") or None)
    if own and namespace is not None and own != namespace:
        raise errors.InvalidArgument(
            f"{document.words} is of namespace {own}, and namespace={namespace!r} was given",
            todo="leave namespace= out, or correct the manifest",
        )
    return str(own or namespace or default)


def _defines(document: Document) -> tuple[str, str] | None:
    """Group and kind that a document defines."""
    if document.kind != CRD:
        return None
    spec = part(document.content, "spec")
    return str(spec.get("group") or ""), str(part(spec, "names").get("kind") or "")


def coming_of(pairs: Sequence[tuple[Document, Context]], group: str, kind: str) -> tuple[str, bool]:
    """The plural of a kind that is defined in the manifest, and whether it is in namespaces."""
    spec = next(document.content["spec"] for document, _ in pairs if _defines(document) == (group, kind))
    return str(spec["names"].get("plural") or ""), spec.get("scope") != "Cluster"


def _dependent(steps: Sequence[Apply]) -> list[Apply]:
    """Those that cannot be rehearsed before others are done."""
    new = {
        (step.spot.context.ref, step.spot.name)
        for step in steps
        if step.spot.kind == NAMESPACE and not step.spot.resource["group"] and not step.there
    }
    return [s for s in steps if isinstance(s, Waiting) or (s.spot.context.ref, s.spot.namespace) in new]


async def _served(step: Apply) -> None:
    """Wait until the kind is served.

    Raises:
        TimedOut: It is not.
    """
    spot, deadline = step.spot, time.monotonic() + NEW_KIND_SECONDS
    while True:
        try:
            await spot.server.resource(f"{step.document.content['apiVersion']}/{step.document.kind}")
            status, _ = await spot.server.request(spot.path().rpartition("/")[0], "limit=1", "application/json")
            if status != 404:
                return
        except errors.UnknownKind:
            pass
        if time.monotonic() >= deadline:
            raise errors.TimedOut(
                f"the kind of {step.document.words} is not served {NEW_KIND_SECONDS:g} s after its definition",
                cluster=spot.server.name,
                todo="look at the definition's conditions, then apply again",
            )
        try:
            what = f"waiting for the new kind {step.document.kind} to be served by {spot.server.name}"
            await Wait(Future(), deadline=time.monotonic() + PAUSE, what=what)
        except errors.TimedOut:
            pass
