from __future__ import annotations

import json

import pytest

from notebook_mux.errors import Forbidden, InvalidArgument, LoginRequired, TimedOut, Unreachable
from notebook_mux.kube.answers import Answer
from notebook_mux.kube.troubles import of_answer, of_error


def answer(code: int, reason: str = "", **details: object) -> Answer:
    body = {"kind": "Status", "message": f"said {code}", "reason": reason, "code": code, "details": details}
    return Answer(code, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (answer(410, "Expired"), "expired"),
        (answer(410), "expired"),
        (answer(200, "Gone"), "expired"),
        (answer(429), "throttled"),
        (answer(504, "Timeout", causes=[{"reason": "ResourceVersionTooLarge"}]), "future"),
        (answer(504, "Timeout"), "other"),
        (answer(401), "login"),
        (answer(403, "Forbidden"), "forbidden"),
        (answer(404), "missing"),
        (answer(400), "invalid"),
        (answer(406), "invalid"),
        (answer(422), "invalid"),
        (answer(500, "InternalError"), "internal"),
        (answer(503), "other"),
        (answer(302), "other"),
    ],
)
def test_answers(found: Answer, kind: str):
    trouble = of_answer(found)
    assert trouble.kind == kind
    assert trouble.code == found.status
    assert trouble.said == f"said {found.status}"


def test_a_throttled_answer_in_plain_text():
    trouble = of_answer(Answer(429, {"retry-after": "7"}, b"Too many requests, please try again later.\n"))
    assert (trouble.kind, trouble.retry_after) == ("throttled", 7.0)
    assert trouble.said == "Too many requests, please try again later."
    assert of_answer(Answer(503, {"retry-after": "2"}, b"")).kind == "throttled"
    assert of_answer(answer(429, retryAfterSeconds=3)).retry_after == 3


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LoginRequired("x"), "login"),
        (Forbidden("x"), "forbidden"),
        (InvalidArgument("x"), "invalid"),
        (Unreachable("x", said="refused"), "unreachable"),
        (TimedOut("x"), "unreachable"),
    ],
)
def test_errors(error: Exception, kind: str):
    assert of_error(error).kind == kind  # type: ignore[arg-type]


def test_what_to_do_next_is_kept():
    assert of_error(LoginRequired("x", said="expired", todo="log in")).todo == "log in"
