"""What is here, what answers and what is missing, in plain words. The looking is done in a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from notebook_mux import errors
from notebook_mux.handles import checking, managers, origins
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.waiting import deadline_in
from notebook_mux.kernel import holder
from notebook_mux.life.privacy import Privacy
from notebook_mux.printing.report import Report

VARIABLES = (
    *("KUBECONFIG", "NOTEBOOK_MUX_*", "JUPYTERHUB_USER", "JUPYTERHUB_SERVER_NAME", "BINDER_*", "COLAB_*", "NO_COLOR"),
    *origins.PLUGIN_ENVIRONMENT,
)
USUAL = ("HOME", "PATH")
"""Set everywhere, and so not worth a word."""

EXAMINE_SECONDS = 330.0
"""For all of it: longer than the process that looks gives itself."""

GATEWAY_SECONDS = 10.0

NOTE = (
    "Taken out of this: secrets, values of variables, the home folder, names of users, of this machine and of the"
    " clusters' servers, and addresses. Names of contexts and namespaces are in it."
)

Rows = list[dict[str, Any]]


async def doctor(
    cluster: str | Sequence[str] | None, kubeconfig: origins.Paths, tell: Callable[[Rows], None] | None = None
) -> Report:
    """See `api.doctor`.

    Args:
        cluster: Names of contexts.
        kubeconfig: As for `connect`.
        tell: Gets the rows of each area as soon as they are complete, on another thread.
    """
    wanted = [cluster] if isinstance(cluster, str) else list(cluster) if cluster is not None else None
    if wanted is not None and not all(isinstance(name, str) and name for name in wanted):
        raise errors.InvalidArgument(f"cluster={cluster!r} names no context", todo="give names, see nm.contexts()")
    now = ["beginning"]
    told: Rows = []

    def hear(line: dict[str, Any]) -> None:
        if line["t"] == "now":
            now[0] = f"looking at {line['what']}"
        elif line["t"] == "rows":
            told.extend(line["rows"])
            if tell is not None:
                tell(line["rows"])

    question, url = _question(kubeconfig, wanted)
    question |= {"facts": facts(), "variables": variables(os.environ)}
    try:
        rows = await checking.ask("doctor", question, timeout=EXAMINE_SECONDS, what=lambda: now[0], tell=hear)
    except errors.MuxError as error:
        # What was found before it failed is worth as much as ever.
        rows = [*told, _row("doctor", "process", "wrong", error, Privacy())]
        if tell is not None:
            tell(rows[-1:])
    more = [*await _by_url(url), *_connected()]
    if tell is not None and more:
        tell(more)
    return Report([*rows, *more], [NOTE])


def _question(kubeconfig: origins.Paths, wanted: list[str] | None) -> tuple[dict[str, Any], origins.Origin | None]:
    """What the process is asked, and the gateway by URL if that is where contexts come from."""
    question: dict[str, Any] = {"source": origins.NOTHING, "words": "", "nothing": None, "wanted": wanted}
    question |= {"explicit": kubeconfig is not None, "by_url": False}
    connected = _of_the_manager(wanted) if kubeconfig is None else None
    if connected is not None and wanted is not None:
        return question | connected, None
    try:
        origin = origins.find(None, kubeconfig)
    except errors.NoCluster as error:
        return question | (connected or {"nothing": {"what": error.what, "todo": error.todo}}), None
    except errors.MuxError as error:  # such as a NOTEBOOK_MUX_URL that is none
        return question | {"nothing": {"what": error.what, "todo": error.todo}, "explicit": True}, None
    if origin.endpoint[0] == "url":
        words = f"none is read: {origin.words} names a gateway that has contexts of its own"
        return question | {"words": words, "by_url": True}, origin
    return question | {"source": origin.source, "words": f"read from {origin.words}"}, None


def _of_the_manager(wanted: list[str] | None) -> dict[str, Any] | None:
    """The files and contexts of the manager in use, if what is wanted are its clusters; they may have shorter names."""
    manager = managers.default()
    if manager is None or not manager._identity.source.get("kubeconfig"):
        return None
    names = {context.alias: context.name for context in manager._identity.contexts}
    if wanted is not None and not set(wanted) <= set(names):
        return None
    chosen = [names[name] for name in (wanted or names)]
    return {"source": dict(manager._identity.source), "words": "read from what is connected", "wanted": chosen}


def facts() -> dict[str, Any]:
    """What only this process knows of the notebook it is in."""
    from notebook_mux.widgets.hosts import static_only

    application = sys.modules.get("ipykernel.kernelapp")
    if application is None or not application.IPKernelApp.initialized():
        return {"kernel": "", "subshells": False, "static": False}
    kernel = getattr(application.IPKernelApp.instance(), "kernel", None)
    version = getattr(sys.modules.get("ipykernel"), "__version__", "")
    return {
        "kernel": f"ipykernel {version}".strip(),
        "subshells": bool(getattr(kernel, "_supports_kernel_subshells", False)),
        "static": static_only(),
    }


def variables(env: Any) -> list[str]:
    """The names of those that are set and matter."""
    return [name for name in sorted(env) if name not in USUAL and any(fnmatchcase(name, one) for one in VARIABLES)]


async def _by_url(origin: origins.Origin | None) -> Rows:
    if origin is None:
        return []
    privacy = Privacy()
    what = f"connecting (by {origin.words})"
    deadline = deadline_in(GATEWAY_SECONDS)
    try:
        core = holder.core()
        at = await answered(core.connect, origin.endpoint, GATEWAY_SECONDS, deadline=deadline, what=what)
        found = await answered(
            core.contexts, at, origins.NOTHING, [origins.ALL], GATEWAY_SECONDS, deadline=deadline, what=what
        )
    except errors.MuxError as error:
        return [_row("gateway by URL", "answer", "wrong", error, privacy)]
    return [_said("gateway by URL", "answer", "ok", f"answers, and has {len(found)} contexts")]


def _connected() -> Rows:
    """How the manager in use stands, if there is one: what it says of itself needs no asking."""
    manager = managers.default()
    if manager is None:
        return []
    servers = [context.server.partition("//")[2].partition(":")[0] for context in manager._identity.contexts]
    privacy = Privacy(servers, keep=[context.alias for context in manager._identity.contexts])
    reason = f": {manager.reason}" if manager.reason else ""
    state = "ok" if manager.state == "open" else "warning"
    rows = [_said("connected", "socket", state, privacy.clean(f"{manager.state}{reason}"))]
    for name, at in manager.clusters.items():
        words = f"{at.state}{f': {at.reason}' if at.reason else ''}{f', {at.version}' if at.version else ''}"
        rows.append(
            _said("connected", privacy.clean(name), "ok" if at.state == "live" else "warning", privacy.clean(words))
        )
    return rows


def _said(area: str, check: str, state: str, found: str, todo: str | None = None) -> dict[str, Any]:
    return {"Area": area, "Check": check, "State": state, "Found": found, "Next": todo}


def _row(area: str, check: str, state: str, error: errors.MuxError, privacy: Privacy) -> dict[str, Any]:
    said = f" (said: {error.said})" if error.said else ""
    todo = privacy.clean(error.todo) if error.todo else None
    return _said(area, check, state, privacy.clean(f"{error.what}{said}"), todo)
