"""A playground in a thread of its own, for tests that talk to it over the wire."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from notebook_mux.playground.patches import MERGE
from notebook_mux.playground.paths import Target
from notebook_mux.playground.scenarios import Settings
from notebook_mux.playground.server import Playground
from notebook_mux.playground.writes import Asking
from tests.serving import Place, quiet

Json = dict[str, Any]
T = TypeVar("T")

WAIT_S = 90.0
"""For what takes a second on an idle machine."""
ASKING = Asking("test")


class RunningPlayground:
    """A playground that runs in a thread. Its methods may be called from any other thread.

    Args:
        folder: Where to write its kubeconfig and its authority's certificate.
        scenario: What is in it; ``empty`` has a node and nothing that moves but what a test makes.
        more: Further arguments of `Playground`.

    Attributes:
        playground: The playground itself, for its loop only.
        kubeconfig: The path of its kubeconfig; the port stays the same through `stop` and `start`.
        ca: The path of its authority's certificate.
    """

    def __init__(self, folder: Path, scenario: str = "empty", **more: Any):
        self._loop = asyncio.new_event_loop()
        self._place = Place()
        self._thread = threading.Thread(target=self._loop.run_forever, name="playground", daemon=True)
        self._thread.start()
        self.playground: Playground = self.call(lambda: Playground(scenario, **more))
        self.run(self.playground.start())
        self.kubeconfig = folder / "playground.kubeconfig"
        self.kubeconfig.touch(0o600)
        self.kubeconfig.write_bytes(self.playground.kubeconfig)
        self.ca = folder / "playground-ca.pem"
        self.ca.write_bytes(self.playground.authority)

    @property
    def url(self) -> str:
        """Of the first cluster's API."""
        return self.playground.url

    @property
    def token(self) -> str:
        """The first cluster's bearer token."""
        return self.playground.token

    @property
    def revision(self) -> str:
        """The first cluster's newest resourceVersion."""
        return str(self.playground.cluster.store.revision)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the playground's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on the playground's loop."""
        done: Future[T] = Future()

        def call() -> None:
            try:
                done.set_result(function())
            except BaseException as error:  # noqa: BLE001  it is the caller's
                done.set_exception(error)

        self._loop.call_soon_threadsafe(call)
        return done.result(WAIT_S)

    # ---------------------------------------------------------------------------------------- its objects

    def _target(self, kind: str, name: str, namespace: str, cluster: int) -> tuple[Any, Target]:
        served = self.playground.served[cluster]
        found = served.cluster.kind(kind)
        return served, Target(found, namespace if found.namespaced else "", name)

    def create(self, obj: Json, *, cluster: int = 0) -> Json:
        """Create an object as the API would; returns it as stored."""

        def create() -> Json:
            served = self.playground.served[cluster]
            kind = served.cluster.kinds.of_object(obj["apiVersion"], obj["kind"])
            assert kind is not None, f"{obj['apiVersion']} {obj['kind']} is not served"
            namespace = obj["metadata"].get("namespace", "default") if kind.namespaced else ""
            copied = msgspec.json.decode(msgspec.json.encode(obj))
            return dict(served.api.writer.create(Target(kind, namespace), copied, ASKING).decode())

        return self.call(create)

    def get(self, kind: str, name: str, namespace: str = "default", *, cluster: int = 0) -> Json | None:
        """An object (``pods``, ``deployments.apps``); None if it is not there."""

        def get() -> Json | None:
            served, target = self._target(kind, name, namespace, cluster)
            found: Json | None = served.cluster.get(kind, target.namespace, name)
            return found

        return self.call(get)

    def list(self, kind: str, namespace: str = "", *, cluster: int = 0) -> list[Json]:
        """All objects of a kind."""
        return self.call(
            lambda: [one.decode() for one in self.playground.served[cluster].cluster.store.items(kind, namespace)]
        )

    def patch(
        self, kind: str, name: str, patch: Json, namespace: str = "default", *, subresource: str = "", cluster: int = 0
    ) -> Json:
        """Merge a patch into an object; ``subresource="status"`` for its status."""

        def change() -> Json:
            served, target = self._target(kind, name, namespace, cluster)
            target = Target(target.kind, target.namespace, name, subresource)
            return dict(served.api.writer.patch(target, MERGE, msgspec.json.encode(patch), ASKING).decode())

        return self.call(change)

    def delete(self, kind: str, name: str, namespace: str = "default", *, now: bool = True, cluster: int = 0) -> None:
        """Delete an object: at once, or with its grace."""

        def delete() -> None:
            served, target = self._target(kind, name, namespace, cluster)
            served.api.deleter.delete(target, {"gracePeriodSeconds": 0} if now else {})

        self.call(delete)

    # -------------------------------------------------------------------------------------- what goes wrong

    @property
    def open_watches(self) -> int:
        """How many watches are open."""
        return self.call(lambda: self.playground.open_watches)

    def requests(self, *, cluster: int = 0) -> dict[str, int]:
        """How many requests came, by verb and resource: ``{"list pods": 1, "watch pods": 2}``."""
        return self.call(lambda: dict(self.playground.served[cluster].api.requests))

    def close_watches(self) -> None:
        """End all open watches."""
        self.call(self.playground.close_watches)

    def expire_history(self) -> None:
        """Every older version is from now on too old."""
        self.call(self.playground.expire_history)

    def stall(self) -> None:
        """Say nothing more until `resume`."""
        self.call(self.playground.stall)

    def resume(self) -> None:
        """Speak again."""
        self.call(self.playground.resume)

    def refuse(self, status: int, *, times: int | None = None, path: str = "/", retry_after: int | None = None) -> None:
        """Answer requests with a failure."""
        self.call(lambda: self.playground.refuse(status, times=times, path=path, retry_after=retry_after))

    def forbid(self, *, verb: str = "", resource: str = "", namespace: str | None = None, user: str = "") -> None:
        """Refuse what matches with 403; an empty argument is any, ``namespace=""`` is the whole cluster."""
        self.call(lambda: self.playground.forbid(verb=verb, resource=resource, namespace=namespace, user=user))

    def max_watch_seconds(self, seconds: float | None) -> None:
        """The longest that a watch lives."""
        self.call(lambda: setattr(self.playground, "max_watch_seconds", seconds))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.call(self.playground.clear)

    def stop(self) -> None:
        """Stop listening and cut all connections; the cluster goes on."""
        self.run(self.playground.stop())
        self._place.keep(*(one.port for one in self.playground.served))

    def start(self) -> None:
        """Listen again, on the same port."""
        self.run(self.playground.start())
        self._place.give_up()

    def close(self) -> None:
        """End it and its thread."""
        self.run(self.playground.__aexit__())
        self._place.give_up()
        self.run(quiet())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_S)
        self._loop.close()


@pytest.fixture
def start_playground(tmp_path: Path) -> Iterator[Callable[..., RunningPlayground]]:
    """Starts playgrounds, each with arguments of its own, and ends them."""
    started: list[RunningPlayground] = []

    def start(scenario: str = "empty", **more: Any) -> RunningPlayground:
        folder = tmp_path / f"playground-{len(started)}"
        folder.mkdir()
        running = RunningPlayground(folder, scenario, **more)
        started.append(running)
        return running

    yield start
    for running in started:
        running.close()


@pytest.fixture
def playground(start_playground: Callable[..., RunningPlayground]) -> RunningPlayground:
    """An empty playground (one node, the four namespaces) in which nothing moves by itself."""
    return start_playground("empty")


@pytest.fixture
def first_look(start_playground: Callable[..., RunningPlayground]) -> RunningPlayground:
    """The playground of the first notebook, moving."""
    return start_playground("first-look")


@pytest.fixture
def still_look(start_playground: Callable[..., RunningPlayground]) -> RunningPlayground:
    """The objects of the first notebook, without their story."""
    return start_playground("first-look", settings=Settings(still=True))
