"""A core of its own and a Headlamp server that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from tests import waiting
from tests.unit.headlamp.fake_server import FakeHeadlamp

WAIT_SECONDS = 30.0

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.005)

SOURCE: dict[str, Any] = {"kubeconfig": None, "env": {}, "in_cluster": False}


@pytest.fixture
def headlamp() -> Iterator[FakeHeadlamp]:
    """A server."""
    fake = FakeHeadlamp().start()
    yield fake
    fake.close()


@pytest.fixture
def make_core() -> Iterator[Callable[..., Core]]:
    """Makes cores; the options are those of `Bridge`."""
    made: list[Core] = []

    def make(**options: Any) -> Core:
        made.append(Core(linger_seconds=0.2, opener=Opener(**{"patience": 0.0, **options})))
        return made[-1]

    yield make
    for core in made:
        core.shutdown()


class Watching:
    """A stream of one cluster, and a log of what a reader was told."""

    def __init__(
        self, core: Core, url: str, kind: str = "configmaps", *, settle: bool = True, selector: str = ""
    ) -> None:
        self.core = core
        self.conn = core.connect(("url", url), WAIT_SECONDS).result(2 * WAIT_SECONDS)
        self.context = core.contexts(self.conn, SOURCE, ["*"], WAIT_SECONDS).result(2 * WAIT_SECONDS)[0]
        self.ref = self.context["ref"]
        spec = (self.conn, (("one", self.ref, "default"),), kind, ("default",), selector, "", "me")
        self.stream = core.open_stream(spec)
        core.hold(self.stream, "test")
        self.feed = core.feed(self.stream, lambda: None, initial=True)
        self.seen: list[tuple[str, str]] = []
        if settle:
            core.settled(self.stream).result(2 * WAIT_SECONDS)
            eventually(lambda: self.state.state == "live", "it is live")

    @property
    def state(self) -> Any:
        return self.core.read(self.stream).states["one"]

    @property
    def names(self) -> dict[str, str]:
        return {record.name: record.version for record in self.core.read(self.stream).records["one"].values()}

    def has(self, name: str) -> bool:
        return name in self.names

    def cells(self, name: str) -> bytes:
        records = self.core.read(self.stream).records["one"].values()
        return next((record.cells for record in records if record.name == name), b"")

    def told(self) -> list[tuple[str, str]]:
        """All changes so far, each as (type, name)."""
        self.seen += [(kind, (new or old).name) for kind, _, new, old in self.feed.drain()]  # type: ignore[union-attr]
        return self.seen

    @property
    def stats(self) -> Any:
        return self.core.status(self.conn)["streams"][0]

    @property
    def status(self) -> Any:
        return self.core.status(self.conn)
