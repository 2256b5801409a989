"""Notebook 7: the same widgets in the other front end, with one row and with ten thousand, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

from tests.browser.lab import Notebook
from tests.playground import RunningPlayground

REPOSITORY = Path(__file__).resolve().parents[2]

ROWS = f"""
import sys
sys.path.insert(0, {str(REPOSITORY)!r})
import random
from tests.unit.widgets.fakes import *
from notebook_mux.widgets.table import Table
rng = random.Random(1)
one, many = FakeStream(), FakeStream()
one.put(pod(0, rng))
many.put(*(pod(number, rng) for number in range(10_000)))
"""


def rows(notebook: Notebook, index: int):
    return notebook.output(index).locator(".ag-row")


def test_one_row_and_ten_thousand(notebook: Notebook):
    notebook.open([ROWS, "small = Table(one); small", "large = Table(many, name='large'); large",
                   "large.selected"], app="notebook")  # fmt: skip
    for index in range(3):
        notebook.run_cell(index)
    notebook.see(1, re.compile("^1 row$"))
    notebook.see(2, re.compile("^10\u202f000 rows"))
    notebook.kernel("many.put(pod(3, random.Random(2)))")
    notebook.see(2, re.compile("last change"))
    notebook.output(2).get_by_placeholder(re.compile("Filter")).fill("web-99")
    notebook.see(2, re.compile("^11 of 10\u202f000 rows"))
    rows(notebook, 2).get_by_text("web-999", exact=True).click()
    notebook.see(2, "1 selected")
    notebook.run_cell(3)
    notebook.wait_for_output(3, "web-999")
    notebook.output(2).get_by_placeholder(re.compile("Filter")).fill("")
    notebook.see(2, re.compile("^10\u202f000 rows"))
    notebook.screenshots("rows")


def test_a_real_table_its_end_and_its_copy(new_page, still_look: RunningPlayground):
    notebook: Notebook = new_page(errors=True)  # the page logs the model that is not there any more
    notebook.open(
        [f"import notebook_mux as nm; nm.connect(kubeconfig={str(still_look.kubeconfig)!r})", "nm.table('pods')"],
        app="notebook",
    )
    notebook.run_all()
    notebook.see(0, "socket open")
    notebook.see(1, re.compile(r"^\d+ rows"))
    notebook.screenshots("live")
    notebook.save()
    notebook.restart_kernel()
    for index in (0, 1):
        notebook.see(index, re.compile("Not live since .*: the kernel has gone. Run the cell again."))
    notebook.screenshot("gone")
    notebook.reload()
    for index in (0, 1):
        copy = notebook.output(index).locator(".notebook-mux-copy")
        copy.wait_for()
        assert re.search(r"copy of 20\d\d-\d\d-\d\d", copy.inner_text())
        said = notebook.output(index).inner_text()
        assert "Loading widget" not in said
        assert "model not found" not in said
    notebook.screenshot("copy")
    notebook.run_all()
    notebook.see(1, re.compile(r"^\d+ rows"))
