"""A terminal as the kernel has it: found or started at the gateway, followed, and found again after a cut.

Its program is the gateway's affair, and its screen a page's; here is only how it stands.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from notebook_mux.kernel.endpoint import REQUEST_SECONDS, Endpoint
from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.requests import LOST_WORDS
from notebook_mux.kernel.views import Said, Say, View
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel
from notebook_mux.wire.terminals import TerminalFound, TicketGiven

GONE = "the gateway that held it is gone, and the connection to its program with it"

LOST_WHILE_STARTING = "the gateway was lost before it said whether it had started the program"

DIALECT = "headlamp"
"""What a connection's details say where there is no gateway of ours; see `notebook_mux.headlamp.bridge`."""

GONE_TODO = "start it anew: press Enter in it, or call again()"

_ids = itertools.count(1)


class Terminal:
    """One terminal. A `connection.StreamHandler` too: its own look at how the terminal stands, without its output.

    On the loop's thread, but `now` may be read on any.

    Args:
        endpoint: The connection's.
        ref: The cluster.
        order: ``key``, ``path``, ``queries``, ``tty``, ``stdin``, ``scope``, ``title``, ``notebook`` and ``delete`` of
            `messages.Terminal`.
        about: Plain data of the handles' own, kept with it through reloads.

    Attributes:
        id: Its name in this core.
        terminal: Its id at the gateway; "" while there is none.
        settled: Set while it runs, has ended, or could not be.
        changed: Set at each change.
        now: How it stands; a new dict at each change.
    """

    def __init__(self, endpoint: Endpoint, ref: str, order: dict[str, Any], about: dict[str, Any]) -> None:
        self.id = f"{endpoint.name}#terminal-{next(_ids)}"
        self.endpoint = endpoint
        self.ref = ref
        self.order = order
        self.about = about
        self.terminal = ""
        self.settled = asyncio.Event()
        self.changed = asyncio.Event()
        self.views: dict[str, View] = {}
        self.wakes: dict[int, Callable[[], None]] = {}
        self.now: dict[str, Any] = {
            "id": self.id, "key": order["key"], "ref": ref, "scope": order["scope"], "connection": endpoint.name,
            "state": "starting", "reason": "", "code": "", "said": None, "todo": None, "returncode": None,
            "command": (), "run": 0, "since": time.time(), "created": False, "others": (), "kept": 0.0,
            "offline": None, "about": about, "path": order["path"], "queries": tuple(order["queries"]),
        }  # fmt: skip
        self._look = secrets.token_hex(16)
        self._stream = 0
        self._known = False
        self._replay: dict[str, Any] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # --- asking the gateway -------------------------------------------------------------------------------------------

    async def ask(self, start: str, *, terminal: str = "", resend: bool = True) -> TerminalFound:
        """One request `messages.Terminal`.

        Raises:
            Failure: The gateway's.
        """
        answer = await self.endpoint.ask(
            messages.Terminal,
            cluster=self.endpoint.current_ref(self.ref),
            start=start,
            terminal=terminal,
            timeout=REQUEST_SECONDS,
            resend=resend,
            **self.order,
        )
        return msgspec.convert(answer, TerminalFound)

    async def create(self) -> TerminalFound:
        """Have it found or started, by one gateway at most: asking another one again might start it twice.

        Raises:
            Failure: The gateway's; ``outcome-unknown`` where it was lost before it answered and has no successor that
                knows.
        """
        line = self.endpoint.connection
        while True:
            await line.open(REQUEST_SECONDS)
            asked = line.welcome
            try:
                return await self.ask("create", resend=False)
            except Failure as failure:
                if failure.fields["what"] != LOST_WORDS:
                    raise
            unknown = Failure(
                "outcome-unknown", LOST_WHILE_STARTING, todo="look whether it runs before you start it again"
            )
            try:
                found = await self.ask("find")
            except Failure:
                raise unknown from None
            if found.terminal:
                return found
            if asked is None or line.welcome is None or line.welcome.instance != asked.instance:
                raise unknown

    def found(self, at: TerminalFound) -> None:
        """It is there: follow it, and show it to who looks."""
        new = at.terminal != self.terminal
        self.terminal, self._known = at.terminal, True
        if at.path and not at.created:
            self.order |= {"path": at.path, "queries": at.queries, **_flags(at.queries)}
        path, queries = self.order["path"], tuple(self.order["queries"])
        self._change(created=at.created, others=tuple(at.others), path=path, queries=queries)
        line = self.endpoint.connection
        line.attach(self)
        if new or not at.created or not self._stream:  # how it stands may have been told before we listened
            self._look = secrets.token_hex(16) if new else self._look
            line.again(self)
        for view in list(self.views.values()):
            if new:  # its places are another one's, whatever became of that
                view.renewed()
            elif not view.stream:
                line.again(view)

    async def again(self) -> None:
        """Start the program anew: in the same terminal, or in a new one where the gateway has it no more.

        Raises:
            Failure: It runs, or it cannot be.
        """
        if self.now["state"] == "running":
            raise Failure("invalid", "its program still runs", todo="end it first: exit, or Ctrl-D")
        if self.terminal and self._known:
            await self._start("again", self.terminal)
        else:
            await self._start("create")

    async def take(self, terminal: str) -> None:
        """Have one of another kernel of this notebook in this one's place; this one's own ends.

        Raises:
            Failure: It is not there any more, or it is not ours to have.
        """
        at = await self.ask("find")
        if terminal not in [one["terminal"] for one in at.others]:
            self._change(others=tuple(at.others))
            raise Failure("not-found", "the terminal to take over is not there any more")
        if at.terminal:  # a kernel has one of each key
            await self._hangup(at.terminal)
        await self._start("take", terminal)

    async def _start(self, start: str, terminal: str = "") -> None:
        self._expect()
        try:
            self.found(await self.ask(start, terminal=terminal, resend=False))
        except Failure as failure:
            self._failed(failure)
            raise

    async def ticket(self, origin: str) -> dict[str, Any]:
        """A page's right to a WebSocket of its own.

        Raises:
            Failure: There is no such way here, or the terminal is away.
        """
        terminal = self.terminal
        if not (terminal and self._known):
            raise Failure("unreachable", "the terminal is not at hand now")
        answer = await self.endpoint.ask(
            messages.Ticket, terminal=terminal, origin=origin, timeout=REQUEST_SECONDS, resend=False
        )
        given: dict[str, Any] = msgspec.to_builtins(msgspec.convert(answer, TicketGiven))
        return {**given, "terminal": terminal}  # the page's `view` has to name it

    async def close(self) -> None:
        """End it for good, program and all; idempotent."""
        terminal, self.terminal, self._known = self.terminal, "", False
        self.left("closed by close()")
        if terminal:
            await self._hangup(terminal)

    async def _hangup(self, terminal: str) -> None:
        try:
            await self.endpoint.ask(messages.Hangup, terminal=terminal, timeout=REQUEST_SECONDS)
        except Failure as failure:
            if failure.code not in ("not-found", "closed"):
                raise

    def left(self, reason: str) -> None:
        """Let go of it here; at the gateway it is as it was."""
        self._known = False
        for task in list(self._tasks):
            task.cancel()
        self.endpoint.connection.detach(self)
        for view in self.views.values():
            self.endpoint.connection.detach(view)
            view.control(messages.Ended(stream=0, code="closed", what=reason))
        self.views.clear()
        self._change(state="closed", reason=reason, offline=None)
        self.settled.set()

    # --- views --------------------------------------------------------------------------------------------------------

    def look(self, name: str, say: Say) -> View:
        """A view for a page."""
        view = View(self.endpoint.connection, lambda: self.terminal if self._known else "", say, alone=self._alone)
        self.views[name] = view
        self.endpoint.connection.attach(view)
        return view

    def hear(self, name: str, said: Sequence[Said]) -> None:
        """What a page says; nothing where its view has gone."""
        view = self.views.get(name)
        if view is not None:
            view.take(said)

    def look_away(self, name: str) -> None:
        """The page has gone."""
        view = self.views.pop(name, None)
        if view is not None:
            self.endpoint.connection.detach(view)

    # --- what the connection calls ------------------------------------------------------------------------------------

    def begin(self, stream: int, credit: int) -> messages.View | None:
        """The socket is open: look how it stands, once it is known that this gateway has it."""
        if not self.terminal:
            return None
        if not self._known:
            self._spawn(self._find_again())
            return None
        self._stream, self._replay = stream, {}
        return messages.View(stream=stream, terminal=self.terminal, view=self._look, credit=credit, output=False)

    def data(self, channel: int, payload: bytes) -> None:
        """What happens to a run, and where what is shown again ends."""
        if channel == Channel.ERROR:
            event = msgspec.json.decode(payload)
            if self._replay is not None:
                self._replay = event  # the last counts: what was before it is over
            else:
                self._happened(event)
        elif channel == Channel.VIEW and b'"live"' in payload and self._replay is not None:
            event, self._replay = self._replay, None
            self._change(offline=None)
            # All that is not kept any more is output of a program that goes on.
            self._happened(event or {"state": "running"})

    def control(self, message: Any) -> None:
        """The gateway's word: it shows it, or has it no more."""
        if isinstance(message, messages.Shown):
            self._change(offline=None, kept=0.0 if self._alone() else message.kept)
        elif isinstance(message, messages.Ended) and self._known:
            self.terminal, self._known, self._stream = "", False, 0
            self._lost(message.what, message.code, message.said, message.todo or GONE_TODO)

    def lost(self, reason: str, retry_at: float | None) -> None:
        """The socket is gone; the terminal is not."""
        self._known, self._replay, self._stream = False, None, 0
        for task in list(self._tasks):
            task.cancel()
        if self.now["state"] != "closed":
            self._change(offline=(reason, retry_at))

    async def _find_again(self) -> None:
        """On a new socket: whether this gateway has it; nothing is started that nobody asked for."""
        try:
            at = await self.ask("find", resend=False)
        except Failure as failure:
            if failure.code in ("unreachable", "gateway", "timeout", "closed"):
                return  # the next socket asks again
            self._failed(failure)
            return
        if at.terminal == self.terminal:
            self.found(at)
            return
        self.terminal = ""
        self._lost(GONE, "outcome-unknown", None, GONE_TODO)

    def _spawn(self, steps: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(steps)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _alone(self) -> bool:
        """Whether nobody but this process keeps it: a Headlamp server keeps nothing."""
        return self.endpoint.connection.details().get("dialect") == DIALECT

    # --- how it stands ------------------------------------------------------------------------------------------------

    def _expect(self) -> None:
        """A run is about to begin."""
        self.settled.clear()
        self._change(state="starting", reason="", code="", said=None, todo=None, returncode=None)

    def _failed(self, failure: Failure) -> None:
        fields = failure.fields
        self._lost(fields["what"], failure.code, fields.get("said"), fields.get("todo"))

    def _lost(self, what: str, code: str, said: str | None, todo: str | None) -> None:
        self._change(state="lost", reason=what, code=code, said=said, todo=todo, returncode=None, offline=None)
        self.settled.set()

    def _happened(self, event: dict[str, Any]) -> None:
        """One event of a run, as `Channel.ERROR` tells it."""
        state, at = event.get("state"), event.get("at") or time.time()
        run = event.get("run", self.now["run"])
        if state == "starting":
            self._expect()
            self._change(run=run, since=at)
        elif state == "running":
            command = tuple(event.get("command") or ()) or self.now["command"]
            self._change(state="running", reason="", returncode=None, command=command, run=run, since=at)
        elif state == "ended":
            code, message = event.get("code"), event.get("message") or ""
            self._change(state="ended", reason=message, returncode=code, run=run, since=at)
        elif state == "lost":
            self._change(run=run, since=at)
            self._lost(event.get("what", ""), event.get("code", ""), event.get("said"), event.get("todo"))
        if state in ("running", "ended"):
            self.settled.set()

    def _change(self, **fields: Any) -> None:
        now = {**self.now, **fields}
        if now != self.now:
            self.now = now
            self.changed.set()
            for wake in list(self.wakes.values()):
                wake()


def _flags(queries: list[str]) -> dict[str, bool]:
    """Whether a program that was started with these has a terminal and input."""
    flags = dict(parse_qsl(queries[0])) if queries else {}
    return {name: flags.get(name) == "true" for name in ("tty", "stdin")}
