"""remotecommand frame by frame, as API servers send and take them; recorded ones are in `tests/fixtures/headlamp`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from notebook_mux.errors import InvalidArgument, ProtocolError
from notebook_mux.wire.remotecommand import (
    MAX_STATUS,
    PIECE,
    PROTOCOLS,
    V1,
    V1_BASE64,
    V4,
    V4_BASE64,
    V5,
    Ended,
    Outcome,
    RemoteCommand,
    Text,
    outcome,
)

EVERY = bytes(range(256))
SUCCESS = b'{"metadata":{},"status":"Success"}'
EXIT_3 = (
    b'{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: exit status 3",'
    b'"reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}'
)
BINARY = (V5, V4, V1)
TEXT = (V4_BASE64, V1_BASE64)
RECORDED = Path(__file__).parents[1] / "fixtures" / "headlamp"


@pytest.mark.parametrize("protocol", BINARY)
def test_output_of_the_binary_versions(protocol):
    remote = RemoteCommand(protocol)
    assert not remote.ready
    assert remote.receive(b"\1") is None, "the server's first message is a channel and nothing else"
    assert remote.ready
    assert remote.receive(b"\1" + EVERY) == (1, EVERY)
    assert remote.receive(b"\2" + EVERY) == (2, EVERY)
    assert remote.receive(b"\2") is None
    assert remote.receive("\1text, which a server takes like bytes") == (1, b"text, which a server takes like bytes")


@pytest.mark.parametrize("protocol", TEXT)
def test_output_of_the_base64_versions(protocol):
    remote = RemoteCommand(protocol, stdin=True)
    assert remote.receive("1") is None
    assert remote.receive("1Z290IGhlbGxvCg==") == (1, b"got hello\n")
    assert remote.receive(b"2" + base64.b64encode(EVERY)) == (2, EVERY)
    assert list(remote.write(b"hello\n")) == ["0aGVsbG8K"]
    for broken in ("1Z290!", "xZ290", "1Z29"):
        with pytest.raises(ProtocolError):
            remote.receive(broken)


@pytest.mark.parametrize("protocol", BINARY)
def test_input_goes_in_small_pieces(protocol):
    remote = RemoteCommand(protocol, stdin=True)
    assert list(remote.write(b"ls\n")) == [b"\0ls\n"]
    data = EVERY * (3 * PIECE // 256) + b"rest"
    pieces = [bytes(piece) for piece in remote.write(data) if isinstance(piece, bytes)]
    assert [len(piece) for piece in pieces] == [PIECE + 1] * 3 + [5]
    assert b"".join(piece[1:] for piece in pieces) == data
    assert list(remote.write(b"")) == []


def test_the_half_close_is_of_v5_alone():
    assert RemoteCommand(V5, stdin=True).close_stdin() == b"\xff\x00"
    for protocol in PROTOCOLS - {V5}:
        remote = RemoteCommand(protocol, stdin=True)
        assert not remote.half_close
        with pytest.raises(InvalidArgument, match="cannot end stdin"):
            remote.close_stdin()


def test_a_size_needs_a_terminal():
    assert RemoteCommand(V5, tty=True).resize(100, 30) == b'\4{"Width":100,"Height":30}'
    assert RemoteCommand(V4_BASE64, tty=True).resize(1, 1) == "4" + base64.b64encode(b'{"Width":1,"Height":1}').decode()
    with pytest.raises(InvalidArgument, match="without a terminal"):
        RemoteCommand(V5).resize(100, 30)
    for columns, rows in ((0, 1), (1, 0), (65536, 1), (1, -1)):
        with pytest.raises(InvalidArgument):
            RemoteCommand(V5, tty=True).resize(columns, rows)


def test_what_must_not_be_sent():
    with pytest.raises(InvalidArgument, match="takes none"):
        list(RemoteCommand(V5).write(b"x"))
    for protocol in ("v2.channel.k8s.io", "v3.channel.k8s.io", "", None):
        with pytest.raises(ProtocolError):
            RemoteCommand(protocol)


@pytest.mark.parametrize("message", [b"", "", b"\0x", b"\4{}", b"\5x", b"\xff\1"])
def test_what_no_server_sends(message):
    with pytest.raises(ProtocolError):
        RemoteCommand(V5).receive(message)


def test_the_status_comes_in_whatever_pieces():
    for size in (1, 7, 100, len(EXIT_3)):
        remote = RemoteCommand(V5)
        assert (remote.has_status, remote.status()) == (False, None)
        for at in range(0, len(EXIT_3), size):
            assert remote.receive(b"\3" + EXIT_3[at : at + size]) is None
            assert remote.has_status
        assert outcome(remote.status() or b"") == Outcome(
            Ended.EXITED, 3, "command terminated with non-zero exit code: exit status 3", "NonZeroExitCode"
        )


def test_a_status_without_an_end():
    remote = RemoteCommand(V5)
    remote.receive(b"\3" + bytes(MAX_STATUS))
    with pytest.raises(ProtocolError, match="more than"):
        remote.receive(b"\3x")


@pytest.mark.parametrize("status", [SUCCESS, b'{"status":"Success"}'])
def test_success(status):
    assert outcome(status) == Outcome(Ended.EXITED, 0)


def test_the_first_version_says_nothing_on_success():
    remote = RemoteCommand(V1_BASE64)
    assert outcome(remote.status() or b"") == Outcome(Ended.EXITED, 0)
    remote.receive("3Y29tbWFuZCB0ZXJtaW5hdGVkIHdpdGggbm9uLXplcm8gZXhpdCBjb2RlOiBleGl0IHN0YXR1cyAz")
    ended = outcome(remote.status() or b"")
    assert (ended.how, ended.message) == (Ended.FAILED, "command terminated with non-zero exit code: exit status 3")


@pytest.mark.parametrize("message", ["256", "-1", "x", "", "٣", None])
def test_an_exit_code_that_is_none(message):
    causes = {"causes": [{"reason": "ExitCode", "message": message}]}
    status = {"status": "Failure", "reason": "NonZeroExitCode", "message": "said", "details": causes}
    assert outcome(json.dumps(status).encode()) == Outcome(Ended.FAILED, -1, "said", "NonZeroExitCode")


@pytest.mark.parametrize("details", [None, [], {"causes": None}, {"causes": ["x", {"reason": "Other"}]}])
def test_an_exit_code_that_is_missing(details):
    status = {"status": "Failure", "reason": "NonZeroExitCode", "details": details}
    assert outcome(json.dumps(status).encode()).how is Ended.FAILED


def test_what_is_no_status():
    for status in (b"", b"{", b"[]", b"\xff"):
        with pytest.raises(ProtocolError):
            outcome(status)


def recorded(name):
    """The sub-protocol, what came, and what was sent, as messages."""
    protocol, came, sent = "", [], []
    for line in (RECORDED / f"{name}.jsonl").read_text().splitlines():
        frame = json.loads(line)
        data = frame["data"]
        if frame["opcode"] == "open" and frame["dir"] == "in":
            protocol = data["subprotocol"]
        if frame["opcode"] in ("binary", "text"):
            message = base64.b64decode(data) if frame["opcode"] == "binary" else data
            (came if frame["dir"] == "in" else sent).append(message)
    return protocol, came, sent


@pytest.mark.parametrize(
    ("name", "protocol", "stdout", "stderr", "ended"),
    [
        ("exec-v5", V5, b"one line\n", b"", (Ended.EXITED, 0)),
        ("exec-v4-streams", V4, b"to-stdout\ngot hello\n", b"to-stderr\n", (Ended.EXITED, 3)),
        ("exec-v4-no-such-command", V4, b"", b"", (Ended.FAILED, -1)),
        ("exec-base64-channel", V1_BASE64, b"got hello\n", b"", (Ended.FAILED, -1)),
    ],
)
def test_recorded_sessions(name, protocol, stdout, stderr, ended):
    chosen, came, sent = recorded(name)
    assert chosen == protocol
    remote = RemoteCommand(chosen, stdin=True)
    output = {1: b"", 2: b""}
    for message in came:
        if (got := remote.receive(message)) is not None:
            output[got[0]] += got[1]
    assert (output[1], output[2]) == (stdout, stderr)
    found = outcome(remote.status() or b"")
    assert (found.how, found.code) == ended
    if name == "exec-v5":
        assert [*remote.write(b"one line\n"), remote.close_stdin()] == sent


def test_text_across_messages():
    content = "grün ✓ 🚢\n"
    for size in (1, 2, 3, 5):
        text, data = Text(), content.encode()
        assert "".join(text.feed(data[at : at + size]) for at in range(0, len(data), size)) == content
    text = Text()
    assert text.feed(b"a\xff\xe2\x9c") == "a\ufffd"
    assert text.feed(b"", last=True) == "\ufffd"


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        ('exec: "bash": executable file not found in $PATH: unknown', True),
        ("fork/exec /bin/bash: no such file or directory", True),
        ("crun: executable file `bash` not found in $PATH: No such file or directory", True),
        ("The system cannot find the file specified.", True),
        ("container is not running", False),
        ("", False),
    ],
)
def test_a_command_that_is_not_there(message: str, missing: bool):
    assert Outcome(Ended.FAILED, message=message).is_missing is missing
    assert not Outcome(Ended.EXITED, 127, message).is_missing
