"""What people run in a terminal, in a pod of a real API server, seen in JupyterLab: vim, top, less, floods and worse.

The test bed's containers are processes of this machine, so its programs are there. Screens are read from xterm.js
itself and typed into by the browser's own keys.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize

from tests import waiting
from tests.browser import programs
from tests.browser.lab import Notebook
from tests.browser.screens import PROMPT, SHELL, Late, Screen
from tests.conftest import need
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create
from tests.testbed.control_plane import ControlPlane

WAIT_SECONDS = 60.0
"""Nothing here takes a second on a free machine."""

QUIET_MS, QUIET_SECONDS, QUIET_TRIES = 500, 10.0, 3
"""For a terminal to answer what it was asked; for a line typed then to come whole; for another."""

NARROW: ViewportSize = {"width": 900, "height": 700}
WIDE: ViewportSize = {"width": 1400, "height": 1000}

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)


@dataclass
class Shell:
    """A shell in a pod, in a notebook's cell."""

    notebook: Notebook
    folder: Path
    """Where it runs, on this machine."""
    cells: list[str]

    def run(self) -> Screen:
        """Run both cells; the terminal of the second."""
        self.notebook.run_cell(0)
        self.notebook.run_cell(1)
        return self.screen

    @property
    def screen(self) -> Screen:
        """The terminal as the page shows it now."""
        return Screen.of_ours(self.notebook.output(1))


@pytest.fixture
def shell(notebook: Notebook, control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[Shell]:
    """A notebook with a shell that has not been run yet."""
    create(control_plane, pod("box", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/box", "-n", namespace, "--timeout=60s")
    connect = f"nm.connect(kubeconfig={str(control_plane.kubeconfig)!r}, write=True, namespace={namespace!r})"
    cells = [f"import notebook_mux as nm\nmanager = {connect}", "shell = nm.shell('box', ['sh'])\nshell"]
    notebook.open(cells)
    yield Shell(notebook, tmp_path, cells)
    notebook.kernel("'shell' in globals() and shell.close()")


@pytest.fixture
def screen(shell: Shell) -> Screen:
    """The same, run, with a plain prompt in a folder of its own."""
    screen = shell.run()
    begin(screen, shell.folder)
    return screen


def begin(screen: Screen, folder: Path) -> None:
    screen.line(f"cd {folder}; {SHELL}")
    screen.wait_for(PROMPT)


def number(screen: Screen, command: str) -> int:
    """The one number that a command prints; the next prompt is there."""
    screen.line(f"clear; echo is $({command})")
    return int(screen.see(re.compile(rf"^is (\d+)\n{re.escape(PROMPT)}$", re.MULTILINE))[1])


def settled(screen: Screen) -> str:
    """The screen once it shows the same twice."""
    seen = [screen.text]

    def same() -> bool:
        seen.append(screen.text)
        return seen[-1] == seen[-2]

    eventually(same, "the screen does not come to rest", pause=0.2)
    return seen[-1]


def shows(screen: Screen, text: str) -> None:
    eventually(lambda: screen.text == text, f"the screen shows\n{screen.text}\nand not\n{text}")


def has_size(screen: Screen, of: Screen) -> None:
    """Wait until the program's own side takes a screen's size for its own: it is told beside what is typed."""
    eventually(lambda: size_of(screen) == f"{of.rows} {of.columns}", "the program has another size")


def size_of(screen: Screen) -> str:
    """What the program's own side takes for the size."""
    asked = f"size-{secrets.token_hex(3)}"
    screen.line(f"echo {asked} $(stty size)")
    return screen.see(re.compile(rf"^{asked} (\d+ \d+)$", re.MULTILINE))[1]


def test_vi_over_a_reload_of_the_page(shell: Shell, screen: Screen):
    need(programs.why_not("vi"))
    screen.line("vi -N -u NONE -n letter.txt")
    screen.see("~")
    screen.keys("iDear cluster,")
    screen.key("Enter")
    screen.keys("all is well.")
    screen.see("all is well.")
    before = settled(screen)
    shell.notebook.reload()
    again = shell.screen
    shows(again, before)
    again.keys(" So far.")
    again.see("all is well. So far.")
    again.key("Escape")
    again.line(":wq")
    again.wait_for(PROMPT)
    assert (shell.folder / "letter.txt").read_text() == "Dear cluster,\nall is well. So far.\n"


def test_top_draws_again_and_in_another_size(shell: Shell, screen: Screen):
    need(programs.why_not("top"))
    screen.line("top -d 1")
    first = screen.see(re.compile(r"^top - (\S+)"))[1]
    eventually(lambda: screen.see(re.compile(r"^top - (\S+)"))[1] != first, "top does not draw again")
    columns = screen.columns
    shell.notebook.page.set_viewport_size(NARROW)
    eventually(lambda: screen.columns < columns, "the terminal keeps its width")
    screen.see(re.compile(r"^top - \S+"))
    screen.keys("q")
    screen.wait_for(PROMPT)
    has_size(screen, screen)
    shell.notebook.page.set_viewport_size(WIDE)
    eventually(lambda: screen.columns == columns, "the terminal does not become wide again")


def test_less_forth_and_back(shell: Shell, screen: Screen):
    need(programs.why_not("less"))
    (shell.folder / "lines").write_text("".join(f"line {n}\n" for n in range(1, 1001)))
    screen.line("less lines")
    screen.see(re.compile(r"^line 1$", re.MULTILINE))
    screen.key("Space")
    screen.see(re.compile(rf"^line {screen.rows}$", re.MULTILINE))
    screen.keys("G")
    screen.see(re.compile(r"^line 1000$", re.MULTILINE))
    screen.line("?line 500")
    screen.see(re.compile(r"^line 500$", re.MULTILINE))
    screen.key("PageUp")
    screen.see(re.compile(r"^line 499$", re.MULTILINE))
    screen.keys("q")
    screen.wait_for(PROMPT)  # and the screen of before is there again
    screen.see("less lines")


def test_a_flood_obeys(screen: Screen):
    screen.line("yes")
    screen.see(re.compile(r"^y\ny\ny$", re.MULTILINE))
    screen.key("Control+c")
    screen.wait_for(PROMPT, WAIT_SECONDS)
    screen.line("clear; echo al''ive")
    screen.see("alive")


def test_what_is_no_text(screen: Screen):
    screen.line("head -c 1M /dev/urandom; printf '\\033c\\nthr''ough\\n'")
    screen.wait_for("through")
    # Whatever it turned on or began is ended by a reset. What the terminal answered to it may come to the shell late,
    # between keys too: a quiet shell takes a whole line.
    for seconds in (*[QUIET_SECONDS] * QUIET_TRIES, WAIT_SECONDS):
        screen.key("Control+c")
        screen.page.wait_for_timeout(QUIET_MS)
        screen.line("printf '\\033c'; echo al''ive")
        with contextlib.nullcontext() if seconds == WAIT_SECONDS else contextlib.suppress(Late):
            screen.see("alive", seconds)
            break
    screen.line("clear; head -c 300000 /dev/zero | wc -c")
    screen.see("300000")


def test_wide_letters_and_emoji(screen: Screen):
    text = "日本語 한국어 👍 ünïcödé e\u0301 |"
    screen.line(f"clear; printf '%s\\n' '{text}'")
    shown = screen.see(re.compile(r"^日本語.*\|$", re.MULTILINE))[0]
    assert shown == text
    row = screen.text.splitlines().index(text)
    assert screen.cell(0, row) == ("日", 2)
    assert screen.cell(1, row) == ("", 0)
    assert screen.cell(14, row) == ("👍", 2)
    column = 6 + 1 + 6 + 1 + 2 + 1 + 7 + 1 + 1 + 1  # each wide one is two
    assert screen.cell(column, row) == ("|", 1)
    # They come over in pieces that cut letters in two.
    screen.line(
        "clear; for n in $(seq 30000); do printf 語; done | wc -m; for n in $(seq 30000); do printf 語; done; echo"
    )
    screen.see(re.compile(r"^語+$", re.MULTILINE))
    assert "\ufffd" not in settled(screen)


def test_the_smaller_of_two_views_decides(shell: Shell, screen: Screen, new_page: Callable[[], Notebook]):
    columns = screen.columns
    shell.notebook.save()
    second = new_page()
    second.page.set_viewport_size(NARROW)
    second.open(shell.notebook.name)
    small = Screen.of_ours(second.output(1))
    eventually(lambda: screen.columns == small.columns < columns, "the wide view has its own size")
    has_size(screen, small)
    small.line("echo from the sm''all one")
    screen.see("from the small one")
    second.page.close()
    eventually(lambda: screen.columns == columns, "the view that has gone has its say still")
    has_size(screen, screen)


def test_the_kernel_restarts(shell: Shell, screen: Screen):
    pid = number(screen, "echo $$")
    screen.line("echo wri''tten before")
    screen.see(f"written before\n{PROMPT}")
    before = settled(screen)
    shell.notebook.restart_kernel()
    again = shell.run()
    shows(again, before)
    assert number(again, "echo $$") == pid


def test_its_tab_is_closed_and_opened(shell: Shell, screen: Screen):
    pid = number(screen, "echo $$")
    before = settled(screen)
    shell.notebook.save()
    shell.notebook.command("application:close")
    shell.notebook.page.wait_for_selector(".jp-NotebookPanel", state="detached")
    shell.notebook.command("docmanager:open", {"path": shell.notebook.name})
    again = shell.screen
    shows(again, before)
    assert number(again, "echo $$") == pid
