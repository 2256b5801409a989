"""Where a server runs: the container of a pod, and what it can know of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.stories.commands import image_name
from notebook_mux.playground.web.volumes import Volumes

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A running container.

    Args:
        cluster: Whose.
        pod: The pod.
        container: Of its spec.
        number: How often it was started before.
    """

    cluster: Cluster
    pod: Json
    container: Json
    number: int = 0

    @property
    def name(self) -> str:
        """The pod's name, which is its host name."""
        return str(self.pod["spec"].get("hostname") or self.pod["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The pod's namespace."""
        return str(self.pod["metadata"]["namespace"])

    @property
    def address(self) -> str:
        """The pod's address."""
        return str((self.pod.get("status") or {}).get("podIP", ""))

    @property
    def started(self) -> float:
        """When the container was started, Unix seconds; when its pod was made where it was not."""
        statuses = (self.pod.get("status") or {}).get("containerStatuses") or ()
        own: Json = next((one for one in statuses if one["name"] == self.container["name"]), {})
        running = (own.get("state") or {}).get("running") or {}
        return since_epoch(running.get("startedAt") or self.pod["metadata"]["creationTimestamp"])

    @property
    def image(self) -> str:
        """The last part of the image's name, without a tag."""
        return image_name(self.container.get("image", ""))

    @property
    def tag(self) -> str:
        """The image's tag."""
        return str(self.container.get("image", "")).partition("@")[0].rpartition("/")[2].partition(":")[2] or "latest"

    @cached_property
    def words(self) -> list[str]:
        """Its command and arguments."""
        return [str(one) for one in (*(self.container.get("command") or ()), *(self.container.get("args") or ()))]

    @cached_property
    def env(self) -> dict[str, str]:
        """Its environment, as far as it stands in its spec and in the pod."""
        found = {}
        for one in self.container.get("env") or ():
            if "value" in one:
                found[one["name"]] = str(one["value"])
            elif (path := (one.get("valueFrom") or {}).get("fieldRef", {}).get("fieldPath")) in FIELDS:
                found[one["name"]] = str(FIELDS[path](self.pod))
        return found

    @cached_property
    def volumes(self) -> Volumes:
        """What is mounted."""
        return Volumes(self.cluster, self.pod, self.container)

    @property
    def declared(self) -> list[int]:
        """The TCP ports that the container names."""
        ports = self.container.get("ports") or ()
        return [int(one["containerPort"]) for one in ports if one.get("protocol", "TCP") == "TCP"]

    def option(self, *names: str) -> str | None:
        """The value of the last of some options: ``-p 80``, ``-p=80``, ``--port 80``. None if there is none."""
        found = None
        for at, word in enumerate(self.words):
            name, equals, value = word.partition("=")
            if name in names:
                found = value if equals else next(iter(self.words[at + 1 : at + 2]), "")
        return found

    def version(self, usual: str) -> str:
        """The program's version by the image's tag, three numbers; the usual one where the tag tells none."""
        match = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", self.tag)
        return f"{match[1]}.{match[2]}.{match[3] or 0}" if match else usual


FIELDS: dict[str | None, Any] = {
    "metadata.name": lambda pod: pod["metadata"]["name"],
    "metadata.namespace": lambda pod: pod["metadata"]["namespace"],
    "metadata.uid": lambda pod: pod["metadata"]["uid"],
    "spec.nodeName": lambda pod: pod["spec"].get("nodeName", ""),
    "spec.serviceAccountName": lambda pod: pod["spec"].get("serviceAccountName", ""),
    "status.podIP": lambda pod: pod["status"].get("podIP", ""),
    "status.hostIP": lambda pod: pod["status"].get("hostIP", ""),
}
"""What the downward API brings into an environment."""
