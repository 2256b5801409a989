"""A state folder: whose it is, what it was made for, and one process at a time in it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from notebook_mux._version import __version__
from notebook_mux.life import files
from notebook_mux.life.locks import FileLock
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.state import disk, records
from notebook_mux.playground.state.contents import load
from notebook_mux.playground.state.errors import ANOTHER, UNTOUCHED, StateInUse, StateRefused, damaged, unreachable
from notebook_mux.playground.state.journal import LOG_LIMIT, Journal
from notebook_mux.playground.state.restoring import restore

Json = dict[str, Any]

STAMP = "state"
LOCK = "lock"
KUBECONFIG = "kubeconfig"
CLUSTERS = "clusters"
SYNC_S = 1.0
"""Between two moments at which what was written is brought to the disk."""

LOCK_WAIT_S = 1.0
"""For a process that is just ending."""


class StateFolder:
    """A folder that a playground's state is kept in, held by this process until `close`.

    Nothing is written before all of it has been read and found right.

    Args:
        path: The folder; one that is not there or empty is made one.
        wanted: What was asked for, by name (``scenario``, ``seed``, ``clusters``, ``names``); None is whatever is kept.
        defaults: What a new folder is made with where nothing was asked for.
        limit: Bytes of a cluster's log before a snapshot.

    Attributes:
        settled: What it is made for, all names of `wanted`.

    Raises:
        StateInUse: Another process works in it.
        StateRefused: It is foreign, damaged, of a newer version, made for something else, or cannot be reached.
    """

    def __init__(self, path: Path, wanted: Mapping[str, Any], defaults: Mapping[str, Any], *, limit: int = LOG_LIMIT):
        self.path = path.expanduser().absolute()
        self._limit = limit
        self._journals: list[Journal] = []
        is_new = self._look()
        self._lock = FileLock(self.path / LOCK)
        try:
            if (self.path / LOCK).exists():
                (self.path / LOCK).open("ab").close()  # the lock takes "not permitted" for "not free"
            if not self._lock.acquire(LOCK_WAIT_S):
                raise StateInUse(
                    f"another playground works in the state folder {self.path}",
                    todo=f"use that one, or end it first, or {ANOTHER}",
                )
        except OSError as error:
            raise unreachable(self.path, error) from None
        try:
            self._stamp = self._new(wanted, defaults) if is_new else self._known(wanted)
        except BaseException:
            self._lock.release(remove=is_new)
            raise
        self.settled: Json = self._stamp["settled"]

    # --------------------------------------------------------------------------------------------- its stamp

    def _look(self) -> bool:
        """Whether it is new; a folder that is neither new nor ours is left alone."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            entries = {entry.name for entry in self.path.iterdir()}
        except FileExistsError:
            raise StateRefused(f"{self.path} is no folder", todo=f"{ANOTHER} for the state") from None
        except OSError as error:
            raise unreachable(self.path, error) from None
        if STAMP in entries:
            return False
        others = sorted(name for name in entries if name != LOCK and not name.startswith(f".{STAMP}."))
        if not others:
            return True
        if CLUSTERS in others:
            raise damaged(self.path / STAMP, 0, "it is missing")
        raise StateRefused(
            f"{self.path} is no state folder of a notebook-mux playground: {', '.join(others[:3])} is in it",
            todo=f"name an empty folder, or a new one; {UNTOUCHED}",
        )

    def _new(self, wanted: Mapping[str, Any], defaults: Mapping[str, Any]) -> Json:
        said = {name: value if value is not None else defaults[name] for name, value in wanted.items()}
        return {"identity": secrets.token_hex(8), "made": False, "settled": said, "ports": {}, "secrets": {}}

    def _known(self, wanted: Mapping[str, Any]) -> Json:
        path = self.path / STAMP
        reader = records.Reader(path, disk.read(path))
        found = [bytes(payload) for payload in reader]
        if len(found) != 1:
            raise damaged(path, reader.good, "it has no content")
        stamp: Json = json.loads(found[0])
        for name, value in wanted.items():
            kept = stamp["settled"].get(name)
            if value is not None and value != kept:
                raise StateRefused(
                    f"the state in {self.path} is of a playground with {name} {kept}, and not {value}",
                    todo=f"leave that out, or {ANOTHER}; {UNTOUCHED}",
                )
        return stamp

    def _write(self) -> None:
        said = {**self._stamp, "version": __version__}
        try:
            disk.write_whole(self.path / STAMP, [records.whole(json.dumps(said).encode())])
        except OSError as error:
            raise unreachable(self.path, error) from None

    # ------------------------------------------------------------------------------------- what is kept in it

    @property
    def kubeconfig(self) -> Path:
        """Where the clusters' kubeconfig is, if nobody wanted it elsewhere."""
        return self.path / KUBECONFIG

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """A token or key of this folder; it is made when it is first asked for.

        Raises:
            StateRefused: It cannot be written.
        """
        known: Json = self._stamp["secrets"]
        if name not in known:
            known[name] = make()
            if self._stamp["made"]:
                self._write()
        return str(known[name])

    def port(self, cluster: str) -> int:
        """Where a cluster was last served, as kubeconfigs say it; 0 if it never was."""
        return int(self._stamp["ports"].get(cluster, 0))

    def serves(self, ports: Mapping[str, int]) -> None:
        """Remember where clusters are served.

        Raises:
            StateRefused: It cannot be written.
        """
        if self._stamp["ports"] != dict(ports):
            self._stamp["ports"] = dict(ports)
            self._write()

    def time(self, cluster: str) -> Mapping[str, Any] | None:
        """What was kept of a cluster's time; None if nothing was."""
        found: Mapping[str, Any] | None = self._stamp.get("times", {}).get(cluster)
        return found

    def keep_time(self, cluster: str, kept: Mapping[str, Any]) -> None:
        """Keep how a cluster's clock goes, and when its story began.

        Raises:
            StateRefused: It cannot be written.
        """
        times = self._stamp.setdefault("times", {})
        if times.get(cluster) != dict(kept):
            times[cluster] = dict(kept)
            self._write()

    def fill(self, clusters: Mapping[str, Cluster], build: Callable[[Cluster], None],
             resume: Callable[[Cluster], None]) -> None:  # fmt: skip
        """Give clusters what is kept of them, and keep from now on what happens to them.

        Args:
            clusters: By name, empty.
            build: Fills one that nothing is kept of.
            resume: Lets one that was given its objects back go on.

        Raises:
            StateRefused: Something cannot be read, or be written.
        """
        made, identity = self._stamp["made"], self._stamp["identity"]
        folders = {name: self.path / CLUSTERS / name for name in clusters}
        found = {name: load(folder, identity) if made else None for name, folder in folders.items()}
        for name, contents in found.items():
            if made and contents is None:
                raise damaged(folders[name] / "snapshot", 0, "it is missing")
        for name, cluster in clusters.items():
            contents = found[name]
            if contents is not None:
                restore(cluster, contents, folders[name])
        if not made:
            self._write()  # from here on the folder is ours, though nothing that was answered is in it yet
        for name, cluster in clusters.items():
            contents = found[name]
            if contents is None:
                build(cluster)
                for left in folders[name].glob("*-*"):  # of a beginning that was killed
                    files.remove(left)
            journal = Journal(folders[name], identity, cluster.store.everything, self._limit)
            self._journals.append(journal)
            journal.begin(contents)
            cluster.store.journal = journal
            if contents is not None:
                resume(cluster)
        if not made:
            self._stamp["made"] = True
            self._write()

    # ------------------------------------------------------------------------------------------------ its life

    async def keep_synced(self) -> None:
        """Bring what is written to the disk once a second, until cancelled.

        Raises:
            NotKept: Something could not be written.
        """
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SYNC_S)
            for journal in self._journals:
                if journal.failed is not None:
                    raise journal.failed
                if journal.dirty:
                    await loop.run_in_executor(None, journal.sync)

    def close(self) -> None:
        """Bring all to the disk, and let another process have the folder. Twice is fine."""
        for journal in self._journals:
            journal.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
