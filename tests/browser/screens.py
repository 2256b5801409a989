"""Terminals in a JupyterLab page, as tests and benchmarks see them: real keys in, xterm's own buffer out.

A screen is an xterm.js terminal in the page, whoever made it. Times are the page's own clock: from the key's event to
when what it brought is in the terminal's buffer (*seen*), or when the terminal has drawn after that (*drawn*).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Self

from playwright.sync_api import JSHandle, Locator, Page

SHELL = "exec env PS1='ready$ ' bash --norc --noprofile"
"""What runs in each terminal that is measured: the same shell with the same prompt, whatever the user has."""

PROMPT = "ready$"
FIRST_SECONDS = 60.0
POLL_MS = 20
LAST_LINES = 5
"""From the bottom of the buffer, where a marker is looked for."""

SCRIPT = """
(() => {
    if (window.nmScreens) return;
    let key = 0;
    document.addEventListener('keydown', event => { key = event.timeStamp; }, true);
    const now = () => performance.now();
    const place = term => {
        const buffer = term.buffer.active;
        return (buffer.baseY + buffer.cursorY) * term.cols + buffer.cursorX;
    };
    const has = (term, text, lines) => {
        const buffer = term.buffer.active, last = buffer.baseY + buffer.cursorY;
        for (let y = last; y >= 0 && y > last - lines; y--) {
            if (buffer.getLine(y)?.translateToString(true).startsWith(text)) return true;
        }
        return false;
    };
    // Resolves when `holds` does after a write was parsed, and then when the terminal has drawn; null after `wait` ms.
    const watch = (term, holds, wait) => new Promise(resolve => {
        const hooks = [];
        const end = result => { clearTimeout(timer); hooks.forEach(hook => hook.dispose()); resolve(result); };
        const timer = setTimeout(() => end(null), wait);
        hooks.push(term.onWriteParsed(() => {
            if (hooks.length > 1 || !holds()) return;
            const seen = now();
            hooks.push(term.onRender(() => end({key, seen: seen - key, drawn: now() - key})));
        }));
    });
    let armed = null;
    window.nmScreens = {
        arm(term, text, lines, wait) {
            const before = place(term);
            const holds = text ? () => has(term, text, lines) : () => place(term) !== before;
            armed = watch(term, holds, wait);
        },
        armed: () => armed,
        has,
        text(term) {
            const buffer = term.buffer.active, lines = [];
            for (let y = buffer.baseY; y < buffer.baseY + term.rows; y++) {
                lines.push(buffer.getLine(y)?.translateToString(true) ?? '');
            }
            return lines.join('\\n').trimEnd();
        },
        cell(term, x, y) {
            const cell = term.buffer.active.getLine(term.buffer.active.baseY + y)?.getCell(x);
            return cell ? [cell.getChars(), cell.getWidth()] : ['', 0];
        },
    };
})()
"""

OPEN_JUPYTERS = """
async mode => {
    const app = window.jupyterapp;
    const panel = await app.commands.execute('terminal:create-new');
    if (mode) app.shell.add(panel, 'main', {mode});
    await panel.content.ready;
    return panel.content._term;
}
"""
"""JupyterLab's own terminal; resolves when its session is connected. JupyterLab keeps the xterm to itself, in _term."""

NO_WEBGL = """
const given = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
    return kind.startsWith('webgl') ? null : given.call(this, kind, ...more);
};
"""
"""JupyterLab's terminal draws by WebGL where there is any. Without a GPU the processor plays it, slowly; xterm's other
way is to draw with the page's elements."""


class Late(RuntimeError):
    """A terminal did not show in time what it should."""


@dataclass(frozen=True)
class Times:
    """Milliseconds from the key press.

    Attributes:
        seen: Until it was in the terminal's buffer.
        drawn: Until the terminal had drawn it.
    """

    seen: float
    drawn: float


class Screen:
    """One terminal of a page. All methods are for the thread of `page`."""

    def __init__(self, page: Page, term: JSHandle) -> None:
        self.page = page
        self._term = term
        page.evaluate(SCRIPT)

    @classmethod
    def of_ours(cls, output: Locator) -> Self:
        """The terminal in a cell's output, once its program takes input."""
        root = output.locator("div.root[data-state=open]").first
        root.wait_for(timeout=FIRST_SECONDS * 1000)
        return cls(output.page, root.locator(".screen").evaluate_handle("host => host.terminal"))

    @classmethod
    def of_jupyterlab(cls, page: Page, *, beside: bool = False) -> Self:
        """A new terminal of JupyterLab's own, in a tab as it opens or below what is there, with the shell begun."""
        screen = cls(page, page.evaluate_handle(OPEN_JUPYTERS, "split-bottom" if beside else ""))
        screen.begin()
        return screen

    @property
    def columns(self) -> int:
        """How many it has now."""
        return int(self._ask("term => term.cols"))

    @property
    def rows(self) -> int:
        """How many it has now."""
        return int(self._ask("term => term.rows"))

    def cell(self, column: int, row: int) -> tuple[str, int]:
        """What stands at a place of the screen, and how wide it is: 2 begins what is wide, 0 goes on."""
        found = self._ask("term => nmScreens.cell(term, a0, a1)", column, row)
        return found[0], found[1]

    @property
    def text(self) -> str:
        """What the screen shows."""
        return str(self._ask("term => nmScreens.text(term)"))

    def _ask(self, script: str, *more: object) -> Any:
        names = ", ".join(["term", *(f"a{number}" for number in range(len(more)))])
        return self.page.evaluate(f"([{names}]) => ({script})(term)", [self._term, *more])

    def focus(self) -> None:
        """Let the page's keys go to it."""
        self._ask("term => term.focus()")

    def keys(self, text: str) -> None:
        """Type text key by key."""
        self.focus()
        self.page.keyboard.type(text)

    def key(self, name: str) -> None:
        """Press one key by its name, as Playwright has it."""
        self.focus()
        self.page.keyboard.press(name)

    def line(self, text: str) -> None:
        """Type a line and its end."""
        self.keys(text)
        self.key("Enter")

    def see(self, text: str | re.Pattern[str], seconds: float = FIRST_SECONDS) -> re.Match[str]:
        """Wait until the screen shows it; the lines of a pattern are the screen's.

        Raises:
            Late: It does not after so long.
        """
        pattern = re.compile(re.escape(text)) if isinstance(text, str) else text
        deadline = time.monotonic() + seconds
        while not (found := pattern.search(self.text)):
            if time.monotonic() > deadline:
                raise Late(f"no {pattern.pattern!r} after {seconds:g} s, but the terminal shows:\n{self.text}")
            self.page.wait_for_timeout(POLL_MS)
        return found

    def type(self, text: str) -> None:
        """Give it keys as if they were typed, all at once."""
        self._ask("term => term.input(a0, true)", text)

    def wait_for(self, text: str, seconds: float = FIRST_SECONDS) -> None:
        """Wait until one of the last lines begins with `text`.

        Raises:
            Late: None does after so long.
        """
        deadline = time.monotonic() + seconds
        while not self._ask(f"term => nmScreens.has(term, a0, {LAST_LINES})", text):
            if time.monotonic() > deadline:
                raise Late(f"no line begins with {text!r} after {seconds:g} s, but the terminal shows:\n{self.text}")
            self.page.wait_for_timeout(POLL_MS)

    def keep(self, name: str) -> None:
        """Put the terminal into the page's `window` under a name, for whoever asks the page next."""
        self._ask(f"term => {{ window.{name} = term; }}")

    def begin(self) -> None:
        """Start the shell that is measured in the one that runs here, and wait for its prompt."""
        self.type(f"{SHELL}\r")
        self.wait_for(PROMPT)
        self.clear()

    def clear(self) -> None:
        """An empty screen with a prompt."""
        self.type("clear; printf 'clean-%s\\n' now\r")
        self.wait_for("clean-now")
        self.wait_for(PROMPT)

    def press(self, key: str, until: str = "", seconds: float = FIRST_SECONDS) -> Times | None:
        """Press a real key and wait for what it brings.

        Args:
            key: Its name, as Playwright has it.
            until: What one of the last lines begins with then; empty: the cursor moves.
            seconds: To wait at most; then the answer is None.
        """
        self._ask("term => { term.focus(); nmScreens.arm(term, a0, a1, a2); }", until, LAST_LINES, seconds * 1000)
        self.page.keyboard.press(key)
        got = self.page.evaluate("() => nmScreens.armed()")
        return None if got is None else Times(got["seen"], got["drawn"])

    def run(self, command: str, marker: str, seconds: float = FIRST_SECONDS) -> Times:
        """Type a command; the times are from its Enter key until the line `marker`, which it prints last.

        Raises:
            Late: It was not there after so long.
        """
        self.type(command)
        self.page.wait_for_timeout(200)  # the command's own echo is no part of what is measured
        times = self.press("Enter", marker, seconds)
        if times is None:
            raise Late(f"{command!r} was not through after {seconds:g} s; the terminal shows:\n{self.text}")
        return times
