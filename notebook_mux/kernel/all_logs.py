"""All logs of the kernel's core, by what they are of: asked for twice they are the same."""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.logs import LogSpec, LogStream

if TYPE_CHECKING:
    from notebook_mux.kernel.endpoint import Endpoint
    from notebook_mux.kernel.thread import LoopThread


class AllLogs:
    """All of one core, by id. From any thread.

    Args:
        endpoint: Gives a connection's endpoint; fails with `Failure`.
        thread: Our loop.
    """

    def __init__(self, endpoint: Callable[[str], Endpoint], thread: LoopThread) -> None:
        self._endpoint = endpoint
        self._thread = thread
        self._lock = threading.RLock()
        self._by_spec: dict[LogSpec, LogStream] = {}
        self._by_id: dict[str, LogStream] = {}
        self._numbers = itertools.count(1)

    def open(self, spec: LogSpec) -> str:
        """Get or create; gives the id.

        Raises:
            Failure: ``closed``: there is no such connection; ``invalid``: a regular expression is none.
        """
        endpoint = self._endpoint(spec.connection)
        with self._lock:
            found = self._by_spec.get(spec)
            if found is None or found.closed:
                try:
                    made = f"{spec.connection}#logs{os.getpid()}.{next(self._numbers)}"
                    found = LogStream(made, spec, endpoint, self._forget)
                except re.error as error:
                    raise Failure("invalid", f"{error.pattern!r} is no regular expression: {error}") from error
                self._by_spec[spec] = self._by_id[found.id] = found
                self._thread.call(found.start)
            return found.id

    def find(self, id_: str) -> LogStream:
        """By its id.

        Raises:
            Failure: ``closed``: it has ended, and nobody held it.
        """
        found = self._by_id.get(id_)
        if found is None:
            raise Failure("closed", "the logs have ended", todo="run the cell that made them again")
        return found

    def alive(self, id_: str) -> bool:
        """Whether it is there and not closed."""
        found = self._by_id.get(id_)
        return found is not None and not found.closed

    def release(self, id_: str, holder: str) -> None:
        """This holder has gone; harmless where the logs have, too."""
        found = self._by_id.get(id_)
        if found is not None:
            found.release(holder)
            if found.closed and not found.held:
                self._forget(found)

    def close(self, id_: str) -> None:
        """End it, soon; what was read stays readable for who holds it."""
        found = self._by_id.get(id_)
        if found is not None:
            with self._lock:
                if self._by_spec.get(found.spec) is found:
                    del self._by_spec[found.spec]
            self._thread.call(found.close)

    def all(self, conn: str) -> list[dict[str, Any]]:
        """Those of a connection, in numbers: pods, containers by their state, lines, bytes, holders."""
        return [found.stats() for found in list(self._by_id.values()) if found.spec.connection == conn]

    def leave(self, conn: str) -> None:
        """A connection ends; on the loop."""
        for found in list(self._by_id.values()):
            if found.spec.connection == conn:
                found.close()

    def hurry(self, conn: str) -> None:
        """Try again now, whatever waits; on the loop."""
        for found in list(self._by_id.values()):
            if found.spec.connection == conn and not found.closed:
                found.hurry()

    def forked(self) -> dict[str, LogStream]:
        """In a forked child: what may still be read."""
        for found in self._by_id.values():
            found.unlock()
        return dict(self._by_id)

    def inherit(self, id_: str, logs: LogStream) -> None:
        """What a forked child may still read."""
        logs.closed = True
        self._by_id[id_] = logs

    def _forget(self, logs: LogStream) -> None:
        with self._lock:
            if self._by_spec.get(logs.spec) is logs:
                del self._by_spec[logs.spec]
            self._by_id.pop(logs.id, None)
