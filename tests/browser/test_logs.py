"""The view of logs in a real JupyterLab, over lines that are made in the kernel."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook
from tests.controlplane.test_exec import pod
from tests.controlplane.test_logs import Write, running, write  # noqa: F401 - a fixture
from tests.controlplane.test_whole_way import create
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

REPOSITORY = Path(__file__).resolve().parents[2]

SECONDS = 60

SETUP = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.unit.widgets.fake_logs import *
from notebook_mux.widgets.logs import LogView
logs = FakeLogs()
view = LogView(logs)
"""


class Logs:
    """The view in a cell's output, as a person has it."""

    def __init__(self, notebook: Notebook, index: int = 0) -> None:
        self.notebook, self.page = notebook, notebook.page
        self.view: Locator = notebook.output(index).locator("div.root")
        self.list = self.view.get_by_role("log")
        self.pill = self.view.locator(".pill")
        self.foot = self.view.locator(".foot")

    def see(self, text: str | re.Pattern[str]) -> None:
        """Wait until a line shows a text."""
        self.list.locator(".row").filter(has_text=text).first.wait_for(timeout=SECONDS * 1000)

    def line(self, text: str | re.Pattern[str]) -> Locator:
        return self.list.locator(".row").filter(has_text=text).first

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.view.get_by_role("button", name=name)

    def counted(self, text: str | re.Pattern[str]) -> None:
        """Wait until the foot line says this."""
        expect(self.foot).to_contain_text(text, timeout=SECONDS * 1000)

    def up(self, pixels: int = 600) -> None:
        self.list.hover()
        self.page.mouse.wheel(0, -pixels)

    def reach(self, text: str) -> Locator:
        """Scroll up, a little at a time, until a line is drawn."""

        def there() -> bool:
            if self.line(text).count() == 0:
                self.up(100)
            return self.line(text).count() > 0

        eventually(there, f"a line with {text!r} on the way up", seconds=SECONDS)
        return self.line(text)

    @property
    def at_end(self) -> bool:
        return bool(self.list.evaluate("list => list.scrollTop + list.clientHeight >= list.scrollHeight - 2"))


@pytest.fixture
def logs(notebook: Notebook) -> Logs:
    """A view of lines of every kind."""
    notebook.open([f"{SETUP}\nstory(logs, 400)\nview"])
    notebook.run_cell(0)
    shown = Logs(notebook)
    shown.see("request served")
    return shown


def test_one_line(notebook: Notebook):
    notebook.open([f"{SETUP}\nlogs.sources[1:] = []\nlogs.add([(0, 'hello from the only pod', 'info')])\nview"])
    notebook.run_cell(0)
    shown = Logs(notebook)
    shown.see("hello from the only pod")
    shown.counted("1 line")
    notebook.screenshots("one")
    notebook.kernel("logs.add([(0, 'and a second one', 'warning')])")
    shown.see("and a second one")


def test_no_line_yet(notebook: Notebook):
    notebook.open([f"{SETUP}\nlogs.stand(0, 'waiting', reason='ContainerCreating')\nlogs.sources[1:] = []\nview"])
    notebook.run_cell(0)
    shown = Logs(notebook)
    expect(shown.view.get_by_text("No lines yet.")).to_be_visible(timeout=SECONDS * 1000)
    expect(shown.view.get_by_text("ContainerCreating")).to_be_visible()
    notebook.screenshot("waiting")


def test_lines_of_every_kind(notebook: Notebook, logs: Logs):
    logs.see("cannot bind: address already in use")
    logs.page.keyboard.press("Escape")
    notebook.screenshots("story")
    # marks are said across, in place
    logs.reach("OOMKilled")
    logs.see("the node had rotated its file")
    notebook.screenshots("marks")
    # a trace is together, and folded to its first line
    logs.reach("Traceback").get_by_role("button").first.click()
    expect(logs.line("Traceback")).to_contain_text("+5")
    # a JSON line unfolds
    logs.button("Go on").click()
    refused = logs.reach("payment refused")
    expect(refused).not_to_contain_text('"sku": "mug"')
    refused.get_by_role("button").first.click()
    expect(logs.line("payment refused")).to_contain_text('"sku": "mug"')
    expect(logs.line("payment refused")).to_contain_text("12345678901234567890")
    notebook.screenshot("folded")
    # a long line is cut, and opened
    long = logs.reach("long 0123456789")
    long.get_by_role("button", name=re.compile("bytes more")).click()
    logs.line("long 0123456789").get_by_role("button", name="less").wait_for()


def test_nothing_that_a_container_writes_is_run_or_hidden(notebook: Notebook, logs: Logs):
    logs.reach("<img src=x onerror=alert(1)><script>")
    assert logs.view.locator("img, script, a").count() == 0
    logs.see("‹U+202E›gnp.exe")
    logs.see("bell^G null^@")
    wiped = logs.line("wiped")
    assert "owned" not in wiped.inner_text()
    assert wiped.locator(".esc").count() >= 3
    colored = wiped.get_by_text("red", exact=True)
    assert colored.evaluate("one => getComputedStyle(one).color") != wiped.evaluate(
        "one => getComputedStyle(one).color"
    )
    notebook.screenshots("hostile")


def test_following_stops_when_one_scrolls_up_and_says_so(notebook: Notebook, logs: Logs):
    eventually(lambda: logs.at_end, "it shows the end", seconds=SECONDS)
    logs.up()
    expect(logs.pill).to_contain_text("Following has stopped")
    first = logs.list.evaluate("list => list.scrollTop")
    notebook.kernel("logs.add((0, f'more {n}', 'info') for n in range(50))")
    expect(logs.pill).to_contain_text("50 new lines", timeout=SECONDS * 1000)
    assert logs.list.evaluate("list => list.scrollTop") == first
    notebook.screenshots("stopped")
    logs.button("Go on").click()
    logs.see("more 49")
    expect(logs.pill).to_be_hidden()
    eventually(lambda: logs.at_end, "it follows again", seconds=SECONDS)


def test_a_pause_says_what_it_holds(notebook: Notebook, logs: Logs):
    logs.button(re.compile("^Pause")).click()
    notebook.kernel("logs.add((0, f'held {n}', 'info') for n in range(7))")
    expect(logs.pill).to_contain_text("7 lines held back", timeout=SECONDS * 1000)
    assert logs.list.get_by_text("held 6").count() == 0
    notebook.screenshot("paused")
    logs.pill.get_by_role("button").click()
    logs.see("held 6")


def test_a_search(notebook: Notebook, logs: Logs):
    logs.list.click()
    logs.page.keyboard.press("Control+f")
    logs.page.keyboard.type("payment|cannot")
    found = logs.view.locator(".found-of")
    expect(found).to_contain_text("not found", timeout=SECONDS * 1000)
    logs.button("Regular expression").click()
    expect(found).to_contain_text("2 of 2", timeout=SECONDS * 1000)
    logs.page.get_by_role("searchbox", name="Search", exact=True).focus()
    logs.page.keyboard.press("Enter")
    expect(found).to_contain_text("1 of 2")
    expect(logs.list.locator("mark.hit").first).to_be_visible()
    logs.view.get_by_role("combobox", name="Lines shown").select_option("2")
    expect(logs.list.locator(".row:not(.probe)")).to_have_count(6)
    notebook.screenshots("search")
    logs.page.get_by_role("searchbox", name="Search", exact=True).fill("pay(ment")
    expect(logs.view.get_by_role("alert")).to_contain_text("never closed")
    notebook.screenshot("wrong")
    logs.page.keyboard.press("Escape")
    logs.see("request served")
    assert notebook.page.locator(".jp-DocumentSearch-overlay").count() == 0


def test_filters(notebook: Notebook, logs: Logs):
    logs.button("Filter and highlight").click()
    logs.page.keyboard.type("cart")
    logs.counted(re.compile(r"\d+ of \d+ lines"))
    eventually(lambda: "Traceback" in logs.list.inner_text(), "a trace is shown whole", seconds=SECONDS)
    logs.view.get_by_role("searchbox", name="Not with").fill("GET")
    eventually(lambda: "GET" not in logs.list.inner_text(), "what was kept out is not there", seconds=SECONDS)
    logs.view.get_by_role("searchbox", name="Highlight").fill("price")
    logs.list.locator("mark.hl").first.wait_for()
    notebook.screenshot("filters")
    # the kernel is told, each in its own time; what is set there then is the last word
    told = "(view.include, view.exclude, view.highlight) == ('cart', 'GET', 'price')"
    notebook.kernel(f"import time\nwhile not {told}: time.sleep(0.01)")
    notebook.kernel("view.include = view.exclude = ''")
    logs.see("request served")
    # levels and containers
    logs.button(re.compile("^Information")).click()
    logs.counted(re.compile(r"\d+ of \d+ lines"))
    logs.button(re.compile("live")).click()
    panel = logs.view.get_by_role("group", name="Pods and containers")
    panel.get_by_role("button", name=re.compile("^worker-1")).click()
    eventually(lambda: "api-7c9d" not in logs.list.inner_text(), "one container alone", seconds=SECONDS)
    notebook.screenshots("containers")


def test_what_is_downloaded_is_plain_text(notebook: Notebook, logs: Logs):
    logs.button(re.compile("^Errors")).dblclick()
    logs.counted(re.compile(r"\d+ of \d+ lines"))
    logs.button("Download").click()
    with notebook.page.expect_download() as waited:
        logs.view.get_by_role("menuitem", name=re.compile("What is shown")).click()
    text = Path(waited.value.path()).read_text()
    assert waited.value.suggested_filename.endswith(".log")
    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z shop/api-7c9d8b5f4-kk2lm main ValueError: price of"
    assert re.search(line, text)
    assert "\x1b" not in text
    assert "level=info" not in text, "what is not shown"


def test_a_hundred_thousand_lines(notebook: Notebook):
    notebook.open([f"{SETUP}\nstory(logs, 100_000)\nview"])
    notebook.run_cell(0)
    shown = Logs(notebook)
    shown.see("request served")
    shown.list.focus()
    notebook.page.keyboard.press("Home")  # all the way, however much must be loaded
    expect(shown.list.locator(".top")).to_contain_text("The beginning", timeout=SECONDS * 1000)
    shown.counted(re.compile("100.0\\d\\d lines"))
    notebook.screenshots("many")
    for _ in range(20):
        notebook.page.keyboard.press("PageDown")
    assert shown.list.locator(".row:not(.probe)").count() < 120
    notebook.page.keyboard.press("End")
    eventually(lambda: shown.at_end, "the end", seconds=SECONDS)
    shown.button("Wrap long lines").click()
    eventually(lambda: shown.at_end, "the end, wrapped", seconds=SECONDS)
    notebook.screenshots("wrapped")
    # the minimap goes there
    field = shown.view.locator(".minimap canvas")
    field.click(position={"x": 200, "y": 15})
    expect(shown.pill).to_contain_text("Following has stopped")
    notebook.screenshot("jumped")


def test_a_flood_and_a_reload(notebook: Notebook):
    notebook.open([f"{SETUP}\npouring = logs.pour(5000, 20)\nview"])
    notebook.run_cell(0)
    shown = Logs(notebook)
    shown.counted("lines/s")
    notebook.screenshot("flood")
    notebook.kernel(
        "pouring.join(); total = logs.oldest + len(logs.texts); logs.add([(0, f'the last of {total + 1}', 'info')])"
    )
    shown.see("the last of")
    eventually(lambda: shown.at_end, "it follows", seconds=SECONDS)
    notebook.reload()
    shown.see("the last of")
    notebook.restart_kernel()
    expect(shown.view.get_by_text("the kernel has gone")).to_be_visible(timeout=SECONDS * 1000)
    shown.see("the last of")
    notebook.screenshot("gone")


@pytest.mark.control_plane
def test_pods_of_a_real_api_server(
    notebook: Notebook,
    control_plane: ControlPlane,
    namespace: str,
    write: Write,  # noqa: F811 - a fixture
):
    for name in ("web-0", "web-1"):
        write(name, f"hello from {name}", '{"level": "warn", "msg": "slow answer", "path": "/cart"}')
        create(control_plane, pod(name, namespace))
    running(control_plane, namespace, "web-0", "web-1")
    connect = f"nm.connect(kubeconfig={str(control_plane.kubeconfig)!r}, namespace={namespace!r})"
    cells = [
        f"import notebook_mux as nm, re\n{connect};",
        "logs = nm.logs(re.compile('web-.'))\nlogs",
        "len(logs.lines)",
    ]
    notebook.open(cells)
    notebook.run_cell(0)
    notebook.run_cell(1)
    shown = Logs(notebook, 1)
    shown.see("hello from web-0")
    shown.see("hello from web-1")
    shown.see("slow answer")
    write("web-1", "one more line", "Traceback (most recent call last):", '  File "a.py", line 1', "KeyError: 'x'")
    shown.see("one more line")
    shown.see("KeyError")
    write("web-2", "I came later")
    create(control_plane, pod("web-2", namespace))
    shown.see("I came later")
    notebook.screenshots("real")
    control_plane.kubectl("delete", "pod", "web-2", "-n", namespace, "--now")
    shown.button(re.compile("live")).click()
    panel = shown.view.get_by_role("group", name="Pods and containers")
    expect(panel.get_by_text("its pod is gone").first).to_be_visible(timeout=SECONDS * 1000)
    notebook.screenshot("gone-pod")
    notebook.reload()
    shown.see("I came later")
