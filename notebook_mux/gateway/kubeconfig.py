"""Contexts of kubeconfig files, resolved: one server and one identity each, with everything its use needs.

The environment is always the one given by who asks (the notebook's), never this process's own.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from notebook_mux.errors import InvalidArgument, MuxError, NoCluster, UnknownContext
from notebook_mux.gateway import kubeconfig_files as files
from notebook_mux.gateway.entries import Server, User, read_server, read_user
from notebook_mux.gateway.identities import reference
from notebook_mux.gateway.in_cluster import ACCOUNT, CONTEXT_NAME, service_account

ALL = "*"
NEAR = 0.5
"""difflib's likeness from which a name is offered: half of it, for context names are long and share their ends."""


@dataclass(frozen=True, repr=False)
class ResolvedContext:
    """A context with all that its use needs. Has secrets: its repr shows name and ref only.

    Attributes:
        name: The context's.
        ref: Content hash (hexadecimal) of cluster, user, impersonation and the variables that matter to them; "" with
            an error.
        server: The API server's URL, "" with an error.
        namespace: The context's, or ``default``.
        user: The user entry's name, "" if there is none.
        current: Whether it is the current-context.
        error: Why it cannot be used, None if it can.
        files: The kubeconfig files that were read.
        endpoint: The cluster entry.
        identity: The user entry.
        notes: What the user should know, in sentences without a full stop.
    """

    name: str
    ref: str
    server: str
    namespace: str
    user: str
    current: bool
    error: MuxError | None
    files: tuple[Path, ...]
    endpoint: Server
    identity: User
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<ResolvedContext {self.name!r} {self.ref}>"


def load(
    paths: Sequence[str | Path] | None,
    contexts: Sequence[str] | str | None,
    env: Mapping[str, str],
    *,
    in_cluster: bool = False,
    account: Path = ACCOUNT,
) -> list[ResolvedContext]:
    """Resolve contexts. Reads files: call it in a thread.

    A context that cannot be used (its cluster entry is missing, a field is wrong) has an `error`; the others go on.

    Args:
        paths: kubeconfig files, the first that sets something wins; missing ones are skipped. None: the variable
            KUBECONFIG of `env`, else ``~/.kube/config`` of its HOME.
        contexts: None for the current one, ``"*"`` or ``["*"]`` for all, else names.
        env: The environment of the one who asks; this process's own is not used.
        in_cluster: Where no context is found, the pod's service account is the context ``in-cluster``.
        account: Where a pod has its service account's files.

    Raises:
        NoCluster: No file is there, or none has a context.
        UnknownContext: A name is not there, or there is no current context.
        InvalidArgument: A file cannot be read or is no kubeconfig.
    """
    looked = [Path(path) for path in paths] if paths is not None else usual_paths(env)
    found = files.read(looked)
    if not found.contexts and in_cluster:
        return [_in_cluster(contexts, env, account)]
    if not found.contexts:
        where = ", ".join(map(str, looked)) or "no file"
        what = f"no context in {where}" if found.files else f"there is no kubeconfig: looked at {where}"
        raise NoCluster(what, todo="give kubeconfig=..., or nm.demo() for a cluster inside this machine")
    return [_resolve(found, name, env) for name in _chosen(found, contexts)]


def usual_paths(env: Mapping[str, str]) -> list[Path]:
    """Where kubectl looks: KUBECONFIG, else ``~/.kube/config``."""
    listed = [Path(part) for part in env.get("KUBECONFIG", "").split(os.pathsep) if part]
    home = env.get("HOME") or env.get("USERPROFILE")
    return listed or ([Path(home) / ".kube" / "config"] if home else [])


def unknown(name: str, known: Sequence[str], where: str) -> UnknownContext:
    """The error for a context's name that is not there, with names like it."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=NEAR) or sorted(known)[:5]
    named = ", ".join(repr(one) for one in near)
    return UnknownContext(
        f"there is no context {name!r} in {where}", todo=f"did you mean {named}? There are {len(known)} contexts"
    )


def _chosen(found: files.Kubeconfig, contexts: Sequence[str] | str | None) -> list[str]:
    where = ", ".join(map(str, found.files))
    if contexts is None and not found.current:
        some = ", ".join(repr(one) for one in sorted(found.contexts)[:5])
        raise UnknownContext(f"no current-context is set in {where}", todo=f"name one: {some}")
    asked = found.current if contexts is None else contexts
    names = [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))
    if ALL in names:
        return list(found.contexts)
    for name in names:
        if name not in found.contexts:
            raise unknown(name, list(found.contexts), where)
    return names


def _resolve(found: files.Kubeconfig, name: str, env: Mapping[str, str]) -> ResolvedContext:
    context = found.contexts[name]
    server, user, error, user_name, namespace = Server(), User(), None, "", "default"
    try:
        namespace = context.text("namespace") or "default"
        user_name = context.text("user")
        cluster_name = context.text("cluster")
        if cluster_name not in found.clusters:
            raise _missing(context, "cluster", cluster_name, found.clusters)
        if user_name and user_name not in found.users:
            raise _missing(context, "user", user_name, found.users)
        server = read_server(found.clusters[cluster_name], env)
        if user_name:
            user = read_user(found.users[user_name], env)
    except MuxError as problem:
        problem.cluster = name
        error, server, user = problem, Server(), User()
    ref = "" if error else reference(server, user)
    current = name == found.current
    return ResolvedContext(
        name, ref, server.url, namespace, user_name, current, error, found.files, server, user, _notes(server)
    )


def _notes(server: Server) -> tuple[str, ...]:
    if not server.insecure or not server.url.startswith("https:"):
        return ()
    note = (
        f"the certificate of {server.url} is not checked (insecure-skip-tls-verify), so whoever is on the way there can"
        " read and change everything, the login too; certificate-authority in the kubeconfig would make it safe"
    )
    return (note,)


def _missing(context: files.Entry, kind: str, name: str, known: Mapping[str, files.Entry]) -> InvalidArgument:
    if not name:
        return context.wrong(f"it names no {kind}")
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=NEAR)
    return context.wrong(
        f"its {kind} {name!r} is not there", todo=f"did you mean {', '.join(map(repr, near))}?" if near else None
    )


def _in_cluster(contexts: Sequence[str] | str | None, env: Mapping[str, str], account: Path) -> ResolvedContext:
    names = [contexts] if isinstance(contexts, str) else list(contexts or [CONTEXT_NAME])
    for name in names:
        if name not in (CONTEXT_NAME, ALL):
            raise unknown(name, [CONTEXT_NAME], "this pod")
    server, user, namespace = service_account(env, account)
    ref = reference(server, user)
    return ResolvedContext(CONTEXT_NAME, ref, server.url, namespace, "serviceaccount", True, None, (), server, user)
