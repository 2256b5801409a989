"""The browser tests' own ground: JupyterLab runs cells, shows widgets, and brings them back after a reload."""

from __future__ import annotations

from pathlib import Path

from tests.browser.lab import Notebook

SLIDER = """
import ipywidgets
slider = ipywidgets.IntSlider(value=3, description='how many')
slider
"""


def test_a_widget_lives_in_the_page(notebook: Notebook):
    notebook.open([SLIDER, "print('value', slider.value)"])
    notebook.run_all()
    notebook.wait_for_output(0, "how many")
    notebook.wait_for_output(1, "value 3")
    notebook.kernel("slider.value = 42")
    notebook.wait_for_output(0, "42")
    notebook.screenshot("light")
    notebook.theme("dark")
    notebook.screenshot("dark")
    notebook.reload()
    notebook.wait_for_output(0, "42")


def test_two_pages_share_a_kernel(new_page):
    first: Notebook = new_page()
    first.open([SLIDER])
    first.run_all()
    first.wait_for_output(0, "how many")
    first.save()
    second: Notebook = new_page()
    second.open(first.name)
    second.wait_for_output(0, "how many")
    first.kernel("slider.value = 77")
    first.wait_for_output(0, "77")
    second.wait_for_output(0, "77")


def test_a_busy_cell_does_not_hold_the_test(notebook: Notebook, gate: Path):
    notebook.open([f"import os, time\nprint('busy')\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.1)"])
    notebook.run_cell(0, wait=False)
    notebook.wait_for_output(0, "busy")  # the cell ends when the test does
