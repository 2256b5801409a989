"""The status in a real JupyterLab: one socket, its minute, and the plug."""

from __future__ import annotations

import re
from pathlib import Path

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
    notebook.screenshot("open")
    notebook.output(0).get_by_role("button", name="Pull the plug").click()
    see(notebook, 0, "socket retrying")
    see(notebook, 0, "the plug was pulled")
    notebook.screenshot("cut")
    notebook.kernel("say(state='open', reason='', sockets=1, retry_at=None, reconnects=1)")
    see(notebook, 0, "socket open")
    see(notebook, 0, "reconnect")
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
