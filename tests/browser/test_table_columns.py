"""Columns of one's own, of labels and of usage in a real JupyterLab; and what a saved notebook shows of them."""

from __future__ import annotations

import json
import re

from tests.browser.lab import Notebook
from tests.browser.test_table import SETUP, freeze, see
from tests.browser.test_table_grid import PODS, Grid
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

OWN = (
    SETUP.rpartition("table\n")[0]
    + """
import json
def labelled(number, status=None):
    record = pod(number, rng)
    labels = {"app": record.name.split("-")[0]}
    content = {"metadata": {"name": record.name, "labels": labels}, "spec": {"nodeName": f"node-{number % 3}"}}
    if number == 4:
        del content["spec"]
    record.object = json.dumps(content).encode()
    if status:
        record.cells = record.cells.replace(json.loads(record.cells)[2].encode(), status.encode())
    return record
stream.put(*(labelled(number, "CrashLoopBackOff" if number == 3 else "Running") for number in range(30)))
def size(obj):
    return len(obj["spec"]["nodeName"])
columns = ["Name", "Status", "On:.spec.nodeName", ("Size", size), "Age"]
table.apply(columns=columns, labels=["app"], group="namespace", sort="-Name")
table
"""
)


def test_columns_of_ones_own_live_and_in_the_saved_notebook(new_page):
    notebook = new_page(errors=True)  # its kernel is ended
    notebook.open([OWN])
    notebook.run_cell(0)
    see(notebook, 0, "31 rows")
    for title in ("On", "Size", "app"):
        see(notebook, 0, title)
    see(notebook, 0, "!KeyError")
    see(notebook, 0, "the column Size: KeyError: 'spec'")
    see(notebook, 0, re.compile("^kube-system$"))
    notebook.screenshots("table-columns")
    # a function that is not there any more breaks nothing
    notebook.kernel("table.apply(columns=['Name', 'Status', ('Size', lambda obj: 7)])")
    see(notebook, 0, re.compile("^7$"))
    notebook.kernel("table.apply(columns=columns)")
    see(notebook, 0, "!KeyError")
    freeze(notebook)
    see(notebook, 0, "a fresh copy is in the notebook")
    saved = notebook.save()
    plain = next("".join(o["data"]["text/plain"]) for o in saved["cells"][0]["outputs"] if "text/html" in o["data"])
    assert re.search(
        r"rows · grouped by namespace · sorted by Name descending · as of \d{4}-\d\d-\d\d .* from kind-a", plain
    )
    assert "— shop · " in plain
    notebook.lab.end_kernels()
    see(notebook, 0, re.compile("Not live since .*"))
    notebook.screenshot("table-columns-gone")
    other = new_page(errors=True).open_without_kernel(notebook.name)
    copy = other.output(0).locator(".notebook-mux-copy")
    copy.wait_for()
    shown = copy.inner_text()
    assert re.search(r"copy of \d{4}-\d\d-\d\d .* from kind-a, prod-eu", shown)
    assert "■" in shown, "a fault has a shape"
    assert shown.index("kube-system") < shown.index("shop")
    other.screenshots("table-columns-copy")


USAGE = ["CPU", "%CPU/R", "%CPU/L", "Mem", "%Mem/R", "%Mem/L"]


def test_usage_where_one_cluster_measures_and_one_does_not(
    notebook: Notebook, control_plane: ControlPlane, namespace: str, first_look: RunningPlayground
):
    """The figures of the one, the rows of both, and a note of what is missing."""
    create(control_plane, pod("unmeasured", namespace))
    without = control_plane.kubectl("config", "current-context").strip()
    measured = json.loads(first_look.kubeconfig.read_text())["current-context"]
    files = [str(control_plane.kubeconfig), str(first_look.kubeconfig)]
    connect = f"import notebook_mux as nm\nm = nm.connect('*', kubeconfig={files})"
    notebook.open([connect, "m.table('pods', usage=True, namespace='*', sort='-Cluster')"])
    notebook.run_all()
    see(notebook, 1, f"no metrics in {without}: the metrics API (metrics-server) is not installed")
    grid = Grid(notebook, 1)
    eventually(lambda: set(USAGE) <= set(grid.titles()), seconds=30)

    def cpu() -> dict[str, set[bool]]:
        """The clusters whose rows are drawn, and whether these have a figure."""
        found: dict[str, set[bool]] = {}
        for cluster, figure in grid.columns("Cluster", "CPU"):
            found.setdefault(cluster, set()).add(bool(figure))
        return found

    eventually(lambda: True in cpu().get(measured, ()), seconds=30)
    notebook.screenshots("usage-of-one")
    grid.root.get_by_role("columnheader", name="Cluster").first.click()
    eventually(lambda: cpu().get(without) == {False}, seconds=30)


# Layouts go to the disk when nobody has arranged anything for a moment: of slow hands first without the last change.
WRITTEN = """
import json, time
from notebook_mux.life.folders import config_dir
def written():
    file = config_dir() / "layouts.json"
    layouts = [one["layout"] for one in json.loads(file.read_text())["tables"].values()] if file.exists() else []
    return any("Roles" in one.get("hidden", ()) and "Version" in one.get("order", ()) for one in layouts)
late = time.monotonic() + 60
while not written() and time.monotonic() < late:
    time.sleep(0.05)
assert written()
"""


def test_a_layout_outlives_the_kernel(notebook: Notebook, control_plane: ControlPlane):
    notebook.open(
        [f"import notebook_mux as nm\nnm.connect(kubeconfig={str(control_plane.kubeconfig)!r})\nnm.table('nodes')"]
    )
    notebook.run_cell(0)
    grid = Grid(notebook)
    given = ["Name", "Status", "Roles", "Age", "Version"]
    eventually(lambda: grid.titles() == given, seconds=30)
    grid.root.get_by_role("button", name="Columns", exact=True).press("Enter")
    menu = grid.root.get_by_role("group", name="Columns", exact=True)
    menu.get_by_role("checkbox", name="Roles").press("Space")
    menu.get_by_role("button", name="Move Version left").press("Enter")
    made = ["Name", "Status", "Version", "Age"]
    eventually(lambda: grid.titles() == made, seconds=30)
    notebook.kernel(WRITTEN)
    notebook.restart_kernel()
    notebook.run_cell(0)
    eventually(lambda: grid.titles() == made, seconds=30)
    grid.root.get_by_role("button", name="Columns", exact=True).press("Enter")
    menu.get_by_role("button", name="Reset").press("Enter")
    eventually(lambda: grid.titles() == given, seconds=30)


LAID_OUT = """root => Object.fromEntries([...root.querySelectorAll(".ag-header-cell:not(.act)")].map(cell => {
    const [box, room] = [cell, root.querySelector(".host")].map(one => one.getBoundingClientRect());
    return [cell.getAttribute("col-id"), [box.left - room.left, box.width, room.right - box.right]];
}))"""
"""Pixels from the left, width, and pixels to the right edge of the rows, of each column that is drawn."""

AT_REST = f"""(root, width) => new Promise(resolve => {{
    const laidOut = {LAID_OUT};
    root.style.width = `${{width}}px`;
    let [last, same] = ["", 0];
    const look = () => {{
        const now = JSON.stringify(laidOut(root));
        same = now === last ? same + 1 : 0;
        last = now;
        if (same < 30) requestAnimationFrame(look);
        else resolve(JSON.parse(now));
    }};
    requestAnimationFrame(look);
}})"""
"""The same in a view of a width, once 30 frames have drawn no other: by the page's own pace, however slow it is."""


def test_usage_is_seen_without_scrolling_and_names_are_cut_last(notebook: Notebook):
    make = "record = pod(number, rng)\n"
    setup = PODS.replace(make, make + "    record.name += '-7c5ddbdf54-x2v9q'\n")
    notebook.open([setup.replace("Table(stream)", "Table(stream, usage=True)")])
    notebook.run_cell(0)
    see(notebook, 0, "12 rows")
    grid = Grid(notebook)
    titles = ["Namespace", "Name", "Ready", "Status", "Restarts", *USAGE, "Age"]
    eventually(lambda: grid.titles() == titles, seconds=30)

    def laid_out(width: int) -> dict[str, list[float]]:
        """The columns in a view that is so wide, once they have found their places in it."""
        found: dict[str, list[float]] = grid.root.evaluate(AT_REST, width)
        return found

    at = laid_out(1200)
    assert all(at[title][2] >= 0 for title in titles)
    whole = at["Name"][1]
    at = laid_out(900)
    assert all(at[title][2] >= 0 for title in USAGE)
    assert 100 < at["Name"][1] < whole
    assert laid_out(400)["Name"][1] == at["Name"][1]
    notebook.screenshot("narrow", grid.root)
    # no row is behind the scrollbar, which shows what is not to be seen otherwise
    frame = grid.root.locator(".ag-grid-viewport")
    assert frame.evaluate("e => e.scrollHeight - e.clientHeight") <= 0
    grid.root.locator(".ag-body-horizontal-scroll-viewport").evaluate("e => { e.scrollLeft = 5000; }")
    eventually(lambda: grid.root.evaluate(LAID_OUT).get("Age", [0, 0, -1])[2] >= 0, seconds=30)
