"""What can be connected to, as a table. Reads files, in a process of its own; asks no cluster and runs no plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux import errors
from notebook_mux.handles import checking, managers, origins
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.waiting import deadline_in
from notebook_mux.kernel import holder
from notebook_mux.printing.listing import Listing
from notebook_mux.urls import host_of

COLUMNS = (
    *("Name", "Current", "Connected", "Cluster", "Server"),
    *("User", "Namespace", "Login", "File", "Problem"),
)

_UNSAID = {"ref": "", "user": "", "namespace": "default", "current": False, "cluster": ""}
"""What a gateway leaves out of a context where it is that."""

READ_SECONDS = 60.0
"""For reading the files: a kubeconfig of 10,000 contexts takes some seconds, a home on a sleeping disk some more."""

GATEWAY_SECONDS = 5.0
"""For a gateway that was named by URL to say what it has."""

DEMO = "nm.demo() starts a cluster inside this machine"


async def contexts(kubeconfig: origins.Paths) -> Listing:
    """See `api.contexts`."""
    connected = _connected()
    try:
        origin = origins.find(None, kubeconfig)
    except errors.NoCluster as nothing:
        return _listing(_others(connected, set()), [f"{_sentence(nothing.what)}.", f"Next: {nothing.todo or DEMO}."])
    if origin.endpoint[0] == "url":
        return await _of_gateway(origin, connected)
    found = await checking.ask(
        "contexts",
        {"source": origin.source},
        timeout=READ_SECONDS,
        what=lambda: f"reading the contexts of {origin.words}",
    )
    rows = [_row(one, connected) for one in found["contexts"]]
    rows += [_broken(path, problem) for path, problem in found["broken"].items()]
    rows += _others(connected, {one["ref"] for one in found["contexts"]})
    notes = [f"Looked at {', '.join(_looked(origin, found))}."]
    if not found["contexts"]:
        notes.append(f"There is no context in it. Next: {DEMO}.")
    elif not any(one["current"] for one in found["contexts"]):
        notes.append("No current-context is set: name one, as in nm.connect('name').")
    return _listing(rows, notes)


def _listing(rows: list[dict[str, Any]], notes: list[str]) -> Listing:
    return Listing("contexts", COLUMNS, rows, notes)


def _row(one: Mapping[str, Any], connected: Mapping[str, tuple[str, str, str]]) -> dict[str, Any]:
    at = connected.get(one["ref"]) if one["ref"] else None
    problem = one.get("problem")
    return {
        "Name": one["name"],
        "Current": bool(one["current"]) or None,
        "Connected": _as(at, one["name"]) if at else None,
        "Cluster": one["cluster"],
        "Server": one["server"],
        "User": one["user"],
        "Namespace": one["namespace"],
        "Login": one["login"],
        "File": one["file"] or "the pod's service account",
        "Problem": _words(problem) if problem else None,
    }


def _broken(path: str, problem: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": "(cannot be read)", "File": path, "Problem": _words(problem)}


def _words(problem: Mapping[str, Any]) -> str:
    return ": ".join(str(problem[key]) for key in ("what", "said") if problem.get(key))


def _as(at: tuple[str, str, str], name: str) -> str:
    alias, state, _ = at
    return state if alias == name else f"{state} as {alias}"


def _connected() -> dict[str, tuple[str, str, str]]:
    """For each ref that a manager here is connected to: the name it has there, its state, its server."""
    found: dict[str, tuple[str, str, str]] = {}
    for manager in managers.known():
        states = manager.clusters
        for context in manager._identity.contexts:
            if context.ref:
                found[context.ref] = (context.alias, states[context.alias].state, context.server)
    return found


def _others(connected: Mapping[str, tuple[str, str, str]], listed: set[str]) -> list[dict[str, Any]]:
    """What is connected and stands in none of the files looked at: the demo, another kubeconfig, a gateway's."""
    return [
        {
            "Name": alias,
            "Connected": state,
            "Server": host_of(server),
            "Login": "as connected",
            "File": "(connected from elsewhere)",
        }
        for ref, (alias, state, server) in connected.items()
        if ref not in listed
    ]


def _looked(origin: origins.Origin, found: Mapping[str, Any]) -> list[str]:
    paths = origin.source["kubeconfig"]
    return [f"{path}{'' if path in found['files'] else _why_not(path, found)}" for path in paths] or [origin.words]


def _why_not(path: str, found: Mapping[str, Any]) -> str:
    return " (cannot be read)" if path in found["broken"] else " (no file)"


async def _of_gateway(origin: origins.Origin, connected: Mapping[str, tuple[str, str, str]]) -> Listing:
    """The contexts of a gateway that was named by its URL: it alone knows them."""
    core, deadline = holder.core(), deadline_in(GATEWAY_SECONDS)
    what = f"asking the gateway of {origin.words}"
    host = host_of(origin.endpoint[1] or "")
    try:
        at = await answered(core.connect, origin.endpoint, GATEWAY_SECONDS, deadline=deadline, what=what)
        found = await answered(
            core.contexts, at, origins.NOTHING, [origins.ALL], GATEWAY_SECONDS, deadline=deadline, what=what
        )
    except errors.MuxError as error:
        rows = [{"Name": "(no answer)", "File": f"the gateway at {host}", "Problem": _words(error.fields())}]
        return _listing(rows, [f"Looked at {origin.words} alone.", f"Next: {error.todo or DEMO}."])
    file = f"the gateway at {host}"
    rows = []
    for one in found:
        told = {"server": host_of(one.get("server", "")), "problem": one.get("error")}
        rows.append(_row({**_UNSAID, **one, "login": "by the gateway", "file": file, **told}, connected))
    return _listing(rows, [f"Looked at {origin.words} alone: a gateway by URL has contexts of its own."])


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
