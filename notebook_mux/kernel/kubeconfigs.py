"""Kubeconfigs of managers as the kernel has them: what the gateway gives, in a private file that goes with the manager.

The file has the gateway's own token and none of a cluster's. It is renewed when another gateway answers, and keeps its
path.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.thread import in_thread
from notebook_mux.life import process
from notebook_mux.life.files import write_private
from notebook_mux.life.folders import private_dir, runtime_dir
from notebook_mux.wire import messages
from notebook_mux.wire.kubeconfigs import NamedCluster

REQUEST_SECONDS = 30.0

FOLDER = "kubectl"
"""In the runtime folder: a folder for each manager of each kernel, named by its process."""

FILE = "config"

Named = tuple[str, str, str]
"""A cluster's name at the manager, its ref, and the namespace that is meant where none is given."""


class Kubeconfigs:
    """All of one endpoint, by the managers' write scopes. On the loop's thread.

    Args:
        ask: `connection.Requests.ask`.
        current_ref: See `Endpoint.current_ref`.
    """

    def __init__(self, ask: Callable[..., Awaitable[Any]], current_ref: Callable[[str], str]) -> None:
        self._ask = ask
        self._current_ref = current_ref
        self._kept: dict[str, _Kept] = {}
        self._turn = asyncio.Lock()

    async def path(self, scope: str, clusters: Sequence[Named]) -> str:
        """The file of a manager, as it is to be now.

        Raises:
            Failure: The gateway serves none: a Headlamp server does not.
        """
        async with self._turn:
            kept = self._kept.get(scope) or _Kept(await in_thread(_new_folder))
            self._kept[scope] = kept
            kept.clusters = list(clusters)
            await self._renew(scope, kept, early=False)
            return str(kept.folder / FILE)

    async def restore(self) -> None:
        """On a new socket: the same token at the same gateway, another one at another."""
        for scope, kept in list(self._kept.items()):
            await self._renew(scope, kept, early=True)

    async def end(self, scope: str) -> None:
        """The manager is closed: remove its file, and tell the gateway."""
        kept = self._kept.pop(scope, None)
        if kept is None:
            return
        _remove(kept.folder)
        try:
            await self._ask(messages.Kubeconfig, key=kept.key, timeout=REQUEST_SECONDS)
        except Failure:
            return  # there is no gateway, and so no grant

    def remove(self) -> None:
        """Remove all files; at the gateway they end with the connection."""
        for kept in self._kept.values():
            _remove(kept.folder)
        self._kept.clear()

    async def _renew(self, scope: str, kept: _Kept, *, early: bool) -> None:
        contexts = [
            NamedCluster(name=name, cluster=self._current_ref(ref), namespace=namespace)
            for name, ref, namespace in kept.clusters
        ]
        _, _, content = await self._ask(
            messages.Kubeconfig, key=kept.key, contexts=contexts, scope=scope, timeout=REQUEST_SECONDS, early=early
        )
        file = kept.folder / FILE
        if content != kept.content or not file.exists():  # else whoever has edited it keeps that
            await in_thread(write_private, file, content)
            kept.content = content


class _Kept:
    """A manager's: its folder, the secret by which the gateway knows it, and what was written last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = secrets.token_hex(32)
        self.clusters: list[Named] = []
        self.content = b""


def _new_folder() -> Path:
    """A folder of this process's; what processes left behind that have ended without a word is removed."""
    home = private_dir(runtime_dir() / FOLDER)
    for found in home.iterdir():
        pid = found.name.partition("-")[0]
        if pid.isdecimal() and not process.is_alive(int(pid)):
            _remove(found)
    return private_dir(home / f"{os.getpid()}-{secrets.token_hex(4)}")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
