"""What the metrics API says, asked for again and again while somebody looks: it cannot be watched.

One thread asks for all tables of this process, over the one socket; tables of the same cluster and namespaces share an
answer. Nothing is asked for what nobody holds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from notebook_mux.errors import MuxError
from notebook_mux.handles.crossing import crossed
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.refusals import FORBIDDEN, NOT_FOUND, OK, UNAUTHORIZED, message_of
from notebook_mux.kernel import holder
from notebook_mux.printing.amounts import Amounts, measured

log = logging.getLogger(__name__)

API = "/apis/metrics.k8s.io/v1beta1"

POLL_SECONDS = 15.0
"""Between two questions: as often as metrics-server looks (its ``--metric-resolution``)."""

AGAIN_SECONDS = 60.0
"""Until it is asked again where there is no such API, or no right: neither comes by itself in a moment."""

REQUEST_SECONDS = 20.0
"""For one answer."""

KEPT_SECONDS = 60.0
"""How long an answer that nobody holds is kept: a table that is looked at again begins with it."""

IDLE_SECONDS = 30.0
"""The thread ends after so long without anything to ask or to keep; the next hold starts another."""

SAID = 200
"""Characters of a server's words in a note."""


class Question(NamedTuple):
    """What is asked of one cluster.

    Attributes:
        connection, scope, user: The manager's, as `Identity` has them.
        ref: The cluster's, in the core.
        resource: ``pods`` or ``nodes``.
        namespace: "" for all of them.
        selector: Of labels; "" for whatever they are. By fields this API selects nothing.
    """

    connection: str
    scope: str
    user: str
    ref: str
    resource: str
    namespace: str = ""
    selector: str = ""

    @classmethod
    def of(
        cls, identity: Identity, context: Context, resource: str, namespace: str = "", selector: str = ""
    ) -> Question:
        """What a manager asks of one of its clusters."""
        return cls(identity.connection, identity.scope, identity.user, context.ref, resource, namespace, selector)

    @property
    def path(self) -> str:
        """The request's."""
        return f"{API}/namespaces/{self.namespace}/{self.resource}" if self.namespace else f"{API}/{self.resource}"


class Answer(NamedTuple):
    """What came of it.

    Attributes:
        figures: (namespace, name) to what is used.
        trouble: Why there are none, in words; "" where there are.
        at: When it came, on the poller's clock; 0 while nothing has.
    """

    figures: Mapping[tuple[str, str], Amounts] = {}
    trouble: str = ""
    at: float = 0.0


class _Poll:
    """One question, who waits for it, and its last answer."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.wakes: dict[object, Callable[[], None]] = {}
        self.due = 0.0
        self.let_go = 0.0
        self.asked: Future[Any] | None = None


Ask = Callable[[Question], "Future[Any]"]


class Poller:
    """Asks what is held, each `POLL_SECONDS`. Any thread may call; nothing waits.

    Args:
        ask: Sends a question; its future has status, headers and body.
        clock: Monotonic seconds.
    """

    def __init__(self, ask: Ask | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask or _asked
        self._clock = clock
        self._lock = threading.Lock()
        self._polls: dict[Question, _Poll] = {}
        self._came: SimpleQueue[tuple[Question, Future[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def hold(self, question: Question, wake: Callable[[], None]) -> Callable[[], None]:
        """Have it asked until the function that is returned is called; `wake` is called after each answer."""
        mark = object()
        with self._lock:
            poll = self._polls.setdefault(question, _Poll())
            poll.wakes[mark] = wake
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="notebook_mux metrics", daemon=True)
                self._thread.start()
        self._came.put(None)

        def undo() -> None:
            with self._lock:
                poll.wakes.pop(mark, None)
                poll.let_go = self._clock()

        return undo

    def answer(self, question: Question) -> Answer:
        """The last answer."""
        with self._lock:
            poll = self._polls.get(question)
        return poll.answer if poll is not None else Answer()

    # --- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            wait = self._step()
            try:
                came = self._came.get(timeout=IDLE_SECONDS if wait is None else wait)
            except Empty:
                with self._lock:
                    if wait is None and not self._polls:
                        self._thread = None
                        return
                continue
            if came is not None:
                self._take(*came)

    def _step(self) -> float | None:
        """Ask what is due; returns the seconds until something is, or None."""
        now = self._clock()
        with self._lock:
            for question, poll in list(self._polls.items()):
                if not poll.wakes and poll.asked is None and now - poll.let_go > KEPT_SECONDS:
                    del self._polls[question]
            held = [(question, poll) for question, poll in self._polls.items() if poll.wakes and poll.asked is None]
        waits = []
        for question, poll in held:
            if poll.due <= now:
                self._send(question, poll)
            else:
                waits.append(poll.due - now)
        return min(waits, default=None)

    def _send(self, question: Question, poll: _Poll) -> None:
        try:
            poll.asked = self._ask(question)
        except Exception as error:  # noqa: BLE001 - of the core's generation, so not known by class
            poll.asked = Future()
            poll.asked.set_exception(error)
        poll.asked.add_done_callback(lambda future: self._came.put((question, future)))

    def _take(self, question: Question, future: Future[Any]) -> None:
        now = self._clock()
        answer, wait = _read(question, future, now)
        with self._lock:
            poll = self._polls.get(question)
            if poll is None:
                return
            if answer.trouble and poll.answer.figures and wait != AGAIN_SECONDS:
                answer = answer._replace(figures=poll.answer.figures)  # a hiccup: the last figures are better than none
            poll.answer, poll.asked, poll.due = answer, None, now + wait
            wakes = list(poll.wakes.values())
        for wake in wakes:
            wake()


def _asked(question: Question) -> Future[Any]:
    core = holder.running()
    if core is None:
        raise ConnectionError("the connection was closed")
    future: Future[Any] = core.http(
        question.connection,
        question.ref,
        "GET",
        question.path,
        urlencode({"labelSelector": question.selector}) if question.selector else "",
        headers={"Accept": JSON},
        scope=question.scope,
        user=question.user,
        timeout=REQUEST_SECONDS,
    )
    return future


def _read(question: Question, future: Future[Any], now: float) -> tuple[Answer, float]:
    """The answer, and the seconds until it is asked again."""
    try:
        status, _, body = future.result()
    except BaseException as error:  # noqa: BLE001 - of the core's generation; also a cancelled future
        found = crossed(error)
        words = found.what if isinstance(found, MuxError) else str(found) or type(found).__name__
        return Answer(trouble=f"the metrics API was not reached: {words}", at=now), POLL_SECONDS
    if status in OK:
        try:
            return Answer(measured(body), at=now), POLL_SECONDS
        except (msgspec.MsgspecError, UnicodeError) as error:
            return Answer(trouble=f"the metrics API's answer cannot be read: {error}", at=now), AGAIN_SECONDS
    said, _ = message_of(body)
    said = " ".join(said.split())[:SAID]
    if status == NOT_FOUND:
        return Answer(trouble="the metrics API (metrics-server) is not installed", at=now), AGAIN_SECONDS
    if status == FORBIDDEN:
        where = f" in {question.namespace}" if question.namespace else ""
        return Answer(trouble=f"you may not list {question.resource}.metrics.k8s.io{where}", at=now), AGAIN_SECONDS
    if status == UNAUTHORIZED:
        return Answer(trouble="the cluster wants a login", at=now), AGAIN_SECONDS
    return Answer(trouble=f"the metrics API does not answer now: {said or f'HTTP {status}'}", at=now), POLL_SECONDS


poller = Poller()
"""For all tables of this process."""
