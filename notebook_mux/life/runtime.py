"""A service's tenure: one at a time under a name, and the runtime file by which clients find it.

The service holds its lock for its life. So one that died, however it died, has freed it, and a file without a holder
of the lock is stale. The file itself is believed only after `notebook_mux.life.proof`.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notebook_mux._version import __version__
from notebook_mux.errors import GatewayError
from notebook_mux.life import files, process, proof, redact
from notebook_mux.life.locks import FileLock
from notebook_mux.life.name import ServiceName

__all__ = ["AlreadyRunning", "Entry", "Tenure", "read"]

START_WAIT_S = 1.0
"""How long a new service tries for its lock: clients that look whether it is held hold it themselves for a moment."""

TOKEN_BYTES = 32
INSTANCE_BYTES = 8


class AlreadyRunning(GatewayError):
    """Another process holds the lock of this name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a runtime file says.

    Args:
        key: The name in full, see `ServiceName.key`.
        pid: The service's process.
        started: That process's start mark, see `process.start_mark`.
        since: When it began to serve, in Unix seconds.
        port: Its port on the loopback interface.
        token: What its clients have to show.
        instance: Random, another one at each start.
        version: The package's version.
        extra: What else the service tells its clients.
    """

    key: dict[str, str]
    pid: int
    started: str
    since: float
    port: int
    token: str = field(repr=False)
    instance: str
    version: str
    extra: dict[str, Any]

    def dump(self) -> bytes:
        """The file's content: JSON."""
        return json.dumps(asdict(self), indent=1).encode() + b"\n"

    @classmethod
    def parse(cls, content: bytes) -> Entry:
        """Read a file's content.

        Raises:
            ValueError: It is not what `dump` writes.
        """
        data = json.loads(content)
        if not isinstance(data, dict) or not all(isinstance(data.get(key), kind) for key, kind in _KINDS.items()):
            raise ValueError("not a runtime file of notebook_mux")
        entry = cls(**{key: data[key] for key in _KINDS})
        if not 0 < entry.port < 65536 or not entry.token or entry.pid <= 0:
            raise ValueError("not a runtime file of notebook_mux")
        return entry


_KINDS: dict[str, type | tuple[type, ...]] = {
    "key": dict,
    "pid": int,
    "started": str,
    "since": (int, float),
    "port": int,
    "token": str,
    "instance": str,
    "version": str,
    "extra": dict,
}


def read(path: Path) -> Entry | None:
    """What a runtime file says; None if it is not there, is not this user's alone, or makes no sense."""
    try:
        return Entry.parse(files.read_private(path))
    except (OSError, ValueError, RecursionError):
        return None


class Tenure:
    """A service's claim to its name, from its start to its end. For the service's main thread.

    ::

        with Tenure(ServiceName("gateway")) as tenure:
            port = ...  # listen on 127.0.0.1, answer GET /prove with tenure.answer(nonce)
            tenure.publish(port)
            ...  # serve, until an `idle.IdleEnd` or a signal ends it

    Args:
        name: The service's name.
        register: Without it neither lock nor file is touched; a service run by hand still has instance, token and
            proof.

    Attributes:
        instance: Random, names this start of the service.
        token: What clients have to show.
    """

    def __init__(self, name: ServiceName, *, register: bool = True):
        self.name = name
        self.instance = secrets.token_hex(INSTANCE_BYTES)
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.port = 0
        self._lock = FileLock(name.lock_file()) if register else None
        self._file = name.runtime_file() if register else None
        self._entry: Entry | None = None
        redact.add_secret(self.token)

    def __enter__(self) -> Self:
        if self._lock is not None and self._file is not None:
            if not self._lock.acquire(START_WAIT_S):
                other = read(self._file)
                who = f" (process {other.pid})" if other else ""
                raise AlreadyRunning(
                    f"{self.name.describe()} is already running{who}",
                    todo="use it, or end it first with: notebook-mux stop",
                )
            files.remove(self._file)  # of one that died: its lock was free
        return self

    def publish(self, port: int, extra: Mapping[str, Any] | None = None) -> None:
        """Tell clients, once the service listens and answers.

        Args:
            port: The port on 127.0.0.1.
            extra: Further words for clients, JSON; no secrets but what every client of this user may know.

        Raises:
            OSError: The file cannot be written.
        """
        self.port = port
        self._entry = Entry(
            key=self.name.key(),
            pid=os.getpid(),
            started=process.start_mark(os.getpid()),
            since=time.time(),
            port=port,
            token=self.token,
            instance=self.instance,
            version=__version__,
            extra=dict(extra or {}),
        )
        if self._file is not None:
            files.write_private(self._file, self._entry.dump())

    def answer(self, nonce: str) -> dict[str, str]:
        """The answer to ``GET /prove?nonce=``, to be sent as JSON with status 200.

        Raises:
            proof.BadNonce: To be answered with 400.
        """
        return proof.answer(self.token, nonce, instance=self.instance, port=self.port, version=__version__)

    def withdraw(self) -> None:
        """Remove the runtime file, if it is still this instance's: no new client finds the service. It stays locked."""
        if self._file is not None and self._entry is not None:
            there = read(self._file)
            if there is not None and there.instance == self.instance:
                files.remove(self._file)

    def refresh(self) -> None:
        """Keep lock and file from cleaners of temporary files, which go by age; write the file again if it is gone.

        To be called once in a while; `idle.IdleEnd` does. Does nothing once the lock file is another's.
        """
        if self._lock is None or self._file is None or self._entry is None or not self._lock.is_current():
            return
        with contextlib.suppress(OSError):
            os.utime(self._lock.path)
            if self._file.exists():
                os.utime(self._file)
            else:
                files.write_private(self._file, self._entry.dump())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.withdraw()
        if self._lock is not None:
            self._lock.release(remove=True)
