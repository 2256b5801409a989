from __future__ import annotations

from typing import Any

import msgspec
import pytest

from notebook_mux import errors
from notebook_mux.handles.changing.refusing import refusal, without_secrets
from notebook_mux.handles.changing.steps import warnings_of


def refused(status: int, message: str, reason: str = "", **details: Any) -> errors.MuxError:
    body = {"kind": "Status", "message": message, "reason": reason, "details": details}
    return refusal(status, msgspec.json.encode(body), what="applying pod n/a", cluster="dev", tried="apply")


def test_fields_that_others_own() -> None:
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{who}" using apps/v1', "field": f".spec.{field}"}
        for who, field in (("kubectl", "replicas"), ("kubectl", "paused"), ("hpa", "replicas"))
    ]
    causes.append(
        {"reason": "FieldManagerConflict", "message": 'conflict with "us" with subresource "scale"', "field": ".a"}
    )
    error = refused(409, "Apply failed with 4 conflicts", "Conflict", causes=causes)
    assert isinstance(error, errors.Conflict)
    assert error.owners == {"kubectl": ["spec.replicas", "spec.paused"], "hpa": ["spec.replicas"], "us (scale)": ["a"]}
    assert (
        error.what
        == "applying pod n/a: kubectl owns spec.replicas, spec.paused; hpa owns spec.replicas; us (scale) owns a"
    )
    assert "force=True" in (error.todo or "")
    many = [{**causes[0], "field": f".f{at}"} for at in range(9)]
    assert "f3 and 5 more" in refused(409, "x", "Conflict", causes=many).what


def test_a_change_in_between() -> None:
    for error in (
        refused(409, "the object has been modified; please apply your changes to the latest version", "Conflict"),
        refused(422, 'metadata.uid: Invalid value: "1": field is immutable', "Invalid"),
    ):
        assert isinstance(error, errors.Conflict)
        assert (error.owners, "changed by somebody else" in error.what) == ({}, True)


@pytest.mark.parametrize(
    ("message", "who"),
    [
        ('pods is forbidden: User "me" cannot create resource "pods"', "the cluster's authorizer"),
        ('admission webhook "policy.example.com" denied the request: no', "the admission webhook policy.example.com"),
        ("ValidatingAdmissionPolicy 'x' with binding 'y' denied request: no", "an admission policy"),
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest"', "the namespace's pod security level"),
        ('pods "a" is forbidden: exceeded quota: q, requested: pods=1', "a resource quota"),
        ("unable to create new content in namespace n because it is being terminated", "its namespace"),
        ("no", "the cluster"),
    ],
)
def test_who_refuses_it(message: str, who: str) -> None:
    error = refused(403, message, "Forbidden")
    assert type(error) is errors.Forbidden
    assert f"is refused by {who}" in error.what
    assert (error.said, bool(error.todo)) == (message, True)


def test_others() -> None:
    for status, said in (
        (422, "Deployment.apps 'web' is invalid: spec.selector: Invalid value: field is immutable"),
        (500, "failed to convert new object (default/s; /v1, Kind=Secret) to proper version: illegal base64 data"),
    ):
        error = refused(status, said, "")
        assert (type(error), error.todo) == (errors.InvalidArgument, "correct what the server names")
    assert type(refused(405, "the server does not allow this method", "")) is errors.InvalidArgument
    assert type(refused(403, "look only", "WriteRefused")) is errors.WriteRefused
    error = refused(404, 'namespaces "n" not found', "NotFound")
    assert (type(error), "no namespace 'n'" in error.what) == (errors.NotFound, True)
    assert "is not there" in refused(404, 'pods "a" not found', "NotFound").what
    assert "no server-side apply" in refused(415, "the body of the request was in an unknown format").what
    untyped = refused(500, "failed to create typed patch object (n/a; v1, Kind=Pod): .spec.x: field not declared")
    assert (type(untyped), untyped.todo) == (errors.InvalidArgument, "correct what the server names")
    assert type(refused(422, "spec.replicas: Invalid value: -1", "Invalid")) is errors.InvalidArgument
    assert type(refused(500, "etcd is down")) is errors.ServerError
    assert type(refused(401, "no")) is errors.LoginRequired


def test_values_of_a_secret_that_a_server_repeats() -> None:
    said = "(default/s; /v1, Kind=Secret): .stringData.pw: expected string, got &value.valueUnstructured{Value:1234}"
    error = without_secrets(refused(400, said), {"stringData": {"pw": 1234, "on": [True], "none": None, "": ""}})
    assert error.said == said.replace("1234", "<hidden>")


def test_warnings() -> None:
    header = '299 - "first", 299 - "with \\"quotes\\", and a comma"'
    assert warnings_of({"warning": header}) == ("first", 'with "quotes", and a comma')
    assert warnings_of({"date": "x"}) == ()
