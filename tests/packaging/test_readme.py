"""The README keeps its word: its commands work on a fresh clone, its tour runs, its links lead somewhere."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.packaging.conftest import BUILD_SECONDS, REPOSITORY
from tests.waiting import eventually

README = (REPOSITORY / "README.md").read_text()
DOCUMENTS = sorted(REPOSITORY.glob("*.md"))
URL = re.compile(r"http://127\.0\.0\.1:\d+/\S+token=\w+")
END_SECONDS = 30


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, f"no section {title!r}"
    return found[1]


def command(title: str) -> str:
    """The one shell command that a section begins with."""
    found = re.match(r"\s*```bash\n([^\n]+)\n```\n", section(title))
    assert found is not None, f"{title!r} does not begin with a block of one shell command"
    return found[1]


def test_it_opens_with_a_picture_of_a_notebook():
    picture = re.match(r"# .+\n\n!\[.+\]\((\S+\.png)\)", README)
    assert picture is not None
    assert (REPOSITORY / picture[1]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_lead_to_files(document: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text())
    assert not [link for link in links if not (REPOSITORY / link).exists()]


def test_run_the_tests_is_the_command_that_continuous_integration_runs():
    assert command("Run the tests").endswith("&& python -m pytest")
    assert "README.md" in (REPOSITORY / ".ci/run").read_text()


def test_try_it_brings_up_jupyterlab_with_the_first_notebook(clone: Path, venv, developer_environ: dict[str, str]):
    commands, environ = venv
    path = f"{commands}{os.pathsep}{developer_environ['PATH']}"  # with Node, if there is one
    environ = {**environ, "PATH": path, "NOTEBOOK_MUX_NO_BROWSER": "1", "PYTHONUNBUFFERED": "1"}
    shell = subprocess.Popen(
        ["bash", "-c", command("Try it")],
        cwd=clone,
        env=environ,
        text=True,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said: list[str] = []
    try:
        url = _url(shell, said)
        assert "/lab/tree/01_first_look.ipynb" in url
        eventually(
            lambda: _answers(url), "JupyterLab, which says its URL a moment before, listens", seconds=END_SECONDS
        )
    finally:
        os.killpg(shell.pid, signal.SIGINT)  # Ctrl-C reaches the whole group
        assert shell.stdout is not None
        said.append(shell.stdout.read())
        shell.stdout.close()
        shell.wait(END_SECONDS)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=END_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=END_SECONDS) as page:
            return bool(page.status == HTTPStatus.OK)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ConnectionRefusedError):
            return False
        raise


def _url(shell: subprocess.Popen[str], said: list[str]) -> str:
    deadline = time.monotonic() + BUILD_SECONDS
    assert shell.stdout is not None
    for line in shell.stdout:
        said.append(line)
        found = URL.search(line)
        if found and "lab/tree" in line:
            return found[0]
        assert time.monotonic() < deadline, "".join(said)
    raise AssertionError("it ended without a URL:\n" + "".join(said))


def test_the_tour_and_the_table_run():
    """Each block as a cell, one after the other, on the embedded cluster."""
    import nbformat.v4
    from nbclient import NotebookClient

    blocks = re.findall(r"```python\n(.*?)```", section("A short tour") + section("Tables"), re.DOTALL)
    assert len(blocks) >= 6
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(block) for block in blocks])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    tables = [cell for cell in notebook.cells if "table(" in cell.source]
    assert len(tables) == 2
    for cell in tables:
        assert any("Running" in output.get("data", {}).get("text/html", "") for output in cell.outputs)
