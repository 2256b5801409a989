"""The logs of one client: which of its streams reads which, and what ends them.

Nothing of a log is kept, and none is asked for twice: what a cut has left out is for the client to ask for, which alone
knows what it has had.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qsl

from notebook_mux.errors import InvalidArgument, MuxError
from notebook_mux.kube.scope import checked_query, pod_of
from notebook_mux.remote.programs import told
from notebook_mux.tailing.pipe import Api, Pipe
from notebook_mux.wire import messages
from notebook_mux.wire.sending import Source

MAX_LOGS = 1000
"""Of one client at once; each is a connection to an API server, and up to `pipe.BUFFER_BYTES` of memory."""

MAX_ADDRESS = 4096
"""Characters of path and query together: names of 253 characters, four times over, and a query of ten parameters."""

LOG = frozenset({"log"})

PARAMETERS = frozenset(
    {
        "container",
        "follow",
        "limitBytes",
        "previous",
        "sinceSeconds",
        "sinceTime",
        "stream",
        "tailLines",
        "timestamps",
    }
)
"""What may be asked of a log (core/v1, PodLogOptions), but for ``insecureSkipTLSVerifyBackend``, which has the API
server believe whoever answers in a node's place."""

NO = frozenset({"false", "0"})
"""What an API server takes for no, in any case; all else is yes, nothing at all included
(apimachinery/pkg/runtime/conversion.go)."""

TICK_SECONDS = 10.0
QUIET_SECONDS = 30.0
"""After so long without a sign of life from a cluster whose logs are silent, it is asked for one: a log has no
heartbeat, and a server that has stalled looks like a container that says nothing."""

MISSES = 2
"""Questions without an answer after which a cluster's silent logs are given up."""


class Client(Protocol):
    """What a desk needs of the session whose it is."""

    def send(self, message: messages.Message) -> None:
        """Queue a control message."""

    def wake(self, stream: int) -> None:
        """There may be something to send."""

    def open_lane(self, stream: int, source: Source, credit: int) -> None:
        """Send from `source` as `stream`."""

    def close_lane(self, stream: int) -> None:
        """Send nothing more as `stream`."""


class Desk:
    """See the module. On the loop of whoever has it.

    Args:
        session: Whose.
        find: Gives a cluster that the session has resolved, or raises `UnknownContext`.

    Attributes:
        streams: The logs, by the ids of their streams, until their last frame was taken.
    """

    def __init__(self, session: Client, find: Callable[[str], Api]) -> None:
        self.streams: dict[int, Pipe] = {}
        self._session = session
        self._find = find
        self._ending: set[asyncio.Task[None]] = set()
        self._guarding: asyncio.Task[None] | None = None

    @property
    def requests(self) -> int:
        """Those that the server has not ended: each has a connection of its own."""
        return sum(not pipe.over for pipe in self.streams.values())

    def open(self, message: messages.Log) -> None:
        """Read a log; refused with `messages.Ended`."""
        number = message.stream
        try:
            pipe = self._made(message)
        except MuxError as error:
            self._session.send(messages.Ended(stream=number, **told(error)))  # type: ignore[arg-type]  # code and what are texts
            return
        self.streams[number] = pipe
        self._session.open_lane(number, pipe, message.credit)
        if self._guarding is None or self._guarding.done():
            self._guarding = asyncio.get_running_loop().create_task(self._guard(), name="guard of logs")

    def _made(self, message: messages.Log) -> Pipe:
        number = message.stream
        if len(self.streams) >= MAX_LOGS:
            raise InvalidArgument(
                f"{MAX_LOGS} logs are read at once by one client already", todo="close() some, or ask for fewer pods"
            )
        api = self._find(message.cluster)
        if len(message.path) + len(message.query) > MAX_ADDRESS:
            raise InvalidArgument(f"the path and query of a log have at most {MAX_ADDRESS} characters")
        pod = pod_of(message.path, LOG)
        if pod is None:
            raise InvalidArgument("a path that is no pod's log")
        asked = _asked(message.query)
        container = asked.get("container", "")
        return Pipe(
            api,
            message.path,
            message.query,
            f"the log of {container} in pod {pod}" if container else f"the log of pod {pod}",
            follows="follow" in asked and asked["follow"].lower() not in NO,
            moved=lambda: self._session.wake(number),
            taken=lambda: self._forget(number),
        )

    def end(self, number: int) -> bool:
        """The client wants a log no more; whether it was one."""
        pipe = self.streams.get(number)
        if pipe is None:
            return False
        self._forget(number)
        self._keep(pipe.cancel())
        return True

    def release(self) -> set[asyncio.Task[None]]:
        """The client has gone, and all its logs end; the tasks that do so, for who wants to await them."""
        for number in list(self.streams):
            self.end(number)
        if self._guarding is not None:
            self._guarding.cancel()
            self._keep(self._guarding)
        return set(self._ending)

    def _forget(self, number: int) -> None:
        self.streams.pop(number, None)
        self._session.close_lane(number)

    def _keep(self, task: asyncio.Task[None]) -> None:
        if not task.done():
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _guard(self) -> None:
        """Cut silent logs of clusters that answer nothing else either, as long as there are any."""
        misses: dict[Api, int] = {}
        while self.streams:
            await asyncio.sleep(TICK_SECONDS)
            since = time.monotonic() - QUIET_SECONDS
            silent: dict[Api, list[Pipe]] = {}
            for pipe in self.streams.values():
                if pipe.waits and pipe.heard < since and pipe.api.last_contact < since:
                    silent.setdefault(pipe.api, []).append(pipe)
            alive = await asyncio.gather(*(api.is_alive() for api in silent))
            misses = {api: misses.get(api, 0) + 1 for api, answers in zip(silent, alive, strict=True) if not answers}
            for api, count in misses.items():
                if count >= MISSES:
                    for pipe in silent[api]:
                        pipe.give_up()


def _asked(query: str) -> dict[str, str]:
    """The parameters of a query, the first where one stands twice, as an API server takes it.

    Raises:
        InvalidArgument: It has others than a log's.
    """
    checked_query(query)
    asked: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        asked.setdefault(name, value)
    if not asked.keys() <= PARAMETERS:
        raise InvalidArgument(
            "a query with a parameter that is not one of a log's", todo=f"only these: {', '.join(sorted(PARAMETERS))}"
        )
    return asked
