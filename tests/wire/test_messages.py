from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import ProtocolError
from notebook_mux.wire import messages
from notebook_mux.wire.messages import decode_client, decode_gateway, encode

LITERAL = [
    (messages.Hello(package="0.1.0"), '{"type":"hello","package":"0.1.0"}'),
    (messages.Credit(stream=0, bytes=5), '{"type":"credit","stream":0,"bytes":5}'),
    (messages.Unsubscribe(stream=3), '{"type":"unsubscribe","stream":3}'),
    (messages.Retry(), '{"type":"retry"}'),
    (messages.Retry(cluster="r"), '{"type":"retry","cluster":"r"}'),
    (messages.Cancel(id=9), '{"type":"cancel","id":9}'),
    (messages.Contexts(id=1, source=messages.Source()), '{"type":"contexts","id":1,"source":{}}'),
    (
        messages.Subscribe(
            stream=2, cluster="r", path="/api/v1/pods",
            resume=messages.Resume(instance="i", incarnation="c", number=4, version="5"),
        ),
        (
            '{"type":"subscribe","stream":2,"cluster":"r","path":"/api/v1/pods",'
            '"resume":{"instance":"i","incarnation":"c","number":4,"version":"5"}}'
        ),
    ),
    (
        messages.Http(id=1, cluster="r", method="GET", path="/version"),
        '{"type":"http","id":1,"cluster":"r","method":"GET","path":"/version"}',
    ),
]  # fmt: skip

FROM_GATEWAY = [
    (messages.Welcome(instance="i", package="0"), '{"type":"welcome","instance":"i","package":"0"}'),
    (messages.Answer(id=1, value=[1]), '{"type":"answer","id":1,"value":[1]}'),
    (messages.Answer(id=1), '{"type":"answer","id":1}'),
    (messages.Head(id=1), '{"type":"head","id":1}'),
    (messages.Failure(id=1, code="login", what="w"), '{"type":"failure","id":1,"code":"login","what":"w"}'),
    (messages.State(stream=1, state="live"), '{"type":"state","stream":1,"state":"live"}'),
    (messages.Ended(stream=1, code="closed", what="w"), '{"type":"ended","stream":1,"code":"closed","what":"w"}'),
    (messages.Goodbye(code="closing", what="w"), '{"type":"goodbye","code":"closing","what":"w"}'),
]


@pytest.mark.parametrize(("message", "text"), LITERAL)
def test_what_a_client_says_is_this_text(message, text):
    assert encode(message) == text
    assert decode_client(text) == message
    assert decode_client(text.encode()) == message


@pytest.mark.parametrize(("message", "text"), FROM_GATEWAY)
def test_what_a_gateway_says_is_this_text(message, text):
    assert encode(message) == text
    assert decode_gateway(text) == message


def test_unknown_fields_are_ignored():
    assert decode_client('{"type":"hello","package":"9","colour":"red"}') == messages.Hello(package="9")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type":"shout"}',
        '{"type":"hello"}',
        '{"type":"hello","package":1}',
        '{"type":"credit","stream":1}',
        '{"type":"credit","stream":1.5,"bytes":1}',
        '{"type":"welcome","instance":"i","package":"0"}',
        '{"type":"hello","package":"0"} x',
        b'{"type":"hello","package":"\xff"}',
        "[" * 100_000,
    ],
)
def test_what_is_no_message(text):
    with pytest.raises(ProtocolError):
        decode_client(text)


def test_the_other_sides_messages_are_none():
    with pytest.raises(ProtocolError):
        decode_gateway('{"type":"hello","package":"0"}')


def test_a_message_has_a_limit():
    filler = "x" * (messages.MAX_MESSAGE - len('{"type":"hello","package":""}'))
    text = json.dumps({"type": "hello", "package": filler}, separators=(",", ":"))
    assert len(text) == messages.MAX_MESSAGE
    decode_client(text)
    with pytest.raises(ProtocolError, match="at most"):
        decode_client(text + " ")


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_anything_is_a_message_or_a_protocol_error(text):
    for decode in (decode_client, decode_gateway):
        try:
            decode(text)
        except ProtocolError:
            pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TAGS = sorted(str(each.__struct_config__.tag) for each in messages.ClientMessage.__args__)
FIELDS = sorted({field for each in messages.ClientMessage.__args__ for field in each.__struct_fields__})


@given(st.sampled_from(TAGS), st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6))
def test_wrong_fields_are_a_protocol_error(tag, fields):
    try:
        message = decode_client(json.dumps({"type": tag, **fields}))
    except ProtocolError:
        return
    assert decode_client(encode(message)) == message


text = st.text(max_size=15)


@given(st.integers(), text, text, text, text, st.dictionaries(text, text, max_size=3), st.none() | text)
def test_a_request_comes_back(id_, cluster, method, path, query, headers, body):
    message = messages.Http(
        id=id_ % 2**53, cluster=cluster, method=method, path=path, query=query, headers=headers, body=body
    )  # fmt: skip
    assert decode_client(encode(message)) == message


def test_a_source_does_not_show_its_environment():
    source = messages.Source(kubeconfig=["/k"], env={"AWS_SECRET_ACCESS_KEY": "canary"})
    shown = repr(messages.Contexts(id=1, source=source))
    assert "canary" not in shown
    assert "AWS_SECRET_ACCESS_KEY" in shown


def test_a_message_that_is_nested_too_deep() -> None:
    deep = '{"t":"hello","x":' + "[" * 100_000
    for decode in (messages.decode_client, messages.decode_gateway):
        with pytest.raises(ProtocolError, match="cannot be decoded"):
            decode(deep)
