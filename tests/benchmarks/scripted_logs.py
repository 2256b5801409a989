"""A sender in the API server's place whose pods write logs at a rate, as one reads them from the kubelet: in batches.

Run as a child with ``{"pods": 20, "folder": ..., "rate": 1000, "seconds": 60}``; it says ``{"port", "kubeconfig"}`` and
answers all that `scripted_exec` answers. Line n of a pod is of the moment ``n / rate`` after the order to begin, and
says its number, so that a reader can tell what is missing or twice.

- ``{"write": true}``: begin; answered at once with how many lines each pod will write.
- ``{"counts": true}``: the requests for logs that are open, and all there have been.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.benchmarks.processes import arguments, many_files, order, orders_async, say
from tests.benchmarks.scripted_api import UNSENT_BYTES, chunk, listen, run_loop
from tests.benchmarks.scripted_exec import ExecApi

BATCH_SECONDS = 0.05
"""Between two looks of a source at what is new."""

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
NANO = 1_000_000_000
FORMS = (
    b'level=info msg="GET /api/v1/items" request=#%d status=200 took=12ms user=somebody@example.com',
    b'{"level":"info","msg":"GET /api/v1/items","request":"#%d","status":200,"took":"12ms","user":"somebody"}',
    b"INFO  web: GET /api/v1/items #%d 200 12ms, which is as usual for this kind of request",
    b"WARN  web: GET /api/v1/items #%d 503 after 1500ms, and it is tried again with another one",
)
"""What pods write, by the pod's number; the line's own number is behind a #."""


class Log:
    """What one pod writes."""

    def __init__(self, number: int, rate: float, lines: int) -> None:
        self._form = FORMS[number % len(FORMS)]
        self._rate = rate
        self.lines = lines

    def due(self, began: float, now: float) -> int:
        """How many lines there are by now; `began` and `now` in seconds."""
        return max(0, min(self.lines, int((now - began) * self._rate)))

    def text(self, first: int, end: int, began: float) -> bytes:
        """These lines with their timestamps, of nine digits."""
        return b"".join(self._line(number, began) for number in range(first, end))

    def _line(self, number: int, began: float) -> bytes:
        seconds, nanos = divmod(int(began * NANO) + int(number / self._rate * NANO), NANO)
        stamp = _second(seconds)
        return b"%b.%09dZ %b" % (stamp, nanos, self._form % number) + b"\n"


_seconds: dict[int, bytes] = {}


def _second(seconds: int) -> bytes:
    found = _seconds.get(seconds)
    if found is None:
        if len(_seconds) > 1000:
            _seconds.clear()
        found = _seconds[seconds] = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
    return found


class LogApi(ExecApi):
    """`ExecApi`, and its pods write logs."""

    def __init__(self, pods: int, rate: float, seconds: float) -> None:
        super().__init__(pods)
        self.logs = {pod.name: Log(pod.number, rate, round(rate * seconds)) for pod in self.population.pods}
        self._rate = rate
        self._began = asyncio.get_running_loop().create_future()
        self.open = self.asked = 0

    def write(self) -> None:
        """All begin to write."""
        if not self._began.done():
            self._began.set_result(float(int(time.time()) + 1))  # the first line is of a whole second

    async def _serve(
        self,
        method: str,
        target: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        parts = urlsplit(target)
        words = unquote(parts.path).strip("/").split("/")
        if words[4:5] == ["pods"] and words[6:] == ["log"] and words[5] in self.logs:
            self.open, self.asked = self.open + 1, self.asked + 1
            try:
                await self._log(self.logs[words[5]], {k: v[-1] for k, v in parse_qs(parts.query).items()}, writer)
            finally:
                self.open -= 1
            return
        await super()._serve(method, target, headers, reader, writer)

    async def _log(self, log: Log, query: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED)
        began = await asyncio.shield(self._began)
        at = log.due(began, time.time())
        if "sinceTime" in query:
            since = datetime.fromisoformat(query["sinceTime"]).timestamp()
            at = max(0, min(log.lines, int((since - began) * self._rate)))
        elif "tailLines" in query:
            at = max(0, at - int(query["tailLines"]))
        else:
            at = 0
        while query.get("follow") == "true" or at < log.due(began, time.time()):
            due = log.due(began, time.time())
            for first in _steps(at, due):
                writer.write(chunk(log.text(first, min(first + STEP, due), began)))
                if writer.transport.get_write_buffer_size() > UNSENT_BYTES:
                    await writer.drain()
            at = due
            if writer.is_closing():
                raise ConnectionResetError
            await asyncio.sleep(BATCH_SECONDS)
        writer.write(chunk(b""))
        await writer.drain()


STEP = 200
"""Lines of one chunk."""


def _steps(first: int, end: int) -> Iterator[int]:
    return iter(range(first, end, STEP))


async def main(pods: int, folder: str, rate: float, seconds: float) -> None:
    """Serve until the input ends."""
    many_files()
    api = LogApi(pods, rate, seconds)
    server, said = await listen(api, Path(folder))
    say(**said)
    reader = await orders_async()
    while (given := await order(reader)) is not None:
        if "write" in given:
            api.write()
            say(lines=round(rate * seconds))
        else:
            say(open=api.open, asked=api.asked)
    server.close()


if __name__ == "__main__":
    run_loop(main(**arguments()))
