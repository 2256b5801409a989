"""The user id: what Headlamp keeps in a browser's local storage, kept per user on disk here.

It tells one user's connections from another's behind a shared multiplexer. It is no credential, but whoever has it
can be taken for this user there, so it is kept as privately as one.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import warnings
from pathlib import Path

from notebook_mux.life import files, folders

__all__ = ["user_id"]

FILE = "user-id"
ID_BYTES = 16
ID = re.compile(r"[A-Za-z0-9_-]{16,64}")

_lock = threading.Lock()
_of_process: dict[int, str] = {}


def user_id() -> str:
    """This user's id: random, made at the first call on this account, the same from then on. Any thread.

    Where the configuration folder cannot be read or written there is one for this process, and a warning once.
    """
    path = folders.config_dir() / FILE
    try:
        return _stored(path)
    except OSError as error:
        with _lock:
            if os.getpid() not in _of_process:
                _of_process.clear()  # a forked child is another process
                _of_process[os.getpid()] = secrets.token_hex(ID_BYTES)
                warnings.warn(
                    f"notebook_mux: the user id cannot be kept in {path} ({error.strerror or error}); "
                    "this process uses one of its own",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return _of_process[os.getpid()]


def _stored(path: Path) -> str:
    for _ in range(2):
        try:
            text = files.read_private(path).decode("ascii", errors="replace").strip()
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.create_private(path, secrets.token_hex(ID_BYTES).encode() + b"\n")
            continue
        if ID.fullmatch(text):
            return text
        files.write_private(path, secrets.token_hex(ID_BYTES).encode() + b"\n")  # empty or damaged: made anew
    raise OSError("it changes while it is read")
