"""What a sandbox is to be, as the playground says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sandbox may use.

    Args:
        processes: At once.
        process_bytes: Address space of one process.
        memory_bytes: Of all processes together; the largest is killed beyond.
        disk_bytes: Of all files; they are in memory.
        files: Of them.
        cpu_s: CPU time of one process, seconds.
        open_files: Of one process.
        niceness: As nice(2) has it: the playground goes first.
    """

    processes: int = 48
    process_bytes: int = 512 * 1024 * 1024
    memory_bytes: int = 256 * 1024 * 1024
    disk_bytes: int = 48 * 1024 * 1024
    files: int = 4096
    cpu_s: int = 300
    open_files: int = 64
    niceness: int = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """A sandbox.

    Args:
        hostname: Its name.
        title: What ``ps`` calls its first process.
        address: The pod's IPv4 address; empty for none but loopback.
        uid: Of the user inside.
        gid: Of the user's group inside.
        outer: The number outside that it is mapped to, for a playground that is root's; it has nothing else.
        programs: Files of the machine to be seen inside, and where.
        links: Links of programs, by their paths.
        volumes: Folders that are mounted read-only, by number: where.
        writable: Folders that stay writable in a read-only root.
        read_only: Whether the root is.
        limits: What it may use.
    """

    hostname: str
    title: str = "sh"
    address: str = ""
    uid: int = 0
    gid: int = 0
    outer: int = 65534
    programs: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    read_only: bool = False
    limits: Limits = field(default_factory=Limits)


def of(found: Json) -> Plan:
    """A plan as it was sent."""
    pairs = {name: tuple((one[0], one[1]) for one in found[name]) for name in ("programs", "links")}
    many = {name: tuple(found[name]) for name in ("volumes", "writable")}
    return Plan(**{**found, **pairs, **many, "limits": Limits(**found["limits"])})
