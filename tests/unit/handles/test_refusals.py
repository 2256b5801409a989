from __future__ import annotations

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.handles.refusals import kubectl, log_in_again, message_of, out_of_reach, refused
from notebook_mux.handles.telling import most_telling, parted, state_of


def status(message: str, reason: str = "") -> bytes:
    return msgspec.json.encode({"kind": "Status", "message": message, "reason": reason})


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (401, status("Unauthorized"), errors.LoginRequired),
        (403, status("pods is forbidden"), errors.Forbidden),
        (403, status("no", "WriteRefused"), errors.WriteRefused),
        (404, status("not found"), errors.NotFound),
        (400, status("unable to parse requirement: <nil>"), errors.BadSelector),
        (400, status("field label not supported: x"), errors.BadSelector),
        (400, status("bad"), errors.InvalidArgument),
        (422, status("bad"), errors.InvalidArgument),
        (504, status("Timeout"), errors.TimedOut),
        (500, status("boom"), errors.ServerError),
        (429, b"Too many requests, please try again later.", errors.ServerError),
        (502, b"", errors.ServerError),
    ],
)
def test_refusals(code: int, body: bytes, kind: type[errors.MuxError]) -> None:
    error = refused(code, body, what="listing pods in default", cluster="dev")
    assert type(error) is kind
    assert error.cluster == "dev"
    assert error.said
    assert 2 <= len(error.lines()) <= 5


def test_the_words_of_odd_bodies() -> None:
    assert message_of(b"plain") == ("plain", "")
    assert message_of(b"[1]") == ("[1]", "")
    assert message_of(b'{"message":null}') == ("", "")
    assert len(message_of(b"x" * 10_000)[0]) == 2000
    assert message_of(b"\xff")[0] == "�"
    assert message_of(b"[" * 100_000)[0].startswith("[[[")


def test_the_most_telling_error_is_the_one_to_mend() -> None:
    away, login = errors.Unreachable("a is away"), errors.LoginRequired("b wants a login")
    chosen = most_telling([("a", away), ("b", login)])
    assert chosen is login
    assert chosen.cluster == "b"
    assert "no better on a" in str(chosen)
    odd = errors.MuxError("odd")
    assert most_telling([("x", odd)]) is odd


def test_states() -> None:
    states = [errors.LoginRequired, errors.Forbidden, errors.BadSelector, errors.Unreachable, errors.NotFound]
    assert [state_of(kind("x")) for kind in states] == ["login", "forbidden", "closed", "unreachable", "unreachable"]


def test_answers_are_parted_from_failures() -> None:
    away = errors.Unreachable("no way", cluster="b")
    assert parted(["a", "b", "c"], [1, away, 3]) == ([("a", 1), ("c", 3)], [("b", away)])
    with pytest.raises(ZeroDivisionError):
        parted(["a", "b"], [away, ZeroDivisionError()])


def test_the_command_of_a_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    plain = "kubectl --context 'my prod' get namespaces"
    assert kubectl("my prod", None) == plain
    assert kubectl("my prod", ["/home/me/.kube/config"]) == plain
    assert kubectl("dev", ["/a b"]) == "kubectl --kubeconfig '/a b' --context dev get namespaces"
    assert kubectl("dev", ["/a", "/b"]) == "KUBECONFIG=/a:/b kubectl --context dev get namespaces"


@pytest.mark.parametrize(
    ("what", "todo"),
    [
        ("the credential plugin '/opt/bin/tsh' failed with exit code 1", "in a terminal on pc run: tsh login (or: K)"),
        ("the credential plugin 'mine' did not answer within 60 s", "in a terminal on pc run: K;"),
        ("the credential plugin 'mine' is not on the PATH", "install it"),
        ("the server does not accept the credentials", "get new credentials for it, then try on pc: K"),
    ],
)
def test_a_login(what: str, todo: str) -> None:
    error = log_in_again(errors.LoginRequired(what, said="its words", todo="install it"), host="pc", command="K")
    assert str(error.todo).startswith(todo)
    assert error.said == "its words"
    again = log_in_again(error, host="pc", command="another")
    assert str(again.todo).startswith(todo), "nothing is said twice"


def test_somebody_who_answers_needs_no_vpn() -> None:
    for error in (
        errors.TimedOut("no answer from https://x", todo="as it was"),
        errors.Unreachable("the certificate of https://x is not trusted", todo="as it was"),
        errors.Unreachable("no TLS with https://x", todo="as it was"),
    ):
        assert out_of_reach(error, host="pc", server="https://x").todo == "as it was"
    away = out_of_reach(errors.Unreachable("the connection broke"), host="pc", server="https://x", seconds=3.0)
    assert away.what == "the connection broke (https://x), after 3.0 s"
    assert "VPN must be up on pc" in str(away.todo)
