"""Several users of a JupyterHub on one account of a machine: said to each of them once.

A Hub may run all its servers as one Unix user. Each Hub user has a gateway and runtime files of their own then (see
`name.hub_server`), but no wall is between them: the system gives them the same rights.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from notebook_mux.life import files, folders

__all__ = ["hub_user", "note"]

FILE = "hub-users.json"
"""In the runtime folder, so it is of this machine and account: who was here, and whether it was said to them."""

USERS_LIMIT = 1000
"""Names that are kept."""

SHOWN = 3


def hub_user(env: Mapping[str, str] | None = None) -> str:
    """The Hub's name for the user of this server; empty without a Hub."""
    env = os.environ if env is None else env
    if user := env.get("JUPYTERHUB_USER"):
        return user
    parts = env.get("JUPYTERHUB_SERVICE_PREFIX", "").strip("/").split("/")
    return parts[parts.index("user") + 1] if "user" in parts[:-1] else ""


def note(env: Mapping[str, str] | None = None) -> str | None:
    """What this Hub user should know of others on the same account; None if there are none, or it was said before.

    Any thread. Where the file cannot be written it is said each time.

    Raises:
        GatewayError: The runtime folder is not safe to use.
    """
    user = hub_user(env)
    if not user:
        return None
    path = folders.runtime_dir(env) / FILE
    told = _read(path)
    others = sorted(name for name in told if name != user)
    say = bool(others) and not told.get(user)
    if user not in told or say:
        kept = dict(list(told.items())[-USERS_LIMIT:])
        try:
            files.write_private(path, json.dumps({**kept, user: say}).encode())
        except OSError:
            pass  # a full or read-only disk: then it is said again
    if not say:
        return None
    names = ", ".join(others[:SHOWN]) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
    return (
        f"the Hub's users {user} and {names} share one account of this machine (uid {folders.owner()}): each has a "
        "gateway of their own, but the system lets each read the other's kubeconfig, tokens and files. "
        "The Hub's administrator can give each an account"
    )


def _read(path: Any) -> dict[str, bool]:
    try:
        found = json.loads(files.read_private(path))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: said for name, said in found.items() if isinstance(said, bool)}
