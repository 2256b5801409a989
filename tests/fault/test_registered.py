"""A gateway that was started by hand and registered: kernels find it, and it serves its own contexts only."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fault.conftest import GatewayProcess
from tests.playground import RunningPlayground


@pytest.mark.timeout(120)
def test_it_is_found_and_serves_what_it_was_started_with(
    start_gateway: Callable[..., GatewayProcess],
    playground: RunningPlayground,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(run))
    monkeypatch.setenv("KUBECONFIG", str(playground.kubeconfig))
    gateway = start_gateway(playground.kubeconfig, "--register")
    code = f"""
        import notebook_mux as nm
        manager = nm.connect(timeout=20)
        assert manager.url.startswith("http://127.0.0.1:{gateway.port}"), manager.url
        print(len(nm.watch("nodes")))
        try:
            nm.connect(kubeconfig={str(playground.kubeconfig)!r}, timeout=20)
        except PermissionError as error:
            print(type(error).__name__, len(error.lines()))
        try:
            nm.connect(write=True, timeout=20)
        except nm.Forbidden as error:
            print(type(error).__name__)
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    nodes, refused, unwritable = done.stdout.split("\n")[:3]
    assert nodes == "1"
    assert refused.split()[0] == "Forbidden"
    assert 2 <= int(refused.split()[1]) <= 5
    assert unwritable in ("Forbidden", "WriteRefused")
