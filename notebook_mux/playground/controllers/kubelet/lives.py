"""What a kubelet remembers of a pod, beside what is in its status: what is planned, and how often what failed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.playground.clock import Entry, since_epoch

Json = dict[str, Any]

BACK_OFF_S, BACK_OFF_LIMIT_S = 10.0, 300.0
"""Of containers and of images: the first wait, doubled up to the limit (MaxContainerBackOff, kubelet.go)."""

FORGET_S = 2 * BACK_OFF_LIMIT_S
"""A container that ran so long begins with the first wait again (client-go/util/flowcontrol/backoff.go: hasExpired)."""

SAID = re.compile(r"back-off (?:(\d+)m)?(\d+)s restarting")
"""What the status of a container that waits says of its wait."""

MOUNT_S, MOUNT_LIMIT_S = 0.5, 122.0
"""Between tries to mount a volume (volume/util/exponentialbackoff: 500 ms, 2 m 2 s)."""

EVENTS_BURST = 25
EVENTS_REFILL_S = 300.0
"""Events about one object that a kubelet sends at once, and one more after so long (client-go/tools/record)."""


@dataclass(slots=True)
class BackOff:
    """A wait that grows: seconds, and when it was last used, Unix seconds."""

    seconds: float
    since: float


@dataclass(slots=True)
class Life:
    """One pod's.

    Attributes:
        uid: The pod's.
        settled: Whether all runs and nothing of a change to the pod matters but what `agent` looks for.
        taken: Whether the pod was there before the kubelet: of what is planned, a part has passed.
        stopping: Whether it is being stopped.
        mounted: Whether its volumes are mounted.
        generation: Of the spec that its containers have.
        timers: What is planned, by its purpose.
        backoffs: By container (``c/NAME``) and image (``i/IMAGE``).
        errors: What the last try to pull an image said, by image.
        counts: How often in a row a probe said the same, positive for passed, by ``KIND/CONTAINER``.
        tokens: Events that may still be sent, and since when.
    """

    uid: str
    settled: bool = False
    taken: bool = False
    stopping: bool = False
    mounted: bool = False
    generation: int = 1
    timers: dict[str, Entry] = field(default_factory=dict)
    backoffs: dict[str, BackOff] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    tokens: tuple[float, float] = (EVENTS_BURST, 0.0)

    @classmethod
    def taken_over(cls, uid: str, obj: Json) -> Life:
        """Of a pod that is there before the kubelet is: how long its containers wait is read off its status."""
        life = cls(uid, taken=True)
        for kind in ("initContainerStatuses", "containerStatuses"):
            for one in (obj.get("status") or {}).get(kind) or ():
                ended = one["state"].get("terminated") or (one.get("lastState") or {}).get("terminated")
                said = SAID.search((one["state"].get("waiting") or {}).get("message") or "")
                restarts = one.get("restartCount", 0)
                if not ended or not (said or restarts):
                    continue
                guess = min(BACK_OFF_S * 2.0 ** min(restarts - 1, 9), BACK_OFF_LIMIT_S)
                seconds = 60.0 * int(said[1] or 0) + int(said[2]) if said else guess
                life.backoffs[f"c/{one['name']}"] = BackOff(seconds, since_epoch(ended["finishedAt"]))
        return life

    def remaining(self, key: str, since: float, now: float) -> float:
        """Seconds still to wait since a failure; 0 where nothing holds it up."""
        found = self.backoffs.get(key)
        if found is None or since - found.since > FORGET_S:
            return 0.0
        return max(0.0, since + found.seconds - now)

    def next(self, key: str, now: float) -> None:
        """Count a failure: the next wait is twice as long."""
        found = self.backoffs.get(key)
        if found is None or now - found.since > FORGET_S:
            self.backoffs[key] = BackOff(BACK_OFF_S, now)
        else:
            self.backoffs[key] = BackOff(min(2 * found.seconds, BACK_OFF_LIMIT_S), now)

    def may_say(self, now: float) -> bool:
        """Whether one more event may be sent; it is taken off."""
        tokens, since = self.tokens
        tokens = min(float(EVENTS_BURST), tokens + (now - since) / EVENTS_REFILL_S if since else tokens)
        if tokens < 1:
            self.tokens = (tokens, now)
            return False
        self.tokens = (tokens - 1, now)
        return True

    def cancel(self, *purposes: str) -> None:
        """Plan nothing of these any more, or nothing at all."""
        for purpose in purposes or tuple(self.timers):
            entry = self.timers.pop(purpose, None)
            if entry is not None:
                entry.cancel()
