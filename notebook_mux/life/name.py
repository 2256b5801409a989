"""Which service is meant: the name under which kernels of one user find the same gateway, and only they.

The automatic endpoint *is* this name. It is resolved again at each attempt, for a service started anew has another
port and token.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from notebook_mux._version import __version__
from notebook_mux.life import folders

__all__ = ["ServiceName", "boot_id", "hub_server"]


@cache
def boot_id() -> str:
    """The system's mark of this boot (random(4)), after which process numbers are used again; empty without one."""
    if sys.platform == "linux":
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""
    if sys.platform == "darwin":
        try:
            done = subprocess.run(
                ["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, timeout=5, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.strip()
    return ""


@cache
def _network() -> str:
    """The network namespace: two containers that share a folder have different loopback interfaces."""
    try:
        return str(Path("/proc/self/ns/net").readlink())
    except OSError:
        return ""


def hub_server(env: Mapping[str, str] | None = None) -> str:
    """The Hub's name for this Jupyter server (user and named server); empty without a Hub.

    Without a Hub all Jupyter servers of a user on one machine share a gateway: each connection brings its own
    kubeconfig and environment, so there is nothing of one server in it. ``JPY_SESSION_NAME`` is a notebook's, and
    ``JPY_PARENT_PID`` changes with each restart of the server, so neither is used.
    """
    env = os.environ if env is None else env
    if prefix := env.get("JUPYTERHUB_SERVICE_PREFIX"):
        return prefix
    user, server = env.get("JUPYTERHUB_USER", ""), env.get("JUPYTERHUB_SERVER_NAME", "")
    return f"{user}/{server}" if user or server else ""


@dataclass(frozen=True, slots=True)
class ServiceName:
    """What to call a service.

    Args:
        service: ``"gateway"`` or ``"playground"``.
        variant: What further tells one from another: a playground's scenario, seed and clusters.
    """

    service: str
    variant: str = ""

    def key(self) -> dict[str, str]:
        """All that a service and its clients have to have in common; computed anew, the environment may change."""
        return {
            "service": self.service,
            "variant": self.variant,
            "user": folders.owner(),
            "host": socket.gethostname(),
            "network": _network(),
            "boot": boot_id(),
            "server": hub_server(),
            "version": __version__,
            "prefix": os.path.realpath(sys.prefix),
        }

    def stem(self) -> str:
        """The name of its files without their ending."""
        text = json.dumps(self.key(), sort_keys=True, separators=(",", ":"))
        return f"{self.service}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def runtime_file(self) -> Path:
        """Where it publishes port and token."""
        return folders.runtime_dir() / f"{self.stem()}.json"

    def lock_file(self) -> Path:
        """What the service itself locks for its life."""
        return folders.runtime_dir() / f"{self.stem()}.lock"

    def launch_lock_file(self) -> Path:
        """What a client locks while it starts the service."""
        return folders.runtime_dir() / f"{self.stem()}.launch"

    def log_file(self) -> Path:
        """Where its output goes."""
        return folders.log_dir() / f"{self.stem()}.log"

    def describe(self) -> str:
        """The name in a sentence."""
        return f"the {self.service} ({self.variant})" if self.variant else f"the {self.service}"
