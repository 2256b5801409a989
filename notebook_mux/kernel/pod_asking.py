"""Pods that are named, where they may be read and not watched: read again and again, as kubectl reads them once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.log_pods import pod_path
from notebook_mux.kernel.members import Member
from notebook_mux.kernel.streams import Stream
from notebook_mux.tailing.asking import REFUSED_MOST
from notebook_mux.tailing.pods import Pod, read_pod

NAME_FIELD = "metadata.name="

ASK_SECONDS = 5.0
"""Between two readings: the log itself goes on meanwhile, and a restart is seen at its end without them."""

READ_SECONDS = 10.0
"""For one reading."""


class Requests(Protocol):
    """What of the endpoint is needed."""

    async def http(
        self, ref: str, method: str, path: str, query: str, *, timeout: float, user: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request; raises `Failure`."""


Found = dict[str, Pod | None]
"""By the namespaces that have answered: the pod, or None where there is none."""


class PodAskings:
    """Those of one question. On the loop's thread, unless it says otherwise.

    Args:
        requests: The endpoint.
        user: The user id tied to each request.
        told: Called after each round with the cluster's name, the pod's, and what is there.
    """

    def __init__(self, requests: Requests, user: str, told: Callable[[str, str, Found], None]) -> None:
        self._requests, self._user, self._told = requests, user, told
        self._by_name: dict[tuple[str, str], _Asking] = {}

    def look(self, streams: Iterable[Stream]) -> None:
        """Begin where pods that are named may not be watched, and end where they may."""
        for stream in streams:
            for member in stream.members if stream.spec.field_selector else ():
                key, at = _key(stream, member), member.state()
                if at.synced and key in self._by_name:
                    self._by_name.pop(key).close()
                elif at.code == "forbidden" and not at.synced and key not in self._by_name:
                    told = partial(self._told, *key)
                    self._by_name[key] = _Asking(
                        self._requests, member.ref, key[1], member.namespaces or (), self._user, told
                    )

    @property
    def answered(self) -> bool:
        """Whether each has been asked once."""
        return all(one.answered for one in self._by_name.values())

    @property
    def clusters(self) -> set[str]:
        """Those whose pods are known by it."""
        return {alias for (alias, _), one in self._by_name.items() if one.readable}

    @property
    def note(self) -> str:
        """What is known by it and how, in words; any thread may call."""
        names = dict.fromkeys(name for (_, name), one in list(self._by_name.items()) if one.readable)
        if not names:
            return ""
        return f"pod {', '.join(names)} may be read and not watched, so it is looked at every {ASK_SECONDS:g} s"

    def close(self) -> None:
        """Read them no more."""
        for one in self._by_name.values():
            one.close()
        self._by_name = {}


def _key(stream: Stream, member: Member) -> tuple[str, str]:
    return member.alias, stream.spec.field_selector.removeprefix(NAME_FIELD)


class _Asking:
    """One name on one cluster. On the loop's thread.

    Args:
        requests: The endpoint.
        ref: The cluster.
        name: The pod's.
        namespaces: Where it may be.
        user: The user id tied to each request.
        told: Called after each round with the namespaces that answered, and what is there: the pod, or None.

    Attributes:
        answered: Whether a round was through.
        readable: Whether it may be read.
    """

    def __init__(
        self,
        requests: Requests,
        ref: str,
        name: str,
        namespaces: tuple[str, ...],
        user: str,
        told: Callable[[Found], None],
    ) -> None:
        self.answered = self.readable = False
        self._requests, self._ref, self._name, self._namespaces = requests, ref, name, namespaces
        self._user, self._told = user, told
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            found: Found = {}
            for namespace in self._namespaces:
                await self._read(namespace, found)
            self.answered, self.readable = True, self.readable or bool(found)
            self._told(found)
            await asyncio.sleep(ASK_SECONDS if self.readable else REFUSED_MOST)

    async def _read(self, namespace: str, found: Found) -> None:
        path = pod_path(namespace, self._name)
        try:
            status, _, body = await self._requests.http(
                self._ref, "GET", path, "", user=self._user, timeout=READ_SECONDS
            )
        except Failure:
            return
        if status in (200, 404):
            found[namespace] = read_pod(body) if status == 200 else None

    def close(self) -> None:
        """Read it no more."""
        self._task.cancel()
