"""Notebooks that show the toolkit run from top to bottom; all are kept as a reader gets them."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebooks.lessons import SHOWN

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
CELL_SECONDS = 120


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", SHOWN)
def test_it_runs_without_an_error_and_shows_something(number: str, tmp_path: Path):
    [path] = [one for one in NOTEBOOKS if one.name.startswith(number)]
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("text/html" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_as_a_reader_gets_it(path: Path):
    """Any Python 3 kernel, no widget state, and nothing of the machine it was written on."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    text = path.read_text()
    assert not [word for word in ("/home/", "/root/", "/tmp/", "token=") if word in text]


def test_each_cell_of_the_plug_may_be_the_first():
    """Each cell finds the cluster itself: after a restart of the kernel the audience runs the one that it looks at."""
    [path] = [one for one in NOTEBOOKS if one.name.startswith("12")]
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert {source.partition("\n")[0] for source in cells} == {"import notebook_mux as nm; demo = nm.demo()"}
    for word in ("plug.cut()", "plug.kill_gateway()", "plug.lost == 0 and plug.repeated == 0"):
        assert word in "".join(cells)
