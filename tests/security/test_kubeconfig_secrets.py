"""Secrets of a kubeconfig, each with a canary, are looked for in all that leaves a kernel; and what is said, once."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from tests.kubeconfig.provider import jwt
from tests.playground import RunningPlayground, playground, start_playground  # noqa: F401 - fixtures
from tests.security.test_canary import gateway_logs, run_recorded

CANARY = "canary-58e1"
EXPIRED = jwt(time.time() - 60, subject=CANARY)

CELLS = [
    "import notebook_mux as nm; m = nm.connect('*', kubeconfig={path!r}); m",
    "m.clusters",
    "nm.status()",
    "nm.connect({{'short': 'good'}}, kubeconfig={path!r})",
    "m.retry(); s = nm.watch('pods', cluster='short'); s.rows",
    *(f"nm.connect({name!r}, kubeconfig={{path!r}})" for name in ("proxied", "socks", "oidc", "failing", "told")),
    "m.close()",
]


def config(running: RunningPlayground, folder: Path) -> Path:
    """Contexts with a secret each, of which ``good`` works and checks no certificate."""
    entry = yaml.safe_load(running.kubeconfig.read_text())
    server, token = entry["clusters"][0]["cluster"]["server"], entry["users"][0]["user"]["token"]
    plugin = folder / "login"
    plugin.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "if sys.argv[1:]: sys.exit(' '.join(sys.argv[1:] + [os.environ['MY_SECRET'], os.environ['HTTPS_PROXY']]))\n"
        "print(json.dumps({'kind': 'ExecCredential', 'apiVersion': 'client.authentication.k8s.io/v1', 'status':"
        " {'token': os.environ['MY_TOKEN']}}))\n"
    )
    plugin.chmod(0o700)
    values = {
        "MY_SECRET": f"{CANARY}-secret",
        "MY_TOKEN": token,
        "HTTPS_PROXY": f"http://me:{CANARY}-proxy@127.0.0.1:1",
    }
    run = {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "interactiveMode": "Never",
        "env": [{"name": name, "value": value} for name, value in values.items()],
    }  # fmt: skip
    oidc = {
        "idp-issuer-url": "https://127.0.0.1:1/", "client-id": "c", "client-secret": f"{CANARY}-client",
        "id-token": EXPIRED, "refresh-token": f"{CANARY}-refresh",
    }  # fmt: skip
    clusters: dict[str, dict[str, Any]] = {
        "plain": {"server": server, "insecure-skip-tls-verify": True},
        "proxied": {"server": "https://far.invalid", "proxy-url": f"http://me:{CANARY}-http@127.0.0.1:1"},
        "socks": {"server": "https://far.invalid", "proxy-url": f"socks5://me:{CANARY}-socks@127.0.0.1:1"},
    }
    users = {
        "good": {"exec": run},
        "failing": {"exec": {**run, "args": ["session", "expired:", f"token={CANARY}-token"]}},
        "oidc": {"auth-provider": {"name": "oidc", "config": oidc}},
        "token": {"token": f"{CANARY}-inline"},
        "told": {"username": "me", "password": f"{CANARY}-password"},
    }
    contexts = [("good", "plain", "good"), ("failing", "plain", "failing"), ("oidc", "plain", "oidc"),
                ("told", "plain", "told"), ("proxied", "proxied", "token"), ("socks", "socks", "token")]  # fmt: skip
    path = folder / "config"
    path.write_text(json.dumps({
        "clusters": [{"name": name, "cluster": fields} for name, fields in clusters.items()],
        "users": [{"name": name, "user": fields} for name, fields in users.items()],
        "contexts": [{"name": a, "context": {"cluster": b, "user": c, "namespace": "default"}} for a, b, c in contexts],
    }))  # fmt: skip
    return path


@pytest.mark.timeout(300)
def test_no_secret_of_a_kubeconfig_leaves_the_gateway(
    start_playground: Callable[..., RunningPlayground],  # noqa: F811
    tmp_path: Path,
) -> None:
    running = start_playground("empty")
    path = str(config(running, tmp_path))
    cells = [nbformat.v4.new_code_cell(cell.format(path=path)) for cell in CELLS]
    for cell in cells[5:-1]:
        cell.metadata["tags"] = ["raises-exception"]
    notebook, heard = run_recorded(cells, tmp_path)
    saved = nbformat.writes(notebook)
    logs = gateway_logs()

    said = ["".join(o.get("text", "") for o in cell.outputs if o.get("name") == "stderr") for cell in notebook.cells]
    assert said[0].count("is not checked (insecure-skip-tls-verify)") == 1
    assert "is not checked" not in "".join(said[1:]), "it is said once"
    assert "is not checked" not in logs, "and where the user is, not to a log"
    failures = [json.dumps(cell.outputs) for cell in notebook.cells[5:-1]]
    for words, failure in zip(
        ["no connection to the proxy 127.0.0.1:1", "no connection to the proxy 127.0.0.1:1", "no connection to https://127.0.0.1:1",
         "session expired:", "basic authentication"], failures, strict=True,
    ):  # fmt: skip
        assert words in failure
    token = yaml.safe_load(running.kubeconfig.read_text())["users"][0]["user"]["token"]
    for place, text in {"messages": heard, "notebook": saved, "logs": logs}.items():
        for secret in (CANARY, EXPIRED, token):
            assert secret not in text, f"a secret is in the {place}: {text[max(0, text.find(secret) - 80) :][:200]}"
