"""All widgets in a real JupyterLab, by axe-core: WCAG 2.1 A and AA in its light, dark and high-contrast themes; and
what axe cannot see: cells of 320 pixels, twice the size, no motion where none is wanted."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import THEMES, Notebook
from tests.conftest import need
from tests.waiting import eventually

FRONTEND = Path(__file__).resolve().parents[2] / "notebook_mux/widgets/frontend"
AXE = FRONTEND / "node_modules/axe-core/axe.min.js"
NO_AXE = f"axe-core is not there: run `npm ci` in {FRONTEND}"

CELLS = [
    "import notebook_mux as nm\nm = nm.demo()",
    "nm.table('pods', namespace='*', usage=True, group='namespace', height=260)",
    "nm.status()",
    "nm.logs('deploy/web', namespace='default')",
    "nm.events(namespace='default')",
    "pod = next(p for p in nm.get('pods', namespace='default') if p.name.startswith('api-'))\nnm.shell(pod)",
    "nm.port_forward('deploy/web', 80, namespace='default')",
    "nm.plug()",
]
SEEN: list[str | re.Pattern[str]] = [
    *("", "default", "socket open", re.compile("lines"), re.compile(r"\d+ events"), re.compile(r"running|\$|#"), "→"),
    "lost",
]
"""What says that the widget of each cell is there."""

HOSTS = """
window.hostsOfTheTest = () => [...document.querySelectorAll('.jp-OutputArea [data-lm-suppress-shortcuts]')]
    .filter(host => host.shadowRoot !== null && host.offsetHeight > 0);
"""

CHECK = """async count => {
    const found = [];
    const only = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
    let measured = 0;
    for (const host of window.hostsOfTheTest().slice(0, count)) {
        host.scrollIntoView();
        const { passes, violations } = await axe.run(host, { runOnly: only, selectors: false });
        const name = host.shadowRoot.querySelector('.root')?.getAttribute('aria-label');
        for (const { id, nodes } of violations) {
            for (const { html, any, all, none } of nodes) {
                found.push(`${name}: ${id}: ${[...any, ...all, ...none][0]?.message} ${html.slice(0, 200)}`);
            }
        }
        measured += passes.filter(({ id }) => id === 'color-contrast').flatMap(({ nodes }) => nodes).length;
    }
    return [measured, found];
}"""

BEYOND = """() => {
    const found = [];
    for (const host of window.hostsOfTheTest()) {
        const edge = host.getBoundingClientRect().right + 1;
        const name = host.shadowRoot.querySelector('.root')?.getAttribute('aria-label');
        const look = root => {
            for (const one of root.querySelectorAll('*')) {
                if (one.shadowRoot !== null) look(one.shadowRoot);
                if (one.closest('.bar, .foot, .line, .tabs') === null) continue;
                if (getComputedStyle(one).position === 'absolute') continue;
                const { width, right } = one.getBoundingClientRect();
                if (width > 1 && right > edge) found.push(`${name}: ${one.outerHTML.slice(0, 160)} by ${right - edge}`);
            }
        };
        look(host.shadowRoot);
    }
    return found;
}"""

MOVING = "() => window.hostsOfTheTest().flatMap(host => host.shadowRoot.getAnimations()).length"

FOCUS = """() => {
    let one = document.activeElement;
    if (one !== window.hostsOfTheTest()[0]) return ['left', true];
    while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    // a group's row is drawn by what fills it, and a cell's focus as its border
    const seen = getComputedStyle(one.querySelector('.group-row') ?? one);
    const border = one.matches('.ag-cell') && !['rgba(0, 0, 0, 0)', seen.backgroundColor].includes(seen.borderTopColor);
    const outline = seen.outlineStyle !== 'none' && parseFloat(seen.outlineWidth) >= 1;
    return [one.outerHTML.slice(0, 160), border || outline || seen.boxShadow !== 'none'];
}"""

NARROW = """
.jp-OutputArea-child:has([data-lm-suppress-shortcuts]) { max-width: 384px }
.jp-OutputArea-output [data-lm-suppress-shortcuts] { width: 320px }
"""


def check(notebook: Notebook, what: str, widgets: int = 99) -> None:
    """Nothing breaks a rule in the first widgets, and axe has really looked."""
    measured, found = notebook.page.evaluate(CHECK, widgets)
    assert not found, f"{what}:\n" + "\n".join(found)
    assert measured >= 20, f"{what}: contrast was measured of {measured} elements only"


def fits(notebook: Notebook) -> None:
    """Nothing reaches beyond its widget, once the page has the size that it was given."""
    found: list[str] = []

    def look() -> bool:
        found[:] = notebook.page.evaluate(BEYOND)
        return not found

    with contextlib.suppress(AssertionError):
        eventually(look, seconds=30, pause=0.1)
    assert not found, "\n".join(found)


def opened(view: Locator) -> None:
    """The first row's details are below the rows."""
    view.locator(".ag-row:not(.ag-full-width-row) .ag-cell[col-id=Name]").first.click()
    view.page.keyboard.press("d")
    expect(view.get_by_text(re.compile("PodScheduled"))).to_be_visible()


def stop(page: Page, where: str) -> str:
    """What has the focus, which is to be seen; "left" outside of the table."""
    what, seen = page.evaluate(FOCUS)
    assert seen, f"{where}: the focus is not seen on {what}"
    return str(what)


def states(view: Locator, theme: str) -> Iterator[str]:
    """Bring the table to what it shows in passing, one after another."""
    keyboard = view.page.keyboard
    field = view.get_by_role("combobox", name="Filter rows")
    field.fill("statu>3 ")
    keyboard.type("sta")
    expect(view.locator(".marks .wrong")).to_be_visible()
    expect(view.get_by_role("option").first).to_be_visible()
    yield "a mistake and what may follow"
    field.fill("coredns")  # pods that stay
    expect(view.locator(".ag-row .ag-cell[col-id=Name]").first).to_have_text(re.compile("^coredns"))
    opened(view)
    view.locator(".ag-row .ag-cell[col-id=Name]").first.click()
    keyboard.press("ArrowUp")
    expect(view.locator(".ag-full-width-focus")).to_be_focused()
    assert "ag-full-width-row" in stop(view.page, theme)
    columns = view.get_by_role("button", name="Columns", exact=True)
    columns.click()
    expect(view.get_by_role("group", name="Columns", exact=True)).to_be_visible()
    yield "the list of columns"
    keyboard.press("Escape")
    view.get_by_role("tab", name="YAML").click()
    expect(view.locator(".cm-content")).to_contain_text("kind: Pod")
    yield "YAML"
    view.get_by_role("button", name="Actions", exact=True).first.click()
    view.get_by_role("menuitem", name="Delete").click()
    dialog = view.get_by_role("dialog", name=re.compile("^Delete"))
    expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_enabled()
    yield "a question"
    keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    view.get_by_role("tab", name="Details").click()
    field.fill("")
    keyboard.press("Escape")
    expect(view.get_by_role("option")).to_have_count(0)


@pytest.mark.timeout(1800)  # axe looks 25 times, which took nine minutes of a machine with much to do
def test_wcag_in_all_themes_and_narrow_cells(notebook: Notebook):
    need(None if AXE.is_file() else NO_AXE)
    notebook.open(CELLS)
    view, keyboard = notebook.output(1), notebook.page.keyboard
    for index, text in enumerate(SEEN):
        notebook.run_cell(index)
        if text:
            notebook.see(index, text, seconds=60)
        if index == 1:
            opened(view)
    notebook.page.evaluate(HOSTS)
    notebook.page.evaluate(AXE.read_text())
    # JupyterLab's body has no height and hides what overflows it, which axe takes for a page that shows nothing
    notebook.page.add_style_tag(content="html, body { height: 100vh }")
    for theme in THEMES:
        notebook.theme(theme)
        check(notebook, theme)
        for name in ("View", "Kind:"):
            view.get_by_role("button", name=name).click()
            expect(view.locator(".popup:visible")).to_be_visible()
            check(notebook, f"{theme}, with {name} open", widgets=1)
            keyboard.press("Escape")
        view.get_by_role("button", name="Keys").click()
        expect(view.get_by_role("dialog", name="Keys")).to_be_visible()
        check(notebook, f"{theme}, with the keys shown", widgets=1)
        keyboard.press("Escape")
        view.get_by_role("button", name="Kind:").focus()
        stops = []
        while (what := stop(notebook.page, theme)) != "left":
            stops.append(what)
            keyboard.press("Tab")
        assert 10 <= len(stops) < 60, stops
        for what in states(view, theme):
            check(notebook, f"{theme}, with {what}", widgets=1)
        notebook.screenshot(theme)

    eventually(lambda: notebook.page.evaluate(MOVING) > 0, "a change that flashes", seconds=60)
    notebook.page.emulate_media(reduced_motion="reduce")
    for _ in range(5):
        assert notebook.page.evaluate(MOVING) == 0
        notebook.kernel("import time; time.sleep(0.3)")  # in which the demo's pods change
    notebook.page.set_viewport_size({"width": 700, "height": 500})
    fits(notebook)
    notebook.screenshot("twice")
    notebook.page.set_viewport_size({"width": 1400, "height": 1000})
    notebook.page.add_style_tag(content=NARROW)
    expect(view.get_by_role("button", name="Copy")).to_be_hidden()  # it is in the menu of the view then
    fits(notebook)
    view.get_by_role("button", name="View").click()
    expect(view.get_by_role("menuitem", name="Copy as Python")).to_be_visible()
    keyboard.press("Escape")
    notebook.screenshot("narrow")
    notebook.page.emulate_media(forced_colors="active")
    notebook.screenshot("forced")
