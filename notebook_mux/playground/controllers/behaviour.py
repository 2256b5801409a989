"""What containers do, and for how long: declared, or by a command that is understood, or by a well-known image.

A pod's annotation ``playground.notebook-mux/behaviour`` is a list of stages separated by ``;``, and
``playground.notebook-mux/behaviour.NAME`` is one container's own (an init container's too), and
``playground.notebook-mux/behaviour.TAG`` that of containers whose image has this tag. The stages are

===================  ==============================================================================================
``complete S``       ends well after S seconds
``fail S [CODE]``    fails after S seconds
``crash S [CODE]``   fails after S seconds; in a pod's annotation this is its first container alone
``oom S``            is killed for its memory after S seconds, exit code 137; the first container alone, too
``start-error``      its command cannot be started
``no-image``         its image cannot be pulled
``slow S``           listens, and passes its probes, only from S seconds on
``unready S [T]``    does not pass its readiness probe from S to T seconds after its start
``unhealthy S``      does not pass its liveness probe from S seconds on
``stops S``          takes S seconds to end when it is told to; more than its grace is an end by force
===================  ==============================================================================================

The annotation ``playground.notebook-mux/memory`` (``/memory.NAME``) is what a container uses, such as ``600Mi`` or
``64Mi+2Mi/s``: once it is above the container's limit the container is killed. `declare` does the same for images of a
whole cluster. What has no stage does what `stories.commands` says of its command.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from notebook_mux.playground.metrics import quantity
from notebook_mux.playground.shell import entry
from notebook_mux.playground.stories.catalog import PROGRAMS
from notebook_mux.playground.stories.commands import WITHOUT_ENTRYPOINT, image_name, outcome, script_of

Json = dict[str, Any]

PREFIX = "playground.notebook-mux/"
BEHAVIOUR = f"{PREFIX}behaviour"
MEMORY = f"{PREFIX}memory"

COMPLETE_S = 5.0
"""After which a pod that is not to be restarted ends well, where nothing tells."""

INIT_S = 1.0
"""What an init container takes, where its command does not tell."""

SHELL_S = 0.1
"""What a shell takes to see that it has no input."""

OOM_S = 1.0
"""What a container takes to use what it always uses."""

SHELLS = WITHOUT_ENTRYPOINT | {"python", "node", "centos", "rockylinux", "amazonlinux"}
"""Images that run a shell or an interpreter, which ends at once where it has no input."""

NOWHERE = frozenset({"does-not-exist", "doesnotexist", "no-such-command", "nonexistent"})
"""Commands that no image has."""

OTHERS = ("initContainers", "ephemeralContainers")
ONLY_FIRST = frozenset({"crash", "oom"})


@dataclass(frozen=True, slots=True)
class Stages:
    """What one container does. Times are seconds since its start.

    Args:
        ends: When it ends by itself; None is never.
        code: With which exit code; None is any that fits a crash.
        oom: Whether its end is a kill for its memory.
        start_error: Whether it cannot be started.
        no_image: Whether its image cannot be pulled.
        slow: When it begins to listen.
        unready: From when until when it is not ready.
        unhealthy: From when on it does not pass its liveness probe.
        stops: How long it takes to end when it is told to; None is a short while.
    """

    ends: float | None = None
    code: int | None = 0
    oom: bool = False
    start_error: bool = False
    no_image: bool = False
    slow: float = 0.0
    unready: tuple[float, float] = (math.inf, math.inf)
    unhealthy: float = math.inf
    stops: float | None = None


NOTHING = Stages()


def stages(pod: Json, container: Json) -> Stages:
    """What a container of a pod does, of any kind of container."""
    annotations = pod["metadata"].get("annotations") or {}
    name = container["name"]
    spec = pod["spec"]
    kind = next((kind for kind in OTHERS for one in spec.get(kind) or () if one["name"] == name), "")
    tag = container.get("image", "").rpartition("/")[2].partition("@")[0].partition(":")[2]
    said = annotations.get(f"{BEHAVIOUR}.{name}") or annotations.get(f"{BEHAVIOUR}.{tag}", "")
    found = _parse(said) if said else NOTHING
    if not said and not kind and BEHAVIOUR in annotations:
        found = _parse(annotations[BEHAVIOUR])
        if name != spec["containers"][0]["name"] and _is_of_first(annotations[BEHAVIOUR]):
            found = replace(found, ends=None, code=0, oom=False)
        said = annotations[BEHAVIOUR]
    if found.ends is None and not found.start_error and not found.no_image:
        found = _by_command(found, container, spec, kind, said=bool(said))
    memory = annotations.get(f"{MEMORY}.{name}") or (annotations.get(MEMORY) if not kind else None)
    return _by_memory(found, container, memory) if memory else found


@lru_cache(maxsize=256)
def _parse(text: str) -> Stages:
    """Stages as an annotation says them; what cannot be read is left out."""
    found = NOTHING
    for stage in text.split(";"):
        word, *arguments = stage.split() or [""]
        try:
            numbers = [float(one) for one in arguments]
        except ValueError:
            continue
        first = numbers[0] if numbers else COMPLETE_S
        second = numbers[1] if len(numbers) > 1 else None
        code = None if second is None else int(second)
        if word == "complete":
            found = replace(found, ends=first, code=0)
        elif word == "fail":
            found = replace(found, ends=first, code=1 if code is None else code)
        elif word == "crash":
            found = replace(found, ends=first, code=code)
        elif word == "oom":
            found = replace(found, ends=first, code=137, oom=True)
        elif word == "start-error":
            found = replace(found, start_error=True)
        elif word == "no-image":
            found = replace(found, no_image=True)
        elif word == "slow":
            found = replace(found, slow=first)
        elif word == "unready":
            found = replace(found, unready=(first if numbers else 0.0, math.inf if second is None else second))
        elif word == "unhealthy":
            found = replace(found, unhealthy=first if numbers else 0.0)
        elif word == "stops":
            found = replace(found, stops=first)
    return found


def _is_of_first(text: str) -> bool:
    return any(stage.split()[0] in ONLY_FIRST for stage in text.split(";") if stage.split())


def _by_command(found: Stages, container: Json, spec: Json, kind: str, *, said: bool) -> Stages:
    """What its command, or its image without one, does."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    if words and words[0].rpartition("/")[2] in NOWHERE:
        return replace(found, start_error=True)
    if (known := outcome(container)) is not None:
        return replace(found, ends=known[0], code=known[1])
    if script_of(container) is not None:
        return found
    image = image_name(container.get("image", ""))
    if not words and image in SHELLS and not container.get("stdin") and kind != OTHERS[0]:
        return replace(found, ends=SHELL_S)
    if entry.is_emulated(container) and not (kind == OTHERS[0] and container.get("stdin")):
        return found  # the emulation says when it ends
    if kind == OTHERS[0]:
        return found if container.get("restartPolicy") == "Always" else replace(found, ends=INIT_S)
    if kind or said or spec.get("restartPolicy", "Always") == "Always":
        return found
    program = PROGRAMS.get(image)
    return found if program is not None and program.pace and not words else replace(found, ends=COMPLETE_S)


def _by_memory(found: Stages, container: Json, said: str) -> Stages:
    """When it has more memory than it may."""
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    if limit is None:
        return found
    try:
        begin, rate = memory_of(said)
        most = quantity.value(limit)
    except ValueError:
        return found
    at = OOM_S if begin > most else (most - begin) / rate if rate > 0 else math.inf
    if at == math.inf or (found.ends is not None and found.ends <= at):
        return found
    return replace(found, ends=at, code=137, oom=True)


def memory_of(said: str) -> tuple[float, float]:
    """Bytes at the start, and bytes more each second, of ``64Mi+2Mi/s``.

    Raises:
        ValueError: It cannot be read.
    """
    begin, _, rate = said.partition("+")
    return quantity.value(begin), quantity.value(rate.removesuffix("/s")) if rate else 0.0


def seconds_of(pod: Json, container: Json) -> float | None:
    """After how many seconds a container of a pod ends by itself; None if it does not."""
    return stages(pod, container).ends


@dataclass(slots=True)
class Declared:
    """What a cluster's images do, for pods that say nothing themselves.

    Attributes:
        rules: Parts of images' names, each with the stages of an annotation; the first that fits counts.
    """

    rules: list[tuple[str, str]] = field(default_factory=list)

    def declare(self, image: str, said: str) -> None:
        """Let pods with an image whose name has a part, say ``flaky``, do something from now on."""
        self.rules.insert(0, (image, said))

    def of(self, pod: Json) -> str:
        """What a pod without an annotation of its own is to do; empty is nothing special."""
        annotations = pod["metadata"].get("annotations") or {}
        if any(name.startswith(BEHAVIOUR) for name in annotations):
            return ""
        images = [one.get("image", "") for one in pod["spec"].get("containers") or ()]
        return next((said for part, said in self.rules if any(part in image for image in images)), "")
