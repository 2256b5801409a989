"""What every live widget does: who watches, what is sent when, and one answer to each message of a page.

The way down is ``source → turn (pump's thread) → comm``, numbered and bounded by `audience.Audience`; the way back is
``comm → _received (main thread or a subshell's) → messages.parse → _act``. One lock a widget guards both.
"""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import anywidget
import traitlets

from notebook_mux.errors import MuxError
from notebook_mux.widgets import answering, bundle, hosts, html, messages
from notebook_mux.widgets.audience import LEASE_SECONDS, MIN_INTERVAL, Audience
from notebook_mux.widgets.pump import pump

log = logging.getLogger(__name__)

Content = dict[str, Any]
Draft = tuple[Content, list[bytes]]
"""A numbered message before it has its number: content and binary buffers."""

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


class Live(anywidget.AnyWidget):
    """A widget whose pages are kept up to date.

    A subclass says what there is to send (`_compose`), starts and stops reading its source (`_start`, `_stop`), does
    what a page asks for (`_act`) and says what the static copy is made of (`_parts`). The first three run under the
    widget's lock; the others may call what users wrote, so they do not.
    """

    kind: ClassVar[str] = ""
    """The stem of the bundle: ``table`` for ``static/table.js``."""

    interval: ClassVar[float] = MIN_INTERVAL
    """Seconds between two messages."""

    _bundle = traitlets.Unicode().tag(sync=True)
    _copy = traitlets.Unicode().tag(sync=True)
    _id = traitlets.Unicode().tag(sync=True)

    def __init__(self, key: Hashable = None, **traits: Any) -> None:
        self._key = key
        self._lock = threading.RLock()
        self._audience = Audience(self.interval)
        self._running = False
        self._closed = False
        self._within = False
        self._static = hosts.static_only()
        self._copy_id = uuid.uuid4().hex
        self._copied = False
        if not self._static:
            self._esm = bundle.text("stub.js")
            traits["_bundle"] = bundle.ensure(self.kind)
        traits["_copy"] = self._copy_id
        id_ = uuid.uuid4().hex
        super().__init__(model_id=id_, _id=id_, **traits)
        if self.comm is not None:
            hosts.heard_on_subshell(self.comm)
        self.on_msg(self._received)
        self._take_place()

    # --- for the subclass -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Begin to read the source: somebody watches."""

    def _stop(self) -> None:
        """Stop reading: nobody does. What was read is dropped."""

    def _compose(self, everything: list[str]) -> Draft | None:
        """The next message, or None if there is nothing to say.

        Args:
            everything: The pages that need the whole state; their copies are told by `_begin`.
        """
        raise NotImplementedError

    def _later(self) -> float:
        """Seconds until there may be something to say without a poke; infinity if there will not."""
        return math.inf

    def _act(self, message: messages.Message) -> Content:
        """Do what a page asks for; returns what its answer carries.

        Raises:
            ValueError: It cannot be done, and why.
            MuxError: The same.
        """
        raise ValueError(f"this widget does not do {type(message).__name__.lower()!r}")

    def _parts(self) -> dict[str, Any]:
        """What a copy of now is made of: the arguments of `html.copy` and `html.text`."""
        raise NotImplementedError

    def _static_html(self) -> str:
        """The copy that stays when nothing is live."""
        return html.copy(**self._parts(), beside=not self._static)

    def _copies(self) -> dict[str, str]:
        """The copy in the forms of which each reader takes what it can."""
        return {"text/plain": repr(self), "text/html": self._static_html()}

    def _static_text(self) -> str:
        """The same as lines of text, where nothing but text can be shown."""
        return html.text(**self._parts())

    def _poke(self) -> None:
        """There may be something to say; any thread may call, and nothing blocks."""
        pump.poke(self)

    # --- down -----------------------------------------------------------------------------------------------------

    def turn(self, now: float) -> tuple[bool, float]:
        """The pump's: send at most one message."""
        with self._lock:
            if self._closed or self.comm is None:
                self._pause()
                return False, math.inf
            audience = self._audience
            audience.expire(now)
            if not audience.pages:
                self._pause()
                if self._within:
                    self.close()
                return False, math.inf
            if not audience.receiving():
                return False, audience.next_expiry()
            self._resume()
            ready = audience.ready_at(now)
            if ready > now:
                return False, min(ready, audience.next_expiry())
            lost = audience.lost()
            if lost:
                audience.telling = [page.id for page in lost]
            draft = self._compose([page.id for page in lost])
            audience.behind = audience.behind and self._later() == 0.0
            for page in lost:
                page.lost = False
                page.acked = audience.number
            if draft is None:
                return False, min(now + self._later(), audience.next_expiry())
            content, buffers = draft
            audience.sent(now)
            self._publish({**content, "n": audience.number, "epoch": audience.epoch, "now": time.time()}, buffers)
            return True, audience.ready_at(now)

    def _publish(self, content: Content, buffers: list[bytes] | None = None) -> None:
        try:
            self.send(content, buffers)
        except Exception:  # the kernel is shutting down, or the comm has just been closed
            log.debug("could not send to the page", exc_info=True)
            self._audience.pages.clear()

    def _resume(self) -> None:
        if not self._running:
            self._running = True
            self._audience.epoch = uuid.uuid4().hex[:12]
            self._audience.number = 0
            for page in self._audience.pages.values():
                page.lost, page.acked = True, 0
            self._start()

    def _pause(self) -> None:
        if self._running:
            self._running = False
            self._stop()

    # --- back -----------------------------------------------------------------------------------------------------

    def _received(self, _widget: Any, content: Any, buffers: Any) -> None:
        """A page's message; on the main thread or a subshell's. Must not block and must not raise."""
        page, number = messages.answer_to(content)
        answer: Content = {"t": "reply", "page": page, "id": number}
        try:
            message = messages.parse(content)
            with self._lock:
                if self._closed:
                    raise ValueError("this widget was closed")
                more, about_page = self._about_page(message)
            if not about_page:
                more = self._do(message, buffers)
        except (ValueError, MuxError) as error:
            answer |= {"ok": False, "error": str(error)}
        except Exception as error:
            log.exception("a page's message could not be handled")
            answer |= {"ok": False, "error": answering.unforeseen(error)}
        else:
            if more is None:
                return
            answer |= {"ok": True, **more}
        self._publish(answer)

    def _answerer(self, message: messages.Message) -> Callable[[Content], None]:
        """Answers a message later, from any thread."""
        answer = {"t": "reply", "page": message.page, "id": message.id}
        return lambda content: self._publish({**answer, **content})

    def _about_page(self, message: messages.Message) -> tuple[Content | None, bool]:
        """Take in what is about the page itself: the answer (None for no answer), and whether it was."""
        now = time.monotonic()
        audience = self._audience
        if isinstance(message, messages.Ack):
            if not audience.ack(message.page, message.n, now, message.pace):
                raise ValueError("this page is not known (any more): say here first")
            answer: Content | None = None
        elif isinstance(message, messages.Here):
            audience.here(
                message.page,
                watching=message.watching,
                have=message.have,
                epoch=message.epoch,
                gap=message.gap,
                now=now,
                places=message.places,
            )
            answer = {"lease": LEASE_SECONDS}
        elif isinstance(message, messages.Bye):
            audience.bye(message.page)
            answer = {}
        else:
            return None, False
        self._poke()
        return answer, True

    def _do(self, message: messages.Message, _buffers: Any) -> Content | None:
        """The answer to what is not about the page itself; None where there is none, or it comes later."""
        if isinstance(message, messages.Do) and message.what == "freeze":
            self.freeze()
            return {"said": "a fresh copy is in the notebook; save it to keep it"}
        return self._act(message)

    # --- in the notebook ------------------------------------------------------------------------------------------

    def freeze(self) -> None:
        """Write the static copy anew: what a reader without a kernel will see."""
        from IPython.display import display, update_display

        show = update_display if self._copied else display
        self._copied = True
        show(self._copies(), raw=True, display_id=self._copy_id)

    def _shown(self) -> None:
        """The widget was put into an output: its page is expected."""
        with self._lock:
            if self._static or self._closed:
                return
            self._audience.expect(time.monotonic())
        self._poke()

    def as_part(self) -> str:
        """Be shown within another widget's view: no copy in the notebook, and it ends with its last page.

        Returns:
            The model's id, by which a page has it.
        """
        self._copy = ""
        # before it is a part: a turn of one that nobody expects would end it at once
        self._shown()
        self._within = True
        return str(self._id)

    def _ipython_display_(self) -> None:
        """Two outputs: the static copy, which the live view hides, and the view.

        A page that finds no model says so in place of the view and ignores other forms in the same output; an output
        of its own stays visible.
        """
        from IPython.display import display

        if self._closed:
            display({"text/plain": repr(self)}, raw=True)
            return
        if hosts.terminal():
            display({"text/plain": self._static_text()}, raw=True)
            return
        self._copied = True
        display(self._copies(), raw=True, display_id=self._copy_id)
        if not self._static:
            self._shown()
            display({**self._view_bundle(), "text/plain": ""}, raw=True)

    def _view_bundle(self) -> dict[str, Any]:
        return {WIDGET_MIME: {"version_major": 2, "version_minor": 0, "model_id": self.model_id}}

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, Any]:  # type: ignore[override]  # IPython takes both
        copy = self._copies()
        if self._static:
            return copy
        self._shown()
        return {**self._view_bundle(), **copy}

    def open(self) -> None:
        """Open the comm; not where nobody can look."""
        if not self._static:
            super().open()

    def _take_place(self) -> None:
        """Close the widget of an earlier generation of the modules that showed the same: nobody finds it again."""
        if self._key is None or self._static:
            return
        shown = bundle.kept("shown")
        earlier = shown.get((self.kind, self._key))
        shown[self.kind, self._key] = self
        if earlier is not None:
            # of an earlier generation, which may lack the one method
            getattr(earlier, "_retire", earlier.close)()

    def close(self) -> None:
        """End it: the comm, the layout's comm, and reading the source. Idempotent."""
        if "_lock" not in self.__dict__:
            return  # never made: ipywidgets closes what is collected
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._pause()
            self._audience.pages.clear()
        if bundle.kept("shown").get((self.kind, self._key)) is self:
            del bundle.kept("shown")[self.kind, self._key]
        layout = self.layout
        super().close()
        if layout is not None:
            layout.close()

    def _retire(self) -> None:
        """End the widget and leave alone what it shows: another one shows that now, or the kernel ends."""
        self.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed, or its comm is gone."""
        return self._closed or (self.comm is None and not self._static)
