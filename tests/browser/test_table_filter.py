"""The filter in a real page: what may follow is offered, what is wrong is shown at its place, and Python has it."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook
from tests.waiting import eventually

REPOSITORY = Path(__file__).resolve().parents[2]

SETUP = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.unit.widgets.fakes import *
from notebook_mux.widgets.table import Table
import json, random
rng = random.Random(1)
stream = FakeStream(("kind-a", "prod-eu"))
for number in range(40):
    record = pod(number, rng)
    record.object = json.dumps({{"metadata": {{"labels": {{"app": record.name.split("-")[0]}}}}}}).encode()
    stream.put(record, cluster=("kind-a", "prod-eu")[number % 4 == 0])
table = Table(stream)
table
"""

ALL = re.compile("^40 rows")
"""And not some of them."""

RUNNING = "sum(row['Status'] == 'Running' for row in stream.rows)"


def field(notebook: Notebook) -> Locator:
    """The field."""
    return notebook.output(0).get_by_role("combobox", name="Filter rows")


def options(notebook: Notebook) -> Locator:
    """What is offered."""
    return notebook.output(0).get_by_role("option")


def asked(notebook: Notebook, code: str, cell: int = 1) -> str:
    """What a cell shows that asks Python."""
    notebook.page.evaluate(
        "([i, code]) => { window.jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.setSource(code) }",
        [cell, code],
    )
    notebook.run_cell(cell)
    said = notebook.output(cell).locator(".jp-OutputArea-output").last
    expect(said).to_have_text(re.compile(r"\S"))  # it is drawn behind the cell's end
    return said.inner_text().strip()


def heard(notebook: Notebook, code: str, wanted: str) -> None:
    """Wait until Python has it: a page says what is typed a moment after the last key."""
    eventually(lambda: asked(notebook, code) == wanted, f"{code} is {wanted}", seconds=30)


def opened(notebook: Notebook) -> None:
    notebook.open([SETUP, ""])
    notebook.run_cell(0)
    notebook.see(0, ALL)


def test_what_may_follow_is_offered_and_taken_by_keys(notebook: Notebook):
    opened(notebook)
    keyboard = notebook.page.keyboard
    field(notebook).click()
    keyboard.type("stat")
    expect(options(notebook).first).to_have_text(re.compile("^status"))
    keyboard.press("Tab")
    expect(field(notebook)).to_have_value("status")
    expect(options(notebook).first).to_have_text(re.compile("^status="))
    keyboard.press("ArrowDown")
    expect(field(notebook)).to_have_attribute("aria-activedescendant", re.compile("-0$"))
    keyboard.press("Enter")
    expect(field(notebook)).to_have_value("status=")
    # no row has an empty status: what is half typed empties nothing
    expect(options(notebook).first).to_have_text(re.compile("^Running"))
    notebook.see(0, ALL)
    keyboard.type("run")
    expect(options(notebook)).to_have_count(1)
    notebook.see(0, ALL)
    notebook.screenshot("offered")
    keyboard.press("Tab")
    expect(field(notebook)).to_have_value("status=Running")
    running = asked(notebook, RUNNING)
    notebook.see(0, f"{running} of 40 rows")
    heard(notebook, "table.filter, len(table.rows)", f"('status=Running', {running})")
    # what may follow is closed first, then the filter is emptied, and the last one comes again
    field(notebook).click()
    keyboard.press("End")
    keyboard.type(" age>")  # which cannot be meant so, however long nobody types
    expect(options(notebook).first).to_be_visible()
    keyboard.press("Escape")
    expect(options(notebook)).to_have_count(0)
    keyboard.press("Escape")
    expect(field(notebook)).to_have_value("")
    notebook.see(0, ALL)
    keyboard.press("ArrowUp")
    expect(field(notebook)).to_have_value("status=Running")
    notebook.see(0, f"{running} of 40 rows")


def test_what_is_wrong_is_shown_at_its_place_and_counts_nothing(notebook: Notebook):
    opened(notebook)
    keyboard = notebook.page.keyboard
    field(notebook).click()
    keyboard.type("app=web statu>3 !x")
    view = notebook.output(0).locator("div.root")
    expect(view.locator(".marks .wrong")).to_have_text("statu")
    expect(field(notebook)).to_have_attribute("aria-invalid", "true")
    said = "there is no column statu to compare: did you mean Status?"
    expect(view.locator(".message")).to_have_text("there is no column statu to comparedid you mean Status?")
    expect(view.locator("[role=status]").get_by_text(said).first).to_be_attached()
    notebook.see(0, "4 of 40 rows")
    notebook.screenshot("wrong")
    keyboard.press("Enter")
    expect(view.locator(".line").get_by_text(said)).to_be_visible()
    assert "statu>3" not in asked(notebook, "table.filter")
    # Python's own mistakes are errors of two lines
    assert "^^^^^" in asked(notebook, "table.filter = 'web statu>3'")
    field(notebook).fill("app=web age>1s")
    notebook.see(0, "4 of 40 rows")
    expect(view.locator(".marks .wrong")).to_have_count(0)
    notebook.theme("dark")
    field(notebook).fill("app=web cpu>200m -n")
    notebook.screenshot("wrong-dark")
    field(notebook).fill("app=web ")
    field(notebook).press("Enter")
    heard(notebook, "{row['Name'] for row in table.rows} == {f'web-{n}' for n in range(4)}", "True")
    # and from Python to the page, once what was typed has reached Python
    heard(notebook, "table.filter.strip()", "'app=web'")
    notebook.kernel("table.filter = '-n shop --cluster kind-a'")
    expect(field(notebook)).to_have_value("-n shop --cluster kind-a")


def test_faults_only(notebook: Notebook):
    opened(notebook)
    faults = asked(notebook, "len(stream.rows.filter(faults=True))")
    switch = notebook.output(0).get_by_role("button", name=f"Faults only: {faults} faults")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    notebook.see(0, f"{faults} of 40 rows")
    notebook.screenshot("faults")
    notebook.output(0).locator(".ag-row").first.click()
    notebook.page.keyboard.press("/")
    expect(field(notebook)).to_be_focused()
    notebook.page.keyboard.type("status!=pend* ")
    waiting = asked(notebook, "len(stream.rows.filter('status!=pend*', faults=True))")
    notebook.see(0, f"{waiting} of 40 rows")
    heard(notebook, "table.faults, len(table.rows)", f"(True, {waiting})")
    notebook.kernel("table.apply(faults=False, filter='')")
    notebook.see(0, ALL)
    expect(switch).to_have_attribute("aria-pressed", "false")
