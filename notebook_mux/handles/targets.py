"""What a program is to run in: from what a user names (``deploy/web``, an object, a row) to one pod and a container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from notebook_mux import errors
from notebook_mux.handles.entries import Described
from notebook_mux.handles.fetching import fetch_list, fetch_one
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts
from notebook_mux.handles.selectors import label_selector
from notebook_mux.handles.server import Server

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
"""The annotation that names the container which is meant where none is given."""

CONTAINERS = {"containers": "container", "initContainers": "init", "ephemeralContainers": "ephemeral"}
"""Where a pod's spec has containers, and what those are called here."""

OPERATORS = {"In": "in", "NotIn": "notin"}
"""Those of a selector's matchExpressions that take values, in the words of a query."""

NEAR = 3
"""Pods that an error names."""

HOW = "write 'web-0', 'pod/web-0', 'deploy/web', 'svc/web' or 'app=web', or give an object or a row of pods"

ABOUT_OBJECTS = {"metadata", "kind", "apiVersion", "spec", "Name"}
"""Keys of objects and rows; a dict without them is a selector's."""

POD_KINDS = ("pod", "pods", "po")
NODE_KINDS = ("node", "nodes", "no")


class Named(NamedTuple):
    """A target, taken apart: a kind and a name, and where to look for it. Without a kind the name is a selector."""

    kind: str
    name: str
    namespace: Names
    cluster: Names

    @property
    def words(self) -> str:
        """As in ``deploy/web``."""
        return f"{self.kind}/{self.name}" if self.kind else f"the pods with {self.name}"

    @property
    def is_pod(self) -> bool:
        """Whether it is a pod by its name."""
        return self.kind.lower() in POD_KINDS

    @property
    def is_node(self) -> bool:
        """Whether it is a node."""
        return self.kind.lower() in NODE_KINDS


class Place(NamedTuple):
    """A container of a pod of a cluster."""

    context: Context
    pod: Object
    container: str

    @property
    def words(self) -> str:
        """Such as "container main of pod default/web-0"."""
        return f"container {self.container} of pod {self.pod.namespace}/{self.pod.name}"


def named(target: Any, namespace: Names, cluster: Names) -> Named:
    """A target taken apart; an object or a row says itself where it is.

    Raises:
        InvalidArgument: It is no target.
    """
    if isinstance(target, str):
        if "=" in target:  # which no kind and no name has in it
            return Named("", label_selector(target.strip()), namespace, cluster)
        kind, slash, name = target.strip().rpartition("/")
        if not name or (slash and not kind):
            raise errors.InvalidArgument(f"{target!r} names nothing that a program could run in", todo=HOW)
        return Named(kind or "pod", name, namespace, cluster)
    if isinstance(target, Mapping):
        metadata = target.get("metadata")
        if isinstance(metadata, Mapping) and metadata.get("name"):
            group = str(target.get("apiVersion") or "").rpartition("/")[0]
            kind = str(target.get("kind") or "Pod")
            where = metadata.get("namespace") or namespace
            return Named(
                f"{kind}.{group}" if group else kind,
                str(metadata["name"]),
                where,
                getattr(target, "cluster", "") or cluster,
            )
        if target.get("Name") and "Restarts" in target:  # only pods have that column
            where, which = target.get("Namespace") or namespace, target.get("Cluster") or cluster
            return Named("pod", str(target["Name"]), where, which)
        if target.get("Name"):
            raise errors.InvalidArgument(
                f"the row of {target['Name']!r} does not say its kind", todo=f"write 'deploy/{target['Name']}'"
            )
        if target and not ABOUT_OBJECTS & target.keys():
            return Named("", label_selector(target), namespace, cluster)
    raise errors.InvalidArgument(f"a {type(target).__name__} names nothing that a program could run in", todo=HOW)


async def find(identity: Identity, target: Named, container: str | None) -> Place:
    """The pod that is meant, read just now, and its container. A coroutine of `waiting`'s kind.

    Raises:
        NotFound: It is not there, or has no ready pod.
        Ambiguous: It is there twice, in two namespaces or clusters.
        InvalidArgument: It has no pods, its pod has ended, or there is no such container.
        MuxError: A cluster failed and no other has it.
    """
    context, _, pod = await meant(identity, target)
    return Place(context, pod, container_of(pod, container))


async def meant(identity: Identity, target: Named) -> tuple[Context, Object, Object]:
    """The cluster, what is named there, and a pod of it: itself, or a ready one. A coroutine of `waiting`'s kind.

    Raises:
        MuxError: As `find`.
    """
    contexts = chosen_contexts(identity, target.cluster)
    servers = {context.alias: Server(identity, context) for context in contexts}
    namespaces = checked_namespaces(target.namespace)
    if target.kind:
        found = await fetch_one(list(servers.values()), target.kind, target.name, namespaces)
        pod = found if found.kind == "Pod" else await _ready_pod(servers[found.cluster], target, found)
    else:
        found = pod = await _selected_pod(list(servers.values()), target, namespaces)
    return next(context for context in contexts if context.alias == pod.cluster), found, pod


async def _selected_pod(servers: Sequence[Server], target: Named, namespaces: tuple[str, ...]) -> Object:
    described = Described("pods", ", ".join(namespaces), "")
    listed = await fetch_list(servers, "pods", namespaces, target.name, "", described)
    pod = _first_ready(list(listed.objects), target, servers[0].name)
    places = sorted({f"{one.cluster}: {one.namespace}" for one in listed.objects if is_ready(one)})
    if len(places) > 1:
        raise errors.Ambiguous(
            f"{target.words} are there in {len(places)} places: {', '.join(places[:NEAR])}",
            todo="give namespace= and cluster=",
        )
    return pod


async def _ready_pod(server: Server, target: Named, owner: Object) -> Object:
    selector = selector_of(owner)
    if not selector:
        raise errors.InvalidArgument(
            f"{target.words} selects no pods, so there is none to run in", cluster=server.name, todo=HOW
        )
    described = Described("pods", owner.namespace, "")
    listed = await fetch_list([server], "pods", (owner.namespace,), selector, "", described)
    return _first_ready(list(listed.objects), target, server.name)


def _first_ready(pods: list[Object], target: Named, cluster: str) -> Object:
    pods.sort(key=lambda pod: pod.name)
    for pod in pods:
        if is_ready(pod):
            return pod
    there = ", ".join(f"{pod.name} is {phase_of(pod) or 'unknown'}" for pod in pods[:NEAR]) or "it has none"
    if not target.kind:
        what, there = f"none of {target.words} is ready", there if pods else "there is none"
    else:
        what = f"no pod of {target.words} is ready"
    raise errors.NotFound(
        f"{what}: {there}",
        cluster=cluster,
        todo="wait until one is, or name a pod" if pods else "see whether it is scaled to zero",
    )


def selector_of(owner: Mapping[str, Any]) -> str:
    """The label selector of a workload's or a service's pods; "" where it has none."""
    spec = owner.get("spec")
    selector = spec.get("selector") if isinstance(spec, Mapping) else None
    if not isinstance(selector, Mapping):
        return ""
    if not {"matchLabels", "matchExpressions"} & selector.keys():
        return label_selector(selector)
    terms = [label_selector(selector.get("matchLabels") or {})]
    for one in selector.get("matchExpressions") or ():
        key, operator, values = one.get("key"), one.get("operator"), ",".join(one.get("values") or ())
        if operator in OPERATORS:
            terms.append(f"{key} {OPERATORS[operator]} ({values})")
        else:
            terms.append(key if operator == "Exists" else f"!{key}")
    return ",".join(filter(None, terms))


def phase_of(pod: Mapping[str, Any]) -> str:
    """Such as ``Running``; "" where it is not known."""
    status = pod.get("status")
    return str(status.get("phase") or "") if isinstance(status, Mapping) else ""


def is_ready(pod: Object) -> bool:
    """Whether it runs, is ready, and is not about to go."""
    if phase_of(pod) != "Running" or pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod["status"].get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def containers_of(pod: Mapping[str, Any]) -> list[tuple[str, str]]:
    """All containers of a pod: name, and ``container``, ``init`` or ``ephemeral``."""
    spec = pod.get("spec") or {}
    return [(str(one.get("name")), kind) for group, kind in CONTAINERS.items() for one in spec.get(group) or ()]


def container_of(pod: Object, wanted: str | None) -> str:
    """The container's name; init and ephemeral ones are there too.

    Raises:
        InvalidArgument: There is none of that name, or the pod has ended.
    """
    if phase_of(pod) in ("Succeeded", "Failed"):
        raise errors.InvalidArgument(
            f"pod {pod.namespace}/{pod.name} has ended ({phase_of(pod)}), so nothing can run in it", cluster=pod.cluster
        )
    names = [[name for name, kind in containers_of(pod) if kind == wanted_kind] for wanted_kind in CONTAINERS.values()]
    if wanted is None:
        annotated = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
        if not names[0]:
            raise errors.InvalidArgument(f"pod {pod.namespace}/{pod.name} has no containers", cluster=pod.cluster)
        return str(annotated) if annotated in names[0] else names[0][0]
    if not any(wanted in group for group in names):
        raise errors.InvalidArgument(
            f"there is no container {wanted!r} in pod {pod.namespace}/{pod.name}",
            cluster=pod.cluster,
            todo=f"one of: {', '.join(name for group in names for name in group)}",
        )
    return wanted
