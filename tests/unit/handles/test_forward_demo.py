"""``nm.port_forward`` on ``nm.demo()``: the embedded cluster as a process of its own, by way of a gateway."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial

import pytest

import notebook_mux as nm
from notebook_mux.life import services
from tests import waiting
from tests.unit.forwards.pods import quietly

WAIT_S = 60.0
SEED = 11
"""Of a cluster of this module's own."""

eventually = partial(waiting.eventually, seconds=WAIT_S)


@pytest.fixture(autouse=True)
def _ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    quietly(monkeypatch)
    yield
    nm.close()
    services.stop(services.listing("playground"))


def get(forward: nm.Forward, path: str = "/") -> tuple[int, str, str]:
    """Status, server and body of a page."""
    try:
        with urllib.request.urlopen(f"{forward.url}{path}", timeout=WAIT_S) as answer:
            return answer.status, answer.headers.get("Server", ""), answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Server", ""), error.read().decode()


def test_a_page_of_the_demo() -> None:
    nm.demo("first-look", seed=SEED).pause()  # or its story may end the pods
    with nm.port_forward("svc/web", 80) as forward:
        assert (forward.state, forward.pod_port, forward.pod.startswith("web-")) == ("listening", 8080, True)
        status, server, page = get(forward)
        assert (status, server.partition("/")[0]) == (200, "nginx")
        assert "<title>Welcome to nginx!</title>" in page
        assert "playground" in page
        assert get(forward, "/nope")[0] == 404
        eventually(lambda: forward.total == 2 and forward.connections == 0, "both are counted")
        assert (forward.errors, forward.error) == (0, "")
        assert forward.bytes.received > len(page)
    api = nm.port_forward("deploy/api", "http")
    assert '"service": "api"' in get(api)[2]
    # Nothing listens on a port that a program of the pod does not open: in the node's words.
    closed = nm.port_forward(api.pod, 81)
    with pytest.raises((ConnectionResetError, urllib.error.URLError)):
        get(closed)
    eventually(lambda: closed.errors == 1, "it is told")
    assert "failed to connect to localhost:81 inside namespace" in closed.error
    assert "connection refused" in closed.error
