"""``nm.logs`` on ``nm.demo()``: the embedded cluster as a process of its own, by way of a gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.handles import logs as module, playgrounds
from notebook_mux.life import services
from tests.unit.playground.client import Client
from tests.waiting import eventually

WAIT_S = 60.0
SEED = 7
"""Of a cluster of this module's own."""


@pytest.fixture(scope="module", autouse=True)
def _ended() -> Iterator[None]:
    yield
    services.stop(services.listing("playground"))


@pytest.fixture(autouse=True)
def _first_lines_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell goes on without them after a while, which a busy machine may need."""
    monkeypatch.setattr(module, "SETTLE_SECONDS", WAIT_S)


@pytest.fixture
def demo() -> Iterator[Any]:
    """Starts the embedded cluster with a scenario; gives a plain client of it."""

    def start(scenario: str) -> Client:
        nm.demo(scenario, seed=SEED)
        return Client(Path(playgrounds.started(scenario, SEED, 1, False).kubeconfig))

    yield start
    nm.close()


def texts(logs: nm.Logs) -> list[str]:
    return [line.text for line in logs.lines if not line.mark]


def crashing(name: str, script: str) -> dict[str, Any]:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", script]}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}}  # fmt: skip


def test_a_crash_loop_is_followed_with_its_marks(demo: Any) -> None:
    client = demo("empty")
    path = "/apis/apps/v1/namespaces/default/deployments"
    script = "echo attempt at $(date +%s); sleep 3; echo giving up; exit 3"
    assert client.ask("POST", path, crashing("loop", script)).status == 201
    logs = nm.logs("deploy/loop", tail=None)
    first = logs.wait("attempt at", timeout=WAIT_S)
    logs.wait("giving up", timeout=WAIT_S)
    logs.wait(f"attempt at (?!{first.text.split()[-1]})", timeout=WAIT_S)
    assert [re.sub(r"\d+", "N", text) for text in texts(logs)][:3] == ["attempt at N", "giving up", "attempt at N"]
    # it waits before it runs, which may be over, and again after its second end
    eventually(lambda: {"restarted", "waiting"} <= {line.mark for line in logs.lines}, "both marks", seconds=WAIT_S)
    assert logs.sources[0].restarts >= 1
    previous = texts(nm.logs("deploy/loop", previous=True, tail=None))[:2]
    # of the first run, or of a later one where this machine was slow
    eventually(
        lambda: previous in [[a, b] for a, b in pairwise(texts(logs))], f"{previous} was followed", seconds=WAIT_S
    )
    assert previous[1:] == ["giving up"]


def test_the_first_notebooks_cluster_has_logs(demo: Any) -> None:
    demo("first-look")
    web = nm.logs("deploy/web", tail=20)
    assert len(texts(web)) >= 20
    assert {one.state for one in web.sources} <= {"live", "waiting", "ended", "gone"}
    web.wait(r'"GET /\S* HTTP/1.1" 200', timeout=WAIT_S)  # one that comes
    frame = nm.logs("deploy/checkout", namespace="shop", since="30m", tail=None).df(fields=True)
    assert {"level", "msg", "status", "duration_ms"} <= set(frame.columns)
    assert {"info", "warning"} <= set(frame["level"])
    flaky = nm.logs("deploy/flaky", tail=None, since="10m")
    assert any("flaky 0.0.7 starting" in text for text in texts(flaky))
