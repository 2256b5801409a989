"""The playground and the real server beside each other: one question, and both answers have to be one."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.playground import RunningPlayground
from tests.testbed import build
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import Client
from tests.waiting import eventually

Json = dict[str, Any]

MADE = {"uid", "creationTimestamp", "resourceVersion", "managedFields", "token", "expirationTimestamp", "exp", "iat",
        "nbf", "jti", "iss", "aud", "audiences", "kid"}  # fmt: skip
"""What each server makes of its own."""

STAMPED = {"lastTransitionTime", "lastUpdateTime", "deletionTimestamp"}
"""Moments that each server writes: they have to be there, and may differ by a second."""

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
"""All kinds in one document."""

WAIT_S = 90.0
KUBECTL_S = 120.0


class Both:
    """The playground and the real server, asked the same."""

    def __init__(self, folder: Path, real: ControlPlane, running: RunningPlayground):
        self.sides = {"real": Client(real.kubeconfig), "playground": Client(running.kubeconfig)}
        self.files = {"real": real.kubeconfig, "playground": running.kubeconfig}
        self._real, self._folder = real, folder

    def ask(self, *arguments: Any, **options: Any) -> list[Any]:
        """Both answers."""
        return [side.ask(*arguments, **options) for side in self.sides.values()]

    def same(self, *arguments: Any, **options: Any) -> Json:
        """The answer of both, which has to be one; what each server makes of its own is left out."""
        real, ours = ({"code": answer.status, **kept(answer.json())} for answer in self.ask(*arguments, **options))
        assert ours == real, (arguments, options)
        return real

    def statuses(self, *arguments: Any, **options: Any) -> int:
        """The status of both answers, which has to be one."""
        real, ours = (answer.status for answer in self.ask(*arguments, **options))
        assert ours == real, (arguments, options)
        return int(real)

    def until(self, true: Callable[[Client], object], what: str) -> None:
        """Wait until something is true of both."""
        for side in self.sides.values():
            eventually(functools.partial(true, side), what, seconds=WAIT_S)

    def listed(self, group: str, plural: str) -> None:
        """Wait until both list a custom kind among all, which a real server does some time after it serves it."""

        def is_listed(side: Client) -> bool:
            groups = side.get("/apis", accept=DISCOVERY).json()["items"]
            versions = [one for found in groups if found["metadata"].get("name") == group for one in found["versions"]]
            return any(kind["resource"] == plural for one in versions for kind in one.get("resources", ()))

        self.until(is_listed, f"{plural}.{group} is listed")
        self.until(lambda side: side.get(f"/apis/{group}").status == 200, f"{group} is there")

    def with_tokens(self, tokens: dict[str, str]) -> dict[str, Client]:
        """Both servers, asked with a bearer token each."""
        bare = self._real.write_kubeconfig(self._folder / "bare", "nobody", token="")
        files = {"real": bare, "playground": self.files["playground"]}
        return {name: Client(file, token=tokens[name]) for name, file in files.items()}


def kept(value: Any) -> Any:
    """A value without what each server makes of its own."""
    if isinstance(value, dict):
        return {
            key: "<a moment>" if key in STAMPED and inner else kept(inner)
            for key, inner in value.items()
            if key not in MADE
        }
    return [kept(inner) for inner in value] if isinstance(value, list) else value


def kubectl_runner(both: Both, folder: Path) -> Callable[..., list[str]]:
    """What a kubectl of the server's version prints against each, with its exit code; ages are not told apart."""

    def run(words: str) -> list[str]:
        started = []
        for name, file in both.files.items():
            command = [str(build.control_plane_binary()), "kubectl", "--kubeconfig", str(file), "--cache-dir",
                       str(folder / name), *shlex.split(words)]  # fmt: skip
            started.append(
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
            )
        found = []
        for one in started:
            out, errors = one.communicate(timeout=KUBECTL_S)
            text = re.sub(r"eyJ[\w.-]+", "TOKEN", f"{one.returncode}\n{out}{errors}")
            found.append(re.sub(r"\b\d+m?s\b|\d{4}-\d\d-\d\dT[\d:]+Z", "AGE", text))
        return found

    return run
