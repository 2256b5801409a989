"""The status in a real JupyterLab: one socket, its minute, and the plug."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import Notebook

REPOSITORY = Path(__file__).resolve().parents[2]

SETUP = f"""
import sys, time
sys.path.insert(0, {str(REPOSITORY)!r})
from types import SimpleNamespace
from tests.unit.widgets.fakes import FakeManager
from notebook_mux.kernel import holder
from notebook_mux.widgets.status import Status
manager = FakeManager()
def say(**changed):
    manager.socket.update(since=time.time(), **changed)
    status._poke()
def cut(connection):
    say(state="retrying", reason="the plug was pulled", sockets=0, retry_at=time.time() + 30)
holder.core = lambda: SimpleNamespace(cut=cut)
status = Status(manager)
status
"""


def see(notebook: Notebook, index: int, text: str | re.Pattern[str], *, seconds: float = 30) -> None:
    """Wait until the live view in a cell's output shows a text."""
    view = notebook.output(index).locator("div.root")
    view.get_by_text(text).locator("visible=true").first.wait_for(timeout=seconds * 1000)


def test_the_plug_is_pulled_and_it_comes_back(notebook: Notebook):
    notebook.open([SETUP, "status.rows"])
    notebook.run_cell(0)
    see(notebook, 0, "socket open")
    see(notebook, 0, "the token has expired")
    see(notebook, 0, "pods in all namespaces")
    see(notebook, 0, "Python, table web")
    see(notebook, 0, "changes/s in the last minute")
    see(notebook, 0, "lag in the last minute")
    for drawn in ("changes/s in the last minute", "lag in the last minute"):
        figure = notebook.output(0).locator("figure").filter(has_text=drawn)
        expect(figure.get_by_role("img").locator(".stroke")).to_have_attribute(
            "d", re.compile(r"^M[\d. ]+(L[\d. ]+){20,}$")
        )
    pictures = notebook.output(0).locator("table.streams tbody tr").first.locator("svg.spark")
    expect(pictures).to_have_count(2)  # its own rate and lag
    notebook.screenshot("open")
    notebook.output(0).get_by_role("button", name="Pull the plug").click()
    see(notebook, 0, "socket retrying")
    see(notebook, 0, "the plug was pulled")
    notebook.screenshot("cut")
    notebook.kernel("say(state='open', reason='', sockets=1, retry_at=None, reconnects=1)")
    see(notebook, 0, "socket open")
    see(notebook, 0, "reconnect")
    notebook.kernel("manager._identity.demo = ('rolling-update', 3)")
    notebook.kernel("manager._clock = (1_780_000_000.0, time.time(), 0.0); status._poke()")
    see(notebook, 0, "cluster time 2026-05-28 20:26:40 UTC")  # it stands
    see(notebook, 0, "paused")
    notebook.screenshot("demo")
    notebook.kernel("manager._clock = (1_780_000_000.0, time.time(), 10.0); status._poke()")
    see(notebook, 0, "10 times as fast")
    see(notebook, 0, re.compile(r"cluster time 2026-05-28 (20:(2[7-9]|[3-5]\d)|2[1-3]:\d\d):"))
    notebook.theme("dark")
    notebook.screenshot("back-dark")
    notebook.run_cell(1)
    notebook.wait_for_output(1, "pods in all namespaces")


def test_it_comes_back_after_a_reload(notebook: Notebook):
    notebook.open([SETUP])
    notebook.run_cell(0)
    see(notebook, 0, "socket open")
    notebook.reload()
    see(notebook, 0, "socket open")
    notebook.kernel("say(state='retrying', reason='server restarting')")
    see(notebook, 0, "server restarting")


def test_forty_streams_and_which_is_the_dearest(notebook: Notebook):
    notebook.open([SETUP.replace("status = ", "manager.streams, manager.late = 40, 5; status = ")])
    notebook.run_cell(0)
    see(notebook, 0, re.compile("objects in 40 streams"))
    view = notebook.output(0).locator("div.root")
    names = view.locator("table.streams tbody tr td:first-child")

    def first(column: str, name: str, way: str) -> None:
        head = view.get_by_role("columnheader", name=column, exact=True)
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", way)
        expect(names.first).to_have_text(name)

    first("Memory", "pods in all namespaces", "descending")
    first("Lag", "replicasets in all namespaces", "descending")
    late = view.locator('table.streams td[data-tone="warn"]').first
    expect(late).to_have_text("1\u202f700 ms")
    notebook.screenshot("forty")
    notebook.theme("dark")
    notebook.screenshot("forty-dark")
    first("Stream", "configmaps in all namespaces", "ascending")
    view.get_by_role("columnheader", name="Stream", exact=True).get_by_role("button").press("Enter")
    expect(names.first).to_have_text(re.compile(r"^widgets\.example\.com in all namespaces"))
