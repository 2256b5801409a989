"""Each lesson teaches what it says, cannot harm, is solved by its solutions, and tells who has not solved it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell

from notebook_mux.lessons import catalogue
from tests.notebooks import lessons
from tests.notebooks.lessons import BEGIN, CHECK, STEP, TASK, code, number_of, tags

PATHS = lessons.paths()
each_lesson = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
LESSON_SECONDS = 600
SENTENCE = "Run the cell “Begin” first: the lesson has not begun in this kernel"

BELOW = "real-cluster"
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: real
contexts: [{{name: real, context: {{cluster: real, user: somebody}}}}]
clusters: [{{name: real, cluster: {{server: "http://127.0.0.1:{port}/{below}"}}}}]
users: [{{name: somebody, user: {{token: secret}}}}]
"""


@pytest.fixture(scope="module")
def real_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    """A kubeconfig, and what was asked of its cluster, which is to stay nothing.

    Any program of the machine may come to a port; what comes by the kubeconfig asks below a path of its own.
    """
    asked: list[str] = []

    class Canary(StreamRequestHandler):
        def handle(self) -> None:
            if BELOW.encode() in (line := self.rfile.readline()):
                asked.append(repr(line))

    with ThreadingTCPServer(("127.0.0.1", 0), Canary) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = tmp_path_factory.mktemp("real") / "kubeconfig"
        path.write_text(KUBECONFIG.format(port=server.server_address[1], below=BELOW))
        yield path, asked
        server.shutdown()


@pytest.fixture(autouse=True)
def _on_a_machine_with_a_cluster(real_cluster: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(real_cluster[0]))


def text_of(notebook: Any) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_each_lesson_has_its_notebook():
    assert [number_of(path) for path in PATHS] == catalogue.numbers()
    assert [path.stem[3:] for path in PATHS] == [catalogue.MODULES[number] for number in catalogue.numbers()]


def test_the_index_and_the_first_notebook_lead_to_each_lesson():
    index = (lessons.FOLDER / "README.md").read_text()
    assert [line for line in index.splitlines() if re.match(r"\| \[\d\d ", line)] == [*map(lessons.index_row, PATHS)]
    first = lessons.read(lessons.FOLDER / "01_first_look.ipynb").cells[-1].source
    assert re.findall(r"\]\((\d\d_\w+\.ipynb)\)", first) == [path.name for path in PATHS]


@each_lesson
def test_its_words_are_those_that_it_declares(path: Path):
    lesson = catalogue.find(number_of(path))
    notebook = lessons.read(path)
    text = text_of(notebook)
    assert text.startswith(f"# {lesson.number} · {lesson.title}\n\n*About {lesson.minutes} minutes.")
    goals = re.search(r"After this lesson you can\n\n((?:- .*\n|  .*\n)+)", text)
    assert goals is not None
    assert tuple(re.sub(r"\n  ", " ", goals[1])[2:].strip().split("\n- ")) == lesson.goals
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == [
        "Begin",
        *(f"{n}. {step}" for n, step in enumerate(lesson.steps, 1)),
        "What to take home",
        "Go on",
    ]
    assert lesson.steps[-1] == "Check"
    assert 15 <= lesson.minutes <= 25
    assert not [line for line in text.splitlines() if len(line) > 120 and not line.startswith("![")]


@each_lesson
def test_its_cells_are_in_order_and_say_their_step(path: Path):
    notebook = lessons.read(path)
    number, ids = 0, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if heading := re.search(r"^## (\d+)\. ", cell.source, re.MULTILINE):
                number = int(heading[1])
        elif number:
            first = STEP.fullmatch(cell.source.partition("\n")[0])
            assert first is not None, cell.source
            assert int(first[1]) == number, cell.source
        else:
            assert tags(cell) == {BEGIN}
        if TASK in tags(cell):
            ids.append(cell.id)
    assert [tags(cell) for cell in code(notebook)].count({BEGIN}) == 1
    assert [tags(cell) for cell in code(notebook)].index({CHECK}) == len(code(notebook)) - 1
    assert "nm.expect(" in code(notebook)[-1].source
    assert ids == list(lessons.solutions(number_of(path)))
    assert ids


@each_lesson
def test_a_reader_without_a_kernel_sees_pictures_and_results(path: Path):
    notebook = lessons.read(path)
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text_of(notebook)):
        assert (path.parent / picture).read_text().startswith("<svg "), picture
    for cell in code(notebook):
        if tags(cell) & {TASK, CHECK}:
            assert cell.outputs == []
        else:
            assert not [output for output in cell.outputs if output.output_type == "error"]
    assert any("text/html" in output.get("data", {}) for cell in code(notebook) for output in cell.outputs)


@pytest.mark.timeout(LESSON_SECONDS)
def test_a_cell_that_is_run_first_says_what_to_run_and_touches_nothing(real_cluster: tuple[Path, list[str]]):
    words = [sys.executable, "-m", "tests.notebooks.cells_alone", *map(str, PATHS)]
    ran = subprocess.run(words, capture_output=True, text=True, timeout=LESSON_SECONDS, cwd=lessons.FOLDER.parent)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stderr.splitlines()[-1])
    assert len(found) == sum(len(code(lessons.read(path))) - 1 for path in PATHS)
    for one in found:
        assert one["shown"] == [f"OutOfOrder: {SENTENCE}"], one
        assert not one["connected"], one
    assert real_cluster[1] == []


def answers(client: Any) -> dict[str, str]:
    """What the lesson asks, as it is in its cluster now."""
    asking = new_code_cell("print({name: str(lesson.answer(name)()) for name in lesson.lesson.answers})")
    client.nb.cells.append(asking)
    client.execute_cell(asking, len(client.nb.cells) - 1)
    found: dict[str, str] = ast.literal_eval(asking.outputs[0].text)
    return found


@pytest.mark.slow
@pytest.mark.timeout(LESSON_SECONDS)
@each_lesson
def test_it_is_solved_and_a_student_who_has_not_is_told(path: Path, tmp_path: Path, real_cluster):
    number = number_of(path)
    notebook = lessons.seeded(lessons.read(path), 1)
    client = lessons.client(notebook, tmp_path)
    *cells, check = enumerate(notebook.cells[: notebook.cells.index(code(notebook)[-1]) + 1])
    with client.setup_kernel():
        for index, cell in cells:
            client.execute_cell(cell, index)
        with pytest.raises(CellExecutionError) as failed:
            client.execute_cell(check[1], check[0])
        assert failed.value.ename == "ExpectationFailed"
        assert "hint" in failed.value.traceback.lower()
        lessons.solve(notebook, number)
        for index, cell in cells:
            if TASK in tags(cell):
                client.execute_cell(cell, index)
        client.execute_cell(check[1], check[0])
        first = answers(client)

        lessons.seeded(notebook, 2)
        for index, cell in [*cells, check]:
            client.execute_cell(cell, index)
        second = answers(client)
    assert first.keys() == second.keys() == catalogue.find(number).answers.keys()
    assert first != second
    assert real_cluster[1] == []
