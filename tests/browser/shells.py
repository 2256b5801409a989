"""A terminal's view in a page, as a person has it; and pods with shells on the real control plane."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.lab import Notebook
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

SECONDS = 60
SCREEN_MS = SECONDS * 1000
LINE_MIDDLE = 8
"""Pixels from a line's upper edge."""


def web(plane: ControlPlane, namespace: str, name: str = "web-0") -> str:
    """A running pod with two containers and an init one."""
    containers = [{"name": "main", "image": "x"}, {"name": "side", "image": "x"}]
    spec = {"containers": containers, "initContainers": [{"name": "setup", "image": "x"}]}
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    plane.kubectl("apply", "-f", "-", input=json.dumps(pod))
    plane.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "-n", namespace, "--timeout=60s")
    return name


def connect(plane: ControlPlane, namespace: str) -> str:
    """Code that connects."""
    return (
        "import notebook_mux as nm\n"
        f"m = nm.connect(kubeconfig={str(plane.kubeconfig)!r}, write=True, namespace={namespace!r})"
    )


class Shell:
    """The view of a terminal in a cell's output."""

    def __init__(self, notebook: Notebook, index: int) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.view: Locator = notebook.output(index).locator("div.root")
        self.screen = self.view.locator(".xterm-screen")

    def open(self) -> Shell:
        """Wait until it takes keys."""
        self.wait("[data-state=open]")
        return self

    def wait(self, state: str) -> None:
        """Wait until the view has an attribute."""
        self.view.and_(self.page.locator(state)).wait_for(timeout=SCREEN_MS)

    def by(self, way: str) -> Shell:
        """Wait until it goes this way: ``direct`` or ``through the kernel``."""
        expect(self.view.locator(".badge")).to_have_text(way, timeout=SCREEN_MS)
        return self

    @property
    def text(self) -> str:
        """The screen's lines."""
        rows: list[str] = self.view.locator(".xterm-rows > div").all_inner_texts()
        return "\n".join(row.replace("\u00a0", " ").rstrip() for row in rows)

    def see(self, text: str | re.Pattern[str]) -> None:
        """Wait until the screen shows a text."""
        expect(self.view.locator(".xterm-rows")).to_contain_text(text, timeout=SCREEN_MS)

    def focus(self) -> None:
        """Click into it."""
        self.screen.click()

    def type(self, text: str) -> None:
        """Click into it and press these keys; a line end is Enter."""
        self.focus()
        self.page.keyboard.type(text)

    def run(self, command: str, shows: str | re.Pattern[str]) -> None:
        """Type a command and wait for what it prints."""
        self.type(f"{command}\n")
        self.see(shows)

    def place(self, line: Locator) -> tuple[float, float]:
        """The left end of a line of the screen, in the page; lines are drawn anew while output comes."""
        found: list[Any] = []

        def drawn() -> bool:
            box = line.bounding_box()
            if box is not None:
                found[:] = [box["x"], box["y"] + LINE_MIDDLE]
            return box is not None

        eventually(drawn, "the line is on the screen", seconds=SECONDS)
        return found[0], found[1]

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """One of the view's buttons, by its label."""
        return self.view.get_by_role("button", name=name)

    @property
    def question(self) -> Locator:
        """What the view asks."""
        return self.view.get_by_role("alertdialog")

    def line(self, text: str | re.Pattern[str]) -> Locator:
        """Wait for a line below the toolbar."""
        found = self.view.locator(".line").get_by_text(text).first
        found.wait_for(timeout=SCREEN_MS)
        return found

    def style(self, selector: str, name: str) -> Any:
        """A computed style of what is in the view."""
        return self.view.locator(selector).first.evaluate("(e, name) => getComputedStyle(e)[name]", name)
