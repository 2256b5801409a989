"""What an `expect` asks, checked at the call and taken apart into single expectations."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from notebook_mux import errors
from notebook_mux.handles.expecting import answers as right, state
from notebook_mux.handles.expecting.looks import Asked, Look, Watched
from notebook_mux.handles.expecting.own import Own
from notebook_mux.handles.expecting.rights import Right
from notebook_mux.handles.expecting.served import Answer
from notebook_mux.handles.expecting.target import HOW, Target
from notebook_mux.handles.questions import Names, checked_namespaces
from notebook_mux.handles.selectors import Selector

SECONDS = 60.0
"""How long a check waits: a rollout of a few pods takes half of it."""

Words = str | Sequence[str]


@dataclass(frozen=True)
class Wish:
    """A call of `expect`.

    Args:
        title: What is looked at, for people.
        target: The objects; None where there is nothing to watch.
        watched: What is expected of them.
        asked: What is expected besides, and asked now and then.
        answer: A look at an answer; None where none was given.
        gone: Whether the target is to be not there.
        slices: Whether the endpoint slices of the target, a service, are watched too.
        hints: Of the teacher.
        timeout: Seconds, None for ever.
    """

    title: str
    target: Target | None = None
    watched: tuple[Watched, ...] = ()
    asked: tuple[Asked, ...] = ()
    answer: Callable[[], Look] | None = None
    gone: bool = False
    slices: bool = False
    hints: tuple[str, ...] = ()
    timeout: float | None = None

    @property
    def needs_cluster(self) -> bool:
        """Whether a cluster is looked at."""
        return self.answer is None

    @property
    def key(self) -> str:
        """The same for the same check, which is what hints are counted by."""
        wanted = [one.wanted for one in self.watched] + [one.wanted for one in self.asked]
        return "\n".join([self.title, *wanted, *self.hints])


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The keyword arguments of `api_checks.expect`, as they were given."""

    ready: int | bool | None = None
    count: int | None = None
    exists: bool | None = None
    image: str | None = None
    condition: str | None = None
    field: str | None = None
    equals: Any = ...
    endpoints: int | None = None
    answers: bool | int | str | re.Pattern[str] | None = None
    port: int | str | None = None
    path: str = "/"
    can: Words = ()
    cannot: Words = ()
    that: Callable[..., Any] | None = None
    value: Any = ...
    sha: str | None = None
    name: str | None = None
    hints: Words = ()
    selector: Selector = None
    timeout: float | None = SECONDS
    namespace: Names = None
    cluster: Names = None

    @property
    def of_state(self) -> bool:
        """Whether something is expected of the state of objects, other than that they are there."""
        of = (self.ready, self.count, self.image, self.condition, self.field, self.endpoints, self.answers)
        return any(one is not None for one in of)

    def check(self) -> None:
        """Refuse what can be meant by nobody.

        Raises:
            InvalidArgument: An argument is of no use.
        """
        for name in ("ready", "count", "endpoints"):
            number = getattr(self, name)
            if number is None or (name == "ready" and isinstance(number, bool)):
                continue
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise errors.InvalidArgument(f"{name}={number!r} is no number of something", todo=f"write {name}=3")
        timeout = self.timeout
        real = isinstance(timeout, int | float) and not isinstance(timeout, bool)
        if timeout is not None and not (real and 0 <= timeout < math.inf):
            raise errors.InvalidArgument(
                f"timeout={timeout!r} is no time", todo="give seconds, such as 60; 0 looks once, None waits for ever"
            )
        checked_namespaces(self.namespace)
        if self.name is not None and not isinstance(self.name, str):
            raise errors.InvalidArgument(
                f"name={self.name!r} is no text", todo="give a few words, such as 'the web is up'"
            )
        if self.that is not None and not callable(self.that):
            raise errors.InvalidArgument(
                f"that={self.that!r} is no function", todo="give a function of the object, or a lambda"
            )

    @property
    def rights(self) -> list[Right]:
        """What somebody can and cannot do."""
        can = [Right.read(one, True) for one in _texts("can", self.can)]
        return can + [Right.read(one, False) for one in _texts("cannot", self.cannot)]


def wish(target: Any, **expected: Any) -> Wish:
    """The arguments of `api_checks.expect`, checked.

    Raises:
        InvalidArgument: They cannot be meant so.
        TypeError: There is no such argument.
    """
    given = Expected(**expected)
    given.check()
    hints = _texts("hints", given.hints)
    if given.value is not ... or given.sha is not None or (target is None and given.equals is not ...):
        return _of_an_answer(target, given, hints)
    if given.equals is not ... and given.field is None:
        raise errors.InvalidArgument("equals= is of a field= or of a value=", todo="give one of them")
    if target is None:
        return _of_no_target(given, hints)
    return _of_a_target(Target.read(target, given.selector, given.namespace, given.cluster), given, hints)


def _of_an_answer(target: Any, given: Expected, hints: tuple[str, ...]) -> Wish:
    others = given.of_state or given.exists is not None or given.that is not None or given.rights or target is not None
    if others or (given.equals is ...) == (given.sha is None):
        raise errors.InvalidArgument(
            "an answer is checked by itself", todo="write nm.expect(value=answer, equals=..., name='how many')"
        )
    sha = right.checked_hash(given.sha) if given.sha is not None else None
    return Wish(given.name or "the answer", answer=lambda: right.answer(given.value, given.equals, sha), hints=hints)


def _of_no_target(given: Expected, hints: tuple[str, ...]) -> Wish:
    if given.of_state or given.exists is not None:
        raise errors.InvalidArgument("it is not said what this is expected of", todo=HOW)
    asked: list[Asked] = [one.of(None, given.namespace, given.cluster) for one in given.rights]
    title = given.name or ("you" if asked else "")
    if given.that is not None:
        asked.append(Own(given.that))
    if not asked:
        raise errors.InvalidArgument("nothing is expected", todo="write nm.expect('deploy/web', ready=3)")
    return Wish(title or asked[0].wanted, asked=tuple(asked), hints=hints, timeout=given.timeout)


def _of_a_target(target: Target, given: Expected, hints: tuple[str, ...]) -> Wish:
    title, timeout = given.name or target.words, given.timeout
    asked: list[Asked] = [one.of(target, given.namespace, given.cluster) for one in given.rights]
    if asked and not (target.is_account or target.is_person):
        raise errors.InvalidArgument(
            f"{target.words} is nobody who can or cannot do something",
            todo="write 'sa/reader', 'user/jane' or 'group/devs'; no target is yourself",
        )
    if asked and target.is_person:
        if given.of_state or given.exists is not None or given.that is not None:
            raise errors.InvalidArgument(f"{target.words} is no object, and has rights alone")
        return Wish(title, asked=tuple(asked), hints=hints, timeout=timeout)
    if given.exists is False:
        if given.of_state or given.that is not None or asked:
            raise errors.InvalidArgument("exists=False leaves nothing else to expect", todo="leave the others out")
        return Wish(title, target, gone=True, hints=hints, timeout=timeout)
    if given.answers is not None:
        asked.append(Answer.read(target, given.answers, given.port, given.path))
    watched = _watched(target, given) or [state.there(target.several)]
    slices = given.endpoints is not None
    return Wish(title, target, tuple(watched), tuple(asked), slices=slices, hints=hints, timeout=timeout)


def _watched(target: Target, given: Expected) -> list[Watched]:
    found = []
    if given.count is not None:
        if not target.several:
            raise errors.InvalidArgument(
                f"count= is of a list, and {target.words} is one", todo="write 'pods' with selector="
            )
        found.append(state.count(given.count))
    if given.ready is not None:
        found.append(state.ready(given.ready, target.several))
    if given.image is not None:
        found.append(state.image(given.image))
    if given.condition is not None:
        found.append(state.condition(given.condition))
    if given.field is not None:
        found.append(state.field(given.field, given.equals))
    if given.endpoints is not None:
        if not target.is_service:
            raise errors.InvalidArgument(
                f"endpoints= is of a service, and {target.words} is none", todo="write 'svc/web'"
            )
        found.append(state.endpoints(given.endpoints))
    if given.that is not None:
        found.append(state.own(Own(given.that), target.several))
    return found


def _texts(name: str, given: Any) -> tuple[str, ...]:
    texts = (given,) if isinstance(given, str) else given
    listed = isinstance(texts, Sequence) and not isinstance(texts, Mapping)
    if not listed or not all(isinstance(one, str) and one.strip() for one in texts):
        raise errors.InvalidArgument(f"{name}={given!r}", todo=f"give a text, or a list of texts: {name}=['...']")
    return tuple(texts)
