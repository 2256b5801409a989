"""The table's bar in a real JupyterLab: what is shown is chosen there, copied as code, and reached by keys."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook

SETUP = """
import notebook_mux as nm
m = nm.demo(clusters=2)
nm.table("pods", namespace=["default", "shop", "kube-system"], sort="Name")
"""

REFUSING = """
async def no(*_):
    raise nm.Forbidden("you may not list secrets")
m._watch = no
"""

FRAMES = """() => new Promise(done => {
    let left = 20;
    const next = () => (left-- > 0 ? requestAnimationFrame(next) : done());
    next();
})"""
"""Until a page has drawn some frames."""

AWAY = "() => window.jupyterapp.shell.currentWidget.content.widgets[1].editor.focus()"
"""Somebody goes to the second cell."""

SHELL_AND_AWAY = f"""() => {{
    let one = document.activeElement;
    while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    one.dispatchEvent(new KeyboardEvent("keydown", {{ key: "s", bubbles: true, composed: true, cancelable: true }}));
    ({AWAY})();
}}"""
"""Somebody asks for a shell and is gone before the page does anything else."""


def option(view: Locator, name: str | re.Pattern[str]) -> Locator:
    return view.get_by_role("option", name=name)


def shown(view: Locator, text: str | re.Pattern[str]) -> None:
    expect(view.get_by_text(text).locator("visible=true").first).to_be_visible()


def copied(notebook: Notebook) -> str:
    text: str = notebook.page.evaluate("() => navigator.clipboard.readText()")
    return text


def test_what_is_shown_is_chosen_in_the_bar(notebook: Notebook):
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook.open([SETUP, "1", SETUP.splitlines()[-1]])
    notebook.run_cell(0)
    view, keyboard = notebook.output(0), notebook.page.keyboard
    kind, namespace = view.get_by_role("button", name="Kind:"), view.get_by_role("button", name="Namespace:")
    cluster = view.get_by_role("button", name="Cluster:")
    shown(view, re.compile("^api-"))

    # a kind, by a short name, with nothing but keys
    kind.press("ArrowDown")
    field = view.get_by_role("combobox", name="Find")
    expect(field).to_be_focused()
    expect(option(view, "deployments").first).to_be_visible()
    notebook.screenshot("kinds")
    keyboard.type("deploy")
    active = view.locator(".option.active")
    expect(active).to_contain_text("deployments")
    assert field.get_attribute("aria-activedescendant") == active.get_attribute("id")
    keyboard.press("Enter")
    shown(view, "Up-to-date")
    expect(kind).to_have_accessible_name("Kind: deployments")
    expect(kind).to_be_focused()

    # namespaces: one is taken away, and one for a moment
    namespace.click()
    expect(option(view, "shop")).to_be_visible()
    option(view, "shop").locator(".mark").click()
    option(view, "shop").locator(".mark").click()
    keyboard.type("defau")
    keyboard.press("Shift+Enter")
    notebook.screenshot("namespaces")
    view.get_by_role("button", name="Show 2").click()
    expect(namespace).to_have_accessible_name("Namespace: kube-system, shop")
    shown(view, "storefront")
    # a cluster
    cluster.click()
    option(view, "demo-2").click()
    expect(cluster).to_have_accessible_name("Cluster: demo-2")
    expect(view.locator(".ag-row").first).to_be_visible()
    expect(view.get_by_text("demo-1").locator("visible=true")).to_have_count(0)  # rows of before go a moment later

    # all that as code
    copy = view.get_by_role("button", name="Copy")
    copy.click()
    view.get_by_role("menuitem", name="Copy as Python").click()
    shown(view, "copied: python")
    assert 'nm.table("deployments", namespace=["kube-system", "shop"], cluster="demo-2", sort="Name")' in copied(
        notebook
    )
    copy.click()
    view.get_by_role("menuitem", name="Copy as kubectl").click()
    shown(view, "copied: kubectl")
    assert "kubectl get deployments -n shop --sort-by=.metadata.name --context demo-2" in copied(notebook)

    # what cannot be shown leaves what was there, and says why
    notebook.kernel(REFUSING)
    kind.click()
    keyboard.type("secrets")
    keyboard.press("Enter")
    shown(view, re.compile("you may not list secrets"))
    expect(kind).to_have_accessible_name("Kind: deployments")
    notebook.screenshots("refused")
    notebook.kernel("del m._watch")

    # and the cell sets it back
    notebook.run_cell(2)
    expect(kind).to_have_accessible_name("Kind: pods")
    shown(view, re.compile("^api-"))


def test_keys_in_the_grid_and_nowhere_else(notebook: Notebook):
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    notebook.open([SETUP, "1"])
    notebook.run_cell(0)
    view, keyboard = notebook.output(0), notebook.page.keyboard
    shown(view, re.compile("^api-"))
    cells: Any = view.locator(".ag-cell[col-id=Name]")
    cells.first.click()

    keyboard.press("?")
    dialog = view.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    for _ in range(4):  # the focus stays in it
        keyboard.press("Tab")
        assert dialog.evaluate("it => it.contains(it.getRootNode().activeElement)") or notebook.page.evaluate(
            "() => document.activeElement === document.body"
        )
    notebook.screenshots("keys")
    keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(view.locator(".ag-cell-focus")).to_be_focused()

    keyboard.press("w")
    shown(view, "Node")
    keyboard.press("w")
    # a row's parts, each by its key
    for key, part in (("l", "Logs"), ("e", "Events"), ("s", "Shell"), ("y", "YAML"), ("d", "Details")):
        cells.first.click()
        keyboard.press(key)
        expect(view.locator(".panel").get_by_role("tab", name=part)).to_have_attribute("aria-selected", "true")
    expect(view.get_by_role("tab", name="Details")).to_be_focused()  # and not before the key is through
    keyboard.press("Escape")
    expect(view.locator(".panel")).to_be_hidden()
    # the table's switches, lists and groups
    cells.first.click()
    faults = view.get_by_role("button", name=re.compile("^Faults only"))
    for pressed in ("true", "false"):
        keyboard.press("f")
        expect(faults).to_have_attribute("aria-pressed", pressed)
    keyboard.press("u")
    shown(view, "%CPU/R")
    keyboard.press("u")
    for key, name in (("n", "Namespace"), ("x", "Cluster")):
        cells.first.click()
        keyboard.press(key)
        expect(view.get_by_role("dialog", name=name)).to_be_visible()
        keyboard.press("Escape")
    for by, group in (("owner", re.compile(r"^[A-Z]\w+/")), ("label app", "app=api"), ("cluster", "demo-1")):
        cells.first.click()
        keyboard.press("g")
        view.get_by_role("menuitemradio", name=by, exact=True).press("Enter")
        expect(view.locator(".group-row .name").filter(has_text=group).first).to_be_visible()
    notebook.kernel("nm.table('pods', namespace=['default', 'shop', 'kube-system'], group=None)")
    expect(view.locator(".group-row")).to_have_count(0)
    cells.first.click()
    keyboard.press("c")
    shown(view, "copied: 1 name")
    assert "/" in copied(notebook)
    keyboard.press(":")
    expect(view.get_by_role("combobox", name="Find")).to_be_focused()
    keyboard.press("Escape")
    expect(view.get_by_role("combobox", name="Find")).to_be_hidden()

    # keys typed into the filter are text, and no key is JupyterLab's: dd would delete the cell, x cut it
    cells.first.click()
    keyboard.press("/")
    keyboard.type("wdlx?")
    expect(view.get_by_role("combobox", name="Filter rows")).to_have_value("wdlx?")
    expect(dialog).to_be_hidden()
    view.get_by_placeholder(re.compile("Filter")).fill("")
    cells.first.click()
    for key in ("d", "d", "0", "0", "b", "Delete"):
        keyboard.press(key)
    assert notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length") == 2
    assert notebook.page.locator(".jp-Dialog").count() == 0


def test_the_frame_follows_a_filter_when_nobody_is_in_its_way(notebook: Notebook):
    notebook.open([SETUP])
    notebook.run_cell(0)
    view, keyboard = notebook.output(0), notebook.page.keyboard
    frame, panel = view.locator(".grid"), view.locator(".panel")
    shown(view, re.compile("^api-"))
    size = "e => e.getBoundingClientRect().height"
    whole = frame.evaluate(size)
    field = view.get_by_placeholder(re.compile("Filter"))
    # somebody points at what would go
    box = frame.bounding_box()
    assert box is not None
    notebook.page.mouse.move(box["x"] + 200, box["y"] + box["height"] - 30)
    field.fill("coredns")
    expect(view.locator(".ag-row [col-id=Name]")).to_have_count(4)
    field.press("Enter")
    expect(view.locator(".ag-cell-focus")).to_be_focused()
    keyboard.press("d")
    # and then opens the pane, which stands right below the rows
    expect(panel).to_be_visible()
    assert frame.evaluate(size) < whole / 2
    expect(view.get_by_role("tab", name="Details")).to_be_focused()
    keyboard.press("Escape")
    expect(panel).to_be_hidden()
    field.fill("")
    expect(frame).to_have_css("height", f"{whole:g}px")
    notebook.page.mouse.move(5, 5)
    field.fill("coredns")
    expect(frame).not_to_have_css("height", f"{whole:g}px")


def test_the_keys_of_k9s_lead_back_to_the_rows(notebook: Notebook):
    notebook.open([SETUP, "1"])
    notebook.run_cell(0)
    view, keyboard = notebook.output(0), notebook.page.keyboard
    shown(view, re.compile("^api-"))
    row, rows = view.locator(".ag-cell-focus"), view.locator(".ag-row [col-id=Name]")
    view.locator("div.root").focus()
    keyboard.press("ArrowDown")
    expect(row).to_be_focused()
    keyboard.press("/")
    keyboard.type("api")
    expect(rows.filter(has_not_text=re.compile("api-"))).to_have_count(0)
    keyboard.press("Enter")
    expect(row).to_be_focused()
    # what was opened from the rows goes back to them
    keyboard.press("g")
    expect(view.get_by_role("menu", name="View")).to_be_visible()
    keyboard.press("Escape")
    expect(row).to_be_focused()
    keyboard.press("n")
    expect(view.get_by_role("combobox", name="Find")).to_be_focused()
    keyboard.press("Escape")
    expect(row).to_be_focused()
    # a shell has the keys as soon as there is one
    keyboard.press("s")
    expect(view.locator("[data-part=shell] textarea")).to_be_focused()
    view.get_by_role("tab", name="Shell").focus()
    keyboard.press("Escape")
    expect(row).to_be_focused()
    # unless somebody has gone elsewhere meanwhile

    def goes_on_elsewhere() -> None:
        expect(view.locator("[data-part=shell] textarea")).to_be_attached()
        notebook.page.evaluate(FRAMES)
        expect(notebook.cell(1).locator(".cm-content")).to_be_focused()
        view.get_by_role("tab", name="Shell").focus()
        keyboard.press("Escape")
        expect(row).to_be_focused()

    keyboard.press("s")
    notebook.page.evaluate(AWAY)
    goes_on_elsewhere()
    notebook.page.evaluate(SHELL_AND_AWAY)
    goes_on_elsewhere()
    # no row is left, and the keys are still the table's: dd would delete the cell
    notebook.kernel(f"table = {SETUP.splitlines()[-1]}; table.filter = 'name=nothing'")
    expect(rows).to_have_count(0)
    expect(view.locator("div.root")).to_be_focused()
    keyboard.press("d")
    keyboard.press("d")
    assert notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.length") == 2
    notebook.kernel("table.filter = 'api'")
    expect(row).to_be_focused()
    # another kind has its own rows; a header that sorts them keeps the focus
    keyboard.press(":")
    keyboard.type("deploy")
    keyboard.press("Enter")
    shown(view, "Up-to-date")
    expect(row).to_be_focused()
    keyboard.press("Shift+Tab")
    header = view.locator(".ag-header-cell[col-id=Name]")
    header.focus()
    keyboard.press("Enter")
    expect(header).to_have_attribute("aria-sort", re.compile("ending"))
    expect(header).to_be_focused()
    # and so does the pane
    view.locator(".ag-cell[col-id=Name]").first.focus()
    keyboard.press("d")
    expect(view.get_by_role("tab", name="Details")).to_be_focused()
    keyboard.press("Escape")
    expect(row).to_be_focused()
