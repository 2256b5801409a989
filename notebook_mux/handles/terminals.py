"""A terminal's session: a thin handle on the core's terminal, which survives reloads. Made by `shells`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from notebook_mux import errors
from notebook_mux.handles.crossing import answered, crossed, told
from notebook_mux.handles.waiting import blocking, deadline_in
from notebook_mux.kernel import holder

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

CLOSE_SECONDS = 10.0
"""For the end of a terminal, which a pod of its own may go with."""

START_SECONDS = 30.0
"""For a program to start, or to say why not."""

Item = str | bytes
Review = Callable[["Session"], Any]


class Attached:
    """One view of a terminal. Made by `Session.attach`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def send(self, items: Sequence[Item]) -> None:
        """Take what the page says; does not wait. Any thread may call. Nothing happens where the terminal has ended.

        Args:
            items: In order: control messages as JSON (``view``, ``size``, ``credit``, ``unsubscribe``, and ``seen``,
                see `Session.attach`), and binary frames of input; all of stream id 1.

        Raises:
            ProtocolError: One of it is nothing that a page may say. Nothing of it is done.
        """
        core = holder.running()
        if core is not None:
            told(core.terminals.said, self._name, list(items))

    def close(self) -> None:
        """The page has gone. Idempotent; any thread may call."""
        core = holder.running()
        if core is not None:
            told(core.terminals.look_away, self._name)


class Session:
    """A terminal in a container. Any thread may call; calls that wait say so.

    Args:
        manager: Whose it is.
        id_: The core's id of it.
        review: Asks once more whether the user may run programs there; a coroutine function of `waiting`'s kind.
    """

    def __init__(self, manager: Manager, id_: str, review: Review) -> None:
        self._manager = manager
        self._id = id_
        self._review = review
        self._last: dict[str, Any] = dict(told(holder.core().terminals.now, id_))

    # --- what it is of ------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Its name in this kernel; another one after `close`."""
        return self._id

    @property
    def words(self) -> str:
        """What it is, in words, such as ``web-0``; of a workload, which pod was picked."""
        return str(self._about.get("words") or self.pod)

    @property
    def cluster(self) -> str:
        """The cluster's name here."""
        return str(self._about.get("cluster", ""))

    @property
    def namespace(self) -> str:
        """The pod's."""
        return self._place[0]

    @property
    def pod(self) -> str:
        """The pod's name."""
        return self._place[1]

    @property
    def container(self) -> str:
        """The container's name."""
        return self._flags.get("container", "")

    @property
    def containers(self) -> list[tuple[str, str]]:
        """The pod's containers as (name, ``"container"``, ``"init"`` or ``"ephemeral"``), as it was at the start."""
        return [(str(name), str(kind)) for name, kind in self._about.get("containers", ())]

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the program; () until it is known which shell there is."""
        return tuple(self._now["command"])

    @property
    def attached(self) -> bool:
        """Whether it is the container's own program (`attach=True`) and not one started in it."""
        return str(self._now["path"]).endswith("/attach")

    @property
    def stdin(self) -> bool:
        """Whether its program takes input; without, the terminal is to look at only."""
        return self._flags.get("stdin") == "true"

    @property
    def tty(self) -> bool:
        """Whether its program has a terminal; an attached one may have none, and then ends lines with a bare LF."""
        return self._flags.get("tty") == "true"

    # --- how it stands ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """One of ``"starting" "running" "ended" "lost" "closed"``, or ``"offline"`` while the gateway is away.

        ``ended`` is the program's own end, with `returncode`; ``lost`` that the connection to it broke, or that the
        gateway which held it is gone; ``closed`` that it was closed here.
        """
        now = self._now
        return "offline" if now["offline"] is not None and now["state"] != "closed" else str(now["state"])

    @property
    def reason(self) -> str:
        """Why, in words; "" where all is well."""
        now = self._now
        if now["offline"] is not None and now["state"] != "closed":
            return str(now["offline"][0])
        said = f" ({now['said']})" if now["said"] else ""
        return f"{now['reason']}{said}"

    @property
    def todo(self) -> str:
        """What to do about it; "" where there is nothing."""
        return str(self._now["todo"] or "")

    @property
    def returncode(self) -> int | None:
        """The exit code of a program that has ended; None where there is none."""
        found: int | None = self._now["returncode"]
        return found

    @property
    def run(self) -> int:
        """Counts the program's starts in this terminal, from 1; 0 before the first."""
        return int(self._now["run"])

    @property
    def since(self) -> float:
        """Unix seconds of the last change of the program's state."""
        return float(self._now["since"])

    @property
    def kept(self) -> float:
        """Seconds that the gateway keeps it for when neither a kernel nor a page is there.

        0 until it has said so, and by way of a Headlamp server, where this kernel keeps it and it ends with the kernel.
        """
        return float(self._now["kept"])

    @property
    def others(self) -> list[dict[str, Any]]:
        """Kept terminals of earlier kernels of this notebook that `take` can have.

        Each is ``{"terminal", "title", "since", "kernel"}``, `since` in Unix seconds.
        """
        return [dict(one) for one in self._now["others"]]

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(self._now["state"] == "closed")

    def on_state(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have `callback` called after any of these has changed; returns its undo.

        It is called on the core's thread and must not block or raise.
        """
        core = holder.running()
        if core is None or self.closed:
            return lambda: None
        undo: Callable[[], None] = told(core.terminals.on_change, self._id, callback)
        return undo

    # --- views --------------------------------------------------------------------------------------------------------

    def attach(self, view: str, say: Callable[[list[Item]], None]) -> Attached:
        """One view, for one page, of that name. It shows nothing until the page has sent its ``view`` message.

        `say` is called on the core's thread and must not block: items in order, a text being a control message (JSON)
        and bytes a binary frame, both of stream id 1 as on a page's own WebSocket. Besides the gateway's ``shown``,
        ``ended`` and ``credit`` there are two words of the kernel's own: ``{"type":"offline","reason","retry_at"}``
        when the socket to the gateway is lost, and ``{"type":"renewed"}`` when another terminal has come in this one's
        place (after `again` of a lost one, and after `take`): the page then forgets its place, its screen and its
        numbers, and sends a new ``view``.

        After ``offline`` the stream is opened again here, with the last place passed on, and a new ``shown`` comes.
        Each ``shown`` has a count, ``opened``, from 1 for each ``view``. From the second on input is taken only after
        the page has answered ``{"type":"seen","opened":n}``: what it had sent before it knew is not passed on, so the
        page shows what lies beyond `taken` as not sent, and types on from there.

        Raises:
            Closed: The terminal was closed.
        """
        return Attached(told(holder.core().terminals.look, self._id, view, say))

    def ticket(self, origin: str) -> Future[dict[str, Any]]:
        """A page's right to a WebSocket: ``ticket``, ``terminal``, ``port``, ``path``, ``seconds``. Does not wait.

        Args:
            origin: The page's, such as ``https://hub.example``.

        Returns:
            A future; it fails with a `MuxError` where the endpoint has no such way.
        """
        try:
            asked = told(holder.core().terminals.ticket, self._id, origin)
        except errors.MuxError as error:
            failed: Future[dict[str, Any]] = Future()
            failed.set_exception(error)
            return failed
        return _crossing(asked)

    # --- what is done to it -------------------------------------------------------------------------------------------

    def again(self) -> None:
        """Start the program anew after its end; a lost one as a new terminal. Waits for the gateway's answer.

        Raises:
            InvalidArgument: It still runs.
            WriteRefused: The cluster is connected to look only by now.
            Closed: The terminal was closed.
            MuxError: It cannot be started.
        """
        blocking(self._again())

    async def _again(self) -> None:
        await answered(holder.core().terminals.again, self._id, deadline=deadline_in(START_SECONDS), what=self._doing)

    def take(self, terminal: str) -> None:
        """Have a kept terminal of an earlier kernel of this notebook in this one's place. Waits.

        Whether you may run programs in the pod is asked anew. This one's own program is ended.

        Args:
            terminal: One of `others`, its ``"terminal"``.

        Raises:
            Forbidden: You may not, or no longer.
            NotFound: It is not there any more.
            Closed: The terminal was closed.
        """
        blocking(self._take(terminal))

    async def _take(self, terminal: str) -> None:
        await self._review(self)
        await answered(
            holder.core().terminals.take, self._id, terminal, deadline=deadline_in(START_SECONDS), what=self._doing
        )

    def close(self) -> None:
        """End it for good: its program, its views, and its pod where it has one of its own. Idempotent. Waits."""
        blocking(self._close())

    async def _close(self) -> None:
        core = holder.running()
        if core is not None:
            self._last = {**self._now, "state": "closed", "reason": "closed by close()", "offline": None}
            await answered(
                core.terminals.close, self._id, deadline=deadline_in(CLOSE_SECONDS), what=f"ending {self.words}"
            )

    # --- parts --------------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> dict[str, Any]:
        core = holder.running()
        if core is not None:
            try:
                self._last = told(core.terminals.now, self._id)
            except errors.MuxError:
                if self._last["state"] != "closed":
                    self._last = {**self._last, "state": "closed", "reason": "the connection was closed"}
        return self._last

    @property
    def _about(self) -> dict[str, Any]:
        found: dict[str, Any] = self._now["about"]
        return found

    @property
    def _place(self) -> tuple[str, str]:
        return place_of(self._now["path"])

    @property
    def _flags(self) -> dict[str, str]:
        queries = self._now["queries"]
        return dict(parse_qsl(queries[0])) if queries else {}

    def _doing(self) -> str:
        return f"starting {self.words}"

    def __repr__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"<Session of {self.words}: {self.state}{reason}>"


def place_of(path: str) -> tuple[str, str]:
    """Namespace and pod of the path of an exec or attach."""
    parts = path.split("/")
    return (unquote(parts[4]), unquote(parts[6])) if len(parts) > 6 else ("", "")


def _crossing(future: Future[Any]) -> Future[Any]:
    """The same future, failing with errors of this generation."""
    mine: Future[Any] = Future()

    def done(asked: Future[Any]) -> None:
        error = asked.exception()
        if error is not None:
            mine.set_exception(crossed(error))
        else:
            mine.set_result(asked.result())

    future.add_done_callback(done)
    return mine
