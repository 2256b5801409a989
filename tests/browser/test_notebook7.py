"""Notebook 7: the same widgets in the other front end, with one row and with ten thousand, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.playground import RunningPlayground

REPOSITORY = Path(__file__).resolve().parents[2]

ROWS = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
import random
from tests.unit.widgets.fakes import *
from notebook_mux.widgets.table import Table
rng = random.Random(1)
one, many = FakeStream(), FakeStream()
one.put(pod(0, rng))
many.put(*(pod(number, rng) for number in range(10_000)))
"""

# A page says a selection on a subshell: the cell may run before it is heard.
SELECTED = """
import time
late = time.monotonic() + 30
while not large.selected and time.monotonic() < late:
    time.sleep(0.01)
large.selected
"""


def rows(notebook: Notebook, index: int):
    return notebook.output(index).locator(".ag-row")


def test_one_row_and_ten_thousand(notebook: Notebook):
    notebook.open([ROWS, "small = Table(one); small", "large = Table(many, name='large'); large",
                   SELECTED], app="notebook")  # fmt: skip
    for index in range(3):
        notebook.run_cell(index)
    notebook.see(1, re.compile("^1 row$"))
    notebook.see(2, re.compile("^10\u202f000 rows"))
    notebook.kernel("many.put(pod(3, random.Random(2)))")
    notebook.see(2, re.compile("last change"))
    notebook.output(2).get_by_placeholder(re.compile("Filter")).fill("web-99")
    notebook.see(2, re.compile("^11 of 10\u202f000 rows"))
    rows(notebook, 2).get_by_text("web-999", exact=True).click()
    notebook.see(2, "1 selected")
    notebook.run_cell(3)
    notebook.wait_for_output(3, "web-999")
    notebook.output(2).get_by_placeholder(re.compile("Filter")).fill("")
    notebook.see(2, re.compile("^10\u202f000 rows"))
    notebook.screenshots("rows")


def test_a_real_table_its_end_and_its_copy(new_page, still_look: RunningPlayground):
    notebook: Notebook = new_page(errors=True)  # the page logs the model that is not there any more
    notebook.open(
        [f"import notebook_mux as nm; nm.connect(kubeconfig={str(still_look.kubeconfig)!r})", "nm.table('pods')"],
        app="notebook",
    )
    notebook.run_all()
    notebook.see(0, "socket open")
    notebook.see(1, re.compile(r"^\d+ rows"))
    notebook.screenshots("live")
    notebook.save()
    notebook.restart_kernel()
    for index in (0, 1):
        notebook.see(index, re.compile("Not live since .*: the kernel has gone. Run the cell again."))
    notebook.screenshot("gone")
    notebook.reload()
    for index in (0, 1):
        copy = notebook.output(index).locator(".notebook-mux-copy")
        copy.wait_for()
        assert re.search(r"copy of 20\d\d-\d\d-\d\d", copy.inner_text())
        said = notebook.output(index).inner_text()
        assert "Loading widget" not in said
        assert "model not found" not in said
    notebook.screenshot("copy")
    notebook.run_all()
    notebook.see(1, re.compile(r"^\d+ rows"))


def test_what_is_done_with_a_table(notebook: Notebook, still_look: RunningPlayground):
    """Found, arranged, opened and changed: what JupyterLab's tests look at one by one, here as one goes along."""
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    connect = f"import notebook_mux as nm; nm.connect(kubeconfig={str(still_look.kubeconfig)!r}, write=True)"
    thing = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-notebook-7"}, "data": {"a": "1"}}
    notebook.open([connect, "table = nm.table('pods', namespace='*', height=260); table"], app="notebook")
    for index in (0, 1):
        notebook.run_cell(index)
    view, keyboard = notebook.output(1), notebook.page.keyboard
    notebook.see(1, re.compile(r"^\d+ rows"))
    expect(notebook.output(0).get_by_role("img", name=re.compile("lag in the last minute")).first).to_be_visible()
    # found
    field = view.get_by_role("combobox", name="Filter rows")
    field.click()
    keyboard.type("stat")
    expect(view.get_by_role("option").first).to_have_text(re.compile("^status"))
    keyboard.press("Tab")
    keyboard.type("u>3")
    expect(view.locator(".marks .wrong")).to_have_text("statusu")
    field.fill("")
    keyboard.press("Escape")
    # arranged: groups, columns, and a pause
    names = view.locator(".ag-cell[col-id=Name]")
    names.first.click()
    keyboard.press("g")
    view.get_by_role("menuitemradio", name="namespace", exact=True).press("Enter")
    expect(view.locator(".group-row .name").first).to_have_text("default")
    view.get_by_role("button", name="Columns", exact=True).press("Enter")
    view.get_by_role("group", name="Columns", exact=True).get_by_role("checkbox", name="Ready").press("Space")
    expect(view.locator(".ag-header-cell[col-id=Ready]")).to_have_count(0)
    keyboard.press("Escape")
    names.first.click()
    keyboard.press("p")
    notebook.see(1, "paused · nothing missed")
    keyboard.press("p")
    notebook.kernel(f"nm.apply({thing!r})\ntable.pick('configmaps', namespace='default')")
    expect(view.get_by_role("button", name="Kind:")).to_have_accessible_name("Kind: configmaps")
    view.get_by_role("button", name="Copy", exact=True).click()
    view.get_by_role("menuitem", name="Copy as Python").click()
    notebook.see(1, "copied: python")
    assert 'nm.table("configmaps", namespace="default"' in notebook.page.evaluate("navigator.clipboard.readText()")
    # opened
    names.filter(has_text="of-notebook-7").click()
    keyboard.press("y")
    expect(view.locator(".panel .cm-content")).to_contain_text("name: of-notebook-7")
    keyboard.press("Escape")
    notebook.screenshots("done")
    # changed
    names.filter(has_text="of-notebook-7").click()
    view.get_by_role("button", name="Actions", exact=True).first.click()
    view.get_by_role("menuitem", name="Delete").click()
    dialog = view.get_by_role("dialog", name=re.compile("^Delete"))
    expect(dialog.locator("del").first).to_be_visible()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(names.filter(has_text="of-notebook-7")).to_have_count(0)
