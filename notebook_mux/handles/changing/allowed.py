"""Who may change what: the rights that steps take, asked of the clusters before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from notebook_mux import errors
from notebook_mux.handles.changing.steps import Right, Step
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.reviews import REVIEW_SECONDS, Reviewer, side_by_side


class Answer(NamedTuple):
    """What a cluster says of a right: whether one has it (None where it does not say), and why."""

    allowed: bool | None
    why: str


def in_words(rights: Iterable[Right]) -> str:
    """Such as ``get and patch deployments.apps/scale in namespace shop``."""
    verbs: dict[Right, list[str]] = {}
    for right in rights:
        verbs.setdefault(right._replace(verb=""), []).append(right.verb)
    return "; ".join(one._replace(verb=" and ".join(each)).words for one, each in verbs.items())


class Rights:
    """Asks; each question once. Its coroutines are of `waiting`'s kind."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._known: dict[tuple[str, Right], Answer] = {}

    async def ask(self, steps: Iterable[Step]) -> None:
        """Ask for all rights of these steps.

        First without the names of objects: mostly that answers for all of one kind at once.
        """
        wanted = [(step.spot.context, right) for step in steps for right in step.rights()]
        await self._ask([(context, right._replace(name="")) for context, right in wanted])
        left = [(c, right) for c, right in wanted if self._known[c.ref, right._replace(name="")].allowed is False]
        await self._ask(left)

    def of(self, step: Step, right: Right) -> Answer:
        """The answer to one that was asked for."""
        ref = step.spot.context.ref
        for_all = self._known[ref, right._replace(name="")]
        return for_all if for_all.allowed is not False else self._known.get((ref, right), for_all)

    def missing(self, step: Step) -> list[tuple[Right, str]]:
        """The rights of a step that one has not, with the cluster's reason."""
        asked = [(right, self.of(step, right)) for right in step.rights()]
        return [(right, answer.why) for right, answer in asked if answer.allowed is False]

    def check(self, steps: Sequence[Step]) -> None:
        """Let it pass if all are allowed, as far as the clusters say.

        Raises:
            Forbidden: Some are not; it says which, where, and who said so.
        """
        for step in steps:
            missing = self.missing(step)
            if missing:
                raise self._refused(step, missing, steps)

    def _refused(self, step: Step, missing: list[tuple[Right, str]], steps: Sequence[Step]) -> errors.Forbidden:
        others = sum(1 for one in steps if one is not step and self.missing(one))
        words = in_words(right for right, _ in missing)
        more = f" (and {others} more of {len(steps)} objects)" if others else ""
        by_resource: dict[str, list[str]] = {}
        for right in step.rights():
            by_resource.setdefault(right.what, []).append(right.verb)
        role = "; ".join(f"{what}: {', '.join(verbs)}" for what, verbs in by_resource.items())
        said = "; ".join(dict.fromkeys(why for _, why in missing if why))
        return errors.Forbidden(
            f"you may not {words}, which it takes to {step.verb} {step.spot.words}{more}:"
            f" cluster {step.spot.server.name} says so",
            cluster=step.spot.server.name,
            said=said or None,
            todo=f"nothing was changed; ask for a Role with: {role}",
        )

    async def _ask(self, wanted: Iterable[tuple[Context, Right]]) -> None:
        by_ref: dict[str, tuple[Context, list[Right]]] = {}
        for context, right in wanted:
            if (context.ref, right) not in self._known:
                _, rights = by_ref.setdefault(context.ref, (context, []))
                if right not in rights:
                    rights.append(right)
        for context, rights in by_ref.values():
            reviewer = Reviewer(self._identity, context, budget=len(rights), seconds=REVIEW_SECONDS)

            async def one(right: Right, reviewer: Reviewer = reviewer) -> Answer:
                r = right
                said = await reviewer.asked(
                    r.verb, r.group, r.resource, r.namespace or None, subresource=r.subresource, name=r.name
                )
                return Answer(*said)

            for right, answer in await side_by_side(rights, one):
                self._known[context.ref, right] = answer
