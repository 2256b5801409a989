"""*Pull the plug* as an audience has it: the notebook in JupyterLab, and all three buttons pressed."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from notebook_mux.life import services
from tests.browser.lab import Notebook

NOTEBOOK = "12_pull_the_plug.ipynb"
TABLE, LOGS, SHELL, PLUG, CHECK = 2, 3, 4, 6, 13
"""Its cells."""

SECONDS = 90
"""For what starts a process: many times what it takes."""


@pytest.fixture(scope="module", autouse=True)
def _ended() -> Iterator[None]:
    services.stop(services.listing("playground"))  # whose account has the cuts of another test's notebook
    yield
    services.stop(services.listing("playground"))


class Plug:
    """The view in the plug's cell."""

    def __init__(self, notebook: Notebook) -> None:
        self.view: Locator = notebook.output(PLUG).locator("div.root")
        self.cuts = self.view.get_by_role("log", name="cuts").locator("li")

    def figure(self, name: str | re.Pattern[str]) -> Locator:
        return self.view.locator(".figures div").filter(has_text=name).locator("b")

    def received(self) -> int:
        return int(re.sub(r"\D", "", self.figure("numbers received").inner_text()))

    def press(self, name: str, cuts: int) -> None:
        """Press a button and wait until the numbers come again."""
        self.view.get_by_role("button", name=name).click()
        self.back(cuts)

    def back(self, cuts: int) -> None:
        expect(self.cuts).to_have_count(cuts, timeout=SECONDS * 1000)
        expect(self.cuts.first).to_contain_text("the next number was here after", timeout=SECONDS * 1000)

    def whole(self) -> None:
        """Nothing is lost and nothing repeated, and numbers go on."""
        before = self.received()
        expect(self.figure("numbers received")).not_to_have_text(re.compile(rf"^{before}$"))
        expect(self.figure(re.compile("^0lost$"))).to_have_text("0")
        expect(self.figure(re.compile("^0repeated$"))).to_have_text("0")


@pytest.mark.timeout(400)
def test_the_three_buttons(notebook: Notebook) -> None:
    notebook.open(NOTEBOOK)
    for cell in (TABLE, LOGS, SHELL, PLUG):
        notebook.run_cell(cell)
    plug = Plug(notebook)
    expect(plug.figure("numbers received")).not_to_have_text("0", timeout=SECONDS * 1000)
    plug.press("Cut the socket", 1)
    plug.press("Kill the gateway", 2)
    expect(plug.view.get_by_text(re.compile(r"killed process \d+, the gateway"))).to_be_visible()
    plug.whole()
    received = plug.received()
    plug.view.scroll_into_view_if_needed()
    notebook.screenshots("cut-and-killed")
    plug.view.get_by_role("button", name="Restart the kernel").click()
    expect(plug.view.get_by_text("The kernel has gone: run the cells again")).to_be_visible(timeout=SECONDS * 1000)
    expect(plug.view.get_by_role("button", name="Cut the socket")).to_be_disabled()
    notebook._ready()
    notebook.run_cell(PLUG)
    plug.back(3)
    expect(plug.cuts.first).to_contain_text("kernel restarted")
    plug.whole()
    assert plug.received() > received
    notebook.run_cell(CHECK)
    notebook.wait_for_output(CHECK, "✓ nothing lost, nothing repeated")
    plug.view.scroll_into_view_if_needed()
    notebook.screenshots("restarted")
