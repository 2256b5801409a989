"""The environment a service starts with: what Python and the system need, and nothing of the notebook's secrets.

What a kubeconfig's plugins need travels with each connection instead, from the kernel that asks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import notebook_mux

__all__ = ["for_service"]

ALLOWED = (
    # the system's
    *("PATH", "HOME", "USER", "LOGNAME", "USERNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ"),
    *("TMPDIR", "TMP", "TEMP", "XDG_*"),
    # the loader's and Python's: a conda or module environment may not start without them
    *("LD_LIBRARY_PATH", "DYLD_*", "PYTHON*", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV"),
    # Windows cannot open a socket without SYSTEMROOT
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    *("USERPROFILE", "HOMEDRIVE", "HOMEPATH"),
    # ours, a Hub's names for this server, and where a pod finds its own API server
    *("NOTEBOOK_MUX_*", "JUPYTERHUB_USER", "JUPYTERHUB_SERVER_NAME", "JUPYTERHUB_SERVICE_PREFIX"),
    *("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"),
)

REFUSED = (
    *("*TOKEN*", "*SECRET*", "*PASSW*", "*CREDENTIAL*", "*_KEY"),
    *("NOTEBOOK_MUX_URL", "PYTHONINSPECT", "PYTHONSTARTUP"),
)
"""Also where a pattern above would let them in; ``NOTEBOOK_MUX_URL`` has a token in it."""


def for_service(env: Mapping[str, str] | None = None, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a service that is to be started.

    Args:
        env: The environment of the process that starts it.
        extra: Variables the caller adds; they are not filtered.
    """
    found = {
        key: value
        for key, value in (os.environ if env is None else env).items()
        if _matches(key, ALLOWED) and not _matches(key, REFUSED)
    }
    root = Path(notebook_mux.__file__).resolve().parent.parent
    if root.name not in ("site-packages", "dist-packages"):  # a checkout that perhaps only this kernel's sys.path knows
        others = [part for part in found.get("PYTHONPATH", "").split(os.pathsep) if part and part != str(root)]
        found["PYTHONPATH"] = os.pathsep.join([str(root), *others])
    return found | dict(extra or {})


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(key.upper(), pattern) for pattern in patterns)
