"""``/proc`` and ``/sys``: as much of them as is looked at in containers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from notebook_mux.playground.shell.environment import quantity
from notebook_mux.playground.shell.inodes import Folder, Link, Live, LiveFolder, Node
from notebook_mux.playground.shell.processes import Process

if TYPE_CHECKING:
    from notebook_mux.playground.shell.container import Container

PERIOD = 100_000
"""Microseconds in which a limit of CPU is counted (cpu.max)."""


def proc(container: Container) -> LiveFolder:
    """``/proc`` of a container."""
    begun = container.now() - 9 * 86_400

    def entries() -> dict[str, Node]:
        node = container.node_status
        memory = int(quantity(node.get("capacity", {}).get("memory", "32Gi"))) // 1024
        cores = int(quantity(node.get("capacity", {}).get("cpu", "8"))) or 1
        texts = {
            "cpuinfo": "".join(_core(number, cores) for number in range(cores)),
            "meminfo": f"MemTotal:       {memory} kB\nMemFree:        {memory // 3} kB\n"
            f"MemAvailable:   {memory // 2} kB\n"
            "SwapTotal:             0 kB\nSwapFree:              0 kB\n",
            "uptime": f"{container.now() - begun:.2f} {(container.now() - begun) * cores * 0.9:.2f}\n",
            "loadavg": f"0.42 0.37 0.35 1/{200 + len(container.processes)} {max(_pids(container), default=1)}\n",
            "version": f"Linux version {container.kernel} (playground) #1 SMP PREEMPT_DYNAMIC\n",
            "mounts": mounts(container),
            "filesystems": "nodev\tproc\nnodev\ttmpfs\n\text4\nnodev\toverlay\n",
            "cmdline": "BOOT_IMAGE=/vmlinuz ro quiet\n",
        }
        found: dict[str, Node] = {name: Live(text.encode, mtime=container.started) for name, text in texts.items()}
        for process in container.processes:
            found[str(process.pid)] = _process(container, process)
        found["self"] = Link(str(max(_pids(container), default=1)))
        return found

    return LiveFolder(entries, mtime=container.started)


def _pids(container: Container) -> list[int]:
    return [process.pid for process in container.processes]


def _core(number: int, cores: int) -> str:
    return (f"processor\t: {number}\nvendor_id\t: Playground\nmodel name\t: Emulated CPU\ncpu MHz\t\t: 2500.000\n"
            f"cpu cores\t: {cores}\n\n")  # fmt: skip


def mounts(container: Container) -> str:
    """``/proc/mounts``."""
    fixed = "overlay / overlay rw,relatime 0 0\nproc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
    fixed += "sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime 0 0\n"
    return fixed + "".join(
        f"{mount.source} {path} {mount.kind} {'ro' if mount.read_only else 'rw'},relatime 0 0\n"
        for path, mount in container.files.mounts.items()
        if path not in ("/", "/proc", "/sys")
    )


def _process(container: Container, process: Process) -> Node:
    words = process.words or ("",)
    name = words[0].rpartition("/")[2][:15]
    status = (
        f"Name:\t{name}\nState:\tS (sleeping)\nPid:\t{process.pid}\nPPid:\t{process.parent}\n"
        f"Uid:\t{process.user}\t{process.user}\t{process.user}\t{process.user}\nThreads:\t1\n"
    )
    environment = process.environment or (container.environment if process.pid == 1 else {})
    folder = Folder(0o555, process.started)
    contents = {
        "cmdline": b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in words),
        "comm": f"{name}\n".encode(),
        "status": status.encode(),
        "environ": b"".join(f"{key}={value}".encode("utf-8", "surrogateescape") + b"\0"
                            for key, value in environment.items()),
    }  # fmt: skip
    for key, content in contents.items():
        folder.entries[key] = Live(_constant(content), mtime=process.started)
    if process.pid == 1:
        folder.entries["root"] = container.own_root
        write = container.log
        for number in ("1", "2"):
            fds = folder.entries.setdefault("fd", Folder(0o500, process.started))
            assert isinstance(fds, Folder)
            fds.entries[number] = Live(lambda: b"", 0o600, process.started, write)
    return folder


def _constant(content: bytes) -> Callable[[], bytes]:
    return lambda: content


def sys(container: Container) -> LiveFolder:
    """``/sys``: the container's own limits, as cgroup v2 has them."""
    limits = (container.spec.get("resources") or {}).get("limits") or {}
    memory = str(int(quantity(limits["memory"]))) if "memory" in limits else "max"
    cpu = str(int(quantity(limits["cpu"]) * PERIOD)) if "cpu" in limits else "max"

    def entries() -> dict[str, Node]:
        used = 3_000_000 + container.space.used + 700_000 * len(container.processes)
        texts = {
            "memory.max": memory,
            "memory.current": str(used),
            "cpu.max": f"{cpu} {PERIOD}",
            "pids.current": str(len(container.processes)),
            "cgroup.controllers": "cpuset cpu io memory pids",
        }
        group = Folder(0o555)
        for name, text in texts.items():
            group.entries[name] = Live(f"{text}\n".encode)
        fs = Folder(0o555)
        fs.entries["cgroup"] = group
        return {"fs": fs}

    return LiveFolder(entries, mtime=container.started)
