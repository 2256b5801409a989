"""All services of this user on this machine, of every version and name: to be shown, and to be ended."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notebook_mux.life import ask, files, folders, process, runtime
from notebook_mux.life.locks import FileLock, is_held
from notebook_mux.life.name import ServiceName

__all__ = ["Service", "kill", "listing", "status_of", "stop"]

STATUS_PATH = "/status"
STATUS_TIMEOUT_S = 5.0
POLL_S = 0.05
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows has but one way to end a process, and calls it SIGTERM."""

GRACE_S = 10.0
"""A service that was asked to end sends its clients a word, closes its upstreams and goes; then it is killed."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service that has a runtime file, or a lock, in one of this user's runtime folders.

    Args:
        kind: ``"gateway"`` or ``"playground"``.
        state: ``"running"`` (it proved itself), ``"silent"`` (it holds its lock but does not answer), ``"starting"``
            (it holds its lock and has no file), ``"stale"`` (left by one that died) or ``"elsewhere"`` (of another
            machine, container or boot that shares the folder: nothing is done to it).
        entry: What its file says; None without one.
        path: The path of its files, without an ending.
    """

    kind: str
    state: str
    entry: runtime.Entry | None
    path: Path

    @property
    def lock_file(self) -> Path:
        """Its lock file."""
        return self.path.with_suffix(".lock")

    @property
    def runtime_file(self) -> Path:
        """Its runtime file, there or not."""
        return self.path.with_suffix(".json")


def listing(only: str | None = None) -> list[Service]:
    """The services of this user, the longest running first.

    Args:
        only: A service's kind; None is all.
    """
    found = []
    for folder in folders.runtime_dirs():
        stems = {path.with_suffix("") for ending in (".json", ".lock") for path in folder.glob(f"*-*{ending}")}
        for path in sorted(stems):
            kind = path.name.rpartition("-")[0]
            if only in (None, kind) and (service := _look_at(kind, path)):
                found.append(service)
    return sorted(found, key=lambda service: (service.entry.since if service.entry else time.time(), service.path))


def _look_at(kind: str, path: Path) -> Service | None:
    entry = runtime.read(path.with_suffix(".json"))
    held = is_held(path.with_suffix(".lock"))
    if entry is None and not held:
        return Service(kind, "stale", None, path) if path.with_suffix(".json").is_file() else None
    here = ServiceName(kind).key()
    if entry is not None and any(entry.key.get(part) != here[part] for part in ("host", "network", "boot")):
        before = entry.key.get("host") == here["host"] and not held  # of this machine, before its last restart
        return Service(kind, "stale" if before else "elsewhere", entry, path)
    if entry is None:
        return Service(kind, "starting", None, path)
    if not held:
        return Service(kind, "stale", entry, path)
    return Service(kind, "running" if ask.proves(entry) else "silent", entry, path)


def status_of(service: Service) -> dict[str, Any]:
    """What a running service says of itself (``GET /status`` with its token); empty if it does not say.

    The token is sent only to a service that has proved that it has it.
    """
    entry = service.entry
    if entry is None or service.state != "running":
        return {}
    headers = {"Authorization": f"Bearer {entry.token}"}
    try:
        status, body = ask.get(entry.port, STATUS_PATH, headers=headers, timeout=STATUS_TIMEOUT_S)
        said = json.loads(body) if status == 200 else None
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def stop(services: Iterable[Service], grace: float = GRACE_S) -> dict[Path, str]:
    """End services and clean up after those that died.

    Args:
        services: As `listing` gave them.
        grace: Seconds to wait for them; one that is still there is then killed.

    Returns:
        For each service's path what became of it: ``"stopped"``, ``"killed"``, ``"cleaned"``, ``"left"`` (not ours to
        end, or it could not be ended).
    """
    done: dict[Path, str] = {}
    waiting: list[Service] = []
    for service in services:
        if service.state == "stale":
            done[service.path] = "cleaned" if _clean(service) else "left"
        elif _signal(service, signal.SIGTERM):
            waiting.append(service)
        else:
            done[service.path] = "left"
    for outcome, seconds in (("stopped", grace), ("killed", grace / 2)):
        deadline = time.monotonic() + seconds
        while waiting and time.monotonic() < deadline:
            for service in [one for one in waiting if _has_ended(one)]:
                waiting.remove(service)
                _clean(service)
                done[service.path] = outcome
            time.sleep(POLL_S if waiting else 0)
        if outcome == "stopped":
            for service in waiting:
                _signal(service, KILL)
    return done | {service.path: "left" for service in waiting}


def kill(service: Service) -> bool:
    """End a service at once and without a word, as a crash does; its files stay, and are cleaned by the next one.

    Returns:
        Whether it was there to be killed.
    """
    return _signal(service, KILL)


def _signal(service: Service, number: int) -> bool:
    """Signal a service's process, if it is beyond doubt that process."""
    entry = service.entry
    if entry is None or service.state not in ("running", "silent"):
        return False
    known = bool(entry.started)  # without a start mark only the proof says that the number is still the service's
    if (known and process.start_mark(entry.pid) != entry.started) or (not known and service.state == "silent"):
        return False
    try:
        os.kill(entry.pid, number)
    except OSError:
        return False
    return True


def _has_ended(service: Service) -> bool:
    entry = service.entry
    return entry is not None and not process.is_alive(entry.pid, entry.started) and not is_held(service.lock_file)


def _clean(service: Service) -> bool:
    """Remove the files of a service that is not there; holding its lock, lest one that just starts loses them."""
    try:
        with FileLock(service.lock_file) as lock:
            if not lock.acquire():
                return False
            files.remove(service.runtime_file)
            lock.release(remove=True)
    except OSError:
        return False
    return True
