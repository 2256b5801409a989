from __future__ import annotations

from hypothesis import given, strategies as st

from notebook_mux.gateway.lines import LineSplitter


def test_lines_in_pieces():
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == [b"one"]
    assert splitter.feed(b"") == []
    assert splitter.feed(b"o") == []
    assert splitter.feed(b"\n\nthree\nfo") == [b"two", b"three"]
    assert splitter.rest == b"fo"


@given(lines=st.lists(st.binary().map(lambda b: b.replace(b"\n", b"x")).filter(bool)), size=st.integers(1, 50))
def test_any_cut_gives_the_same_lines(lines: list[bytes], size: int):
    data = b"".join(line + b"\n" for line in lines)
    splitter = LineSplitter()
    found = [line for start in range(0, len(data), size) for line in splitter.feed(data[start : start + size])]
    assert found == lines
    assert splitter.rest == b""
