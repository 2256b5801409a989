"""A gateway of several users: what one of them can do with all that another one has but the token."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hmac
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notebook_mux.classroom import namespaces
from notebook_mux.classroom.students import Student
from notebook_mux.gateway import houses as module
from notebook_mux.gateway.houses import Houses
from notebook_mux.gateway.limits import ONE_OF_MANY
from notebook_mux.gateway.pages import SUBPROTOCOL
from notebook_mux.gateway.server import Gateway
from notebook_mux.gateway.shared import Shared
from notebook_mux.gateway.users import Person, digest
from notebook_mux.playground import kubeconfig
from notebook_mux.wire import messages
from notebook_mux.wire.messages import Source
from tests.playground import RunningPlayground
from tests.security.test_gateway import ask as http
from tests.unit.remote.shells import ORIGIN, QUERY, Looking

OPERATOR = "operator-1234567890abcdef"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "spec": {"containers": [{"name": "web", "image": "busybox", "command": ["sleep", "infinity"]}]},
}


class Member:
    """Somebody of the class, and how they reach the gateway."""

    def __init__(self, room: Room, name: str, config: Path) -> None:
        self.room = room
        self.name = name
        self.token = secrets.token_urlsafe(32)
        self.person = Person(name, digest(self.token), config, "always")
        self.exec = f"/api/v1/namespaces/{name}/pods/web/exec"

    def connect(self, token: str = "") -> Any:
        """A bare WebSocket."""
        return connect(
            f"ws://127.0.0.1:{self.room.gateway.port}{messages.PATH}", subprotocols=[messages.SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers={"Authorization": f"Bearer {token or self.token}"}, compression=None, proxy=None,
            close_timeout=0.2,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def client(self, kernel: str = "kernel-1.json") -> AsyncIterator[tuple[Looking, str]]:
        """One that was welcomed and may write, and its cluster's ref."""
        async with self.connect() as socket:
            client = Looking(socket)
            await client.say(messages.Hello(package="0", kernel=kernel, user="ann"))
            welcome = await client.told()
            assert isinstance(welcome, messages.Welcome)
            assert (welcome.user, welcome.unasked, welcome.environment) == (self.name, True, False)
            [found] = await client.ask(messages.Contexts(id=client.number(), source=Source()))
            assert found["namespace"] == self.name
            ref = found["ref"]
            granted = await client.ask(messages.Scope(id=client.number(), scope="s", write=[ref]))
            assert granted == [ref]
            yield client, ref


class Room:
    """A gateway with ann and bob, on a cluster where each has a namespace with a pod ``web``."""

    def __init__(self, playground: RunningPlayground, folder: Path) -> None:
        self.shared = Shared(instance="i", own=Source(kubeconfig=[]), write=False)
        self.houses = Houses(self.shared)
        self.gateway = Gateway(self.shared, OPERATOR, lambda nonce: {}, houses=self.houses)
        self.ann, self.bob = (self._member(playground, folder, name) for name in ("ann", "bob"))

    def _member(self, playground: RunningPlayground, folder: Path, name: str) -> Member:
        served, token = playground.playground.first, f"cluster-token-of-{name}"
        playground.call(lambda: namespaces.enrol(served, Student.of(name), token))
        if not playground.call(lambda: served.cluster.get("pods", name, "web")):
            playground.create({**POD, "metadata": {"name": "web", "namespace": name}})
        config = folder / name
        reach = dataclasses.replace(served.reach, token=token, namespace=name)
        config.write_bytes(kubeconfig.text([reach]))
        return Member(self, name, config)

    async def ask(self, method: str, path: str, token: str, **headers: str) -> tuple[int, str]:
        given: dict[str, str | None] = {"Authorization": f"Bearer {token}", **headers}
        status, _, body = await asyncio.to_thread(http, self.gateway.port, method, path, given)
        return status, body


@pytest.fixture(scope="module")
def playground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    running = RunningPlayground(tmp_path_factory.mktemp("playground"))
    running.call(lambda: namespaces.prepare(running.playground.first, 2))
    yield running
    running.close()


@pytest.fixture
async def room(playground: RunningPlayground, tmp_path: Path) -> AsyncIterator[Room]:
    made = Room(playground, tmp_path)
    await made.gateway.start()
    made.houses.apply([made.ann.person, made.bob.person])
    yield made
    await made.gateway.close("the test ends")


async def test_a_token_opens_one_house_and_all_are_compared(room: Room, monkeypatch: pytest.MonkeyPatch):
    compared: list[int] = []

    def counting(one: bytes, other: bytes) -> bool:
        compared.append(len(one))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(module, "hmac", type("hmac", (), {"compare_digest": staticmethod(counting)}))
    for token, status in ((room.ann.token, 200), (room.bob.token, 200), (OPERATOR, 200), ("wrong", 401), ("", 401)):
        compared.clear()
        found, body = await room.ask("GET", "/status", token)
        assert found == status
        assert compared == [32, 32], token
        assert not any(secret in body for secret in (room.ann.token, room.bob.token, OPERATOR, "cluster-token"))
        assert ('"users"' in body) == (token == OPERATOR)
    both, _ = await room.ask("GET", f"/status?token={room.bob.token}", room.ann.token)
    assert both == 401
    digest_alone, _ = await room.ask("GET", "/status", room.ann.person.digest.hex())
    assert digest_alone == 401


async def test_only_whoever_runs_it_stops_it_or_says_who_is_in(room: Room):
    for path in ("/stop", "/users"):
        status, _ = await room.ask("POST", path, room.ann.token)
        assert status == 403
    for path in ("/config", "/clusters/demo/api/v1/pods", "/wsMultiplexer"):
        status, _ = await room.ask("GET", path, room.ann.token)
        assert status in (404, 403), path
    async with room.ann.client() as (client, _):
        refused = await client.ask(messages.Stop(id=client.number()))
        assert (refused.code, refused.what) == ("forbidden", "this gateway is not yours alone")
    async with room.ann.connect(OPERATOR) as socket:
        client = Looking(socket)
        await client.say(messages.Hello(package="0"))
        await client.told()
        none = await client.ask(messages.Contexts(id=client.number(), source=Source(), names=["*"]))
        assert none.code == "no-cluster"


async def test_the_status_is_ones_own(room: Room):
    async with room.ann.client() as (ann, ref), room.bob.client() as (bob, _):
        terminal = await ann.start(cluster=ref, path=room.ann.exec)
        await ann.say(messages.Subscribe(stream=7, cluster=ref, path="/api/v1/namespaces/ann/pods", credit=1 << 20))
        await ann.data(7)
        _, own = await room.ask("GET", "/status", room.ann.token)
        _, others = await room.ask("GET", "/status", room.bob.token)
        assert terminal in own
        assert "namespaces/ann/pods" in own
        for word in (terminal, ref, "ann"):
            assert word not in others
        asked = await bob.ask(messages.Status(id=bob.number()))
        assert "ann" not in str(asked)


async def test_anothers_terminal_is_not_there(room: Room):
    async with room.ann.client() as (ann, ref), room.bob.client() as (bob, own):
        terminal = await ann.start(cluster=ref, path=room.ann.exec, notebook="lesson.ipynb")
        assert own != ref
        unknown = await bob.terminal(cluster=ref, path=room.ann.exec)
        assert unknown.code == "unknown-context"
        found = await bob.terminal(cluster=own, start="find", notebook="lesson.ipynb", path=room.ann.exec)
        assert (found.get("terminal", ""), found.get("others", [])) == ("", [])
        for start in ("take", "again"):
            refused = await bob.terminal(
                cluster=own, start=start, terminal=terminal, notebook="lesson.ipynb", path=room.ann.exec
            )
            assert refused.code == "not-found", start
        ended = await bob.look(terminal)
        assert (type(ended), ended.code) == (messages.Ended, "not-found")
        refused = await bob.ask(messages.Ticket(id=bob.number(), terminal=terminal, origin=ORIGIN))
        assert refused.code == "not-found"
        await bob.ask(messages.Hangup(id=bob.number(), terminal=terminal))
        assert isinstance(await ann.look(terminal), messages.Shown)  # it lives
        # Into the pod itself: their own cluster says no.
        theirs = await bob.terminal(cluster=own, key="x", path=room.ann.exec)
        await bob.look(theirs["terminal"], stream=2)
        while "orbidden" not in str(bob.frames[-1:]) and "orbidden" not in str(bob.messages[-1:]):
            await bob.read()
    async with room.bob.client("kernel-2.json") as (bob, own):
        found = await bob.terminal(cluster=own, start="find", path=room.ann.exec, notebook="lesson.ipynb")
        assert found.get("others", []) == []


async def test_a_ticket_is_good_on_its_own_users_path_alone(room: Room):
    async with room.ann.client() as (ann, ref):
        terminal = await ann.start(cluster=ref, path=room.ann.exec)
        given = await ann.ask(messages.Ticket(id=ann.number(), terminal=terminal, origin=ORIGIN))
        paths = {house.page_path for house in room.houses}
        assert given["path"] in paths
        view = messages.View(stream=1, terminal=terminal, view="0" * 16, credit=1 << 20, ticket=given["ticket"])
        for path in (*(paths - {given["path"]}), room.gateway.page_path, room.gateway.page_path + "/nobody"):
            with pytest.raises(InvalidStatus):
                async with connect(
                    f"ws://127.0.0.1:{room.gateway.port}{path}", subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
                    additional_headers={"Origin": ORIGIN}, proxy=None,
                ):  # fmt: skip
                    pass
        async with connect(
            f"ws://127.0.0.1:{room.gateway.port}{given['path']}", subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers={"Origin": ORIGIN}, proxy=None,
        ) as page:  # fmt: skip
            await page.send(messages.encode(view))
            assert isinstance(messages.decode_gateway(await page.recv()), messages.Shown)


async def test_a_place_in_anothers_stream_and_an_id_of_anothers_program_mean_nothing(room: Room):
    path = "/api/v1/namespaces/ann/pods"
    async with room.ann.client() as (ann, ref), room.bob.client() as (bob, own):
        await ann.say(messages.Subscribe(stream=7, cluster=ref, path=path, credit=1 << 20))
        await ann.data(7)
        [upstream] = [one for house in room.houses if house.user == "ann" for one in house.upstreams]
        resume = messages.Resume(
            instance="i", incarnation=upstream.incarnation, number=0, version=upstream.version or ""
        )
        for cluster, code in ((ref, "unknown-context"), (own, "")):
            number = bob.number()
            await bob.say(messages.Subscribe(stream=number, cluster=cluster, path=path, credit=1 << 20, resume=resume))
            while True:
                told = await bob.told()
                if isinstance(told, messages.Ended) and told.stream == number:
                    assert told.code == code
                    break
                if isinstance(told, messages.State) and told.state == "forbidden":
                    break
        assert not bob.frames
        program: dict[str, Any] = {
            "program": "p" * 32,
            "path": room.ann.exec,
            "query": "stdout=true&command=sleep&command=9",
        }
        await ann.say(messages.Exec(stream=20, cluster=ref, attempt=1, scope="s", credit=1 << 20, **program))
        while not isinstance(await ann.told(), messages.Joined):
            pass
        await bob.say(messages.Exec(stream=21, cluster=own, attempt=9, scope="s", credit=1 << 20, **program))
        while b"orbidden" not in (await bob.data(21))[1]:
            pass
        [held] = [one for house in room.houses if house.user == "ann" for one in house.programs]
        assert held.attempt == 1
        assert held.leave is not None


async def test_a_kubeconfig_is_the_gateways_to_choose(room: Room):
    async with room.bob.client() as (bob, _):
        path = str(room.ann.person.kubeconfig)
        for source in (Source(kubeconfig=[path]), Source(env={"KUBECONFIG": path})):
            refused = await bob.ask(messages.Contexts(id=bob.number(), source=source))
            assert refused.code == "forbidden"
            assert path not in str(refused)


async def test_a_token_that_is_revoked_is_cut_off_at_once(room: Room, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with room.ann.client() as (ann, ref), room.bob.client() as (bob, own):
        await ann.start(cluster=ref, path=room.ann.exec)
        [house] = [one for one in room.houses if one.user == "ann"]
        room.houses.apply([room.bob.person])
        goodbye = await ann.told()
        while not isinstance(goodbye, messages.Goodbye):
            goodbye = await ann.told()
        assert (goodbye.code, goodbye.what) == ("revoked", "the token is not good any more")
        with pytest.raises(ConnectionClosed):
            await ann.read()
        with pytest.raises(InvalidStatus, match="401"):
            async with room.ann.connect():
                pass
        assert isinstance(await bob.start(cluster=own, path=room.bob.exec), str)
    async with asyncio.timeout(30):
        while len(house.terminals) or len(house.upstreams) or list(house.clusters):
            await asyncio.sleep(0.01)
    logged = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("websockets."))
    assert "ann is let in no more" in logged
    for secret in (room.ann.token, room.bob.token, "cluster-token", OPERATOR):
        assert secret not in logged


async def test_who_takes_too_much_is_refused_and_nobody_else(room: Room, monkeypatch: pytest.MonkeyPatch):
    few = dataclasses.replace(ONE_OF_MANY, clients=2, streams=3, terminals=1, requests=4)
    for house in room.houses:
        house.limits = few
        house.terminals.most = few.terminals
    async with room.ann.client() as (ann, ref), room.ann.client("k2") as (other, _):
        with pytest.raises(InvalidStatus, match="429"):
            async with room.ann.connect():
                pass
        for number in range(1, 5):
            path = f"/api/v1/namespaces/ann/{('pods', 'services', 'configmaps', 'secrets')[number - 1]}"
            client = ann if number < 3 else other
            if number == 3:
                await ann.ask(messages.Status(id=ann.number()))  # those before have been opened
            await client.say(messages.Subscribe(stream=number, cluster=ref, path=path, credit=1 << 20))
        while not isinstance(ended := await other.told(), messages.Ended):
            pass
        assert (ended.stream, ended.code) == (4, "invalid")
        assert "3 streams of ann are open already" in ended.what
        await ann.start(cluster=ref, path=room.ann.exec)
        refused = await ann.terminal(cluster=ref, key="second", path=room.ann.exec)
        assert refused.what == "1 terminals are kept already"
        for _ in range(12):
            await ann.say(messages.Http(id=ann.number(), cluster=ref, method="GET", path="/api/v1/namespaces/ann/pods"))
        while not isinstance(failed := await ann.told(), messages.Failure):
            pass
        assert "requests of yours wait already" in failed.what
        async with room.bob.client() as (bob, own):
            await bob.start(cluster=own, path=room.bob.exec, queries=[QUERY])


def test_links_are_urls_of_the_gateway_alone(room: Room):
    assert urlsplit(room.gateway.url).hostname == "127.0.0.1"
