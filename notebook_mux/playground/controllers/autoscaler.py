"""Horizontal pod autoscalers, on the figures of the metrics API.

The steps, the words and the order of the conditions are those of kubernetes/pkg/controller/podautoscaler: `autoscaling`
has the sums (how many replicas a metric asks for) and `scaling_rules` what holds them up (windows, policies, limits).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.controllers import autoscaling, scaling_rules
from notebook_mux.playground.controllers.autoscaling import NoReplicas, Proposal
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, set_condition, set_status
from notebook_mux.playground.controllers.scaling_rules import History
from notebook_mux.playground.history import Change
from notebook_mux.playground.selectors import selector_of
from notebook_mux.playground.store import Key, Stored
from notebook_mux.printers.common import selector_text

Json = dict[str, Any]

KIND = "horizontalpodautoscalers.autoscaling"
PERIOD_S = 15.0
"""The controller's own period (--horizontal-pod-autoscaler-sync-period)."""

COMPONENT = "horizontal-pod-autoscaler"
GOT_SCALE = "the HPA controller was able to get the target's current scale"
NO_SCALE = "the HPA controller was unable to get the target's current scale: "
OFF = "scaling is disabled since the replica count of the target is zero"
NO_SELECTOR = "the HPA target's scale is missing a selector"
NOT_ZERO = "the HPA controller did not scale the workload to zero"


@dataclass(slots=True)
class _Round:
    """One look at an autoscaler: what will be written.

    Attributes:
        stored: The autoscaler.
        spec: Its spec.
        status: The status, as it becomes.
        stamp: Now.
    """

    stored: Stored
    spec: Json
    status: Json
    stamp: str
    metrics: list[Json] = field(default_factory=list)

    def set(self, kind: str, value: bool, reason: str, message: str) -> None:
        """Set a condition."""
        set_condition(self.status, kind, value, self.stamp, reason=reason, message=message)


class Autoscaler(Controller):
    """The controller of autoscalers."""

    watches = (KIND,)

    def start(self) -> None:
        """Look at all of them every period."""
        self._histories: dict[str, History] = {}
        super().start()
        self.agenda.every(PERIOD_S, lambda: self.mark(*[one.key for one in self.store.items(KIND)]))

    def keys(self, change: Change) -> tuple[Key, ...]:
        """A new one's; from then on only the period counts."""
        if change.type == "DELETED":
            self._histories.pop(change.new.uid, None)
        return (change.new.key,) if change.type == "ADDED" else ()

    def sync(self, key: Key) -> None:
        """See what its target needs, scale it, and tell."""
        stored = self.store.get(KIND, *key)
        if stored is None or stored.deleting:
            return
        obj = stored.decode()
        before = obj.get("status") or {}
        status = {"conditions": [dict(one) for one in before.get("conditions") or ()]}
        look = _Round(stored, obj["spec"], status, self.agenda.stamp())
        target = self._target(look)
        if target is None:
            self._write(key, {**before, **look.status}, None)
            return
        current = int(target.decode()["spec"].get("replicas", 1))
        wanted = self._wanted(look, target, current)
        if wanted is None:
            self._write(key, self._numbers(look, before, current, int(before.get("desiredReplicas", 0))), None)
            return
        rescaled = wanted != current
        self._write(key, self._numbers(look, before, current, wanted), look.stamp if rescaled else None)

    # ---------------------------------------------------------------------------------------------- its target

    def _target(self, look: _Round) -> Stored | None:
        """The object that is scaled; None where there is none, which is told."""
        reference = look.spec["scaleTargetRef"]
        kind = self.cluster.kinds.of_object(reference.get("apiVersion", ""), reference["kind"])
        name = reference["name"]
        if kind is None:
            group = reference.get("apiVersion", "").rpartition("/")[0]
            said = f'no matches for kind "{reference["kind"]}" in group "{group}"'
        elif "scale" not in kind.subresources:
            said = "the server could not find the requested resource"
        else:
            found = self.store.get(kind.resource, look.stored.namespace, name)
            if found is not None:
                look.set("AbleToScale", True, "SucceededGetScale", GOT_SCALE)
                return found
            said = f'{kind.resource} "{name}" not found'
        self._say(look, "FailedGetScale", said, warning=True)
        look.set("AbleToScale", False, "FailedGetScale", NO_SCALE + said)
        return None

    def _wanted(self, look: _Round, target: Stored, current: int) -> int | None:
        """How many replicas the target is to have, which it then gets; None where that cannot be found out."""
        least, most = int(look.spec.get("minReplicas", 1)), int(look.spec["maxReplicas"])
        history = self._histories.setdefault(look.stored.uid, History())
        if not history.recommendations:
            history.recommendations.append((self.agenda.now(), current))
        if current == 0:
            look.set("ScalingActive", False, "ScalingDisabled", OFF)
            return 0
        if current > most:
            wanted, reason = most, "Current number of replicas above Spec.MaxReplicas"
        elif current < least:
            wanted, reason = least, "Current number of replicas below Spec.MinReplicas"
        else:
            proposal = self._propose(look, target, current)
            if proposal is None:
                return None
            reason = f"{proposal.metric} above target" if proposal.replicas > current else "All metrics below target"
            wanted = self._normalise(look, history, current, proposal.replicas)
        if wanted != current:
            self._rescale(look, history, target, current, wanted, reason)
        return wanted

    def _rescale(
        self, look: _Round, history: History, target: Stored, current: int, wanted: int, reason: str
    ) -> None:  # fmt: skip
        self.cluster.update(target.kind.resource, *target.key, lambda obj: obj["spec"].update(replicas=wanted))
        said = f"the HPA controller was able to update the target scale to {wanted}"
        look.set("AbleToScale", True, "SucceededRescale", said)
        look.set("ScaledToZero", False, "NotScaledToZero", NOT_ZERO)
        self._say(look, "SuccessfulRescale", f"New size: {wanted}; reason: {reason}")
        history.scaled(self.agenda.now(), current, wanted, look.spec.get("behavior"))

    # -------------------------------------------------------------------------------------------- what it needs

    def _propose(self, look: _Round, target: Stored, current: int) -> Proposal | None:
        """The most that any metric asks for; None where none can be read, or one that might forbid to shrink."""
        selector = selector_of(target.kind, target.decode()["spec"])
        if not selector or not selector_text(selector):
            self._say(look, "SelectorRequired", "selector is required", warning=True)
            look.set("ScalingActive", False, "InvalidSelector", NO_SELECTOR)
            self._fail(look, "selector is required")
            return None
        group = autoscaling.Group(self.cluster, look.stored.namespace, selector, self.agenda.now())
        metrics = look.spec.get("metrics") or []
        best: Proposal | None = None
        failures: list[NoReplicas] = []
        for metric in metrics:
            try:
                found = autoscaling.propose(group, metric, current, look.spec.get("behavior"))
            except NoReplicas as failure:
                self._say(look, failure.reason, str(failure), warning=True)
                failures.append(failure)
                look.metrics.append({"type": ""})
                continue
            look.metrics.append(found.status)
            if best is None or found.replicas > best.replicas:
                best = found
        if best is None or (failures and best.replicas < current):
            first = failures[0]
            look.set("ScalingActive", False, first.reason, f"the HPA was unable to compute the replica count: {first}")
            self._fail(look, f"invalid metrics ({len(failures)} invalid out of {len(metrics)}), first error is: "
                             f"{first.whole}")  # fmt: skip
            return None
        said = f"the HPA was able to successfully calculate a replica count from {best.metric}"
        look.set("ScalingActive", True, "ValidMetricFound", said)
        return best

    def _normalise(self, look: _Round, history: History, current: int, proposed: int) -> int:
        """What its limits, windows and policies make of a proposal."""
        limits = scaling_rules.Limits(current, int(look.spec.get("minReplicas", 1)), int(look.spec["maxReplicas"]))
        found = scaling_rules.normalise(history, self.agenda.now(), limits, proposed, look.spec.get("behavior"))
        look.set("AbleToScale", True, *found.able)
        look.set("ScalingLimited", found.limited, *found.why)
        return found.replicas

    # --------------------------------------------------------------------------------------------- what it says

    def _fail(self, look: _Round, said: str) -> None:
        self._say(look, "FailedComputeMetricsReplicas", said, warning=True)

    def _say(self, look: _Round, reason: str, said: str, *, warning: bool = False) -> None:
        self.recorder.event(look.stored, reason, said, component=COMPONENT, warning=warning)

    @staticmethod
    def _numbers(look: _Round, before: Json, current: int, wanted: int) -> Json:
        kept = {"lastScaleTime": before["lastScaleTime"]} if "lastScaleTime" in before else {}
        metrics = look.metrics or None
        if current:
            kept["currentReplicas"] = current
        return {**kept, "desiredReplicas": wanted, "currentMetrics": metrics, **look.status}

    def _write(self, key: Key, status: Json, scaled: str | None) -> None:
        def change(obj: Json) -> None:
            found = dict(status)
            if scaled:
                found["lastScaleTime"] = scaled
            if "desiredReplicas" in found:
                found["observedGeneration"] = obj["metadata"].get("generation", 1)
            set_status(obj, MANAGER, self.agenda.stamp(), found)

        self.cluster.update(KIND, *key, change)
