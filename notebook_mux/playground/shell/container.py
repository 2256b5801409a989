"""A running container: its files, processes and variables, as long as its run."""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.shell import environment, images, kernel
from notebook_mux.playground.shell.commands import registry
from notebook_mux.playground.shell.files import Files
from notebook_mux.playground.shell.inodes import (
    CONTAINER_LIMIT,
    File,
    FileFault,
    Folder,
    Mount,
    Node,
    Program,
    Space,
)
from notebook_mux.playground.shell.mounts import mounts_of
from notebook_mux.playground.shell.processes import Process, Processes
from notebook_mux.playground.shell.running import Run
from notebook_mux.playground.web import listening
from notebook_mux.playground.web.static import INDEX, FileSite

if TYPE_CHECKING:
    from notebook_mux.playground.shell.main import Main
    from notebook_mux.playground.shell.worlds import Worlds

Json = dict[str, Any]
Work = Callable[[Run], Coroutine[Any, Any, int]]

KILLED = 128 + signal.SIGKILL
SCRIPT_LIMIT = 128 * 1024
TERM_S = 0.3
"""From a signal to the end of a program that listens to it: whoever sent it has its answer by then."""

RESOLV = "search {namespace}.svc.cluster.local svc.cluster.local cluster.local\nnameserver {address}\noptions ndots:5\n"
HOSTS = """\
# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::	ip6-localnet
fe00::	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
"""


class Container:
    """One run of a container.

    Args:
        worlds: All of its cluster.
        pod: Its pod, as it was when somebody first looked.
        spec: The container's.
        run: What tells this run from others: its id.
        beside: The container whose processes it sees; None for its own.

    Attributes:
        over: Is set when the run has ended.
        main: Its own program, where that is emulated.
        unfinished: What its own program has written of a line.
        emulated_because: Why what is run in it is emulated; empty where nobody has asked for anything else.
    """

    def __init__(self, worlds: Worlds, pod: Json, spec: Json, run: str, started: float, beside: Container | None):
        self.worlds = worlds
        self.cluster: Cluster = worlds.cluster
        self.pod = pod
        self.spec = spec
        self.run = run
        self.started = started
        self.name: str = spec["name"]
        self.hostname = environment.hostname(pod)
        self.effort = worlds.effort
        self.space = Space(CONTAINER_LIMIT, worlds.space)
        self.image = images.of(spec["image"])
        self.over = asyncio.Event()
        self.main: Main | None = None
        self.unfinished = b""
        self.emulated_because = ""
        node = self.cluster.get("nodes", "", pod["spec"].get("nodeName", "")) or {}
        self.node_status: Json = node.get("status") or {}
        self.environment = environment.variables(self.cluster, pod, spec, self.image)
        self.processes: Processes = beside.processes if beside is not None else Processes()
        self.beside = beside
        self.own_root: Folder = Folder()
        self.files = self._files()
        if beside is None:
            self._begin()

    @property
    def kernel(self) -> str:
        """The release of the node's kernel."""
        return str((self.node_status.get("nodeInfo") or {}).get("kernelVersion", "6.8.0"))

    @property
    def address(self) -> str:
        """The pod's address."""
        return str((self.pod.get("status") or {}).get("podIP", ""))

    def now(self) -> float:
        """The time, Unix seconds."""
        return self.cluster.agenda.now()

    async def sleep(self, seconds: float) -> None:
        """Wait for so long, by the cluster's clock."""
        await self.cluster.agenda.sleep(seconds)

    # ------------------------------------------------------------------------------------------ its making

    def _files(self) -> Files:
        root = images.root_of(self.image, sorted(registry.COMMANDS))
        self.own_root = root if self.beside is None else self.beside.own_root
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        aliases = "".join(f"{one['ip']}\t{chr(9).join(one.get('hostnames') or ())}\n"
                          for one in spec.get("hostAliases") or ())  # fmt: skip
        dns = self.cluster.get("services", "kube-system", "kube-dns") or {}
        resolver = (dns.get("spec") or {}).get("clusterIP", "10.96.0.10")
        for path, text in (
            ("/etc/hostname", f"{self.hostname}\n"),
            ("/etc/hosts", f"{HOSTS}{self.address}\t{self.hostname}\n{aliases}"),
            ("/etc/resolv.conf", RESOLV.format(namespace=metadata["namespace"], address=resolver)),
        ):
            images.put(root, path, File(text.encode(), mtime=self.started))
        for site in listening.servers(self.cluster, self.pod):
            if (
                isinstance(site, FileSite)
                and site.place.container is self.spec
                and (page := site.welcome()) is not None
            ):
                images.put(root, f"{site.folder()}/{INDEX}", File(page.encode(), mtime=images.BUILT))
        folder = self.spec.get("workingDir") or self.image.folder
        images.put(root, folder, Folder())
        security = {**(spec.get("securityContext") or {}), **(self.spec.get("securityContext") or {})}
        uid, gid = int(security.get("runAsUser") or 0), int(security.get("runAsGroup") or 0)
        groups = tuple(security.get("supplementalGroups") or ())
        groups += (security["fsGroup"],) if "fsGroup" in security else ()
        read_only = bool(security.get("readOnlyRootFilesystem"))
        mounts = {"/": Mount(root, read_only=read_only)}
        mounts |= mounts_of(self.worlds.volumes, self.pod, self.spec, root)
        files = Files(mounts, self.space, self.now, uid, gid, groups)
        mounts["/proc"] = Mount(kernel.proc(self), "proc", "proc", read_only=True)
        mounts["/sys"] = Mount(kernel.sys(self), "sysfs", "sysfs", read_only=True)
        if uid:
            self.environment["HOME"] = "/"
        return files

    def _begin(self) -> None:
        """Its own program is process 1; what it does, its log tells."""
        words = tuple(self.spec.get("command") or ()) or self.image.command
        words += tuple(self.spec.get("args") or ())
        if self.spec.get("args") and not self.spec.get("command") and self.image.command in (("sh",), ("bash",)):
            words = tuple(self.spec["args"])
        process = self.processes.new(words, user=self.files.uid, started=self.started)
        process.environment = self.environment
        process.on_signal = self.hear

    @property
    def cwd(self) -> str:
        """Where its programs begin."""
        return str(self.spec.get("workingDir") or self.image.folder)

    # ------------------------------------------------------------------------------------------- its programs

    def path_of(self, name: str, path: str, cwd: str) -> str:
        """Where a program is; empty if it is not there."""
        if "/" in name:
            try:
                return name if self._is_program(self.files.node(name, cwd)) else ""
            except FileFault:
                return ""
        for folder in (path or images.PATH).split(":"):
            try:
                full = f"{folder.rstrip('/')}/{name}"
                if self._is_program(self.files.node(full, cwd)):
                    return full
            except FileFault:
                continue
        return ""

    def _is_program(self, node: Node) -> bool:
        return isinstance(node, Program | File) and self.files.may(node, 1)

    def program_names(self, path: str) -> set[str]:
        """The names of all programs."""
        found = set[str]()
        for folder in path.split(":"):
            try:
                found.update(self.files.folder(folder).names())
            except FileFault:
                continue
        return found

    def program(self, name: str, path: str, cwd: str) -> Work:
        """A program, to be run.

        Raises:
            FileFault: ENOENT or EACCES.
        """
        if "/" not in name:
            found = self.path_of(name, path, cwd)
            if not found:
                raise FileFault(errno.ENOENT)
            name = found
        node = self.files.node(name, cwd)
        if isinstance(node, Folder) or not self.files.may(node, 1):
            raise FileFault(errno.EACCES)
        if isinstance(node, Program):
            function = registry.COMMANDS.get(node.name)
            if function is None:
                raise FileFault(errno.ENOENT)
            return lambda run: registry.call(run, function)
        if not isinstance(node, File) or len(node.data) > SCRIPT_LIMIT or b"\0" in node.data:
            raise FileFault(errno.ENOEXEC)
        text, full = node.content().decode("utf-8", "surrogateescape"), self.files.there(name, cwd).path
        return lambda run: registry.call(run, lambda one: _script(one, full, text))

    # -------------------------------------------------------------------------------------------- its end

    def seen(self) -> list[Process]:
        """The processes that are seen from inside: with ``hostPID`` all of the node."""
        found = list(self.processes)
        if self.pod["spec"].get("hostPID"):
            found += [one for one, _ in self.worlds.of_node(self.pod["spec"].get("nodeName", ""), self)]
        return found

    def signal(self, pid: int, number: int) -> bool:
        """Send a signal to a process, from inside; whether it is there.

        The first process of a container cannot be killed from inside: what it does not listen to, it never gets
        (pid_namespaces(7)).
        """
        if pid < 0:
            for process in self.processes:
                if process.pid != 1:
                    process.signal(number)
            return True
        found = self.processes.get(pid)
        if found is None and self.pod["spec"].get("hostPID"):
            for process, end in self.worlds.of_node(self.pod["spec"].get("nodeName", ""), self):
                if process.pid == pid:
                    if number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
                        end(128 + number)
                    return True
        if found is None:
            return False
        if not (pid == 1 and number in (signal.SIGKILL, signal.SIGSTOP)):
            found.signal(number)
        return True

    def hear(self, number: int) -> None:
        """A signal for its own program."""
        if number not in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            return
        first = self.processes.get(1)
        name = first.words[0].partition(" ")[0].rpartition("/")[2] if first is not None and first.words else ""
        code = self.image.on_term
        if name in registry.COMMANDS or code is None:
            return  # a shell, or a program that does not listen
        ended = 128 + number if code == 128 + signal.SIGTERM else code
        self.cluster.agenda.after(TERM_S, lambda: self.worlds.has_ended(self, ended))

    def log(self, data: bytes) -> None:
        """Something was written to its own program's output."""
        self.worlds.record(self, data)

    def stop(self) -> None:
        """Its run has ended: all that goes on in it ends too, and its files go."""
        if self.over.is_set():
            return
        self.over.set()
        if self.beside is None:
            self.processes.kill_all()
        if self.main is not None:
            self.main.stop()
        self.space.release()


async def _script(run: Run, path: str, text: str) -> int:
    from notebook_mux.playground.shell.interpreter import Shell

    name = "bash" if text.startswith("#!") and "bash" in text.partition("\n")[0] else path
    shell = Shell(run.container, run.process, name=name, args=run.args, cwd=run.cwd, environment=run.environment,
                  terminal=run.terminal)  # fmt: skip
    shell.depth = run.depth
    return await shell.run_text(text, run.streams)
