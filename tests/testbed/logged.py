"""A container of the test bed that logs: its files as a runtime writes them, and its pod's word of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.api import Api
from tests.testbed.control_plane import ControlPlane

PART = 16 * 1024
"""Bytes after which a runtime splits a line (containerd's and CRI-O's default)."""

NS = 1_000_000_000


def stamped(moment: int) -> str:
    """Nanoseconds since the epoch as a runtime writes them."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // NS)) + f".{moment % NS:09d}Z"


def create_pod(api: Api, namespace: str, name: str, *containers: str, **labels: str) -> str:
    """A pod that kwok will run; its path."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    spec = {"containers": [{"name": one, "image": "none"} for one in containers or ("main",)]}
    api.create(path, {"metadata": {"name": name, "labels": labels}, "spec": spec})
    return f"{path}/{name}"


def runs(api: Api, path: str) -> bool:
    """Whether a pod's containers run."""
    status = api("GET", path)["status"]
    return bool(status.get("containerStatuses")) and status["phase"] == "Running"


class Logged:
    """See `logged` in ``kubelet.go``.

    Args:
        plane: The control plane.
        api: A client of it.
        namespace: The pod's.
        pod: Its name.
        container: The container's.

    Attributes:
        written: All lines so far: (nanoseconds since the epoch, text).
    """

    def __init__(self, plane: ControlPlane, api: Api, namespace: str, pod: str, container: str = "main") -> None:
        self.written: list[tuple[int, bytes]] = []
        self.instance = 0
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/pods/{pod}"
        self._container = container
        self._base = plane.folder / "logs" / f"{namespace}_{pod}_{container}"
        self._rotations = 0
        self._last = 0
        self.file.write_bytes(b"")
        self._beside("instance").write_text("0")

    @property
    def file(self) -> Path:
        """The log of the instance that runs."""
        return self._beside(f"{self.instance}.log")

    def _beside(self, name: str) -> Path:
        return self._base.with_name(f"{self._base.name}.{name}")

    def write(self, *texts: bytes, stream: str = "stdout", moment: int | None = None) -> None:
        """Lines, with the time of now unless another is given; long ones in parts."""
        content = []
        for text in texts:
            self._last = max(time.time_ns(), self._last + 1)
            at = self._last if moment is None else moment
            head = f"{stamped(at)} {stream} ".encode()
            parts = [text[start : start + PART] for start in range(0, len(text), PART)] or [b""]
            content += [head + b"P " + part + b"\n" for part in parts[:-1]] + [head + b"F " + parts[-1] + b"\n"]
            self.written.append((at, text))
        with self.file.open("ab") as file:
            file.write(b"".join(content))

    def rotate(self) -> None:
        """As a kubelet does: the file gets another name, and a new one is there."""
        self._rotations += 1
        self.file.rename(self.file.with_name(f"{self.file.name}.{self._rotations}"))
        self.file.write_bytes(b"")

    def stop(self, *, tell: bool = True) -> None:
        """The container ends with an error, and waits to be started again."""
        self._beside("stopped").write_bytes(b"")
        if tell:
            self.tell(running=False)

    def start(self, *, tell: bool = True) -> None:
        """It is started again."""
        self.instance += 1
        self.file.write_bytes(b"")
        self._beside("instance").write_text(str(self.instance))
        self._beside("stopped").unlink(missing_ok=True)
        if tell:
            self.tell(running=True)

    def tell(self, *, running: bool) -> None:
        """The kubelet's word reaches the API server."""
        status = self._api("GET", self._path)["status"]
        one = next(one for one in status["containerStatuses"] if one["name"] == self._container)
        before = f"containerd://{self.instance - running}"
        ended: dict[str, Any] = {"exitCode": 1, "reason": "Error", "containerID": before}
        one["lastState"] = {"terminated": ended}
        one["restartCount"] = self.instance
        one["containerID"] = f"containerd://{self.instance}"
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}}
        one["state"] = {"running": {"startedAt": now}} if running else waiting
        self._api.patch(f"{self._path}/status", {"status": {"containerStatuses": status["containerStatuses"]}})
