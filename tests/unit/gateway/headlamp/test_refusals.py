from __future__ import annotations

import json

import pytest

from notebook_mux import errors
from notebook_mux.gateway.headlamp import refusals
from notebook_mux.kube.answers import Answer


@pytest.mark.parametrize(
    ("kind", "code"),
    [(errors.InvalidArgument, 400), (errors.BadSelector, 400), (errors.LoginRequired, 401), (errors.Forbidden, 403),
     (errors.WriteRefused, 403), (errors.UnknownContext, 404), (errors.Unreachable, 502), (errors.TimedOut, 504),
     (errors.ServerError, 502)],
)  # fmt: skip
def test_each_error_is_a_status(kind, code):
    response = refusals.of(kind("it failed", said="the  server's\nwords", todo="try again"))
    assert response.status == code
    assert isinstance(response.body, bytes)
    status = json.loads(response.body)
    assert (status["kind"], status["apiVersion"], status["status"], status["code"]) == ("Status", "v1", "Failure", code)
    assert status["message"] == "it failed: the server's words; try again"
    assert status["reason"] == refusals.REASONS[code]


def test_a_servers_refusal_in_words():
    status = b'{"kind":"Status","message":"too old","reason":"Expired","code":410}'
    assert refusals.told(Answer(410, {}, status)) == ("410: too old", 410, "Expired")
    assert refusals.told(Answer(403, {}, b"")) == ("403: Forbidden", 403, "")
    assert refusals.told(Answer(502, {}, b"<html><title>Bad gateway</title>")) == ("502: a page: Bad gateway", 502, "")


def test_a_change_needs_a_gateway_for_it():
    refusals.check_write(True, "DELETE /x", "one")
    with pytest.raises(errors.WriteRefused, match="look only"):
        refusals.check_write(False, "DELETE /x", "one")
