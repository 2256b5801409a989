"""A notebook of two cells that a host is to run or show: a real connection and a table of pods."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.playground import RunningPlayground, start_playground, still_look  # noqa: F401 - fixtures

RUN_SECONDS = 150
"""A host starts in seconds; on a busy machine several take their turn."""

Json = dict[str, Any]


@pytest.fixture
def written(still_look: RunningPlayground, tmp_path: Path) -> Path:  # noqa: F811 - the fixture
    """The notebook's path."""
    connect = f"import notebook_mux as nm\nnm.connect(kubeconfig={str(still_look.kubeconfig)!r})"
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in (connect, "nm.table('pods')")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path = tmp_path / "written.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a host that has no settings of the developer's."""
    own = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
           "IPYTHONDIR": "ipython"}  # fmt: skip
    return {**os.environ, **{name: str(tmp_path / folder) for name, folder in own.items()},
            "JUPYTER_PREFER_ENV_PATH": "1"}  # fmt: skip


@pytest.fixture
def host(environment: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Runs ``python -m MODULE ARGUMENTS`` to its end; returns what it printed."""

    def run(*words: str, said: str | None = None) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, input=said or "", text=True, capture_output=True,
            timeout=RUN_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def outputs(path: Path) -> list[list[Json]]:
    """What is in each cell's outputs, by MIME type."""
    found = json.loads(path.read_text())
    assert "widgets" not in found["metadata"], "no state of a widget that nobody can have"
    return [[output.get("data", {}) for output in cell["outputs"]] for cell in found["cells"]]
