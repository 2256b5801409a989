"""Carries out what a story says, as people and machines do it: through the API's own writers, each with its manager."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from notebook_mux.playground import patches, scale, selectors
from notebook_mux.playground.apply.last_applied import ANNOTATION
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import kubelet, nodes
from notebook_mux.playground.controllers.behaviour import BEHAVIOUR
from notebook_mux.playground.controllers.parts import is_active
from notebook_mux.playground.deletes import Deleter
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.metrics.figures import LOAD
from notebook_mux.playground.paths import Target
from notebook_mux.playground.scenarios.marks import Map, Place, Seq
from notebook_mux.playground.scenarios.steps import Step
from notebook_mux.playground.scenarios.values import near, not_too_many, plain
from notebook_mux.playground.schemas.fields import STRICT, FieldValidation
from notebook_mux.playground.status import ApiError
from notebook_mux.playground.store import Stored
from notebook_mux.playground.writes import Asking, Writer

Json = dict[str, Any]
T = TypeVar("T")

APPLIER = "kubectl-client-side-apply"
CAUSE = "kubernetes.io/change-cause"
KILLED = 137

_encode = msgspec.json.Encoder(order="deterministic").encode


class Draw:
    """What is drawn for one firing of a step: by its seed, its place and its number, so it is the same each time.

    Args:
        seed: Of the story.
        path: The step's.
        number: How often it fired before.
    """

    def __init__(self, seed: str, path: str, number: int):
        self._seed = f"{seed}/{path}/{number}"

    def random(self, what: str) -> random.Random:
        """Of one thing that is drawn."""
        return random.Random(f"{self._seed}/{what}")

    def pick(self, what: str, options: Sequence[T]) -> T:
        """One of some."""
        return self.random(what).choice(options)

    def between(self, what: str, span: tuple[float, float]) -> float:
        """A number between two."""
        return span[0] if span[0] == span[1] else self.random(what).uniform(*span)

    def whole(self, what: str, span: tuple[int, int]) -> int:
        """A whole number between two, both included."""
        return self.random(what).randint(*span)


class NotThere(Exception):
    """What a step is about is not there, or is not of that kind; the text says what."""


POD_COUNTS = {"replicas", "parallelism", "completions"}
"""Fields of workloads that say how many pods there are to be."""


class Hands:
    """What acts in a cluster for a scenario.

    Args:
        cluster: Where.
        namespace: Of what names none.
        confined: Whether all namespaced things go there, whatever they name, and nothing else is touched.
    """

    def __init__(self, cluster: Cluster, namespace: str, *, confined: bool = False):
        self._cluster = cluster
        self._writer = Writer(cluster)
        self._namespace = namespace
        self._confined = confined

    # ---------------------------------------------------------------------------------------------- manifests

    def apply(self, manifest: Map) -> None:
        """As ``kubectl apply`` does; what is not of the namespace is left out where it is confined.

        Raises:
            BadScenario: The server refuses it: with its words.
        """
        obj = plain(manifest)
        kind = self._cluster.kinds.of_object(obj["apiVersion"], obj["kind"])
        if kind is None or not kind.served:
            names = sorted({one.kind for one in self._cluster.kinds if one.served})
            same = [one.api_version for one in self._cluster.kinds if one.kind == obj["kind"]]
            todo = f"its apiVersion is {' or '.join(same)}" if same else near(str(obj["kind"]), names)
            raise manifest.at("kind").wrong(f"the cluster serves no {obj['kind']} in {obj['apiVersion']}", todo=todo)
        if self._confined and not kind.namespaced:
            return
        if isinstance(spec := manifest.get("spec"), Map):
            for key in POD_COUNTS & spec.keys():
                not_too_many(spec[key], spec.at(key))
        try:
            self._apply(kind, obj)
        except ApiError as error:
            name = obj["metadata"].get("name", "")
            raise _place_of(manifest, error).wrong(
                f"the server refuses the {obj['kind']} {name!r}", said=error.message
            ) from None

    def _apply(self, kind: Kind, obj: Json) -> None:
        metadata = obj["metadata"]
        if kind.namespaced:
            metadata["namespace"] = self._namespace if self._confined else metadata.get("namespace") or self._namespace
        annotations = metadata.get("annotations")
        applied = {**obj, "metadata": {**metadata, "annotations": annotations or {}}}
        metadata["annotations"] = {**(annotations or {}), ANNOTATION: _encode(applied).decode() + "\n"}
        asking = self._asking(APPLIER)
        new = asking.fields.body(kind, "application/json", msgspec.json.encode(obj))
        target = Target(kind, metadata.get("namespace", ""), metadata.get("name", ""))
        there = self._cluster.get(kind.resource, target.namespace, target.name)
        if there is None:
            self._writer.create(Target(kind, target.namespace), new, asking)
            return
        said = ((there["metadata"].get("annotations") or {}).get(ANNOTATION)) or "{}"
        patch = _with_removals(obj, msgspec.json.decode(said))
        media = patches.MERGE if kind.custom else patches.STRATEGIC
        self._writer.patch(target, media, msgspec.json.encode(patch), asking)

    # -------------------------------------------------------------------------------------------------- steps

    def carry_out(self, step: Step, draw: Draw) -> None:
        """Do what a step says.

        Raises:
            BadScenario: The server refuses a manifest.
            NotThere: What it is about is not there.
            ApiError: The server refuses a change.
        """
        if step.verb == "apply":
            for manifest in step.fields["manifests"]:
                self.apply(manifest)
            return
        if self._confined and step.verb in ("fail-node", "heal-node"):
            return
        DOING[step.verb](self, step.fields, draw)

    def _asking(self, manager: str) -> Asking:
        warnings: list[str] = []
        fields = FieldValidation(self._cluster.schemas, STRICT, warnings)
        return Asking(manager, warnings=warnings, fields=fields)

    def _kind(self, word: str) -> Kind:
        name = word.lower()
        for kind in self._cluster.kinds:
            if kind.served and name in (
                kind.plural,
                kind.singular,
                kind.kind.lower(),
                kind.resource,
                *kind.short_names,
            ):
                return self._cluster.kind(kind.resource)
        raise NotThere(f"the cluster serves no kind {word!r}")

    def _where(self, kind: Kind, fields: Mapping[str, Any]) -> str:
        if not kind.namespaced:
            if self._confined:
                raise NotThere(f"{kind.plural} are of the whole cluster")
            return ""
        return self._namespace if self._confined else str(fields.get("namespace") or self._namespace)

    def _one(self, fields: Mapping[str, Any], draw: Draw) -> Stored:
        word, _, name = draw.pick("target", fields["target"]).partition("/")
        kind = self._kind(word)
        namespace = self._where(kind, fields)
        found = self._cluster.store.get(kind.resource, namespace, name)
        if found is None:
            raise NotThere(f"there is no {kind.singular} {name!r}" + (f" in {namespace}" if namespace else ""))
        return found

    def _some(self, fields: Mapping[str, Any], draw: Draw) -> list[Stored]:
        """The object that is named, or some of those that are selected."""
        if "selector" not in fields:
            return [self._one(fields, draw)]
        kind = self._kind(draw.pick("target", fields["target"]))
        matches = selectors.labels(fields["selector"])
        there = self._cluster.store.items(kind.resource, self._where(kind, fields))
        counts = is_active if kind.resource == "pods" else lambda one: not one.deleting
        found = [one for one in there if matches(one.labels) and counts(one)]
        if not found:
            raise NotThere(f"no {kind.plural} are selected by {fields['selector']}")
        count = draw.whole("count", fields.get("count", (1, 1)))
        return sorted(draw.random("which").sample(found, min(count, len(found))), key=lambda one: one.key)

    def _patch(self, stored: Stored, patch: Json, manager: str, media: str = patches.STRATEGIC) -> None:
        if stored.kind.custom:
            media = patches.MERGE
        target = Target(stored.kind, *stored.key)
        self._writer.patch(target, media, msgspec.json.encode(patch), self._asking(manager))

    def _patched(self, fields: Mapping[str, Any], draw: Draw) -> None:
        media = patches.MERGE if fields.get("type") == "merge" else patches.STRATEGIC
        self._patch(self._one(fields, draw), plain(fields["patch"]), "kubectl-patch", media)

    def _scale(self, fields: Mapping[str, Any], draw: Draw) -> None:
        stored = self._one(fields, draw)
        if "scale" not in stored.kind.subresources:
            raise NotThere(f"a {stored.kind.singular} cannot be scaled")
        body = msgspec.json.encode({"spec": {"replicas": draw.whole("replicas", fields["replicas"])}})
        target = Target(stored.kind, *stored.key, "scale")
        scale.change(self._writer, target, patches.MERGE, body, self._asking("kubectl"), patch=True)

    def _set_image(self, fields: Mapping[str, Any], draw: Draw) -> None:
        stored = self._one(fields, draw)
        containers = _template(stored)["spec"]["containers"]
        name = fields.get("container") or containers[0]["name"]
        if name not in [one["name"] for one in containers]:
            raise NotThere(f"{stored.kind.singular} {stored.name!r} has no container {name!r}")
        image = draw.pick("image", fields["image"])
        spec = {"template": {"spec": {"containers": [{"name": name, "image": image}]}}}
        cause = {"metadata": {"annotations": {CAUSE: fields["cause"]}}} if "cause" in fields else {}
        self._patch(stored, {"spec": spec, **cause}, "kubectl-set")

    def _delete(self, fields: Mapping[str, Any], draw: Draw) -> None:
        options = {"gracePeriodSeconds": int(fields["grace"])} if "grace" in fields else {}
        for stored in self._some(fields, draw):
            Deleter(self._cluster).delete(Target(stored.kind, *stored.key), dict(options))

    def _kill(self, fields: Mapping[str, Any], draw: Draw) -> None:
        for stored in self._some(fields, draw):
            if stored.kind.resource != "pods":
                raise NotThere(f"a {stored.kind.singular} has no containers")
            name = fields.get("container") or stored.decode()["spec"]["containers"][0]["name"]
            kubelet.kill(self._cluster, *stored.key, name, fields.get("code", KILLED), reason=fields.get("reason", ""))

    def _fail(self, fields: Mapping[str, Any], draw: Draw) -> None:
        nodes.stop(self._cluster, self._node(fields, draw), grace=fields.get("grace"))

    def _heal(self, fields: Mapping[str, Any], draw: Draw) -> None:
        nodes.resume(self._cluster, self._node(fields, draw))

    def _node(self, fields: Mapping[str, Any], draw: Draw) -> str:
        name: str = draw.pick("node", fields["node"])
        if self._cluster.store.get("nodes", "", name) is None:
            raise NotThere(f"there is no node {name!r}")
        return name

    def _load(self, fields: Mapping[str, Any], draw: Draw) -> None:
        annotations = {LOAD: draw.pick("cpu", fields["cpu"])}
        self._patch(self._one(fields, draw), {"metadata": {"annotations": annotations}}, "load-test")

    def _behave(self, fields: Mapping[str, Any], draw: Draw) -> None:
        if "image" in fields:
            kubelet.declare(self._cluster, fields["image"], fields["does"])
            return
        stored = self._one(fields, draw)
        key = f"{BEHAVIOUR}.{fields['container']}" if "container" in fields else BEHAVIOUR
        change: Json = {"metadata": {"annotations": {key: fields["does"] or None}}}
        if stored.kind.resource != "pods":
            _template(stored)
            change = {"spec": {"template": change}}
        self._patch(stored, change, "kubectl-edit")


DOING: Mapping[str, Callable[[Hands, Mapping[str, Any], Draw], None]] = {
    "patch": Hands._patched,
    "scale": Hands._scale,
    "set-image": Hands._set_image,
    "delete": Hands._delete,
    "kill-container": Hands._kill,
    "fail-node": Hands._fail,
    "heal-node": Hands._heal,
    "load": Hands._load,
    "behaviour": Hands._behave,
}


def attempt(hands: Hands, step: Step, draw: Draw) -> None:
    """Do what a step says.

    Raises:
        BadScenario: It cannot be done: with the step's line, and the server's words.
    """
    try:
        hands.carry_out(step, draw)
    except NotThere as error:
        raise step.place.wrong(f"{step.verb}: {error}") from None
    except ApiError as error:
        raise step.place.wrong(f"{step.verb}: the server refuses it", said=error.message) from None


def _template(stored: Stored) -> Json:
    template = (stored.part("spec") or {}).get("template")
    if not isinstance(template, dict):
        raise NotThere(f"a {stored.kind.singular} has no template of pods")
    return template


def _with_removals(new: Any, before: Any) -> Any:
    """What was applied now, and null for each key that the apply before it had and this one has not."""
    if not isinstance(new, dict) or not isinstance(before, dict):
        return new
    gone = dict.fromkeys(sorted(before.keys() - new.keys()))
    return {**{key: _with_removals(value, before.get(key)) for key, value in new.items()}, **gone}


def _place_of(manifest: Map, error: ApiError) -> Place:
    """The line of the field that a server's refusal speaks of; the manifest's first where that is not known."""
    causes = (error.details or {}).get("causes") or ()
    path = str(causes[0].get("field", "")) if causes else ""
    at: Any = manifest
    place = manifest.place
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(at, Map) and part in at:
            place, at = at.at(part), at[part]
        elif isinstance(at, Seq) and part.isdigit() and int(part) < len(at):
            place, at = at.places[int(part)], at[int(part)]
        else:
            break
    return place
