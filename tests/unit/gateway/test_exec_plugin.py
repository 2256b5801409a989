from __future__ import annotations

import asyncio
import json
import os
import platform
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import LoginRequired
from notebook_mux.gateway.entries import Plugin, Server
from notebook_mux.gateway.exec_plugin import parse, run

V1 = "client.authentication.k8s.io/v1"

LIMITS = (2.0, 10.0, 40.0)
"""Seconds, the next where a busy machine takes longer to start the plugin and what it starts."""


def credential(**status: Any) -> dict[str, Any]:
    return {"kind": "ExecCredential", "apiVersion": V1, "status": status}


def script(path: Path, body: str) -> str:
    path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def test_it_is_run_with_its_arguments_and_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OF_THIS_PROCESS", "canary")
    body = (
        "assert sys.stdin.read() == ''\n"
        "said = {'argv': sys.argv[1:], 'env': dict(os.environ)}\n"
        f"open({str(tmp_path / 'said')!r}, 'w').write(json.dumps(said))\n"
        f"print(json.dumps({credential(token='tok', expirationTimestamp='2026-11-24T15:00:00Z')!r}))"
    )
    command = script(tmp_path / "login", body)
    ca = tmp_path / "ca.crt"
    ca.write_text("PEM")
    server = Server(url="https://c", ca_file=ca, tls_name="kube", exec_config={"audience": "x"})
    plugin = Plugin(command, ("a", "; echo b"), {"AWS_PROFILE": "dev"}, cluster_info=True)
    issued = await run(plugin, server)
    assert (issued.token, issued.expires) == ("tok", 1795532400.0)
    assert "tok" not in repr(issued)
    said = json.loads((tmp_path / "said").read_text())
    assert said["argv"] == ["a", "; echo b"]
    env = said["env"]
    assert env["AWS_PROFILE"] == "dev"
    assert "OF_THIS_PROCESS" not in env
    info = json.loads(env["KUBERNETES_EXEC_INFO"])
    assert info["apiVersion"] == V1
    assert info["spec"] == {
        "interactive": False,
        "cluster": {"server": "https://c", "tls-server-name": "kube", "certificate-authority-data": "UEVN",
                    "config": {"audience": "x"}},
    }  # fmt: skip
    await run(Plugin(command), server)
    assert (
        "cluster" not in json.loads(json.loads((tmp_path / "said").read_text())["env"]["KUBERNETES_EXEC_INFO"])["spec"]
    )


async def test_it_is_found_on_the_path_given(tmp_path: Path):
    script(tmp_path / "kube-login", f"print(json.dumps({credential(token='tok')!r}))")
    issued = await run(Plugin("kube-login", env={"PATH": str(tmp_path)}), Server(url="https://c"))
    assert (issued.token, issued.expires) == ("tok", None)
    with pytest.raises(LoginRequired) as caught:
        await run(Plugin("kube-login", env={"PATH": "/nowhere"}, install_hint="brew install it"), Server())
    assert "'kube-login' is not on the PATH" in str(caught.value)
    assert "brew install it" in str(caught.value)
    with pytest.raises(LoginRequired, match="is not there"):
        await run(Plugin(str(tmp_path / "gone")), Server())


async def test_it_fails_in_its_own_words_without_secrets(tmp_path: Path):
    body = "print('SSO session expired; token=canary-0123456789abcdef', file=sys.stderr); sys.exit(7)"
    with pytest.raises(LoginRequired) as caught:
        await run(Plugin(script(tmp_path / "login", body)), Server())
    assert "failed with exit code 7" in str(caught.value)
    assert f"on {platform.node()}" in str(caught.value), "the host it ran on"
    assert "SSO session expired" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.todo is not None


async def test_its_words_have_none_of_its_secrets(tmp_path: Path):
    env = {"AWS_SECRET_KEY": "canary/abc+def", "HTTPS_PROXY": "http://me:canary@p:1", "AWS_PROFILE": "production"}
    body = (
        "print(' '.join(os.environ[name] for name in sys.argv[1:]), file=sys.stderr)\n"
        f"print(json.dumps({credential(token='canary')!r})); sys.exit(1)"
    )
    command = script(tmp_path / "login", body)
    with pytest.raises(LoginRequired) as caught:
        await run(Plugin(command, tuple(env), env), Server())
    assert "production" in str(caught.value)
    assert "canary" not in str(caught.value)
    with pytest.raises(LoginRequired) as caught:
        await run(Plugin(command), Server())
    assert caught.value.said is None, "nothing of its answer"


async def test_it_prints_for_ever(tmp_path: Path):
    body = "print('why', file=sys.stderr, flush=True)\nwhile True: print('canary' * 1000)"
    with pytest.raises(LoginRequired, match=r"printed more than 1 MiB on .* and was ended") as caught:
        await run(Plugin(script(tmp_path / "login", body)), Server())
    assert caught.value.said == "why"
    assert "canary" not in str(caught.value)


async def test_a_path_that_counts_from_a_folder_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script(tmp_path / "login", "")
    monkeypatch.chdir(tmp_path)
    for path in (".", "", f"{os.pathsep}bin"):
        with pytest.raises(LoginRequired, match="not on the PATH"):
            await run(Plugin("login", env={"PATH": path}), Server())


async def test_a_terminal_is_not_there():
    with pytest.raises(LoginRequired, match="wants a terminal"):
        await run(Plugin("x", interactive="Always"), Server())
    with pytest.raises(LoginRequired, match="not supported"):
        await run(Plugin("x", api_version="client.authentication.k8s.io/v1alpha1"), Server())


async def test_it_cannot_be_run(tmp_path: Path):
    path = tmp_path / "broken"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o700)
    with pytest.raises(LoginRequired, match="cannot be run"):
        await run(Plugin(str(path)), Server())


async def test_a_time_limit_ends_it_and_what_it_started(tmp_path: Path):
    body = (
        "import subprocess\n"
        f"child = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(60)'])\n"
        f"path = {str(tmp_path / 'pids')!r}; open(path + '.new', 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "os.rename(path + '.new', path)\n"
        "time.sleep(60)"
    )
    plugin = Plugin(script(tmp_path / "slow", body))
    for limit in LIMITS:
        with pytest.raises(LoginRequired, match=f"did not answer within {limit:g} s"):
            await run(plugin, Server(), timeout=limit)
        if (tmp_path / "pids").exists():
            break
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        async with asyncio.timeout(30):
            while _runs(pid):
                await asyncio.sleep(0.01)


async def test_cancelling_ends_it(tmp_path: Path):
    pid_file = tmp_path / "pid"
    body = (
        f"path = {str(pid_file)!r}\n"
        "open(path + '.new', 'w').write(str(os.getpid()))\n"
        "os.rename(path + '.new', path)\n"
        "time.sleep(60)"
    )
    task = asyncio.create_task(run(Plugin(script(tmp_path / "slow", body)), Server()))
    async with asyncio.timeout(30):
        while not pid_file.exists():
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not _runs(int(pid_file.read_text()))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One whose parent has not waited for it is over all the same.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("no json canary", "other than an ExecCredential"),
        ("[]", "other than an ExecCredential"),
        (json.dumps({"kind": "ExecCredential", "apiVersion": V1}), "other than an ExecCredential"),
        (json.dumps({**credential(token="canary"), "kind": "Pod"}), "kind 'Pod'"),
        (json.dumps({**credential(token="canary"), "apiVersion": "v1"}), "of 'v1' instead of"),
        (json.dumps(credential()), "without a token"),
        (json.dumps(credential(token=7)), "of a wrong kind"),
        (json.dumps(credential(clientCertificateData="canary")), "without its key"),
        (json.dumps(credential(token="canary", expirationTimestamp="soon")), "no time"),
    ],
)
def test_answers_that_cannot_be_used(answer: str, said: str):
    with pytest.raises(LoginRequired) as caught:
        parse(Plugin("login"), answer.encode())
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_certificate():
    issued = parse(Plugin("login"), json.dumps(credential(clientCertificateData="C", clientKeyData="K")).encode())
    assert (issued.cert, issued.key, issued.token) == (b"C", b"K", "")
