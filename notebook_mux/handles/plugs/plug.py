"""`plug`: pull it, and see what was lost and what came twice. Made by `nm.plug`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from notebook_mux import ages, errors
from notebook_mux.handles import cutting
from notebook_mux.handles.crossing import told
from notebook_mux.handles.log_following import Reading
from notebook_mux.handles.plugs import kept
from notebook_mux.handles.plugs.ledger import Ledger
from notebook_mux.handles.waiting import Alarm
from notebook_mux.kernel import holder
from notebook_mux.life import process
from notebook_mux.printing.listing import Listing

if TYPE_CHECKING:
    import pandas as pd

    from notebook_mux.handles.logs import Logs
    from notebook_mux.handles.manager import Manager
    from notebook_mux.handles.stream import Stream
    from notebook_mux.widgets.plug import PlugView

LOG, WATCH = "log", "watch"

SOCKET, GATEWAY, KERNEL = "socket cut", "gateway killed", "kernel restarted"

SAVE_SECONDS = 0.5
"""The account is written so often while numbers come: what a kernel that is killed does not write is read again."""

LOOK_SECONDS = 1.0
"""The thread looks so often whether it is to end."""

COLUMNS = ("Source", "Received", "Missing", "Folded", "Twice", "Late", "Last", "Longest gap")

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Cut:
    """One time that the way was cut.

    Attributes:
        what: ``"socket cut"``, ``"gateway killed"`` or ``"kernel restarted"``.
        at: When, in UTC; of a restart, when the kernel before it wrote last.
        back: Seconds until a number that was written after it was here; None while there is none.
    """

    what: str
    at: datetime
    back: float | None


class Plug:
    """Numbers that are counted in the embedded cluster, how many came, and buttons that cut their way.

    A pod writes ten numbers a second into its log, which is followed; a config map's number is raised twice a second
    and watched. A number that is missing, comes twice or comes late is counted. The account survives the kernel.
    Any thread may read.
    """

    def __init__(self, manager: Manager, name: str, uid: str, account: str, logs: Logs, stream: Stream) -> None:
        self._name = name
        self._manager, self._account = manager, account
        self._logs, self._stream = logs, stream
        self._lock = threading.Lock()
        self._ledgers = {LOG: Ledger(first=1), WATCH: Ledger()}
        self._skipped = 0
        self._unwatched = 0
        self._cuts: list[tuple[str, float, float | None]] = []
        self._before: dict[str, Any] = {}
        self._closed = False
        self._saved = 0.0
        self._wakes: tuple[Callable[[], None], ...] = ()
        self._shown: PlugView | None = None
        self._resume(kept.read(account))
        self._alarm = Alarm()
        self._feed = stream._source.held_feed(self._alarm.ring, True, "plug")
        self._reading = Reading(logs._source, initial=True, uid=uid)
        self._held = logs._source.hold("plug")
        self._undone = [logs._source.on_new(self._alarm.ring), logs._source.on_close(self._alarm.ring)]
        threading.Thread(target=self._count, name="notebook_mux plug", daemon=True).start()

    # --- what came ----------------------------------------------------------------------------------------------------

    @property
    def lost(self) -> int:
        """Numbers that have not come although a higher one has, and of which nobody said that they were folded."""
        return sum(int(row["Missing"]) for row in self.rows)

    @property
    def repeated(self) -> int:
        """Numbers that came once more."""
        return sum(int(row["Twice"]) for row in self.rows)

    @property
    def received(self) -> int:
        """Different numbers that came."""
        return sum(int(row["Received"]) for row in self.rows)

    @property
    def longest_gap(self) -> float:
        """Seconds, the longest time between two numbers of the log."""
        with self._lock:
            return max(self._ledgers[LOG].longest, float(self._before.get("longest") or 0.0))

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """What was done to the way, the earliest first; restarts of the kernel too."""
        with self._lock:
            return tuple(Cut(what, ages.utc(at), back) for what, at, back in self._cuts)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The account, one dict a source: ``Source Received Missing Folded Twice Late Last`` and ``Longest gap`` in s.

        ``Folded`` are states of the config map between two others that were left out and said to be: a watch tells
        states, and after a cut the newest is enough. A line of a log is never folded.
        """
        return [self._row(source, ledger) for source, ledger in self._copies().items()]

    def _copies(self) -> dict[str, Ledger]:
        """The ledgers as they stand, and only then how many states were folded.

        The core counts those before what comes behind them: asked for first, a number that came meanwhile would leave
        a hole of which nobody had said that it was folded.
        """
        with self._lock:
            copies = {source: ledger.copy() for source, ledger in self._ledgers.items()}
        self._look_at_skipped()
        return copies

    def _row(self, source: str, ledger: Ledger) -> dict[str, Any]:
        before = self._before.get(source) or {}
        folded = min(ledger.missing, self._skipped) if source == WATCH else 0
        return {
            "Source": f"log of pod {self._name}" if source == LOG else f"watch of configmap {self._name}",
            "Received": ledger.received + (before.get("received", 0) if source == WATCH else 0),
            "Missing": ledger.missing - folded + (before.get("missing", 0) if source == WATCH else 0),
            "Folded": folded + before.get("folded", 0),
            "Twice": ledger.twice + before.get("twice", 0),
            "Late": ledger.late + before.get("late", 0),
            "Last": ledger.last,
            "Longest gap": round(ledger.longest, 3),
        }

    @property
    def columns(self) -> list[str]:
        """The titles of `rows`."""
        return list(COLUMNS)

    def _listing(self) -> Listing:
        cuts = [f"{cut.at:%H:%M:%S} {cut.what}{_back(cut.back)}" for cut in self.cuts]
        notes = [f"{self.lost} lost, {self.repeated} repeated, longest gap {self.longest_gap:.2f} s", *cuts]
        if self._closed:
            notes.append("it counts no more: run the cell with nm.plug() again")
        if self._unwatched:
            notes.append(f"{self._unwatched} states of the config map passed while there was no kernel to watch them")
        return Listing("pull the plug", COLUMNS, self.rows, notes)

    @property
    def text(self) -> str:
        """The account as text."""
        return self._listing().text

    def df(self) -> pd.DataFrame:
        """The account as a pandas DataFrame.

        Raises:
            InvalidArgument: pandas is not installed.
        """
        return self._listing().df()

    # --- the plug -----------------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """Cut the socket, as a lost network would. It comes back by itself. Does not wait."""
        self._check()
        cutting.cut(self._manager._identity)
        self._note(SOCKET)

    def kill_gateway(self) -> int:
        """Kill the gateway without a word (SIGKILL), as a crash would; the next one is started by itself.

        What it keeps ends with it: terminals, programs and forwarded ports, those of your other notebooks too.

        Returns:
            The process that was killed.

        Raises:
            InvalidArgument: It was given by URL or started by hand: it is not this notebook's to kill.
            GatewayError: There is none just now.
        """
        self._check()
        pid = cutting.kill_gateway(self._manager._identity)
        self._note(GATEWAY)
        return pid

    def _note(self, what: str) -> None:
        """It has been done: what was written until now may have come before it, and is no sign of being back."""
        with self._lock:
            self._cuts.append((what, time.time(), None))
        self._save()
        self._wake()

    # --- the account --------------------------------------------------------------------------------------------------

    def _resume(self, account: dict[str, Any]) -> None:
        """Go on with what an earlier kernel wrote."""
        kept.clean()
        if not account:
            return
        self._before = account.get("before") or {}
        self._unwatched = int(account.get("unwatched") or 0)
        self._cuts = [(str(what), float(at), back) for what, at, back in account.get("cuts") or ()]
        if account.get("kernel") != _kernel():
            self._cuts.append((KERNEL, float(account.get("at") or time.time()), None))

    def _save(self) -> None:
        sums = {source: self._sums(source, ledger) for source, ledger in self._copies().items()}
        with self._lock:
            self._saved = time.monotonic()
            longest = max(self._ledgers[LOG].longest, float(self._before.get("longest") or 0.0))
            account = {
                "before": {**sums, "longest": longest},
                "unwatched": self._unwatched,
                "cuts": self._cuts,
                "kernel": _kernel(),
                "at": max(ledger.at for ledger in self._ledgers.values()) or time.time(),
            }
        kept.write(self._account, account)

    def _sums(self, source: str, ledger: Ledger) -> dict[str, Any]:
        row = self._row(source, ledger)
        return {name.lower(): row[name] for name in ("Received", "Missing", "Folded", "Twice", "Late", "Last")}

    def _look_at_skipped(self) -> None:
        """How many states of the config map were folded, as the core counts them; and the reader's own."""
        try:
            _, id_ = self._stream._source.opened()
            streams = told(holder.core().status, self._manager._identity.connection)["streams"]
        except errors.MuxError:
            return
        skipped = next((int(one.get("skipped", 0)) for one in streams if one["id"] == id_), 0)
        self._skipped = skipped + self._feed.missed

    # --- counting -----------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        """The thread's: take in what comes until it is closed."""
        while not self._closed:
            try:
                self._alarm.future().result(LOOK_SECONDS)
            except TimeoutError:
                pass
            try:
                came = self._take()
            except errors.MuxError:
                break  # the logs or the stream were closed, or their connection; or the cluster was begun anew
            if came:
                if time.monotonic() - self._saved > SAVE_SECONDS:
                    self._save()
                self._wake()
        self.close()

    def _take(self) -> bool:
        came = False
        for kind, _, new, _ in self._feed.drain():
            if kind == "DELETED":
                raise errors.Closed("what counted is there no more")
            number = _number_of(new)
            if number is not None:
                came = True
                self._put(WATCH, number, 0)
        while lines := self._reading.more():
            for line in lines:
                if not line.mark and line.text.isdecimal():
                    came = True
                    self._put(LOG, int(line.text), line.ns)
        return came

    def _put(self, source: str, number: int, written: int) -> None:
        now = time.time()
        with self._lock:
            ledger = self._ledgers[source]
            if source == WATCH and ledger.last is None:
                before = (self._before.get(WATCH) or {}).get("last")
                self._unwatched += max(0, number - before - 1) if isinstance(before, int) else 0
            ledger.take(number, now)
            if source == LOG:
                self._cuts = [
                    (what, at, now - at if back is None and written / NANOSECONDS > at else back)
                    for what, at, back in self._cuts
                ]

    # --- for the widget -----------------------------------------------------------------------------------------------

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have a function called when numbers came, on a thread of its own; it must not block. Returns the undo."""
        self._wakes = (*self._wakes, callback)

        def undo() -> None:
            self._wakes = tuple(one for one in self._wakes if one is not callback)

        return undo

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()

    # --- the end ------------------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Stop counting. The pod and the config map go on; `nm.plug` takes the account up again. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._save()
        for undo in self._undone:
            undo()
        self._feed.close()
        self._logs._source.release(self._held)
        self._alarm.ring()
        self._wake()

    def _check(self) -> None:
        if self._closed:
            raise errors.Closed("the plug was closed", todo="run the cell with nm.plug() again")

    def __repr__(self) -> str:
        cuts = f", {len(self._cuts)} cuts" if self._cuts else ""
        return f"<Plug {self._name}: {self.received} received, {self.lost} lost, {self.repeated} repeated{cuts}>"

    def _view_of(self) -> PlugView:
        from notebook_mux.widgets.plug import PlugView

        if self._shown is None or self._shown.closed:
            self._shown = PlugView(self, key=(self._manager._identity.key, self._account))
        return self._shown

    def _ipython_display_(self) -> None:
        """Show it as a widget, with its static copy beside it."""
        self._view_of()._ipython_display_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self._view_of()._repr_mimebundle_(include=include, exclude=exclude)


def _kernel() -> str:
    """What tells this kernel from one before it, even one with its process number."""
    return f"{os.getpid()} {process.start_mark(os.getpid())}"


def _number_of(record: Any) -> int | None:
    from notebook_mux.handles.objects import Object

    if record is None:
        return None
    text = str((Object.of(record, "", None).get("data") or {}).get("number", ""))
    return int(text) if text.isdecimal() else None


def _back(back: float | None) -> str:
    return ", back after " + (f"{back:.2f} s" if back is not None else "…")
