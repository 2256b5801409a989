"""Tokens of an OpenID login in the kubeconfig they came from: read again, and written back as kubectl does.

Written only where the provider gave another refresh-token: the old one may end with that, and kubectl would be logged
out. The lock is kubectl's (client-go, ``tools/clientcmd/loader.go``); comments are lost, as with kubectl.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway import kubeconfig_files

log = logging.getLogger(__name__)


def read(path: Path, user: str) -> tuple[str, str] | None:
    """The id-token and the refresh-token of a user entry; None if they are not there any more. Reads a file."""
    try:
        config = _config(kubeconfig_files.read([path]).users[user].fields)
    except (InvalidArgument, KeyError):
        return None
    found = [config.get(name) or "" for name in ("id-token", "refresh-token")]
    return (str(found[0]), str(found[1])) if any(found) else None


def write(path: Path, user: str, old: str, id_token: str, refresh_token: str) -> bool:
    """Put new tokens where the old refresh-token is. Writes a file; a failure is logged and harms nobody here.

    Returns:
        Whether they stand there: not where somebody else has changed the entry or holds the lock.
    """
    try:
        real = path.resolve()
        with _locked(real):
            document = kubeconfig_files.document(real)
            for entry in (document or {}).get("users") or ():
                if entry.get("name") == user and _config(entry.get("user") or {}).get("refresh-token") == old:
                    # Parsed files are kept, and nobody changes what they hold.
                    changed = copy.deepcopy(document)
                    assert changed is not None
                    _put(changed, user, {"id-token": id_token, "refresh-token": refresh_token})
                    _replace(real, yaml.safe_dump(changed, sort_keys=False))
                    return True
    except (OSError, InvalidArgument) as error:
        log.warning("the new login of user %r is not written to %s: %s", user, path, getattr(error, "strerror", error))
    return False


def _config(fields: Any) -> dict[str, Any]:
    provider = fields.get("auth-provider") or {}
    config = provider.get("config") if isinstance(provider, dict) else None
    return config if isinstance(config, dict) else {}


def _put(document: dict[str, Any], user: str, tokens: dict[str, str]) -> None:
    for entry in document["users"]:
        if entry["name"] == user:
            _config(entry["user"]).update(tokens)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = path.with_name(f"{path.name}.lock")
    os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    handle, new = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(new).chmod(stat.S_IMODE(path.stat().st_mode))
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise
