"""The table in a real JupyterLab: its rows come, change, and come back; what is clicked there is in Python."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser.lab import Notebook

REPOSITORY = Path(__file__).resolve().parents[2]

SETUP = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.unit.widgets.fakes import *
from notebook_mux.widgets.table import Table
import random
rng = random.Random(1)
stream = FakeStream(("kind-a", "prod-eu"))
stream.put(*(pod(i, rng) for i in range(30)))
stream.put(pod(0, rng), cluster="prod-eu")
table = Table(stream)
table
"""


def change(name: str = "changed-0", status: str = "Evicted") -> str:
    """Code that puts one more pod."""
    return f"""
import json
record = pod(900, rng)
record.name = {name!r}
record.cells = json.dumps([{name!r}, "0/1", {status!r}, "0", "1s", "", "", "", ""]).encode()
stream.put(record)
"""


def rows(notebook: Notebook, index: int = 0):
    return notebook.output(index).locator(".ag-row")


def see(notebook: Notebook, index: int, text: str | re.Pattern[str], *, seconds: float = 30) -> None:
    """Wait until the live view in a cell's output shows a text."""
    view = notebook.output(index).locator("div.root")
    view.get_by_text(text).locator("visible=true").first.wait_for(timeout=seconds * 1000)


def freeze(notebook: Notebook) -> None:
    """Choose it in the view's menu."""
    notebook.output(0).get_by_role("button", name="View").click()
    notebook.output(0).get_by_role("menuitem", name="Freeze").click()


def until(wanted: str, shown: str = "") -> str:
    """Code that waits for what a page says: it does so on a subshell, of what is typed a moment after the last key.

    What `shown` prints is to be looked for as it is printed and not as it is written: where it raises, Python shows
    these lines.
    """
    return f"""
import time
late = time.monotonic() + 60
while not ({wanted}) and time.monotonic() < late:
    time.sleep(0.01)
assert {wanted}
{shown}
"""


SELECTED = "[one.name for one in table.selected]"


def test_rows_come_change_and_are_selected_in_python(notebook: Notebook):
    cells = [until(f"{SELECTED} == [{name!r}]", f"print('selected', *{SELECTED})") for name in ("changed-0", "auth-2")]
    notebook.open([SETUP, cells[0], "table", cells[1]])
    notebook.run_cell(0)
    see(notebook, 0, "kind-a 30")
    see(notebook, 0, "31 rows")
    notebook.kernel(change())
    see(notebook, 0, "32 rows")
    notebook.output(0).get_by_placeholder(re.compile("Filter")).fill("evicted")
    see(notebook, 0, "1 of 32 rows")
    rows(notebook).get_by_text("changed-0").click()
    see(notebook, 0, "1 selected")
    notebook.run_cell(1)
    notebook.wait_for_output(1, "selected changed-0")
    notebook.kernel("stream.delete(record)")
    see(notebook, 0, "None of 31 rows passes the filter")
    notebook.kernel(until("table.filter == 'evicted'"))
    notebook.kernel("table.filter = ''")
    see(notebook, 0, re.compile("^31 rows"))
    notebook.screenshot("light")
    # a second view of it: a selection of its own, one `selected`
    notebook.run_cell(2)
    see(notebook, 2, "31 rows")
    rows(notebook, 2).get_by_text("auth-2").first.click()
    notebook.run_cell(3)
    notebook.wait_for_output(3, "selected auth-2")
    notebook.theme("dark")
    notebook.screenshot("dark")


def test_a_clusters_trouble_is_seen_with_its_reason(notebook: Notebook):
    notebook.open([SETUP])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    notebook.kernel("stream.say('prod-eu', name='stale', reason='connection reset', said='read: ECONNRESET')")
    see(notebook, 0, re.compile(r"stale since \d\d:\d\d:\d\d · connection reset: read: ECONNRESET"))
    see(notebook, 0, "31 rows")
    notebook.screenshot("stale")
    notebook.kernel("stream.say('prod-eu', name='live')")
    notebook.output(0).get_by_text(re.compile("stale since")).wait_for(state="detached")


def test_it_comes_back_after_a_reload_and_goes_on(notebook: Notebook):
    notebook.open([SETUP])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    notebook.reload()
    see(notebook, 0, "31 rows")
    notebook.kernel(change())
    see(notebook, 0, "32 rows")
    # the static copy is there, and hidden behind the live view
    copy = notebook.output(0).locator(".notebook-mux-copy")
    assert copy.count() == 1
    assert not copy.is_visible()


COMMS = re.compile(r"^comms \d+\s*$")


def test_a_rerun_makes_nothing_new(notebook: Notebook):
    notebook.open([SETUP, "table", "from comm import get_comm_manager; print('comms', len(get_comm_manager().comms))"])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    notebook.run_cell(2)
    before = notebook.wait_for_output(2, COMMS).inner_text()  # it is drawn behind the cell's end
    for _ in range(3):
        notebook.run_cell(1)
        see(notebook, 1, "31 rows")
    notebook.run_cell(2)
    assert notebook.wait_for_output(2, COMMS).inner_text() == before


def test_it_lives_beside_a_busy_cell(notebook: Notebook):
    # the cell runs until it has heard what is done in the page meanwhile
    heard = until(f"{SELECTED} == ['auth-2'] and table.filter == 'auth'", "print('it', 'woke')")
    notebook.open([SETUP, f"print('busy')\n{change()}{heard}"])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    notebook.run_cell(1, wait=False)
    notebook.wait_for_output(1, "busy")
    see(notebook, 0, "32 rows")
    rows(notebook).get_by_text("auth-2").first.click()
    notebook.output(0).get_by_placeholder(re.compile("Filter")).fill("auth")
    notebook.wait_for_output(1, "it woke")


def test_a_table_first_shown_before_a_busy_cell_has_its_rows(notebook: Notebook, gate: Path):
    notebook.open([SETUP, f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)\nprint('woke')"])
    notebook.run_all(wait=False)
    see(notebook, 0, "31 rows", seconds=60)
    assert "woke" not in notebook.output(1).inner_text()
    gate.touch()
    notebook.wait_for_output(1, "woke")


def test_two_pages_at_once(new_page):
    first: Notebook = new_page()
    first.open([SETUP])
    first.run_cell(0)
    see(first, 0, "31 rows")
    first.save()
    second: Notebook = new_page()
    second.open(first.name)
    see(second, 0, "31 rows")
    first.kernel(change())
    see(first, 0, "32 rows")
    see(second, 0, "32 rows")
    second.output(0).get_by_placeholder(re.compile("Filter")).fill("evicted")
    see(first, 0, "1 of 32 rows")
    second.page.close()
    first.kernel("stream.delete(record)")
    see(first, 0, "None of 31 rows")


def test_a_kernel_that_has_gone_is_said_and_the_copy_stays(new_page):
    notebook: Notebook = new_page(errors=True)  # JupyterLab logs the model that is not there any more
    notebook.open([SETUP])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    notebook.restart_kernel()
    see(notebook, 0, re.compile("Not live since .*: the kernel has gone. Run the cell again."))
    notebook.screenshot("gone")
    notebook.reload()
    copy = notebook.output(0).locator(".notebook-mux-copy")
    copy.wait_for()
    assert "copy of 20" in copy.inner_text()
    assert "web-0" in copy.inner_text()
    notebook.screenshot("copy")
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")


def test_freeze_writes_the_rows_of_now_into_the_notebook(notebook: Notebook):
    notebook.open([SETUP])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    notebook.kernel(change("late-comer"))
    see(notebook, 0, "32 rows")
    assert "late-comer" not in str(notebook.save())
    freeze(notebook)
    see(notebook, 0, "a fresh copy is in the notebook")
    assert "late-comer" in str(notebook.save())
    assert not notebook.output(0).locator(".notebook-mux-copy").is_visible()


def test_the_code_is_sent_once_a_page(notebook: Notebook):
    frames: list[int] = []
    code = "notebook_mux.widgets.bundle.Bundle"

    def count(payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.decode("latin-1")
        if code in text:
            frames.append(len(text))

    notebook.page.on("websocket", lambda socket: socket.on("framereceived", count))
    notebook.open([SETUP, "second = Table(FakeStream(), name='b'); second", "third = Table(FakeStream()); third"])
    notebook.run_all()
    for index in range(3):
        notebook.output(index).get_by_placeholder(re.compile("Filter")).wait_for()
    assert len(frames) == 1
    assert 50_000 < frames[0] < 400_000, "compressed"


def test_what_a_cluster_says_is_never_markup(notebook: Notebook):
    evil = "<img src=x onerror='window.pwned=1'>"
    notebook.open([SETUP])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    notebook.kernel(change(evil, evil) + f"stream.say('prod-eu', name='unreachable', reason={evil!r}, said={evil!r})")
    see(notebook, 0, "32 rows")
    notebook.output(0).get_by_placeholder(re.compile("Filter")).fill("onerror")
    see(notebook, 0, "1 of 32 rows")
    rows(notebook).get_by_text(evil).first.hover()
    freeze(notebook)
    see(notebook, 0, "a fresh copy is in the notebook")
    notebook.screenshot("hostile")
    assert notebook.page.evaluate("window.pwned") is None


def test_keys_typed_in_it_are_its_own(notebook: Notebook):
    notebook.open([SETUP, "print('still here')"])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    filter_ = notebook.output(0).get_by_placeholder(re.compile("Filter"))
    filter_.click()
    notebook.page.keyboard.type("ddxx00")
    assert filter_.input_value() == "ddxx00"
    notebook.page.keyboard.press("Escape")
    see(notebook, 0, re.compile("^31 rows"))
    rows(notebook).first.locator(".ag-cell").first.click()
    notebook.page.keyboard.type("dd")
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Space")
    see(notebook, 0, re.compile("selected"))
    assert notebook.page.locator(".jp-Notebook .jp-CodeCell").count() == 2


def test_the_first_notebook_is_live_after_two_cells(notebook: Notebook):
    notebook.open("01_first_look.ipynb")
    notebook.run_cell(1)
    notebook.run_cell(2)
    see(notebook, 2, "all namespaces", seconds=60)
    rows(notebook, 2).first.wait_for()
    see(notebook, 2, re.compile("changes/s|last change"))
    notebook.screenshot("two-cells")
    rows(notebook, 2).first.click()
    see(notebook, 2, "1 selected")
    notebook.kernel(until("len(table.selected) == 1"))
    notebook.run_cell(4)
    notebook.wait_for_output(4, "Reference(cluster='demo'")
    notebook.run_cell(6)
    see(notebook, 6, "socket open")
    notebook.output(6).get_by_role("button", name="Pull the plug").click()
    see(notebook, 6, re.compile("cut .*the socket was cut|back after"))
    see(notebook, 6, "socket open")
    notebook.screenshot("plug")
    # the same words, the same table
    notebook.run_cell(2)
    rows(notebook, 2).first.wait_for()
