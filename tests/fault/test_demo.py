"""The command ``notebook-mux demo`` as a process, with the real JupyterLab: it comes up, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from notebook_mux.life import lab

pytest.importorskip("jupyterlab")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, in a folder of its own."""
    env = os.environ | {
        "NOTEBOOK_MUX_NO_BROWSER": "1",
        "NOTEBOOK_MUX_RUNTIME_DIR": str(tmp_path / "run"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "jupyter"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-m", "notebook_mux", "demo"]
    # As from a terminal: what a shell starts in the background ignores Ctrl-C, and so would a child of it.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as process:
        signal.signal(signal.SIGINT, inherited)
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_first_notebook_is_served_until_the_command_ends(
    number: signal.Signals, demo: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert demo.stdout is not None
    url = urlsplit(demo.stdout.readline().split()[-1])
    assert url.hostname in ("127.0.0.1", "localhost")
    assert url.path == f"/lab/tree/{lab.FIRST}"
    with urllib.request.urlopen(f"http://{url.netloc}/api/contents/{lab.FIRST}?{url.query}", timeout=60) as answer:
        assert json.load(answer)["type"] == "notebook"
    assert (tmp_path / lab.FOLDER / lab.FIRST).is_file()
    children = psutil.Process(demo.pid).children(recursive=True)
    assert children
    demo.send_signal(number)
    assert demo.wait(60) == (-9 if number is signal.SIGKILL else 130)
    deadline = time.monotonic() + 60
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            while child.status() != psutil.STATUS_ZOMBIE:
                assert time.monotonic() < deadline, "JupyterLab is still there"
                time.sleep(0.05)
