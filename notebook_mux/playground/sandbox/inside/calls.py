"""System calls that Python 3.11 has no functions for (unshare(2), mount(2), pivot_root(2), prctl(2), capget(2))."""

from __future__ import annotations

import ctypes
import os
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 0x2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
    return result


def write(path: str, text: str) -> None:
    """Write a setting of the kernel's; no codec is loaded for it, which may be out of reach by now.

    Raises:
        OSError: It is refused.
    """
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones.

    Raises:
        OSError: The system refuses it.
    """
    _checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount something.

    Raises:
        OSError: It cannot be; the name of the file is `target`.
    """
    words = [source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), data.encode() or None]
    _checked(_libc.mount(*words), target)


def detach(target: str) -> None:
    """Take a mount away, whoever still uses it.

    Raises:
        OSError: It cannot be.
    """
    _checked(_libc.umount2(target.encode(), MNT_DETACH), target)


def pivot_root(new: str, old: str) -> None:
    """Make a mount the root, and have the old one below it.

    Raises:
        OSError: It cannot be.
    """
    _checked(_libc.pivot_root(new.encode(), old.encode()), new)


def prctl(option: int, value: int = 0, more: int = 0) -> None:
    """Change something about this process (prctl(2)).

    Raises:
        OSError: It is refused.
    """
    _checked(_libc.prctl(option, *map(ctypes.c_ulong, (value, more, 0, 0))), f"prctl {option}")


def install_filter(instructions: bytes) -> None:
    """A seccomp filter, for this process and all that it starts.

    Args:
        instructions: Of classic BPF: ``struct sock_filter``, 8 bytes each.

    Raises:
        OSError: The kernel has none.
    """
    PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2  # noqa: N806 - linux/prctl.h, linux/seccomp.h
    kept = ctypes.create_string_buffer(instructions, len(instructions))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(instructions) // 8, ctypes.addressof(kept)))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program))


def drop_capabilities() -> None:
    """Have none, and get none from any program.

    Raises:
        OSError: It cannot be.
    """
    for number in range(64):
        try:
            prctl(PR_CAPBSET_DROP, number)
        except OSError:
            break  # behind the kernel's last
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("Ii", CAPABILITY_VERSION_3, 0))
    _checked(_libc.capset(header, ctypes.create_string_buffer(24)), "capset")


def set_title(title: str) -> None:
    """What ``ps`` shows of this process, in the place of its command line (proc(5): arg_start, arg_end)."""
    prctl(PR_SET_NAME, ctypes.addressof(name := ctypes.create_string_buffer(title.encode()[:15])))
    del name
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    # A last byte that is not zero says that this is a title, and ends with the first zero (fs/proc/base.c).
    ctypes.memmove(start, title.encode()[: end - start - 2].ljust(end - start - 1, b"\0") + b"\1", end - start)
