"""`logs`: the lines of containers of pods, merged by their time, kept and followed. Made by `nm.logs`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from notebook_mux import errors
from notebook_mux.handles import log_targets
from notebook_mux.handles.crossing import told
from notebook_mux.handles.held import Handle
from notebook_mux.handles.holders import Handles
from notebook_mux.handles.log_following import Following, Reading
from notebook_mux.handles.log_lines import Line, batch_of, everything
from notebook_mux.handles.log_source import SETTLE_SECONDS, LogSource
from notebook_mux.handles.log_standing import ContainerLog, container_of, standing, state_of
from notebook_mux.handles.patterns import Regex, compiled
from notebook_mux.handles.questions import DEFINITE_CODES
from notebook_mux.handles.waiting import Alarm, Wait, blocking, deadline_in
from notebook_mux.kernel import holder
from notebook_mux.printing import log_files, log_frame, log_text

if TYPE_CHECKING:
    import pandas as pd

    from notebook_mux.handles.manager import Manager
    from notebook_mux.widgets.logs import LogView

WAIT_SECONDS = 60.0

SHOWN_LINE = 120
"""Characters of the last line that an error shows."""

MEMO = "logs"
"""In the core's memo: what was asked → the question as the core has it, whose times are of when it was asked first."""


class Logs(Handle):
    """Lines of containers, kept up to a bound and followed. Made by `nm.logs`; the same arguments give the same ones.

    Any thread may call; calls that wait say so. `len`, iteration and `lines` are of what is kept now, by time; marks of
    what happened between two lines are among them (`Line.mark`).
    """

    _source: LogSource

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._keep(True)

    # --- how they stand -------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """What they are of, such as ``deployment web in default``."""
        return self._source.title

    @property
    def state(self) -> str:
        """``"starting" "live" "waiting" "unreachable" "failed" "ended" "closed"``; see `reason` and `sources`.

        The best of its containers'. Waiting: for a container, or for pods that are not there yet.
        """
        return state_of(self._source.standing(), self._source.closed)

    @property
    def reason(self) -> str:
        """How its containers stand, in words."""
        if self.closed:
            return "closed by close()"
        return standing(self._source.standing())

    @property
    def sources(self) -> tuple[ContainerLog, ...]:
        """The containers, those that have ended too, in the order in which they came. Never waits."""
        return tuple(container_of(one) for one in self._source.standing()["sources"])

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names of pods beyond `max_pods`, which are not read."""
        return tuple(self._source.standing()["left_out"])

    @property
    def dropped(self) -> int:
        """Lines that were kept once and are not any more: the oldest go where a bound is reached."""
        return int(self._source.standing()["dropped"])

    # --- reading --------------------------------------------------------------------------------------------------

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines that are kept, by time, marks among them.

        Raises:
            Closed: They were closed.
        """
        return tuple(self._source.lines())

    def __len__(self) -> int:
        return int(self._source.standing()["lines"])

    def __bool__(self) -> bool:
        return True  # `if logs:` asks whether there are any logs and not whether they have said something

    def __iter__(self) -> Iterator[Line]:
        return iter(self._source.lines())

    def df(self, fields: bool = False, *, marks: bool = False) -> pd.DataFrame:
        """The lines as a pandas DataFrame, by time.

        Args:
            fields: Whether the fields of lines that are JSON objects, logfmt or structured klog are columns too. Names
                of nested ones are joined by dots; one that is a column already gets ``field_`` before it.
            marks: Whether marks are rows too, with the column ``mark``.

        Returns:
            ``time`` (UTC, nanoseconds), ``cluster``, ``namespace``, ``pod``, ``container``, ``level`` (an ordered
            categorical), ``text``.

        Raises:
            InvalidArgument: pandas is not installed.
            Closed: They were closed.
        """
        reads = everything(self._source.read, self._source.end())
        return log_frame.frame(batch_of(reads), self._source.standing()["sources"], fields=fields, marks=marks)

    @property
    def masked(self) -> bool:
        """Whether what looks like a secret is replaced by ``<masked>`` in copies that are saved with a notebook.

        It can be set. Data (`lines`, `df`) are never masked, nor is the live view.
        """
        return self._source.masked

    @masked.setter
    def masked(self, masked: bool) -> None:
        self._source.masked = bool(masked)
        if self._source.shown is not None:
            self._source.shown.mask = self._source.masked

    def text(self, *, masked: bool | None = None, last: int | None = None) -> str:
        """The lines as text, each with its time (UTC) and its container, without escape codes.

        Args:
            masked: Whether what looks like a secret is replaced by ``<masked>``; None is as `masked` of the logs.
            last: How many of those that came last; None is all.

        Raises:
            Closed: They were closed.
        """
        return "\n".join(log_text.plain(self._source.lines(last), masked=self.masked if masked is None else masked))

    def save(self, path: str | Path, *, masked: bool | None = None) -> Path:
        """Write the lines into a file, which is readable by its owner alone; one that is there is replaced.

        Args:
            path: A name with ``.jsonl``, ``.ndjson`` or ``.json`` gets an object a line, whose text is as it came
                where it is not masked; any other gets `text`.
            masked: As for `text`.

        Returns:
            The file's absolute path.

        Raises:
            Closed: They were closed.
            InvalidArgument: The file cannot be written.
        """
        target = Path(path).expanduser().absolute()
        lines, masked = self._source.lines(), self.masked if masked is None else masked
        try:
            log_files.write(target, lines, masked=masked)
        except OSError as error:
            raise errors.InvalidArgument(f"{target} cannot be written: {error.strerror}") from None
        return target

    # --- following ------------------------------------------------------------------------------------------------

    def follow(self, initial: bool = True) -> Following:
        """The lines one by one as they come, for ``async for`` on any loop and for ``for`` in any thread.

        Nothing is left out without a mark. It ends when the logs are closed, and without `follow=True` of `nm.logs`
        when all has been read. ``for`` waits, and can be interrupted.

        Args:
            initial: Whether the lines that are kept come first.

        Raises:
            Closed: They were closed.
        """
        return Following(self._source, initial)

    def __aiter__(self) -> Following:
        return self.follow()

    def wait(self, until: str | Regex, timeout: float | None = WAIT_SECONDS) -> Line:
        """Wait for a line, showing what it waits for; an interrupt ends the wait alone.

        Lines that are there already count, from the oldest on.

        Args:
            until: A regular expression that is to be found in a line's text.
            timeout: Seconds; None is for ever.

        Returns:
            The first such line.

        Raises:
            TimedOut: With the last line there was.
            NotFound: There is none, and nothing more will come.
            InvalidArgument: It is no regular expression; with the place.
            Closed: The logs were closed meanwhile.
        """
        return blocking(self._wait(until, timeout))

    async def _wait(self, until: Any, timeout: float | None) -> Line:
        """The steps of `wait`, for `waiting.blocking` and `waiting.awaiting`."""
        pattern, source = compiled(until, "what is waited for"), self._source
        deadline, alarm = deadline_in(timeout), Alarm()
        name = source.hold("wait")
        forget = source.on_close(alarm.ring)
        try:
            undo = source.on_new(alarm.ring)
            try:
                reading = Reading(source, initial=True)
                what = f"a line that matches {pattern.pattern!r} in the logs of {source.title}"
                while True:
                    lines = reading.more()
                    found = next((one for one in lines if not one.mark and pattern.search(one.text)), None)
                    if found is not None:
                        return found
                    if deadline is not None and time.monotonic() > deadline:
                        raise self._late(what, reading, timeout)
                    if lines:
                        continue
                    if source.closed:
                        raise source._closed()
                    if reading.at_end():
                        raise errors.NotFound(
                            f"there is no {what.removeprefix('a ')}: {_looked_at(reading)}, and no more will come",
                            todo="ask for more of them with tail=None or an earlier since=, or follow=True",
                        )
                    try:
                        await Wait(
                            alarm.future(),
                            deadline=deadline,
                            what=lambda: f"waiting for {what}: {_looked_at(reading)}, {standing(source.standing())}",
                        )
                    except errors.TimedOut:
                        raise self._late(what, reading, timeout) from None
            finally:
                undo()
        finally:
            forget()
            source.release(name)

    def _late(self, what: str, reading: Reading, timeout: float | None) -> errors.TimedOut:
        last = reading.last
        said = None
        if last is not None:
            words = log_text.shown(log_text.masker(True)(last), SHOWN_LINE)
            said = f"the last line, {last.time:%H:%M:%S} UTC of {last.pod}: {words}"
        return errors.TimedOut(
            f"there was no {what.removeprefix('a ')} in {timeout or 0:g} s: "
            f"{_looked_at(reading)}, {standing(self._source.standing())}",
            said=said,
            todo="look at .lines and .sources, or wait longer with timeout=",
        )

    # --- the end --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End them for all who use them: nothing more is read, and what was kept is dropped. Idempotent, no waiting."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    # --- in a notebook --------------------------------------------------------------------------------------------

    def _view_of(self) -> LogView:
        """The widget, made on first use; handles of the same logs share it."""
        from notebook_mux.widgets.logs import LogView

        source = self._source
        if source.shown is None or source.shown.closed:
            source.shown = LogView(source, key=source.key, mask=source.masked)
        shown: LogView = source.shown
        return shown

    def _ipython_display_(self) -> None:
        """Show them as a widget, with its static copy beside it."""
        if self.closed:
            raise NotImplementedError  # IPython takes the next way to show it, its repr
        self._view_of()._ipython_display_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self.closed:
            return {"text/plain": repr(self)}
        return self._view_of()._repr_mimebundle_(include=include, exclude=exclude)

    def __repr__(self) -> str:
        state = self._source.standing()
        lines, pods = state["lines"], state["pods"]
        counts = f"{lines:,} {'line' if lines == 1 else 'lines'} of {pods} {'pod' if pods == 1 else 'pods'}"
        more = f", {state['dropped']:,} dropped" if state["dropped"] else ""
        left_out = len(state["left_out"])
        more += f", {left_out} more {'pod' if left_out == 1 else 'pods'} left out" if left_out else ""
        at = self.state
        reason = f" ({standing(state)})" if at in ("waiting", "unreachable", "failed") else ""
        return f"<Logs of {self.title}: {counts}{more}, {at}{reason}>"


known: Handles[LogSource, Logs] = Handles()
"""Of this generation of the package's modules."""


async def open_(manager: Manager, *arguments: Any) -> Logs:
    """See `api.logs`. A coroutine of `waiting`'s kind."""
    identity = manager._identity
    asked = log_targets.asked(identity, *arguments)
    try:
        wanted = await log_targets.wanted(identity, asked)
    except errors.NotFound:
        found = _asked_before(identity.connection, asked)
        if found is None:
            raise
        return found  # what it was asked of has gone, and what it said is still here
    key = (identity.connection, *wanted.key)

    def source() -> LogSource:
        return LogSource(manager, _remembered(key, wanted.spec), wanted.title, key, follow=wanted.follow)

    logs = known.get(key, source, Logs)
    logs._source.asked.add((identity.connection, *asked.key))
    try:
        state = await logs._source.settle(SETTLE_SECONDS)
        await _check(manager, wanted, state)
    except errors.MuxError:
        logs.close()  # it never showed anything; asked again, it is tried anew
        raise
    return logs


def _asked_before(connection: str, asked: log_targets.Asked) -> Logs | None:
    question = (connection, *asked.key)
    return next((one for one in known.all() if question in one._source.asked), None)


def _remembered(key: tuple[Any, ...], spec: tuple[Any, ...]) -> tuple[Any, ...]:
    """The question as it was put first, where that is still open: "10m" counts from then, and is no other question."""
    core = holder.core()
    memo: dict[str, Any] = core.memo.setdefault(MEMO, {})
    for name, (id_, _) in list(memo.items()):
        if not core.logs_alive(id_):
            memo.pop(name, None)
    name = repr(key)
    known_spec = tuple(memo[name][1]) if name in memo else spec
    memo[name] = (told(core.open_logs, known_spec), known_spec)
    return known_spec


async def _check(manager: Manager, wanted: log_targets.Wanted, state: dict[str, Any]) -> None:
    """Refuse what will never show anything.

    Raises:
        MuxError: No cluster can be asked so; there is no such container; without following, there is no such pod.
    """
    problem = state["problem"]
    if state["sources"]:
        return
    if problem and problem.get("code") in DEFINITE_CODES:
        raise errors.from_code(str(problem.get("code")), dict(problem))
    await log_targets.no_such_container(manager._identity, wanted)
    if problem and problem.get("code") == errors.NotFound.code:
        raise errors.from_code(str(problem.get("code")), dict(problem))
    if not wanted.follow and state["settled"]:
        raise errors.NotFound(
            f"there are no pods: {wanted.title}", todo="look with nm.get('pods'), or in another namespace="
        )


def close_all(manager: Manager, owns: Any) -> None:
    """Close the logs of a manager, and their widgets.

    Args:
        manager: Whose.
        owns: Says of a question whether only this manager can have put it.
    """
    for source in known.close(lambda source: source.owner is manager or owns(source.spec)):
        if source.shown is not None:
            source.shown.close()


def _looked_at(reading: Reading) -> str:
    return f"{reading.looked_at:,} {'line' if reading.looked_at == 1 else 'lines'} looked at"
