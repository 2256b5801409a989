"""Volumes: free, bound, released; and what then becomes of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.admission.storage import CLAIMS, FINALIZERS, VOLUMES
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.controllers.parts import MANAGER, add_to_status
from notebook_mux.playground.controllers.volumes import provisioning
from notebook_mux.playground.history import Change
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

COMPONENT = "persistentvolume-controller"
REMOVABLE = "/tmp/"  # noqa: S108 (what a volume says, nothing is written there)
"""The only folder in which a volume on a node's disk that was made by hand is emptied for its class."""


class Volumes(Controller):
    """The controller of volumes."""

    watches = (VOLUMES, CLAIMS)

    def keys(self, change: Change) -> Iterable[Key]:
        """A volume's own key, a claim's volume's."""
        if change.new.kind.resource == VOLUMES:
            return (change.new.key,)
        name = change.new.decode()["spec"].get("volumeName")
        return (("", name),) if name else ()

    def sync(self, key: Key) -> None:
        """Set a volume's phase; delete it when it is to go with its claim."""
        stored = self.store.get(VOLUMES, *key)
        if stored is None:
            return
        volume = stored.decode()
        phase = self._phase(volume)
        if stored.deleting:
            if phase != "Bound":
                self._let_go(stored, volume)
            return
        if phase != (volume.get("status") or {}).get("phase"):
            stamp = self.agenda.stamp()
            told = {"phase": phase, "lastPhaseTransitionTime": stamp}
            self.cluster.update(VOLUMES, *key, lambda obj: add_to_status(obj, MANAGER, stamp, told))
        if phase == "Released":
            self._reclaim(stored, volume)

    def _phase(self, volume: Json) -> str:
        ref = volume["spec"].get("claimRef") or {}
        if not ref.get("uid"):
            return "Available"
        claim = self.store.get(CLAIMS, ref.get("namespace", ""), ref.get("name", ""))
        if claim is None or claim.uid != ref["uid"]:
            return "Failed" if (volume.get("status") or {}).get("phase") == "Failed" else "Released"
        bound = claim.decode()["spec"].get("volumeName") == volume["metadata"]["name"]
        return "Bound" if bound else str((volume.get("status") or {}).get("phase", "Pending"))

    def _reclaim(self, stored: Stored, volume: Json) -> None:
        if volume["spec"].get("persistentVolumeReclaimPolicy") != "Delete":
            return
        made = (volume["metadata"].get("annotations") or {}).get(provisioning.BY)
        path = str((volume["spec"].get("hostPath") or {}).get("path", ""))
        if made in provisioning.KNOWN or path.startswith(REMOVABLE):
            self._let_go(stored, volume)
        elif made is None and path and (volume.get("status") or {}).get("phase") != "Failed":
            said = f"host_path deleter only supports {REMOVABLE}.+ but received provided {path}"
            stamp = self.agenda.stamp()
            told = {"phase": "Failed", "message": said, "lastPhaseTransitionTime": stamp}
            self.cluster.update(VOLUMES, *stored.key, lambda obj: add_to_status(obj, MANAGER, stamp, told))
            self.recorder.event(stored, "VolumeFailedDelete", said, component=COMPONENT, warning=True)

    def _let_go(self, stored: Stored, volume: Json) -> None:
        finalizers = volume["metadata"].get("finalizers") or []
        left = [one for one in finalizers if one != FINALIZERS[VOLUMES]]
        if left == finalizers:
            return
        if left:
            self.cluster.update(VOLUMES, *stored.key, lambda obj: obj["metadata"].update(finalizers=left))
        else:
            self.cluster.remove(VOLUMES, *stored.key)
