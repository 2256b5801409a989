"""PROTOCOL.md says what the code does: every example in it is decoded, and is what the code would send."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

import notebook_mux.wire
from notebook_mux.errors import from_code
from notebook_mux.forwards import desk, forward, forwards
from notebook_mux.gateway import fanout, server, session
from notebook_mux.kernel.programs import AWAY_SECONDS
from notebook_mux.remote import program, programs, ring
from notebook_mux.tailing import desk as log_desk, pipe
from notebook_mux.wire import frames, messages, sending
from notebook_mux.wire.forwards import ForwardState
from notebook_mux.wire.frames import Channel, Kind
from notebook_mux.wire.logs import LogEnd

TEXT = (Path(notebook_mux.wire.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```([a-z ]+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CLIENT = [body for kind, body in BLOCKS if kind == "json client"]
GATEWAY = [body for kind, body in BLOCKS if kind == "json gateway"]
HEX = [bytes.fromhex(body) for kind, body in BLOCKS if kind == "hex frame"]
RECORDS = [body for kind, body in BLOCKS if kind == "records"]


def tags(union: object) -> set[str]:
    return {str(each.__struct_config__.tag) for each in union.__args__}  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", CLIENT)
def test_what_a_client_says(text):
    message = messages.decode_client(text)
    assert json.loads(messages.encode(message)) == json.loads(text)


@pytest.mark.parametrize("text", GATEWAY)
def test_what_a_gateway_says(text):
    message = messages.decode_gateway(text)
    assert json.loads(messages.encode(message)) == json.loads(text)
    if isinstance(message, messages.Failure):
        assert from_code(message.code, {"what": message.what}).code == message.code


def test_every_message_has_an_example():
    assert {json.loads(text)["type"] for text in CLIENT} == tags(messages.ClientMessage)
    assert {json.loads(text)["type"] for text in GATEWAY} == tags(messages.GatewayMessage)


def test_the_contexts_of_the_example():
    answer = messages.decode_gateway(next(text for text in GATEWAY if '"answer"' in text))
    assert isinstance(answer, messages.Answer)
    assert [context.name for context in msgspec.convert(answer.value, list[messages.Context])] == ["prod", "old"]


def test_every_channel_and_kind_is_named():
    for channel in (Channel.CHANGES, Channel.PART, Channel.BODY, Channel.END):
        assert f"| {int(channel)} `{channel.name}` |" in TEXT
    for channel in (Channel.STDIN, Channel.STDOUT, Channel.STDERR, Channel.ERROR, Channel.CLOSE):
        assert f"{int(channel)} `{channel.name}`" in TEXT
    for kind in Kind:
        assert f"| {int(kind)} `{kind.name}` |" in TEXT


def test_the_frames_of_bodies():
    assert HEX[0] == frames.encode_frame(5, Channel.BODY, b"{}")
    assert HEX[1] == frames.encode_frame(5, Channel.END, b"")


def test_the_frame_of_records():
    stream, channel, payload = frames.decode_frame(HEX[2])
    assert (stream, channel) == (8, Channel.CHANGES)
    assert payload == b"".join(
        (
            frames.encode_record(Kind.DELETE, 42, "u1", "default", "web-0", "7014", "", 1780000000.0, b"[]", b"{}"),
            frames.encode_skipped(42, frames.Skipped(3, "slow")),
            frames.encode_position(Kind.PROGRESS, 45, frames.Position("ce89", "51d0", "7020")),
        )
    )
    lines = []
    for kind, number, content in frames.decode_records(payload):
        head = msgspec.json.encode(content).decode()
        tail = ""
        if isinstance(content, frames.Record):
            fields = content.uid, content.namespace, content.name, content.version, content.created, content.printed
            head = msgspec.json.encode(fields).decode()
            tail = f" cells {content.cells.decode()} object {content.object.decode()}"
        lines.append(f"{Kind(kind).name} {number} {head}{tail}")
    assert lines == RECORDS[0].splitlines()


def test_the_frames_of_programs():
    assert HEX[3] == frames.encode_frame(9, Channel.STDIN, frames.NUMBER.pack(65536) + b"hi")
    assert HEX[4] == frames.encode_frame(9, Channel.CLOSE, bytes((Channel.STDIN,)))
    assert HEX[5] == frames.encode_frame(9, Channel.STDOUT, b"hi")
    assert HEX[6] == frames.encode_frame(9, Channel.END, program.ending(None))


def test_the_frame_of_a_forward():
    state = ForwardState(port=40124, state="listening", path="/p")
    assert HEX[-2] == frames.encode_frame(13, Channel.FORWARD, msgspec.json.encode(state))


def test_the_end_of_a_log():
    end = LogEnd(status=404, code="not-found", what="there is no pod web-0")
    assert HEX[-1] == frames.encode_frame(14, Channel.END, msgspec.json.encode(end))


@pytest.mark.parametrize(
    "words",
    [
        f"once {ring.RING_BYTES >> 20} MiB are kept",
        f"`credit`, {program.INPUT_CREDIT >> 10} KiB at most",
        f"{programs.ID_LENGTH.start} to {programs.ID_LENGTH.stop - 1} characters",
        f"`{messages.SUBPROTOCOL}`",
        f"`GET <base URL>{messages.PATH}`",
        f"at most {messages.MAX_MESSAGE:,} bytes",
        f"at most\n  {frames.MAX_FRAME:,} bytes",
        f"at most {frames.MAX_RECORD:,} bytes",
        f"a credit of {sending.STREAM_CREDIT:,} bytes",
        f"({sending.STREAM_CREDIT >> 20} MiB a stream, {sending.CONNECTION_CREDIT >> 20} MiB the connection)",
        "more than 2^40 is cut off",
        f"after {fanout.QUEUE_BYTES >> 20} MiB of changes",
        f"within {session.HELLO_SECONDS:g} seconds",
        f"once {session.BACKLOG:,} wait",
        f"at most {server.UNSENT_BYTES >> 10} KiB lie unsent",
        f"1 to {session.MAX_ID:,}",
        f"{forwards.MAX_FORWARDS} forwards of a kernel, {forward.MAX_CONNECTIONS} connections of a forward",
        f"silent for {forward.HALF_CLOSED_SECONDS:g} seconds",
        f"until it has sent {frames.MAX_FRAME:,} bytes",
        f"while {pipe.BUFFER_BYTES >> 10} KiB wait for the client",
        f"{log_desk.MAX_LOGS:,} logs of one client",
        f"both together of {log_desk.MAX_ADDRESS:,} characters",
        f"after {pipe.BEGIN_SECONDS:g} seconds: a node",
        f"gathered for {pipe.GATHER_SECONDS * 1000:g} ms",
        f"from a cluster for {log_desk.QUIET_SECONDS:g} seconds",
    ],
)
def test_the_figures_are_the_codes(words):
    assert words in TEXT
    assert sending.MAX_CREDIT == 1 << 40
    assert (programs.LEASE_SECONDS, programs.MEMORY_SECONDS, AWAY_SECONDS) == (600, 3600, 300), "in words in the text"
    assert (forwards.LEASE_SECONDS, forward.MOVE_SECONDS, forward.IDLE_SECONDS) == (600, 10, 4 * 3600)
    assert desk.TELL_SECONDS == 1 / 5
    assert log_desk.MISSES == 2, "in words in the text"
    assert all(f"`{name}`" in TEXT for name in log_desk.PARAMETERS)
