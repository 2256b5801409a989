"""What is installed and set here, the front ends' pieces, and the gateway: found, or started to see that it starts."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import notebook_mux
from notebook_mux._version import __version__
from notebook_mux.checks.certificates import span
from notebook_mux.checks.findings import Findings, Row
from notebook_mux.errors import MuxError
from notebook_mux.life import launcher, services
from notebook_mux.life.name import ServiceName
from notebook_mux.life.privacy import Privacy

DISTRIBUTION = "notebook-mux"

SHOWN = ("ipykernel", "jupyterlab", "notebook", "jupyter-server", "voila", "pandas", "kubernetes")
"""Packages that are no requirement and that a bug report needs."""

BUNDLES = ("loader.js", "stub.js", "table.js", "status.js")
"""What the build of the front ends makes, in ``widgets/static``."""

EXTENSIONS = {"anywidget": "anywidget", "ipywidgets": "@jupyter-widgets/jupyterlab-manager"}
"""The pieces of a front end that each package brings (``share/jupyter/labextensions``)."""

GATEWAY_ARGUMENTS = ("-m", "notebook_mux.gateway", "--launched")
"""As a kernel starts it, see `notebook_mux.kernel.core`."""

GATEWAY_SECONDS = 45.0

_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)\s*(?:>=\s*([0-9.]+))?")


def versions(privacy: Privacy) -> list[Row]:
    """What is installed, and whether it is enough."""
    found = Findings("versions", privacy)
    found.add("info", "notebook-mux", __version__)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    found.add("info", "Python", f"{python} on {platform.system()} {platform.release()} ({platform.machine()})")
    missing: list[str] = []
    old: list[str] = []
    there: list[str] = []
    for name, least in _required():
        version = _version(name)
        if version is None:
            missing.append(name)
            continue
        there.append(f"{name} {version}")
        if _numbers(version) < _numbers(least):
            old.append(f"{name} {version} (at least {least})")
    found.add("ok" if not missing and not old else "info", "needed", ", ".join(there) or "nothing found")
    todo = "install it again into this environment: python -m pip install -U notebook-mux"
    if missing:
        found.add("wrong", "needed", f"not installed: {', '.join(missing)}", todo)
    if old:
        found.add("wrong", "needed", f"too old: {', '.join(old)}", todo)
    more = [f"{name} {version}" for name in SHOWN if (version := _version(name)) is not None]
    found.add("info", "besides", ", ".join(more) or "nothing")
    return found.rows


def jupyter(facts: Mapping[str, Any], privacy: Privacy) -> list[Row]:
    """The front ends' pieces, and the kernel that asks.

    Args:
        facts: What only the process that asks can know: ``kernel`` (such as ``ipykernel 7.4.0``, "" outside one),
            ``subshells`` and ``static``.
        privacy: Of the report.
    """
    found = Findings("Jupyter", privacy)
    static = Path(notebook_mux.__file__).parent / "widgets" / "static"
    gone = [name for name in BUNDLES if not (static / name).is_file()]
    if gone:
        todo = "install a wheel, or build them: npm ci && npm run build in notebook_mux/widgets/frontend"
        found.add("wrong", "our front ends", f"not built: {', '.join(gone)}", todo)
    else:
        found.add("ok", "our front ends", f"{len(BUNDLES)} files are there")
    folders = _extension_folders()
    for package, piece in EXTENSIONS.items():
        if any((folder / piece / "package.json").is_file() for folder in folders):
            found.add("ok", f"front end {package}", "its extension is installed beside this Python")
        else:
            what = "its extension is not beside this Python"
            todo = (
                f"where the Jupyter server runs in another environment, install {package} there; then reload the page"
            )
            found.add("warning", f"front end {package}", what, todo)
    kernel = facts.get("kernel") or ""
    if not kernel:
        found.add("info", "kernel", "not asked in a notebook; nm.doctor() in a cell says more")
    elif facts.get("subshells"):
        found.add("ok", "kernel", f"{kernel}, with subshells: widgets are heard while a cell runs")
    else:
        what = f"{kernel}, without subshells: what is clicked in a widget waits for the running cell"
        found.add("info", "kernel", what, "ipykernel 7 and JupyterLab 4.4 or later have them")
    if facts.get("static"):
        what = "outputs are static copies: a program runs this notebook, or NOTEBOOK_MUX_STATIC=1 is set"
        found.add("info", "views", what)
    return found.rows


def environment(names: Sequence[str], privacy: Privacy) -> list[Row]:
    """The variables that matter, by their names alone."""
    found = Findings("environment", privacy)
    found.add("info", "set", f"{', '.join(names) or 'none of those that matter'} (values are not shown)")
    return found.rows


def gateway(privacy: Privacy, *, start: bool = True) -> list[Row]:
    """The gateway of this user: whether one runs, or, if it is to be started, can be started. Blocking."""
    found = Findings("gateway", privacy)
    name = ServiceName("gateway")
    try:
        running = launcher.find(name)
        began = time.monotonic()
        if running is None and not start:
            found.add("info", "process", "none runs; none is needed, for contexts come from a gateway by its URL")
            return found.rows
        if running is None:
            running = launcher.ensure(name, GATEWAY_ARGUMENTS, timeout=GATEWAY_SECONDS)
            seconds = time.monotonic() - began
            found.add("ok", "process", f"none ran; one was started in {seconds:.1f} s, and ends when nobody uses it")
        else:
            since = span(max(0.0, time.time() - running.since))
            found.add("ok", "process", f"runs since {since}, version {running.version}")
        found.add("ok", "port", f"127.0.0.1:{running.port} answers, and proves that it is this user's")
        others = [one for one in services.listing("gateway") if one.path != name.runtime_file().with_suffix("")]
        if others:
            states = ", ".join(sorted(one.state for one in others))
            found.add("info", "others", f"{len(others)} of another version, environment or server: {states}")
    except MuxError as error:
        found.error("process", error)
    except OSError as error:
        todo = "set NOTEBOOK_MUX_RUNTIME_DIR to a folder that only you can enter"
        found.add("wrong", "process", f"cannot be looked for: {error.strerror or error}", todo)
    try:
        found.add("info", "files", f"{name.runtime_file()}, log {name.log_file()}")
    except MuxError:
        pass  # said above
    return found.rows


def _required() -> list[tuple[str, str]]:
    """What this package needs at least, by its own metadata."""
    try:
        listed = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that was not installed
        return []
    needed = []
    for line in listed:
        words, _, marker = line.partition(";")
        match = _REQUIREMENT.match(words)
        # The only marker of ours that is no extra is uvloop's, and it is optional.
        if match and not marker:
            needed.append((match[1], match[2] or "0"))
    return needed


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def _extension_folders() -> list[Path]:
    try:
        from jupyter_core.paths import jupyter_path

        found = [Path(folder) for folder in jupyter_path("labextensions")]
    except ImportError:
        found = []
    return [*found, Path(sys.prefix) / "share" / "jupyter" / "labextensions"]
