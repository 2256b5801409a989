"""The terminal: a shell in a container, drawn in the notebook. Made by `notebook_mux.shell`.

What the gateway says of it goes to a page's view as it is, and back: this side draws nothing, keeps no output, and
writes none of it into the notebook unless asked.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from notebook_mux.errors import Closed, MuxError
from notebook_mux.widgets import answering, html, messages, traits
from notebook_mux.widgets.audience import EXPECTED
from notebook_mux.widgets.base import Content, Draft, Live
from notebook_mux.widgets.panes import Pane, Session, unpacked
from notebook_mux.widgets.pump import pump
from notebook_mux.widgets.recording import Recording

if TYPE_CHECKING:
    from notebook_mux.handles.terminals import Session as Handle

log = logging.getLogger(__name__)

MIN_HEIGHT, MAX_HEIGHT = 100, 4000
"""Pixels: four lines; far more than a screen."""

APART = "notebook-mux-terminal"
"""The name of threads that do what a page asked for."""


class Terminal(Live):
    """A terminal. Made by `notebook_mux.shell`, once for each container and command.

    Args:
        session: The kernel's handle on it.
        key: Its identity, by which a later generation of the modules finds it again.
        choose: Gives the session of another container of the same pod; may wait. Without it the choice is not offered.
    """

    kind: ClassVar[str] = "terminal"

    height = traits.Number(400, min=MIN_HEIGHT, max=MAX_HEIGHT, help="The screen's height in pixels to begin with.")
    save_output = traits.Switch(False, help="Whether *Freeze* saves what the screen shows, and not its state alone.")

    def __init__(self, session: Session, *, key: Any = None, choose: Callable[[str], Session] | None = None) -> None:
        self._session = self._own = session
        self._opened = {session.container: session}
        self._choose = choose
        self._panes: dict[tuple[str, str], Pane] = {}
        self._sent: Content = {}
        self._note = ""
        self._recording: Recording | None = None
        self._screen: tuple[float, str] | None = None
        self._undo: Callable[[], None] | None = session.on_state(self._poke)
        super().__init__(key=key if key is not None else getattr(session, "id", None))
        self.observe(lambda _change: self._poke(), ["height", "save_output"])

    # --- in Python ------------------------------------------------------------------------------------------------

    @property
    def session(self) -> Handle:
        """The handle of what is shown."""
        return cast("Handle", self._session)

    @property
    def state(self) -> str:
        """``starting``, ``running``, ``ended``, ``lost``, ``closed``; ``offline`` while the gateway is out of reach."""
        return self._session.state

    @property
    def reason(self) -> str:
        """Why it is in this state."""
        return self._session.reason

    @property
    def returncode(self) -> int | None:
        """The program's exit code; None while it runs, and where there is none."""
        return self._session.returncode

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self._session.cluster

    @property
    def pod(self) -> str:
        """The pod's name."""
        return self._session.pod

    @property
    def container(self) -> str:
        """The container's name."""
        return self._session.container

    @property
    def words(self) -> str:
        """What it is, in words."""
        return self._session.words

    def again(self) -> Any:
        """Start the program anew where the last one has ended.

        Raises:
            MuxError: It runs, or it cannot be.
        """
        return self._session.again()

    def record(self, path: str | Path) -> Recording:
        """Write what the program prints from now on into a file, until `Recording.close` or the terminal's end.

        Args:
            path: A file that is not there yet, by convention ``.cast``. It is readable by its owner alone.

        Returns:
            The recording, a context manager: asciicast version 2 (https://docs.asciinema.org/manual/asciicast/v2/),
            output and sizes only. What is typed is not recorded, but a program may echo it.

        Raises:
            Closed: The terminal was closed.
            InvalidArgument: The file is there already, or it is being recorded.
        """
        if self.closed:
            raise Closed(f"{self.words} was closed", todo="run the cell that made it again")
        with self._lock:
            self._recording = Recording.start(path, self._session, self._recording, done=self._poke)
        self._poke()
        return self._recording

    def close(self) -> None:
        """End it for good: the program in the container, and the widget. Idempotent."""
        if "_lock" not in self.__dict__ or self._closed:
            return
        try:
            self._close_sessions()
        except MuxError:  # the endpoint has gone, and the terminal with it
            log.debug("a terminal could not be closed", exc_info=True)
        self._retire()

    def _close_sessions(self) -> None:
        for session in list(self._opened.values()):
            session.close()

    def _retire(self) -> None:
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
        with self._lock:
            panes, self._panes = list(self._panes.values()), {}
        for pane in panes:
            pane.close()
        if self._recording is not None:
            self._recording.close()
        super().close()

    def __del__(self) -> None:
        # ipywidgets closes what is collected; the program outlives the kernel
        pass

    @property
    def closed(self) -> bool:
        """Whether it was closed, or its comm is gone."""
        return super().closed or self._session.state == "closed"

    def __repr__(self) -> str:
        return f"<Terminal {self.words}: {self._standing()}>"

    def _standing(self) -> str:
        state, code = self._session.state, self._session.returncode
        if state == "ended" and code is not None:
            return f"ended with exit code {code}"
        return f"{state} ({self._session.reason})" if self._session.reason else state

    # --- to the pages ---------------------------------------------------------------------------------------------

    def turn(self, now: float) -> tuple[bool, float]:
        """The pump's: send at most one message; views of pages that have gone are closed."""
        result = super().turn(now)
        with self._lock:
            here = self._audience.pages
            gone = [self._panes.pop(key) for key in list(self._panes) if key[0] not in here]
        for pane in gone:
            pane.close()
        return result

    def _start(self) -> None:
        self._sent = {}

    def _compose(self, everything: list[str]) -> Draft | None:
        data = self._data()
        if data == self._sent and not everything:
            return None
        self._sent = data
        # one message is the whole state: whoever gets it lacks nothing
        return {"t": "put", "data": data, "whole": {"to": ["*"], "part": 0, "last": True}}, []

    def _data(self) -> Content:
        at = self._session
        recording = self._recording
        return {
            "title": at.words,
            "cluster": at.cluster,
            "namespace": at.namespace,
            "pod": at.pod,
            "container": at.container,
            "containers": [list(one) for one in at.containers],
            "choose": self._choose is not None,
            "command": list(at.command or ()),
            "state": at.state,
            "reason": at.reason or "",
            "returncode": at.returncode,
            "others": list(at.others),
            "kept": at.kept,
            "readonly": not getattr(at, "stdin", True),
            "tty": getattr(at, "tty", True),
            "note": self._note,
            "recording": recording.path.name if recording is not None and not recording.closed else "",
            "height": self.height,
            "saveOutput": self.save_output,
            "answers": self._answering(),
        }

    def _answering(self) -> str:
        """The page that answers what programs ask of a terminal: one alone, or a shell gets each answer twice."""
        pages = [page.id for page in self._audience.receiving() if page.id != EXPECTED]
        return pages[0] if pages else ""

    # --- from the pages -------------------------------------------------------------------------------------------

    def _do(self, message: messages.Message, buffers: Any) -> Content | None:
        if isinstance(message, messages.Items):
            return self._items(message, buffers)
        if isinstance(message, messages.Ticket):
            self._ticket(message)
            return None
        return super()._do(message, buffers)

    def _items(self, message: messages.Items, buffers: Any) -> Content | None:
        items = unpacked(message.items, buffers)
        key = message.page, message.view
        with self._lock:
            if self._closed:
                raise ValueError("this widget was closed")
            if message.page not in self._audience.pages:
                # its lease ran out while the kernel was busy, or it looks before it said so
                self._audience.here(message.page, watching=True, have=-1, epoch="", gap=False, now=time.monotonic())
            pane = self._panes.get(key)
            if pane is None:
                pane = self._panes[key] = Pane(*key, self._publish, self._poke_pane)
        pane.take(self._session, items)
        return {} if message.ask else None

    @staticmethod
    def _poke_pane(pane: Pane) -> None:
        pump.poke(pane)

    def _ticket(self, message: messages.Ticket) -> None:
        """Answered when the gateway has answered: a token goes in this message and in no trait."""
        answer = {"t": "reply", "page": message.page, "id": message.id}

        def given(future: Any) -> None:
            error = "cancelled" if future.cancelled() else future.exception()
            if error is None:
                self._publish({**answer, "ok": True, "ticket": future.result()})
            else:  # the page goes on by the comm
                self._publish({**answer, "ok": False, "error": str(error)})

        self._session.ticket(message.origin).add_done_callback(given)

    def _act(self, message: messages.Message) -> Content:
        if isinstance(message, messages.Do):
            if message.what == "again":
                return self._apart(self._session.again, "starting it again")
            if message.what == "hangup":
                return self._apart(self._close_sessions, "ending it")
            if message.what == "record":
                return self._record_or_stop()
            if message.what.startswith("take "):
                terminal = message.what.removeprefix("take ")
                return self._apart(lambda: self._session.take(terminal), "taking it over")
        if isinstance(message, messages.Set) and message.name == "container" and isinstance(message.value, str):
            return self._open_container(message.value)
        if isinstance(message, messages.Keep):
            self._screen = (time.time(), message.text)
            try:
                self.freeze()
            finally:
                self._screen = None
            return {"said": "what the screen shows is in the notebook; save it to keep it"}
        return super()._act(message)

    def _apart(self, action: Callable[[], Any], said: str) -> Content:
        """Do what may wait on a thread of its own: a page's message must not."""

        def act() -> None:
            try:
                result = action()
                if hasattr(result, "result"):
                    result.result()
            except MuxError as error:
                self._note = str(error)
            except Exception as error:
                log.exception("a terminal could not do what its page asked for")
                self._note = answering.unforeseen(error)
            self._poke()

        self._note = ""  # now: what ends well takes away nothing that was said of what was asked after it
        threading.Thread(target=act, name=APART, daemon=True).start()
        return {"said": said}

    def _open_container(self, name: str) -> Content:
        choose = self._choose
        if choose is None or name not in [one[0] for one in self._session.containers]:
            raise ValueError("there is no such container to choose here")

        def swap() -> None:
            # the same container by another question would be another terminal
            known = self._opened.get(name)
            self._swap(known if known is not None and known.state != "closed" else choose(name))

        return self._apart(swap, f"opening {name}")

    def _back(self) -> None:
        """Show what it was made for: a cell that is run again asks for that, whatever its page has chosen since."""
        if self._session is not self._own:
            self._swap(self._own)

    def _swap(self, session: Session) -> None:
        """Show another session in this one's place; the other goes on, and is found again by its container."""
        self._opened[session.container] = session
        undo, self._undo = self._undo, session.on_state(self._poke)
        if undo is not None:
            undo()
        with self._lock:
            self._session = session
            panes, self._panes = list(self._panes.values()), {}
        for pane in panes:
            pane.close()
        self._publish({"t": "swapped"})
        self._poke()

    def _record_or_stop(self) -> Content:
        recording = self._recording
        if recording is not None and not recording.closed:
            recording.close()
            return {"said": f"recorded to {recording.path}"}
        name = f"{self.pod or 'terminal'}-{time.strftime('%Y%m%d-%H%M%S')}.cast"
        return {"said": f"recording to {self.record(Path.cwd() / name).path}"}

    # --- the copy -------------------------------------------------------------------------------------------------

    def _static_html(self) -> str:
        at, text = self._screen or (time.time(), "")
        return html.screen(
            key=self._copy_id, title=self.words, state=self._standing(), text=text, now=at, beside=not self._static
        )

    def _static_text(self) -> str:
        """Where there are no widgets, as in IPython in a terminal, it cannot be drawn."""
        standing = f"{self.words} · {self._standing()} · as of {html.stamp(time.time())}"
        return f"{standing}\nIt is drawn in a notebook. Here: nm.exec(target, command), or kubectl exec -it."
