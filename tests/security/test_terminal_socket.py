"""The WebSocket of a page: what it takes to be let in, and that nothing else is to be had there."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from notebook_mux.gateway import pages
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.tickets import Tickets
from notebook_mux.wire import messages
from notebook_mux.wire.frames import MAX_FRAME
from tests.unit.gateway.serving import TOKEN, Client
from tests.unit.gateway.tls_api import Api, api, authority, connect
from tests.unit.remote.pods import Pods
from tests.unit.remote.shells import ORIGIN, House, Looking, Shell, shells, typed
from tests.waiting import until

__all__ = ["api", "authority", "connect"]

VIEW = "0123456789abcdef"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Page(House):
    """A gateway, a kernel's client with a terminal, and pages that come to look at it."""

    client_: Looking
    terminal: str
    clock: Clock
    shell: Shell

    async def ticket(self, **fields: Any) -> Any:
        """A ticket's text, or the Failure."""
        given: dict[str, Any] = {"id": self.client_.number(), "terminal": self.terminal, "origin": ORIGIN}
        found = await self.client_.ask(messages.Ticket(**(given | fields)))
        if not isinstance(found, dict):
            return found
        assert found.keys() == {"ticket", "port", "path", "seconds"}
        assert (found["port"], found["path"], found["seconds"]) == (
            self.running.gateway.port,
            "/notebook-mux/terminal",
            30.0,
        )
        return found["ticket"]

    def open(self, origin: str | None = ORIGIN, **options: Any) -> Any:
        """A page's socket, as jupyter-server-proxy hands it on: with the public Host, and no token of ours."""
        given: dict[str, Any] = {
            "subprotocols": [pages.SUBPROTOCOL], "origin": origin, "compression": None, "proxy": None,
            "ping_interval": None, "close_timeout": 0.5, "max_size": None,
        }  # fmt: skip
        where = {"host": "127.0.0.1", "port": self.running.gateway.port}
        return open_socket(f"ws://hub.example{pages.PATH}", **(given | where | options))

    def view(self, ticket: str, **fields: Any) -> str:
        given: dict[str, Any] = {"stream": 1, "terminal": self.terminal, "view": VIEW, "credit": 1 << 20}
        return messages.encode(messages.View(ticket=ticket, **(given | fields)))


@pytest.fixture
async def page(api: Api, connect: Callable[..., Cluster]) -> AsyncIterator[Page]:
    clock, shell = Clock(), Shell()
    api.handle = Pods(shell)
    async with shells(api, connect, tickets=Tickets(clock=clock)) as house:
        found = Page(house.running, house.cluster)
        async with found.client() as client:
            found.client_, found.clock, found.shell = client, clock, shell
            found.terminal = await client.start()
            yield found


async def shown(socket: ClientConnection) -> messages.Shown:
    message = messages.decode_gateway(await socket.recv())
    assert isinstance(message, messages.Shown), message
    return message


async def closed(socket: ClientConnection) -> tuple[int | None, str | None, list[Any]]:
    """Code, reason, and what was said before."""
    said = []
    try:
        while True:
            said.append(await socket.recv())
    except ConnectionClosed:
        pass
    return socket.close_code, socket.close_reason, said


async def test_a_ticket_lets_a_page_look_and_type(page: Page):
    ticket = await page.ticket()
    async with page.open() as socket:
        assert socket.subprotocol == pages.SUBPROTOCOL
        await socket.send(page.view(ticket, columns=90, rows=30))
        first = await shown(socket)
        assert (first.stream, first.columns, first.rows, first.taken) == (1, 90, 30, 0)
        client = Looking(socket)
        await client.type(0, b"hello")
        await client.sees(b"hello")
        await socket.send(messages.encode(messages.Size(stream=1, columns=70, rows=20)))
        await socket.send(messages.encode(messages.Credit(stream=1, bytes=1000)))
        await until(lambda: page.shell.sizes[-1:] == [(70, 20)])
        await socket.send(messages.encode(messages.Unsubscribe(stream=1)))
        assert (await closed(socket))[0] == 1000
    await until(lambda: not page.shared.pages)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://evil.example", "http://hub.example", "https://hub.example:8443", "https://hub.example/",
     "https://hub.example.evil.example", "https://127.0.0.1", ""],
)  # fmt: skip
async def test_another_origin_is_not_let_in(page: Page, origin: str | None):
    ticket = await page.ticket()
    with pytest.raises(InvalidStatus) as refused:
        async with page.open(origin):
            pass
    response = refused.value.response
    assert response.status_code == 403
    assert not any(name.lower().startswith("access-control") for name in response.headers)
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)


async def test_two_origins_are_none(page: Page):
    await page.ticket()
    with pytest.raises(InvalidStatus) as refused:
        async with page.open(additional_headers={"Origin": "https://evil.example"}):
            pass
    assert refused.value.response.status_code == 403


async def test_nobody_is_let_in_while_no_page_is_expected(page: Page):
    shown_token: dict[str, Any] = {"additional_headers": {"Authorization": f"Bearer {TOKEN}"}}
    for options in ({}, shown_token):
        with pytest.raises(InvalidStatus) as refused:
            async with page.open(**options):
                pass
        assert refused.value.response.status_code == 403
    await page.ticket()
    page.clock.now += 31
    with pytest.raises(InvalidStatus):
        async with page.open():
            pass


NOT_THE_PAGES = [
    "/notebook-mux",
    "/status",
    f"{pages.PATH}/",
    "/notebook-mux//terminal",
    "/notebook-mux%2Fterminal",
    "/x/../notebook-mux/terminal",
    pages.PATH.upper(),
]


async def test_the_public_host_passes_there_and_nowhere_else(page: Page):
    await page.ticket()
    for path in NOT_THE_PAGES:
        uri = f"ws://hub.example{path}"
        with pytest.raises(InvalidStatus) as refused:
            async with open_socket(
                uri, host="127.0.0.1", port=page.running.gateway.port, origin=ORIGIN, proxy=None,  # type: ignore[arg-type]
                subprotocols=[pages.SUBPROTOCOL],  # type: ignore[list-item]
            ):  # fmt: skip
                pass
        assert refused.value.response.status_code == 403, path


@pytest.mark.parametrize("protocols", [None, ["notebook-mux.v1"], ["notebook-mux.terminal.v2"]])
async def test_another_protocol_is_not_spoken(page: Page, protocols: Any):
    await page.ticket()
    with pytest.raises(InvalidStatus) as refused:
        async with page.open(subprotocols=protocols):
            pass
    assert refused.value.response.status_code == 400


async def refuses(page: Page, view: str) -> None:
    async with page.open() as socket:
        await socket.send(view)
        code, reason, said = await closed(socket)
    assert (code, reason) == (1008, "forbidden")
    assert [json.loads(text)["type"] for text in said] == ["ended"]
    assert json.loads(said[0])["code"] == "forbidden"


async def test_a_ticket_is_good_once(page: Page):
    ticket, _other = await page.ticket(), await page.ticket()
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        await refuses(page, page.view(ticket))
        client = Looking(socket)
        await client.type(0, b"still here")
        await client.sees(b"still here")


async def test_a_ticket_is_good_for_a_moment(page: Page):
    ticket = await page.ticket()
    page.clock.now += 29
    _other = await page.ticket()
    page.clock.now += 2
    await refuses(page, page.view(ticket))


async def test_a_ticket_is_good_for_its_own_origin(page: Page):
    ticket, _other = await page.ticket(origin="https://other.example"), await page.ticket()
    await refuses(page, page.view(ticket))
    async with page.open("https://HUB.example") as socket:
        await socket.send(page.view(_other))
        await shown(socket)
    again = await page.ticket(origin="https://other.example")
    async with page.open("https://other.example") as socket:
        await socket.send(page.view(again))
        await shown(socket)


async def test_a_ticket_is_good_for_its_own_terminal(page: Page):
    other = await page.client_.start(key="other")
    for terminal in (other, "0" * 32, ""):
        await refuses(page, page.view(await page.ticket(), terminal=terminal))
    ticket = await page.ticket()
    _expected = await page.ticket()
    for guess in (ticket[:-1], ticket + "x", secrets.token_urlsafe(32), TOKEN):
        await refuses(page, page.view(guess))


async def test_a_ticket_for_a_terminal_that_was_closed(page: Page):
    ticket = await page.ticket()
    await page.client_.ask(messages.Hangup(id=9, terminal=page.terminal))
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        code, reason, _ = await closed(socket)
    assert (code, reason) == (1008, "not-found")


@pytest.mark.parametrize(
    "origin", ["", "null", "hub.example", "https://", "ftp://hub.example", "https://hub.example/", "https://a b",
               "https://user@hub.example", "vscode-webview://x", "https://hub.example\n", "https://" + "a" * 300],
)  # fmt: skip
async def test_a_ticket_is_given_for_an_origin_only(page: Page, origin: str):
    failure = await page.ticket(origin=origin)
    assert (type(failure), failure.code) == (messages.Failure, "invalid")


async def test_a_ticket_is_given_to_who_has_asked_for_the_terminal(page: Page):
    async with page.client("kernel-2.json") as other:
        failure = await other.ask(messages.Ticket(id=5, terminal=page.terminal, origin=ORIGIN))
        assert (type(failure), failure.code) == (messages.Failure, "not-found")


FIRST_WORDS: list[str | bytes] = [
    b"\0\0\0\1\0\0\0\0\0\0\0\0\0x",
    b"",
    "",
    "{",
    "[]",
    '{"type":"view"}',
    '{"type":"hello","package":"0"}',
    '{"type":"status","id":1}',
    '{"type":"view","stream":1,"terminal":"t","view":"0123456789abcdef"}',
    '{"type":"view","stream":2,"terminal":"t","view":"0123456789abcdef","ticket":"t"}',
    '{"type":"view","stream":1,"terminal":"t","view":"0123456789abcdef","ticket":"' + "t" * 5000 + '"}',
]


@pytest.mark.parametrize("words", FIRST_WORDS)
async def test_what_is_no_view_with_a_ticket_is_answered_by_the_end(page: Page, words: str | bytes):
    await page.ticket()
    async with page.open() as socket:
        await socket.send(words)
        assert await closed(socket) == (1002, "the first message has to be a view with a ticket", [])


async def test_who_says_nothing_is_not_waited_for(page: Page, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pages, "TICKET_SECONDS", 0.1)
    ticket, _other = await page.ticket(), await page.ticket()
    async with page.open() as silent, page.open() as slow:
        # A frame of 500 bytes of which a few come.
        slow.transport.write(b"\x81\xfe\x01\xf4\0\0\0\0" + b'{"type"')
        assert await closed(silent) == (1008, "no ticket in time", [])
        assert (await closed(slow))[0] in (1008, 1006)
    monkeypatch.setattr(pages, "TICKET_SECONDS", 2.0)  # in time is what comes at once, on a busy machine too
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        async with page.open() as another:
            await closed(another)  # past the limit, which is not for who has shown a ticket
        client = Looking(socket)
        await client.type(0, b"x")
        await client.sees(b"x")


async def test_strangers_are_few(page: Page):
    ticket, _other = await page.ticket(), await page.ticket()
    sockets = [await page.open() for _ in range(pages.MAX_STRANGERS)]
    with pytest.raises(InvalidStatus) as refused:
        async with page.open():
            pass
    assert refused.value.response.status_code == 503
    await sockets[0].send(page.view(ticket))
    await shown(sockets[0])
    async with page.open():
        pass  # who has shown a ticket is no stranger
    for socket in sockets:
        await socket.close()


LATER: list[str | bytes] = [
    '{"type":"view","stream":1,"terminal":"t","view":"0123456789abcdef"}',
    '{"type":"view","stream":2,"terminal":"t","view":"0123456789abcdef","ticket":"t"}',
    '{"type":"size","stream":2,"columns":1,"rows":1}',
    '{"type":"size","stream":1,"columns":-1,"rows":1}',
    '{"type":"credit","stream":1,"bytes":-1}',
    '{"type":"credit","stream":0,"bytes":1}',
    '{"type":"hello","package":"0"}',
    '{"type":"contexts","id":1,"source":{}}',
    '{"type":"scope","id":1,"scope":"s","write":["ref-one"]}',
    '{"type":"http","id":1,"cluster":"ref-one","method":"GET","path":"/api"}',
    '{"type":"subscribe","stream":1,"cluster":"ref-one","path":"/api/v1/pods"}',
    '{"type":"exec","stream":1,"program":"0123456789abcdef","cluster":"ref-one","path":"/api"}',
    '{"type":"terminal","id":1,"key":"k","cluster":"ref-one","path":"/api","queries":[]}',
    '{"type":"hangup","id":1,"terminal":"t"}',
    '{"type":"ticket","id":1,"terminal":"t","origin":"https://hub.example"}',
    '{"type":"status","id":1}',
    '{"type":"stop","id":1}',
    '{"type":"retry"}',
    "garbage",
    b"\0\0",
]


@pytest.mark.parametrize("words", LATER)
async def test_a_page_has_no_other_right(page: Page, words: str | bytes):
    ticket = await page.ticket()
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        await socket.send(words)
        code, reason, said = await closed(socket)
    assert (code, reason) == (1002, "protocol")
    assert all(isinstance(frame, bytes) for frame in said), "nothing is answered"
    assert page.running.stops == []
    assert len(page.shared.terminals) == 1


@pytest.mark.parametrize("frame", [typed(1, b"gap"), b"\0\0\0\1\xff\0", b"\0\0\0\1\4{}", b"\0\0\0\1\0" + bytes(8)])
async def test_input_that_cannot_be_ends_the_view(page: Page, frame: bytes):
    ticket = await page.ticket()
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        await socket.send(frame)
        code, reason, said = await closed(socket)
    assert (code, reason) == (1000, "protocol")
    assert json.loads(said[-1])["code"] == "protocol"
    assert page.shell.typed == b""


async def test_frames_of_other_streams_are_ignored(page: Page):
    ticket = await page.ticket()
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        for stream in (0, 2, 0xFFFFFFFF):
            await socket.send(typed(0, b"not mine", stream))
        client = Looking(socket)
        await client.type(0, b"mine")
        await client.sees(b"mine")
    assert page.shell.typed == b"mine"


async def test_a_message_in_pieces_is_one_message(page: Page):
    view = page.view(await page.ticket())
    async with page.open() as socket:
        await socket.send([view[:10], view[10:30], view[30:]])
        await shown(socket)
        frame = typed(0, b"pieces")
        await socket.send([frame[:3], frame[3:7], frame[7:]])
        await Looking(socket).sees(b"pieces")


async def test_a_message_that_is_too_long_is_not_kept(page: Page):
    ticket, other = await page.ticket(), await page.ticket()
    async with page.open() as socket:
        await socket.send("x" * (MAX_FRAME + 1))
        assert (await closed(socket))[0] == 1009
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        await socket.send([bytes(MAX_FRAME)] * 3)
        assert (await closed(socket))[0] == 1009
    async with page.open() as socket:
        await socket.send(page.view(other, credit=0))
        await shown(socket)
        frame = typed(0, bytes(60_000))
        for _ in range(2):
            await socket.send(frame)


async def test_write_that_is_withdrawn(page: Page):
    ticket = await page.ticket()
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        client = Looking(socket)
        await client.type(0, b"yes")
        await client.sees(b"yes")
        await page.client_.allow(False)
        await client.type(3, b"no")
        note = await client.until(20, refused=2)
        assert note["code"] == "write-refused"
        assert "would change something" in note["what"]
        await page.client_.allow(True)
        await client.type(5, b"again")
        await client.sees(b"again")
    assert page.shell.typed == b"yesagain"


async def test_no_write_no_terminal_and_no_typing(page: Page):
    async with page.client("kernel-2.json", write=False) as looker:
        for start in ("create", "again", "take"):
            failure = await looker.terminal(start=start, terminal=page.terminal)
            assert (type(failure), failure.code) == (messages.Failure, "write-refused")
        assert await looker.terminal(start="find") == {}
        ended = await looker.look(page.terminal)
        assert (type(ended), ended.code) == (messages.Ended, "not-found")
        failure = await looker.ask(messages.Hangup(id=7, terminal=page.terminal))
        assert (type(failure), failure.code) == (messages.Failure, "not-found")


async def test_the_terminals_end_is_the_pages(page: Page):
    ticket = await page.ticket()
    async with page.open() as socket:
        await socket.send(page.view(ticket))
        await shown(socket)
        await page.client_.ask(messages.Hangup(id=9, terminal=page.terminal))
        code, reason, said = await closed(socket)
    assert (code, reason) == (1000, "closed")
    assert json.loads(said[-1]) == {"type": "ended", "stream": 1, "code": "closed", "what": "the terminal was closed"}


async def test_nothing_of_a_ticket_is_said_again(page: Page, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "websockets")  # the page's own side
    ticket, used, _other = await page.ticket(), await page.ticket(), await page.ticket()
    async with page.open() as socket:
        await socket.send(page.view(used))
        await shown(socket)
        for words in (page.view(used), page.view(ticket, terminal="x"), page.view(ticket)[:-3]):
            async with page.open() as other:
                await other.send(words)
                _, reason, said = await closed(other)
            assert not {used, ticket} & set(str((reason, said)).replace('"', " ").split())
        client = Client(page.client_.socket)
        _, body = await client.ask(messages.Status(id=77))
    page.shared.tickets.give(page.terminal, ORIGIN)
    text = caplog.text + body.decode() + repr(page.shared) + repr(page.shared.tickets.__dict__["_given"].values())
    assert used not in text
    assert ticket not in text
