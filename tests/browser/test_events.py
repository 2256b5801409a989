"""Events in a real JupyterLab: their time line beside the pods' states, the list, and what is new in it."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.browser.lab import Notebook
from tests.controlplane.test_whole_way import create
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

REPOSITORY = Path(__file__).resolve().parents[2]

SETUP = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
from tests.unit.widgets.happening import *
from notebook_mux.widgets.events import EventsView
events = FakeEvents()
"""

POD = "web-7d4b9c6f8-kq2xz"

NEWS = """root => {
    const said = (window.saidNew = []), button = root.querySelector("button.new");
    new MutationObserver(() => button.hidden || said.push(button.textContent))
        .observe(button, { attributes: true, characterData: true, childList: true, subtree: true });
}"""
"""What is new is so for three seconds in which it is in sight: each number that is said is written down."""

FRESH = """root => {
    const seen = (window.freshRows = []), list = root.querySelector(".list");
    new MutationObserver(() => seen.push(...[...list.querySelectorAll(".row.fresh")].map(row => row.textContent)))
        .observe(list, { childList: true, subtree: true });
}"""
"""And each row that is drawn as new."""


def see(notebook: Notebook, index: int, text: str | re.Pattern[str], *, seconds: float = 30) -> None:
    """Wait until the live view in a cell's output shows a text."""
    view = notebook.output(index).locator("div.root")
    view.get_by_text(text).locator("visible=true").first.wait_for(timeout=seconds * 1000)


def rows(notebook: Notebook):
    return notebook.output(0).locator(".list .row")


def opened(notebook: Notebook, code: str) -> None:
    notebook.open([f"{SETUP}\n{code}\nview = EventsView(events, 'key')\nview"])
    notebook.run_cell(0)


def test_of_a_real_cluster(notebook: Notebook, control_plane: ControlPlane, namespace: str):
    control_plane.kubectl("create", "deployment", "web", "-n", namespace, "--image=web", "--replicas=2")
    control_plane.kubectl("rollout", "status", "deployment/web", "-n", namespace, "--timeout=60s")
    connect = f"nm.connect(kubeconfig={str(control_plane.kubeconfig)!r}, namespace={namespace!r}, write=True)"
    again = "nm.events('deploy/web') is nm.events('deployment/web')"
    notebook.open([f"import notebook_mux as nm\n{connect};", "nm.events('deploy/web')", again, "nm.events()"])
    notebook.run_all()
    see(notebook, 1, f"events of deployment/web in {namespace}")
    see(notebook, 1, re.compile(r"pod/web-\w+-\w+"))
    notebook.output(1).locator("rect.state.ready").first.wait_for()
    notebook.wait_for_output(2, "True")
    see(notebook, 3, f"events in {namespace}")
    notebook.output(3).locator("rect.state.ready").first.wait_for()
    notebook.screenshot("events-real")
    # an event and the log around it, in one view
    pod = control_plane.kubectl("get", "pods", "-n", namespace, "-o", "jsonpath={.items[0].metadata.name}")
    path = control_plane.folder / "logs" / f"{namespace}_{pod}_web.log"
    now = time.time()
    stamps = [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now - ago)) for ago in range(8, 0, -1)]
    path.write_text("".join(f"{at}.250000000Z stdout F {n} <b>said</b>\x1b[31m red\n" for n, at in enumerate(stamps)))
    unhealthy = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "unhealthy", "namespace": namespace},
        "involvedObject": {"kind": "Pod", "name": pod, "namespace": namespace, "fieldPath": "spec.containers{web}"},
        "type": "Warning", "reason": "Unhealthy", "message": "Readiness probe failed", "count": 3,
        "firstTimestamp": f"{stamps[1]}Z", "lastTimestamp": f"{stamps[5]}Z",
    }  # fmt: skip
    create(control_plane, unhealthy)
    notebook.output(1).locator(".row").filter(has_text="Unhealthy").click()
    notebook.output(1).get_by_role("button", name="Log around it").click()
    see(notebook, 1, re.compile("7 <b>said</b> red"))
    assert notebook.output(1).locator(".log .mark").all_inner_texts()[-1].endswith("Unhealthy: Readiness probe failed")
    notebook.screenshot("events-log")
    path.unlink()
    # the page is told of what comes: a new pod's lane, and the end of an old one
    notebook.output(1).locator("div.root").evaluate(NEWS)
    control_plane.kubectl("set", "image", "deployment/web", "-n", namespace, "web=other")
    eventually(lambda: notebook.page.evaluate("window.saidNew"), "it is said to be new", seconds=30)
    notebook.output(1).locator("path.mark.gone").first.wait_for(state="attached")
    notebook.screenshot("events-real-later")


def test_one_event_and_none(notebook: Notebook):
    opened(notebook, "")
    see(notebook, 0, re.compile("No events in the last hour; the API server keeps events for about an hour by default"))
    notebook.screenshot("events-none")
    notebook.output(0).locator("div.root").evaluate(NEWS)
    notebook.kernel(f"events.put(event(1, Thing('Pod', 'shop', {POD!r}), CAUSES[5], first=40, last=3, count=14))")
    see(notebook, 0, "1 event · 14 times in all · 1 warning")
    see(notebook, 0, "×14 over 37s")
    eventually(lambda: notebook.page.evaluate("window.saidNew").count("1 new"), "it is said to be new", seconds=30)
    notebook.screenshot("events-one")
    notebook.output(0).locator(".row.fresh").wait_for(state="detached")  # it has been looked at
    notebook.output(0).locator(".happened[data-key]").first.click()
    see(notebook, 0, re.compile("pod/.*, container web"))
    notebook.theme("dark")
    notebook.screenshot("events-one-dark")


def test_a_rollout(notebook: Notebook):
    opened(notebook, "rollout(events)")
    see(notebook, 0, "17 events")
    labels = notebook.output(0).locator(".time .label")
    labels.first.wait_for()
    assert labels.nth(0).inner_text() == "deployment/web"
    assert notebook.output(0).locator("rect.state.ready").count() >= 2
    assert notebook.output(0).locator("path.mark.killed").count() >= 1
    notebook.screenshot("events-rollout")
    # from a dot to its row, and from a row to its dot
    assert notebook.output(0).locator(".row.picked").count() == 0
    dot = notebook.output(0).locator(".happened.warning[data-key]").first
    dot.click()
    notebook.output(0).locator(".row.picked.warning").wait_for()
    rows(notebook).filter(has_text="Scaled down").click()
    notebook.output(0).locator(".label.picked").get_by_text("deployment/web").wait_for()
    see(notebook, 0, "Scaled down replica set web-6c8f7d9b5 from 3 to 2")
    notebook.page.keyboard.press("ArrowUp")
    notebook.output(0).locator(".row.picked").filter(has_text="SuccessfulDelete").wait_for()
    notebook.output(0).get_by_role("button", name="Close", exact=True).click()
    # its order
    notebook.output(0).get_by_role("button", name="Warnings first").click()
    rows(notebook).first.filter(has_text="BackOff").wait_for()
    notebook.output(0).get_by_role("button", name="By object").click()
    see(notebook, 0, re.compile("2 warnings"))
    notebook.output(0).get_by_placeholder(re.compile("Filter")).fill("backoff !t9wpl")
    see(notebook, 0, "1 of 17 events")
    notebook.screenshot("events-filtered")
    notebook.output(0).get_by_placeholder(re.compile("Filter")).fill("nothing at all")
    see(notebook, 0, "None of 17 events passes the filter.")
    notebook.output(0).get_by_placeholder(re.compile("Filter")).fill("")
    notebook.output(0).get_by_role("button", name="By object").click()
    notebook.theme("dark")
    notebook.screenshot("events-rollout-dark")
    notebook.reload()
    see(notebook, 0, "17 events")
    copy = notebook.output(0).locator(".notebook-mux-copy")
    assert copy.count() == 1
    assert not copy.is_visible()


def test_ten_thousand(notebook: Notebook):
    opened(notebook, "storm(events, 10_000)")
    see(notebook, 0, re.compile("10.000 events"), seconds=60)
    notebook.screenshot("events-many")
    assert rows(notebook).count() < 40, "only those in sight are in the page"
    assert notebook.output(0).locator("svg.lanes *").count() < 4000
    notebook.output(0).locator(".list").evaluate("list => { list.scrollTop = list.scrollHeight; }")
    notebook.output(0).locator(".time .scroll").evaluate("lanes => { lanes.scrollTop = lanes.scrollHeight; }")
    see(notebook, 0, re.compile("pod/job-399"))
    where = notebook.output(0).locator(".list").evaluate("list => list.scrollTop")
    last = rows(notebook).last.inner_text()
    notebook.kernel("events.put(event(10_001, Thing('Pod', 'shop', 'new-0'), CAUSES[5], first=1, last=1))")
    see(notebook, 0, "1 new")
    assert notebook.output(0).locator(".list").evaluate("list => list.scrollTop") >= where, "what one reads stays there"
    assert rows(notebook).last.inner_text().split()[1:] == last.split()[1:]
    notebook.output(0).locator("div.root").evaluate(FRESH)
    notebook.output(0).get_by_role("button", name="1 new").click()
    eventually(lambda: "pod/new-0" in "".join(notebook.page.evaluate("window.freshRows")), "it is shown", seconds=30)
    notebook.theme("dark")
    notebook.screenshot("events-many-dark")


def test_what_a_cluster_says_is_text(notebook: Notebook):
    evil = "('<img src=x onerror=alert(1)>', '\\u202e<script>document.title=1</script>\\n' + 'x' * 3000, True)"
    opened(notebook, f"events.put(event(1, Thing('Pod', 'shop', '<b>web</b>\\u202e0'), {evil}, first=5, last=5))")
    see(notebook, 0, "1 event")
    rows(notebook).first.click()
    see(notebook, 0, re.compile("<script>"))
    root = notebook.output(0).locator("div.root")
    assert root.locator("img, script, b").count() == 0
    shown = root.inner_text()
    assert "\u202e" not in shown
    wide = root.evaluate("root => root.scrollWidth <= root.clientWidth + 1")
    assert wide, "a long word breaks nothing"
    notebook.screenshot("events-hostile")
