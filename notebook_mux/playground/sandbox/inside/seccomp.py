"""The filter of system calls in a sandbox, as classic BPF (seccomp(2); linux/bpf_common.h, linux/seccomp.h).

Refused is what makes namespaces and mounts, looks into or loads something into the kernel or other processes, and what
few programs need and many weaknesses were found in. What is newer than the list is not there at all.
"""

from __future__ import annotations

import errno
import struct

from notebook_mux.playground.sandbox.inside import calls

MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""AUDIT_ARCH of a machine (linux/audit.h), and the column of its numbers below."""

X32 = 0x40000000
"""From here on the numbers are those of the x32 ABI (asm/unistd.h)."""

NEWEST = 452
"""fchmodat2, the last that a C library of 2024 uses; the numbers are the same on all machines from 424 on."""

REFUSED: dict[str, tuple[int | None, int | None]] = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "mount_setattr": (442, 442), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89), "lookup_dcookie": (212, 18),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "syslog": (103, 116), "vhangup": (153, 58),
    "personality": (135, 92), "memfd_secret": (447, 447), "move_pages": (279, 239), "migrate_pages": (256, 238),
    "shmget": (29, 194), "msgget": (68, 186), "mq_open": (240, 180),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
}  # fmt: skip
"""By name, the numbers on x86_64 and aarch64 (asm/unistd_64.h, asm-generic/unistd.h)."""

OWNERS = {"chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54)}
"""Succeed and do nothing: there is one user only, and ``tar`` and ``cp`` of root ask for others."""

MEMFD_CREATE = (319, 279)
"""Memory that no limit counts; refused to programs, not to the first process, which sends files in it."""

CLONE, CLONE3, SOCKET, IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)

NAMESPACES = (calls.CLONE_NEWNS | calls.CLONE_NEWCGROUP | calls.CLONE_NEWUTS | calls.CLONE_NEWIPC
              | calls.CLONE_NEWUSER | calls.CLONE_NEWPID | calls.CLONE_NEWNET)  # fmt: skip

FAMILIES = (1, 2, 10)
"""AF_UNIX, AF_INET, AF_INET6."""

TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI types at a terminal for somebody else, TIOCLINUX at a console."""

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
KILL = 0x80000000

LOAD, EQUAL, GREATER, AT_LEAST, BITS, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST, SECOND = 0, 4, 16, 24
"""Offsets in ``struct seccomp_data``; of an argument its lower half (both machines are little-endian)."""


def _one(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def _give(number: int) -> bytes:
    return _one(RETURN, ERRNO | number)


def _begin(architecture: int) -> bytes:
    out = _one(LOAD, ARCHITECTURE) + _one(EQUAL, architecture, 1, 0) + _one(RETURN, KILL)
    return out + _one(LOAD, NUMBER)


def of_programs(machine: str) -> bytes:
    """What programs have beside `program`, which they inherit.

    Args:
        machine: As ``os.uname().machine`` has it.
    """
    architecture, column = MACHINES[machine]
    out = _begin(architecture) + _one(EQUAL, MEMFD_CREATE[column], 0, 1) + _give(errno.EPERM)
    return out + _one(RETURN, ALLOW)


def program(machine: str) -> bytes:
    """The filter of a machine.

    Args:
        machine: As ``os.uname().machine`` has it.

    Raises:
        KeyError: There is none for it.
    """
    architecture, column = MACHINES[machine]
    out = _begin(architecture)
    if machine == "x86_64":
        out += _one(AT_LEAST, X32, 0, 1) + _give(errno.ENOSYS)
    out += _one(GREATER, NEWEST, 0, 1) + _give(errno.ENOSYS)
    for numbers in REFUSED.values():
        if (number := numbers[column]) is not None:
            out += _one(EQUAL, number, 0, 1) + _give(errno.EPERM)
    for numbers in OWNERS.values():
        if (number := numbers[column]) is not None:
            out += _one(EQUAL, number, 0, 1) + _give(0)
    # Its flags are in memory, which no filter sees; a C library falls back to clone.
    out += _one(EQUAL, CLONE3[column], 0, 1) + _give(errno.ENOSYS)
    out += _one(EQUAL, CLONE[column], 0, 4) + _one(LOAD, FIRST) + _one(BITS, NAMESPACES, 0, 1)
    out += _give(errno.EPERM) + _one(RETURN, ALLOW)
    out += _one(EQUAL, SOCKET[column], 0, 3 + len(FAMILIES)) + _one(LOAD, FIRST)
    for at, family in enumerate(FAMILIES):
        out += _one(EQUAL, family, len(FAMILIES) - at, 0)
    out += _give(errno.EAFNOSUPPORT) + _one(RETURN, ALLOW)
    out += _one(EQUAL, IOCTL[column], 0, 3 + len(TERMINAL_INPUT)) + _one(LOAD, SECOND)
    for at, request in enumerate(TERMINAL_INPUT):
        out += _one(EQUAL, request, len(TERMINAL_INPUT) - at, 0)
    return out + _one(RETURN, ALLOW) + _give(errno.EPERM) + _one(RETURN, ALLOW)
