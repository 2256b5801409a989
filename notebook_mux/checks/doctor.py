"""The whole examination: this machine first, then the files, then each context. For `__main__`."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from notebook_mux.checks import clusters, machine
from notebook_mux.checks.entries import Found, find
from notebook_mux.checks.findings import Findings, Row, Say, State
from notebook_mux.errors import MuxError
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.life.privacy import Privacy

MAX_CONTEXTS = 16
"""With more contexts only the current one is asked: nobody wants a thousand logins at once."""

MAX_NAMES = 200
"""Of more contexts only the names of those that are asked are looked for in texts: nothing else of them is said."""

Note = tuple[State, str, str]
"""State, what was found, what to do."""


async def examine(question: Mapping[str, Any], say: Say) -> list[Row]:
    """All findings, in order; each area is told when it is complete.

    Args:
        question: ``source`` (see `messages.Source`), ``wanted`` (names of contexts, None for those that are few, or the
            current one), ``words`` (where the files' names come from), ``nothing`` (why there is no source, if there is
            none), ``explicit`` (whether the files were asked for by name), ``by_url`` (whether contexts come from a
            gateway by its URL), ``facts`` and ``variables``.
        say: Gets progress.
    """
    source = question["source"]
    found = find(source["kubeconfig"] or [], source["env"], in_cluster=source["in_cluster"])
    picked, notes = choose(found, question["wanted"])
    privacy = _privacy(found, found.contexts if len(found.contexts) <= MAX_NAMES else picked)
    rows: list[Row] = []

    async def area(words: str, look: Callable[[], list[Row]]) -> None:
        say({"t": "now", "what": words})
        its = await asyncio.to_thread(look)
        say({"t": "rows", "rows": its})
        rows.extend(its)

    await area("versions", lambda: machine.versions(privacy))
    await area("Jupyter's front-end pieces", lambda: machine.jupyter(question["facts"], privacy))
    await area("the environment", lambda: machine.environment(question["variables"], privacy))
    await area("the gateway", lambda: machine.gateway(privacy, start=not question["by_url"]))
    await area("the kubeconfig", lambda: files(found, question, notes, privacy))
    return [*rows, *await clusters.check_all(picked, privacy, say)]


def files(found: Found, question: Mapping[str, Any], notes: list[Note], privacy: Privacy) -> list[Row]:
    """What the files say, and the notes of `choose`."""
    told = Findings("kubeconfig", privacy)
    if question["nothing"]:
        state = "wrong" if question["explicit"] else "warning"
        told.add(state, "files", question["nothing"]["what"], question["nothing"]["todo"])  # type: ignore[arg-type]
    elif not question["source"]["kubeconfig"]:
        told.add("info", "source", question["words"])
    for path in found.raw.files:
        number = sum(entry.file == path for entry in found.raw.contexts.values())
        told.add("ok", "file", f"{path}: {number} context{'' if number == 1 else 's'}")
        if _others_read(path):
            what = f"{path}: other users of this machine can read it, and the secrets in it"
            told.add("warning", "file", what, f"chmod 600 {path}")
    for path in found.missing:
        told.add("warning", "file", f"{path}: no such file", "correct KUBECONFIG")
    for path, error in found.broken.items():
        told.error("file", _pathless(error, path))
    if found.raw.files and not found.contexts:
        todo = "nm.demo() starts a cluster inside this machine"
        told.add("warning", "contexts", "there is no context in these files", todo)
    for state, what, todo in notes:
        told.add(state, "contexts", what, todo)
    return told.rows


def choose(found: Found, wanted: list[str] | None) -> tuple[list[ResolvedContext], list[Note]]:
    """The contexts to ask, the current one first, and what is to be said about the choice."""
    known = {context.name: context for context in found.contexts}
    notes: list[Note] = []
    if wanted is not None:
        missing = [name for name in wanted if name not in known]
        notes = [("wrong", f"there is no context {name!r}", "nm.contexts() has all") for name in missing]
        return [known[name] for name in wanted if name in known], notes
    current = [context for context in found.contexts if context.current]
    if known and not current:
        notes.append(("warning", "no current-context is set", "name one: nm.connect('name')"))
    if len(known) <= MAX_CONTEXTS:
        return sorted(known.values(), key=lambda context: not context.current), notes
    what = f"{len(known)} contexts are too many to ask: only the current one is looked at"
    return current, [*notes, ("info", what, "name others: nm.doctor('name'), notebook-mux doctor NAME")]


def _privacy(found: Found, contexts: Sequence[ResolvedContext]) -> Privacy:
    servers = [urlsplit(context.server).hostname or "" for context in contexts]
    users = [context.user for context in contexts]
    return Privacy(servers, users, keep=[*found.raw.contexts, *found.raw.clusters])


def _others_read(path: Path) -> bool:
    if sys.platform == "win32":
        return False
    try:
        return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)) and path.stat().st_uid == os.getuid()
    except OSError:
        return False


def _pathless(error: MuxError, path: Path) -> MuxError:
    """The error as it is; its path is made short with all others."""
    if str(path) not in error.what:
        error.what = f"{path}: {error.what}"
    return error
