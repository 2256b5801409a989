"""The root of a sandbox: a file system in memory with chosen files of the machine, which cannot be changed there.

After `enter` nothing of the machine's own root can be named any more: it is mounted nowhere in this namespace.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct

from notebook_mux.playground.sandbox.inside import calls
from notebook_mux.playground.sandbox.inside.calls import MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REMOUNT
from notebook_mux.playground.sandbox.inside.plans import Plan

BASE = "/tmp"  # noqa: S108 - every machine has it; it is covered in this namespace alone
"""Where the first file system is mounted while the machine's own root is still there."""

VOLUME_BYTES = 16 * 1024 * 1024
"""Of all volumes that are mounted read-only, and of what is mounted on the way."""

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
                "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}  # fmt: skip

SEALED = ("sys", "irq", "bus", "fs", "sysrq-trigger", "mtrr", "tty", "driver")
"""Of ``/proc``, what can be changed on some machines (runc's list)."""

HIDDEN = ("kcore", "keys", "key-users", "timer_list", "sched_debug", "kallsyms", "cmdline", "config.gz", "acpi", "scsi",
          "asound", "modules", "latency_stats", "kmsg", "kpagecount", "kpageflags", "kpagecgroup", "vmallocinfo",
          "slabinfo", "pagetypeinfo", "iomem", "ioports", "partitions", "swaps", "crypto", "dynamic_debug",
          "diskstats", "interrupts", "softirqs", "key")  # fmt: skip
"""Of ``/proc``, what tells of the machine and that no program needs."""

SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
IFF_UP_RUNNING = 0x41
CLUSTER_MASK = "255.0.0.0"
"""Of the pod's address on loopback: all of the cluster's addresses are local, none is anybody else's (fib_frontend)."""


def enter(plan: Plan) -> int:
    """Make the root and go there; needs all rights in the namespace.

    Returns:
        The folder of the volumes, which can be written through this descriptor only.

    Raises:
        OSError: The system refuses something.
    """
    calls.mount("", "/", flags=calls.MS_REC | calls.MS_PRIVATE)
    size = f"size={VOLUME_BYTES},nr_inodes=4096,mode=0755"
    calls.mount("tmpfs", BASE, "tmpfs", MS_NOSUID | MS_NODEV, size)
    os.mkdir(f"{BASE}/old")
    calls.pivot_root(BASE, f"{BASE}/old")
    os.chdir("/")
    os.mkdir("/new")
    os.mkdir("/volumes")
    limits = plan.limits
    size = f"size={limits.disk_bytes},nr_inodes={limits.files},mode=0755"
    calls.mount("overlay", "/new", "tmpfs", MS_NOSUID | MS_NODEV, size)
    for source, target in plan.programs:
        _bind(f"/old{source}", f"/new{target}")
    for target, path in plan.links:
        os.makedirs(os.path.dirname(f"/new{path}"), exist_ok=True)
        if not os.path.lexists(f"/new{path}"):
            os.symlink(target, f"/new{path}")
    _devices()
    os.mkdir("/new/proc")
    calls.mount("proc", "/new/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    socket.sethostname(plan.hostname)
    _network(plan.address)
    _proc()
    for number, path in enumerate(plan.volumes):
        os.mkdir(f"/volumes/{number}")
        _bind(f"/volumes/{number}", f"/new{path}")
    volumes = os.open("/volumes", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    os.chdir("/new")
    calls.pivot_root(".", ".")
    # The old root lies over the new one now; this takes it away with all that was mounted in it.
    calls.detach(".")
    os.chdir("/")
    return volumes


def seal(plan: Plan) -> None:
    """Close the root if it is to be read-only; the files are there already.

    Raises:
        OSError: The system refuses it.
    """
    if plan.read_only:
        for path in plan.writable:
            calls.mount(path, path, flags=MS_BIND)
        calls.mount("", "/", flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _bind(source: str, target: str) -> None:
    """See a file or folder at another place, where it cannot be changed."""
    found = os.stat(source)
    if found.st_mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(found.st_mode):
        raise PermissionError(1, "a program with the rights of its owner", source)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if stat.S_ISDIR(found.st_mode):
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(target):
        os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC | os.O_WRONLY | os.O_EXCL, 0o755))
    calls.mount(source, target, flags=MS_BIND)
    # What is locked on the machine's own mount has to be asked for again (mount_namespaces(7)).
    kept = os.statvfs(target).f_flag & (MS_NOEXEC | MS_NODEV | MS_NOSUID | MS_RDONLY)
    calls.mount("", target, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | kept)


def _devices() -> None:
    os.mkdir("/new/dev")
    calls.mount("tmpfs", "/new/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,nr_inodes=64,mode=0755")
    for name in DEVICES:
        target = f"/new/dev/{name}"
        os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC | os.O_WRONLY, 0o666))
        _device(f"/old/dev/{name}", target)
    for name, target in DEVICE_LINKS.items():
        os.symlink(target, f"/new/dev/{name}")
    os.close(os.open("/new/dev/termination-log", os.O_CREAT | os.O_CLOEXEC | os.O_WRONLY, 0o666))
    os.mkdir("/new/dev/pts")
    calls.mount("devpts", "/new/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,max=32")
    os.mkdir("/new/dev/shm")
    calls.mount("shm", "/new/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4m,nr_inodes=256,mode=1777")


def _device(source: str, target: str) -> None:
    calls.mount(source, target, flags=MS_BIND)
    kept = os.statvfs(target).f_flag & (MS_NOEXEC | MS_NODEV | MS_NOSUID | MS_RDONLY)
    calls.mount("", target, flags=MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NOEXEC | kept)


def _proc() -> None:
    for name, value in (("net/ipv4/ip_unprivileged_port_start", "0"), ("user/max_user_namespaces", "0")):
        try:
            calls.write(f"/new/proc/sys/{name}", value)
        except OSError:
            pass  # the filter of system calls refuses the one anyway; without the other low ports cannot be served
    for name in SEALED:
        if os.path.lexists(path := f"/new/proc/{name}"):
            calls.mount(path, path, flags=MS_BIND | calls.MS_REC)
            calls.mount("", path, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in HIDDEN:
        path = f"/new/proc/{name}"
        if os.path.isdir(path):
            calls.mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,mode=0555")
        elif os.path.lexists(path):
            _device("/old/dev/null", path)


def _network(address: str) -> None:
    """Loopback, with the pod's address on it; there is no other interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        _interface(control, SIOCSIFFLAGS, "lo", struct.pack("H14x", IFF_UP_RUNNING))
        if address:
            _interface(control, SIOCSIFADDR, "lo:0", _address(address))
            _interface(control, SIOCSIFNETMASK, "lo:0", _address(CLUSTER_MASK))


def _address(text: str) -> bytes:
    return struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))


def _interface(control: socket.socket, request: int, name: str, value: bytes) -> None:
    fcntl.ioctl(control, request, struct.pack("16s", name.encode()) + value.ljust(24, b"\0"))
