from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.kubeconfigs import Kubeconfigs
from notebook_mux.wire import messages

CLUSTERS = [("prod", "ref-1", "shop"), ("old", "ref-2", "default")]


class Gateway:
    """Answers as one does; `instance` is another one's where it has another token."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.instance = 1
        self.failure: Failure | None = None

    async def ask(self, kind: type[messages.Message], **fields: Any) -> Any:
        assert kind is messages.Kubeconfig
        self.asked.append(fields)
        if self.failure is not None:
            raise self.failure
        return 200, {}, f"token: {self.instance}\n".encode()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))


Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs a coroutine on one loop."""
    with asyncio.Runner() as runner:
        yield runner.run


def made() -> tuple[Kubeconfigs, Gateway]:
    gateway = Gateway()
    return Kubeconfigs(gateway.ask, lambda ref: f"{ref}-now"), gateway


def test_a_private_file_that_keeps_its_path(run: Run) -> None:
    kubeconfigs, gateway = made()
    path = Path(run(kubeconfigs.path("scope", CLUSTERS)))
    assert path.read_text() == "token: 1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    asked = gateway.asked[0]
    assert [(one.name, one.cluster, one.namespace) for one in asked["contexts"]] == [
        ("prod", "ref-1-now", "shop"), ("old", "ref-2-now", "default")]  # fmt: skip
    assert len(asked["key"]) >= 32
    assert run(kubeconfigs.path("scope", CLUSTERS)) == str(path)
    assert gateway.asked[1]["key"] == asked["key"]
    other = run(kubeconfigs.path("other", CLUSTERS))
    assert other != str(path)
    assert gateway.asked[2]["key"] != asked["key"]


def test_callers_at_once_share_a_file(run: Run) -> None:
    kubeconfigs, gateway = made()

    async def five() -> list[str]:
        return await asyncio.gather(*(kubeconfigs.path("scope", CLUSTERS) for _ in range(5)))

    paths = run(five())
    assert len(set(paths)) == 1
    assert len({asked["key"] for asked in gateway.asked}) == 1


def test_another_gateway_and_what_the_user_has_edited(run: Run) -> None:
    kubeconfigs, gateway = made()
    path = Path(run(kubeconfigs.path("scope", CLUSTERS)))
    path.write_text("mine\n")
    run(kubeconfigs.restore())
    assert path.read_text() == "mine\n", "the gateway says nothing new"
    gateway.instance = 2
    run(kubeconfigs.restore())
    assert path.read_text() == "token: 2\n"
    assert gateway.asked[-1]["early"] is True
    path.unlink()
    assert Path(run(kubeconfigs.path("scope", CLUSTERS))).read_text() == "token: 2\n"


def test_the_end(run: Run) -> None:
    kubeconfigs, gateway = made()
    first, second = [Path(run(kubeconfigs.path(scope, CLUSTERS))) for scope in ("one", "two")]
    run(kubeconfigs.end("one"))
    assert not first.parent.exists()
    assert second.exists()
    assert "contexts" not in gateway.asked[-1], "the gateway is told"
    run(kubeconfigs.end("one"))
    gateway.failure = Failure("gateway", "it has gone")
    run(kubeconfigs.end("two"))
    assert not second.parent.exists()


def test_a_gateway_that_serves_none(run: Run) -> None:
    kubeconfigs, gateway = made()
    gateway.failure = Failure("invalid", "not here")
    with pytest.raises(Failure, match="not here"):
        run(kubeconfigs.path("scope", CLUSTERS))
    kubeconfigs.remove()


def test_what_dead_kernels_left_is_removed(run: Run, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    home = tmp_path / "run" / "kubectl"
    for name in (f"{ended.pid}-aaaa", f"{os.getppid()}-bbbb", "something"):
        (home / name).mkdir(mode=0o700, parents=True)
    kubeconfigs, _ = made()
    run(kubeconfigs.path("scope", CLUSTERS))
    left = {path.name.partition("-")[0] for path in home.iterdir()}
    assert left == {str(os.getppid()), str(os.getpid()), "something"}
