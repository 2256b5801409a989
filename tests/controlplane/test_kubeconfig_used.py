"""Kubeconfigs used, by us and by kubectl, against a real API server: who we are to it is who kubectl is."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.gateway.cluster import Clusters
from tests.controlplane.kubeconfigs import kubectl, whoami, write
from tests.kubeconfig.proxies import running
from tests.testbed.control_plane import ControlPlane

PLUGIN = f"""#!{sys.executable}
import json, os, pathlib, sys
folder = pathlib.Path(sys.argv[0]).resolve().parent
info = os.environ["KUBERNETES_EXEC_INFO"]
(folder / f"info-{{sys.argv[1]}}").write_text(info)
token = (folder / "token").read_text().strip()
version = json.loads(info)["apiVersion"]
print(json.dumps({{"kind": "ExecCredential", "apiVersion": version, "status": {{"token": token}}}}))
"""


@pytest.fixture
async def clusters() -> AsyncIterator[Clusters]:
    found = Clusters()
    yield found
    await found.aclose()


async def same(clusters: Clusters, path: Path, **env: str) -> Any:
    """Who we are to the server, which is who kubectl is."""
    mine = await whoami(clusters, path, **env)
    theirs = (await kubectl(path, "auth", "whoami", **env))["status"]["userInfo"]
    for who in (mine, theirs):
        who.get("extra", {}).pop("authentication.kubernetes.io/credential-id", None)
    assert mine == theirs
    return mine


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"as": "jane"},
        {"as": "jane", "as-groups": ["a", "b:c/d"]},
        {"as": "jane", "as-uid": "42", "as-user-extra": {"Team/one": ["x", "y"], "a%b c": ["1"]}},
        {"as": "system:serviceaccount:default:default"},
        {"as": "jäne"},
    ],
)
async def test_who_we_are(user: dict[str, Any], control_plane: ControlPlane, clusters: Clusters, tmp_path: Path):
    who = await same(clusters, write(control_plane, tmp_path / "dir" / "config", user))
    assert who["username"] == user.get("as", who["username"])
    assert set(user.get("as-groups", [])) <= set(who["groups"])


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_through_a_proxy(scheme: str, control_plane: ControlPlane, clusters: Clusters, tmp_path: Path):
    async with running(scheme) as proxy:
        far = "far-away.invalid:6443"
        proxy.names[far] = int(control_plane.server.rpartition(":")[2])
        proxy.credentials = "me:p@ss"
        url = proxy.with_user("me:p%40ss")
        named: dict[str, Any] = {"server": f"https://{far}", "tls-server-name": "127.0.0.1"}
        await same(clusters, write(control_plane, tmp_path / "config", **(named | {"proxy-url": url})))
        assert set(proxy.asked) == {far}
        before = len(proxy.asked)
        await same(clusters, write(control_plane, tmp_path / "config", **named), HTTPS_PROXY=url, NO_PROXY="other")
        assert len(proxy.asked) > before
        assert set(proxy.given) == {"me:p@ss"}


async def test_a_plugin_by_a_relative_command(control_plane: ControlPlane, clusters: Clusters, tmp_path: Path):
    """It gets the same from us as from kubectl, but for who ran it."""
    login = tmp_path / "dir" / "bin" / "login"
    login.parent.mkdir(parents=True)
    login.write_text(PLUGIN)
    login.chmod(0o700)
    (login.parent / "token").write_text(control_plane.token("default", "default"))
    command = {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "bin/login", "interactiveMode": "IfAvailable",
        "provideClusterInfo": True,
    }  # fmt: skip
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "x", "deep": {"a": [1, None]}}}
    path = tmp_path / "dir" / "config"
    told = {}
    for by in ("ours", "kubectl"):
        env = {"HTTPS_PROXY": "http://127.0.0.1:1"}  # for the plugin: to this machine nobody goes through a proxy
        write(control_plane, path, {"exec": {**command, "args": [by]}}, extensions=[extension])
        who = (
            await whoami(clusters, path, **env)
            if by == "ours"
            else (await kubectl(path, "auth", "whoami", **env))["status"]["userInfo"]
        )
        assert who["username"] == "system:serviceaccount:default:default"
        told[by] = json.loads((login.parent / f"info-{by}").read_text())
    assert told["ours"] == told["kubectl"]


async def test_a_relative_token_file(control_plane: ControlPlane, clusters: Clusters, tmp_path: Path):
    path = write(control_plane, tmp_path / "dir" / "config", {"tokenFile": "token"})
    (tmp_path / "dir" / "token").write_text(control_plane.token("default", "default") + "\n\n")
    assert (await same(clusters, path))["username"] == "system:serviceaccount:default:default"
