"""Probes: whether one passes at a time, and what is said where it does not.

A TCP or gRPC probe passes where something listens, as `notebook_mux.playground.web` knows it of images and commands; an
HTTP probe by what the server there answers (docs: "Liveness, Readiness and Startup Probes": 200 to 399). What fails is
in the server's log too; what passes is not asked again, and told there by its story. A probe's command passes by its
exit code: in the emulated container (`commands`), or as it is understood where time is moved by hand or its programs
are not emulated, with the files that a simple script makes and removes (``touch /tmp/healthy; sleep 30; rm ...``).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import behaviour
from notebook_mux.playground.controllers.kubelet import commands, status
from notebook_mux.playground.stories.commands import SHELLS, outcome
from notebook_mux.playground.web.messages import Request
from notebook_mux.playground.web.place import Place
from notebook_mux.playground.web.programs import MUTE, Mute, Server, server
from notebook_mux.playground.web.shop import Unknown
from notebook_mux.playground.web.site import Site
from notebook_mux.playground.web.static import FileSite

Json = dict[str, Any]

READINESS, LIVENESS, STARTUP = "Readiness", "Liveness", "Startup"
FIELDS = {READINESS: "readinessProbe", LIVENESS: "livenessProbe", STARTUP: "startupProbe"}

PERIOD_S, TIMEOUT_S, SUCCESSES, FAILURES = 10, 1, 1, 3
"""A probe's defaults (kubernetes/pkg/apis/core/v1/defaults.go)."""

LISTENS_S = 0.3
"""What a server takes until it listens."""

NEVER = math.inf
STATUS_SAID = "HTTP probe failed with statuscode: "
AGENT = "kube-probe/1.37"
CHANGING = frozenset({"configMap", "secret", "emptyDir", "persistentVolumeClaim"})
"""Volumes whose files may be others later."""


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

    @property
    def command(self) -> list[str]:
        """The command of a probe that has one."""
        return [str(one) for one in (self.probe.get("exec") or {}).get("command") or ()]

    @property
    def runs(self) -> bool:
        """Whether its command can be run, in the emulated container, and its stages do not say what comes of it."""
        return commands.can_run(self.cluster, self.pod, self.container, self.command)

    def is_declared_bad(self, at: float) -> bool:
        """Whether the pod's stages say that it fails, so many seconds after the container's start."""
        stages = behaviour.stages(self.pod, self.container)
        return (
            at < stages.slow
            or (self.kind == READINESS and stages.unready[0] <= at < stages.unready[1])
            or (self.kind == LIVENESS and at >= stages.unhealthy)
        )

    async def run(self) -> str | None:
        """Run its command; what it says, None if it passes."""
        seconds = float(self.probe.get("timeoutSeconds") or TIMEOUT_S)
        return await commands.run(self.cluster, self.pod, self.container, self.command, seconds)

    def problem(self, at: float) -> str | None:
        """What it says, so many seconds after the container's start; None if it passes."""
        wrong, stages = self.is_declared_bad(at), behaviour.stages(self.pod, self.container)
        if "exec" in self.probe:
            return self._problem_of_command(at, wrong)
        port = self._port()
        found = self._server(port) if at >= max(LISTENS_S, stages.slow) else None
        address = f"{(self.pod.get('status') or {}).get('podIP', '')}:{port}"
        if found is None:
            return self._refused(address)
        if wrong:
            return f"{STATUS_SAID}503" if "httpGet" in self.probe else self._refused(address)
        return self._problem_of_answer(found, port, address) if "httpGet" in self.probe else None

    def changes_after(self, at: float) -> float:
        """When it may say something else than at a time, seconds after the container's start; infinity if never.

        Of a server whose answers may be others at any time, it is that time.
        """
        stages = behaviour.stages(self.pod, self.container)
        moments = {LISTENS_S, stages.slow, *stages.unready, stages.unhealthy}
        if "exec" in self.probe:
            for spans in _files(_script(self.container)).values():
                moments.update(moment for span in spans for moment in span)
        if ("httpGet" in self.probe and self._answers_anew()) or self.runs:
            return at
        return min((one for one in moments if one > at), default=NEVER)

    def _port(self) -> int:
        where = self.probe.get("httpGet") or self.probe.get("tcpSocket") or self.probe.get("grpc") or {}
        port = where.get("port", 0)
        if isinstance(port, str) and not port.isdigit():
            named = (one for one in self.container.get("ports") or () if one.get("name") == port)
            return int(next((one["containerPort"] for one in named), 0))
        return int(port)

    def _server(self, asked: int) -> Server | None:
        """Who listens on a port of the pod; where nothing is known of the container's image, it does on any."""
        for kind in ("containers", "initContainers"):
            known = status.statuses(self.pod, kind)
            for one in self.pod["spec"].get(kind) or ():
                number = known.get(one["name"], {}).get("restartCount", 0)
                found = None if _script(one) else server(Place(self.cluster, self.pod, one, number))
                if found is None:
                    continue
                anything = isinstance(found, Unknown) and one["name"] == self.container["name"] and not one.get("ports")
                if asked in found.listens() or anything:
                    return found
        return None

    def _problem_of_answer(self, found: Server, port: int, address: str) -> str | None:
        """What is wrong with a server's answer to an HTTP probe; None if it is well, or nothing is known of it."""
        if isinstance(found, Unknown):
            return None
        get = self.probe["httpGet"]
        url = self._url(address)
        if not isinstance(found, Site):  # on a port that is not its image's own, nobody knows what listens
            own = isinstance(found, Mute) and port != MUTE.get(found.place.image)
            return None if own else f'Get "{url}": EOF'
        if get.get("scheme") == "HTTPS":
            return f'Get "{url}": http: server gave HTTP response to HTTPS client'
        said = [(str(one.get("name", "")), str(one.get("value", ""))) for one in get.get("httpHeaders") or ()]
        names = {name.lower() for name, _ in said}
        usual = [("Host", address), ("User-Agent", AGENT), ("Accept", "*/*"), ("Connection", "close")]
        fields = (*(one for one in usual if one[0].lower() not in names), *said)
        node = (self.pod.get("status") or {}).get("hostIP", "127.0.0.1")
        request = Request("GET", "/" + url.split("/", 3)[3], fields, client=node)
        answer = found.respond(request, port)
        if 200 <= answer.status < 400:
            return None
        found.write(request, answer)
        return f"{STATUS_SAID}{answer.status}"

    def _answers_anew(self) -> bool:
        """Whether its server may answer otherwise at any time: as its files are mounted, or somebody's."""
        found = self._server(self._port())
        if not isinstance(found, Site):
            return False
        known = self.cluster.programs
        if found.varies or (known and known.find(self.pod["metadata"]["uid"], found.place.container["name"])):
            return True
        kinds = {one["name"]: set(one) for one in self.pod["spec"].get("volumes") or ()}
        mounted = (kinds.get(one["name"], set()) for one in found.place.container.get("volumeMounts") or ())
        return isinstance(found, FileSite) and any(one & CHANGING for one in mounted)

    def _url(self, address: str) -> str:
        get = self.probe["httpGet"]
        path = get.get("path") or "/"
        return f"{get.get('scheme', 'HTTP').lower()}://{address}{path if path.startswith('/') else f'/{path}'}"

    def _refused(self, address: str) -> str:
        failed = f"dial tcp {address}: connect: connection refused"
        if "httpGet" in self.probe:
            return f'Get "{self._url(address)}": {failed}'
        if "grpc" in self.probe:
            return (
                f'timeout: failed to connect service "{address}" within {int(self.probe.get("timeoutSeconds") or 1)}s: '
                "context deadline exceeded"
            )
        return failed

    def _problem_of_command(self, at: float, wrong: bool) -> str | None:
        words = self.command
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
