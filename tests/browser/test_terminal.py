"""A terminal in a real JupyterLab on a real API server, by the page's own WebSocket: keys in, screen out, and back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.lab import Lab, Notebook
from tests.browser.shells import SCREEN_MS, Shell, connect, web
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

pytestmark = pytest.mark.control_plane

LOOKS_AGAIN_MS = 1000
"""Longer than the search's addon waits, after a new size, before it looks again for what it knows (200 ms)."""


@pytest.fixture
def shell(notebook: Notebook, control_plane: ControlPlane, namespace: str) -> Shell:
    """A shell in the second cell's output, and a third cell to look at it from Python."""
    web(control_plane, namespace)
    notebook.open([connect(control_plane, namespace), 't = nm.shell("web-0")\nt', "t", "print(t.returncode, t.state)"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    return Shell(notebook, 1).open().by("direct")


@pytest.fixture
def clipboard(browser: BrowserContext, lab: Lab) -> Callable[[Notebook, str], None]:
    """Puts a text on the clipboard."""
    browser.grant_permissions(["clipboard-read", "clipboard-write"], origin=lab.url.rstrip("/"))

    def put(notebook: Notebook, text: str) -> None:
        notebook.page.evaluate("text => navigator.clipboard.writeText(text)", text)

    return put


def test_a_program_runs_ends_with_its_code_and_is_started_again(shell: Shell, notebook: Notebook):
    shell.run("echo answer-$((40+2))", "answer-42")
    shell.see("── bash ──")
    shell.run("printf '\\e[3%sm%s ' 1 red 2 green 3 yellow 4 blue 5 magenta 6 cyan; echo", "cyan")
    shell.run("echo 宽 漢字 🙂 ok", "漢字")
    notebook.screenshots("shell")
    shell.run("exit 3", "ended with exit code 3 · press Enter to start it again")
    expect(shell.view.locator(".state")).to_have_text("exit 3")
    # the page has it from the gateway, and so has the kernel, each in its own time
    notebook.kernel("import time\nwhile t.state != 'ended': time.sleep(0.01)")
    notebook.run_cell(3)
    notebook.wait_for_output(3, "3 ended")
    shell.focus()
    notebook.page.keyboard.press("Enter")
    shell.open()
    shell.run("echo again-$((1+1))", "again-2")


def test_keys_are_the_programs_and_not_jupyterlabs(shell: Shell, notebook: Notebook):
    shell.focus()
    cells = notebook.page.locator(".jp-Notebook .jp-Cell").count()
    notebook.page.keyboard.type("dd 00 aabb")
    shell.see("dd 00 aabb")
    assert notebook.page.locator(".jp-Notebook .jp-Cell").count() == cells
    notebook.page.keyboard.press("Control+c")
    shell.see("^C")
    shell.run("echo be''gun; cat -v", "begun")  # by now the line is bash's no more
    notebook.page.keyboard.press("Escape")
    notebook.page.keyboard.press("ArrowUp")
    notebook.page.keyboard.press("Control+Enter")
    notebook.page.keyboard.press("Tab")
    notebook.page.keyboard.press("Enter")
    shell.see("^[^[[A")
    # and one key leaves it for the toolbar
    notebook.page.keyboard.press("Control+Shift+ArrowUp")
    expect(shell.button(re.compile("^Search"))).to_be_focused()


def test_it_has_the_size_of_its_cell(shell: Shell, notebook: Notebook):
    def size() -> tuple[int, int]:
        asked = f"size-{secrets.token_hex(3)}"
        shell.type(f"clear; echo {asked} $(stty size)\n")
        answer = re.compile(rf"{asked} (\d+) (\d+)")
        found: list[tuple[str, str]] = []  # read once: another size draws the screen anew

        def said() -> bool:
            found[:] = answer.findall(shell.text)
            return bool(found)

        eventually(said, "the program says its size", seconds=30)
        return int(found[0][0]), int(found[0][1])

    def shown() -> str:
        return shell.view.locator(".size").inner_text()

    eventually(lambda: shown() == "{1}×{0}".format(*size()), "the view says the program's size", seconds=30)
    rows, columns = size()
    grip = shell.view.get_by_role("separator")
    box = grip.bounding_box()
    assert box is not None
    notebook.page.mouse.move(box["x"] + 50, box["y"] + 3)
    notebook.page.mouse.down()
    notebook.page.mouse.move(box["x"] + 50, box["y"] + 153, steps=5)
    notebook.page.mouse.up()
    eventually(lambda: size()[0] > rows, "more rows", seconds=30)
    notebook.page.set_viewport_size({"width": 1000, "height": 1000})
    eventually(lambda: size()[1] < columns, "fewer columns", seconds=30)
    before = size()
    shell.button("Larger letters").click()
    eventually(lambda: size() < before, "larger letters, fewer of them", seconds=30)
    notebook.page.set_viewport_size({"width": 1400, "height": 1000})


def test_more_than_one_line_is_asked_for(shell: Shell, notebook: Notebook, clipboard: Callable):
    clipboard(notebook, "echo one-line")
    shell.focus()
    notebook.page.keyboard.press("Control+Shift+V")
    shell.see("echo one-line")
    assert not shell.question.is_visible()
    notebook.page.keyboard.press("Control+c")
    shell.see("^C")
    clipboard(notebook, "echo first-$((1+1))\necho second-$((2+2))\n")
    notebook.page.keyboard.press("Control+Shift+V")
    shell.question.get_by_text("echo second-$((2+2))").wait_for()
    notebook.screenshots("paste")
    shell.question.get_by_role("button", name="Cancel").click()
    assert "first-" not in shell.text
    # by the browser's own paste too
    shell.focus()
    notebook.page.keyboard.press("Shift+Insert")
    shell.question.get_by_role("button", name="Paste", exact=True).click()
    # bash asks to be told what is pasted, and waits for Enter
    shell.see("echo second-$((2+2))")
    notebook.page.keyboard.press("Enter")
    shell.see("first-2")
    shell.see("second-4")
    # a program that asked to be told is told
    shell.run("printf '\\e[?2004hto''ld'; cat -v", "told")
    clipboard(notebook, "a\nb")
    notebook.page.keyboard.press("Control+Shift+V")
    shell.question.get_by_role("button", name="Paste", exact=True).click()
    notebook.page.keyboard.press("Enter")
    shell.see("^[[200~a")
    shell.see("b^[[201~")


def test_what_is_selected_is_on_the_clipboard(shell: Shell, notebook: Notebook, clipboard: Callable):
    clipboard(notebook, "before")
    shell.run("clear; echo pick-$((1+1))", "pick-2")
    # after the command itself has been wiped: the only line that begins with it
    eventually(lambda: shell.text.startswith("pick-2"), "the screen is drawn", seconds=30)
    box = shell.view.locator(".xterm-rows > div").first.bounding_box()
    assert box is not None
    notebook.page.mouse.dblclick(box["x"] + 15, box["y"] + 7)
    eventually(
        lambda: notebook.page.evaluate("() => navigator.clipboard.readText()") == "pick-2", "it is copied", seconds=30
    )
    shell.screen.click(button="right")
    shell.view.get_by_role("menuitem", name="Paste").click()
    shell.see(re.compile(r"[#$] pick-2"))


def test_it_comes_back_after_a_reload_with_its_screen(shell: Shell, notebook: Notebook):
    shell.run("MARK=kept; echo before-$((1+1))", "before-2")
    notebook.reload()
    shell.open()
    shell.see("before-2")
    shell.by("direct").run("echo $MARK-$((3+4))", "kept-7")


def test_two_views_of_one_terminal(shell: Shell, notebook: Notebook):
    notebook.run_cell(2)
    second = Shell(notebook, 2).open().by("direct")
    shell.run("echo both-$((1+1))", "both-2")
    second.see("both-2")
    second.type("echo from the second\n")
    shell.see("from the second")
    grip = second.view.get_by_role("separator")
    grip.focus()
    for _ in range(6):
        notebook.page.keyboard.press("ArrowUp")
    expect(shell.view.locator(".size")).to_contain_text("another view is smaller", timeout=SCREEN_MS)
    notebook.screenshot("two-views")
    # what a program asks of its terminal is answered once
    shell.type(
        "clear; printf '\\e[c'; IFS= read -rs -t 30 -d c x; IFS= read -rs -t 2 -d '' y; "
        "printf '%sc%s' \"$x\" \"$y\" | od -An -c | tr -d ' \\n'; echo .\n"
    )
    shell.see(re.compile(r"033\[\?[\d;]+c\."))
    assert shell.text.count("033[") == 1
    # and by the other view where the first only looks
    shell.button(re.compile("^Look only")).click()
    second.type("clear; printf '\\e[c'; IFS= read -rs -t 30 -d c x; printf 'asked-%s.' ${#x}\n")
    second.see(re.compile(r"asked-[1-9]\d*\."))


def test_search(shell: Shell, notebook: Notebook):
    shell.run("clear; seq -f 'row %g.' 1 120", "row 120.")
    shell.focus()
    notebook.page.keyboard.press("Control+Shift+F")
    words = shell.view.get_by_label("Search in the terminal")
    words.fill("ROW 7.")
    bar = shell.view.locator(".finder")
    bar.get_by_text("1 of 1", exact=True).wait_for()
    shell.see("row 7.")
    shell.view.get_by_role("button", name="Match case").click()
    bar.get_by_text("not found").wait_for()
    shell.view.get_by_role("button", name="Regular expression").click()
    words.fill(r"row 1\d\.")
    bar.get_by_text(re.compile(r"\d of 10")).wait_for()
    before = bar.get_by_text(re.compile(r"\d of 10")).inner_text()
    notebook.page.keyboard.press("Enter")
    eventually(lambda: bar.get_by_text(re.compile(r"\d of 10")).inner_text() != before, "the next", seconds=30)
    notebook.screenshots("search")
    words.fill("row (")
    bar.get_by_text("no regular expression").wait_for()
    notebook.page.set_viewport_size({"width": 1100, "height": 1000})
    notebook.page.wait_for_timeout(LOOKS_AGAIN_MS)  # what is shown is that nothing happens
    expect(bar).to_contain_text("no regular expression")
    notebook.page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    notebook.page.keyboard.type("echo focus is back\n")
    shell.see("focus is back")


def test_a_link_is_asked_for(shell: Shell, notebook: Notebook, browser: BrowserContext):
    shell.run("clear; echo se'e' https://example.invalid/a?b=1 there", "see https")
    link = shell.view.locator(".xterm-rows > div").get_by_text("example.invalid").first
    x, y = shell.place(link)
    notebook.page.mouse.move(x + 60, y)
    notebook.page.mouse.move(x + 90, y)
    notebook.page.mouse.click(x + 90, y)
    shell.question.get_by_text("https://example.invalid/a?b=1").wait_for()
    notebook.screenshots("link")
    pages = len(browser.pages)
    shell.question.get_by_role("button", name="Cancel").click()
    assert len(browser.pages) == pages
    # a link that says one thing and leads elsewhere shows where; what is no http is no link
    shell.type("clear; printf '\\e]8;;https://evil.invalid/\\e\\\\https://good.example\\e]8;;\\e\\\\ "
               "\\e]8;;javascript:alert(1)\\e\\\\script\\e]8;;\\e\\\\\\n'\n")  # fmt: skip
    shell.see("https://good.example script")
    row = shell.view.locator(".xterm-rows > div").filter(has_text="https://good.example script").last
    x, y = shell.place(row)
    notebook.page.mouse.move(x + 40, y)
    notebook.page.mouse.move(x + 60, y)
    notebook.page.mouse.click(x + 60, y)
    shell.question.get_by_text("https://evil.invalid/").wait_for()
    shell.question.get_by_role("button", name="Cancel").click()
    notebook.page.mouse.move(x + 170, y)
    notebook.page.mouse.move(x + 180, y)
    notebook.page.mouse.click(x + 180, y)
    assert not shell.question.is_visible()


def test_it_follows_the_theme(shell: Shell, notebook: Notebook):
    shell.run("printf '\\e[30mblack \\e[37mwhite \\e[97mbright\\e[0m\\n'", "bright")
    light = shell.style(".screen", "backgroundColor"), shell.style(".xterm-rows", "color")
    notebook.theme("dark")
    eventually(lambda: shell.style(".screen", "backgroundColor") != light[0], "the page's dark", seconds=30)
    eventually(lambda: shell.style(".xterm-rows", "color") != light[1], "the terminal's too", seconds=30)
    notebook.screenshot("dark")
    notebook.theme("light")
    eventually(lambda: shell.style(".xterm-rows", "color") == light[1], "and back", seconds=30)


def test_a_busy_kernel_is_no_matter_to_it(shell: Shell, notebook: Notebook, tmp_path: Path):
    gate = tmp_path / "gate"
    notebook.kernel(f"import os\ndef busy():\n    while not os.path.exists({str(gate)!r}): pass")
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    notebook.page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({code: 'busy(); done = 1', silent: true, store_history: false}) }"""
    )
    try:
        shell.run("echo busy-$((1+1))", "busy-2")
        shell.run("seq 1 2000 | tail -1; echo end-$((1+1))", "end-2")
    finally:
        gate.touch()


def test_a_restarted_kernel_finds_the_same_process(shell: Shell, notebook: Notebook):
    shell.run("echo pid-$$", re.compile(r"pid-\d+"))
    found = re.search(r"pid-\d+", shell.text)
    assert found is not None
    notebook.restart_kernel()
    shell.line("The kernel has gone, and the shell is still there. It is kept for 10 minutes")
    shell.run("echo alone-$((1+1))", "alone-2")
    notebook.screenshots("kernel-gone")
    notebook.run_cell(0)
    notebook.run_cell(1)
    shell.open()
    shell.see("alone-2")
    shell.run("echo same-$$", found[0].replace("pid", "same"))


@pytest.mark.parametrize("way", ["direct", "through the kernel"])
def test_a_gateway_that_is_killed_takes_it_along_and_says_so(shell: Shell, notebook: Notebook, way: str):
    if way != "direct":
        notebook.page.route_web_socket(re.compile("/proxy/"), lambda socket: socket.close())
        notebook.reload()
        shell.open().by(way)
    shell.run("seq 1 300; echo before-$((1+1))", "before-2")
    notebook.kernel(
        "import os\nfrom notebook_mux.life import runtime\nfrom notebook_mux.life.name import ServiceName\n"
        "os.kill(runtime.read(ServiceName('gateway').runtime_file()).pid, 9)"
    )
    shell.line(
        "Lost: the gateway that held it is gone, and the connection to its program with it · press Enter to start"
    )
    shell.focus()
    notebook.page.keyboard.press("Enter")
    shell.open()
    shell.run("echo after-$((1+1))", "after-2")
    assert "before-2" not in shell.text, "another terminal's screen"


def test_a_pane_that_only_looks_sends_nothing(shell: Shell, notebook: Notebook):
    shell.run("echo ready", "ready")
    shell.button(re.compile("^Look only")).click()
    shell.type("rm -rf /")
    shell.line(re.compile("^Not sent"))
    notebook.kernel("t.session")
    assert "rm -rf" not in shell.text
    notebook.screenshots("look-only")
    shell.button(re.compile("^Look only")).click()
    shell.open()
    shell.run("echo heard", "heard")


def test_nothing_of_it_is_saved_and_nothing_runs_when_it_is_opened(
    shell: Shell, notebook: Notebook, new_page: Callable[..., Notebook]
):
    shell.run("echo pass-$((1+1))word; touch_it", "pass-2word")
    saved = str(notebook.save())
    assert "pass-2word" not in saved
    assert "ticket" not in saved
    # by another name: of this one the page would join the kernel that is there
    (notebook.lab.root / "sent-by-mail.ipynb").write_bytes((notebook.lab.root / notebook.name).read_bytes())
    # JupyterLab's widget manager logs that there is no kernel
    other = new_page(errors=True).open_without_kernel("sent-by-mail.ipynb")
    other.wait_for_output(1, re.compile("web-0"))
    other.wait_for_output(1, re.compile("run the cell to have it live"))
    other.screenshots("saved")
    # asked for, what is seen is saved as text
    shell.button(re.compile("^Write a copy")).click()
    shell.question.get_by_role("button", name="Save with output").click()
    shell.line(re.compile("is in the notebook"))
    assert "pass-2word" in str(notebook.save())


def test_hostile_output_reaches_nothing_else(shell: Shell, notebook: Notebook, clipboard: Callable):
    clipboard(notebook, "mine")
    title = notebook.page.title()
    shell.run(
        "printf '\\e]0;owned\\a\\e]2;owned\\a\\e]52;c;b3duZWQ=\\a\\e[8;5;5t\\e]9;owned\\a'; "
        "echo '<img src=x onerror=alert(1)>'; echo sent-$((1+1))",
        "sent-2",
    )
    shell.see("<img src=x onerror=alert(1)>")
    assert notebook.page.title() == title
    assert notebook.page.evaluate("() => navigator.clipboard.readText()") == "mine"
    assert shell.view.locator("img").count() == 0


def test_another_container(shell: Shell, notebook: Notebook):
    shell.run("IN=main; echo in-$IN", "in-main")
    shell.view.get_by_label("Container").select_option("side")
    expect(shell.view.locator(".xterm-rows")).not_to_contain_text("in-main", timeout=SCREEN_MS)
    shell.open()
    shell.run("echo in-${IN:-side}", "in-side")
    notebook.run_cell(3)
    shell.view.get_by_label("Container").select_option("main")
    shell.see("in-main")


def test_it_can_be_ended(shell: Shell, notebook: Notebook):
    shell.button(re.compile("^End the program")).click()
    shell.question.get_by_role("button", name="End it").click()
    shell.line(re.compile("^Closed"))
    notebook.run_cell(1)
    shell.open()
    shell.run("echo new-$((1+1))", "new-2")
