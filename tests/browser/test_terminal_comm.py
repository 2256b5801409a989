"""A terminal where the page cannot reach the gateway: by the comm, with the same screen and the same keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import chromium
from tests.browser.lab import Lab, Notebook
from tests.browser.shells import SECONDS, Shell, connect, web
from tests.conftest import need
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

pytestmark = pytest.mark.control_plane


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server without jupyter-server-proxy."""
    need(None if chromium.path() else chromium.NONE)
    server = Lab(tmp_path_factory.mktemp("lab-without-proxy"), proxy=False)
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def shell(notebook: Notebook, control_plane: ControlPlane, namespace: str, gate: Path) -> Shell:
    """A shell in the second cell's output, and a third cell that waits."""
    web(control_plane, namespace)
    waits = f"import os, time\nprint('at work')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)"
    notebook.open([connect(control_plane, namespace), 't = nm.shell("web-0")\nt', waits])
    notebook.run_cell(0)
    notebook.run_cell(1)
    return Shell(notebook, 1).open().by("through the kernel")


def test_keys_and_a_flood_through_the_kernel(shell: Shell, notebook: Notebook):
    shell.run("echo answer-$((40+2))", "answer-42")
    shell.run("seq 1 200000; echo end-$((1+1))", "end-2")
    notebook.screenshots("comm")
    shell.type("yes\n")
    eventually(lambda: "\ny\ny\ny\n" in shell.text, "it floods", seconds=SECONDS)
    notebook.page.keyboard.press("Control+c")
    shell.see("^C")
    shell.run("echo stopped-$((1+1))", "stopped-2")


def test_a_sleeping_cell_does_not_hold_up_keys(shell: Shell, notebook: Notebook):
    notebook.run_cell(2, wait=False)
    notebook.wait_for_output(2, "at work")
    shell.run("echo meanwhile-$((1+1))", "meanwhile-2")  # the cell ends when the test does


def test_where_the_kernel_hears_the_page_between_cells_alone_it_says_so(shell: Shell, notebook: Notebook, gate: Path):
    # as in ipykernel 6 and in VS Code: what pages say waits for the main thread
    notebook.kernel("t.comm._reply_subshell_for = lambda data, default: None")
    notebook.kernel("t._poke()")
    shell.run("echo before-$((1+1))", "before-2")
    notebook.run_cell(2, wait=False)
    notebook.wait_for_output(2, "at work")
    shell.type("echo late-$((1+1))\n")
    shell.line("Keys wait: this kernel hears the page when the running cell is through.")
    notebook.screenshot("waits")
    assert "late-2" not in shell.text
    gate.touch()
    shell.see("late-2")


def test_a_reload_and_a_kernel_that_is_restarted(shell: Shell, notebook: Notebook):
    shell.run("MARK=kept; echo pid-$$", re.compile(r"pid-\d+"))
    found = re.search(r"pid-\d+", shell.text)
    assert found is not None
    notebook.reload()
    shell.open()
    shell.see(found[0])
    shell.run("echo $MARK-$((3+4))", "kept-7")
    notebook.restart_kernel()
    shell.line(re.compile("Not live.*the kernel has gone. It is kept for 10 minutes"))
    shell.type("x")
    shell.line("Not sent, and not kept to be sent: x")
    notebook.screenshots("gone")
    notebook.run_cell(0)
    notebook.run_cell(1)
    shell.open()
    shell.run("clear; echo pid-$$-$MARK", f"{found[0]}-kept")
