"""A row's events and logs below a table, in a real JupyterLab: in tabs, opened by pointer and by keys, let go of."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import Notebook
from tests.controlplane.test_exec import pod
from tests.controlplane.test_logs import Write, running, write  # noqa: F401 - a fixture
from tests.controlplane.test_whole_way import config_map, create, user
from tests.testbed.control_plane import ControlPlane

OPEN = """
def parts():
    from notebook_mux.widgets.base import Live
    import ipywidgets
    widgets = list(ipywidgets.widgets.widget._instances.values())
    return sorted(w.kind for w in widgets if isinstance(w, Live) and w._within and not w.closed)

def logs():
    return len(m._core_status()["logs"])
"""
"""What is open for panels in the kernel."""

UNTIL = """
import time
late = time.monotonic() + 45
while not ({wanted}) and time.monotonic() < late:
    time.sleep(0.05)
assert {wanted}, (parts(), logs())
"""


def connected(path: Path, namespace: str) -> str:
    return f"import notebook_mux as nm\nm = nm.connect('*', kubeconfig={str(path)!r}, namespace={namespace!r}){OPEN}"


def twice(plane: ControlPlane, path: Path) -> Path:
    """A kubeconfig in which the cluster is two."""
    config = json.loads(plane.kubectl("config", "view", "--raw", "-o", "json"))
    (context,) = config["contexts"]
    config["contexts"] = [{**context, "name": name} for name in ("east", "west")]
    path.write_text(json.dumps({**config, "current-context": "east"}))
    return path


class Table:
    """A table in a cell's output, as a person has it."""

    def __init__(self, notebook: Notebook, index: int = 1) -> None:
        self.output = notebook.output(index)
        self.panel = self.output.locator(".panel")
        self.lines = self.panel.get_by_role("log").locator(".row")

    def row(self, *texts: str):
        rows = self.output.locator(".ag-row")
        for text in texts:
            rows = rows.filter(has_text=text)
        return rows.first

    def button(self, *texts: str):
        """A row's; `texts` are the row's, its name the last."""
        return self.row(*texts).get_by_role("button", name=f"Details of {texts[-1]}", exact=True)

    def tab(self, name: str) -> None:
        """Choose one."""
        self.panel.get_by_role("tab", name=name, exact=True).click()

    def said(self, part: str):
        return self.panel.locator(f"[data-part={part}] .said")


def test_a_pods_events_and_logs(
    notebook: Notebook,
    control_plane: ControlPlane,
    namespace: str,
    tmp_path: Path,
    write: Write,  # noqa: F811
):
    for name in ("web-0", "web-1"):
        write(name, *(f"{name} has line {number}" for number in range(40)))
        create(control_plane, {**pod(name, namespace), "spec": {"containers": [{"name": "main", "image": "x"}]}})
    running(control_plane, namespace, "web-0", "web-1")
    path = twice(control_plane, tmp_path / "twice")
    notebook.open([connected(path, namespace), "table = nm.table('pods')\ntable", "parts(), logs()"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    table = Table(notebook)
    # by pointer: the button is seen where the pointer is
    act = table.button("west", "web-0")
    expect(act).to_have_css("opacity", "0")
    table.row("west", "web-0").hover()
    expect(act).to_have_css("opacity", "1")
    notebook.screenshot("hover")
    act.click()
    expect(table.panel).to_have_attribute("aria-label", "Pod web-0")
    expect(act).to_have_attribute("aria-expanded", "true")
    table.tab("Events")
    expect(table.panel.get_by_text(f"events of pod/web-0 in {namespace} of west")).to_be_visible()
    expect(table.panel.locator("[data-part=events] .row").filter(has_text="Scheduled").first).to_be_visible()
    table.tab("Logs")
    expect(table.lines.filter(has_text="web-0 has line 39")).to_be_visible()
    assert table.panel.locator(".freeze:visible").count() == 0, "a part has no copy of its own"
    assert table.output.get_by_text("selected").count() == 0, "the row was not selected by it"
    # it is live
    write("web-0", "what came later")
    expect(table.lines.filter(has_text="what came later")).to_be_visible()
    table.panel.scroll_into_view_if_needed()
    notebook.screenshots("pod")
    # another row's, by keys, in its place
    table.row("east", "web-1").locator(".ag-cell.name").click()
    notebook.page.keyboard.press("Enter")
    expect(table.panel).to_have_attribute("aria-label", "Pod web-1")
    expect(table.panel.get_by_role("tab", name="Details")).to_be_focused()
    for _ in range(3):  # YAML, events, logs
        notebook.page.keyboard.press("ArrowRight")
    expect(act).to_have_attribute("aria-expanded", "false")
    expect(table.lines.filter(has_text="web-1 has line 39")).to_be_visible()
    # run again: the same table, and nothing is left open
    notebook.run_cell(1)
    expect(table.panel).to_be_hidden()
    notebook.kernel(UNTIL.format(wanted="parts() == []"))
    table.row("east", "web-1").hover()
    table.button("east", "web-1").click()
    table.tab("Logs")
    expect(table.lines.filter(has_text="web-1 has line 39")).to_be_visible()
    notebook.kernel(UNTIL.format(wanted="parts() == ['details', 'logs']"))  # each comes for itself
    notebook.run_cell(2)
    notebook.wait_for_output(2, re.compile(r"\['details', 'logs'\]"))
    table.panel.get_by_role("button", name="Close Pod web-1").click()
    expect(table.panel).to_be_hidden()
    notebook.kernel(UNTIL.format(wanted="parts() == [] and logs() == 0"))
    notebook.run_cell(2)
    notebook.wait_for_output(2, re.compile(r"\(\[\], 0\)"))


def test_a_deployments_and_what_has_no_pods(
    notebook: Notebook,
    control_plane: ControlPlane,
    namespace: str,
    write: Write,  # noqa: F811
):
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web", "--replicas=2")
    control_plane.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    names = control_plane.kubectl("get", "pods", "-n", namespace, "-o", "jsonpath={.items[*].metadata.name}").split()
    for name in names:
        write(name, f"said by {name}", container="web")
    create(control_plane, config_map("settings", namespace))
    tables = [f"nm.table('{kind}')" for kind in ("deployments", "configmaps", "events")]
    notebook.open([connected(control_plane.kubeconfig, namespace), *tables])
    notebook.run_all()
    table = Table(notebook)
    table.row("web").hover()
    table.button("web").click()
    table.tab("Logs")
    for name in names:
        expect(table.lines.filter(has_text=f"said by {name}")).to_be_visible()
    table.tab("Events")
    events = table.panel.locator("[data-part=events] .row")
    for reason in ("ScalingReplicaSet", "SuccessfulCreate", "Scheduled"):
        expect(events.filter(has_text=reason).first).to_be_attached()
    table.panel.scroll_into_view_if_needed()
    notebook.screenshots("deployment")
    maps = Table(notebook, 2)
    maps.row("settings").hover()
    maps.button("settings").click()
    maps.tab("Events")
    expect(maps.panel.get_by_role("tab", name="Logs")).to_be_hidden()
    expect(maps.panel.get_by_text(re.compile("No events in the last hour"))).to_be_visible()
    # of an event there is what it is about
    happened = Table(notebook, 3)
    happened.row("ScalingReplicaSet").hover()
    happened.row("ScalingReplicaSet").locator(".act button").click()
    happened.panel.get_by_role("button", name="Deployment web").click()
    expect(happened.panel).to_have_attribute("aria-label", "Deployment web")
    # what a page had open goes with it
    notebook.kernel(UNTIL.format(wanted="parts() == ['details'] * 3 + ['events'] * 2 + ['logs']"))
    notebook.reload()
    notebook.kernel(UNTIL.format(wanted="parts() == []"))
    notebook.kernel("still = len(parts())")
    notebook.run_cell(1)
    expect(Table(notebook).panel).to_be_hidden()


def test_what_may_not_be_seen_is_said_in_words(
    notebook: Notebook, control_plane: ControlPlane, namespace: str, tmp_path: Path
):
    create(control_plane, pod("web-0", namespace))
    running(control_plane, namespace, "web-0")
    path = user(control_plane, tmp_path / "config", "lister", namespace, "get,list,watch pods")
    notebook.open([connected(path, namespace), "nm.table('pods')"])
    notebook.run_all()
    table = Table(notebook)
    table.row("web-0").hover()
    table.button("web-0").click()
    table.tab("Events")
    expect(table.said("events")).to_contain_text("events")
    expect(table.said("events")).to_contain_text("forbidden")
    expect(table.said("events")).to_have_class(re.compile("bad"))
    table.tab("Logs")
    expect(table.panel.get_by_text(re.compile("pods/log")).first).to_be_visible()
    table.panel.scroll_into_view_if_needed()
    notebook.screenshots("forbidden")
