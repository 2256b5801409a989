"""Programs that run a notebook with nobody looking: the static copy stands alone, with its time, and nothing waits."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from notebook_mux.widgets.base import WIDGET_MIME
from notebook_mux.widgets.table import Table
from tests.hosts.conftest import outputs
from tests.unit.widgets.fakes import FakeStream, pod

COPY = re.compile(r"copy of 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d")
PODS = "CrashLoopBackOff"

pytestmark = pytest.mark.timeout(180)


def check(path: Path) -> None:
    """Copies and no view."""
    status, table = outputs(path)
    for shown in (status, table):
        html = "".join("".join(data.get("text/html", "")) for data in shown)
        assert COPY.search(html)
        assert not any(WIDGET_MIME in data for data in shown)
    assert PODS in html


def test_nbclient(host: Callable[..., str], written: Path):
    host("-m", "jupyter", "execute", "--inplace", str(written))
    check(written)


def test_papermill(host: Callable[..., str], written: Path, tmp_path: Path):
    host("-m", "papermill", str(written), str(tmp_path / "out.ipynb"), "--no-progress-bar")
    check(tmp_path / "out.ipynb")


def test_nbconvert_that_runs_it(host: Callable[..., str], written: Path, tmp_path: Path):
    host("-m", "jupyter", "nbconvert", "--to", "html", "--execute", str(written), "--output", "out.html")
    page = (tmp_path / "out.html").read_text()
    assert COPY.search(page)
    assert PODS in page
    assert "widget-view" not in page


def test_nbconvert_of_a_notebook_that_was_saved_live():
    stream = FakeStream()
    stream.put(*(pod(number, random.Random(1)) for number in range(3)))
    table = Table(stream)
    copy = nbformat.v4.new_output("display_data", {"text/html": table._static_html(), "text/plain": repr(table)})
    view = nbformat.v4.new_output("display_data", {**table._view_bundle(), "text/plain": ""})
    table.close()
    cell = nbformat.v4.new_code_cell("nm.table('pods')", outputs=[copy, view])
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert COPY.search(page)
    assert "web-0" in page
    assert "Loading widget" not in page
    assert "embed-amd" not in page, "without widget state no code for widgets is fetched"
