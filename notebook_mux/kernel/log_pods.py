"""A pod whose logs are read, and its place on the API server."""

from __future__ import annotations

from urllib.parse import quote

from notebook_mux.kernel.following import Following
from notebook_mux.kernel.members import Member
from notebook_mux.tailing.pods import Pod


class Known:
    """A pod that is asked for."""

    def __init__(self, alias: str, ref: str, pod: Pod) -> None:
        self.alias = alias
        self.ref = ref
        self.pod = pod
        self.admitted = False
        self.gone = False
        self.logs: dict[str, Following] = {}

    @property
    def active(self) -> bool:
        """Whether it counts for the bound: all that it will ever say has not come yet."""
        if not self.admitted:
            return False
        over = self.gone or self.pod.over
        return not (over and all(one.tail.finished for one in self.logs.values()))


def is_synced(member: Member) -> bool:
    """Whether all pods of this cluster that are asked for are known."""
    return bool(member.subscriptions) and all(one.store.synced for one in member.subscriptions)


def path_of(pod: Pod) -> str:
    """A pod's path."""
    return pod_path(pod.namespace, pod.name)


def pod_path(namespace: str, name: str) -> str:
    """The path of a pod of this name."""
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(name, safe='')}"
