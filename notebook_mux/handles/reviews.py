"""What we may do in a cluster, asked of the cluster: SelfSubjectRulesReview and SelfSubjectAccessReview.

Both are questions about oneself that every authenticated user may ask (the ClusterRole ``system:basic-user``) and that
change nothing. A rules review answers for one namespace in one request, but it mixes what is bound in the namespace
with what is bound in the whole cluster, and says itself where it is incomplete (webhook authorizers); an access review
answers exactly one question. (kubernetes.io, "Authorization: checking API access".)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from notebook_mux.errors import MuxError
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.refusals import OK
from notebook_mux.handles.waiting import Steps, deadline_in, gather
from notebook_mux.kernel import holder
from notebook_mux.kube import reviews

AT_ONCE = 8
"""Reviews under way at the same time: a page of a console asks as many, and no server minds."""

REVIEW_SECONDS = 10.0
"""For one review, which an API server answers in milliseconds."""

ANY = "*"

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Rules:
    """What a rules review says of one namespace.

    Args:
        rules: Its ``resourceRules``.
        complete: Whether what is not in them is not allowed.
    """

    rules: tuple[dict[str, Any], ...] = ()
    complete: bool = False

    def grant(self, verb: str, group: str, resource: str) -> bool:
        """Whether one of the rules allows it for all objects; a rule for some names does not."""
        return any(
            _has(rule, "verbs", verb) and _has(rule, "apiGroups", group) and _has(rule, "resources", resource)
            for rule in self.rules
            if not rule.get("resourceNames")
        )


def _has(rule: dict[str, Any], key: str, value: str) -> bool:
    listed = rule.get(key)
    return isinstance(listed, list) and (value in listed or ANY in listed)


class Reviewer:
    """Asks one cluster of a manager; its coroutines are of `waiting`'s kind.

    Args:
        identity: The manager's.
        context: The cluster's.
        budget: How many reviews are asked at most; then the answer is None.
        seconds: And how long, from now.
    """

    def __init__(self, identity: Identity, context: Context, *, budget: int, seconds: float) -> None:
        self._identity = identity
        self._context = context
        self._left = budget
        self._deadline = deadline_in(seconds)

    @property
    def left(self) -> int:
        """How many may still be asked."""
        return self._left

    async def may(
        self, verb: str, group: str, resource: str, namespace: str | None, *, subresource: str = "", name: str = ""
    ) -> bool | None:
        """Whether we may; None where it is not known.

        Args:
            verb: ``list``, ``watch`` ...
            group: "" for the core group.
            resource: Such as ``pods``.
            namespace: One, or None for all of them and for what is in none.
            subresource: Such as ``exec``.
            name: One object's; "" for all.
        """
        return (await self.asked(verb, group, resource, namespace, subresource=subresource, name=name))[0]

    async def asked(
        self, verb: str, group: str, resource: str, namespace: str | None, *, subresource: str = "", name: str = ""
    ) -> tuple[bool | None, str]:
        """As `may`, and the reason that the cluster gives; "" for none."""
        body = reviews.access(verb, group, resource, namespace or "", subresource=subresource, name=name)
        content = await self._ask(reviews.ACCESS, body)
        if content is None:
            return None, ""
        return reviews.allowed(content), str((reviews.status_of(content) or {}).get("reason") or "")

    async def rules(self, namespace: str) -> Rules:
        """The rules in a namespace; none, and not complete, where the cluster does not say."""
        content = await self._ask(reviews.RULES, reviews.review(reviews.RULES, {"namespace": namespace}))
        status = reviews.status_of(content) if content is not None else None
        if status is None:
            return Rules()
        listed = status.get("resourceRules")
        rules = [rule for rule in listed if isinstance(rule, dict)] if isinstance(listed, list) else []
        whole = "resourceRules" in status and not status.get("incomplete") and not status.get("evaluationError")
        return Rules(tuple(rules), whole)

    async def _ask(self, kind: str, body: str) -> bytes | None:
        if self._left <= 0:
            return None
        self._left -= 1
        identity, context = self._identity, self._context
        try:
            status, _, content = await answered(
                holder.core().http,
                identity.connection,
                context.ref,
                "POST",
                reviews.path_of(kind),
                headers=reviews.HEADERS,
                body=body,
                user=identity.user,
                timeout=REVIEW_SECONDS,
                deadline=self._deadline,
                what=f"asking {context.alias} what is allowed",
            )
        except MuxError:
            return None  # not knowing is an answer here
        return content if status in OK else None


async def side_by_side(items: Iterable[T], one: Callable[[T], Steps[R]], at_once: int = AT_ONCE) -> list[tuple[T, R]]:
    """Run a step for each item, so many at the same time; the results with their items, as they came."""
    waiting: Iterator[T] = iter(items)
    done: list[tuple[T, R]] = []

    async def worker() -> None:
        for item in waiting:
            done.append((item, await one(item)))  # noqa: PERF401 - shared with the other workers

    for result in await gather([worker() for _ in range(at_once)]):
        if isinstance(result, Exception):
            raise result
    return done
