"""Logs as a widget: batches of columns to the page, which keeps, orders, filters and draws the lines itself."""

from __future__ import annotations

import logging
import math
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from notebook_mux.errors import MuxError
from notebook_mux.widgets import html, messages, traits
from notebook_mux.widgets.base import Content, Draft, Live

log = logging.getLogger(__name__)

FIRST_LINES = 10_000
"""Lines that a page gets unasked: a screen has fifty, and older ones come when somebody scrolls up."""

BATCH_LINES = 5_000
BATCH_BYTES = 512 * 1024
"""Of one message."""

BEHIND_LINES = 50_000
"""So far behind the end a page begins anew at the newest lines: what it missed can be had by scrolling up."""

OLDER_BYTES = 2 * 1024 * 1024
"""Of one answer to a page that scrolls up."""

LINES_INTERVAL = 0.125
FLOOD_INTERVAL = 0.25
"""Between two messages, and behind one of at least `FLOOD_LINES`: nobody reads more pictures a second, and each costs
the page some 20 ms, with JupyterLab's own of a kernel that hears something. After a rest a line goes at once."""

FLOOD_LINES = 400
"""Ten screens full."""

STATE_INTERVAL = 0.5
"""Seconds between two messages on how containers stand: fifty that start at once change their states a lot."""

MIN_HEIGHT, MAX_HEIGHT = 100, 4000
"""Pixels: four lines; far more than a screen."""

COPIED_LINES = 200
"""Lines of the static copy."""

STATES_COPIED = 8
"""Containers whose state is in the static copy, those in trouble first."""

TROUBLES = ("failed", "unreachable", "waiting")

COLUMNS = ("times", "sources", "flags", "ends", "text")
"""As `LogSource.read` names them, and in the order in which a page gets them."""

TIMES = ("local", "utc", "age", "off")

SETTINGS = ("include", "exclude", "highlight")


class Source(Protocol):
    """Where the lines come from. Any thread may call; nothing waits."""

    title: str

    def read(self, after: int, most: int) -> Mapping[str, Any]:
        """Lines numbered above `after`, as the core's columns; ``store`` names what the numbers count in."""

    def standing(self) -> Mapping[str, Any]:
        """The core's ``LogsState``. Never raises."""

    def on_new(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called when lines or states are new; returns the undo."""

    def hold(self, kind: str) -> str:
        """Keep the source going; returns the holder's name."""

    def release(self, name: str) -> None:
        """The holder has gone."""

    def lines(self, last: int | None = None) -> Sequence[Any]:
        """Lines by time: all, or those that came last."""

    def close(self) -> None:
        """End it for all."""


class Part(NamedTuple):
    """Some lines as a message has them."""

    first: int
    end: int
    buffers: list[bytes]


class LogView(Live):
    """The live view of logs; a notebook shows `Logs` by it.

    Args:
        source: The lines.
        key: What makes two of them the same.
        settings: Values for the traits.
    """

    kind: ClassVar[str] = "logs"
    interval: ClassVar[float] = LINES_INTERVAL

    height = traits.Number(400, min=MIN_HEIGHT, max=MAX_HEIGHT, help="The height of the lines in pixels.")
    wrap = traits.Switch(False, help="Whether long lines are wrapped.")
    times = traits.Choice(TIMES, "local", help="How times are shown: in local time, UTC, as ages, or not at all.")
    include = traits.Text(help="A regular expression of JavaScript's: only lines and traces with it are shown.")
    exclude = traits.Text(help="The same, of those that are not shown.")
    highlight = traits.Text(help="The same, of what is marked in the lines.")
    mask = traits.Switch(True, help="Whether what looks like a secret is masked in the static copy.")

    def __init__(self, source: Source, key: Any = None, **settings: Any) -> None:
        self._source = source
        self._undo: Callable[[], None] | None = None
        self._holder = ""
        self._numbers = ""
        self._next = -1
        self._whole: list[str] = []
        self._whole_end = 0
        self._part = 0
        self._head: Content = {}
        self._state: Content = {}
        self._told: Any = None
        self._told_at = -math.inf
        self._state_due = self._more = False
        self._at = 0
        super().__init__(key=key, **settings)
        self.observe(self._changed, ["height", "wrap", "times", *SETTINGS])

    def __repr__(self) -> str:
        return f"<LogView of {self._source.title}{': closed' if self.closed else ''}>"

    def _changed(self, _change: Any) -> None:
        with self._lock:
            self._at += 1
        self._poke()

    # --- to the pages -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._next, self._head, self._state, self._told = -1, {}, {}, None
        try:
            self._holder = self._source.hold("view")
            self._undo = self._source.on_new(self._poke)
        except MuxError:
            log.debug("the logs cannot be held: they were closed", exc_info=True)

    def _stop(self) -> None:
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
        holder, self._holder = self._holder, ""
        if holder:
            self._source.release(holder)

    def _compose(self, everything: list[str]) -> Draft | None:
        state = self._source.standing()
        if not everything and self._next >= 0 and state["end"] - self._next > BEHIND_LINES:
            everything = [page.id for page in self._audience.receiving()]
        if everything:
            self._rewind(everything, state)
        content: Content = {"t": "put"}
        head = self._head_now()
        if everything or head != self._head:
            content["head"] = self._head = head
        told = self._state_now(state, bool(everything))
        if told is not None:
            content["state"] = told
        part = self._lines(state)
        if part.buffers or everything:
            content["lines"] = {
                "first": part.first,
                "numbers": self._numbers,
                "oldest": state["oldest"],
                "end": max(part.end, state["end"]),
                "dropped": state["dropped"],
            }
        if self._whole:
            last = not part.buffers or part.end >= self._whole_end
            content["whole"] = {"to": self._whole, "part": self._part, "last": last}
            self._part += 1
            if last:
                self._whole = []
        self._audience.whole = bool(self._whole)
        self._more = self._next < state["end"] and bool(part.buffers)
        self._audience.interval = FLOOD_INTERVAL if part.end - part.first >= FLOOD_LINES else LINES_INTERVAL
        return (content, part.buffers) if len(content) > 1 else None

    def _later(self) -> float:
        if self._more:
            return 0.0
        return max(0.0, self._told_at + STATE_INTERVAL - time.monotonic()) if self._state_due else math.inf

    def _rewind(self, everything: list[str], state: Mapping[str, Any]) -> None:
        """Begin at the newest lines, or further back where a page that lacks nothing goes on."""
        begin = max(state["oldest"], state["end"] - FIRST_LINES)
        whole = all(page.id in everything for page in self._audience.receiving())
        self._next = begin if whole or self._next < 0 else min(begin, self._next)
        self._whole, self._part, self._whole_end = everything, 0, state["end"]

    def _lines(self, state: Mapping[str, Any]) -> Part:
        try:
            read = self._source.read(self._next - 1, BATCH_LINES)
        except MuxError:
            return Part(self._next, self._next, [])
        numbers = str(read.get("store", ""))
        if numbers != self._numbers:
            # opened anew, with other numbers: from its newest lines on
            before, self._numbers = self._numbers, numbers
            if before and self._next > max(0, state["end"] - FIRST_LINES):
                self._next = max(state["oldest"], state["end"] - FIRST_LINES)
                return self._lines(state)
        part = first_part(read)
        self._next = max(self._next, part.end)
        return part

    def _head_now(self) -> Content:
        settings = {name: getattr(self, name) for name in ("height", "wrap", "times", *SETTINGS)}
        return {"title": self._source.title, "settings": {**settings, "at": self._at}}

    def _state_now(self, state: Mapping[str, Any], everything: bool) -> Content | None:
        """How the containers stand, where a page does not know it; not too often."""
        now = time.monotonic()
        version = (state["version"], state["closed"], bool(state["problem"]))
        if not everything and version == self._told:
            self._state_due = False
            return None
        if not everything and now - self._told_at < STATE_INTERVAL:
            self._state_due = True
            return None
        told = state_of(state)
        same = told == self._state
        self._state, self._told, self._told_at, self._state_due = told, version, now, False
        return told if everything or not same else None

    # --- from the pages -----------------------------------------------------------------------------------------------

    def _do(self, message: messages.Message, buffers: Any) -> Content | None:
        if isinstance(message, messages.Older):
            answer, columns = self._older(message)
            self._publish({"t": "reply", "page": message.page, "id": message.id, "ok": True, **answer}, columns)
            return None
        return super()._do(message, buffers)

    def _older(self, message: messages.Older) -> tuple[Content, list[bytes]]:
        """The lines before one that a page has, up to it."""
        after = max(-1, message.before - message.most - 1)
        read = self._source.read(after, message.before - 1 - after)
        part = last_part(read, message.before)
        return {"first": part.first, "oldest": read["oldest"], "numbers": str(read.get("store", ""))}, part.buffers

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Set):
            return self._set(message)
        if isinstance(message, messages.Do) and message.what == "close":
            self._source.close()
            self._poke()
            return {"said": "closed"}
        return super()._act(message)

    def _set(self, message: messages.Set) -> Content:
        name, value = message.name, message.value
        if not (
            (name == "wrap" and isinstance(value, bool))
            or (name == "times" and value in TIMES)
            or (name in SETTINGS and isinstance(value, str))
        ):
            raise ValueError("there is no such setting, or its value is of another type")
        setattr(self, name, value)
        return {"at": self._at}  # by which pages tell what is older than their own change

    # --- the copy -----------------------------------------------------------------------------------------------------

    def _last_lines(self) -> list[Any]:
        try:
            return list(self._source.lines(COPIED_LINES))
        except MuxError:  # closed: the states say so
            return []

    def _note(self, state: Mapping[str, Any], copied: int) -> str:
        lines = state["lines"]
        some = f", the last {copied} shown" if copied < lines else ""
        return f"{lines} {'line' if lines == 1 else 'lines'}{some}"

    def _states(self, state: Mapping[str, Any]) -> list[str]:
        """How things stand, in lines of a copy: a server's words may have an address with a password in it."""
        from notebook_mux.printing.masking import masked

        states = copied_states(state)
        return [masked(line) for line in states] if self.mask else states

    def _static_html(self) -> str:
        from notebook_mux.printing import log_text

        now, state, lines = time.time(), self._source.standing(), self._last_lines()
        return html.lines(
            key=self._copy_id,
            title=f"logs of {self._source.title}",
            note=self._note(state, len(lines)),
            states=self._states(state),
            shown=log_text.html(lines, now=now, sources=state["sources"], masked=self.mask),
            now=now,
            beside=not self._static,
        )

    def _static_text(self) -> str:
        from notebook_mux.printing import log_text

        now, state, lines = time.time(), self._source.standing(), self._last_lines()
        head = f"logs of {self._source.title} · {self._note(state, len(lines))} · as of {html.stamp(now)}"
        return "\n".join(
            [*map(html.clean_line, [head, *self._states(state)]), log_text.text(lines, now=now, masked=self.mask)]
        )


def first_part(read: Mapping[str, Any]) -> Part:
    """The first lines of a batch, within what one message may have."""
    first, ends = read["first"], _ends(read)
    count = len(ends)
    if not count:
        return Part(first, max(first, read["end"]), [])
    if ends[-1] <= BATCH_BYTES:
        return Part(first, first + count, [bytes(read[name]) for name in COLUMNS])
    taken = max(1, bisect_right(ends, BATCH_BYTES))
    return Part(first, first + taken, _cut(read, ends, 0, taken))


def last_part(read: Mapping[str, Any], before: int) -> Part:
    """The lines of a batch before one, those next to it, within what one answer may have."""
    first, ends = read["first"], _ends(read)
    end = min(len(ends), before - first)
    if end <= 0:
        return Part(before, before, [])
    least = ends[end - 1] - OLDER_BYTES
    begin = min(end - 1, bisect_right(ends, least) + 1) if least > 0 else 0
    return Part(first + begin, first + end, _cut(read, ends, begin, end))


def _ends(read: Mapping[str, Any]) -> Any:
    return memoryview(read["ends"]).cast("I")


def _cut(read: Mapping[str, Any], ends: Any, begin: int, end: int) -> list[bytes]:
    """The columns of some of the lines."""
    widths = {"times": 8, "sources": 4, "flags": 2}
    start = ends[begin - 1] if begin else 0
    made = [bytes(read[name][begin * width : end * width]) for name, width in widths.items()]
    return [
        *made,
        array("I", [at - start for at in ends[begin:end]]).tobytes(),
        bytes(read["text"][start : ends[end - 1]]),
    ]


def state_of(state: Mapping[str, Any]) -> Content:
    """How the containers stand, as a page knows it: without what each line changes."""
    return {
        "sources": [
            {
                "cluster": one["cluster"],
                "namespace": one["namespace"],
                "pod": one["pod"],
                "container": one["container"],
                "kind": one["kind"],
                "restart": one["restart"],
                "state": one["state"],
                "reason": one["reason"] or "",
                "said": one["said"] or "",
                "todo": one["todo"] or "",
                "since": one["since"] or 0,
                "retryAt": one["retry_at"],
                "color": one["color"],
            }
            for one in state["sources"]
        ],
        "pods": state["pods"],
        "leftOut": list(state["left_out"]),
        "settled": state["settled"],
        "closed": state["closed"],
        "problem": state["problem"],
        "note": state["note"],
        "maxLines": state["max_lines"],
        "maxBytes": state["max_bytes"],
    }


def copied_states(state: Mapping[str, Any]) -> list[str]:
    """How things stand, in lines of a copy."""
    made = []
    if state["problem"]:
        problem = state["problem"]
        made.append(": ".join(dict.fromkeys(filter(None, (problem["what"], problem["said"])))))
    if state["note"]:
        made.append(state["note"])
    troubled = [one for one in state["sources"] if one["state"] in TROUBLES]
    troubled.sort(key=lambda one: TROUBLES.index(one["state"]))
    for one in troubled[:STATES_COPIED]:
        name = f"{one['cluster']} · {one['namespace']}/{one['pod']} · {one['container']}"
        made.append(html.standing(name, one["state"], one["reason"], one["said"]))
    counts: dict[str, int] = {}
    for one in state["sources"]:
        counts[one["state"]] = counts.get(one["state"], 0) + 1
    if counts:
        made.append("containers: " + ", ".join(f"{number} {name}" for name, number in counts.items()))
    if state["left_out"]:
        made.append(f"{len(state['left_out'])} pods are left out: there are more than max_pods")
    if state["dropped"]:
        made.append(f"the oldest {state['dropped']} lines were dropped: the bound of what is kept was reached")
    return made
