"""What of an account outlives the kernel: a small file in the runtime folder, one for each counting pod."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.life import files, folders

ENDING = ".ledger"

KEPT_SECONDS = 24 * 3600.0
"""An account that nobody wrote for so long is of an embedded cluster that has ended."""


def read(name: str) -> dict[str, Any]:
    """What was written under a name; empty where nothing was, or it cannot be read."""
    try:
        found = json.loads(files.read_private(_path(name)))
    except (OSError, ValueError, RecursionError, MuxError):
        return {}
    return found if isinstance(found, dict) else {}


def write(name: str, account: dict[str, Any]) -> bool:
    """Replace it; whether that could be done."""
    try:
        files.write_private(_path(name), json.dumps(account).encode())
    except (OSError, MuxError):
        return False
    return True


def clean(now: float | None = None) -> None:
    """Remove what nobody needs any more."""
    now = time.time() if now is None else now
    try:
        old = [path for path in folders.runtime_dir().glob(f"*{ENDING}") if now - path.stat().st_mtime > KEPT_SECONDS]
    except (OSError, MuxError):
        return
    for path in old:
        files.remove(path)


def _path(name: str) -> Path:
    # no dash: a file with one is a service's, see `life.services.listing`
    return folders.runtime_dir() / f"plug_{''.join(filter(str.isalnum, name))}{ENDING}"
