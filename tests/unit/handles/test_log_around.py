from __future__ import annotations

from urllib.parse import parse_qs

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.ages import utc
from notebook_mux.handles.kin import Thing
from notebook_mux.handles.log_around import LIMIT_BYTES, LONGEST, MOST_LINES, Around, around, lines_of
from notebook_mux.handles.waiting import blocking
from tests.unit.fake_core import FakeCore, install, manager

AT = 1_800_000_000.0
POD = Thing("Pod", "shop", "web-0")
NOT_THERE = msgspec.json.encode({"kind": "Status", "message": 'previous terminated container "main" not found'})


def line(after: float, text: str) -> str:
    whole, part = divmod(AT + after, 1)
    return f"{utc(whole):%Y-%m-%dT%H:%M:%S}.{int(part * 1e9):09d}Z {text}\n"


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return install(monkeypatch)


def read(core: FakeCore, now: tuple[int, bytes], previous: tuple[int, bytes] = (400, NOT_THERE)) -> Around:
    asked: list[str] = []

    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        asked.append(f"{path}?{query}")
        return previous if "previous=true" in query else now

    core.answer = answer
    made = manager(core)
    found = blocking(around(made._identity, made._identity.contexts[0], POD, "main", AT))
    for one in asked:
        path, _, query = one.partition("?")
        assert path == "/api/v1/namespaces/shop/pods/web-0/log"
        fields = parse_qs(query)
        assert fields["container"] == ["main"]
        assert fields["sinceTime"] == ["2027-01-15T07:58:00Z"]
        assert fields["limitBytes"] == [str(LIMIT_BYTES)]
    return found


def test_lines_near_it_of_both_containers(core: FakeCore) -> None:
    before = "".join(line(at, f"old {at}") for at in (-130, -40, -20.5)).encode()
    now = "".join(line(at, f"new {at}") for at in (-10, 0.25, 50, 70)).encode()
    found = read(core, (200, now), (200, before))
    assert [text for _, text in found.lines] == ["old -40", "old -20.5", "new -10", "new 0.25", "new 50"]
    assert [at - AT for at, _ in found.lines] == pytest.approx([-40, -20.5, -10, 0.25, 50], abs=1e-5)
    assert found.said == ""


def test_the_same_container_twice_is_read_once(core: FakeCore) -> None:
    now = (200, line(-1, "one").encode())
    assert len(read(core, now, now).lines) == 1


def test_the_nearest_of_many(core: FakeCore) -> None:
    now = "".join(line(number / 10 - 50, f"{number}") for number in range(1000)).encode()
    found = read(core, (200, now))
    assert len(found.lines) == MOST_LINES
    assert {text for _, text in found.lines} >= {"499", "500", "501"}
    assert found.said == f"the {MOST_LINES} lines nearest to it of 1000"


def test_what_is_said_where_there_is_nothing(core: FakeCore) -> None:
    assert "it wrote nothing" in read(core, (200, b"")).said
    full = line(-100, "x" * LIMIT_BYTES).encode()
    assert "only the first MiB" in read(core, (200, full)).said


def test_what_may_not_be_read(core: FakeCore) -> None:
    words = msgspec.json.encode({"kind": "Status", "message": 'pods "web-0" is forbidden: cannot get pods/log'})
    with pytest.raises(errors.Forbidden, match="reading the log of pod shop/web-0") as raised:
        read(core, (403, words), (403, words))
    assert "pods/log" in str(raised.value)


def test_lines_of_any_bytes() -> None:
    found = lines_of(b"no time\n2027-01-15T08:00:00.5Z a\xff\nbehind it\n\n" + b"2027-01-15T08:00:01Z " + b"y" * 9000)
    assert [at for at, _ in found] == [0.0, AT + 0.5, AT + 0.5, AT + 1]
    assert [text for _, text in found][:3] == ["no time", "a\ufffd", "behind it"]
    assert len(found[3][1]) == LONGEST + 1
