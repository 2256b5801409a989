"""One subscription's state: what was told of the upstream counts when its list is complete."""

from __future__ import annotations

import threading

import pytest

from notebook_mux.kernel.subscription import Subscription
from notebook_mux.wire import messages
from notebook_mux.wire.frames import Channel, Kind, Position, encode_position

AT = Position("instance", "incarnation", "7")
LIST = encode_position(Kind.BEGIN, 0, AT) + encode_position(Kind.END, 0, AT)


def subscribed() -> Subscription:
    made = Subscription(("ref", "/api/v1/pods", "", "me"), threading.RLock(), lambda ref: ref)
    made.begin(1, 1000)
    return made


@pytest.mark.parametrize("told", [None, "live"])
def test_a_complete_list_is_live(told: str | None) -> None:
    subscription = subscribed()
    if told is not None:
        subscription.control(messages.State(stream=1, state=told, synced=True))
        assert subscription.state.state == "connecting", "the gateway has it all, we have not yet"
    subscription.data(Channel.CHANGES, LIST)
    assert (subscription.state.state, subscription.state.synced) == ("live", True)


@pytest.mark.parametrize("told", ["stale", "unreachable", "connecting", "forbidden"])
def test_a_complete_list_whose_watch_is_not_there_is_not_live(told: str) -> None:
    subscription = subscribed()
    subscription.control(messages.State(stream=1, state=told, reason="because", said="the server's words"))
    subscription.data(Channel.CHANGES, LIST)
    state = subscription.state
    assert (state.state, state.reason, state.said, state.synced) == (told, "because", "the server's words", True)
    subscription.control(messages.State(stream=1, state="live", synced=True))
    assert subscription.state.state == "live"


def test_what_was_told_on_a_socket_that_is_gone_counts_no_more() -> None:
    subscription = subscribed()
    subscription.control(messages.State(stream=1, state="stale", reason="because"))
    subscription.lost("the socket was cut", None)
    subscription.begin(2, 1000)
    subscription.data(Channel.CHANGES, LIST)
    assert subscription.state.state == "live"
