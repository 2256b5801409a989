from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument, NoCluster, UnknownContext
from notebook_mux.gateway.kubeconfig import load, usual_paths


def config(path: Path, *, current: str = "prod-eu", **user: Any) -> Path:
    names = ["prod-eu", "prod-us", "staging"]
    path.write_text(json.dumps({
        "current-context": current,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}:6443/"}} for name in names],
        "users": [{"name": "me", "user": user or {"token": "canary-token"}}],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": "me", "namespace": "team" if name == "staging" else ""}}
            for name in names
        ] + [
            {"name": "broken", "context": {"cluster": "prod-eux", "user": "me"}},
            {"name": "no-user", "context": {"cluster": "staging"}},
            {"name": "lost-user", "context": {"cluster": "staging", "user": "you"}},
            {"name": "no-cluster", "context": {"user": "me"}},
        ],
    }))  # fmt: skip
    return path


def test_current_named_and_all(tmp_path: Path):
    path = config(tmp_path / "config")
    [one] = load([path], None, {})
    assert (one.name, one.current, one.server, one.namespace, one.user) == (
        "prod-eu", True, "https://prod-eu:6443", "default", "me",
    )  # fmt: skip
    assert (one.error, one.files) == (None, (path,))
    assert [c.name for c in load([path], ["staging", "prod-us", "staging"], {})] == ["staging", "prod-us"]
    assert load([path], ["staging"], {})[0].namespace == "team"
    assert not load([path], ["staging"], {})[0].current
    everything = load([str(path)], "*", {})
    assert repr(everything) == repr(load([path], ["*"], {}))
    assert len(everything) == 7


def test_a_context_that_cannot_be_used_harms_no_other(tmp_path: Path):
    found = {context.name: context for context in load([config(tmp_path / "config")], "*", {})}
    error = found["broken"].error
    assert isinstance(error, InvalidArgument)
    assert "'prod-eux'" in str(error)
    assert "did you mean 'prod-eu'" in str(error)
    assert (found["broken"].ref, error.cluster) == ("", "broken")
    assert "'you'" in str(found["lost-user"].error)
    assert "names no cluster" in str(found["no-cluster"].error)
    assert found["no-user"].error is None
    assert found["no-user"].user == ""
    assert found["no-user"].ref != found["staging"].ref


def test_unknown_names(tmp_path: Path):
    with pytest.raises(UnknownContext) as caught:
        load([config(tmp_path / "config")], ["stagin"], {})
    assert "'stagin'" in str(caught.value)
    assert "did you mean 'staging'" in str(caught.value)
    with pytest.raises(UnknownContext, match="there is no context 'away'"):
        load([config(tmp_path / "config", current="away")], None, {})
    with pytest.raises(UnknownContext, match="no current-context"):
        load([config(tmp_path / "config", current="")], None, {})


def test_no_kubeconfig(tmp_path: Path):
    with pytest.raises(NoCluster) as caught:
        load([tmp_path / "none"], None, {})
    assert str(tmp_path / "none") in str(caught.value)
    assert "nm.demo()" in str(caught.value)
    empty = tmp_path / "empty"
    empty.write_text("{}")
    with pytest.raises(NoCluster, match="no context in"):
        load([empty], None, {})
    with pytest.raises(NoCluster):
        load(None, None, {})


def test_the_environment_is_the_one_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KUBECONFIG", "/of/this/process")
    assert usual_paths({"KUBECONFIG": "a:b::", "HOME": "/h"}) == [Path("a"), Path("b")]
    assert usual_paths({"HOME": "/h"}) == [Path("/h/.kube/config")]
    assert usual_paths({}) == []
    config(tmp_path / "mine")
    assert load(None, None, {"KUBECONFIG": str(tmp_path / "mine")})[0].name == "prod-eu"


def test_nothing_shows_a_secret(tmp_path: Path):
    [one] = load([config(tmp_path / "config")], None, {})
    shown = repr(one) + str(one) + repr(one.identity) + repr(one.endpoint) + repr([one]) + f"{vars(one)}"
    assert "canary" not in shown


def test_in_cluster_where_no_file_is(tmp_path: Path):
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("t\n")
    (account / "namespace").write_text("jupyter\n")
    env = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    [one] = load([], None, env, in_cluster=True, account=account)
    assert (one.name, one.server, one.namespace, one.current) == ("in-cluster", "https://10.0.0.1:443", "jupyter", True)
    assert one.ref
    assert load([], ["in-cluster"], env, in_cluster=True, account=account)[0].ref == one.ref
    with pytest.raises(UnknownContext):
        load([], ["prod"], env, in_cluster=True, account=account)
    with pytest.raises(NoCluster, match="not in a pod"):
        load([], None, {}, in_cluster=True, account=account)
    assert load([config(tmp_path / "config")], None, env, in_cluster=True, account=account)[0].name == "prod-eu"
    ipv6 = {**env, "KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert load([], None, ipv6, in_cluster=True, account=account)[0].server == "https://[fd00::1]:443"


def test_who_does_not_check_certificates_is_told(tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(json.dumps({
        "clusters": [
            {"name": "a", "cluster": {"server": "https://a", "insecure-skip-tls-verify": True}},
            {"name": "b", "cluster": {"server": "https://b"}},
            {"name": "c", "cluster": {"server": "http://c", "insecure-skip-tls-verify": True}},
        ],
        "contexts": [{"name": name, "context": {"cluster": name}} for name in "abc"],
    }))  # fmt: skip
    a, b, c = load([path], "*", {})
    assert "https://a is not checked (insecure-skip-tls-verify)" in a.notes[0]
    assert (b.notes, c.notes) == ((), ())
