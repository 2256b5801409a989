from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from notebook_mux.gateway.cluster import Cluster
from notebook_mux.remote import viewers
from notebook_mux.remote.ring import RING_BYTES
from notebook_mux.remote.terminals import Terminals
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel, encode_frame
from tests.unit.gateway.serving import until_closed
from tests.unit.gateway.tls_api import Api
from tests.unit.remote.pods import EXEC, SUCCESS, Pods, says
from tests.unit.remote.shells import QUERY, House, Looking, Shell, shells, typed
from tests.waiting import until

VIEW = "0123456789abcdef"


@pytest.fixture
def shell() -> Shell:
    return Shell()


@pytest.fixture
async def house(api: Api, connect: Callable[..., Cluster], shell: Shell) -> AsyncIterator[House]:
    api.handle = Pods(shell)
    async with shells(api, connect) as found:
        yield found


@pytest.fixture
async def client(house: House) -> AsyncIterator[Looking]:
    async with house.client() as found:
        yield found


async def test_found_by_its_key_and_started_once(house: House, client: Looking, shell: Shell):
    assert await client.terminal(start="find") == {}
    found = await client.terminal()
    assert found == {"terminal": found["terminal"], "created": True, "path": EXEC, "queries": [QUERY]}
    again = await client.terminal(path="/api/v1/namespaces/x/pods/other/exec", queries=["command=other"])
    assert again == {"terminal": found["terminal"], "path": EXEC, "queries": [QUERY]}
    assert (await client.terminal(start="find", path="", queries=[]))["terminal"] == found["terminal"]
    assert (await client.start(key="other")) != found["terminal"]
    await until(lambda: len(shell.sockets) == 2)
    async with house.client("kernel-2.json") as stranger:
        assert await stranger.terminal(start="find") == {}
        assert (await stranger.start()) != found["terminal"]
    assert len(house.shared.terminals) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/api/v1/namespaces/x/pods/web-0/log"},
        {"path": ""},
        {"queries": []},
        {"queries": [QUERY] * 9},
        {"queries": ["a b"]},
        {"key": "k" * 1001},
        {"title": "k" * 1001},
        {"notebook": "k" * 1001},
        {"delete": "/api/v1/namespaces/x"},
        {"delete": "/api/v1/namespaces/x/pods"},
        {"delete": "/api/v1/namespaces/x/services/y"},
        {"delete": "/api/v1/namespaces/x/pods/y/exec"},
        {"delete": "/api/v1/namespaces/x/pods/../y"},
    ],
)
async def test_what_is_no_terminal(house: House, client: Looking, fields: dict[str, Any]):
    failure = await client.terminal(**fields)
    assert (type(failure), failure.code) == (messages.Failure, "invalid")
    assert len(house.shared.terminals) == 0


async def test_a_cluster_that_was_not_asked_for(client: Looking):
    assert (await client.terminal(cluster="ref-nine")).code == "unknown-context"


async def test_what_a_view_is_shown(client: Looking, shell: Shell):
    terminal = await client.start()
    shown = await client.look(terminal, 7, columns=100, rows=40)
    assert shown == messages.Shown(stream=7, place=0, credit=256 * 1024, columns=100, rows=40, kept=600.0)
    await client.until(Channel.ERROR, 7, state="running")
    await until(lambda: shell.sizes == [(100, 40)])
    await client.type(0, b"one", 7)
    await client.sees(b"one", 7)
    frames = [(channel, payload) for stream, channel, payload in client.frames if stream == 7]
    kinds = [channel for channel, _ in frames]
    assert sorted(kinds) == [1, 3, 3, 20]
    said = [json.loads(payload) for channel, payload in frames if channel == Channel.ERROR]
    assert [(one["run"], one["state"]) for one in said] == [(1, "starting"), (1, "running")]
    assert (said[1]["command"], said[1]["at"] > 1e9) == (["sh"], True)
    assert json.loads(frames[kinds.index(20)][1]) == {"live": True}


async def test_a_second_view_is_shown_all_again_and_then_what_is_live(client: Looking, shell: Shell):
    terminal = await client.start()
    await client.look(terminal)
    await client.until(Channel.ERROR, state="running")
    await client.type(0, b"before")
    await client.sees(b"before")
    shown = await client.look(terminal, 2, view=VIEW)
    assert (shown.place, shown.taken) == (0, 0)
    await client.until(Channel.VIEW, 2, live=True)
    await shell.says(b"after")
    await client.sees(b"beforeafter", 2)
    await client.sees(b"beforeafter", 1)
    frames = [(channel, payload) for stream, channel, payload in client.frames if stream == 2]
    assert [channel for channel, _ in frames] == [3, 3, 1, 20, 1]
    await client.type(0, b"!", 2)
    await client.sees(b"!", 1)
    assert shell.typed == b"before!"


async def test_a_view_comes_again_where_it_stood(house: House, shell: Shell):
    async with house.client() as client:
        terminal = await client.start()
        await client.look(terminal, view=VIEW)
        await client.until(Channel.ERROR, state="running")
        await client.type(0, b"abc")
        await client.sees(b"abc")
        place = sum(len(payload) for _, channel, payload in client.frames if channel in (1, 3))
    await shell.says(b"while away")
    async with house.client() as client:
        assert (await client.look(terminal, view=VIEW)).code == "not-found", "it was not asked for on this connection"
        await client.terminal(start="find")
        shown = await client.look(terminal, 3, view=VIEW, received=place)
        assert (shown.place, shown.taken) == (place, 3)
        await client.sees(b"while away", 3)
        await client.type(1, b"bcd", 3)
        await client.sees(b"d", 3)
        await client.type(0, b"ab", 3)
        await client.type(4, b"e", 3)
        await client.sees(b"e", 3)
    assert shell.typed == b"abcde", "what had come was dropped"


async def test_the_same_view_twice_is_on_the_later_stream(house: House, client: Looking):
    terminal = await client.start()
    await client.look(terminal, 1, view=VIEW)
    await client.type(0, b"x")
    await client.sees(b"x")
    async with house.client() as other:
        await other.start()
        assert (await other.look(terminal, 1, view=VIEW)).taken == 1
        ended = await client.told()
        assert isinstance(ended, messages.Ended)
        assert (ended.stream, ended.code) == (1, "closed")
        await client.type(1, b"late")
        await other.type(1, b"y")
        await other.sees(b"xy")
        kept = house.shared.terminals.get(terminal)
        assert len(kept.terminal.viewers) == 1


@pytest.mark.parametrize("fields", [{"view": "short"}, {"view": "v" * 65}, {"received": 1 << 40}])
async def test_what_is_no_view(client: Looking, fields: dict[str, Any]):
    ended = await client.look(await client.start(), **fields)
    assert (type(ended), ended.code) == (messages.Ended, "invalid")


@pytest.mark.parametrize("fields", [{"credit": -1}, {"received": -2}, {"columns": -1}, {"rows": 65536}, {"stream": 0}])
async def test_a_view_that_breaks_the_protocol(client: Looking, fields: dict[str, Any]):
    terminal = await client.start()
    given: dict[str, Any] = {"stream": 1, "terminal": terminal, "view": VIEW}
    await client.say(messages.View(**(given | fields)))
    goodbye, code = await until_closed(client)
    assert (goodbye.code, code) == ("protocol", 1002)


@pytest.mark.parametrize(
    "frame",
    [typed(1, b"gap"), typed(0, bytes(60_000)), encode_frame(1, Channel.CLOSE, b"\0"), encode_frame(1, 4, b"{}"),
     encode_frame(1, 0, bytes(8))],
)  # fmt: skip
async def test_what_is_wrong_with_a_frame_ends_its_view_alone(
    client: Looking, frame: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(viewers, "INPUT_CREDIT", 50_000)
    terminal = await client.start()
    await client.look(terminal)
    await client.look(terminal, 2)
    await client.socket.send(frame)
    while not isinstance(ended := await client.told(), messages.Ended):
        pass
    assert (ended.stream, ended.code) == (1, "protocol")
    await client.type(0, b"still", 2)
    await client.sees(b"still", 2)


async def test_ids_are_one_range(client: Looking):
    await client.look(await client.start(), 5)
    await client.say(messages.Subscribe(stream=5, cluster="ref-one", path="/api/v1/pods"))
    goodbye, _ = await until_closed(client)
    assert goodbye.what == "the id 5 is in use"


async def test_credit_for_input_comes_in_steps(client: Looking, shell: Shell):
    await client.look(await client.start())
    place = 0
    for size in (60_000, 60_000, 10):
        await client.type(place, bytes(size))
        place += size
    granted = 0
    while granted < 100_000:
        message = await client.told()
        assert isinstance(message, messages.Credit)
        granted += message.bytes
    await until(lambda: len(shell.typed) == place)


async def test_what_is_typed_ahead_waits_and_what_comes_too_late_is_dropped(api: Api, house: House, client: Looking):
    api.handle = Pods(says(SUCCESS))
    terminal = await client.start(key="short")
    await client.look(terminal)
    await client.until(Channel.ERROR, state="ended", code=0)
    shell = Shell()
    api.handle = Pods(shell)
    await client.type(0, b"nobody reads this")
    assert (await client.terminal(start="again", terminal=terminal))["created"]
    await client.type(17, b"but this")
    await client.sees(b"but this")
    assert shell.typed == b"but this"
    assert "created" not in await client.terminal(start="again", terminal=terminal), "one is on"


async def test_a_view_without_output(client: Looking, shell: Shell):
    terminal = await client.start()
    await client.look(terminal)
    await client.until(Channel.ERROR, state="running")
    shown = await client.look(terminal, 2, output=False)
    assert (await client.until(Channel.ERROR, 2))["state"] == "running"
    assert shown.place > 0
    await client.until(Channel.VIEW, 2, live=True)
    await client.type(0, b"x")
    await client.sees(b"x")
    await client.type(1, b"\4")
    assert (await client.until(Channel.ERROR, 2))["state"] == "ended"
    assert client.output(2) == b""


async def test_the_size_is_the_smallest_and_is_told(client: Looking, shell: Shell):
    terminal = await client.start()
    await client.look(terminal, columns=100, rows=30)
    shown = await client.look(terminal, 2, columns=80, rows=40)
    assert (shown.columns, shown.rows) == (80, 30)
    await client.until(Channel.VIEW, columns=80, rows=30)
    await client.say(messages.Size(stream=2, columns=0, rows=0))
    await client.until(Channel.VIEW, columns=100, rows=30)
    await client.say(messages.Size(stream=99, columns=1, rows=1))
    await client.say(messages.Size(stream=2, columns=90, rows=20))
    await client.until(Channel.VIEW, columns=90, rows=20)
    await client.say(messages.Unsubscribe(stream=2))
    await client.until(Channel.VIEW, columns=100, rows=30)
    await until(lambda: shell.sizes[-1:] == [(100, 30)])
    await client.say(messages.Unsubscribe(stream=1))
    assert (await client.look(terminal, 3)).columns == 100


async def test_write_that_is_withdrawn_is_refused_aloud(client: Looking, shell: Shell):
    await client.look(await client.start())
    await client.allow(False)
    await client.type(0, b"abc")
    note = await client.until(Channel.VIEW, refused=3)
    assert (note["code"], note["todo"]) == ("write-refused", "connect with nm.connect(..., write=True)")
    assert "k" in note["what"]
    await client.allow(True)
    await client.type(3, b"d")
    await client.sees(b"d")
    assert shell.typed == b"d"


async def test_to_look_again_needs_no_right_to_write(house: House, shell: Shell):
    async with house.client() as client:
        terminal = await client.start()
    async with house.client(write=False) as client:
        assert (await client.terminal()).code == "write-refused"
        assert (await client.terminal(start="find"))["terminal"] == terminal
        await client.look(terminal)
        await client.type(0, b"no")
        await client.until(Channel.VIEW, refused=2)
    assert shell.typed == b""


async def test_the_right_to_write_on_one_cluster_is_none_on_another(client: Looking, shell: Shell):
    terminal = await client.start()
    await client.look(terminal)
    await client.ask(messages.Scope(id=client.number(), scope="s", write=["ref-two"]))
    for start in ("again", "take"):
        failure = await client.terminal(start=start, cluster="ref-two", terminal=terminal)
        assert (type(failure), failure.code) == (messages.Failure, "not-found")
    await client.type(0, b"no")
    await client.until(Channel.VIEW, refused=2)
    assert shell.typed == b""


async def test_hang_up_is_its_kernels_alone(house: House, client: Looking):
    terminal = await client.start()
    await client.look(terminal)
    async with house.client("kernel-2.json") as other:
        refused = await other.ask(messages.Hangup(id=5, terminal=terminal))
        assert (type(refused), refused.code) == (messages.Failure, "not-found")
    assert await client.ask(messages.Hangup(id=5, terminal=terminal)) == {}
    assert any(isinstance(one, messages.Ended) and one.code == "closed" for one in client.messages)
    assert await client.ask(messages.Hangup(id=6, terminal=terminal)) == {}
    assert len(house.shared.terminals) == 0


async def test_another_kernel_of_the_notebook_takes_it_over(house: House, shell: Shell):
    async with house.client("kernel-1.json") as client:
        terminal = await client.start(notebook="lesson.ipynb", title="sh in web-0")
        await client.look(terminal)
        async with house.client("kernel-2.json") as other:
            assert "others" not in await other.terminal(start="find", notebook="lesson.ipynb"), "its kernel is there"
            failure = await other.terminal(start="take", terminal=terminal, notebook="lesson.ipynb")
            assert failure.code == "not-found"
    async with house.client("kernel-2.json") as other:
        for notebook in ("", "other.ipynb"):
            assert await other.terminal(start="find", notebook=notebook) == {}
            assert (await other.terminal(start="take", terminal=terminal, notebook=notebook)).code == "not-found"
        [offer] = (await other.terminal(start="find", notebook="lesson.ipynb"))["others"]
        assert (offer["terminal"], offer["title"], offer["kernel"]) == (terminal, "sh in web-0", "kernel-1.json")
        taken = await other.terminal(start="take", terminal=terminal, notebook="lesson.ipynb")
        assert (taken["terminal"], "others" in taken) == (terminal, False)
        await other.look(terminal)
        await other.type(0, b"mine")
        await other.sees(b"mine")
    async with house.client("kernel-1.json") as client:
        assert await client.terminal(start="find") == {}
    async with house.client("kernel-3.json") as third:
        own = await third.start(notebook="lesson.ipynb")
        failure = await third.terminal(start="take", terminal=terminal, notebook="lesson.ipynb")
        assert (failure.code, own != terminal) == ("invalid", True)


async def test_it_is_listed(house: House, client: Looking):
    terminal = await client.start(title="sh in web-0", notebook="lesson.ipynb")
    await client.look(terminal, columns=80, rows=24)
    await client.until(Channel.ERROR, state="running")
    _, body = await client.ask(messages.Status(id=5))
    [listed] = json.loads(body)["terminals"]
    assert listed["since"] > 1e9
    assert listed["output"] > 0
    del listed["since"], listed["output"]
    assert listed == {
        "terminal": terminal, "title": "sh in web-0", "cluster": "one", "kernel": "kernel-1.json",
        "notebook": "lesson.ipynb", "path": EXEC, "state": "running", "runs": 1, "columns": 80, "rows": 24, "views": 1,
        "skipped": 0, "until": None,
    }  # fmt: skip


async def test_it_is_kept_for_a_while(api: Api, connect: Callable[..., Cluster], shell: Shell):
    api.handle = Pods(shell)
    touched: list[int] = []
    async with shells(api, connect, terminals=Terminals(0.05, touched=lambda: touched.append(1))) as house:
        async with house.client() as client:
            terminal = await client.start()
            kept = house.shared.terminals.get(terminal)
            await client.look(terminal)
            await until(lambda: bool(shell.sockets))
            assert kept.until is None
        await until(lambda: not len(house.shared.terminals))
        assert touched == [1]
        await until(lambda: shell.sockets[0].closed)
        async with house.client() as client:
            assert await client.terminal(start="find") == {}


async def test_a_view_that_is_too_slow_is_skipped(client: Looking, shell: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("notebook_mux.remote.terminal.PATIENCE", 0.05)
    terminal = await client.start()
    await client.look(terminal, 1, credit=1, columns=80, rows=24)
    await client.look(terminal, 2, credit=1 << 40)
    await client.until(Channel.ERROR, 2, state="running")
    size, piece = 0, b"\x1b[1m" + bytes(range(32, 127)) * 300
    while size < RING_BYTES * 2:
        await shell.says(piece)
        size += len(piece)
    await shell.says(b"the end")
    whole = await client.sees(b"the end", 2)
    assert len(whole) == size + 7
    assert client.output(1) == b"", "its first frames were states"
    await client.say(messages.Credit(stream=1, bytes=1 << 40))
    skipped = await client.until(Channel.VIEW, 1)
    restore = await client.until(Channel.VIEW, 1)
    if "columns" in skipped:
        skipped, restore = restore, await client.until(Channel.VIEW, 1)
    assert skipped["skipped"] > RING_BYTES - 200_000
    assert restore["restore"].endswith("\x1b[0;1m")
    assert restore["state"]["state"] == "running"
    shown = await client.sees(b"the end", 1)
    assert whole.endswith(shown)
    assert len(shown) <= RING_BYTES
    await until(lambda: shell.sizes[-2:] == [(80, 23), (80, 24)], "it is drawn anew")


async def test_a_view_that_is_slow_is_waited_for(client: Looking, shell: Shell):
    terminal = await client.start()
    await client.look(terminal, 1, credit=1000)
    await client.until(Channel.ERROR, state="running")
    size, piece = 0, bytes(32_000)
    sent = 0

    async def write() -> None:
        nonlocal sent
        while sent < 40 << 20:
            await shell.says(piece)
            sent += len(piece)

    writing = asyncio.create_task(write())
    while size < 4 << 20:
        await client.say(messages.Credit(stream=1, bytes=100_000))
        channel, payload = await client.data(1)
        assert channel != Channel.VIEW or b"skipped" not in payload
        size += len(payload) if channel == 1 else 0
    assert sent < 40 << 20, "who writes has to wait for who reads"
    writing.cancel()


async def test_late_views_are_told_what_was_set(client: Looking, shell: Shell):
    terminal = await client.start()
    await client.look(terminal, 1, credit=1 << 40, columns=80, rows=24)
    await client.until(Channel.ERROR, state="running")
    await shell.says(b"\x1b[?1049h\x1b[7m")
    for _ in range(RING_BYTES // 32_000 + 5):
        await shell.says("世".encode() * 10_900)
    await shell.says(b"the end")
    whole = await client.sees(b"the end")
    shown = await client.look(terminal, 2, credit=1 << 40)
    assert shown.place > 0
    note = await client.until(Channel.VIEW, 2)
    assert note["restore"].startswith("\x1b[?1049h")
    assert note["restore"].endswith("\x1b[0;7m")
    text = (await client.sees(b"the end", 2)).decode()
    assert text.removesuffix("the end").strip("世") == "", "it begins with a whole character"
    assert whole.endswith(text.encode())
    await client.until(Channel.VIEW, 2, live=True)
    await until(lambda: shell.sizes[-2:] == [(80, 23), (80, 24)], "it is drawn anew")
