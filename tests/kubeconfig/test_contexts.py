"""Contexts that others stumble over, resolved from files and used with real TLS servers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument, UnknownContext
from notebook_mux.gateway.cluster import Clusters
from notebook_mux.gateway.kubeconfig import ResolvedContext, load
from tests.unit.gateway.certificates import Authority
from tests.unit.gateway.tls_api import Api

NAMES = [
    "arn:aws:eks:eu-west-1:123456789012:cluster/x",
    "kubernetes-admin@kubernetes",
    "gke_project_europe-west1-b_x",
    "default/api-host:6443/jane",
    "with blank",
    "ünïcode",
]


def write(path: Path, url: str, **more: Any) -> Path:
    """A kubeconfig with a context for each of `NAMES`, whose certificates are beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cluster = {"server": url, "certificate-authority": "ca.crt"}
    path.write_text(json.dumps({
        "clusters": [{"name": name, "cluster": cluster} for name in NAMES],
        "users": [{"name": name, "user": {"token": f"token-{at}"}} for at, name in enumerate(NAMES)],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in NAMES],
        **more,
    }))  # fmt: skip
    return path


@pytest.mark.parametrize("name", NAMES)
async def test_names_with_all_that_names_have(name: str, api: Api, authority: Authority, tmp_path: Path):
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    path = write(tmp_path / "config", api.url, **{"current-context": name})
    clusters = Clusters()
    for names in (None, [name]):
        [context] = load([path], names, {})
        assert (context.name, context.user, context.error) == (name, name, None)
        await clusters.add(context).request("GET", "/")
        assert api.seen[-1].headers["Authorization"] == f"Bearer token-{NAMES.index(name)}"
    await clusters.aclose()


async def test_certificates_count_from_the_file_that_names_them(tmp_path: Path):
    """Two files that call different authorities, certificates and tokens by the same relative names."""
    contexts: list[ResolvedContext] = []
    servers: list[Api] = []
    paths = []
    for name in ("one", "two"):
        authority, folder = Authority(), tmp_path / name
        folder.mkdir()
        (folder / "ca.crt").write_bytes(authority.pem)
        (folder / "token").write_text(f"of-{name}\n")
        server = Api()
        await server.start(authority.server_context(folder))
        servers.append(server)
        paths.append(folder / "config")
        paths[-1].write_text(json.dumps({
            "clusters": [{"name": name, "cluster": {"server": server.url, "certificate-authority": "./ca.crt"}}],
            "users": [{"name": name, "user": {"tokenFile": "token"}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        }))  # fmt: skip
    contexts = load(paths, "*", {})
    clusters = Clusters()
    for context, server, name in zip(contexts, servers, ("one", "two"), strict=True):
        assert await clusters.add(context).probe()
        assert server.seen[0].headers["Authorization"] == f"Bearer of-{name}"
    await clusters.aclose()
    for server in servers:
        await server.stop()


async def test_a_context_without_a_user_sends_nothing(api: Api, authority: Authority, tmp_path: Path):
    data = base64.b64encode(authority.pem).decode()
    path = tmp_path / "config"
    path.write_text(json.dumps({
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": api.url, "certificate-authority-data": data}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
    }))  # fmt: skip
    clusters = Clusters()
    [context] = load([path], None, {"HTTPS_PROXY": "http://127.0.0.1:1"})
    await clusters.add(context).request("GET", "/")
    assert not {"Authorization", "Impersonate-User"} & set(api.seen[0].headers)
    await clusters.aclose()


def test_which_current_context_counts(tmp_path: Path):
    """The first file that sets it, not the last; and one that names nothing is named."""
    paths = [
        write(tmp_path / "none", "https://none"),
        write(tmp_path / "first", "https://first", **{"current-context": NAMES[1]}),
        write(tmp_path / "last", "https://last", **{"current-context": NAMES[2]}),
    ]
    [context] = load(paths, None, {})
    assert (context.name, context.server) == (NAMES[1], "https://none"), "and the entry of the first that has it"
    with pytest.raises(UnknownContext, match="no current-context is set"):
        load(paths[:1], None, {})
    lost = write(tmp_path / "lost", "https://lost", **{"current-context": "kubernetes-admin@kubernets"})
    with pytest.raises(UnknownContext, match="did you mean 'kubernetes-admin@kubernetes'"):
        load([lost], None, {})


def test_a_missing_file_is_passed_over_and_a_broken_one_named(tmp_path: Path):
    good = write(tmp_path / "good", "https://good")
    assert len(load([tmp_path / "missing", good], "*", {})) == len(NAMES)
    broken = tmp_path / "broken"
    broken.write_text("clusters:\n- name: a\n  cluster: {server: https://x\nusers: []\n")
    with pytest.raises(InvalidArgument) as caught:
        load([good, broken], "*", {})
    assert str(broken) in str(caught.value)
    assert "line 4" in str(caught.value)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ten_thousand_contexts(tmp_path: Path, authority: Authority):
    """As EKS writes them, with their certificates. What a huge file costs is paid once for its content."""
    data = base64.b64encode(authority.pem).decode()
    names = [f"arn:aws:eks:eu-west-1:123456789012:cluster/team-{at}" for at in range(10_000)]
    arguments = ["--region", "eu-west-1", "eks", "get-token"]
    path = tmp_path / "config"
    path.write_text(json.dumps({
        "current-context": names[-1],
        "clusters": [{"name": name, "cluster": {"server": f"https://{at}.eks.amazonaws.com",
                      "certificate-authority-data": data}} for at, name in enumerate(names)],
        "users": [{"name": name, "user": {"exec": {"command": "aws", "args": [*arguments, name],
                   "apiVersion": "client.authentication.k8s.io/v1beta1"}}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in names],
    }))  # fmt: skip
    env = {"PATH": "/bin", "AWS_PROFILE": "x", "HTTPS_PROXY": "http://me:canary@proxy:1"}
    found = load([path], "*", env)
    assert [context.name for context in found] == names
    assert len({context.ref for context in found}) == len(names)
    assert not any(context.error for context in found)
    [one] = load([path], None, env)
    assert (one.name, one.ref) == (names[-1], found[-1].ref)
    with pytest.raises(UnknownContext, match="There are 10000 contexts"):
        load([path], ["arn:aws:eks:eu-west-1:123456789012:cluster/team-10000"], env)
