"""The playground as a process."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notebook_mux.life import ask, launcher, services
from notebook_mux.life.name import ServiceName
from notebook_mux.playground.__main__ import main
from tests.unit.playground.client import Client

COMMAND = [sys.executable, "-m", "notebook_mux.playground"]
WAIT_S = 90.0
"""For a process to begin or to end, which takes one or two on an idle machine."""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of this test's own; what is left in it is ended."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(folder))
    yield folder
    services.stop(services.listing())


def test_by_hand(tmp_path: Path, runtime: Path):
    at = tmp_path / "kc"
    command = [*COMMAND, "--scenario", "empty", "--clusters", "2", "--kubeconfig", str(at)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url, path = process.stdout.readline().strip(), process.stdout.readline().strip()
        assert url.startswith("https://127.0.0.1:")
        assert path == str(at)
        assert stat.S_IMODE(at.stat().st_mode) == 0o600
        assert Client(at).get("/api/v1/nodes").json()["items"][0]["metadata"]["name"] == "node-1"
        assert services.listing() == []  # it is nobody's to find
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0
    assert at.exists()


def test_launched_and_found(runtime: Path):
    name = ServiceName("playground", "empty seed=3 clusters=1")
    arguments = ["-m", "notebook_mux.playground", "--launched", "--scenario", "empty", "--seed", "3", "--clusters", "1"]
    running = launcher.ensure(name, arguments, timeout=WAIT_S)
    at = Path(running.extra["kubeconfig"])
    assert stat.S_IMODE(at.stat().st_mode) == 0o600
    assert Client(at).get("/version").status == 200
    assert launcher.ensure(name, arguments).instance == running.instance
    (service,) = services.listing()
    status = services.status_of(service)
    assert (status["clients"], status["clusters"][0]["objects"]["nodes"]) == (0, 1)
    assert ask.get(running.port, "/status", headers={"Authorization": "Bearer wrong"})[0] == 401
    assert ask.get(running.port, "/prove?nonce=x")[0] == 400
    assert ask.get(running.port, "/prove?nonce=" + "0" * 32, headers={"Host": "evil.example"})[0] == 421
    assert ask.get(running.port, "/status", headers={"Origin": "http://evil.example"})[0] == 403
    assert ask.get(running.port, "/else")[0] == 404
    assert services.stop([service], grace=WAIT_S) == {service.path: "stopped"}
    assert not at.exists()


def test_it_ends_when_nobody_needs_it(runtime: Path):
    env = {**os.environ, "NOTEBOOK_MUX_IDLE_SECONDS": "0.3"}
    done = subprocess.run([*COMMAND, "--launched", "--scenario", "empty"], env=env, timeout=WAIT_S, check=False)
    assert done.returncode == 0
    assert list(runtime.glob("*.json")) == []


def test_bad_arguments(capsys: pytest.CaptureFixture[str]):
    assert main(["--scenario", "nope"]) == 2
    assert "there is no scenario 'nope'; known are" in capsys.readouterr().err
    assert main(["--clusters", "0"]) == 2


def test_a_port_that_is_taken(tmp_path: Path, runtime: Path, capsys: pytest.CaptureFixture[str]):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run([*COMMAND, "--scenario", "empty", "--port", str(port)], capture_output=True, text=True,
                              timeout=WAIT_S, check=False)  # fmt: skip
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_many_pods_by_numbers_of_the_command_line(tmp_path: Path, runtime: Path):
    command = [*COMMAND, "--scenario", "many-pods", "--pods", "30", "--rate", "0", "--kubeconfig", str(tmp_path / "kc")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        found = json.loads(Client(tmp_path / "kc").get("/api/v1/pods").body)
        process.terminate()
        process.wait(WAIT_S)
    assert len(found["items"]) == 30
