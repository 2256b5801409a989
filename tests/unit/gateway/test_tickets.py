from __future__ import annotations

import pytest

from notebook_mux.errors import Forbidden, InvalidArgument
from notebook_mux.gateway import tickets as tickets_module
from notebook_mux.gateway.tickets import Tickets

ORIGIN = "https://hub.example"


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_good_once():
    tickets = Tickets()
    assert not tickets.expects([ORIGIN])
    ticket = tickets.give("t1", ORIGIN)
    assert len(ticket) > 40
    assert tickets.give("t1", ORIGIN) != ticket
    assert tickets.expects([f" {ORIGIN.upper()} "])
    for origins in ([], [ORIGIN, ORIGIN], ["https://other.example"]):
        assert not tickets.expects(origins)
    tickets.take(ticket, ORIGIN, "t1")
    with pytest.raises(Forbidden):
        tickets.take(ticket, ORIGIN, "t1")


@pytest.mark.parametrize(("origin", "terminal"), [("https://other.example", "t1"), (ORIGIN, "t2"), ("", "t1")])
def test_whoever_shows_it_has_used_it(origin: str, terminal: str):
    tickets = Tickets()
    ticket = tickets.give("t1", ORIGIN)
    with pytest.raises(Forbidden) as refused:
        tickets.take(ticket, origin, terminal)
    assert ticket not in str(refused.value)
    with pytest.raises(Forbidden):
        tickets.take(ticket, ORIGIN, "t1")


def test_good_for_a_moment():
    clock = Clock()
    tickets = Tickets(10.0, clock)
    old = tickets.give("t1", ORIGIN)
    clock.now += 9
    new = tickets.give("t1", ORIGIN)
    clock.now += 1
    with pytest.raises(Forbidden):
        tickets.take(old, ORIGIN, "t1")
    tickets.take(new, ORIGIN, "t1")
    assert not tickets.expects([ORIGIN])


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8888", "http://localhost:8888", "https://hub.example", "http://[::1]:8888",
               "https://MY_host-1.x"],
)  # fmt: skip
def test_origins(origin: str):
    tickets = Tickets()
    tickets.take(tickets.give("t", origin), origin, "t")


@pytest.mark.parametrize("origin", ["", "null", "*", "http://", "http://a/", "http://a:x", "file://a", "http://-"])
def test_what_is_no_origin(origin: str):
    with pytest.raises(InvalidArgument):
        Tickets().give("t", origin)


def test_they_are_few(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tickets_module, "MAX_TICKETS", 2)
    clock = Clock()
    tickets = Tickets(10.0, clock)
    tickets.give("t", ORIGIN)
    tickets.give("t", ORIGIN)
    with pytest.raises(InvalidArgument, match="2 tickets are not used yet"):
        tickets.give("t", ORIGIN)
    clock.now += 11
    tickets.give("t", ORIGIN)
