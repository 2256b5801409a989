"""The client's side of a service: find the one that runs under a name, or start it.

Blocking, and safe to call from any thread; of any number of processes and threads that start at once, one starts it
and all get it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from notebook_mux.errors import GatewayError
from notebook_mux.life import ask, environment, neighbours, runtime, spawn, strangers
from notebook_mux.life.locks import FileLock, is_held
from notebook_mux.life.name import ServiceName

__all__ = ["Running", "ensure", "find"]

POLL_S = 0.03
"""Between two looks while a service starts, which takes some tenths of a second: nobody notices, nothing is busy."""

STARTS = 3
"""How often a service is started that ended at once because another one held its lock."""

GATEWAY = "gateway"
"""The service whose users should know of each other: it has their credentials."""

SAID_LIMIT = 560
"""Characters of a log's end in an error, which shows its beginning (`errors.SAID_LIMIT`)."""


@dataclass(frozen=True, slots=True)
class Running:
    """A service that has proved itself.

    Args:
        url: Its URL, without the token: ``http://127.0.0.1:<port>/``.
        token: What to show it, as ``Authorization: Bearer`` or as the service says.
        pid: Its process.
        port: Its port.
        instance: Random, another one at each start.
        version: The package's version.
        since: When it began, in Unix seconds.
        extra: What it told its clients.
        notes: What came up on the way, for its user to know: one sentence each.
    """

    url: str
    token: str = field(repr=False)
    pid: int
    port: int
    instance: str
    version: str
    since: float
    extra: dict[str, Any]
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: runtime.Entry) -> Running:
        """The service of a runtime file that was proved."""
        return cls(
            url=f"http://{ask.HOST}:{entry.port}/",
            token=entry.token,
            pid=entry.pid,
            port=entry.port,
            instance=entry.instance,
            version=entry.version,
            since=entry.since,
            extra=entry.extra,
        )


def find(name: ServiceName, timeout: float = ask.PROOF_TIMEOUT_S) -> Running | None:
    """The service that runs under a name, if one does and proves that it is this user's.

    Args:
        name: The name.
        timeout: Seconds to wait for its proof.

    Raises:
        GatewayError: The runtime folder is not safe to use.
    """
    entry = runtime.read(name.runtime_file())
    if entry is None or entry.key != name.key() or not ask.proves(entry, timeout):
        return None
    return Running.of(entry)


def ensure(
    name: ServiceName, argv: Sequence[str], *, timeout: float = 30.0, env: Mapping[str, str] | None = None
) -> Running:
    """The service that runs under a name; it is started if there is none.

    Args:
        name: The name.
        argv: How to start it: arguments of this Python interpreter, ``["-m", "notebook_mux.gateway", "--launched"]``.
            The program has to take a `runtime.Tenure` of the same name.
        timeout: Seconds for all of it.
        env: Variables it needs besides those of `environment.for_service`.

    Raises:
        GatewayError: It cannot be started, or does not answer in time; with the end of its log.
    """
    deadline = time.monotonic() + timeout
    try:
        launching = FileLock(name.launch_lock_file())
        try:
            running = _find_or_start(name, list(argv), dict(env or {}), launching, deadline)
            neighbour = neighbours.note() if name.service == GATEWAY else None
            return replace(running, notes=(*running.notes, neighbour)) if neighbour else running
        finally:
            launching.release(remove=True)
    except OSError as error:
        if isinstance(error, GatewayError):
            raise
        raise GatewayError(f"{name.describe()} cannot be started", said=str(error)) from None


def _find_or_start(
    name: ServiceName, argv: list[str], env: dict[str, str], launching: FileLock, deadline: float
) -> Running:
    started: spawn.Started | None = None
    starts = 0
    stranger = ""
    while True:
        remaining = deadline - time.monotonic()
        if running := find(name, max(0.1, min(remaining, ask.PROOF_TIMEOUT_S))):
            return replace(running, notes=(stranger,)) if stranger else running
        if remaining <= 0:
            raise _late(name, started)
        # Who holds this lock starts the service; the others look on, and one of them takes over if the starter dies.
        if launching.held or launching.acquire():
            if started is None:
                if not is_held(name.lock_file()):
                    if starts == STARTS:
                        raise _failed(name, None)
                    starts += 1
                    stranger = stranger or _stranger(name)
                    started = spawn.start(argv, env=environment.for_service(extra=env), log=name.log_file())
            elif started.has_ended():
                # It either failed, or found the lock held: by one that came first, or one that was about to end.
                if find(name) is None and not is_held(name.lock_file()) and not _gave_way(started):
                    raise _failed(name, started)
                started = None
        time.sleep(POLL_S)


def _stranger(name: ServiceName) -> str:
    """Who has the port of a runtime file that nobody has proved, in a sentence; "" if nobody has it."""
    entry = runtime.read(name.runtime_file())
    if entry is None or entry.key != name.key() or (who := strangers.listener(entry.port)) is None:
        return ""
    return (
        f"port {entry.port}, where {name.describe()} was, belongs to {who} now; it could not prove itself, was sent no "
        f"token, and {name.describe()} was started anew"
    )


def _gave_way(started: spawn.Started) -> bool:
    return any(runtime.AlreadyRunning.__name__ in line for line in started.last_lines())


def _failed(name: ServiceName, started: spawn.Started | None) -> GatewayError:
    return GatewayError(
        f"{name.describe()} ended as soon as it was started",
        said=_said(started),
        todo=f"look into its log {name.log_file()}, or run it by hand: notebook-mux {name.service}",
    )


def _late(name: ServiceName, started: spawn.Started | None) -> GatewayError:
    entry = runtime.read(name.runtime_file())
    held = is_held(name.lock_file())
    if held and entry is not None:
        what = f"{name.describe()} (process {entry.pid}) runs but does not answer on port {entry.port}"
        todo = "end it with: notebook-mux stop"
    elif held:
        what = f"{name.describe()} has not begun to answer in time"
        todo = f"try again; its log is {name.log_file()}"
    else:
        what = f"{name.describe()} could not be started in time"
        todo = f"try again with a longer timeout; its log is {name.log_file()}"
    return GatewayError(what, said=_said(started), todo=todo)


def _said(started: spawn.Started | None) -> str | None:
    if started is None or not (lines := started.last_lines()):
        return None
    text = " | ".join(" ".join(line.split()) for line in lines)
    return text if len(text) <= SAID_LIMIT else f"…{text[-SAID_LIMIT:]}"
