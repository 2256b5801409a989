"""The front ends' own checks: types, and the tests of their modules, run by Node where it and the tools are there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import need

FRONTEND = Path(__file__).resolve().parents[3] / "notebook_mux" / "widgets" / "frontend"
SECONDS = 580
"""Each takes a minute on a machine that has much to do."""


def npm(*words: str) -> None:
    path = shutil.which("npm")
    need(None if path else "the front ends' tests need Node, and there is no npm on the PATH")
    if not (FRONTEND / "node_modules").is_dir():
        need(None if (FRONTEND / "package-lock.json").exists() else "no lock file")
        subprocess.run([str(path), "ci", "--no-audit", "--no-fund"], cwd=FRONTEND, check=True, timeout=SECONDS)
    done = subprocess.run([str(path), *words], cwd=FRONTEND, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.timeout(600)
def test_types():
    npm("run", "typecheck")


@pytest.mark.timeout(600)
def test_modules():
    npm("test")


def test_no_text_ever_becomes_html():
    words = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "createContextualFragment")
    for path in (FRONTEND / "src").rglob("*.ts"):
        text = path.read_text()
        assert not [word for word in words if word in text], path
        if path.name.endswith(".test.ts"):
            continue  # not shipped, and nothing is fetched there
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), path
        assert "https://" not in text, path
