"""An object in full below a table, in a real JupyterLab: what it says, where it leads, and its YAML."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.browser.lab import Notebook

OPEN = """
def parts():
    from notebook_mux.widgets.base import Live
    import ipywidgets
    widgets = list(ipywidgets.widgets.widget._instances.values())
    return sorted(w.kind for w in widgets if isinstance(w, Live) and w._within and not w.closed)

def until(wanted):
    import time
    late = time.monotonic() + 45
    while not wanted() and time.monotonic() < late:
        time.sleep(0.05)
    assert wanted()
"""
"""What is open for panes in the kernel."""

WIDGETS = "__import__('ipywidgets').widgets.widget._instances.values()"
NAMESPACE = "night-shift"
TABLE = f"nm.table('pods', namespace={NAMESPACE!r})"
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "api-token", "namespace": NAMESPACE},
    "stringData": {"token": "hunter2-hunter2"},
}


class Pane:
    """The pane below the table of a cell, as a person has it."""

    def __init__(self, notebook: Notebook, index: int = 1) -> None:
        self.page = notebook.page
        self.output = notebook.output(index)
        self.panel = self.output.locator(".panel")

    def row(self, text: str | re.Pattern[str]) -> Locator:
        return self.output.get_by_role("row").filter(has_text=text).first

    def open(self, text: str | re.Pattern[str], key: str) -> None:
        """By a row's name and a key."""
        self.row(text).locator(".name").click()
        self.page.keyboard.press(key)

    def is_of(self, words: str | re.Pattern[str]) -> None:
        expect(self.panel).to_have_attribute("aria-label", words)

    def table(self, title: str) -> Locator:
        return self.panel.get_by_role("table", name=title, exact=True)

    def text(self) -> Locator:
        return self.panel.locator(".cm-content")


def begin(notebook: Notebook, kind: str, *more: str) -> Pane:
    start = f"import notebook_mux as nm\nm = nm.demo('crashloop')\n{OPEN}"
    notebook.open([start, f"nm.table({kind!r}, namespace={NAMESPACE!r}, height=200)", *more])
    notebook.run_cell(0)
    notebook.run_cell(1)
    return Pane(notebook)


@pytest.mark.timeout(400)
def test_a_pod_that_crashes_and_what_it_belongs_to(notebook: Notebook):
    notebook.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane = begin(notebook, "pods")
    pod = re.compile(r"^Pod orders-\w+-\w+$")
    pane.open("orders-", "d")
    pane.is_of(pod)
    ready = pane.table("Conditions").get_by_role("row").filter(has_text="ContainersNotReady").first
    expect(ready.locator(".tone-bad")).to_have_text("■False")
    card = pane.panel.get_by_role("group", name="orders", exact=True)
    expect(card).to_contain_text("exit code 78")
    expect(card).to_contain_text(re.compile("Restarts"))
    pane.panel.scroll_into_view_if_needed()
    notebook.screenshots("pod")
    # from owner to owner, and back by keys
    pane.panel.locator("[data-owners] .jump").click()
    pane.is_of(re.compile(r"^ReplicaSet orders-\w+$"))
    pane.panel.locator("[data-owners] .jump").click()
    pane.is_of("Deployment orders")
    expect(pane.panel.get_by_role("tab", name="Shell")).to_be_hidden()
    pane.table("Pods").get_by_role("button", name=re.compile(r"^orders-\w+-\w+$")).first.click()
    pane.is_of(pod)
    for _ in range(2):
        notebook.page.keyboard.press("Alt+ArrowLeft")
    notebook.page.keyboard.press("Alt+ArrowLeft")
    pane.is_of(pod)
    expect(pane.panel.get_by_role("button", name="Back")).to_be_disabled()
    pane.panel.get_by_role("button", name="Forward").click()
    pane.is_of(re.compile("ReplicaSet"))
    # its YAML, with what nobody reads folded away
    notebook.page.keyboard.press("y")
    expect(pane.text()).to_contain_text("kind: ReplicaSet")
    expect(pane.panel.locator(".cm-foldPlaceholder")).to_have_count(1)
    expect(pane.text()).not_to_contain_text("fieldsType")
    pane.panel.get_by_role("button", name="Copy", exact=True).click()
    expect(pane.panel.get_by_text("copied")).to_be_visible()
    copied = notebook.page.evaluate("() => navigator.clipboard.readText()")
    assert "kind: ReplicaSet" in copied
    assert "fieldsType" not in copied
    notebook.screenshot("yaml")
    # among others of its kind
    pane.panel.get_by_role("button", name="In the table").click()
    expect(pane.output.get_by_role("gridcell").filter(has_text=re.compile(r"^orders-\w+$"))).to_have_count(1)
    expect(pane.output.get_by_text(re.compile(r"^1 of \d+ rows$"))).to_be_visible()
    # Escape closes it, and the kernel lets go of all of it
    pane.panel.get_by_role("tab", name="YAML").focus()
    notebook.page.keyboard.press("Escape")
    expect(pane.panel).to_be_hidden()
    notebook.kernel("until(lambda: parts() == [] and len(m._core_status()['streams']) == 1)")


def test_a_secret_is_told_when_it_is_asked_for(notebook: Notebook):
    pane = begin(notebook, "secrets")
    notebook.kernel(f"nm.apply({json.dumps(SECRET)})")
    pane.open("api-token", "d")
    key = pane.panel.locator(".key").filter(has_text="token")
    expect(key).to_contain_text("15 bytes")
    # where what had the focus has gone, the keys are still the pane's: dd would delete the cell
    key.get_by_role("button", name="Reveal token").click()
    key.get_by_label("value of token").focus()
    more = {**SECRET, "stringData": {"token": "hunter2-hunter2", "user": "somebody"}}
    notebook.kernel(f"nm.apply({json.dumps(more)})")
    expect(pane.panel.locator(".key").filter(has_text="user")).to_contain_text("8 bytes")
    expect(pane.panel.locator("[data-part=details] .root")).to_be_focused()
    # pressed three times before the first answer is there: shown once, and hidden by one press
    key.get_by_role("button", name="Reveal token").evaluate("e => { e.click(); e.click(); e.click(); }")
    expect(key.get_by_label("value of token")).to_have_text("hunter2-hunter2")
    pane.panel.scroll_into_view_if_needed()
    notebook.screenshot("secret")
    key.get_by_role("button", name="Hide token").click()
    expect(key.get_by_label("value of token")).to_have_count(0)
    pane.panel.get_by_role("tab", name="YAML").click()
    expect(pane.text()).to_contain_text("token: <hidden, 20 characters>")
    pane.panel.get_by_role("button", name="Reveal values").click()
    expect(pane.text()).to_contain_text("token: aHVudGVyMi1odW50ZXIy")
    pane.panel.get_by_role("button", name="Hide values").click()
    expect(pane.text()).to_contain_text("token: <hidden, 20 characters>")
    pane.panel.get_by_role("button", name="Reveal values").dblclick()
    notebook.kernel("pass")  # by now the answer to the first press is there
    expect(pane.panel.get_by_role("button", name="Reveal values")).to_be_visible()
    expect(pane.text()).not_to_contain_text("aHVudGVyMi1odW50ZXIy")
    # nothing of it is in what is saved
    saved = json.dumps(notebook.save())
    assert "hunter2" not in saved
    assert "aHVudGVyMi1odW50ZXIy" not in saved
    # Escape gives the row its focus back
    pane.panel.get_by_role("tab", name="YAML").focus()
    notebook.page.keyboard.press("Escape")
    expect(pane.panel).to_be_hidden()
    expect(pane.row("api-token").locator(":focus")).to_have_count(1)


@pytest.mark.timeout(400)
def test_an_edit_is_looked_at_before_it_is_applied(notebook: Notebook):
    now = f"print('replicas', m.get('deployments', 'images', namespace={NAMESPACE!r})['spec']['replicas'])"
    pane = begin(notebook, "deployments", now)
    pane.open("images", "y")
    expect(pane.text()).to_contain_text("kind: Deployment")
    pane.panel.get_by_role("button", name="Edit", exact=True).click()
    pane.panel.scroll_into_view_if_needed()  # lines out of sight are not drawn
    replicas = pane.panel.locator(".cm-line").filter(has_text=re.compile(r"^\s*replicas: 2$")).first
    replicas.click(position={"x": 60, "y": 8})
    keys = notebook.page.keyboard
    keys.press("End")
    keys.press("Backspace")
    keys.type("3")
    notebook.screenshots("edit")
    # somebody else is quicker: the text stays, and what it changes is looked at in theirs
    labelled = {"name": "images", "namespace": NAMESPACE, "labels": {"theirs": "too"}}
    notebook.kernel(f"m.apply({ {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': labelled} })")
    note = pane.panel.get_by_text(re.compile("changed by somebody else since (your|the) edit began"))
    expect(note).to_be_visible()
    pane.panel.get_by_role("button", name="Review change").click()
    dialog = pane.output.get_by_role("dialog")
    difference = dialog.get_by_role("group", name=re.compile("difference"))
    expect(difference.locator("ins")).to_have_text(re.compile(r"^\+ +replicas: 3\s*$"))
    expect(dialog).to_contain_text("made to the newer state")
    notebook.screenshots("merged")
    dialog.get_by_role("button", name="Cancel").click()
    # what both have changed is said, and looked at over theirs
    notebook.kernel(f"m.scale('deploy/images', 4, namespace={NAMESPACE!r})")
    expect(pane.panel.get_by_role("button", name="Review change")).to_be_enabled()
    pane.panel.get_by_role("button", name="Review change").click()
    expect(dialog).to_contain_text("spec.replicas (yours: 3, theirs: 4)")
    notebook.screenshots("both")
    dialog.get_by_role("button", name="Back to the text").click()
    expect(note).to_contain_text("spec.replicas (yours: 3, theirs: 4)")
    expect(pane.text()).to_contain_text("replicas: 3")
    # closing asks first
    pane.panel.get_by_role("button", name="Close Deployment images").click()
    pane.panel.get_by_role("button", name="Keep editing").click()
    expect(pane.text()).to_contain_text("replicas: 3")
    # nor is it lost where the kernel lets go of it, as after minutes of sleep
    notebook.kernel(f"[w.close() for w in list({WIDGETS}) if getattr(w, 'kind', '') == 'manifest']")
    expect(pane.panel.get_by_text(re.compile("Your changes are kept"))).to_be_visible()
    pane.panel.get_by_role("button", name="Show it again").click()
    expect(pane.text()).to_contain_text("replicas: 3")
    expect(note).to_be_visible()
    pane.panel.get_by_role("button", name="Review it over theirs").click()
    expect(difference.locator("del")).to_have_text(re.compile(r"^- +replicas: 4\s*$"))
    expect(difference.locator("ins")).to_have_text(re.compile(r"^\+ +replicas: 3\s*$"))
    notebook.screenshots("review")
    dialog.get_by_role("button", name="Apply", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(pane.panel.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    notebook.run_cell(2)
    notebook.wait_for_output(2, "replicas 3")  # and not the number of the cell
    expect(pane.text()).to_contain_text("replicas: 3")
    expect(pane.panel.locator(".cm-foldPlaceholder")).to_have_count(1)


def test_a_page_too_slow_to_initialise_hears_all_the_same(notebook: Notebook):
    """anywidget gives a model up after two seconds and drops what is said to it; here they are over at once."""
    notebook.page.add_init_script(
        "AbortSignal.timeout = () => { const over = new AbortController(); queueMicrotask(() => over.abort());"
        " return over.signal }"
    )
    pane = begin(notebook, "pods")
    pane.open("orders-", "d")
    expect(pane.table("Conditions")).to_be_visible()
    pane.panel.get_by_role("tab", name="Logs").click()
    expect(pane.panel.get_by_role("log").locator(".row").first).to_be_visible()
    expect(pane.panel.locator(".said")).to_have_count(2)
    expect(pane.panel.locator(".said:visible, .freeze:visible")).to_have_count(0)
    notebook.screenshot("slow")
    notebook.reload()  # and what comes back does
    expect(pane.row("orders-")).to_be_visible()
    notebook.kernel(f"{TABLE}.filter = 'clock'")
    expect(pane.row("orders-")).to_be_hidden()


def test_what_was_asked_while_the_network_was_away_is_there_with_it(new_page, browser: BrowserContext):
    notebook: Notebook = new_page(errors=True)  # JupyterLab's own questions fail meanwhile
    pane = begin(notebook, "pods")
    dialog = notebook.page.locator(".jp-Dialog")
    # each question that fails may open the next one before this one is gone
    notebook.page.add_locator_handler(dialog, dialog.get_by_role("button").last.click, no_wait_after=True)
    kernel = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
    reconnect = f"() => {{ {kernel}.reconnect().catch(() => 0) }}"
    browser.set_offline(True)
    try:
        notebook.page.evaluate(reconnect)
        notebook.see(1, re.compile("connecting to the Jupyter server again"))
        pane.output.get_by_role("combobox", name="Filter rows").fill("orders")
        pane.open("orders-", "d")
        expect(pane.panel.get_by_text("reading: Details …")).to_be_visible()
    finally:
        browser.set_offline(False)
    notebook.page.evaluate(reconnect)
    expect(pane.table("Conditions")).to_be_visible()
    expect(pane.output.get_by_text(re.compile(r"^1 of \d+ rows"))).to_be_visible()
    expect(pane.output.get_by_text("made anew")).to_be_hidden()
    notebook.kernel(
        f"until(lambda: [w.filter for w in list({WIDGETS}) if getattr(w, 'kind', '') == 'table'] == ['orders'])"
    )
    notebook.screenshot("back")
