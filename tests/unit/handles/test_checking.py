"""Questions to a process of their own."""

from __future__ import annotations

import json
import os
import sys
import threading
from base64 import b64encode
from pathlib import Path

import psutil
import pytest

from notebook_mux.errors import GatewayError, TimedOut
from notebook_mux.handles import checking
from notebook_mux.handles.waiting import blocking
from tests.unit.checks.servers import certificate, tls_server
from tests.waiting import eventually

NOTHING = {"source": {"kubeconfig": [], "env": {}, "in_cluster": False}}


def ask(name: str = "contexts", timeout: float = 30.0):
    return blocking(checking.ask(name, NOTHING, timeout=timeout, what="testing"))


def test_an_answer():
    assert ask() == {"contexts": [], "files": [], "missing": [], "broken": {}}
    eventually(lambda: "notebook_mux contexts" not in [at.name for at in threading.enumerate()], seconds=20)


def test_a_process_that_fails_says_its_last_words(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "ARGUMENTS", ("-c", "raise SystemExit('token=abcdefgh is wrong')"))
    with pytest.raises(GatewayError, match="ended with 1") as caught:
        ask()
    assert caught.value.said == "token=[hidden] is wrong"


def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(GatewayError, match="no process can be started"):
        ask()


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(checking, "ARGUMENTS", ("-c", "import time; time.sleep(600)"))
    with pytest.raises(TimedOut, match="while testing"):
        ask(timeout=0.2)
    eventually(lambda: "notebook_mux contexts" not in [at.name for at in threading.enumerate()], seconds=20)


def test_lines_before_the_answer_are_told(monkeypatch: pytest.MonkeyPatch):
    code = 'print(\'{"t": "now", "what": "x"}\'); print(\'{"t": "answer", "value": 3}\')'
    monkeypatch.setattr(checking, "ARGUMENTS", ("-c", code))
    told: list[object] = []
    assert blocking(checking.ask("contexts", {}, timeout=30.0, what="testing", tell=told.append)) == 3
    assert told == [{"t": "now", "what": "x"}]


def ended(pid: int) -> bool:
    """Whether a process is over; whose child it was may leave it unburied, and so may this machine's init."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_an_interrupt_ends_the_plugin_too(tmp_path: Path) -> None:
    mark, plugin = tmp_path / "mark", tmp_path / "plugin"
    plugin.write_text(f"#!/bin/sh\necho $$ > {mark}\nexec sleep 600\n")
    plugin.chmod(0o700)
    cert, key = certificate()
    exec_ = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
    with tls_server(tmp_path, cert, key) as port:
        server = {"server": f"https://localhost:{port}", "certificate-authority-data": b64encode(cert).decode()}
        config = {
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": {"exec": exec_}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
        (tmp_path / "config").write_text(json.dumps(config))
        source = {"kubeconfig": [str(tmp_path / "config")], "env": {"PATH": os.defpath}, "in_cluster": False}
        question = {"source": source, "wanted": None, "words": "", "nothing": None, "explicit": True}
        more = {"facts": {}, "variables": [], "by_url": True}
        steps = checking.ask("doctor", {**question, **more}, timeout=60.0, what="testing")
        steps.send(None)  # it has begun
        eventually(lambda: mark.is_file() and mark.read_text().strip(), seconds=40)
        steps.close()  # as `blocking` does after an interrupt
        eventually(lambda: ended(int(mark.read_text())), seconds=30)
        eventually(lambda: "notebook_mux doctor" not in [at.name for at in threading.enumerate()], seconds=20)
