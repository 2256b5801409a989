"""``nm.exec`` and ``nm.shell`` on ``nm.demo()``: programs of the embedded cluster, by way of a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.life import services
from tests.waiting import eventually

WAIT_S = 60.0
SEED = 11
"""Of a cluster of this module's own."""


@pytest.fixture(scope="module", autouse=True)
def demo() -> Iterator[None]:
    nm.demo(seed=SEED).pause()  # or its story may end a pod whose program is waited for
    yield
    nm.close()
    services.stop(services.listing("playground"))


def test_exec() -> None:
    done = nm.exec("deploy/api", ["sh", "-c", "cat; echo err >&2; exit 3"], stdin="given\n", text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("given\n", "err\n", 3)
    assert nm.exec("deploy/api", "hostname", text=True).stdout.startswith("api-")
    with pytest.raises(nm.NotFound, match="nope"):
        nm.exec("deploy/api", "nope")


def test_a_shell_is_found_and_runs() -> None:
    shell: Any = nm.shell("deploy/web")
    try:
        eventually(lambda: shell.state == "running", "it runs", seconds=WAIT_S)
        assert shell.session.command == ("bash",), "the first of the shells that are tried"
        assert shell.pod.startswith("web-")
    finally:
        shell.close()
    with pytest.raises(nm.NotFound, match="there is no shell"):
        nm.shell("deploy/coredns", namespace="kube-system")
