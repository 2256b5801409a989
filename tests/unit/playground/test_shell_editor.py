"""Keys at a prompt, and between prompts: what a terminal shows, and what programs read."""

from __future__ import annotations

import asyncio
import signal

import pytest

from notebook_mux.playground.shell.editor import Edited, Editor, Key, width
from notebook_mux.playground.shell.streams import Collected
from notebook_mux.playground.shell.terminal import WAITING, Terminal

HISTORY = ["first", "second"]


def typed(keys: bytes, columns: int = 80) -> tuple[str, str, Edited | None]:
    """The line, what was shown, and how it ended."""
    editor = Editor("$ ", HISTORY, lambda before: (("me ", ["name"]) if before.endswith("na") else ("", ["a1", "a2"])),
                    lambda: columns)  # fmt: skip
    taken, shown, ended = editor.feed(keys)
    assert taken == len(keys) or ended is not None
    return editor.text, shown, ended


@pytest.mark.parametrize(("keys", "text"), [
    (b"abc", "abc"),
    (b"abc\x7f\x08d", "ad"),
    (b"abc\x1b[D\x1b[DX", "aXbc"),
    (b"abc\x01X\x05Y", "XabcY"),
    (b"abc\x1b[HX\x1b[FY\x1bOHZ", "ZXabcY"),
    (b"one two three\x17", "one two "),
    (b"one two\x17\x17", ""),
    (b"abc\x15d", "d"),
    (b"abc\x02\x02\x0b", "a"),
    (b"abc\x01\x1b[3~\x04", "c"),
    (b"one two\x1b[1;5DX", "one Xtwo"),
    (b"one two\x01\x1b[1;5CX", "oneX two"),
    (b"new\x1b[A", "second"),
    (b"new\x1b[A\x1b[A\x1b[A", "first"),
    (b"new\x1b[A\x1b[B", "new"),
    (b"na\t!", "name !"),
    ("grün 漢".encode() + b"\x7f", "grün "),
    (b"a\xffb", "a\ufffdb"),
    (b"a\x1b[31;1;200000000000mb", "ab"),
    (b"\x1b[Zx\x1b\x1b[Dy", "yx"),
])  # fmt: skip
def test_what_keys_make_of_a_line(keys: bytes, text: str):
    for at in range(len(keys) + 1):  # in pieces of any size
        editor = Editor("$ ", HISTORY, lambda before: ("me " if before.endswith("na") else "", ["name"]))
        editor.feed(keys[:at])
        editor.feed(keys[at:])
        assert editor.text == text


def test_how_a_line_ends():
    assert typed(b"ls -l\rrest")[2] == Edited(Key.ENTER, "ls -l")
    assert typed(b"abc\x03")[1:] == ("abc^C\n", Edited(Key.INTERRUPT))
    assert typed(b"\x04")[2] == Edited(Key.END)
    assert typed(b"a\x04")[2] is None, "with a character there it deletes"


def test_several_completions_are_listed_at_the_second_tab():
    assert typed(b"x\t")[1] == "x\a"
    assert "a1  a2" in typed(b"x\t\t")[1]


def test_a_line_that_is_wider_than_its_terminal():
    text, shown, _ = typed(b"x" * 25 + b"\x01Y", columns=10)
    assert text == "Y" + "x" * 25
    assert shown.endswith("\x1b[2A\r\x1b[3C"), "two rows up, behind the prompt and what was typed"
    assert width("aü漢e\u0301") == 5


async def test_keys_between_prompts_are_a_line_that_programs_read():
    terminal, seen = Terminal(), Collected(100_000)
    terminal.views.append(seen)
    signals = list[int]()
    terminal.on_signal = signals.append
    await terminal.feed("abd\x7fc grü\r".encode())
    assert await terminal.read() == "abc grü\n".encode()
    assert bytes(seen.data) == "abd\b \bc grü\r\n".encode()
    await terminal.feed(b"no\x15yes\x04")
    assert await terminal.read() == b"yes"
    await terminal.feed(b"a\r\x04b\r")
    assert [await terminal.read() for _ in range(3)] == [b"a\n", b"", b"b\n"], "the end is met where it was typed"
    await terminal.feed(b"dropped\x03")
    assert signals == [signal.SIGINT]
    await terminal.feed(b"x" * (WAITING + 1) + b"\x03")
    assert signals == [signal.SIGINT] * 2, "what is too much is dropped, and signals are not"


async def test_what_was_typed_ahead_is_at_the_next_prompt():
    terminal = Terminal()
    await terminal.feed(b"one\rtwo")
    assert await terminal.edit(Editor("$ ")) == Edited(Key.ENTER, "one")
    editing = asyncio.create_task(terminal.edit(Editor("$ ")))
    await asyncio.sleep(0)
    await terminal.feed(b"!\r")
    assert await editing == Edited(Key.ENTER, "two!")
    waiting = asyncio.create_task(terminal.edit(Editor("$ ")))
    await asyncio.sleep(0)
    terminal.hang_up()
    assert await waiting == Edited(Key.END)
    assert await terminal.read() == b""
