"""The table's grid in a real JupyterLab: what changed is seen, a pause is exact, columns and groups are the user's."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook
from tests.browser.test_table import SETUP, see, until
from tests.waiting import eventually

# Pods whose cells are known: twelve, three of them faulty, on three nodes.
PODS = f"""{SETUP.partition("stream = ")[0]}
import json
def make(number, status="Running", restarts=0):
    record = pod(number, rng)
    record.namespace = ("shop", "default")[number % 2]
    record.created = "2026-01-02T03:04:05Z"
    record.cells = json.dumps([record.name, "1/1" if status == "Running" else "0/1", status, str(restarts), "5m",
                               "10.0.0.1", f"node-{{number % 3}}", "<none>", "<none>"]).encode()
    return record
stream = FakeStream()
records = [make(i, "Error" if i % 4 == 3 else "Running", i) for i in range(12)]
stream.put(*records)
table = Table(stream)
table
"""

WATCH = """root => {
    const seen = (window.seenMarks = []);
    new MutationObserver(changes => {
        for (const { target, attributeName } of changes) {
            const value = target.getAttribute(attributeName);
            const row = target.closest(".ag-row");
            const name = row?.querySelector("[col-id=Name]")?.textContent.trim();
            const what = attributeName === "data-mark" ? value : target.getAttribute("col-id");
            if (value !== null) seen.push([attributeName, what, name]);
        }
    }).observe(root, { subtree: true, attributes: true, attributeFilter: ["data-mark", "data-changed"] });
}"""
"""Marks go after a moment: each that comes is written down."""


def selected(*names: str) -> str:
    """Code that prints the names of the selected rows once they are these: a page says each change on a subshell, and
    the cell may run between two of them."""
    found = "sorted(one.name for one in table.selected)"
    return until(f"{found} == {sorted(names)!r}", f"print('selected', {found})")


class Grid:
    """A table's grid in a cell's output."""

    def __init__(self, notebook: Notebook, index: int = 0) -> None:
        self.notebook = notebook
        self.output = notebook.output(index)
        self.root = self.output.locator("div.root")
        self.viewport = self.root.locator(".host")

    def row(self, name: str) -> Locator:
        named = self.notebook.page.locator("[col-id=Name]").filter(has_text=re.compile(rf"^\s*{re.escape(name)}\s*$"))
        return self.root.locator(".ag-row").filter(has=named)

    def _texts(self, script: str, *arguments: str) -> list[str]:
        """What a script gives of the grid, at one moment: it may be drawn again at any."""
        return list(self.root.evaluate(script, list(arguments)))

    def column(self, title: str) -> list[str]:
        """The cells of a column that are drawn, from the top."""
        return [cell for (cell,) in self.columns(title)]

    def columns(self, *titles: str) -> list[list[str]]:
        """The cells of some columns of each row that is drawn, from the top, as they are at one moment."""
        found: list[list[str]] = self.root.evaluate(
            """(root, titles) => [...root.querySelectorAll(".ag-row")]
                .sort((a, b) => a.getAttribute("row-index") - b.getAttribute("row-index"))
                .map(row => titles.map(title => row.querySelector(`[col-id="${title}"]`)))
                .filter(cells => cells.every(cell => cell !== null))
                .map(cells => cells.map(cell => cell.textContent.trim()))""",
            list(titles),
        )
        return found

    def titles(self) -> list[str]:
        """The columns' titles from the left, without the one of the buttons."""
        return self._texts(
            """root => [...root.querySelectorAll(".ag-header-cell:not(.act)")]
                .sort((a, b) => a.getBoundingClientRect().x - b.getBoundingClientRect().x)
                .map(cell => cell.querySelector(".ag-header-cell-text").textContent)"""
        )

    def width(self, title: str) -> int:
        """Pixels of a column."""
        found = self.root.locator(f".ag-header-cell[col-id={title}]").bounding_box()
        assert found is not None
        return round(found["width"])

    def groups(self) -> list[str]:
        """What the groups' own rows say, from the top."""
        return self._texts(
            """root => [...root.querySelectorAll(".ag-row:has(.group-row)")]
                .sort((a, b) => a.getAttribute("row-index") - b.getAttribute("row-index"))
                .map(row => [...row.querySelectorAll("span")].map(one => one.textContent).filter(Boolean).join(" "))"""
        )

    def focused(self) -> str:
        """The name in the row that has the page's focus."""
        return str(
            self.root.evaluate(
                """root => {
                    const row = root.getRootNode().activeElement?.closest(".ag-row");
                    return row?.querySelector("[col-id=Name], .group-row .name")?.textContent.trim() ?? "";
                }"""
            )
        )


def test_what_changes_is_marked_and_a_pause_is_exact(notebook: Notebook):
    notebook.open([PODS, "print([row['Name'] + ' ' + row['Status'] for row in table.rows])"])
    notebook.run_cell(0)
    see(notebook, 0, "12 rows")
    grid = Grid(notebook)
    grid.root.evaluate(WATCH)
    assert grid.root.locator("[data-mark], [data-changed]").count() == 0, "the first state is no change"
    notebook.kernel("stream.put(make(0, 'Error'), make(20)); stream.delete(records[1])")
    eventually(lambda: _marks(notebook) >= {
        ("data-changed", "Status", "web-0"), ("data-changed", "Ready", "web-0"),
        ("data-mark", "new", "web-2"), ("data-mark", "gone", "api-0"),
    }, seconds=30)  # fmt: skip
    assert not any(name == "cart-0" or what == "Age" for _, what, name in _marks(notebook)), "nothing else changed"
    expect(grid.root.locator("[data-mark], [data-changed]")).to_have_count(0)
    expect(grid.row("api-0")).to_have_count(0)
    see(notebook, 0, re.compile("^12 rows"))
    # paused, by its key: what is shown stays, and what was missed is counted, each row once
    grid.row("web-0").locator("[col-id=Name]").click()
    notebook.page.keyboard.press("p")
    see(notebook, 0, "paused · nothing missed")
    before = grid.column("Status")
    notebook.kernel(
        "stream.put(make(2, 'Pending'), make(0, 'Running'), make(21)); stream.put(make(2, 'Error'))\n"
        "stream.delete(records[4], records[5]); stream.put(make(22)); stream.delete(make(22))"
    )
    see(notebook, 0, "paused · 5 changes missed (1 new, 2 changed, 2 gone)")
    assert grid.column("Status") == before
    see(notebook, 0, re.compile("^12 rows"))
    notebook.screenshots("paused")
    grid.root.get_by_role("button", name="Go on").first.click()
    see(notebook, 0, re.compile("^11 rows"))
    notebook.run_cell(1)
    printed = notebook.wait_for_output(1, re.compile(r"^\s*\['.*'\]\s*$")).inner_text()
    said = json.loads(printed.strip().replace("'", '"'))
    eventually(lambda: sorted(" ".join(one) for one in grid.columns("Name", "Status")) == sorted(said), seconds=30)


def _marks(notebook: Notebook) -> set[tuple[str, str, str]]:
    return {(str(kind), str(what), str(name)) for kind, what, name in notebook.page.evaluate("window.seenMarks")}


def test_columns_are_laid_out_once_for_all_views(notebook: Notebook):
    made = ["Namespace", "Age", "Status", "Name", "Restarts"]
    heard = until(f"table.columns == {made[1:]!r}", "print('laid out', table.columns)")  # a page says it a moment later
    notebook.open([PODS, "table", heard])
    notebook.run_cell(0)
    notebook.run_cell(1)
    first, second = Grid(notebook, 0), Grid(notebook, 1)
    see(notebook, 1, "12 rows")
    given = ["Namespace", "Name", "Ready", "Status", "Restarts", "Age"]
    eventually(lambda: first.titles() == second.titles() == given, seconds=30)
    # dragged, while the kernel speaks
    first.root.locator(".ag-header-cell[col-id=Age]").hover()  # once it stands still: the page may be scrolling
    age = first.root.locator(".ag-header-cell[col-id=Age]").bounding_box()
    name = first.root.locator(".ag-header-cell[col-id=Name]").bounding_box()
    assert age is not None
    assert name is not None
    mouse = notebook.page.mouse
    mouse.move(age["x"] + 12, age["y"] + 10)
    mouse.down()
    mouse.move(age["x"] - 30, age["y"] + 10, steps=4)
    notebook.kernel("stream.say('kind-a', name='stale', reason='connection reset')")
    see(notebook, 0, re.compile("connection reset"))
    below = first.root.locator(".ag-header-cell[col-id=Name]").bounding_box()
    assert below is not None
    mouse.move(below["x"] + 8, below["y"] + 10, steps=10)
    mouse.up()
    moved = ["Namespace", "Age", "Name", "Ready", "Status", "Restarts"]
    eventually(lambda: first.titles() == moved, seconds=30)
    eventually(lambda: second.titles() == moved, seconds=30)
    notebook.kernel("stream.say('kind-a', name='live')")
    expect(first.root.get_by_text("connection reset")).to_have_count(0)  # the rows go up by its line
    # made wider, by pointer
    before, edge = first.width("Name"), first.root.locator(".ag-header-cell[col-id=Name] .ag-header-cell-resize")
    edge.hover()
    mouse.down()
    handle = edge.bounding_box()
    assert handle is not None
    mouse.move(handle["x"] + handle["width"] / 2 + 70, handle["y"] + 10, steps=4)
    mouse.up()
    eventually(lambda: first.width("Name") == second.width("Name") == before + 70, seconds=30)
    # by keys, in the list of columns
    first.root.get_by_role("button", name="Columns", exact=True).press("Enter")
    menu = first.root.get_by_role("group", name="Columns", exact=True)
    menu.get_by_role("checkbox", name="Ready").press("Space")
    menu.get_by_role("button", name="Move Status left").press("Enter")
    menu.get_by_role("button", name="Move Status left").press("Enter")
    expect(menu.get_by_role("button", name="Move Status left")).to_be_focused()
    eventually(lambda: second.titles() == made, seconds=30)
    notebook.screenshots("columns")
    notebook.page.keyboard.press("Escape")
    expect(first.root.get_by_role("button", name="Columns", exact=True)).to_be_focused()
    notebook.run_cell(2)
    notebook.wait_for_output(2, f"laid out {made[1:]}")
    # each view has its own order of rows, by several columns
    second.root.locator(".ag-header-cell[col-id=Status]").click()
    second.root.locator(".ag-header-cell[col-id=Restarts]").click(modifiers=["Shift"])
    second.root.locator(".ag-header-cell[col-id=Restarts]").click(modifiers=["Shift"])
    wanted = ["11", "7", "3", "10", "9", "8", "6", "5", "4", "2", "1", "0"]
    eventually(lambda: second.column("Restarts") == wanted, seconds=30)
    expect(second.root.locator(".ag-header-cell[col-id=Restarts]")).to_have_attribute("aria-sort", "descending")
    assert first.column("Restarts") != wanted
    notebook.reload()
    see(notebook, 1, "12 rows")
    eventually(lambda: second.titles() == made and second.width("Name") == before + 70, seconds=30)
    second.root.get_by_role("button", name="Columns", exact=True).click()
    second.root.get_by_role("button", name="Reset").click()
    eventually(lambda: first.titles() == given == second.titles(), seconds=30)
    eventually(lambda: first.width("Name") == before, seconds=30)


def test_groups_and_the_focus_of_a_row_that_moves(notebook: Notebook):
    notebook.open([PODS, selected("api-1", "web-0"), selected("web-0")])
    notebook.run_cell(0)
    see(notebook, 0, "12 rows")
    grid = Grid(notebook)
    keys = notebook.page.keyboard
    notebook.kernel("table.group = 'node'")
    eventually(lambda: grid.groups() == ["node-0 4 ■ 1 fault", "node-1 4 ■ 1 fault", "node-2 4 ■ 1 fault"], seconds=30)
    expect(grid.root.get_by_role("treegrid")).to_be_visible()
    notebook.screenshots("groups")
    # opened and closed by keys, and by pointer
    grid.root.locator(".group-row").first.click()
    expect(grid.row("web-0")).to_have_count(0)
    keys.press("ArrowDown")
    keys.press("ArrowLeft")
    closed = grid.root.locator(".ag-row[aria-expanded=false]")
    expect(closed).to_have_count(2)
    keys.press("Enter")
    expect(closed).to_have_count(1)
    # a filter goes into groups, and a group without rows vanishes
    notebook.kernel("table.filter = 'status=Error restarts>3'")
    eventually(lambda: grid.groups() == ["node-1 1 of 4 ■ 1 fault", "node-2 1 of 4 ■ 1 fault"], seconds=30)
    notebook.kernel("table.filter = ''; table.group = None")
    see(notebook, 0, re.compile("^12 rows"))
    # the focus stays on its row, and the selection too
    notebook.kernel("table.sort = 'Restarts'")
    eventually(lambda: grid.column("Restarts") == [str(number) for number in range(12)], seconds=30)
    grid.row("web-0").locator("[col-id=Name]").click()
    notebook.kernel("stream.put(make(0, 'Running', 99))")
    eventually(lambda: grid.column("Restarts")[-1] == "99", seconds=30)
    eventually(lambda: grid.focused() == "web-0", seconds=30)
    keys.press("Shift+ArrowUp")
    keys.press("Shift+ArrowUp")
    see(notebook, 0, "3 selected")
    keys.press("Control+Space")
    see(notebook, 0, "2 selected")
    notebook.run_cell(1)
    notebook.wait_for_output(1, "selected ['api-1', 'web-0']")
    notebook.kernel("stream.delete(records[11])")
    see(notebook, 0, re.compile("^11 rows"))
    see(notebook, 0, "1 selected")
    notebook.run_cell(2)
    notebook.wait_for_output(2, "selected ['web-0']")
    expect(grid.row("api-1")).to_have_count(0)  # it is shown as gone for a moment, and then all below go up
    grid.row("web-0").locator("[col-id=Name]").click()
    keys.press("Control+a")
    see(notebook, 0, "11 selected")
    # one stop of Tab for the rows, and back to where it was
    keys.press("Tab")
    eventually(lambda: grid.focused() == "", seconds=30)
    keys.press("Shift+Tab")
    eventually(lambda: grid.focused() == "web-0", seconds=30)


def test_the_focus_goes_with_what_changes_places_with_a_groups_row(notebook: Notebook):
    notebook.open([PODS])
    notebook.run_cell(0)
    see(notebook, 0, "12 rows")
    grid, keys = Grid(notebook), notebook.page.keyboard
    focus = grid.root.locator(".ag-full-width-focus")
    notebook.kernel("table.group = 'node'")
    eventually(lambda: grid.groups()[1:2] == ["node-1 4 ■ 1 fault"], seconds=30)
    grid.root.locator(".group-row").filter(has_text="node-1").click()
    expect(grid.root.locator(".ag-row[aria-expanded=false]")).to_have_count(1)
    keys.press("Enter")
    expect(grid.root.locator(".ag-row[aria-expanded=false]")).to_have_count(0)
    expect(focus).to_be_focused()

    def above(code: str, rows: int) -> None:
        notebook.kernel(code)
        eventually(lambda: grid.groups()[0] == f"node-0 {rows} ■ 1 fault", seconds=30)

    # a row more above it, and one less
    above("stream.put(make(30))", 5)
    expect(focus).to_be_focused()
    assert grid.focused() == "node-1"
    above("stream.delete(make(30))", 4)
    eventually(lambda: len(grid.column("Name")) == 12, seconds=30)  # it is shown as gone for a moment
    expect(focus).to_be_focused()
    assert grid.focused() == "node-1"
    # a group's row comes where a row was
    keys.press("ArrowDown")
    expect(grid.root.locator(".ag-cell-focus")).to_be_focused()
    name = grid.focused()
    above("stream.put(make(30))", 5)
    expect(grid.root.locator(".ag-cell-focus")).to_be_focused()
    assert grid.focused() == name
