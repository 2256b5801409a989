from __future__ import annotations

import json
from typing import Any

import pytest

from notebook_mux.kernel.failure import Failure
from notebook_mux.kernel.views import PAGE_STREAM, View, read
from notebook_mux.wire import messages
from notebook_mux.wire.frames import NUMBER, Channel, encode_frame

HEAD = 5
VIEW = messages.View(stream=1, terminal="", view="v" * 16, columns=80, rows=24, credit=1000)


class Line:
    """A connection that keeps what is told, and opens streams when it is asked to."""

    def __init__(self) -> None:
        self.told: list[messages.Message] = []
        self.written: list[tuple[int, int, bytes]] = []
        self.opened: list[messages.View] = []
        self.up = True
        self._next = 10

    def write(self, stream: int, channel: int, payload: bytes) -> None:
        self.written.append((stream, channel, payload))

    def tell(self, message: messages.Message) -> None:
        self.told.append(message)

    def again(self, handler: View) -> None:
        self._next += 1
        view = handler.begin(self._next, 1 << 20) if self.up else None
        if view is not None:
            self.opened.append(view)

    @property
    def keys(self) -> bytes:
        """What was typed, and where."""
        found = bytearray()
        for _, channel, payload in self.written:
            assert channel == Channel.STDIN
            (number,) = NUMBER.unpack_from(payload)
            assert number <= len(found), "a gap"
            found[number:] = payload[NUMBER.size :]
        return bytes(found)


class Page:
    """What a page hears."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def __call__(self, items: list[Any]) -> None:
        self.heard += [json.loads(item) if isinstance(item, str) else item for item in items]

    def new(self) -> list[Any]:
        heard, self.heard = self.heard, []
        return heard


def key(number: int, data: bytes) -> bytes:
    return encode_frame(PAGE_STREAM, Channel.STDIN, NUMBER.pack(number) + data)


def say(view: View, *items: Any) -> None:
    view.take(read([messages.encode(i) if isinstance(i, messages.Message) else i for i in items]))


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def view(line: Line, page: Page) -> View:
    made = View(line, lambda: "terminal-1", page)
    say(made, VIEW)
    return made


def shown(view: View, place: int = 0, taken: int = 0) -> None:
    view.control(messages.Shown(stream=view.stream, place=place, taken=taken, credit=100, kept=600.0))


def test_what_a_page_says_goes_with_the_streams_id(line: Line, page: Page, view: View) -> None:
    assert line.opened == [
        messages.View(stream=11, terminal="terminal-1", view="v" * 16, columns=80, rows=24, credit=1000, received=-1)
    ]
    shown(view)
    assert page.new() == [{"type": "shown", "stream": 1, "place": 0, "credit": 100, "kept": 600.0, "opened": 1}]
    say(view, key(0, b"ls"), messages.Size(stream=1, columns=100, rows=30), messages.Credit(stream=1, bytes=50))
    assert line.written == [(11, 0, NUMBER.pack(0) + b"ls")]
    assert line.told == [messages.Size(stream=11, columns=100, rows=30), messages.Credit(stream=11, bytes=50)]
    view.data(Channel.STDOUT, b"out")
    view.control(messages.Credit(stream=11, bytes=7))
    view.data(Channel.VIEW, b'{"live":true}')
    assert page.new() == [
        b"\0\0\0\1\1out",
        {"type": "credit", "stream": 1, "bytes": 7},
        b'\0\0\0\1\x14{"live":true}',
    ]


def test_nothing_is_typed_before_it_is_shown(line: Line, view: View) -> None:
    say(view, key(0, b"a"))
    assert line.written == []


def test_a_cut_opens_it_again_where_the_page_stands(line: Line, page: Page, view: View) -> None:
    shown(view, place=40)
    view.data(Channel.STDOUT, b"x" * 10)
    view.data(Channel.ERROR, b"{}")
    say(view, messages.Size(stream=1, columns=100, rows=30))
    view.lost("the socket was cut", 12.5)
    assert page.new()[-1] == {"type": "offline", "reason": "the socket was cut", "retry_at": 12.5}
    line.again(view)
    again = line.opened[-1]
    assert (again.received, again.columns, again.rows, again.view) == (52, 100, 30, "v" * 16)
    assert again.credit == 1000 - 10 - 2 - 2 * HEAD
    view.data(Channel.VIEW, b'{"skipped":900,"place":952}')
    view.data(Channel.STDERR, b"abc")
    view.lost("again", None)
    line.again(view)
    assert line.opened[-1].received == 955


def test_what_overdrew_the_credit_is_taken_off_the_next(line: Line, view: View) -> None:
    shown(view)
    view.data(Channel.STDOUT, bytes(1500))
    view.lost("cut", 1.0)
    say(view, messages.Credit(stream=1, bytes=100))
    line.again(view)
    assert line.opened[-1].credit == 0
    shown(view)
    say(view, messages.Credit(stream=1, bytes=400))
    assert line.told == []
    say(view, messages.Credit(stream=1, bytes=10))
    assert line.told == [messages.Credit(stream=view.stream, bytes=5)]


def test_a_key_is_never_sent_twice(line: Line, page: Page, view: View) -> None:
    shown(view)
    say(view, key(0, b"abc"))
    view.lost("cut", 1.0)
    say(view, key(3, b"d"))
    line.again(view)
    shown(view, taken=2)
    assert page.new()[-1]["taken"] == 2
    say(view, key(4, b"e"), key(2, b"x"))
    assert line.keys == b"abc", "the page has not heard yet: it would show these as not sent"
    say(view, json.dumps({"type": "seen", "opened": 1}), key(2, b"x"))
    assert line.keys == b"abc"
    say(view, json.dumps({"type": "seen", "opened": 2}), key(2, b"y"), key(3, b"z"))
    assert line.keys == b"abyz"
    say(view, key(3, b"z"), key(9, b"!"))
    assert line.keys == b"abyz", "what has come, and what leaves a gap"


def test_a_word_of_before_does_not_open_the_way(line: Line, view: View) -> None:
    shown(view)
    for _ in range(2):
        view.lost("cut", 1.0)
        line.again(view)
        shown(view)
    say(view, json.dumps({"type": "seen", "opened": 2}), key(0, b"a"))
    assert line.written == []
    say(view, json.dumps({"type": "seen", "opened": 3}), key(0, b"a"))
    assert line.keys == b"a"


def test_a_page_that_comes_while_the_socket_is_away(line: Line, page: Page) -> None:
    view = View(line, lambda: "terminal-1", page)
    view.lost("not connected", 3.0)
    assert page.new() == []
    line.up = False
    say(view, VIEW)
    assert page.new() == [{"type": "offline", "reason": "not connected", "retry_at": 3.0}]
    line.up = True
    line.again(view)
    assert line.opened[-1].received == -1


def test_while_the_terminal_is_not_known_nothing_is_opened(line: Line, page: Page) -> None:
    known = ""
    view = View(line, lambda: known, page)
    say(view, VIEW)
    assert line.opened == []
    known = "terminal-1"
    line.again(view)
    assert len(line.opened) == 1


def test_the_end(line: Line, page: Page, view: View) -> None:
    shown(view)
    page.new()
    view.control(messages.Ended(stream=11, code="closed", what="it was ended"))
    assert page.new() == [{"type": "ended", "stream": 1, "code": "closed", "what": "it was ended"}]
    view.lost("cut", 1.0)
    line.again(view)
    assert (page.new(), len(line.opened)) == ([], 1)
    say(view, VIEW, messages.Unsubscribe(stream=1), key(0, b"a"))
    assert len(line.opened) == 2
    line.again(view)
    assert len(line.opened) == 2
    assert line.written == []


def test_another_terminal_in_its_place(line: Line, page: Page, view: View) -> None:
    shown(view)
    page.new()
    view.renewed()
    assert page.new() == [{"type": "renewed"}]
    say(view, key(0, b"a"))
    say(view, VIEW)
    assert (line.opened[-1].received, line.written) == (-1, [])


def test_what_nobody_else_keeps_is_kept_for_no_time(line: Line, page: Page) -> None:
    view = View(line, lambda: "terminal-1", page, alone=lambda: True)
    say(view, VIEW)
    shown(view)
    assert page.new()[-1]["kept"] == 0.0


@pytest.mark.parametrize(
    "item",
    [
        "{", "[]", "3", '{"type":"seen"}', '{"type":"hello","package":"0"}', '{"type":"nope"}', 7, None,
        messages.encode(messages.Unsubscribe(stream=2)),
        messages.encode(messages.Credit(stream=1, bytes=-1)),
        messages.encode(messages.View(stream=1, terminal="", view="v", credit=-1)),
        messages.encode(messages.Hangup(id=1, terminal="x")),
        b"", b"\0\0\0\1\0", encode_frame(2, Channel.STDIN, bytes(9)), encode_frame(1, Channel.CLOSE, bytes(9)),
        encode_frame(1, Channel.STDIN, b"") + bytes(70_000),
    ],
)  # fmt: skip
def test_what_no_page_may_say(item: Any) -> None:
    with pytest.raises(Failure) as caught:
        read([messages.encode(VIEW), item])
    assert caught.value.code == "protocol"
