"""Tokens of service accounts: signed, read, at an end."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from notebook_mux.playground.accounts.signing import BadToken, Signer, encode
from notebook_mux.playground.accounts.tokens import ISSUER, Tokens
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.status import ApiError
from tests.unit.playground.worlds import world

Json = dict[str, Any]

ACCOUNT: Json = {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {"name": "bot", "namespace": "default"}}


@pytest.fixture
def cluster() -> Cluster:
    cluster = world(1)
    cluster.create(json.loads(json.dumps(ACCOUNT)))
    return cluster


def requested(cluster: Cluster, **spec: Any) -> str:
    token: str = Tokens(cluster, cluster.signer).request("default", "bot", {"spec": spec})["status"]["token"]
    return token


def test_only_its_own_signature_counts():
    signer = Signer()
    claims = {"sub": "x", "n": 1}
    token = signer.sign(claims)
    assert signer.verify(token) == claims
    assert Signer(signer.pem).verify(token) == claims
    assert signer.jwks()["keys"][0]["kid"] == signer.id
    head, body, signature = token.split(".")
    other = encode(json.dumps({**claims, "n": 2}).encode())
    unsigned = encode(json.dumps({"alg": "none", "kid": signer.id}).encode())
    for wrong in ("", "a.b", "a.b.c", f"{head}.{other}.{signature}", f"{unsigned}.{body}.", f"{head}.{body}.{body}",
                  Signer().sign(claims), token + "x", token.replace(".", ".é", 1)):  # fmt: skip
        with pytest.raises(BadToken):
            signer.verify(wrong)
    with pytest.raises(ValueError, match=r"P-256|load"):
        Signer(b"nonsense")


def test_a_token_lives_until_its_end(cluster: Cluster):
    tokens = Tokens(cluster, cluster.signer)
    token = requested(cluster, expirationSeconds=600)
    found = tokens.user_of(token)
    assert found is not None
    assert (found.name, found.groups) == (
        "system:serviceaccount:default:bot",
        ("system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"),
    )
    assert tokens.user_of(requested(cluster, audiences=["vault"])) is None
    assert tokens.read(requested(cluster, audiences=["vault"])) is not None
    cluster.agenda.step(100_000)  # the cluster's own time is not that of its server
    clock = cluster.agenda.clock
    begin = clock.wall()
    clock.wall = lambda: begin + 630
    assert tokens.user_of(token) is not None  # within the leeway of a minute
    clock.wall = lambda: begin + 690
    assert tokens.user_of(token) is None


def test_a_token_ends_with_what_it_is_bound_to(cluster: Cluster):
    tokens = Tokens(cluster, cluster.signer)
    secret = {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s", "namespace": "default"}}
    cluster.create(json.loads(json.dumps(secret)))
    bound = {"kind": "Secret", "apiVersion": "v1", "name": "s"}
    token, free = requested(cluster, boundObjectRef=bound), requested(cluster)
    assert tokens.user_of(token) is not None
    cluster.remove("secrets", "default", "s")
    cluster.create(json.loads(json.dumps(secret)))  # another of its name is not the same
    assert tokens.user_of(token) is None
    assert tokens.user_of(free) is not None
    cluster.remove("serviceaccounts", "default", "bot")
    cluster.create(json.loads(json.dumps(ACCOUNT)))
    assert tokens.user_of(free) is None
    with pytest.raises(ApiError, match="does not match the UID in record"):
        requested(cluster, boundObjectRef={**bound, "uid": "x"})


def test_what_namespaces_and_secrets_are_given(cluster: Cluster):
    cluster.authority = b"-----BEGIN CERTIFICATE-----\nreal\n-----END CERTIFICATE-----\n"
    cluster.remove("serviceaccounts", "default", "default")
    cluster.remove("configmaps", "default", "kube-root-ca.crt")
    annotations = {"kubernetes.io/service-account.name": "bot"}
    for name, of in (("held", annotations), ("lost", {"kubernetes.io/service-account.name": "nobody"})):
        cluster.create({"kind": "Secret", "apiVersion": "v1", "type": "kubernetes.io/service-account-token",
                        "metadata": {"name": name, "namespace": "default", "annotations": dict(of)}})  # fmt: skip
    cluster.agenda.step(1)
    assert cluster.get("serviceaccounts", "default", "default") is not None
    root = cluster.get("configmaps", "default", "kube-root-ca.crt")
    assert root is not None
    assert root["data"]["ca.crt"] == cluster.authority.decode()
    assert cluster.get("secrets", "default", "lost") is None
    held = cluster.get("secrets", "default", "held")
    assert held is not None
    data = {name: base64.b64decode(value) for name, value in held["data"].items()}
    assert (data["ca.crt"], data["namespace"]) == (cluster.authority, b"default")
    tokens = Tokens(cluster, cluster.signer)
    assert tokens.read(data["token"].decode())[1] == [ISSUER]  # type: ignore[index]
    cluster.remove("serviceaccounts", "default", "bot")
    cluster.agenda.step(1)
    assert cluster.get("secrets", "default", "held") is None
    assert tokens.user_of(data["token"].decode()) is None


def test_the_token_in_a_pod(cluster: Cluster):
    spec = {"containers": [{"name": "a", "image": "b"}], "serviceAccountName": "bot"}
    cluster.create({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "namespace": "default"}, "spec": spec})
    tokens = Tokens(cluster, cluster.signer)
    found = tokens.user_of(tokens.of_pod("default", "p"))
    assert found is not None
    assert found.extra["authentication.kubernetes.io/pod-name"] == ("p",)
    assert tokens.of_pod("default", "nope") == ""
