"""A thing of the core that goes on while somebody holds it: opened when it is used, and again after it was let go."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from notebook_mux.errors import Closed
from notebook_mux.forksafe import ForkSafeLock
from notebook_mux.handles.crossing import crossed, told
from notebook_mux.kernel import holder

OPEN_ATTEMPTS = 3
"""A thing can end between being found and being held; not three times in a row."""

NAMED = "|"
"""In a holder's name, before what it is called: the core keeps it as it is, and the status shows it."""

_numbers = itertools.count(1)


class Owner(Protocol):
    """The manager, as far as what is held knows it."""

    def _check(self) -> None:
        """Raise `Closed` if it was closed; connect in a process or core where it has no connection yet."""


class Held:
    """A thing of the core's. Any thread may call; nothing here waits.

    A subclass says by which words of the core it is opened, kept, let go and ended.

    Args:
        owner: Its manager.
    """

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.closed = False
        self._core: Any = None
        self._id = ""
        self._holders: set[str] = set()
        self._confirmed: set[str] = set()
        self._undone: list[Callable[[], None]] = []
        self._lock = ForkSafeLock()

    # --- for subclasses -------------------------------------------------------------------------------------------

    def _open(self, core: Any) -> str:
        """Get or create it; gives its id."""
        raise NotImplementedError

    def _alive(self, core: Any) -> bool:
        """Whether it is still there."""
        raise NotImplementedError

    def _take(self, core: Any, id_: str, name: str) -> None:
        """Keep it for a holder."""
        raise NotImplementedError

    def _let_go(self, core: Any, id_: str, name: str) -> None:
        """A holder has gone; harmless where the thing has, too."""
        raise NotImplementedError

    def _end(self, core: Any, id_: str) -> None:
        """End it whoever holds it."""
        raise NotImplementedError

    def _closed(self) -> Closed:
        """The error for using it after its end."""
        raise NotImplementedError

    # --- opening and holding --------------------------------------------------------------------------------------

    def opened(self) -> tuple[Any, str]:
        """The core and the thing's id there, opened anew if it has ended for want of holders.

        Raises:
            Closed: It or its manager was closed.
        """
        if self.closed:
            raise self._closed()
        self.owner._check()
        core = holder.core()
        with self._lock:
            if core is self._core:
                if self._alive(core):
                    return core, self._id
                if self._confirmed:  # it was held and has ended all the same
                    self.close()
                    raise self._closed()
            for attempt in range(OPEN_ATTEMPTS):
                id_ = told(self._open, core)
                try:
                    for name in list(self._holders):
                        self._take(core, id_, name)
                except Exception as error:  # noqa: BLE001 - of the core's generation, so not known by class
                    if attempt == OPEN_ATTEMPTS - 1:
                        raise crossed(error) from None
                    continue
                self._core, self._id, self._confirmed = core, id_, set(self._holders)
                break
            return core, self._id

    def hold(self, kind: str, what: str = "") -> str:
        """Keep it for a new holder; returns the holder's name.

        Args:
            kind: What that is: ``"python"``, ``"callback"``, ``"iterator"``, ``"wait"``, ``"view"``.
            what: Which one, for the status: a callback's name, a table's.
        """
        name = f"{kind}-{id(_numbers):x}-{next(_numbers)}{f'{NAMED}{what}' if what else ''}"
        with self._lock:
            self._holders.add(name)
            try:
                core, id_ = self.opened()
                told(self._take, core, id_, name)
            except BaseException:
                self._holders.discard(name)
                raise
            self._confirmed.add(name)
        return name

    def release(self, name: str) -> None:
        """A holder has gone; called again it does nothing, and it never raises."""
        self._holders.discard(name)
        self._confirmed.discard(name)
        core = self._core
        if core is not None:
            self._let_go(core, self._id, name)

    def later(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function on the core's thread: for finalizers, which run at any place and may take no lock."""
        core = self._core
        if core is not None:
            core.thread.call(function, *arguments)

    # --- the end --------------------------------------------------------------------------------------------------

    def on_close(self, undo: Callable[[], None]) -> Callable[[], None]:
        """Have something undone when it is closed; returns what forgets it."""
        self._undone.append(undo)

        def forget() -> None:
            if undo in self._undone:
                self._undone.remove(undo)

        return forget

    def close(self) -> None:
        """End it for all who hold it; idempotent."""
        if self.closed:
            return
        self.closed = True
        core, id_ = self._core, self._id
        running = holder.running()
        if running is not None and running is core:
            self._end(running, id_)
        for undo in list(self._undone):
            undo()
        self._holders.clear()


class Handle:
    """What a user has of a thing that is held: a reference to it keeps the thing. See `holders`."""

    _source: Held
    _python = ""
    _uncounted = 0

    @property
    def closed(self) -> bool:
        """Whether it was closed; what is closed is not given out again."""
        return self._source.closed

    def _keep(self, wanted: bool) -> None:
        """Hold it for Python references, or let it go if nothing but ``Out`` has it; using it opens it again."""
        if wanted and not self._python:
            self._python = self._source.hold("python")
            source = self._source
            self._finalizer = weakref.finalize(self, source.later, source.release, self._python)
            self._finalizer.atexit = False
        elif not wanted and self._python:
            name, self._python = self._python, ""
            self._finalizer.detach()
            self._source.release(name)
