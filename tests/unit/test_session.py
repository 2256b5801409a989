"""The test session's own ground: a home of its own, and nothing left running after it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.conftest import ORIGINAL_ENVIRON, SESSION_HOME

INNER = """
import os, subprocess, sys
from pathlib import Path

def test_inner():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
    Path({found!r}).write_text(f"{{child.pid}} {{os.environ['HOME']}}")
    child.returncode = 0  # left behind, as a background process is
"""


def test_home_and_runtime_are_the_sessions_own():
    assert Path.home() == SESSION_HOME
    assert Path.home() != Path(ORIGINAL_ENVIRON.get("HOME", "/"))
    for name in ("KUBECONFIG", "NOTEBOOK_MUX_RUNTIME_DIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        assert Path(os.environ[name]).is_relative_to(SESSION_HOME)
    assert len(os.environ["NOTEBOOK_MUX_RUNTIME_DIR"]) < 60  # room for a Unix socket's name below it


def test_what_a_test_leaves_running_ends_with_the_session(tmp_path: Path):
    found = tmp_path / "found"
    module = tmp_path / "test_inner.py"
    module.write_text(INNER.format(found=str(found)))
    repository = Path(__file__).resolve().parents[2]
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(repository / "pyproject.toml"),
             f"--rootdir={repository}", f"--confcutdir={repository}", "-p", "tests.conftest", str(module)]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(repository)}
    done = subprocess.run(words, cwd=repository, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    pid, home = found.read_text().split()
    assert not psutil.pid_exists(int(pid))
    assert home != str(SESSION_HOME)
    assert not Path(home).exists()
