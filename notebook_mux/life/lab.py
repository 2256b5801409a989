"""``notebook-mux demo``: JupyterLab from this environment, open at the first notebook.

It works on copies in a folder of the user's: an edited notebook is never overwritten, and a shipped one never edited.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from notebook_mux.errors import GatewayError, InvalidArgument, MuxError, NotFound

__all__ = ["FIRST", "copies", "no_browser", "run", "shipped"]

FIRST = "01_first_look.ipynb"
FOLDER = "notebook-mux-demo"
SHIPPED = ("*.ipynb", "images/*.svg")
"""As the build hook has it (widgets/frontend/hatch_build.py)."""

START_TIMEOUT_S = 120.0
"""JupyterLab starts in two seconds; on a first start, on a busy machine with cold disks, it was seen to take forty."""

STOP_TIMEOUT_S = 15.0
POLL_S = 0.1
LOOPBACK = "127.0.0.1"

PROGRAM = """
import os, signal, sys, threading
def watch():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=watch, daemon=True).start()
from jupyterlab.labapp import main
sys.argv[0] = "jupyter-lab"
sys.exit(main())
"""
"""JupyterLab, which shuts down in order once its standard input ends: when its starter is gone, even if killed."""


def shipped() -> list[Path]:
    """The notebooks that come with the package, and the pictures in them.

    Raises:
        NotFound: There are none.
    """
    home = _home()
    return sorted(path for pattern in SHIPPED for path in home.glob(pattern))


def _home() -> Path:
    """Where they are: the wheel's ``notebook_mux/notebooks``, or a checkout's own."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / FIRST).is_file():
            return folder
    raise NotFound(
        f"the notebook {FIRST} is not in this installation ({package})", todo="install the package again from its wheel"
    )


def copies(folder: Path) -> Path:
    """Copy the shipped notebooks to a folder, but for those that are there already.

    Returns:
        The first notebook's copy.

    Raises:
        InvalidArgument: The folder cannot be written.
    """
    try:
        home = _home()
        for source in shipped():
            copy = folder / source.relative_to(home)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists():
                shutil.copyfile(source, copy)
    except MuxError:
        raise
    except OSError as error:
        raise InvalidArgument(
            f"the folder {folder} cannot be written",
            said=error.strerror or str(error),
            todo="name another one: notebook-mux demo --folder DIR",
        ) from None
    return folder / FIRST


def no_browser(env: Mapping[str, str] | None = None) -> bool:
    """Whether ``NOTEBOOK_MUX_NO_BROWSER`` asks for no browser."""
    return (os.environ if env is None else env).get("NOTEBOOK_MUX_NO_BROWSER", "").lower() not in (
        "",
        "0",
        "false",
        "no",
    )


def run(folder: Path, *, tell: Callable[[str], None], browser: bool = True, port: int | None = None) -> int:
    """Run JupyterLab until it ends or is interrupted.

    Args:
        folder: Where the copies of the notebooks go, and what JupyterLab shows.
        tell: Is given the lines for the user: JupyterLab's URL as soon as it answers, and where its notebooks are.
        browser: Whether JupyterLab opens one.
        port: The port; None takes the first free one from Jupyter's own on.

    Returns:
        An exit code.

    Raises:
        MuxError: JupyterLab is not installed, or did not start.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise NotFound(
            f"JupyterLab is not installed for {sys.executable}",
            todo='install it with: pip install "notebook-mux[lab]"',
        )
    notebook = copies(folder)
    lab = subprocess.Popen(
        _command(notebook.name, browser=browser, port=port),
        cwd=notebook.parent,
        stdin=subprocess.PIPE,  # it ends when this process does, see PROGRAM
        start_new_session=True,  # a Ctrl-C is this process's: JupyterLab would drop its kernels on it
        env=os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"},  # this environment's kernel before a user-wide one
    )
    try:
        tell(f"JupyterLab runs at {_url(_server_info(lab), notebook.name)}")
        tell(f"The notebooks are in {notebook.parent}. Ctrl-C ends it.")
        return lab.wait()
    finally:
        _end(lab)


def _command(notebook: str, *, browser: bool, port: int | None) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, notebook, f"--ServerApp.ip={LOOPBACK}", "--log-level=WARN"]
    if not browser:
        command.append("--no-browser")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only user; it listens on the loopback interface alone
    return command


def _server_info(lab: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the server writes about itself (jupyter_server's ``jpserver-<pid>.json``), as soon as it listens too."""
    from jupyter_core.paths import jupyter_runtime_dir

    path = Path(jupyter_runtime_dir()) / f"jpserver-{lab.pid}.json"
    deadline = time.monotonic() + START_TIMEOUT_S
    while lab.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):  # not there yet, or half written
            info = json.loads(path.read_bytes())
            if isinstance(info, dict) and info.get("pid") == lab.pid and "url" in info and _listens(info):
                return info
        time.sleep(POLL_S)
    ended = f"ended with exit code {lab.returncode}" if lab.poll() is not None else "has not answered in time"
    raise GatewayError(f"JupyterLab {ended}", todo="see its own words above; another port: notebook-mux demo --port N")


def _listens(info: Mapping[str, Any]) -> bool:
    """Whether who comes now is let in: the file is there a moment before (`write_server_info_file` in `start_app`)."""
    if not info.get("port"):  # a socket of another kind, by the user's own configuration
        return True
    try:
        socket.create_connection((LOOPBACK, int(info["port"])), POLL_S).close()
    except OSError:
        return False
    return True


def _url(info: Mapping[str, Any], notebook: str) -> str:
    token = info.get("token") or ""
    return f"{info['url']}lab/tree/{quote(notebook)}" + (f"?{urlencode({'token': token})}" if token else "")


def _end(lab: subprocess.Popen[bytes]) -> None:
    if lab.poll() is None:
        lab.terminate()
        try:
            lab.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            lab.kill()
            lab.wait()
    if lab.stdin is not None:
        lab.stdin.close()
