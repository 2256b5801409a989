from __future__ import annotations

import json

import pytest

from notebook_mux.kube import reviews


def test_a_question():
    body = json.loads(reviews.access("list", "apps", "deployments", "team", version="v1"))
    assert (body["apiVersion"], body["kind"]) == ("authorization.k8s.io/v1", "SelfSubjectAccessReview")
    assert body["spec"]["resourceAttributes"] == {
        "verb": "list", "group": "apps", "resource": "deployments", "namespace": "team", "version": "v1",
    }  # fmt: skip
    assert reviews.path_of(body["kind"]) == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@pytest.mark.parametrize(
    ("content", "allowed"),
    [
        (b'{"status": {"allowed": true}}', True),
        (b'{"status": {"allowed": false}}', False),
        (b'{"status": {"allowed": "yes"}}', None),
        (b'{"status": "Failure"}', None),
        (b"{}", None),
        (b"<html>", None),
        (b"\xff", None),
        (b'{"status": ' + b"[" * 100_000, None),
    ],
)
def test_an_answer(content: bytes, allowed: bool | None):
    assert reviews.allowed(content) is allowed
