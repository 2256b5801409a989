"""A JupyterLab server of the tests' own, and one of its notebooks in a real browser."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import ConsoleMessage, Locator, Page

START_SECONDS = 150
"""JupyterLab answers after two seconds; a busy machine gets seventy times that."""
PAGE_SECONDS = 120
"""The first page of a browser has all of JupyterLab to load: 40 seconds of a machine with much to do."""
KERNEL_SECONDS = 120
END_SECONDS = 10
ANSWER_SECONDS = 120
"""For the server's own API: it gives a kernel whose cell runs five seconds to end, and then ends it by force."""
POLL_SECONDS = 0.05
SCREENSHOTS = Path(__file__).parent / "screenshots"
SETTINGS = {
    # No question about news on the first start, and no word to the network.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
    # A notebook is saved when a test says so.
    "docmanager-extension/plugin": {"autosave": False},
}
Theme = Literal["light", "dark", "contrast"]
THEMES: dict[Theme, str] = {
    "light": "JupyterLab Light",
    "dark": "JupyterLab Dark",
    "contrast": "JupyterLab Dark High Contrast",
}
FOCUSED = """() => {
    let one = document.activeElement ?? document.body;
    while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
    return one;
}"""
"""What has the focus, in shadow roots too."""
NOT_OURS = re.compile(
    # JupyterLab's own words in the console: a file that is not there (the page's icon, a session that ended), and
    # the socket and the debugger of a kernel that a test restarted; and, as exceptions in Notebook 7's own code, a list
    # of settings that is told of a plugin before its settings are there, and a file browser that opens a path before it
    # knows how.
    r"favicon|Failed to load resource|WebSocket connection to|Connection lost|Kernel .* does not exist"
    r"|Could not restore the debugger state"
    # JupyterLab's own terminal has no flow control, and says what it loses in a flood; ours is no file of the server's.
    r"|write data discarded[^|]*/static/lab/"
    # anywidget's, of a model that a slow page initialised late; it hears all the same: frontend/src/common/deaf.ts.
    r"|\[anywidget\] Failed to initialize model"
    r"|(?:reading 'schema'|'filebrowser:open-path' not registered)[^|]*/static/notebook/"
)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """End a process, by force if it does not go."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Lab:
    """A JupyterLab server on a free port; notebooks lie in ``root``.

    Args:
        folder: For all that is the server's.
        notebooks: Copied into ``root``.
        env: More variables for it and its kernels.
        proxy: Whether jupyter-server-proxy is there, as it is where the extra ``lab`` was installed.
        subshells: Whether pages' messages are heard beside the running cell; without them as by VS Code or ipykernel 6.
    """

    def __init__(
        self,
        folder: Path,
        notebooks: Sequence[Path] = (),
        env: dict[str, str] | None = None,
        *,
        proxy: bool = True,
        subshells: bool = True,
    ) -> None:
        self.root = folder / "root"
        self.root.mkdir(parents=True)
        self.token = secrets.token_hex(16)
        for path in notebooks:
            (self.root / path.name).write_bytes(path.read_bytes())
        self._settings = folder / "settings"
        for name, values in SETTINGS.items():
            self._write_settings(name, values)
        if not subshells:
            self._write_settings("apputils-extension/kernels-settings", {"commsOverSubshells": "disabled"})
        self._log = folder / "lab.log"
        own = {
            "JUPYTERLAB_SETTINGS_DIR": self._settings, "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
            "JUPYTER_CONFIG_DIR": folder / "config", "JUPYTER_DATA_DIR": folder / "data",
            "JUPYTER_RUNTIME_DIR": folder / "runtime", "IPYTHONDIR": folder / "ipython",
        }  # fmt: skip
        # The first kernels of PATH and prefix are this environment's, whatever the user has installed.
        environ = {**os.environ, **{k: str(v) for k, v in own.items()}, "JUPYTER_PREFER_ENV_PATH": "1", **(env or {})}
        words = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}", "--ServerApp.open_browser=False",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            f"--ServerApp.jpserver_extensions=jupyter_server_proxy={proxy}",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(words, cwd=self.root, env=environ, stdout=log, stderr=log,
                                             stdin=subprocess.DEVNULL)  # fmt: skip
        self.url = self._wait_for_url(folder / "runtime")

    def _wait_for_url(self, runtime: Path) -> str:
        info = runtime / f"jpserver-{self._process.pid}.json"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                found = json.loads(info.read_text())
                socket.create_connection(("127.0.0.1", found["port"]), 1.0).close()  # it listens after it has said so
                return str(found["url"])
            except (OSError, ValueError, KeyError):
                time.sleep(POLL_SECONDS)
        said = self.log[-2000:]
        self.end()
        raise RuntimeError(f"JupyterLab did not start:\n{said}")

    @property
    def log(self) -> str:
        """What the server and its kernels have written."""
        return self._log.read_text(errors="replace")

    def write(self, cells: Sequence[str], name: str | None = None) -> str:
        """A new notebook with these code cells; returns its path under ``root``."""
        import nbformat.v4

        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        name = name or f"n{uuid.uuid4().hex[:8]}.ipynb"
        (self.root / name).write_text(json.dumps(notebook))
        return name

    def read(self, name: str) -> dict[str, Any]:
        """A notebook as it lies on the disk."""
        content: dict[str, Any] = json.loads((self.root / name).read_text())
        return content

    def theme(self, which: Theme) -> None:
        """The theme of pages that are opened from now on."""
        self._write_settings("apputils-extension/themes", {"theme": THEMES[which]})

    def _write_settings(self, name: str, values: object) -> None:
        path = self._settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def request(self, path: str, method: str = "GET") -> Any:
        """One request to the server's own API; returns what its JSON says, or None."""
        asked = urllib.request.Request(self.url + path, method=method, headers={"Authorization": f"token {self.token}"})
        with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def end_kernels(self) -> None:
        """End all kernels, so that a test's threads and sockets do not outlive it."""
        for session in self.request("api/sessions"):
            with contextlib.suppress(urllib.error.HTTPError):  # one that ended by itself
                self.request(f"api/sessions/{session['id']}", "DELETE")

    def end(self) -> None:
        """End the server and, by its own way of ending, its kernels."""
        end_process(self._process)


class Notebook:
    """One browser page with one notebook of a `Lab`; cells are counted from 0, outputs belong to cells."""

    def __init__(self, lab: Lab, page: Page, prefix: str = "") -> None:
        self.lab = lab
        self.page = page
        self.name = ""
        self.errors: list[str] = []
        self._prefix = prefix
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._log(f"{error}\n{error.stack}"))

    def _log(self, text: str) -> None:
        if not NOT_OURS.search(text):
            self.errors.append(text)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._log(message.text)

    # ------------------------------------------------------------ opening

    def open(self, what: str | Path | Sequence[str], *, app: Literal["lab", "notebook"] = "lab") -> Notebook:
        """Open a notebook by its name under the server's root, or a new one with these cells.

        Args:
            what: Its name, or its cells.
            app: JupyterLab, or Notebook 7 on the same server.
        """
        self.name = str(what) if isinstance(what, (str, Path)) else self.lab.write(what)
        # A workspace of its own: two pages on one would show the same tabs, and ask.
        place = f"lab/workspaces/w{uuid.uuid4().hex[:8]}/tree" if app == "lab" else "notebooks"
        self._go(f"{place}/{self.name}")
        return self._ready()

    def open_without_kernel(self, name: str) -> Notebook:
        """Open a notebook and start no kernel for it, as where there is none to start."""
        self.name = name
        self._go(f"lab/workspaces/w{uuid.uuid4().hex[:8]}")
        self.page.wait_for_function(
            "() => window.jupyterapp?.commands?.hasCommand('docmanager:open')", timeout=PAGE_SECONDS * 1000
        )
        # what is opened before the layout is restored is not the current one after it
        self.page.evaluate("() => window.jupyterapp.restored.then(() => null)")
        none = {"shouldStart": False, "canStart": False, "autoStartDefault": False}
        self.command("docmanager:open", {"path": name, "kernelPreference": none}, wait=False)
        self.page.wait_for_function(
            """name => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                return panel?.context?.path === name && panel.context.isReady && panel.sessionContext.isReady;
            }""",
            arg=name,
        )
        return self

    def reload(self, *, save: bool = True) -> Notebook:
        """Reload the page; unsaved, it comes back with the outputs of the last save, which may be none."""
        if save:
            self.save()
        self.page.reload(timeout=PAGE_SECONDS * 1000)
        return self._ready()

    def _go(self, path: str) -> None:
        """To a place of the server's."""
        self.page.goto(f"{self.lab.url}{path}?token={self.lab.token}", timeout=PAGE_SECONDS * 1000)

    def _ready(self) -> Notebook:
        self.page.wait_for_function(
            """name => {
                const panel = window.jupyterapp?.shell?.currentWidget;
                if (panel?.context?.path !== name || !panel.context.isReady) return false;
                return ['idle', 'busy'].includes(panel.sessionContext.session?.kernel?.status);
            }""",
            arg=self.name,
            timeout=KERNEL_SECONDS * 1000,
        )
        return self

    # ------------------------------------------------------------ doing

    def command(self, name: str, args: object = None, *, wait: bool = True) -> Any:
        """Run a command of JupyterLab's, such as ``docmanager:save``."""
        script = "([name, args]) => {{ const done = window.jupyterapp.commands.execute(name, args ?? {{}}); {} }}"
        return self.page.evaluate(script.format("return done.then(() => null)" if wait else ""), [name, args])

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run one cell; without ``wait`` come back at once, whatever it does."""
        self.page.evaluate("i => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = i }", index)
        self.command("notebook:run-cell", wait=wait)

    def run_all(self, *, wait: bool = True) -> None:
        """Run all cells in order."""
        self.command("notebook:run-all-cells", wait=wait)

    def save(self) -> dict[str, Any]:
        """Save it; returns what is on the disk then."""
        self.command("docmanager:save")
        return self.lab.read(self.name)

    def restart_kernel(self) -> None:
        """Restart the kernel without JupyterLab's question."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => null)"
        )

    def kernel(self, code: str) -> None:
        """Run ``code`` in the kernel beside all cells, silently; waits until it has run, and fails where it raised."""
        raised = self.page.evaluate(
            """code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
                .requestExecute({code, silent: true, store_history: false}).done
                .then(({ content }) => content.status === 'error' ? `${content.ename}: ${content.evalue}` : null)""",
            code,
        )
        assert raised is None, f"{code}\n{raised}"

    def theme(self, which: Theme) -> None:
        """Switch this page's theme, as a user does; what had the focus has it afterwards too."""
        focused = self.page.evaluate_handle(FOCUSED)
        self.command("apputils:change-theme", {"theme": THEMES[which]})
        self.page.wait_for_selector(f"body[data-jp-theme-name='{THEMES[which]}']", state="attached")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the change, and fades
        # where that takes over 12 s JupyterLab asks whether to wait, in a dialog that takes the focus
        self.page.evaluate(
            f"(before) => {{ if (({FOCUSED})() !== before && before.isConnected) before.focus() }}", focused
        )

    # ------------------------------------------------------------ looking

    def cell(self, index: int) -> Locator:
        """A cell's element."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Locator:
        """The element with all outputs of a cell."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def wait_for_output(self, index: int, text: str | re.Pattern[str], *, seconds: float = 60) -> Locator:
        """Wait until a cell's outputs, widgets and their shadow roots included, show ``text``."""
        found = self.output(index).get_by_text(text).first
        found.wait_for(timeout=seconds * 1000)
        return found

    def see(self, index: int, text: str | re.Pattern[str], *, seconds: float = 60) -> Locator:
        """Wait until the live view in a cell's output shows ``text``."""
        found = self.output(index).locator("div.root").get_by_text(text).locator("visible=true").first
        found.wait_for(timeout=seconds * 1000)
        return found

    def screenshots(self, name: str) -> None:
        """The same in light and in dark; the page is light afterwards."""
        self.screenshot(name)
        self.theme("dark")
        self.screenshot(f"{name}-dark")
        self.theme("light")

    def screenshot(self, name: str, of: Locator | None = None) -> Path:
        """A picture for a person to look at, in the folder ``screenshots`` beside the tests."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{self._prefix}{name}.png"
        (of or self.page).screenshot(path=path)
        return path
