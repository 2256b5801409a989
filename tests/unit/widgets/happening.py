"""Events with the interface that their view reads, and as many of them as one likes. No kernel, no cluster."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from notebook_mux.handles.family import Family
from notebook_mux.handles.kin import Kin, Thing
from notebook_mux.handles.lifelines import Lifeline
from notebook_mux.wire.frames import Record

from .fakes import FakeStream, state

EVENTS = {"name": "events", "group": "", "version": "v1", "kind": "Event", "namespaced": True}

CAUSES = (
    ("Scheduled", "Successfully assigned shop/{pod} to node-3", False),
    ("Pulled", 'Container image "registry.example/shop/web:1.4.2" already present on machine', False),
    ("Created", "Created container: web", False),
    ("Started", "Started container web", False),
    ("Unhealthy", 'Readiness probe failed: Get "http://10.244.1.7:8080/ready": context deadline exceeded', True),
    ("BackOff", "Back-off restarting failed container web in pod {pod}_shop(5b1f0a52-7c3e)", True),
    ("Killing", "Stopping container web", False),
    ("FailedScheduling", "0/7 nodes are available: 7 Insufficient memory. preemption: 0/7 nodes are available", True),
)


def stamp(at: float) -> str:
    """Unix seconds as RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def event(
    number: int, about: Thing, cause: tuple[str, str, bool], *, first: float, last: float, count: int = 1
) -> Record:
    """An event; `first` and `last` are seconds ago."""
    reason, message, warning = cause
    now = time.time()
    content = {
        "metadata": {"name": f"e-{number}", "namespace": about.namespace},
        "involvedObject": {
            "kind": about.kind, "namespace": about.namespace, "name": about.name,
            "fieldPath": "spec.containers{web}" if about.kind == "Pod" and reason != "Scheduled" else "",
        },
        "type": "Warning" if warning else "Normal", "reason": reason, "message": message.format(pod=about.name),
        "count": count, "firstTimestamp": stamp(now - first), "lastTimestamp": stamp(now - last),
        "source": {"component": "kubelet", "host": f"node-{number % 7}"},
    }  # fmt: skip
    uid = f"00000000-0000-4000-8000-{number:012d}"
    encoded = json.dumps(content).encode()
    return Record(uid, about.namespace, f"e-{number}", str(count), stamp(now - first), now, b"[]", encoded)


class FakeEvents(FakeStream):
    """What the view reads of `Events`."""

    def __init__(self, words: str = "events of deployment/web in shop", *, everything: bool = False) -> None:
        super().__init__(words=words)
        self.states = {"kind-a": state(resource=EVENTS, namespaces=("shop",))}
        root = Thing("Deployment", "shop", "web")
        kin = Kin() if everything else Kin([root])
        self.notes: list[str] = []
        self.family = Family(SimpleNamespace(_check=lambda: None), {"kind-a": kin}, [])
        self.undone: list[Callable[[], None]] = []
        self._source = SimpleNamespace(
            family=self.family, owner=SimpleNamespace(_closed=False), on_close=self._on_close
        )

    def _on_close(self, undo: Callable[[], None]) -> Callable[[], None]:
        self.undone.append(undo)
        return lambda: self.undone.remove(undo) if undo in self.undone else None

    def say(self, cluster: str = "", **changed: Any) -> None:
        """A cluster's state changes."""
        super().say(cluster, **({"resource": EVENTS, "namespaces": ("shop",)} | changed))

    def own(self, thing: Thing, owner: Thing) -> None:
        """A thing says whom it belongs to."""
        self.family.kin["kind-a"].learn(thing, owner)
        self.say()

    def live(
        self, pod: Thing, *stretches: tuple[float, str, str], marks: Iterable[tuple[float, str, str]] = ()
    ) -> None:
        """What a pod went through: (seconds ago, state, words)."""
        from notebook_mux.handles.lifelines import Mark, Stretch

        now = time.time()
        line = Lifeline("u")
        line.stretches = [Stretch(now - ago, state, words) for ago, state, words in stretches]
        line.marks = [Mark(now - ago, what, words) for ago, what, words in marks]
        if any(mark.what == "gone" for mark in line.marks):
            line.end = line.marks[-1].at
        self.family.lifelines["kind-a", pod] = line
        self.family.lines += 1
        self.family.touched["kind-a", pod] = self.family.lines
        self.say()


def rollout(events: FakeEvents) -> None:
    """A deployment whose new pods fail: what one would see in the first ten minutes."""
    web, old, new = (
        Thing("Deployment", "shop", "web"), Thing("ReplicaSet", "shop", "web-6c8f7d9b5"),
        Thing("ReplicaSet", "shop", "web-7d4b9c6f8"),
    )  # fmt: skip
    events.own(old, web)
    events.own(new, web)
    number = 100
    records = [
        event(
            1, web, ("ScalingReplicaSet", "Scaled up replica set web-7d4b9c6f8 from 0 to 2", False), first=420, last=420
        ),
        event(
            2,
            web,
            ("ScalingReplicaSet", "Scaled down replica set web-6c8f7d9b5 from 3 to 2", False),
            first=418,
            last=418,
        ),
        event(3, new, ("SuccessfulCreate", "Created pod: web-7d4b9c6f8-kq2xz", False), first=419, last=419),
        event(4, old, ("SuccessfulDelete", "Deleted pod: web-6c8f7d9b5-zzb7m", False), first=417, last=417),
    ]
    for place, name in enumerate(("kq2xz", "t9wpl")):
        pod = Thing("Pod", "shop", f"{new.name}-{name}")
        events.own(pod, new)
        for step, cause in enumerate(CAUSES[:4]):
            records.append(event(number, pod, cause, first=416 - step * 4 - place, last=416 - step * 4 - place))
            number += 1
        records.append(event(number, pod, CAUSES[4], first=380, last=30 + place, count=23))
        records.append(event(number + 1, pod, CAUSES[5], first=300, last=12 + place * 3, count=14))
        number += 2
        events.live(
            pod,
            (416, "pending", "ContainerCreating"), (404, "started", ""), (360, "failing", "CrashLoopBackOff"),
            (250, "started", ""), (230, "unready", "ContainersNotReady"), (120, "failing", "CrashLoopBackOff"),
            marks=[(360, "killed", "web ended (OOMKilled, exit code 137)"), (120, "restarted", "web ended (Error)")],
        )  # fmt: skip
    for place, name in enumerate(("4fh8s", "zzb7m")):
        pod = Thing("Pod", "shop", f"{old.name}-{name}")
        events.own(pod, old)
        if place == 1:
            records.append(event(number, pod, CAUSES[6], first=417, last=417))
            events.live(pod, (9000, "ready", ""), (417, "ending", "being deleted"), marks=[(386, "gone", "deleted")])
        else:
            events.live(pod, (9000, "ready", ""))
        number += 1
    events.put(*records)


def storm(events: FakeEvents, number: int = 10_000, seed: int = 1) -> None:
    """Many events of many pods, in the last hour."""
    rng = random.Random(seed)
    pods = [Thing("Pod", "shop", f"job-{n}") for n in range(number // 25)]
    records = []
    for one in range(number):
        pod = pods[int(len(pods) * rng.random() ** 2)]
        cause = CAUSES[min(int(rng.expovariate(0.45)), len(CAUSES) - 1)]
        first = rng.random() ** 0.7 * 3500
        count = rng.choice((1, 1, 1, 1, 2, 14))
        reason, message, warning = cause
        varied = (reason, f"{message} (attempt {one})", warning)
        records.append(
            event(one, pod, varied, first=first, last=first * rng.random() if count > 1 else first, count=count)
        )
    events.put(*records)


__all__ = ["CAUSES", "FakeEvents", "Thing", "event", "rollout", "storm"]
