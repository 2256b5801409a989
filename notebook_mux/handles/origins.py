"""Where contexts come from: the arguments, a gateway's URL, kubeconfig files, the pod's own account; in this order.

Files are only named here; the gateway reads them. Nothing of a kubeconfig enters the kernel.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from notebook_mux.errors import InvalidArgument, NoCluster

URL_VARIABLE = "NOTEBOOK_MUX_URL"
KUBECONFIG_VARIABLE = "KUBECONFIG"
PLUGIN_VARIABLE = "NOTEBOOK_MUX_PLUGIN_ENV"

PLUGIN_ENVIRONMENT = (
    *("AWS_*", "AZURE_*", "GOOGLE_*", "CLOUDSDK_*", "*_PROXY", "*_proxy", "SSL_CERT_*", "HOME", "PATH"),
    *("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"),
)
"""The variables that go to a gateway with a kubeconfig: what exec plugins and proxies need, and nothing else."""

ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""Where a pod finds the token of its service account (kubernetes.io, "Accessing the API from a Pod")."""

ALL = "*"

NOTHING: dict[str, Any] = {"kubeconfig": None, "env": {}, "in_cluster": False}
"""What is sent to a gateway that has contexts of its own."""

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None


@dataclass(frozen=True)
class Origin:
    """Where a connection's contexts come from.

    Args:
        endpoint: ``("auto", None)``, this user's own gateway, or ``("url", url)``.
        source: What the gateway reads: kubeconfig paths, environment, in-cluster.
        words: The same in words.
    """

    endpoint: tuple[str, str | None]
    source: dict[str, Any]
    words: str


def find(url: str | None, kubeconfig: Paths, env: Mapping[str, str] | None = None) -> Origin:
    """The first source there is.

    Args:
        url: The argument of `connect`.
        kubeconfig: The argument of `connect`.
        env: The environment; None is this process's.

    Raises:
        NoCluster: There is none; it says what was looked at.
        InvalidArgument: Both arguments were given.
    """
    env = os.environ if env is None else env
    if url is not None and kubeconfig is not None:
        raise InvalidArgument(
            "url= and kubeconfig= exclude each other: a gateway by URL has clusters of its own",
            todo="give one of the two",
        )
    if url is not None:
        return _by_url(url, "the argument url=")
    if kubeconfig is not None:
        return _by_files(_explicit(kubeconfig), "the argument kubeconfig=", env)
    if env.get(URL_VARIABLE):
        return _by_url(env[URL_VARIABLE], URL_VARIABLE)
    looked = [f"{URL_VARIABLE} (not set)"]
    named = [Path(part).expanduser() for part in env.get(KUBECONFIG_VARIABLE, "").split(os.pathsep) if part]
    if any(path.is_file() for path in named):
        return _by_files(named, KUBECONFIG_VARIABLE, env)
    looked.append(f"{KUBECONFIG_VARIABLE} ({', '.join(map(str, named)) + ': no file' if named else 'not set'})")
    usual = Path(env.get("HOME") or Path.home()) / ".kube" / "config"
    if not named and usual.is_file():
        return _by_files([usual], str(usual), env)
    looked.append(f"{usual} ({'passed over, KUBECONFIG is set' if named else 'no file'})")
    if env.get("KUBERNETES_SERVICE_HOST") and ACCOUNT_TOKEN.is_file():
        source = {"kubeconfig": [], "env": plugin_environment(env), "in_cluster": True}
        return Origin(("auto", None), source, "the pod's service account")
    in_pod = bool(env.get("KUBERNETES_SERVICE_HOST"))  # as on Binder, whose pods get no token
    looked.append(f"in-cluster ({'a pod without the token of a service account' if in_pod else 'not in a pod'})")
    raise NoCluster(
        f"no cluster to connect to; looked at {', '.join(looked)}",
        todo="nm.demo() starts a cluster inside this machine; or give nm.connect(kubeconfig=...)",
    )


def plugin_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that may go to the gateway for exec plugins."""
    patterns = [*PLUGIN_ENVIRONMENT, *env.get(PLUGIN_VARIABLE, "").replace(",", " ").split()]
    return {key: value for key, value in sorted(env.items()) if any(fnmatchcase(key, one) for one in patterns)}


def named(contexts: Iterable[Any]) -> tuple[list[str] | None, dict[str, str]]:
    """The arguments of `connect` as the names to resolve, and the shorter names given to them.

    Returns:
        The names (None: the current context, ``["*"]``: all) and the context's name → its alias.

    Raises:
        InvalidArgument: An alias is used twice, or an argument is none.
    """
    names: list[str] = []
    aliases: dict[str, str] = {}
    for context in contexts:
        pairs = {context: context} if isinstance(context, str) else context
        if not isinstance(pairs, Mapping) or not all(isinstance(t, str) and t for p in pairs.items() for t in p):
            raise InvalidArgument(
                f"{context!r} names no context", todo="give names, '*' for all, or {'short': 'context name'}"
            )
        for alias, name in pairs.items():
            if alias in aliases.values() and aliases.get(name) != alias:
                raise InvalidArgument(f"the name {alias!r} is given to two contexts", todo="name them apart")
            names.append(name)
            if name != ALL:
                aliases[name] = alias
    if ALL in names:
        return [ALL], aliases
    return list(dict.fromkeys(names)) or None, aliases


def _by_url(url: str, words: str) -> Origin:
    from notebook_mux.urls import split_token

    split_token(url)  # refused here, before anything is started
    return Origin(("url", url.strip()), NOTHING, words)


def _by_files(paths: list[Path], words: str, env: Mapping[str, str]) -> Origin:
    absolute = [str(path.absolute()) for path in paths]
    return Origin(("auto", None), {"kubeconfig": absolute, "env": plugin_environment(env), "in_cluster": False}, words)


def _explicit(kubeconfig: Any) -> list[Path]:
    parts = kubeconfig.split(os.pathsep) if isinstance(kubeconfig, str) else kubeconfig
    if isinstance(parts, os.PathLike):
        parts = [parts]
    paths = [Path(part).expanduser() for part in parts if os.fspath(part)]
    missing = [str(path) for path in paths if not path.is_file()]
    if not paths or len(missing) == len(paths):
        raise NoCluster(
            f"there is no kubeconfig at {', '.join(missing) or 'the empty path'}",
            todo="correct kubeconfig=, or leave it out to use KUBECONFIG or ~/.kube/config",
        )
    return paths
