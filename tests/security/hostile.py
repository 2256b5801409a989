# ruff: noqa: PTH116, PTH123, PTH208, PTH211 - all of it is system calls
"""Run in a sandbox by a Python that a test lets in: tries to get out, and tells in JSON what each try met."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import json
import os
import platform
import socket
import stat
import sys
from collections.abc import Callable
from typing import Any

FAR = platform.machine() == "aarch64"
NEWUSER, CHILD = 0x10000000, 17
libc = ctypes.CDLL(None, use_errno=True)
told: dict[str, Any] = {}


def attempt(name: str, work: Callable[[], Any]) -> None:
    try:
        told[name] = work()
    except OSError as fault:
        told[name] = errno.errorcode.get(fault.errno or 0, str(fault))


def call(near: int, far: int, *arguments: Any) -> str:
    result = libc.syscall(far if FAR else near, *arguments)
    return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def opened(path: str, flags: int = os.O_RDONLY) -> str:
    os.close(os.open(path, flags))
    return "done"


def connected(family: int, address: Any) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.settimeout(3)
        made.connect(address)
    return "done"


def made(family: int) -> str:
    socket.socket(family, socket.SOCK_RAW if family == 17 else socket.SOCK_STREAM).close()
    return "done"


def main() -> None:
    port, abstract, file, pid = sys.argv[1:5]
    told["descriptors"] = sorted(map(int, os.listdir("/proc/self/fd")))
    text = ctypes.c_char_p
    for name, near, far, *arguments in (
        ("mount", 165, 40, text(b"x"), text(b"/tmp"), text(b"tmpfs"), 0, None),
        ("umount", 166, 39, text(b"/proc"), 2),
        ("pivot_root", 155, 41, text(b"/tmp"), text(b"/tmp")),
        ("chroot", 161, 51, text(b"/tmp")),
        ("unshare", 272, 97, NEWUSER),
        ("clone", 56, 220, NEWUSER | CHILD, 0, 0, 0, 0),
        ("clone3", 435, 435, 0, 0),
        ("setns", 308, 268, os.open("/proc/self/ns/user", os.O_RDONLY), 0),
        ("open_tree", 428, 428, -100, text(b"/"), 1),
        ("ptrace", 101, 117, 16, 1, 0, 0),
        ("process_vm_readv", 310, 270, 1, 0, 0, 0, 0, 0),
        ("keyctl", 250, 219, 0, -3, 0),
        ("bpf", 321, 280, 0, 0, 0),
        ("perf_event_open", 298, 241, 0, 0, -1, -1, 0),
        ("userfaultfd", 323, 282, 0),
        ("io_uring_setup", 425, 425, 1, 0),
        ("init_module", 175, 105, 0, 0, 0),
        ("kexec_load", 246, 104, 0, 0, 0, 0),
        ("open_by_handle_at", 304, 265, -100, 0, 0),
        ("personality", 135, 92, 0x0040000),
        ("newer", 463, 463),
        ("memfd_create", 319, 279, text(b"x"), 0),
        ("shmget", 29, 194, 0, 1 << 20, 0o1600),
        ("reboot", 169, 142, 0, 0, 0, 0),
    ):
        told[name] = call(near, far, *arguments)
    for family, name in ((16, "netlink"), (17, "packet"), (40, "vsock"), (38, "alg")):
        attempt(name, functools.partial(made, family))
    attempt("device", lambda: os.mknod("/tmp/device", stat.S_IFCHR | 0o666, os.makedev(1, 1)) or "done")
    attempt("setuid", lambda: os.setuid(12345) or "done")
    attempt("setgroups", lambda: os.setgroups([0]) or "done")
    attempt("typing-for-others", lambda: fcntl.ioctl(0, 0x5412, b"x") and "done")
    attempt("memory-of-the-first", lambda: opened("/proc/1/mem", os.O_RDWR))
    attempt("files-of-the-first", lambda: os.listdir("/proc/1/fd"))
    attempt("root-of-the-first", lambda: os.listdir("/proc/1/root"))
    attempt("environment-of-the-first", lambda: opened("/proc/1/environ"))
    attempt("program", lambda: opened("/bin/ls", os.O_RDWR))
    attempt("itself", lambda: opened("/proc/self/exe", os.O_RDWR))
    attempt("core_pattern", lambda: opened("/proc/sys/kernel/core_pattern", os.O_WRONLY))
    attempt("sysrq", lambda: opened("/proc/sysrq-trigger", os.O_WRONLY))
    attempt("file-of-the-machine", lambda: opened(file))
    os.symlink(f"/proc/self/root/../../../..{file}", "/tmp/link")
    attempt("by-a-link", lambda: opened("/tmp/link"))
    attempt("port-of-the-machine", lambda: connected(socket.AF_INET, ("127.0.0.1", int(port))))
    attempt("socket-of-the-machine", lambda: connected(socket.AF_UNIX, f"\0{abstract}"))
    attempt("process-of-the-machine", lambda: os.kill(int(pid), 0) or "done")
    told["same root"] = os.stat("/").st_ino == os.stat("/proc/self/root/..").st_ino
    told["environment"] = dict(os.environ)
    with open("/proc/self/status") as status:
        told["status"] = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    with open("/proc/self/mountinfo") as mounts:
        told["mounts"] = [line.split() for line in mounts]
    print(json.dumps(told))


main()
