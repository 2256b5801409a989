"""What `contexts` and `doctor` show of a kubeconfig full of secrets: none of them, and nobody's name."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import notebook_mux as nm
from tests.unit.checks.servers import certificate, refused_port

SECRET = "canary-4b1e77d3"
PRIVATE = ("jane.canary", "canary.example.com", "123456789012")


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    cert, key = certificate()
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-plugin",
        "args": ["--password", f"{SECRET}-args"],
        "env": [{"name": "PLUGIN_SECRET", "value": f"{SECRET}-env"}],
        "interactiveMode": "Never",
    }
    users = {
        "token": {"token": f"{SECRET}-token"},
        "jane.canary": {"username": "jane.canary", "password": f"{SECRET}-password"},
        "cert": {
            "client-certificate-data": base64.b64encode(cert).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        },
        "plugin": {"exec": plugin},
        "oidc": {
            "auth-provider": {"name": "oidc", "config": {"id-token": f"{SECRET}-id", "refresh-token": f"{SECRET}-re"}}
        },
        "wrong": {"token": [f"{SECRET}-list"]},
        "arn:aws:eks:eu-west-1:123456789012:cluster/x": {"token": f"{SECRET}-arn"},
    }
    server = f"https://127.0.0.1:{refused_port()}"
    clusters = {
        "here": {"server": server, "certificate-authority-data": base64.b64encode(cert).decode()},
        "far": {
            "server": "https://canary.example.com:6443",
            "proxy-url": f"http://jane.canary:{SECRET}-proxy@127.0.0.1:1",
        },
        "odd": {"server": f"https://jane.canary:{SECRET}-url@canary.example.com:6443"},
    }
    path = tmp_path / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "token",
                "clusters": [{"name": name, "cluster": fields} for name, fields in clusters.items()],
                "users": [{"name": name, "user": fields} for name, fields in users.items()],
                "contexts": [
                    *(
                        {"name": name.replace("jane.canary", "basic"), "context": {"cluster": "here", "user": name}}
                        for name in users
                    ),
                    *({"name": name, "context": {"cluster": name, "user": "token"}} for name in ("far", "odd")),
                ],
            }
        )
    )
    path.chmod(0o600)
    return path


def secrets_of(path: Path) -> list[str]:
    config = yaml.safe_load(path.read_text())
    fields = [user["user"] for user in config["users"]] + [cluster["cluster"] for cluster in config["clusters"]]
    inline = [value for one in fields for name, value in one.items() if name.endswith("-data")]
    return [SECRET, *inline, *(base64.b64decode(value).decode() for value in inline)]


def test_contexts_show_no_secret(kubeconfig: Path) -> None:
    found = nm.contexts(kubeconfig)
    shown = found.text + repr(found) + found._repr_html_() + json.dumps(found.rows) + found.df().to_string()
    assert len(found) == 9
    assert "plugin no-such-plugin" in shown
    assert "canary.example.com:6443" in shown, "this table is for one's own eyes, and names servers"
    for secret in secrets_of(kubeconfig):
        assert secret not in shown


@pytest.mark.timeout(240)
def test_the_doctor_shows_no_secret_and_nobodys_name(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://jane.canary:{SECRET}-variable@127.0.0.1:1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", f"{SECRET}-aws")
    found = nm.doctor(kubeconfig=kubeconfig)
    command = [sys.executable, "-m", "notebook_mux", "doctor", "--kubeconfig", str(kubeconfig)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1
    shown = found.text + found._repr_html_() + json.dumps(found.rows) + done.stdout + done.stderr
    assert "AWS_SECRET_ACCESS_KEY" in shown, "names of variables are in it"
    assert "Connection refused" in shown
    assert "no-such-plugin is not on the PATH" in shown
    for text in (*secrets_of(kubeconfig), *PRIVATE, os.environ["HOME"]):
        assert text not in shown.replace(str(kubeconfig), "")
