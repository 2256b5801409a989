"""What goes before a container: its pod's volumes, its image, its configuration; and the start itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.controllers import behaviour, containers, images
from notebook_mux.playground.controllers.kubelet import inputs, status
from notebook_mux.playground.controllers.kubelet.lives import MOUNT_LIMIT_S, MOUNT_S, BackOff, Life
from notebook_mux.playground.store import Stored

if TYPE_CHECKING:
    from notebook_mux.playground.controllers.kubelet.agent import Kubelet

Json = dict[str, Any]

PULL_S = (0.6, 2.5)
CHECK_S = (0.2, 0.6)
"""Of an image that is there, where the registry is asked all the same."""

START_S = (0.05, 0.3)
FAILED_S = (2.0, 4.0)
"""For which an error is shown before the wait for the next try is."""

ENDED_S = 1.0
"""For which a container's end is shown before the wait for its next start is."""

SYNC_S = (10.0, 13.0)
"""After which a kubelet looks again at a pod with an error, and says the same again (SyncFrequency and its jitter)."""

EPOCH = "1970-01-01T00:00:00Z"
RUNTIME = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: error during container init: exec: "{}": executable file not found in $PATH'
)


class Starting:
    """What a kubelet does until a container runs.

    Args:
        kubelet: Whose it is.
    """

    def __init__(self, kubelet: Kubelet):
        self._kubelet = kubelet
        self._present: set[tuple[str, str]] = set()

    # -------------------------------------------------------------------------------------------- its volumes

    def mount(self, stored: Stored, obj: Json, life: Life) -> None:
        """Mount a pod's volumes and make its sandbox, or say why not and try again later."""
        if "mount" in life.timers:
            return
        problems = inputs.problems_of_volumes(self._kubelet.cluster, obj)
        if not problems:
            life.mounted = True
            life.backoffs.pop("v", None)
            address = self._kubelet.new_address(stored, obj)
            obj["status"] |= {"podIP": address, "podIPs": [{"ip": address}]}
            self._kubelet.put(stored, obj)
            return
        for _, said in problems:
            self._kubelet.say(stored, life, "FailedMount", said, warning=True)
        now = self._kubelet.agenda.now()
        last = life.backoffs.get("v")
        wait = MOUNT_S if last is None else min(2 * last.seconds, MOUNT_LIMIT_S)
        life.backoffs["v"] = BackOff(wait, now)
        self._kubelet.plan(stored, life, "mount", wait, self.mount)

    # ------------------------------------------------------------------------------------------ one container

    def consider(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """Do what comes next for a container whose turn it is."""
        name = container["name"]
        now = status.statuses(obj, kind).get(name)
        if now is None:
            now = self._add(obj, kind, container)
        state = now["state"]
        if "running" in state:
            if kind == "initContainers" and status.is_sidecar(container) and self._is_over(obj):
                self._kubelet.stopping.stop_container(stored, obj, life, kind, container, "")
            else:
                self._kubelet.watching.watch(stored, obj, life, kind, container, now)
            return
        if f"start/{name}" in life.timers:
            return
        ended = state.get("terminated")
        if ended is None:
            last = (now.get("lastState") or {}).get("terminated")
            reason = (state.get("waiting") or {}).get("reason")
            since = since_epoch(last["finishedAt"]) if last and reason == "CrashLoopBackOff" else 0.0
            wait = life.remaining(f"c/{name}", since, self._kubelet.agenda.now()) if since else 0.0
            if wait:
                self._kubelet.stopping.back_off(stored, life, kind, container, wait)
            else:
                self._plan(stored, life, kind, container, 0.0)
        elif kind != "ephemeralContainers" and self._comes_again(obj, kind, container, ended):
            since = since_epoch(ended["finishedAt"])
            if life.remaining(f"c/{name}", since, self._kubelet.agenda.now()) > 0:
                self._kubelet.stopping.back_off(stored, life, kind, container, ENDED_S)
            else:
                life.next(f"c/{name}", since)
                self._plan(stored, life, kind, container, ENDED_S)

    @staticmethod
    def _add(obj: Json, kind: str, container: Json) -> Json:
        """A container's first status."""
        field = {"initContainers": "initContainerStatuses", "containers": "containerStatuses"}.get(
            kind, "ephemeralContainerStatuses"
        )
        new = containers.waiting(container, {"waiting": {"reason": "ContainerCreating"}})
        if kind == "ephemeralContainers":
            del new["started"]
        obj["status"].setdefault(field, []).append(new)
        return new

    @staticmethod
    def _is_over(obj: Json) -> bool:
        """Whether all containers of a pod have ended for good."""
        found = status.statuses(obj)
        return all(
            (ended := (found.get(one["name"]) or {}).get("state", {}).get("terminated")) is not None
            and not status.restarts(obj, one, ended["exitCode"])
            for one in obj["spec"]["containers"]
        )

    def _comes_again(self, obj: Json, kind: str, container: Json, ended: Json) -> bool:
        init = kind == "initContainers"
        if init and status.is_sidecar(container) and self._is_over(obj):
            return False
        return status.restarts(obj, container, ended["exitCode"], init=init)

    def _plan(self, stored: Stored, life: Life, kind: str, container: Json, wait: float) -> None:
        """Begin to start a container, now or later."""
        self._kubelet.plan(stored, life, f"start/{container['name']}", wait,
                           lambda now, state, live: self.pull(now, state, live, kind, container))  # fmt: skip

    # ---------------------------------------------------------------------------------------------- its image

    def pull(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """See to it that an image is there, then start its container."""
        image, name = container["image"], container["name"]
        node = stored.fields["spec.nodeName"]
        policy = container.get("imagePullPolicy", "IfNotPresent")
        if said := images.problem(image):
            said = f'Failed to apply default image tag "{image}": {said}'
            self._say(stored, life, kind, name, "InspectFailed", said, warning=True)
            self._fails(stored, obj, life, kind, container, "InvalidImageName", said)
            return
        present = (node, images.full(image)) in self._present
        if policy == "Never" and not present:
            said = f'Container image "{image}" is not present with pull policy of Never'
            self._say(stored, life, kind, name, "ErrImageNeverPull", said, warning=True)
            self._fails(stored, obj, life, kind, container, "ErrImageNeverPull", said)
            return
        if present and policy != "Always":
            said = f'Container image "{image}" already present on machine and can be accessed by the pod'
            self._say(stored, life, kind, name, "Pulled", said)
            self._kubelet.plan(stored, life, f"start/{name}", START_S,
                               lambda now, state, live: self._create(now, state, live, kind, container))  # fmt: skip
            return
        last = life.backoffs.get(f"i/{image}")
        if last is not None and life.remaining(f"i/{image}", last.since, self._kubelet.agenda.now()) > 0:
            self._image_back_off(stored, obj, life, kind, container)
            return
        self._say(stored, life, kind, name, "Pulling", f'Pulling image "{image}"')
        self._kubelet.plan(stored, life, f"start/{name}", CHECK_S if present else PULL_S,
                           lambda now, state, live: self._pulled(now, state, live, kind, container))  # fmt: skip

    def _pulled(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """The registry has answered."""
        image, name = container["image"], container["name"]
        key, now = f"i/{image}", self._kubelet.agenda.now()
        missing = behaviour.stages(obj, container).no_image
        if said := images.forced_failure(image) if missing else images.failure(image):
            self._say(stored, life, kind, name, "Failed", f'Failed to pull image "{image}": {said}', warning=True)
            self._say(stored, life, kind, name, "Failed", "Error: ErrImagePull", warning=True)
            life.next(key, now)
            life.errors[image] = said
            self._wait(stored, obj, kind, container, "ErrImagePull", said)
            self._kubelet.plan(
                stored,
                life,
                f"start/{name}",
                FAILED_S,
                lambda now, state, live: self._image_back_off(now, state, live, kind, container),
            )
            return
        self._present.add((stored.fields["spec.nodeName"], images.full(image)))
        took = f"{self._kubelet.random.uniform(0.2, 2.4):.3f}s"
        said = (
            f'Successfully pulled image "{image}" in {took} ({took} including waiting). '
            f"Image size: {images.size(image)} bytes."
        )
        self._say(stored, life, kind, name, "Pulled", said)
        self._create(stored, obj, life, kind, container)

    def _image_back_off(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """The wait before the next pull; what it is for is said again and again."""
        image, name = container["image"], container["name"]
        last, now = life.backoffs.get(f"i/{image}"), self._kubelet.agenda.now()
        left = life.remaining(f"i/{image}", last.since, now) if last is not None else 0.0
        if left <= 0:
            self.pull(stored, obj, life, kind, container)
            return
        said = f'Back-off pulling image "{image}"'
        self._say(stored, life, kind, name, "BackOff", said)
        self._say(stored, life, kind, name, "Failed", "Error: ImagePullBackOff", warning=True)
        self._wait(stored, obj, kind, container, "ImagePullBackOff",
                   f"{said}: ErrImagePull: {life.errors.get(image, '')}")  # fmt: skip
        again = min(left, self._kubelet.random.uniform(*SYNC_S))
        self._kubelet.plan(
            stored,
            life,
            f"start/{name}",
            again,
            lambda now, state, live: self._image_back_off(now, state, live, kind, container),
        )

    # ---------------------------------------------------------------------------------------------- its start

    def _create(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """Make and start a container."""
        name = container["name"]
        if said := inputs.problem_of_environment(self._kubelet.cluster, obj, container):
            self._fails(stored, obj, life, kind, container, "CreateContainerConfigError", said, event=f"Error: {said}")
            return
        self._say(stored, life, kind, name, "Created", "Container created")
        stages = behaviour.stages(obj, container)
        if stages.start_error:
            self._cannot_start(stored, obj, life, kind, container)
            return
        stamp = self._kubelet.agenda.stamp()
        now = status.statuses(obj, kind)[name]
        new = containers.running(self._kubelet.cluster, container, now, stamp)
        plain = kind == "ephemeralContainers" or (kind == "initContainers" and not status.is_sidecar(container))
        new["started"] = "startupProbe" not in container
        new["ready"] = not plain and new["started"] and "readinessProbe" not in container
        if kind == "ephemeralContainers":
            del new["started"]
        now.clear()
        now.update(new)
        self._kubelet.watching.forget(life, name)
        self._say(stored, life, kind, name, "Started", "Container started")
        self._kubelet.put(stored, obj)

    def _cannot_start(self, stored: Stored, obj: Json, life: Life, kind: str, container: Json) -> None:
        """The runtime refuses a container's command."""
        name, stamp = container["name"], self._kubelet.agenda.stamp()
        words = container.get("command") or container.get("args") or ["/docker-entrypoint.sh"]
        said = RUNTIME.format(words[0])
        self._say(stored, life, kind, name, "Failed", f"Error: {said}", warning=True)
        now = status.statuses(obj, kind)[name]
        new = containers.running(self._kubelet.cluster, container, now, stamp)
        containers.end(new, stamp, code=containers.START_ERROR, reason="StartError", message=said)
        new["state"]["terminated"]["startedAt"] = EPOCH
        if self._comes_again(obj, kind, container, new["state"]["terminated"]):
            life.next(f"c/{name}", self._kubelet.agenda.now())
            new["lastState"], new["state"] = new["state"], {"waiting": {"reason": "RunContainerError", "message": said}}
            self._kubelet.stopping.back_off(stored, life, kind, container, ENDED_S)
        now.clear()
        now.update(new)
        self._kubelet.put(stored, obj)

    # -------------------------------------------------------------------------------------------- what it says

    def _fails(
        self, stored: Stored, obj: Json, life: Life, kind: str, container: Json, reason: str, said: str, *,
        event: str = "",
    ) -> None:  # fmt: skip
        """A try has failed in a way that may be mended: it is tried again at each sync."""
        self._say(stored, life, kind, container["name"], "Failed", event or f"Error: {reason}", warning=True)
        self._wait(stored, obj, kind, container, reason, said)
        self._plan(stored, life, kind, container, self._kubelet.random.uniform(*SYNC_S))

    def _wait(self, stored: Stored, obj: Json, kind: str, container: Json, reason: str, said: str) -> None:
        now = status.statuses(obj, kind)[container["name"]]
        if ended := now["state"].get("terminated"):
            now["lastState"] = {"terminated": ended}
        now["state"] = {"waiting": {"reason": reason, "message": said}}
        self._kubelet.put(stored, obj)

    def _say(
        self, stored: Stored, life: Life, kind: str, name: str, reason: str, said: str, *, warning: bool = False
    ) -> None:
        self._kubelet.say(stored, life, reason, said, name, warning=warning, kind=kind)
