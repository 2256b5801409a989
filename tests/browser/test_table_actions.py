"""Changing things from a table in a real JupyterLab, on a real API server: seen first, then done, by choice alone."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook
from tests.controlplane.test_whole_way import config_map, create
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

WAIT_S = 60.0


def connected(plane: ControlPlane, namespace: str, write: bool) -> str:
    path = str(plane.kubeconfig)
    return f"import notebook_mux as nm\nm = nm.connect(kubeconfig={path!r}, namespace={namespace!r}, write={write})"


class Table:
    """A table in a cell's output, with its menu and its questions."""

    def __init__(self, notebook: Notebook, index: int = 1) -> None:
        self.notebook = notebook
        self.output = notebook.output(index)
        self.menu = self.output.get_by_role("button", name="Actions", exact=True).first
        self.dialog = self.output.get_by_role("dialog")
        self.standing = self.dialog.locator(".standing")

    def pick(self, *names: str) -> None:
        """Select rows."""
        for at, name in enumerate(names):
            row = self.output.locator(".ag-row").filter(has_text=name).locator(".ag-cell.name").first
            row.click(modifiers=["Control"] if at else [])

    def choose(self, words: str) -> Locator:
        """Open the menu, and the question behind an entry."""
        self.menu.click()
        self.output.get_by_role("menuitem", name=words).click()
        expect(self.dialog).to_be_visible()
        return self.dialog

    def button(self, name: str) -> Locator:
        return self.dialog.get_by_role("button", name=name, exact=True)


def spec(plane: ControlPlane, namespace: str) -> Any:
    return json.loads(plane.kubectl("get", "deployment", "web", "-n", namespace, "-o", "json"))["spec"]


def test_scale_restart_and_delete(notebook: Notebook, control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl(
        "create", "deployment", "web", "-n", namespace, "--image=registry.example/web:1", "--replicas=2"
    )
    control_plane.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    python = "nm.apply(nm.get('deploy', 'web').yaml().replace('web:1', 'web:2'), dry_run=True, force=True)"
    notebook.open([connected(control_plane, namespace, True), "nm.table('deployments')", python])
    notebook.run_all()
    table = Table(notebook)
    expect(table.menu).to_be_visible()
    notebook.wait_for_output(2, "the exact difference")
    notebook.output(2).scroll_into_view_if_needed()
    notebook.screenshots("outcome")

    # scale: the number of now to begin with, the exact difference, and nothing before it is confirmed
    table.pick("web")
    dialog = table.choose("Scale")
    replicas = dialog.get_by_role("spinbutton", name="Replicas")
    expect(replicas).to_be_focused()
    expect(replicas).to_have_value("2")
    expect(table.button("Scale")).to_be_disabled()
    replicas.fill("3")
    notebook.page.keyboard.press("Enter")
    expect(dialog.locator("del")).to_have_text(re.compile(r"^-  replicas: 2"))
    expect(dialog.locator("ins")).to_have_text(re.compile(r"^\+  replicas: 3"))
    expect(dialog.get_by_role("list", name="Who allows it")).to_contain_text("patch deployments.apps/scale")
    expect(table.standing).to_contain_text("Nothing has been changed yet")
    assert spec(control_plane, namespace)["replicas"] == 2
    notebook.screenshots("scale")
    replicas.fill("4")
    expect(table.button("Scale")).to_be_disabled()  # what was shown is not what would be
    notebook.page.keyboard.press("Enter")
    expect(dialog.locator("ins")).to_have_text(re.compile(r"^\+  replicas: 4"))
    table.button("Scale").click()
    expect(table.dialog).to_be_hidden()
    expect(table.output.locator(".foot")).to_contain_text("scaled 2 → 4")
    eventually(lambda: spec(control_plane, namespace)["replicas"] == 4, "scaled", seconds=WAIT_S)

    # somebody else is quicker: nothing is done, and what it would be now is shown
    table.pick("web")
    dialog = table.choose("Scale")
    expect(replicas).to_have_value("4")
    replicas.fill("1")
    notebook.page.keyboard.press("Enter")
    expect(dialog.locator("del")).to_have_text(re.compile("replicas: 4"))
    control_plane.kubectl("scale", "deployment/web", "-n", namespace, "--replicas=5")
    table.button("Scale").click()
    expect(table.standing).to_contain_text("changed since it was shown")
    expect(dialog.locator("del")).to_have_text(re.compile("replicas: 5"))
    notebook.page.keyboard.press("Escape")
    expect(table.dialog).to_be_hidden()
    assert spec(control_plane, namespace)["replicas"] == 5

    # restart
    table.choose("Restart")
    expect(table.button("Restart")).to_be_enabled()
    expect(table.dialog.locator("ins").last).to_contain_text("kubectl.kubernetes.io/restartedAt")
    table.button("Restart").click()
    expect(table.dialog).to_be_hidden()
    annotations = spec(control_plane, namespace)["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in annotations

    # the pane's object has the same menu, with Python hearing of it nothing but the change
    table.pick("web")
    notebook.page.keyboard.press("Enter")
    panel = table.output.locator(".panel")
    expect(panel).to_be_visible()
    panel.get_by_role("button", name="Actions", exact=True).click()
    panel.get_by_role("menuitem", name="Scale").click()
    expect(replicas).to_have_value("5")
    replicas.fill("0")
    notebook.page.keyboard.press("Enter")
    expect(table.button("Scale")).to_be_enabled()
    notebook.page.keyboard.press("Enter")  # which is no answer where all pods would go
    expect(dialog.locator("ins, del")).not_to_have_count(0)
    expect(table.dialog).to_be_visible()
    notebook.screenshots("pane")
    table.button("Cancel").click()
    panel.get_by_role("button", name="Close", exact=False).last.click()

    # delete asks, and Enter is no answer
    table.choose("Delete")
    expect(table.button("Delete")).to_be_enabled()
    expect(table.button("Cancel")).to_be_focused()
    notebook.screenshots("delete")
    table.button("Cancel").press("Enter")  # other themes may have taken the focus
    expect(table.dialog).to_be_hidden()
    assert spec(control_plane, namespace)["replicas"] == 5
    table.choose("Delete")
    table.button("Delete").click()
    expect(table.dialog).to_be_hidden()
    expect(table.output.locator(".ag-row").filter(has_text="web")).to_have_count(0)


def test_many_are_deleted_only_after_their_number_was_typed(
    notebook: Notebook, control_plane: ControlPlane, namespace: str
) -> None:
    names = [f"many-{at}" for at in range(5)]  # and not m2, which an age of 7m2s has too
    for name in names:
        create(control_plane, config_map(name, namespace, a="1"))
    notebook.open([connected(control_plane, namespace, True), "nm.table('configmaps')"])
    notebook.run_all()
    table = Table(notebook)
    table.pick(*names)
    table.menu.click()
    for name in ("Scale", "Restart", "Edit YAML"):
        expect(table.output.get_by_role("menuitem", name=name)).to_have_attribute("aria-disabled", "true")
    notebook.screenshots("menu")
    notebook.page.keyboard.press("Escape")
    dialog = table.choose("Delete")
    expect(dialog).to_have_attribute("aria-label", "Delete 5 configmaps")
    typing = dialog.get_by_role("textbox", name="Type delete 5 to go on")
    expect(typing).to_be_visible()
    expect(table.button("Delete")).to_be_disabled()
    typing.fill("delete 4")
    expect(table.button("Delete")).to_be_disabled()
    typing.fill("delete 5")
    notebook.screenshots("many")
    table.button("Delete").click()
    expect(table.output.locator(".foot")).to_contain_text("5 deleted")
    listed = control_plane.kubectl("get", "configmaps", "-n", namespace, "-o", "name")
    assert "configmap/many" not in listed


def test_without_write_there_is_no_menu(notebook: Notebook, control_plane: ControlPlane, namespace: str) -> None:
    create(control_plane, config_map("one", namespace, a="1"))
    notebook.open([connected(control_plane, namespace, False), "nm.table('configmaps')"])
    notebook.run_all()
    table = Table(notebook)
    expect(table.output.locator(".ag-row").filter(has_text="one").first).to_be_visible()
    expect(table.menu).to_be_hidden()
    table.output.locator(".ag-row").filter(has_text="one").locator(".ag-cell.name").first.click()
    notebook.page.keyboard.press("Enter")
    expect(table.output.locator(".panel")).to_be_visible()
    expect(table.output.get_by_role("button", name="Actions")).to_have_count(0)
