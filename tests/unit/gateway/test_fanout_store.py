"""Fan-out over the real store and flusher: changes, expired versions, new lists, cuts and restarts in any order."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from notebook_mux.gateway.fanout import Subscriber
from notebook_mux.gateway.flusher import Flusher
from notebook_mux.gateway.upstream_store import UpstreamStore
from notebook_mux.kube.states import Item
from notebook_mux.kube.table_events import Metadata
from tests.unit.gateway.fake_feed import COLUMNS
from tests.unit.gateway.model_client import ModelClient


class Server:
    """A cluster's objects and all that happened to them; versions are one sequence, as etcd's are."""

    def __init__(self) -> None:
        self.version = 100
        self.objects: dict[str, int] = {}
        self.events: list[tuple[int, str, bool]] = []

    def change(self, name: str, deleted: bool) -> None:
        if deleted and name not in self.objects:
            return
        self.version += 1
        if deleted:
            del self.objects[name]
        else:
            self.objects[name] = self.version
        self.events.append((self.version, name, deleted))

    def at(self, version: int) -> dict[str, int]:
        """What a list of that version has."""
        found: dict[str, int] = {}
        for each, name, deleted in self.events:
            if each <= version:
                found.pop(name, None)
                if not deleted:
                    found[name] = each
        return found


class Upstream:
    """What `upstream.Upstream` is to a reader, fed by `Server` a step at a time."""

    columns = COLUMNS
    is_synced = True

    def __init__(self, server: Server, incarnation: str, ring: int, resume: int | None) -> None:
        self.server = server
        self.incarnation = incarnation
        self.start_version = "" if resume is None else str(resume)
        self.store = UpstreamStore(ring_records=ring)
        self.flusher = Flusher(interval=0)
        self.seen = server.version if resume is None else resume
        self.version = str(self.seen)
        self.held: list[Item] = []
        self._list(self.seen)

    @property
    def number(self) -> int:
        return self.store.number

    @property
    def records(self) -> dict[str, bytes]:
        return self.store.records

    @property
    def numbers(self) -> dict[str, int]:
        return self.store.numbers

    def replay_after(self, number: int) -> list[tuple[int, str, str, bytes]] | None:
        return self.store.replay_after(number)

    def number_of_version(self, version: str) -> int | None:
        return self.store.number_of_version(version)

    def watch(self, most: int) -> None:
        """Take in up to so many events; they are in the store, but not yet with the readers."""
        for version, name, deleted in [event for event in self.server.events if event[0] > self.seen][:most]:
            item = self.store.change(deleted, metadata(name, version), *content(name, version), 1.0)
            self.seen, self.version = version, str(version)
            if item is not None:
                self.held.append(item)

    def flush(self) -> None:
        items, self.held = self.held, []
        self.flusher.put(items)

    def bookmark(self) -> None:
        self.watch(1 << 30)
        self.flush()
        self.version = str(self.server.version)
        self.store.mark(self.version)
        self.flusher.tell(lambda sink: sink.progress(self.number, self.version))

    def relist(self) -> None:
        """The version had expired: what happened since is known as a difference only."""
        self.flush()
        self._list(self.server.version)
        self.flusher.tell(lambda sink: sink.relisted())

    def _list(self, version: int) -> None:
        self.store.begin()
        for name, of in self.server.at(version).items():
            self.store.listed(metadata(name, of), *content(name, of), 1.0)
        items = self.store.finish(str(version))
        self.seen, self.version = version, str(version)
        self.flusher.put(items)


def metadata(name: str, version: int) -> Metadata:
    return Metadata(name=name, namespace="default", uid=f"uid-{name}", resourceVersion=str(version))


def content(name: str, version: int) -> tuple[bytes, bytes]:
    return msgspec.json.encode([name]), msgspec.json.encode({"metadata": {"name": name, "resourceVersion": version}})


class Reader(ModelClient):
    """Deletions of a new list carry the last state known, whose version is an old one."""

    def _object(self, kind: int, number: int, record: Any) -> None:
        if kind == 2:
            self._versions.pop(record.uid, None)
        super()._object(kind, number, record)
        if kind == 2:
            self._versions.pop(record.uid, None)


names = st.sampled_from("abcdef")


class Everything(RuleBasedStateMachine):
    @initialize(ring=st.sampled_from([1, 3, 1000]), bound=st.sampled_from([250, 1000, 1 << 20]), there=st.sets(names))
    def begin(self, ring: int, bound: int, there: set[str]) -> None:
        self.ring, self.gateways = ring, 1
        self.limits = {"queue_bytes": bound, "tombstone_bytes": bound}
        self.server = Server()
        for name in sorted(there):
            self.server.change(name, False)
        self.upstream = Upstream(self.server, "inc-1", ring, None)
        self.client = Reader()
        self.oldest = 0
        self._subscribe()

    def _subscribe(self) -> None:
        resume = self.client.resume()
        self.subscriber = Subscriber(
            self.upstream, f"gateway-{self.gateways}", resume, lambda: None, lambda: None, **self.limits
        )
        self.upstream.flush()
        self.upstream.flusher.sinks[self.subscriber] = None
        self.subscriber.start()

    @rule(changes=st.lists(st.tuples(names, st.booleans()), min_size=1, max_size=6))
    def change(self, changes: list[tuple[str, bool]]) -> None:
        for name, deleted in changes:
            self.server.change(name, deleted)

    @rule(most=st.integers(1, 5))
    def watch(self, most: int) -> None:
        self.upstream.watch(most)

    @rule()
    def flush(self) -> None:
        self.upstream.flush()

    @rule()
    def bookmark(self) -> None:
        self.upstream.bookmark()

    @rule()
    def relist(self) -> None:
        self.upstream.relist()
        self.oldest = self.server.version

    @rule(limit=st.integers(200, 700), most=st.integers(1, 4))
    def pull(self, limit: int, most: int) -> None:
        for _ in range(most):
            if (pulled := self.subscriber.pull(limit)) is not None:
                self.client.frame(*pulled)

    @rule()
    def cut(self) -> None:
        del self.upstream.flusher.sinks[self.subscriber]
        self.client.cut()
        self._subscribe()

    @rule()
    def another_gateway(self) -> None:
        """It lists the client's version, if the server still has it, else the newest."""
        self.client.cut()
        resume = self.client.resume()
        version = int(resume.version) if resume is not None and resume.version else None
        if version is not None and version < self.oldest:
            version = None
        self.gateways += 1
        self.upstream = Upstream(self.server, f"inc-{self.gateways}", self.ring, version)
        self._subscribe()

    def teardown(self) -> None:
        if not hasattr(self, "subscriber"):
            return
        self.upstream.watch(1 << 30)
        self.upstream.flush()
        while (pulled := self.subscriber.pull(1000)) is not None:
            self.client.frame(*pulled)
        held = {uid.removeprefix("uid-"): int(record.version) for uid, record in self.client.objects.items()}
        assert held == self.server.objects
        assert len(set(self.client.seen)) == len(self.client.seen)
        if not self.client.skipped:
            assert self.client.seen == list(range(self.client.floor + 1, self.upstream.number + 1))


Everything.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestEverything = Everything.TestCase
