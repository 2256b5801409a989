"""A terminal's views in pages: what the gateway says of one, gathered into few comm messages.

The first of it after a quiet moment goes at once, for somebody has typed and waits for the echo; what follows is
gathered, for the server drops messages above a rate without a word. No item is merged with another: the page grants
credit for each as the gateway counted it.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from notebook_mux.errors import MuxError

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.008
"""Between two messages of one view: half a frame of a screen."""

FULL_BYTES = 64 * 1024
"""With so much gathered a message goes earlier."""

FULL_SECONDS = 0.005
"""How much earlier: still within 200 messages a second, which the whole kernel has."""

MESSAGE_BYTES = 256 * 1024
"""Of one message: above 64 KiB larger ones are hardly faster, and a page that draws one does nothing else."""

Item = str | bytes
Content = dict[str, Any]


class Attached(Protocol):
    """One view of a terminal, as `handles.terminals` gives it."""

    def send(self, items: Sequence[Any]) -> None:
        """What the page says; any thread may call. Raises `ProtocolError` for what a page may not say."""

    def close(self) -> None:
        """The page does not look any more; idempotent."""


class Session(Protocol):
    """What the widget needs of a terminal's handle; `handles.terminals.Session` is one."""

    @property
    def words(self) -> str:
        """What it is, in words."""

    @property
    def cluster(self) -> str:
        """The cluster's name."""

    @property
    def namespace(self) -> str:
        """The pod's."""

    @property
    def pod(self) -> str:
        """The pod's name."""

    @property
    def container(self) -> str:
        """The container's name."""

    @property
    def containers(self) -> Sequence[tuple[str, str]]:
        """All of the pod, with ``container``, ``init`` or ``ephemeral``."""

    @property
    def command(self) -> Sequence[str]:
        """The program's words."""

    @property
    def state(self) -> str:
        """How it stands."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def returncode(self) -> int | None:
        """Its exit code."""

    @property
    def others(self) -> Sequence[dict[str, Any]]:
        """What could be taken over."""

    @property
    def kept(self) -> float:
        """Seconds that it is kept when nobody looks."""

    def attach(self, view: str, say: Callable[[list[Item]], None]) -> Attached:
        """A view; `say` is called on the core's thread and must not block."""

    def on_state(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever something of it has changed; returns the undo."""

    def again(self) -> Any:
        """Start the program anew."""

    def take(self, terminal: str) -> Any:
        """Have that one of another kernel in its place."""

    def close(self) -> Any:
        """End it for good."""

    def ticket(self, origin: str) -> Any:
        """A future of a page's right to a WebSocket."""


class Pane:
    """One view in one page; `pump` gives it its turns.

    Args:
        page: The page's id.
        view: The view's id, which its input is numbered under.
        publish: Sends a custom message.
        poke: Asks the pump for a turn; must not block.
    """

    def __init__(
        self,
        page: str,
        view: str,
        publish: Callable[[Content, list[bytes]], None],
        poke: Callable[[Pane], None],
    ) -> None:
        self.page, self.view = page, view
        self._publish, self._poke = publish, poke
        self._lock = threading.Lock()
        self._items: deque[Item] = deque()
        self._size = 0
        self._last = -math.inf
        self._attached: Attached | None = None
        self._opened = 0
        self._number = 0
        self._closed = False

    # --- from the page ------------------------------------------------------------------------------------------------

    def take(self, session: Session, items: Sequence[Item]) -> None:
        """Pass on what the page says. A `view` begins anew, an `unsubscribe` ends it. Any thread may call.

        Raises:
            MuxError: The page said what it may not, or the terminal was closed.
        """
        for item in items:
            kind = _type_of(item)
            if kind == "view":
                self._open(session)
            attached = self._attached
            if attached is not None:
                attached.send([item])
            if kind == "unsubscribe":
                self._leave()

    def _open(self, session: Session) -> None:
        self._leave()
        with self._lock:
            if self._closed:
                return
            opened = self._opened
        attached = session.attach(self.view, lambda items: self._say(opened, items))
        with self._lock:
            if not self._closed:
                self._attached = attached
                return
        attached.close()

    def _leave(self) -> None:
        with self._lock:
            self._number = 0
            self._opened += 1  # what the earlier one still says is not for this page
            attached, self._attached = self._attached, None
            self._items.clear()
            self._size = 0
        if attached is not None:
            try:
                attached.close()
            except MuxError:  # the core is ending
                log.debug("a view could not be closed", exc_info=True)

    def close(self) -> None:
        """The page has gone; idempotent."""
        with self._lock:
            self._closed = True
        self._leave()

    # --- to the page --------------------------------------------------------------------------------------------------

    def _say(self, opened: int, items: Sequence[Item]) -> None:
        """On the core's thread."""
        with self._lock:
            if opened != self._opened:
                return
            self._items.extend(items)
            self._size += sum(map(len, items))
        self._poke(self)

    def turn(self, now: float) -> tuple[bool, float]:
        """The pump's: send at most one message."""
        with self._lock:
            if not self._items:
                return False, math.inf
            due = self._due()
            if due > now:
                return False, due
            items, buffers = self._packed()
            number, self._number = self._number, self._number + 1
            self._last = now
            next_ = self._due() if self._items else math.inf
        content = {"t": "terminal", "page": self.page, "view": self.view, "n": number, "items": items}
        self._publish(content, buffers)
        return True, next_

    def _due(self) -> float:
        return self._last + (FULL_SECONDS if self._size >= FULL_BYTES else GATHER_SECONDS)

    def _packed(self) -> tuple[list[str | int], list[bytes]]:
        items: list[str | int] = []
        buffers: list[bytes] = []
        size = 0
        while self._items and (not items or size + len(self._items[0]) <= MESSAGE_BYTES):
            item = self._items.popleft()
            size += len(item)
            if isinstance(item, str):
                items.append(item)
            else:
                items.append(len(buffers))
                buffers.append(item)
        self._size -= size
        return items, buffers


def unpacked(items: Sequence[str | int], buffers: Sequence[Any] | None) -> list[Item]:
    """The items of a page's message, frames in their places.

    Raises:
        ValueError: A frame is not there.
    """
    have = list(buffers or [])
    found: list[Item] = []
    for item in items:
        if isinstance(item, str):
            found.append(item)
        elif item < len(have):
            found.append(bytes(have[item]))
        else:
            raise ValueError("an item is not among the message's buffers")
    return found


class _Typed(msgspec.Struct):
    type: str = ""


_typed = msgspec.json.Decoder(_Typed)


def _type_of(item: Item) -> str:
    if not isinstance(item, str):
        return ""
    try:
        return _typed.decode(item).type
    except msgspec.MsgspecError:
        return ""  # refused further up, with better words
