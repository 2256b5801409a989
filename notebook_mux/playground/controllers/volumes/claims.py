"""Claims on volumes: each gets one that is there, or has one made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from notebook_mux.playground.admission.storage import CLAIMS, CLASSES, FINALIZERS, VOLUMES, class_of, default_class
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, add_to_status, condition
from notebook_mux.playground.controllers.scheduling.binding import reference
from notebook_mux.playground.controllers.volumes import provisioning
from notebook_mux.playground.controllers.volumes.matching import (
    BOUND,
    BY_CONTROLLER,
    NO_PROVISIONER,
    SELECTED_NODE,
    WAITS,
    find,
    fits,
    is_for,
    size_of,
)
from notebook_mux.playground.history import Change
from notebook_mux.playground.quantities import known
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

COMPONENT = "persistentvolume-controller"
AGAIN_S = 15.0
"""A claim that waits is looked at again, and says so again, after so long (PVClaimBinderSyncPeriod)."""

USED = ("PodUsingPVC", "A pod is currently referencing this PVC")
UNUSED = ("NoPodsUsingPVC", "No pods are currently referencing this PVC")
RESIZE_S = (1.0, 3.0)
PROVISIONERS = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")


class Claims(Controller):
    """The controller that binds claims."""

    watches = (CLAIMS, VOLUMES, CLASSES, "pods")

    def start(self) -> None:
        """Begin with nothing being made."""
        self._making: set[str] = set()
        self._said: dict[Key, tuple[str, float]] = {}
        super().start()

    def keys(self, change: Change) -> Iterable[Key]:
        """A claim's own key; a volume's, a class's, a pod's claims that wait for them."""
        resource = change.new.kind.resource
        if resource == CLAIMS:
            return (change.new.key,)
        if resource == "pods":
            same = change.old is not None and change.old.fields["status.phase"] == change.new.fields["status.phase"]
            if (change.type == "MODIFIED" and same) or not self.store.count(CLAIMS):
                return ()
            claims = self.store.items(CLAIMS, change.new.namespace)
            return [one.key for one in claims if one.deleting or self._is_bound(one)]
        return [one.key for one in self.store.items(CLAIMS) if resource == VOLUMES or not self._is_bound(one)]

    @staticmethod
    def _is_bound(stored: Stored) -> bool:
        return (stored.content.get("status") or {}).get("phase") == "Bound"

    def sync(self, key: Key) -> None:
        """Bring a claim one step nearer to its volume, or out of the world."""
        stored = self.store.get(CLAIMS, *key)
        if stored is None:
            return
        claim = stored.decode()
        if stored.deleting:
            self._release(stored, claim)
        elif BOUND in (claim["metadata"].get("annotations") or {}):
            self._check(stored, claim)
        else:
            self._seek(stored, claim)

    # -------------------------------------------------------------------------------------------- without a volume

    def _seek(self, stored: Stored, claim: Json) -> None:
        name = claim["spec"].get("volumeName")
        if name:
            volume = self.cluster.get(VOLUMES, "", name)
            if volume is not None and (is_for(volume, claim) or "claimRef" not in volume["spec"]):
                self._bind(stored, claim, volume, chosen=False)
            return
        volumes = [one.decode() for one in self.store.items(VOLUMES)]
        own = next((one for one in volumes if is_for(one, claim)), None)
        if own is not None:
            if not fits_own(own, claim):
                return
            self._bind(stored, claim, own, chosen=True)
            return
        named = class_of(claim)
        found = self.cluster.get(CLASSES, "", named) if named else None
        waits = (found or {}).get("volumeBindingMode") == WAITS
        if not waits and (volume := find(claim, volumes)) is not None:
            self._bind(stored, claim, volume, chosen=True)
        elif named is None and (default := default_class(self.cluster)) is not None:
            self.cluster.update(CLAIMS, *stored.key, lambda obj: obj["spec"].update(storageClassName=default))
        elif waits and SELECTED_NODE not in (claim["metadata"].get("annotations") or {}):
            self._say_whom_it_waits_for(stored)
        elif named and found is None:
            said = f'storageclass.storage.k8s.io "{named}" not found'
            self._say(stored, "ProvisioningFailed", said, warning=True)
        elif found is not None:
            self._provision(stored, claim, found)
        else:
            self._say(stored, "FailedBinding",
                      "no persistent volumes available for this claim and no storage class is set")  # fmt: skip

    def _say(self, stored: Stored, reason: str, said: str, *, warning: bool = False) -> None:
        """Say why a claim waits, now and whenever it is looked at again."""
        now = self.agenda.now()
        before, until = self._said.get(stored.key, ("", 0.0))
        if before == reason and until > now:
            return
        self._said[stored.key] = reason, now + AGAIN_S
        self.recorder.event(stored, reason, said, component=COMPONENT, warning=warning)
        self.later(AGAIN_S, stored.key)

    def _say_whom_it_waits_for(self, stored: Stored) -> None:
        users = sorted(self._users(stored, scheduled=False))
        if not users:
            self._say(stored, "WaitForFirstConsumer", "waiting for first consumer to be created before binding")
            return
        which = f"pod {users[0]}" if len(users) == 1 else f"pods {','.join(users)}"
        self._say(stored, "WaitForPodScheduled", f"waiting for {which} to be scheduled")

    def _users(self, stored: Stored, *, scheduled: bool | None) -> list[str]:
        """The pods that use a claim and have a node, or none; where that does not matter, all that live."""
        found = []
        for pod in self.store.items("pods", stored.namespace):
            if scheduled is None:
                counts = pod.fields["status.phase"] not in ("Succeeded", "Failed")
            else:
                counts = bool(pod.fields["spec.nodeName"]) == scheduled
            if not counts or b'"claimName"' not in pod.body:
                continue
            volumes = pod.content["spec"].get("volumes") or ()
            names = [(one.get("persistentVolumeClaim") or {}).get("claimName") for one in volumes]
            if stored.name in names:
                found.append(pod.name)
        return found

    def _provision(self, stored: Stored, claim: Json, found: Json) -> None:
        provisioner = found.get("provisioner", NO_PROVISIONER)
        if provisioner == NO_PROVISIONER:
            return
        annotations = claim["metadata"].get("annotations") or {}
        if any(annotations.get(key) != provisioner for key in PROVISIONERS):
            self.cluster.update(CLAIMS, *stored.key, lambda obj: obj["metadata"].setdefault("annotations", {}).update(
                dict.fromkeys(PROVISIONERS, provisioner)))  # fmt: skip
        said = (
            f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the "
            "system administrator. If volume creation is delayed, please verify that the provisioner is running and "
            "correctly registered."
        )
        self._say(stored, "ExternalProvisioning", said)
        if provisioner in provisioning.KNOWN and stored.uid not in self._making:
            self._making.add(stored.uid)
            component = provisioning.component(provisioner)
            said = f'External provisioner is provisioning volume for claim "{stored.namespace}/{stored.name}"'
            self.recorder.event(stored, "Provisioning", said, component=component)
            self.agenda.after(self.random.uniform(*provisioning.TAKES_S), lambda: self._made(stored, found))

    def _made(self, stored: Stored, found: Json) -> None:
        self._making.discard(stored.uid)
        now = self.store.get(CLAIMS, *stored.key)
        if now is None or now.uid != stored.uid or now.deleting:
            return
        volume = provisioning.make(self.cluster, now.decode(), found)
        said = f"Successfully provisioned volume {volume.name}"
        component = provisioning.component(found["provisioner"])
        self.recorder.event(now, "ProvisioningSucceeded", said, component=component)

    # ------------------------------------------------------------------------------------------------- with a volume

    def _bind(self, stored: Stored, claim: Json, volume: Json, *, chosen: bool) -> None:
        name = volume["metadata"]["name"]
        by_us = "claimRef" not in volume["spec"]

        def take(obj: Json) -> None:
            if not (obj["spec"].get("claimRef") or {}).get("uid"):
                obj["spec"]["claimRef"] = reference(claim)
            if by_us:
                obj["metadata"].setdefault("annotations", {})[BY_CONTROLLER] = "yes"

        def get(obj: Json) -> None:
            annotations = obj["metadata"].setdefault("annotations", {})
            annotations[BOUND] = "yes"
            if chosen:
                annotations[BY_CONTROLLER] = "yes"
            obj["spec"]["volumeName"] = name
            self._tell(obj, volume)

        self.cluster.update(VOLUMES, "", name, take)
        self.cluster.update(CLAIMS, *stored.key, get)
        self._said.pop(stored.key, None)

    def _tell(self, claim: Json, volume: Json) -> None:
        spec = volume["spec"]
        status: Json = {"phase": "Bound", "accessModes": spec.get("accessModes"), "capacity": spec.get("capacity")}
        add_to_status(claim, MANAGER, self.agenda.stamp(), status)

    def _check(self, stored: Stored, claim: Json) -> None:
        """A bound claim loses its volume when that goes, and grows with it."""
        volume = self.cluster.get(VOLUMES, "", claim["spec"].get("volumeName", ""))
        phase = (claim.get("status") or {}).get("phase")
        if volume is None or not is_for(volume, claim):
            if phase != "Lost":
                self._lose(stored)
            return
        if phase != "Bound":
            self.cluster.update(CLAIMS, *stored.key, lambda obj: self._tell(obj, volume))
        elif size_of(claim) > known((claim["status"].get("capacity") or {}).get("storage")).value:
            self._grow(stored, claim, volume)

        self._tell_use(stored, claim)

    def _tell_use(self, stored: Stored, claim: Json) -> None:
        """A bound claim says since when no pod uses it (feature gate PersistentVolumeClaimUnusedSinceTime)."""
        used = bool(self._users(stored, scheduled=None))
        before = condition((claim.get("status") or {}).get("conditions"), "Unused")
        if before and before["status"] == str(not used):
            return
        reason, message = USED if used else UNUSED
        told = {"type": "Unused", "status": str(not used), "lastProbeTime": None,
                "lastTransitionTime": self.agenda.stamp(), "reason": reason, "message": message}  # fmt: skip

        def change(obj: Json) -> None:
            others = [one for one in obj["status"].get("conditions") or () if one["type"] != "Unused"]
            add_to_status(obj, MANAGER, self.agenda.stamp(), {"conditions": [*others, told]})

        self.cluster.update(CLAIMS, *stored.key, change)

    def _lose(self, stored: Stored) -> None:
        def change(obj: Json) -> None:
            status = obj.setdefault("status", {})
            status["phase"] = "Lost"
            for name in ("accessModes", "capacity"):
                status.pop(name, None)

        self.cluster.update(CLAIMS, *stored.key, change)
        said = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        self.recorder.event(stored, "ClaimLost", said, component=COMPONENT, warning=True)

    def _grow(self, stored: Stored, claim: Json, volume: Json) -> None:
        name = volume["metadata"]["name"]
        if stored.uid in self._making or volume["metadata"].get("annotations", {}).get(
                provisioning.BY) not in provisioning.KNOWN:  # fmt: skip
            return
        self._making.add(stored.uid)
        size = claim["spec"]["resources"]["requests"]["storage"]
        resizer = provisioning.component(volume["metadata"]["annotations"][provisioning.BY])
        self.recorder.event(stored, "Resizing", f"External resizer is resizing volume {name}", component=resizer)

        def done() -> None:
            self._making.discard(stored.uid)
            self.cluster.update(VOLUMES, "", name, lambda obj: obj["spec"]["capacity"].update(storage=size))
            self.cluster.update(CLAIMS, *stored.key, self._resized(size))
            said = f"MountVolume.NodeExpandVolume succeeded for volume {name}"
            self.recorder.event(stored, "FileSystemResizeSuccessful", said, component="kubelet")

        self.agenda.after(self.random.uniform(*RESIZE_S), done)

    def _resized(self, size: str) -> Callable[[Json], None]:
        def change(obj: Json) -> None:
            capacity = {**(obj["status"].get("capacity") or {}), "storage": size}
            add_to_status(obj, MANAGER, self.agenda.stamp(), {"capacity": capacity})

        return change

    # ------------------------------------------------------------------------------------------------------- the end

    def _release(self, stored: Stored, claim: Json) -> None:
        """Let a claim go that is being deleted, as soon as no pod that has a node uses it."""
        finalizers = claim["metadata"].get("finalizers") or []
        if FINALIZERS[CLAIMS] not in finalizers:
            return
        if self._users(stored, scheduled=True):
            return
        left = [one for one in finalizers if one != FINALIZERS[CLAIMS]]
        if left:
            self.cluster.update(CLAIMS, *stored.key, lambda obj: obj["metadata"].update(finalizers=left))
        else:
            self.cluster.remove(CLAIMS, *stored.key)


def fits_own(volume: Json, claim: Json) -> bool:
    """Whether a volume that names a claim can be its: the claim's wishes count as for any other."""
    without = {**volume, "spec": {**volume["spec"]}}
    without["spec"].pop("claimRef", None)
    return fits(without, claim)
