"""Chromium with a page that nobody watches while it is measured.

Playwright has each WebSocket frame of a page copied to it, read or not: of 20 MB in a terminal that is a quarter of a
second of the page's own time. So it opens a page here and lets go, and what is measured is asked with a bare DevTools
session that has no copies sent (https://chromedevtools.github.io/devtools-protocol/).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright
from websockets.sync.client import ClientConnection, connect

from tests.browser import chromium
from tests.browser.lab import NOT_OURS, end_process

WINDOW = "--window-size=1400,1000"
START_SECONDS = 60.0
END_SECONDS = 10.0
POLL_SECONDS = 0.05
ANSWER_SECONDS = 300.0
"""For one question: it may wait for what is measured."""

ENTER = "Enter"
CONTROL = "Control+"
CONTROL_BIT = 2
"""Of `Input.dispatchKeyEvent`'s modifiers."""
CODES = {ENTER: 13, "Backspace": 8}
"""Their places among virtual key codes, as in ASCII."""


class Chromium:
    """A browser of its own process, with its pages in the profile's one context.

    Args:
        folder: For its profile.
    """

    def __init__(self, folder: Path) -> None:
        path = chromium.path()
        if path is None:
            raise RuntimeError(chromium.NONE)
        words = [path, *chromium.FLAGS, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={folder}",
                 WINDOW, "about:blank"]  # fmt: skip
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._endpoint = f"http://127.0.0.1:{self._port(folder / 'DevToolsActivePort')}"

    def _port(self, file: Path) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError, IndexError, ValueError):
                return int(file.read_text().splitlines()[0])
            time.sleep(POLL_SECONDS)
        self.end()
        raise RuntimeError("Chromium did not start")

    @contextlib.contextmanager
    def attached(self, url: str = "", script: str = "") -> Iterator[Page]:
        """The page whose address begins so, or a new one, in Playwright's hands; it stays when they let go.

        Args:
            url: Empty is a new page.
            script: What a new page runs first.
        """
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(self._endpoint)
            context = browser.contexts[0]
            page = next(one for one in context.pages if one.url.startswith(url)) if url else context.new_page()
            if script:
                page.add_init_script(script)
            yield page
            browser.close()  # leaves it, for it was not started here

    @contextlib.contextmanager
    def unwatched(self, url: str) -> Iterator[UnwatchedPage]:
        """The page whose address begins so."""
        with urllib.request.urlopen(f"{self._endpoint}/json", timeout=END_SECONDS) as answer:
            targets = json.load(answer)
        (found,) = [one for one in targets if one["type"] == "page" and one["url"].startswith(url)]
        with connect(found["webSocketDebuggerUrl"], max_size=None, ping_interval=None, proxy=None) as socket:
            yield UnwatchedPage(socket)

    def end(self) -> None:
        """End the process."""
        end_process(self._process)


class Kept:
    """Stands for what the page keeps under that name of its `window`."""

    def __init__(self, name: str) -> None:
        self.name = name


class UnwatchedPage:
    """What `tests.browser.screens` needs of a page, by a bare DevTools session.

    Attributes:
        errors: What has gone wrong in the page's scripts since.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self.keyboard = self
        self.errors: list[str] = []
        self._listeners: dict[str, Callable[[dict[str, Any]], None]] = {}
        self.send("Runtime.enable")
        self.errors.clear()  # what was said before it looked is said again
        self.send("Emulation.setFocusEmulationEnabled", {"enabled": True})

    def evaluate(self, script: str, argument: object = None) -> Any:
        """What an expression is, or what a function answers to one argument."""
        expression = f"(made => typeof made === 'function' ? made({_source(argument)}) : made)({script.strip()})"
        answer = self.send("Runtime.evaluate",
                           {"expression": expression, "awaitPromise": True, "returnByValue": True})  # fmt: skip
        if "exceptionDetails" in answer:
            raise RuntimeError(f"in the page: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a letter or a digit, one with Control, Enter or Backspace: named as Playwright names them."""
        event: dict[str, Any]
        if key in CODES:
            event = {"key": key, "code": key, "windowsVirtualKeyCode": CODES[key]}
            event |= {"text": "\r"} if key == ENTER else {}
        else:
            letter = key.removeprefix(CONTROL)
            code = f"Digit{letter}" if letter.isdigit() else f"Key{letter.upper()}"
            event = {"key": letter, "code": code, "windowsVirtualKeyCode": ord(letter.upper())}
            event |= {"modifiers": CONTROL_BIT} if letter != key else {"text": letter}
        self.send("Input.dispatchKeyEvent", {"type": "keyDown" if "text" in event else "rawKeyDown", **event})
        event.pop("text", None)
        self.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    def wait_for_function(self, script: str) -> None:
        """Wait until a function of the page says so."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while not self.evaluate(script):
            if time.monotonic() > deadline:
                raise RuntimeError(f"never so in the page: {script}")
            time.sleep(POLL_SECONDS)

    def wait_for_timeout(self, milliseconds: float) -> None:
        """Wait."""
        time.sleep(milliseconds / 1000)

    def send(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Ask one thing of the DevTools protocol."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params or {}}))
        while True:
            answer = json.loads(self._socket.recv(timeout=ANSWER_SECONDS))
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._heard(answer.get("method", ""), answer.get("params", {}))

    @contextlib.contextmanager
    def heard(self, method: str, listener: Callable[[dict[str, Any]], None]) -> Iterator[None]:
        """Have events of one kind given to a function, when the next answer is waited for."""
        self._listeners[method] = listener
        yield
        del self._listeners[method]

    def _heard(self, method: str, params: dict[str, Any]) -> None:
        if (listener := self._listeners.get(method)) is not None:
            listener(params)
        if method == "Runtime.exceptionThrown" or (method == "Runtime.consoleAPICalled" and params["type"] == "error"):
            text = json.dumps(params)
            if not NOT_OURS.search(text):
                self.errors.append(text)


def _source(value: object) -> str:
    if isinstance(value, Kept):
        return f"window.{value.name}"
    if isinstance(value, list):
        return f"[{', '.join(_source(one) for one in value)}]"
    return json.dumps(value)
