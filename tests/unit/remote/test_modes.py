from __future__ import annotations

import itertools

import pytest
from hypothesis import given, strategies as st

from notebook_mux.remote.modes import Modes

BEGINNING = (
    "\x1b[?47l\x1b7\x1b[?1;6;12;45;1004;2004;66;9;1000;1002;1003;1005;1006;1015;1016l\x1b[?7;25h\x1b[4l\x1b[20l"
    "\x1b[0 q\x1b[r\x1b8\x1b(B\x1b)B\x1b*B\x1b+B\x0f\x1b[0m"
)


def after(*pieces: bytes) -> str:
    modes = Modes()
    for piece in pieces:
        modes.feed(piece)
    return modes.restore()


def test_what_says_nothing_restores_the_beginning():
    assert after() == BEGINNING
    assert after("plain text, grün, 世界\r\n\t\x07\x08\x7f".encode(), bytes(range(0x80, 0x100))) == BEGINNING


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"\x1b[?1h", ["\x1b[?1;7;25h"]),
        (b"\x1b[?1h\x1b=", ["\x1b[?1;7;25;66h"]),
        (b"\x1b[?66h\x1b>", ["\x1b[?7;25h"]),
        (b"\x1b[?2004h\x1b[?25l", ["\x1b[?7;2004h", ";25;"]),
        (b"\x1b[?1002;1006h", ["\x1b[?7;25;1002;1006h"]),
        (b"\x1b[?1000h\x1b[?1003h", ["\x1b[?7;25;1003h"]),
        (b"\x1b[?1003h\x1b[?1003l\x1b[?1006h\x1b[?1006l", ["\x1b[?7;25h"]),
        (b"\x1b[?7l\x1b[?1004h", ["\x1b[?25;1004h"]),
        (b"\x1b[?1049h", ["\x1b[?1049h"]),
        (b"\x1b[?47h", ["\x1b[?1049h"]),
        (b"\x1b[?1049h\x1b[?1049l", ["\x1b[?47l"]),
        (b"\x1b[4h\x1b[20h", ["\x1b[4h\x1b[20h"]),
        (b"\x1b[?6h", ["\x1b8\x1b[?6h"]),
        (b"\x1b[3;20r", ["\x1b[3;20r"]),
        (b"\x1b[3;20r\x1b[r", ["\x1b[r"]),
        (b"\x1b[5 q", ["\x1b[5 q"]),
        (b"\x1b(0\x0e", ["\x1b(0", "\x0e"]),
        (b"\x1b)0\x0e\x0f", ["\x1b)0", "\x0f"]),
        (b"\x1b[1;31m", ["\x1b[0;1;31m"]),
        (b"\x1b[1;4;31;42m\x1b[22;39m", ["\x1b[0;4;42m"]),
        (b"\x1b[38;5;200m\x1b[48;2;1;2;3m", ["\x1b[0;38;5;200;48;2;1;2;3m"]),
        (b"\x1b[38:2::1:2:3;7m", ["\x1b[0;38:2::1:2:3;7m"]),
        (b"\x1b[4:3m", ["\x1b[0;4:3m"]),
        (b"\x1b[4:3m\x1b[4:0m", ["\x1b[0m"]),
        (b"\x1b[31m\x1b[m", ["\x1b[0m"]),
        (b"\x1b[31m\x1b[90m\x1b[41;0;103m", ["\x1b[0;103m"]),
        (b"\x1b[>4;2m\x1b[?4m", ["\x1b[0m"]),
        (b"\x1b7\x1b[31m\x1b(0\x1b8", [BEGINNING[-20:]]),
        (b"\x1b[31m\x1b[s\x1b[0m\x1b[u", ["\x1b[0;31m"]),
        (b"\x1b[31m\x1b[?1049h\x1b[7m\x1b[?1049l", ["\x1b[0;31m"]),
        (b"\x1b[?1h\x1b[31m\x1b[5;6r\x1bc", [BEGINNING]),
        (b"\x1b[?1049;1;1000h\x1b[31m\x1b[!p", ["\x1b[?1049h", "\x1b[?7;25;1000h", "\x1b[0m"]),
        (b"\x1b]0;\x1b[31m title\x07\x1b[32m", ["\x1b[0;32m"]),
        (b"\x1b]8;;http://x\x1b\\\x1b[32m", ["\x1b[0;32m"]),
        (b"\x1bPq\x1b[31m\x1b\\\x1b[1m", ["1m"]),
        (b"\x1b[999999h\x1b[?999999h\x1b[5000000000000000r", [BEGINNING]),
        (b"\x1b[\x1b[31m", ["\x1b[0;31m"]),
        (b"\x1b[1;31", ["\x1b[0m\x1b[1;31"]),
        (b"\x1b", ["\x1b[0m\x1b"]),
        (b"\x1b(", ["\x1b[0m\x1b("]),
        (b"\x1b]0;a title that is not kept", ["\x1b[0m\x1b]"]),
        (b"\x1b]0;a title\x1b", ["\x1b[0m\x1b]\x1b"]),
        (b"\x1bP1;2q pixels", ["\x1b[0m\x1b_"]),
    ],
)
def test_what_was_set_is_restored(data: bytes, wanted: list[str]):
    restored = after(data)
    for text in wanted:
        assert text in restored
    assert restored.startswith(("\x1b[?47l", "\x1b[?1049h"))


PIECES = st.sampled_from(
    [
        b"text", "ü世".encode(), b"\r\n", b"\x1b[31m", b"\x1b[1;38;5;9m", b"\x1b[m", b"\x1b[?1049h", b"\x1b[?1049l",
        b"\x1b[?2004h", b"\x1b[?1h", b"\x1b=", b"\x1b]0;t\x07", b"\x1b]8;;u\x1b\\", b"\x1b7", b"\x1b8", b"\x1b(0",
        b"\x0e", b"\x0f", b"\x1b[2;9r", b"\x1bPdata\x1b\\", b"\x1b[?1002;1006h", b"\x1bc", b"\x1b", b"\x9b", b"\x18",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30), st.lists(st.integers(0, 200), max_size=8))
def test_it_does_not_matter_where_it_is_cut(pieces: list[bytes], cuts: list[int]):
    data = b"".join(pieces)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    assert after(*(data[a:b] for a, b in itertools.pairwise(places))) == after(data)


@given(st.lists(PIECES, max_size=30))
def test_what_is_restored_restores_itself(pieces: list[bytes]):
    restored = after(b"".join(pieces))
    assert after(restored.encode()) == restored


@given(st.binary(max_size=300))
def test_any_bytes_are_taken(data: bytes):
    assert after(data).startswith("\x1b[?")
