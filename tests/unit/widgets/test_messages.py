from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, strategies as st

from notebook_mux.widgets import messages

HEAD = {"page": "p", "id": 1}
PLACES = {"view": "v", "sort": "-Restarts", "first": 0, "last": 40}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"t": "here", "have": -1, "epoch": "", "watching": True}, messages.Here),
        ({"t": "here", "have": 3, "epoch": "e", "watching": False, "gap": True}, messages.Here),
        ({"t": "here", "have": 3, "epoch": "e", "watching": True, "places": PLACES}, messages.Here),
        ({"t": "ack", "n": 3}, messages.Ack),
        ({"t": "ack", "n": 3, "pace": 0.25}, messages.Ack),
        ({"t": "bye"}, messages.Bye),
        ({"t": "select", "view": "v", "rows": [[0, "uid"]]}, messages.Select),
        ({"t": "set", "view": "v", "name": "wide", "value": True}, messages.Set),
        ({"t": "set", "view": "v", "name": "filter", "value": "web"}, messages.Set),
        ({"t": "do", "view": "v", "what": "freeze"}, messages.Do),
    ],
)
def test_what_a_page_may_say(content, kind):
    assert isinstance(messages.parse(HEAD | content), kind)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "here",
        {},
        {"t": "here"},
        {"t": "nothing of ours"},
        HEAD | {"t": "ack", "n": "3"},
        HEAD | {"t": "ack", "n": 3, "more": 1},
        HEAD | {"t": "ack", "n": 3, "pace": 3600},
        HEAD | {"t": "ack", "n": -2},
        HEAD | {"t": "here", "have": 3, "epoch": "e", "watching": True, "places": PLACES | {"last": 501}},
        HEAD | {"t": "here", "have": 3, "epoch": "e", "watching": True, "places": PLACES | {"first": 41}},
        HEAD | {"t": "here", "have": 3, "epoch": "e", "watching": True, "places": PLACES | {"first": -1}},
        {"page": "", "id": 1, "t": "bye"},
        {"page": "p" * 65, "id": 1, "t": "bye"},
        HEAD | {"t": "select", "view": "v", "rows": [[-1, "uid"]]},
        HEAD | {"t": "select", "view": "v", "rows": [[0, "u"]] * 1001},
        HEAD | {"t": "set", "view": "v", "name": "filter", "value": "x" * 2001},
        HEAD | {"t": "set", "view": "v", "name": "filter", "value": {"a": 1}},
        HEAD | {"t": "terminal", "view": "v", "items": [-1]},
        HEAD | {"t": "terminal", "view": "v", "items": [4096]},
        HEAD | {"t": "terminal", "view": "v", "items": [1.5]},
        HEAD | {"t": "terminal", "view": "v", "items": ["x" * 2001]},
        HEAD | {"t": "terminal", "view": "v", "items": [0] * 4097},
        HEAD | {"t": "ticket", "view": "v"},
        HEAD | {"t": "keep", "view": "v", "text": "x" * 1_000_001},
    ],
)
def test_what_it_may_not(content):
    with pytest.raises(ValueError, match=r".+"):
        messages.parse(content)


def test_a_terminals_words():
    message = messages.parse(HEAD | {"t": "terminal", "view": "v", "items": ['{"type":"size"}', 0, 1], "ask": True})
    assert isinstance(message, messages.Items)
    assert message.items == ('{"type":"size"}', 0, 1)
    message = messages.parse(HEAD | {"t": "ticket", "view": "v", "origin": "https://hub.example"})
    assert isinstance(message, messages.Ticket)
    message = messages.parse(HEAD | {"t": "keep", "view": "v", "text": "a\nb"})
    assert isinstance(message, messages.Keep)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


KINDS = st.sampled_from(["here", "ack", "select", "set", "do", "terminal", "ticket", "keep"])


@given(JSON | st.fixed_dictionaries({"t": KINDS}, optional={
    "page": JSON, "id": JSON, "have": JSON, "n": JSON, "rows": JSON, "view": JSON, "value": JSON, "name": JSON,
    "items": JSON, "ask": JSON, "origin": JSON, "text": JSON,
}))  # fmt: skip
def test_any_content_is_a_message_or_a_value_error(content):
    page, number = messages.answer_to(content)
    assert isinstance(page, str)
    assert isinstance(number, int)
    with contextlib.suppress(ValueError):
        messages.parse(content)
