"""Changes that a page asks for, in two steps: what exactly would change, then that this, and nothing else, be done."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from notebook_mux import errors
from notebook_mux.errors import MuxError
from notebook_mux.handles.changing import meant
from notebook_mux.handles.changing.allowed import Rights, in_words
from notebook_mux.handles.changing.deleting import CASCADES, Delete
from notebook_mux.handles.changing.replacing import Replace
from notebook_mux.handles.changing.restarting import Restart
from notebook_mux.handles.changing.running import TRIES
from notebook_mux.handles.changing.scaling import Scale, replicas_of
from notebook_mux.handles.changing.steps import Seen, Spot, Step
from notebook_mux.handles.questions import chosen_contexts
from notebook_mux.handles.reviews import side_by_side
from notebook_mux.handles.rights import may_write
from notebook_mux.handles.server import Server
from notebook_mux.printing.differences import substance
from notebook_mux.printing.facts import qualified
from notebook_mux.widgets import answering, messages
from notebook_mux.widgets.base import Content

TOKEN_SECONDS = 300.0
"""From what was shown to its being done: for reading a long difference. After that it is asked anew."""

MOST_PENDING = 20
"""Questions of one widget that may still be answered by a ``do``; the oldest is forgotten."""

MOST_DIFF = 200_000
"""Characters of differences in one answer: more than anyone reads, and within what a comm carries well."""

SEVERAL = 3
"""More objects than this are deleted only after their number was typed."""

TYPED = {"Namespace", "Node", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"}
"""Kinds whose deletion takes more with it than itself: their name is typed first."""


class Aim(NamedTuple):
    """One object that a page means.

    Args:
        cluster: The cluster's name.
        namespace: "" for what is in none.
        name: Its name.
        kind: As ``Pod`` or ``Deployment.apps``.
        uid: The very one; "" for whichever has that name.
        resource: As discovery has it; None where only its kind is known.
    """

    cluster: str
    namespace: str
    name: str
    kind: str
    uid: str = ""
    resource: Any = None

    @property
    def ref(self) -> dict[str, str]:
        """As a page has it."""
        return {"cluster": self.cluster, "namespace": self.namespace, "name": self.name, "kind": self.kind}


def aims(message: messages.Change, view: Any, latest: Any) -> list[Aim]:
    """The objects that a page means; those of rows that have gone since it drew them are left out.

    Args:
        message: What it says.
        view: The table's stream's.
        latest: Its records by (index of the cluster, uid).
    """
    states = list(view.states.items()) if view is not None else []
    found = []
    for index, uid in message.rows:
        record = latest.get((index, uid))
        if record is not None and index < len(states) and states[index][1].resource is not None:
            cluster, state = states[index]
            resource = state.resource
            kind = qualified(resource["kind"], resource["group"])
            found.append(Aim(cluster, record.namespace, record.name, kind, uid, resource))
    if message.ref is not None:
        ref = message.ref
        found.append(Aim(ref.cluster, ref.namespace, ref.name, ref.kind))
    return found


@dataclass
class Pending:
    """What was shown, until it is done or forgotten.

    Args:
        view: Whose.
        what: Which change.
        manager: The `Manager` of their clusters.
        steps: With what each was shown to do.
        expires: On `time.monotonic`.
    """

    view: str
    what: str
    manager: Any
    steps: list[tuple[Aim, Step, str]] = field(default_factory=list)
    expires: float = 0.0


class Actions:
    """The changes that are asked for in one widget. Any thread may call; nothing waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, Pending] = {}

    def handle(self, message: messages.Change, aims: Sequence[Aim], manager: Any, answer: answering.Answer) -> None:
        """Answer a question, or do what was shown; later, from another thread.

        Args:
            message: What a page says.
            aims: The objects that its rows mean, for an ``ask``.
            manager: The `Manager` of their clusters.
            answer: Called with what the page is told.

        Raises:
            ValueError: It cannot be asked so.
        """
        if manager is None:
            raise ValueError("no cluster is behind this, that could be changed")
        if message.stage == "do":
            pending = self._taken(message)
            steps = _done(pending)
        else:
            if not aims:
                raise ValueError("what is to be changed is not there any more")
            steps = self._asked(message, aims, manager)
        answering.later(steps, answer, "notebook_mux change", _refused)

    def _taken(self, message: messages.Change) -> Pending:
        """What a token is for; it is good once, for the view that it was shown in.

        Raises:
            ValueError: It is for nothing, or too old.
        """
        with self._lock:
            pending = self._pending.pop(message.token, None)
        if pending is None or (pending.view, pending.what) != (message.view, message.what):
            raise ValueError("this was not shown here, or it is done already")
        if pending.expires < time.monotonic():
            raise ValueError("what was shown is some minutes old: ask again")
        return pending

    async def _asked(self, message: messages.Change, aims: Sequence[Aim], manager: Any) -> Content:
        _check_write(manager, aims)
        steps = await _steps(message, aims, manager._identity)
        if message.what == "scale" and message.replicas is None:
            return {"ok": True, "current": await _current(steps)}
        for _, step in steps:
            await step.look()
        rights = Rights(manager._identity)
        await rights.ask([step for _, step in steps])
        shown = await _shown(steps, rights)
        token = secrets.token_urlsafe(24)
        kept = [(aim, step, _mark(seen)) for aim, step, seen, _ in shown if seen is not None and not seen.idle]
        if kept:
            self._keep(token, Pending(message.view, message.what, manager, kept, time.monotonic() + TOKEN_SECONDS))
        return {"ok": True, "token": token if kept else "", "seconds": TOKEN_SECONDS, **_told(message, shown, rights)}

    def _keep(self, token: str, pending: Pending) -> None:
        with self._lock:
            self._pending[token] = pending
            while len(self._pending) > MOST_PENDING:
                del self._pending[next(iter(self._pending))]


def _check_write(manager: Any, aims: Iterable[Aim]) -> None:
    """Let it pass if all their clusters may be changed now.

    Raises:
        WriteRefused: One may not.
    """
    for alias in dict.fromkeys(aim.cluster for aim in aims):
        may_write(manager, chosen_contexts(manager._identity, alias), "this")


Shown = list[tuple[Aim, Step, Seen | None, MuxError | None]]


def _refused(error: MuxError) -> Content:
    """What a page is told; of an edit also that it was overtaken."""
    if isinstance(error, errors.Conflict):
        return {"ok": False, "conflict": True, "error": str(error)}
    return {"ok": False, "error": str(error), "write": not isinstance(error, errors.WriteRefused)}


async def _steps(message: messages.Change, aims: Sequence[Aim], identity: Any) -> list[tuple[Aim, Step]]:
    found = []
    contexts = {context.alias: context for context in identity.contexts}
    for aim in aims:
        context = contexts[aim.cluster]
        if aim.resource is None:
            spot = await meant.spot_of(identity, context, aim.kind, aim.namespace, aim.name)
        else:
            spot = Spot(Server(identity, context), context, aim.resource, aim.namespace, aim.name)
        found.append((aim, _step(message, spot, aim.uid)))
    return found


def _step(message: messages.Change, spot: Spot, uid: str) -> Step:
    if message.what == "scale":
        return Scale(spot, message.replicas or 0, uid)
    if message.what == "restart":
        return Restart(spot, uid)
    if message.what == "delete":
        return Delete(spot, CASCADES[message.cascade], message.grace, uid)
    return Replace(spot, message.text, message.base, uid, over=message.over)


async def _current(steps: Sequence[tuple[Aim, Step]]) -> list[int | None]:
    """How many replicas each has now; None for what has no scale."""
    found: list[int | None] = []
    for _, step in steps:
        scale = await step.read("scale")
        found.append(replicas_of(scale) if scale is not None else None)
    return found


async def _shown(steps: Sequence[tuple[Aim, Step]], rights: Rights) -> Shown:
    """Each rehearsed, as far as it is allowed."""
    found: dict[int, tuple[Aim, Step, Seen | None, MuxError | None]] = {}

    async def one(at: int) -> None:
        aim, step = steps[at]
        try:
            rights.check([step])
            found[at] = aim, step, await step.rehearse(), None
        except errors.Conflict:
            raise
        except MuxError as error:
            found[at] = aim, step, None, error

    await side_by_side(range(len(steps)), one)
    return [found[at] for at in range(len(steps))]


def _told(message: messages.Change, shown: Shown, rights: Rights) -> Content:
    """What a page is told of it."""
    left = MOST_DIFF if message.what != "delete" or len(shown) == 1 else 0
    changes = []
    for aim, step, seen, error in shown:
        entry: Content = {"ref": aim.ref}
        if seen is None:
            entry |= {"result": "", "diff": "", "said": [], "error": str(error)}
        else:
            diff = step.done(seen).diff
            entry |= {"result": seen.result, "diff": diff if len(diff) <= left else "", "said": list(seen.said)}
            entry["cut"] = len(diff) > left
            left -= len(entry["diff"])
        changes.append(entry)
    return {
        "changes": changes,
        "allowed": [_allowed(aim, step, rights) for aim, step, _, _ in shown],
        "typed": _typed(message, shown),
    }


def _allowed(aim: Aim, step: Step, rights: Rights) -> Content:
    """Whether one may, and why not: ``allowed`` is None where the cluster does not say."""
    answers = [(right, rights.of(step, right)) for right in step.rights()]
    missing = [right for right, answer in answers if answer.allowed is False]
    unknown = any(answer.allowed is None for _, answer in answers)
    why = "; ".join(dict.fromkeys(answer.why for _, answer in answers if answer.why))
    words = f"you may not {in_words(missing)}" if missing else in_words(right for right, _ in answers)
    return {"ref": aim.ref, "allowed": False if missing else None if unknown else True, "rights": words, "why": why}


def _typed(message: messages.Change, shown: Shown) -> str:
    """What has to be typed before it is done; "" for nothing."""
    if message.what != "delete":
        return ""
    grave = [aim.name for aim, step, _, _ in shown if step.spot.kind in TYPED]
    if len(shown) > SEVERAL or len(grave) > 1:
        return f"delete {len(shown)}"
    return grave[0] if grave else ""


def _mark(seen: Seen) -> str:
    """What was shown of one object, to be known again: its state in all that a person decides about, and the new one.

    Not its version alone: that goes up with each heartbeat of a status.
    """
    states = [substance(state) if state is not None else None for state in (seen.before, seen.after)]
    content = msgspec.json.encode([seen.uid, seen.result, *states], order="sorted")
    return hashlib.sha256(content).hexdigest()


async def _done(pending: Pending) -> Content:
    """Do what was shown, as long as it is still that."""
    found: dict[int, Content] = {}
    steps = pending.steps
    _check_write(pending.manager, (aim for aim, *_ in steps))  # it may have been taken back since

    async def one(at: int) -> None:
        aim, step, mark = steps[at]
        try:
            result = await _carried_out(step, mark)
            found[at] = {"ref": aim.ref, "result": result.result, "said": list(result.said)}
        except MuxError as error:
            changed = isinstance(error, errors.Conflict)
            found[at] = {"ref": aim.ref, "result": "", "said": [], "error": str(error), "changed": changed}

    await side_by_side(range(len(steps)), one)
    done = [found[at] for at in range(len(steps))]
    failed = [one for one in done if "error" in one]
    if len(done) == 1 and failed:
        return {"ok": False, "error": failed[0]["error"], "changed": failed[0]["changed"], "done": done}
    return {"ok": True, "done": done}


async def _carried_out(step: Step, mark: str) -> Seen:
    for left in reversed(range(TRIES)):
        seen = await step.rehearse()
        if _mark(seen) != mark:
            raise errors.Conflict(
                f"{step.spot.words} has changed since it was shown, and nothing was done",
                cluster=step.spot.server.name,
                todo="look at what it would be now",
            )
        try:
            return await step.carry_out(seen, locked=True)
        except errors.Conflict:
            if not left:
                raise  # else it was changed in this very moment, perhaps in its status alone
    raise AssertionError("unreachable")
