"""Probes: whether one passes at a time, and what is said where it does not.

An HTTP, TCP or gRPC probe passes where something listens, as `notebook_mux.playground.web` knows it of images and
commands. A probe's command passes by its exit code where it is understood, and by the files
that a simple script makes and removes (``touch /tmp/healthy; sleep 30; rm /tmp/healthy``).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import behaviour
from notebook_mux.playground.stories.commands import SHELLS, outcome
from notebook_mux.playground.web.place import Place
from notebook_mux.playground.web.programs import server
from notebook_mux.playground.web.shop import Unknown

Json = dict[str, Any]

READINESS, LIVENESS, STARTUP = "Readiness", "Liveness", "Startup"
FIELDS = {READINESS: "readinessProbe", LIVENESS: "livenessProbe", STARTUP: "startupProbe"}

PERIOD_S, SUCCESSES, FAILURES = 10, 1, 3
"""A probe's defaults (kubernetes/pkg/apis/core/v1/defaults.go)."""

LISTENS_S = 0.3
"""What a server takes until it listens."""

NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Probing:
    """One probe of one container.

    Args:
        kind: ``Readiness``, ``Liveness``, ``Startup``.
        probe: Its spec.
        container: The container.
        pod: Its pod.
        cluster: The pod's.
    """

    kind: str
    probe: Json
    container: Json
    pod: Json
    cluster: Cluster

    @property
    def delay(self) -> float:
        """Seconds from the container's start to the first try."""
        return float(self.probe.get("initialDelaySeconds") or 0)

    @property
    def period(self) -> float:
        """Seconds between tries."""
        return float(self.probe.get("periodSeconds") or PERIOD_S)

    @property
    def successes(self) -> int:
        """Passes in a row that count."""
        return int(self.probe.get("successThreshold") or SUCCESSES)

    @property
    def failures(self) -> int:
        """Failures in a row that count."""
        return int(self.probe.get("failureThreshold") or FAILURES)

    def problem(self, at: float) -> str | None:
        """What it says, so many seconds after the container's start; None if it passes."""
        stages = behaviour.stages(self.pod, self.container)
        wrong = (
            at < stages.slow
            or (self.kind == READINESS and stages.unready[0] <= at < stages.unready[1])
            or (self.kind == LIVENESS and at >= stages.unhealthy)
        )
        if "exec" in self.probe:
            return self._problem_of_command(at, wrong)
        port = self._port()
        listens = at >= max(LISTENS_S, stages.slow) and port in self._listening(port)
        address = f"{(self.pod.get('status') or {}).get('podIP', '')}:{port}"
        if not listens:
            return self._refused(address)
        if wrong:
            return "HTTP probe failed with statuscode: 503" if "httpGet" in self.probe else self._refused(address)
        return None

    def changes_after(self, at: float) -> float:
        """When it may say something else than at a time, seconds after the container's start; infinity if never."""
        stages = behaviour.stages(self.pod, self.container)
        moments = {LISTENS_S, stages.slow, *stages.unready, stages.unhealthy}
        if "exec" in self.probe:
            for spans in _files(_script(self.container)).values():
                moments.update(moment for span in spans for moment in span)
        return min((one for one in moments if one > at), default=NEVER)

    def _port(self) -> int:
        where = self.probe.get("httpGet") or self.probe.get("tcpSocket") or self.probe.get("grpc") or {}
        port = where.get("port", 0)
        if isinstance(port, str) and not port.isdigit():
            named = (one for one in self.container.get("ports") or () if one.get("name") == port)
            return int(next((one["containerPort"] for one in named), 0))
        return int(port)

    def _listening(self, asked: int) -> set[int]:
        """On which ports somebody in the pod listens; where nothing is known, on the one that is asked for."""
        ports: set[int] = set()
        for one in (*self.pod["spec"]["containers"], *(self.pod["spec"].get("initContainers") or ())):
            found = None if _script(one) else server(Place(self.cluster, self.pod, one))
            if found is not None:
                ports |= found.listens()
                if isinstance(found, Unknown) and one["name"] == self.container["name"] and not one.get("ports"):
                    ports.add(asked)
        return ports

    def _refused(self, address: str) -> str:
        failed = f"dial tcp {address}: connect: connection refused"
        if (get := self.probe.get("httpGet")) is not None:
            scheme, path = get.get("scheme", "HTTP").lower(), get.get("path") or "/"
            return f'Get "{scheme}://{address}{path if path.startswith("/") else f"/{path}"}": {failed}'
        if "grpc" in self.probe:
            return (
                f'timeout: failed to connect service "{address}" within {int(self.probe.get("timeoutSeconds") or 1)}s: '
                "context deadline exceeded"
            )
        return failed

    def _problem_of_command(self, at: float, wrong: bool) -> str | None:
        words = [str(one) for one in self.probe["exec"].get("command") or ()]
        if wrong:
            return ""
        if len(words) > 2 and words[0].rpartition("/")[2] in SHELLS:
            words = words[2].split()
        if words[-1:] == ["]"]:
            words.pop()
        files = _files(_script(self.container))
        path = words[-1] if len(words) > 1 else ""
        if path in files and words[0] in ("cat", "ls", "test", "stat", "["):
            there = any(begin <= at < end for begin, end in files[path])
            if there:
                return None
            return f"{words[0]}: can't open '{path}': No such file or directory\n" if words[0] == "cat" else ""
        known = outcome({"command": words})
        return None if known is None or known[1] == 0 else ""


def of(cluster: Cluster, pod: Json, container: Json, kind: str) -> Probing | None:
    """A probe of a container; None if it has none of that kind."""
    probe = container.get(FIELDS[kind])
    return Probing(kind, probe, container, pod, cluster) if probe else None


_SPLIT = re.compile(r"\s*(?:;|&&|\n)\s*")


def _script(container: Json) -> str:
    """The script of a container that its shell is given; empty without one."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    known = len(words) > 2 and words[0].rpartition("/")[2] in SHELLS and words[1].startswith("-")
    return str(words[2]) if known and _files(str(words[2])) else ""


@lru_cache(maxsize=128)
def _files(script: str) -> dict[str, list[tuple[float, float]]]:
    """When which files are there, seconds after the start: of scripts of touch, rm, echo and sleep alone."""
    found: dict[str, list[tuple[float, float]]] = {}
    at = 0.0
    for line in _SPLIT.split(script.strip()):
        words = line.split()
        if not words:
            continue
        if words[0] == "sleep" and len(words) == 2 and words[1].isdigit():
            at += float(words[1])
        elif words[0] == "touch":
            for path in words[1:]:
                found.setdefault(path, []).append((at, NEVER))
        elif words[0] == "echo" and len(words) > 2 and words[-2] in (">", ">>"):
            found.setdefault(words[-1], []).append((at, NEVER))
        elif words[0] == "rm":
            for path in words[1:]:
                if found.get(path):
                    found[path][-1] = (found[path][-1][0], at)
        else:
            break
    return found
