"""Contexts as they stand in kubeconfig files, for people: no network, no plugin, and no secret in what is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.gateway import kubeconfig, kubeconfig_files
from notebook_mux.gateway.entries import Plugin, User
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.life.redact import redact
from notebook_mux.urls import host_of

OIDC_WORDS = ("oidc-login", "kubelogin", "oidc", "pinniped")
"""Parts of the names of plugins that log in by OpenID Connect."""

ANONYMOUS = "none (anonymous)"

LAUNCHERS = ("kubectl", "kubectl.exe")
"""Commands whose first argument is the plugin's name."""


@dataclass(frozen=True)
class Found:
    """What is in the files.

    Attributes:
        contexts: The contexts, usable or not, in the files' order.
        raw: The files merged, without those that cannot be read.
        broken: The files that cannot be read, and why.
        missing: The files that are not there.
        account: Whether `contexts` is the pod's service account.
    """

    contexts: list[ResolvedContext]
    raw: kubeconfig_files.Kubeconfig
    broken: dict[Path, MuxError]
    missing: list[Path]
    account: bool = False


def find(paths: Sequence[str], env: Mapping[str, str], *, in_cluster: bool) -> Found:
    """Read files; one that is broken keeps no other from being read. Reads files only.

    Args:
        paths: kubeconfig files, in kubectl's order.
        env: The environment of the one who asks.
        in_cluster: Whether the pod's service account counts where no context is found.
    """
    broken: dict[Path, MuxError] = {}
    missing: list[Path] = []
    good: dict[Path, kubeconfig_files.Kubeconfig] = {}
    for path in dict.fromkeys(map(Path, paths)):
        try:
            read = kubeconfig_files.read([path])
        except MuxError as error:
            broken[path] = error
        else:
            if read.files:
                good[path] = read
            else:
                missing.append(path)
    raw = next(iter(good.values())) if len(good) == 1 else kubeconfig_files.read(list(good))
    contexts: list[ResolvedContext] = []
    if raw.contexts or in_cluster:
        try:
            contexts = kubeconfig.load(list(good), "*", env, in_cluster=in_cluster)
        except MuxError as error:
            broken[Path("in-cluster")] = error
    return Found(contexts, raw, broken, missing, account=bool(contexts) and not raw.contexts)


def rows(found: Found) -> list[dict[str, Any]]:
    """The contexts as plain data."""
    return [_row(context, found) for context in found.contexts]


def _row(context: ResolvedContext, found: Found) -> dict[str, Any]:
    entry = found.raw.contexts.get(context.name)
    error = context.error
    return {
        "name": context.name,
        "ref": context.ref,
        "cluster": _text(entry, "cluster"),
        "server": host_of(context.server),
        "user": context.user,
        "namespace": context.namespace,
        "current": context.current,
        "file": str(entry.file) if entry is not None else "",
        "login": _login(context, found) if error is not None else _way(context, found),
        "problem": problem(error) if error is not None else None,
    }


def problem(error: MuxError) -> dict[str, str | None]:
    """An error as plain data, without what looks like a secret in it."""
    return {"code": error.code, **{key: redact(text) if text else None for key, text in error.fields().items()}}


def login_words(user: User) -> str:
    """How a user entry logs in, such as ``token``, ``certificate`` or ``plugin aws``; as the gateway would do it."""
    ways: list[str] = []
    if user.token_file is not None:
        ways.append("token file")
    elif user.token:
        ways.append("token")
    elif user.oidc is not None:
        ways.append("OIDC")
    elif user.plugin is not None:
        ways.append(plugin_words(user.plugin))
    if user.cert is not None or user.cert_file is not None:
        ways.append("certificate")
    words = " and ".join(ways) or ANONYMOUS
    return f"{words}, acting as another" if user.impersonate else words


def plugin_words(plugin: Plugin) -> str:
    """A plugin's name: its command, and behind ``kubectl`` the word that says which; no other argument."""
    name = PurePath(plugin.command.replace("\\", "/")).name
    first = plugin.args[0] if plugin.args else ""
    if name in LAUNCHERS and first and not first.startswith("-"):
        name = f"{name} {redact(first)}"
    oidc = any(word in name.lower() for word in OIDC_WORDS)
    return f"OIDC, plugin {name}" if oidc else f"plugin {name}"


def _way(context: ResolvedContext, found: Found) -> str:
    words = login_words(context.identity)
    return _login(context, found) or words if words.startswith(ANONYMOUS) else words


def _login(context: ResolvedContext, found: Found) -> str:
    """The way as far as the entry itself says it; "" where it says none."""
    entry = found.raw.users.get(context.user)
    if entry is None:
        return ""
    provider = entry.fields.get("auth-provider")
    if isinstance(provider, dict):
        name = redact(str(provider.get("name") or ""))
        return f"{'OIDC, ' if name == 'oidc' else ''}auth-provider {name}".strip()
    command = (entry.fields.get("exec") or {}).get("command") if isinstance(entry.fields.get("exec"), dict) else None
    return plugin_words(Plugin(command)) if isinstance(command, str) and command else ""


def _text(entry: kubeconfig_files.Entry | None, key: str) -> str:
    value = entry.fields.get(key) if entry is not None else None
    return value if isinstance(value, str) else ""
