"""What a pod's containers do, and for how long: by annotation, or by a command that is understood."""

from __future__ import annotations

from typing import Any, NamedTuple

from notebook_mux.playground.stories.commands import outcome, script_of

Json = dict[str, Any]

BEHAVIOUR = "playground.notebook-mux/behaviour"
"""``crash 8`` (fails after 8 s, again and again), ``complete 5``, ``fail 5``, ``no-image``."""

COMPLETE_S = 5.0
"""After which a pod that is not to be restarted ends well, where nothing tells."""


INIT_S = 1.0
"""What an init container takes, where its command does not tell."""


class Behaviour(NamedTuple):
    """What a pod does.

    Args:
        kind: ``crash``, ``complete``, ``fail``, ``no-image``; empty is to run for ever.
        seconds: After how many.
        code: The exit code; None is any that fits.
    """

    kind: str = ""
    seconds: float = 0.0
    code: int | None = None


def of(pod: Json) -> Behaviour:
    """What a pod does."""
    said = (pod["metadata"].get("annotations") or {}).get(BEHAVIOUR, "")
    if said:
        kind, _, seconds = said.partition(" ")
        try:
            return Behaviour(kind, float(seconds or COMPLETE_S))
        except ValueError:
            return Behaviour()
    policy, first = pod["spec"].get("restartPolicy", "Always"), pod["spec"]["containers"][0]
    if (found := outcome(first)) is not None:
        seconds, code = found
        again = policy == "Always" or (policy == "OnFailure" and code)
        return Behaviour("crash" if again else "fail" if code else "complete", seconds, code)
    if policy == "Always" or script_of(first) is not None:
        return Behaviour()
    return Behaviour("complete", COMPLETE_S)


def of_init(container: Json) -> tuple[float, int] | None:
    """Seconds until an init container ends, and its exit code; None if it does not."""
    if container.get("restartPolicy") == "Always":
        return None
    return outcome(container) if script_of(container) is not None else (INIT_S, 0)


def seconds_of(pod: Json, container: Json) -> float | None:
    """After how many seconds a container of a pod ends by itself; None if it does not."""
    if container not in pod["spec"]["containers"]:
        init = container in (pod["spec"].get("initContainers") or ())
        found = of_init(container) if init else outcome(container)
        return found[0] if found else None
    behaviour = of(pod)
    if behaviour.kind in ("complete", "fail"):
        return behaviour.seconds
    if behaviour.kind == "crash" and container is pod["spec"]["containers"][0]:
        return behaviour.seconds
    return None
