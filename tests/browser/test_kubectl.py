"""``%kubectl`` in a real JupyterLab: tables, YAML, failures, and what goes on until it is interrupted."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.lab import Notebook

APPLY = """%%kubectl apply
apiVersion: v1
kind: ConfigMap
metadata: {name: lesson}
data: {greeting: hello}
"""


def test_a_lesson_s_cells(notebook: Notebook):
    notebook.open(
        [
            "import notebook_mux as nm; nm.demo();",
            "%kubectl get deploy,pods -n shop",
            APPLY,
            "%kubectl get configmap lesson -o yaml",
            "%kubectl get pods nothing",
            "%kubectl --no-raise-error get pods nothing",
            "%kubectl get pods -w",
            "_.returncode, len(_.rows) > 3",
        ]
    )
    for index in range(4):
        notebook.run_cell(index)
    notebook.wait_for_output(1, "storefront")
    expect(notebook.output(1).locator("table")).to_have_count(2)
    notebook.wait_for_output(2, "configmap/lesson created")
    notebook.wait_for_output(3, "greeting")
    for index in (4, 5):
        notebook.run_cell(index)
        notebook.wait_for_output(index, 'pods "nothing" not found')
    notebook.run_cell(6, wait=False)
    notebook.wait_for_output(6, re.compile("import-.*(Running|Completed)"))
    notebook.command("notebook:interrupt-kernel")
    notebook.wait_for_output(6, "ended by an interrupt")
    notebook.run_cell(7)
    notebook.wait_for_output(7, "(0, True)")
    for theme in ("light", "dark"):
        notebook.theme(theme)
        for index, name in ((1, "tables"), (5, "words")):
            notebook.output(index).scroll_into_view_if_needed()
            notebook.screenshot(f"kubectl-{name}-{theme}")
