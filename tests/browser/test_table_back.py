"""A table in a page that was hidden for over a minute: what is on its screen is right before all the rest is there."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Notebook

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = 60
ROWS = 12

SETUP = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.unit.widgets.fakes import *
from notebook_mux.widgets.table import Table
import json, random, threading, time
rng = random.Random(1)
go = threading.Event()

def put(version):
    pods = [pod(number, rng, version=version) for number in range(2000)]
    for number, record in enumerate(pods):
        printed = json.loads(record.cells)
        printed[3] = str(number * version * 7919 % 2003)
        record.cells = json.dumps(printed).encode()
    stream.put(*pods)

def hold():
    # what goes ahead goes, and the others when they are let go
    delta = table._rows.delta
    table._rows.delta = lambda ahead=None: delta(ahead) if ahead is not None or go.wait({SECONDS}) else b''

def until(what):
    late = time.monotonic() + {SECONDS}
    while not what() and time.monotonic() < late:
        time.sleep(0.01)
    return what()

stream = FakeStream(("kind-a",))
put(1)
table = Table(stream, sort="-Restarts")
table
"""

TURN = """state => {
    window.realNow ??= Date.now;
    const passed = state === "hidden" ? 61_000 : 0;
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
    Date.now = () => window.realNow() + passed;
}"""
"""Another tab in front, and a minute of the page's clock; or back."""

SHOWN = """() => {
    const deep = (node) => node.querySelector(".ag-row")?.parentElement ?? [...node.querySelectorAll("*")]
        .reduce((found, one) => found ?? (one.shadowRoot && deep(one.shadowRoot)), null);
    const rows = [...(deep(document)?.querySelectorAll(".ag-row") ?? [])]
        .map((row) => [Number(row.getAttribute("row-index")), row]);
    const cell = (row, id) => row.querySelector(`[col-id="${id}"]`).textContent.trim();
    return rows.sort(([a], [b]) => a - b).map(([at, row]) => [at, cell(row, "Name"), cell(row, "Restarts")]);
}"""
"""What the rows on the screen show, with their places."""


def ask(notebook: Notebook, expression: str) -> Any:
    """What an expression is in the kernel."""
    said = notebook.page.evaluate(
        """async it => {
            const asked = { code: "", silent: true, store_history: false, user_expressions: { it } };
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            return (await kernel.requestExecute(asked).done).content.user_expressions.it;
        }""",
        f"json.dumps({expression})",
    )
    assert said["status"] == "ok", said
    return json.loads(ast.literal_eval(said["data"]["text/plain"]))


def is_shown(notebook: Notebook) -> None:
    """Wait until the rows on the screen are what the kernel has at their places."""
    wanted = [[at, *row] for at, row in enumerate(ask(notebook, "[[r['Name'], r['Restarts']] for r in table.rows]"))]
    late = SECONDS * 10
    while True:
        shown = notebook.page.evaluate(SHOWN)
        if len(shown) >= ROWS and shown == wanted[shown[0][0] : shown[0][0] + len(shown)]:
            return
        late -= 1
        assert late, (shown, wanted[:ROWS])
        notebook.page.wait_for_timeout(100)


@pytest.mark.parametrize("how", ["all", "filtered", "scrolled"])
def test_what_is_on_the_screen_is_right_first(notebook: Notebook, how: str):
    notebook.open([SETUP])
    notebook.run_cell(0)
    notebook.see(0, re.compile(r"2.000 rows"))
    if how == "filtered":
        notebook.kernel("table.filter = 'status=Running'")
        notebook.see(0, re.compile(r"of 2.000 rows"))
    elif how == "scrolled":
        notebook.output(0).locator(".ag-row").first.hover()
        notebook.page.mouse.wheel(0, 9000)
        notebook.page.wait_for_function(f"() => ({SHOWN})()[0]?.[0] > 100")
    is_shown(notebook)
    notebook.page.evaluate(TURN, "hidden")
    assert ask(notebook, "until(lambda: table._audience.pages and not table._audience.receiving())")
    notebook.kernel("put(2); hold()")
    notebook.page.evaluate(TURN, "visible")
    is_shown(notebook)
    assert not ask(notebook, "go.is_set()"), "and the others are not there yet"
    notebook.kernel("go.set()")
    assert ask(notebook, "until(lambda: not table._rows.pending)")
    is_shown(notebook)
    wheel = -20000 if how == "scrolled" else 20000
    notebook.output(0).locator(".ag-row").first.hover()
    notebook.page.mouse.wheel(0, wheel)
    is_shown(notebook)
