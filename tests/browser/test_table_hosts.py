"""A table of a real cluster in other surroundings: Notebook 7, and a page that is heard between cells only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import chromium
from tests.browser.lab import Lab, Notebook
from tests.conftest import need
from tests.playground import RunningPlayground

WAITS = re.compile("What you asked waits: this kernel hears the page when the running cell is through")
WAITS_HERE = re.compile("^It waits: this kernel hears the page")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server whose pages send nothing over a subshell, as with ipykernel 6 or in VS Code."""
    need(None if chromium.path() else chromium.NONE)
    server = Lab(tmp_path_factory.mktemp("lab-without-subshells"), subshells=False)
    try:
        yield server
    finally:
        server.end()


def cells(cluster: RunningPlayground, gate: Path) -> list[str]:
    connect = f"import notebook_mux as nm; m = nm.connect(kubeconfig={str(cluster.kubeconfig)!r}, write=True); m.url"
    waits = f"import os, time\nprint('at work')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)"
    selected = "print(*(one.name for one in table.selected), '/', table.filter)"
    return [connect, "table = nm.table('pods'); table", f"{waits}\n{selected}", selected]


class Table:
    """The table in the second cell's output, with its parts."""

    def __init__(self, notebook: Notebook) -> None:
        self.view = notebook.output(1)
        self.filter = self.view.get_by_role("combobox", name="Filter rows")
        self.names = self.view.locator(".ag-row [col-id='Name']")
        self.panel = self.view.locator(".panel")
        self.dialog = self.view.get_by_role("dialog", name=re.compile("^Delete"))
        self.lines = self.view.get_by_text(WAITS)

    def choose(self, button: str, entry: str) -> None:
        self.view.get_by_role("button", name=button, exact=True).first.click()
        self.view.get_by_role("menuitem", name=entry).click()

    def kinds(self) -> Locator:
        """Open the list of kinds."""
        self.view.get_by_role("button", name="Kind:").click()
        return self.view.get_by_role("dialog", name="Kind")


def pick(notebook: Notebook, table: Table) -> str:
    """Filter for the first row, and select it; its name."""
    notebook.see(1, re.compile(r"^\d+ rows"))
    name = table.names.first.inner_text()
    table.filter.fill(name)
    notebook.see(1, re.compile(r"^1 of \d+ rows"))
    table.names.first.click()
    notebook.see(1, "1 selected")
    return name


def begin_and_wait(notebook: Notebook, running: RunningPlayground, gate: Path) -> None:
    """A table, beside a cell that runs until there is a `gate`."""
    notebook.open(cells(running, gate))
    for index in (0, 1):
        notebook.run_cell(index)
    notebook.see(1, re.compile(r"^\d+ rows"))
    notebook.run_cell(2, wait=False)
    notebook.wait_for_output(2, "at work")


def test_without_subshells_all_that_is_the_pages_works_and_the_rest_waits_and_says_so(
    notebook: Notebook, still_look: RunningPlayground, gate: Path
):
    begin_and_wait(notebook, still_look, gate)
    table = Table(notebook)
    name = pick(notebook, table)
    expect(table.lines).to_be_visible()
    table.names.first.press("d")
    expect(table.panel).to_contain_text("reading")
    kinds = table.kinds()
    expect(kinds.get_by_text(WAITS_HERE)).to_be_visible()
    notebook.screenshot("picker")
    notebook.page.keyboard.press("Escape")
    table.choose("Actions", "Delete")
    expect(table.dialog.get_by_text(WAITS_HERE)).to_be_visible()
    expect(table.dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
    notebook.screenshot("dialog")
    gate.touch()
    expect(table.dialog.get_by_role("button", name="Delete", exact=True)).to_be_enabled()
    expect(table.dialog.get_by_text(WAITS_HERE)).to_be_hidden()
    notebook.page.keyboard.press("Escape")
    expect(table.panel).to_contain_text("Conditions")
    expect(table.lines).to_be_hidden()
    notebook.run_cell(3)
    notebook.wait_for_output(3, f"{name} / {name}")
    notebook.screenshot("through")


def test_enter_before_a_list_is_there_means_the_best_of_it(
    notebook: Notebook, still_look: RunningPlayground, gate: Path
):
    """And not what was typed, which may be a namespace as well."""
    begin_and_wait(notebook, still_look, gate)
    namespace = notebook.output(1).get_by_role("button", name="Namespace:")
    namespace.click()
    notebook.page.keyboard.type("kube-sy")
    notebook.page.keyboard.press("Enter")
    gate.touch()
    expect(namespace).to_have_accessible_name("Namespace: kube-system")


def test_notebook_7_hears_the_page_beside_a_running_cell(notebook: Notebook, still_look: RunningPlayground, gate: Path):
    """Its pages have no setting for subshells: they use them."""
    notebook.open(cells(still_look, gate), app="notebook")
    for index in (0, 1):
        notebook.run_cell(index)
    notebook.see(1, re.compile(r"^\d+ rows"))
    notebook.run_cell(2, wait=False)
    notebook.wait_for_output(2, "at work")
    table = Table(notebook)
    name = pick(notebook, table)
    table.names.first.press("d")
    expect(table.panel).to_contain_text("Conditions")
    notebook.screenshots("details")
    expect(table.kinds().get_by_role("option", name="deployments").first).to_be_visible()
    notebook.page.keyboard.press("Escape")
    table.choose("Actions", "Delete")
    expect(table.dialog.get_by_role("button", name="Delete", exact=True)).to_be_enabled()
    notebook.screenshot("dialog")
    notebook.page.keyboard.press("Escape")
    gate.touch()
    notebook.wait_for_output(2, f"{name} / {name}")
