"""The name of an identity: a hash of everything that decides who is asking whom, the same in every process.

Contents of files that are named (certificates, token files) are no part of it, their paths are: a rotated token is the
same identity.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from notebook_mux.gateway.entries import Server, User

LENGTH = 32
"""Hexadecimal characters, 128 bits: no two identities meet by chance."""

SALT = b"notebook-mux identity v1"
SCRYPT_N, SCRYPT_R = 2**13, 8
"""8 MiB and about 20 ms: the name is shown and logged, so a proxy's short password must not be guessable
from it."""


def reference(server: Server, user: User) -> str:
    """The hexadecimal name of a server as seen by a user."""
    content = {"server": _plain(vars(server)), "user": _plain({k: v for k, v in vars(user).items() if k != "name"})}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str).encode()
    return hashlib.sha256(SALT + text).hexdigest()[:LENGTH]


def _has_password(text: str) -> bool:
    """Whether it is a proxy's URL with user and password, of an entry or of a variable."""
    authority = (text.partition("://")[2] or text).partition("/")[0]
    return ":" in authority.rpartition("@")[0]


@lru_cache(maxsize=64)  # ten thousand contexts go through one proxy
def _slowly(text: str) -> str:
    return hashlib.scrypt(text.encode(), salt=SALT, n=SCRYPT_N, r=SCRYPT_R, p=1).hex()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, str) and _has_password(value):
        return _slowly(value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "__dataclass_fields__"):
        return _plain(vars(value))
    return value
