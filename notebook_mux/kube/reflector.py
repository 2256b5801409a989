"""When to list, when to watch, when to wait: client-go's reflector as decisions without input or output.

The caller asks `step` what to do, does it, and tells what came of it; then it asks again. Versions are opaque text.

======================================  =============================================================================
what happens                            what is done
======================================  =============================================================================
begin                                   a watch with its initial events (WatchList) where the server has it, else a
                                        list in pages, then a watch
watch ends normally                     watch again at once from the last version
ended in under 1 s without an event     wait, then the same; after `SHORT_WATCHES` of them list again
no connection, or 429                   wait, watch again from the same version
the connection breaks, or stalls        watch again at once from the same version
410 in any form                         list again, at once unless the last list was a moment ago
500                                     wait, watch again; after `INTERNAL_ERRORS` of them list again
WatchList is refused, or its end stays  list in pages, then watch
away
a page's token has expired              list again without pages
400, 422                                state ``invalid``; nothing more until `retry`
401, 403, 404                           state ``login``, ``forbidden``, ``missing``; tried again, the first two slowly
======================================  =============================================================================

(client-go/tools/cache/reflector.go)
"""

from __future__ import annotations

import random as _random
import time
from collections.abc import Callable
from dataclasses import dataclass

from notebook_mux.kube.backoff import Backoff
from notebook_mux.kube.states import State
from notebook_mux.kube.troubles import Kind, Trouble

PAGE = 500
"""Objects of one page of a list; kubectl's and client-go's number."""

SHORT_SECONDS = 1.0
"""A watch that ends sooner is suspicious; client-go's number."""

SHORT_WATCHES = 3
QUICK_WATCHES = 5
"""How many short watches in a row that did bring events are followed by another one at once."""

INTERNAL_ERRORS = 3
INITIAL_FAILURES = 2
"""How many watches may break off in their initial events before a plain list is tried."""

RELIST_SECONDS = 10.0
"""A version that expires sooner after its list is followed by a wait: the server would be listed to death."""

WATCH_SECONDS = (300, 600)
"""What a watch asks for, at random between; client-go's 5 to 10 minutes."""

FORBIDDEN_WAIT = (10.0, 300.0)
LOGIN_WAIT = (5.0, 120.0)
"""Seconds of the first and the longest wait: rights and credentials change by someone's hand."""

STATES: dict[Kind, State] = {
    "login": "login",
    "forbidden": "forbidden",
    "missing": "missing",
    "invalid": "invalid",
    "stalled": "stale",
}


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds (None: until `Reflector.retry`), then call `Reflector.waited`."""

    seconds: float | None


@dataclass(frozen=True, slots=True)
class List:
    """Get one page with these parameters; then `page` or `list_failed`. The first page begins a new list."""

    params: dict[str, str]
    first: bool


@dataclass(frozen=True, slots=True)
class Watch:
    """Watch with these parameters; then `opened`, for each bookmark `progress`, and `ended`.

    With `initial`, all objects come first, and `initial_end` when they are through.
    """

    params: dict[str, str]
    initial: bool


class Reflector:
    """The decisions for one upstream.

    Args:
        resume: A version to begin with exactly, if the server still has it.
        held: A version whose objects the caller has: it begins with a watch.
        watch_list: Whether to try WatchList.
        page: See `PAGE`.
        clock: Monotonic seconds.
        random: 0 to 1.

    Attributes:
        version: The version to go on from; the caller sets it with each event after the initial ones.
        synced: Whether a list has been complete.
        start_version: `resume`, if that list was had.
        state: What to show.
        trouble: Why, None while all is well.
        relists: How many lists followed an expired version.
    """

    def __init__(
        self,
        *,
        resume: str | None = None,
        held: str = "",
        watch_list: bool = True,
        page: int = PAGE,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = _random.random,
    ) -> None:
        self.version = held
        self.synced = bool(held)
        self.start_version = ""
        self.state: State = "connecting"
        self.trouble: Trouble | None = None
        self.relists = 0
        self._resume = resume or None
        self._watch_list = watch_list
        self._plain_once = False
        self._page = page
        self._paged = True
        self._token = ""
        self._clock = clock
        self._random = random
        self._backoff = Backoff(clock=clock, random=random)
        self._slow = {
            "forbidden": Backoff(*FORBIDDEN_WAIT, clock=clock, random=random),
            "login": Backoff(*LOGIN_WAIT, clock=clock, random=random),
        }
        self._list_due = not held
        self._waiting: Wait | None = None
        self._listed_at = -float("inf")
        self._short = self._internal = self._initial_failures = self._refused = 0

    # --- what to do -----------------------------------------------------------------------------------------------

    def step(self) -> Wait | List | Watch:
        """What to do now."""
        if self._waiting is not None:
            return self._waiting
        if not self._list_due:
            return Watch(self._watch_params({"resourceVersion": self.version}), initial=False)
        if self._resume is None and self._watch_list and not self._plain_once:
            initial = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
            return Watch(self._watch_params(initial), initial=True)
        params = {"limit": str(self._page)} if self._paged else {}
        if self._token:
            return List({**params, "continue": self._token}, first=False)
        if self._resume is not None:
            params |= {"resourceVersion": self._resume, "resourceVersionMatch": "Exact"}
        return List(params, first=True)

    def waited(self) -> None:
        """The wait is over."""
        self._waiting = None

    def retry(self) -> None:
        """Someone wants it tried now: no wait, and short waits from here on."""
        self._waiting = None
        self._refused = 0
        self._backoff.clear()
        for backoff in self._slow.values():
            backoff.clear()
        if not self.synced:
            self.state, self.trouble = "connecting", None

    # --- lists ----------------------------------------------------------------------------------------------------

    def page(self, version: str, token: str) -> bool:
        """A page came; whether it was the last."""
        self._token = token
        if token:
            return False
        if self._resume is not None:
            self.start_version, self._resume = self._resume, None
        self._complete(version)
        return True

    def list_failed(self, trouble: Trouble) -> None:
        """No page came."""
        later, self._token = bool(self._token), ""
        if self._resume is not None and trouble.kind in ("expired", "future", "invalid", "internal", "other"):
            self._resume = None
        elif later and trouble.kind == "expired" and self._paged:
            self._paged = False
        elif trouble.kind == "invalid":
            self._stop(trouble)
        else:
            self._wait(trouble)

    # --- watches --------------------------------------------------------------------------------------------------

    def opened(self) -> None:
        """The server began to answer a watch."""
        if not self._list_due:
            self._well()

    def initial_end(self, version: str) -> None:
        """All initial events of a watch came, and this is the version to go on from."""
        self._complete(version)

    def progress(self, version: str) -> None:
        """A bookmark after the initial events."""
        self.version = version

    def stale(self, trouble: Trouble) -> None:
        """The watch is open, but nobody answers."""
        self.state, self.trouble = "stale", trouble

    def alive(self) -> None:
        """The open watch brought something again."""
        if self.state == "stale" and not self._list_due:
            self._well()

    def ended(self, seconds: float, events: int, trouble: Trouble | None = None) -> None:
        """A watch is over.

        Args:
            seconds: How long it was open; 0 if it never was.
            events: How many events and bookmarks came.
            trouble: What ended it; None for a normal end.
        """
        if events:
            self._internal = self._refused = 0
        if self._list_due:
            self._initial_failed(trouble)
        elif trouble is None:
            self._ended_normally(seconds, events)
        elif trouble.kind == "expired":
            self._expired(trouble)
        elif trouble.kind == "stalled":
            self.state, self.trouble = "stale", trouble
        elif trouble.kind == "unreachable" and seconds >= SHORT_SECONDS:
            self._short = 0  # it had been open: the first new attempt comes at once
        elif trouble.kind == "internal":
            self._internal += 1
            if self._internal >= INTERNAL_ERRORS:
                self._internal, self._list_due = 0, True
            self._wait(trouble)
        elif trouble.kind == "invalid":
            # Perhaps it is the version that cannot be read; a list shows whether the query is to blame.
            self._refused += 1
            self._list_due = True
            if self._refused > 1:
                self._stop(trouble)
        else:
            self._list_due = self._list_due or trouble.kind in ("future", "missing", "other")
            self._wait(trouble)

    def failed(self, trouble: Trouble) -> None:
        """Something failed in a way that has no place above: wait, then list."""
        self._list_due, self._token = True, ""
        self._wait(trouble)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _ended_normally(self, seconds: float, events: int) -> None:
        if seconds >= SHORT_SECONDS:
            self._short = 0
            return
        self._short += 1
        if events and self._short <= QUICK_WATCHES:
            return
        if not events and self._short >= SHORT_WATCHES:
            self._short, self._list_due = 0, True
        self._wait(Trouble("unreachable", "the server ends watches as soon as they begin"))

    def _expired(self, trouble: Trouble) -> None:
        self._list_due = True
        self.relists += 1
        if self._clock() - self._listed_at < RELIST_SECONDS:
            self._wait(trouble)

    def _initial_failed(self, trouble: Trouble | None) -> None:
        if trouble is None:
            trouble = Trouble("other", "the server ended a watch before all objects had come")
        if trouble.kind in ("invalid", "future"):
            self._watch_list = False  # a server without WatchList must refuse it
            return
        if trouble.kind == "stalled":
            self._plain_once = True
            return
        self._initial_failures += 1
        if trouble.kind in ("unreachable", "internal", "other", "expired"):
            self._plain_once = self._initial_failures >= INITIAL_FAILURES
        self._wait(trouble)

    def _complete(self, version: str) -> None:
        self.version = version
        self.synced = True
        self._list_due = self._plain_once = False
        self._paged = True
        self._initial_failures = 0
        self._listed_at = self._clock()
        self._well()

    def _well(self) -> None:
        self.state, self.trouble = "live", None

    def _wait(self, trouble: Trouble) -> None:
        seconds = self._slow.get(trouble.kind, self._backoff).next()
        self._waiting = Wait(max(seconds, trouble.retry_after or 0.0))
        if trouble.kind != "expired" or not self.synced:  # a version that expires is no trouble to show
            self.state, self.trouble = STATES.get(trouble.kind, "unreachable"), trouble

    def _stop(self, trouble: Trouble) -> None:
        self._waiting = Wait(None)
        self.state, self.trouble = "invalid", trouble

    def _watch_params(self, more: dict[str, str]) -> dict[str, str]:
        least, most = WATCH_SECONDS
        seconds = str(round(least + (most - least) * self._random()))
        return {"watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": seconds, **more}
