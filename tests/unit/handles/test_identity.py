from __future__ import annotations

import dataclasses

import pytest

from notebook_mux import errors
from notebook_mux.handles.identity import Context, Identity, problem_of

CONTEXT = Context("dev", "arn:dev", "ref", "https://dev", "default")
IDENTITY = Identity(
    "auto", ("url", "http://h/?token=canary"), {"env": {"AWS_SECRET": "canary"}}, None, (CONTEXT,), "canary"
)


def test_what_makes_two_the_same() -> None:
    same = dataclasses.replace(IDENTITY, source={}, names=["dev"], contexts=(CONTEXT._replace(server="x"),))
    assert (same.key, same.scope) == (IDENTITY.key, IDENTITY.scope)
    for other in (
        dataclasses.replace(IDENTITY, connection="other"),
        dataclasses.replace(IDENTITY, user="other"),
        dataclasses.replace(IDENTITY, contexts=(CONTEXT._replace(ref="other"),)),
        dataclasses.replace(IDENTITY, contexts=(CONTEXT._replace(alias="other"),)),
        dataclasses.replace(IDENTITY, contexts=(CONTEXT._replace(namespace="other"),)),
    ):
        assert other.key != IDENTITY.key
        assert other.scope != IDENTITY.scope


def test_it_shows_no_secret() -> None:
    assert "canary" not in repr(IDENTITY)
    assert "canary" not in IDENTITY.scope


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ({"code": "login", "what": "no certificate", "todo": "look"}, errors.LoginRequired),
        ({}, errors.ServerError),
    ],
)
def test_the_error_of_a_context_that_cannot_be_used(problem: dict[str, str], kind: type[errors.MuxError]) -> None:
    error = problem_of(CONTEXT._replace(problem=tuple(problem.items())))
    assert isinstance(error, kind | errors.MuxError)
    assert error.cluster == "dev"
    assert "no certificate" in str(error) or "arn:dev" in str(error)
