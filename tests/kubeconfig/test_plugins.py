"""Exec plugins, run for real, whose credentials a real TLS server sees."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from notebook_mux.errors import LoginRequired
from notebook_mux.gateway.cluster import Cluster
from tests.unit.gateway.certificates import Authority
from tests.unit.gateway.tls_api import VERSION, Api

Connect = Callable[..., Cluster]
V1 = "client.authentication.k8s.io/v1"


def plugin(path: Path, status: str, before: str = "", **fields: Any) -> dict[str, Any]:
    """A user entry with a plugin at `path` that counts its runs beside itself; `status` is Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"#!{sys.executable}\nimport json, os, pathlib, sys, time\n"
        "log = pathlib.Path(sys.argv[0] + '.runs'); runs = len(log.read_text()) + 1 if log.exists() else 1\n"
        "log.write_text('x' * runs)\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        f"{before}\n"
        f"print(json.dumps({{'kind': 'ExecCredential', 'apiVersion': info['apiVersion'], 'status': {status}}}))\n"
    )
    path.chmod(0o700)
    given = {"apiVersion": V1, "command": str(path), "interactiveMode": "IfAvailable"}
    return {"exec": given | fields}


def runs(path: Path) -> int:
    log = path.with_name(f"{path.name}.runs")
    return len(log.read_text()) if log.exists() else 0


def bearer(api: Api) -> str:
    return api.seen[-1].headers["Authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("version", [V1, "client.authentication.k8s.io/v1beta1"])
async def test_it_is_told_the_cluster(version: str, api: Api, connect: Connect, tmp_path: Path):
    status = "{'token': '-'.join((info['spec']['cluster']['server'][-5:], info['spec']['cluster']['config']['tenant'], str(info['spec']['interactive'])))}"  # noqa: E501
    entry = plugin(tmp_path / "login", status, provideClusterInfo=True, apiVersion=version)
    extension = [{"name": "client.authentication.k8s.io/exec", "extension": {"tenant": "blue"}}]
    await connect(api.url, entry, extensions=extension).request("GET", "/")
    assert bearer(api) == f"{api.url[-5:]}-blue-False"
    untold = plugin(tmp_path / "login", "{'token': str(sorted(info['spec']))}", apiVersion=version)
    await connect(api.url, untold, extensions=extension).request("GET", "/")
    assert bearer(api) == "['interactive']"


@pytest.mark.parametrize("lives", [60, 240, 3600])
async def test_a_short_life_is_a_life(lives: int, api: Api, connect: Connect, tmp_path: Path):
    stamp = f"time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + {lives}))"
    cluster = connect(api.url, plugin(tmp_path / "login", f"{{'token': 't', 'expirationTimestamp': {stamp}}}"))
    for _ in range(5):
        await cluster.request("GET", "/")
    assert runs(tmp_path / "login") == 1


async def test_it_is_run_again_when_its_time_is_over(
    api: Api, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("notebook_mux.gateway.credentials.SHORTEST_SECONDS", 0.0)
    status = "{'token': f't{runs}', 'expirationTimestamp': '2020-01-01T00:00:00Z'}"
    cluster = connect(api.url, plugin(tmp_path / "login", status))
    for number in (1, 2, 3):
        await cluster.request("GET", "/")
        assert bearer(api) == f"t{number}"


async def test_a_certificate_and_after_a_401_another_one(
    authority: Authority, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    api = Api()
    await api.start(authority.server_context(tmp_path, clients=True))
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    for number in (1, 2):
        cert, key = authority.sign(f"jane-{number}")
        status = {"clientCertificateData": cert.decode(), "clientKeyData": key.decode()}
        (tmp_path / f"{number}.json").write_text(json.dumps(status))
    folder = str(tmp_path)
    entry = plugin(tmp_path / "login", f"json.loads(pathlib.Path({folder!r}, f'{{runs}}.json').read_text())")
    names: list[str] = []

    def handle(request: web.Request) -> web.Response:
        assert request.transport is not None
        [[(_, name)]] = request.transport.get_extra_info("peercert")["subject"]
        names.append(name)
        return web.json_response(VERSION, status=401 if name == "jane-1" and len(names) > 1 else 200)

    api.handle = handle
    cluster = connect(api.url, entry)
    assert (await cluster.request("GET", "/")).status == 200
    assert (await cluster.request("GET", "/")).status == 200
    assert names == ["jane-1", "jane-1", "jane-2"]
    assert not list(scratch.iterdir()), "no private key is left in a file"
    await api.stop()


async def test_a_command_counts_from_its_file_or_is_on_the_path(api: Api, connect: Connect, tmp_path: Path):
    beside = plugin(tmp_path / "bin" / "login", "{'token': 'beside'}", command="bin/login")
    await connect(api.url, beside, env={"PATH": "/nowhere"}).request("GET", "/")
    assert bearer(api) == "beside"
    on_path = plugin(tmp_path / "elsewhere" / "login", "{'token': 'on the path'.replace(' ', '-')}", command="login")
    await connect(api.url, on_path, env={"PATH": str(tmp_path / "elsewhere")}).request("GET", "/")
    assert bearer(api) == "on-the-path"
    with pytest.raises(LoginRequired, match="'login' is not on the PATH"):
        await connect(api.url, on_path, env={"PATH": "/nowhere"}).request("GET", "/")


async def test_its_environment_is_the_one_who_asks_s(api: Api, connect: Connect, tmp_path: Path):
    entry = plugin(
        tmp_path / "login",
        "{'token': '.'.join(os.environ.get(name, '') for name in ('AWS_PROFILE', 'AZURE_X', 'MINE', 'OTHER'))}",
        env=[{"name": "AWS_PROFILE", "value": "of-the-entry"}],
    )
    env = {
        "AWS_PROFILE": "of-the-notebook",
        "AZURE_X": "2",
        "MINE": "3",
        "OTHER": "4",
        "NOTEBOOK_MUX_PLUGIN_ENV": "MI*",
    }
    await connect(api.url, entry, env=env).request("GET", "/")
    assert bearer(api) == "of-the-entry.2.3."


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("sys.exit('The SSO session has expired')", "The SSO session has expired"),
        ("print('canary' * 300000); sys.exit()", "printed more than 1 MiB"),
        ("print('nonsense canary'); sys.exit()", "other than an ExecCredential"),
        ("os.kill(os.getpid(), 15)", "failed with signal 15"),
    ],
)
async def test_its_failure_is_no_anonymous_request(before: str, said: str, api: Api, connect: Connect, tmp_path: Path):
    cluster = connect(api.url, plugin(tmp_path / "login", "{'token': 'canary'}", before))
    for _ in range(3):
        with pytest.raises(LoginRequired) as caught:
            await cluster.request("GET", "/")
        assert said in str(caught.value)
        assert "canary" not in str(caught.value)
    assert not api.seen
    assert runs(tmp_path / "login") == 1, "a failure answers everyone for a moment"


async def test_one_that_wants_a_terminal(api: Api, connect: Connect, tmp_path: Path):
    cluster = connect(api.url, plugin(tmp_path / "login", "{'token': 't'}", interactiveMode="Always"))
    with pytest.raises(LoginRequired, match="wants a terminal") as caught:
        await cluster.request("GET", "/")
    assert "log in from a terminal" in str(caught.value)
    assert (len(api.seen), runs(tmp_path / "login")) == (0, 0)
