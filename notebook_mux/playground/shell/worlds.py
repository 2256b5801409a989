"""The containers of a cluster in which somebody runs something, each as long as its run; and what they have written."""

from __future__ import annotations

import errno
import posixpath
import zlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from notebook_mux.playground.clock import since_epoch
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.kubelet import public
from notebook_mux.playground.history import Change
from notebook_mux.playground.shell import node_files
from notebook_mux.playground.shell.commands import everything
from notebook_mux.playground.shell.container import Container
from notebook_mux.playground.shell.effort import Effort
from notebook_mux.playground.shell.entry import is_emulated, words_of
from notebook_mux.playground.shell.inodes import CLUSTER_LIMIT, File, FileFault, Folder, Space
from notebook_mux.playground.shell.main import Main
from notebook_mux.playground.shell.mounts import Volumes
from notebook_mux.playground.shell.processes import PID_MAX, Process
from notebook_mux.playground.web import accesses
from notebook_mux.playground.web.site import Site
from notebook_mux.playground.web.static import READERS

Json = dict[str, Any]

KINDS = (
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)

MAINS = 100
"""Own programs that are emulated at once in a cluster; those beyond say nothing."""


LINE_BYTES = 16 * 1024
"""Bytes of a line of a log; a longer one comes in pieces (the CRI's limit)."""

FIRST_OF_NODE = 40_000
"""Numbers of a node's processes, as they are seen from its own."""


class NotRunning(Exception):
    """A container that does not run."""


def _written(site: Site, path: str) -> bytes | None:
    """A file that somebody has written into a container, for the server that serves it.

    Raises:
        FileNotFoundError: Somebody has removed it.
    """
    place = site.place
    known: Worlds | None = place.cluster.programs
    container = known.find(place.pod["metadata"]["uid"], place.container["name"]) if known is not None else None
    if container is None:
        return None
    try:
        node = container.files.node(path)
    except FileFault as fault:
        if fault.number == errno.ENOENT and _is_folder(container, posixpath.dirname(path)):
            raise FileNotFoundError(path) from None
        return None
    return node.content() if isinstance(node, File) and node.space is not None else None


def _is_folder(container: Container, path: str) -> bool:
    try:
        return isinstance(container.files.node(path), Folder)
    except FileFault:
        return False


READERS.append(_written)


def of(cluster: Cluster) -> Worlds:
    """The one of a cluster."""
    if cluster.programs is None:
        cluster.programs = Worlds(cluster)
    found: Worlds = cluster.programs
    return found


class Worlds:
    """All containers of a cluster that somebody has looked into.

    Args:
        cluster: Whose.
    """

    def __init__(self, cluster: Cluster):
        assert everything.LOADED
        self.cluster = cluster
        self.effort = Effort()
        self.space = Space(CLUSTER_LIMIT)
        self.volumes = Volumes(cluster, self.space, self._node_files)
        self._containers: dict[str, dict[str, Container]] = {}
        cluster.store.listen("pods", self._changed)

    # --------------------------------------------------------------------------------------------- containers

    def container(self, pod: Json, name: str) -> Container:
        """A running container.

        Args:
            pod: Its pod, as it is now.

        Raises:
            NotRunning: It does not run.
        """
        spec, status = _spec_of(pod, name), _status_of(pod, name)
        running = (status.get("state") or {}).get("running")
        if spec is None or running is None:
            raise NotRunning(name)
        known = self._containers.setdefault(pod["metadata"]["uid"], {})
        run = _run_of(status)
        if name in known and known[name].run != run:
            known.pop(name).stop()
        if name not in known:
            begun = running.get("startedAt") or pod["metadata"]["creationTimestamp"]
            beside = None
            if (target := spec.get("targetContainerName")) and target != name:
                try:
                    beside = self.container(pod, target)
                except NotRunning:
                    pass
            made = Container(self, pod, spec, run, since_epoch(begun), beside)
            if is_emulated(spec):
                made.main = Main(made)
            known[name] = made
            public.probe_again(self.cluster, pod["metadata"]["namespace"], pod["metadata"]["name"], name)
        return known[name]

    def find(self, uid: str, name: str) -> Container | None:
        """A container that somebody has looked into and that runs."""
        return self._containers.get(uid, {}).get(name)

    def start(self, pod: Json, name: str) -> None:
        """Begin a container's own program where it is emulated and waits for nobody's input."""
        spec = _spec_of(pod, name)
        if spec is None or spec.get("stdin") or not is_emulated(spec) or self._mains() >= MAINS:
            return
        try:
            main = self.container(pod, name).main
        except NotRunning:
            return
        if main is not None:
            main.start()

    def _mains(self) -> int:
        return sum(one.main is not None for known in self._containers.values() for one in known.values())

    def has_ended(self, container: Container, code: int) -> None:
        """A container's own program has ended: its kubelet sees to what follows."""
        metadata = container.pod["metadata"]
        stored = self.cluster.store.get("pods", metadata["namespace"], metadata["name"])
        if stored is not None and stored.uid == metadata["uid"]:
            public.kill(self.cluster, stored.namespace, stored.name, container.name, code)

    def of_node(self, node: str, asking: Container) -> list[tuple[Process, Callable[[int], object]]]:
        """The first processes of all containers of a node, as they are seen from its own, and what ends each."""
        found = list[tuple[Process, Callable[[int], object]]]()
        for stored in self.cluster.store.items("pods"):
            if stored.fields["spec.nodeName"] != node or stored.fields["status.phase"] != "Running":
                continue
            pod = stored.decode()
            for container in pod["spec"]["containers"]:
                status = _status_of(pod, container["name"])
                running = (status.get("state") or {}).get("running")
                if running is None or (pod["metadata"]["uid"] == asking.pod["metadata"]["uid"]):
                    continue
                pid = FIRST_OF_NODE + zlib.crc32(f"{stored.uid}/{_run_of(status)}".encode()) % PID_MAX
                begun = datetime.fromisoformat(running.get("startedAt") or pod["metadata"]["creationTimestamp"])
                process = Process(pid, 1, words_of(container), 0, begun.timestamp())
                found.append((process, partial(public.kill, self.cluster, *stored.key, container["name"])))
        return found

    def _changed(self, change: Change) -> None:
        known = self._containers.get(change.new.uid)
        gone = change.type == "DELETED"
        if known is not None:
            pod = change.new.decode()
            for name, container in list(known.items()):
                status = _status_of(pod, name)
                runs = not gone and "running" in (status.get("state") or {}) and _run_of(status) == container.run
                if not runs:
                    del known[name]
                    container.stop()
        if gone:
            self._containers.pop(change.new.uid, None)
            self.volumes.forget_pod(change.new.uid)

    @staticmethod
    def _node_files(name: str) -> Folder:
        return node_files.root_of(name)

    def record(self, container: Container, data: bytes) -> None:
        """Write what a container's own program has written into its log, line by line."""
        *whole, rest = (container.unfinished + data).split(b"\n")
        while len(rest) > LINE_BYTES:
            whole.append(rest[:LINE_BYTES])
            rest = rest[LINE_BYTES:]
        container.unfinished = rest
        if whole:
            run = accesses.RunKey(container.pod["metadata"]["uid"], container.name, _number_of(container.run))
            text = b"\n".join(whole).decode("utf-8", "replace").replace("\r", "")
            accesses.of(self.cluster).note(run, self.cluster.agenda.now(), text)


def _spec_of(pod: Json, name: str) -> Json | None:
    return next((one for kind, _ in KINDS for one in pod["spec"].get(kind) or () if one["name"] == name), None)


def _status_of(pod: Json, name: str) -> Json:
    status = pod.get("status") or {}
    return next((one for _, kind in KINDS for one in status.get(kind) or () if one["name"] == name), {})


def _run_of(status: Json) -> str:
    return f"{status.get('restartCount', 0)} {status.get('containerID', '')}"


def _number_of(run: str) -> int:
    return int(run.partition(" ")[0])
