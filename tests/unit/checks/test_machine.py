"""What is installed here, and the gateway."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest

from notebook_mux._version import __version__
from notebook_mux.checks import machine
from notebook_mux.errors import GatewayError
from notebook_mux.life import launcher
from notebook_mux.life.privacy import Privacy

PRIVACY = Privacy()
HERE = {"kernel": "", "subshells": False, "static": False}


def by(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["Check"]: f"{row['State']}: {row['Found']}" for row in rows}


def test_versions() -> None:
    found = by(machine.versions(PRIVACY))
    assert found["notebook-mux"] == f"info: {__version__}"
    assert "aiohttp" in found["needed"]
    assert found["needed"].startswith("ok")
    assert "pandas" in found["besides"]


def test_what_is_missing_or_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_required", lambda: [("no-such-package", "1"), ("msgspec", "99.1")])
    rows = machine.versions(PRIVACY)
    said = " ".join(row["Found"] for row in rows if row["State"] == "wrong")
    assert "not installed: no-such-package" in said
    assert "(at least 99.1)" in said
    assert all("pip install" in row["Next"] for row in rows if row["State"] == "wrong")


def test_a_checkout_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> Any:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", unknown)
    assert machine._required() == []


def test_the_front_ends_pieces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = by(machine.jupyter(HERE, PRIVACY))
    assert found["our front ends"].startswith("ok")
    assert "nm.doctor() in a cell" in found["kernel"]
    monkeypatch.setattr(machine, "_extension_folders", lambda: [tmp_path])
    monkeypatch.setattr(machine, "BUNDLES", ("gone.js",))
    found = by(machine.jupyter({"kernel": "ipykernel 6.31.0", "subshells": False, "static": True}, PRIVACY))
    assert found["our front ends"] == "wrong: not built: gone.js"
    assert found["front end anywidget"].startswith("warning")
    assert "waits for the running cell" in found["kernel"]
    assert "static copies" in found["views"]
    assert "with subshells" in by(machine.jupyter({"kernel": "ipykernel 7", "subshells": True}, PRIVACY))["kernel"]


def test_variables_by_name_alone() -> None:
    assert by(machine.environment(["AWS_PROFILE", "KUBECONFIG"], PRIVACY)) == {
        "set": "info: AWS_PROFILE, KUBECONFIG (values are not shown)"
    }
    assert "none of those that matter" in machine.environment([], PRIVACY)[0]["Found"]


def test_a_gateway_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    running = launcher.Running("http://127.0.0.1:1234/", "canary-token", 7, 1234, "i", "0.0.9", 0.0, {})
    monkeypatch.setattr(launcher, "find", lambda name: running)
    rows = machine.gateway(PRIVACY)
    found = by(rows)
    assert found["process"].startswith("ok: runs since")
    assert "127.0.0.1:1234 answers" in found["port"]
    assert "gateway-" in found["files"]
    assert "canary-token" not in str(rows)


def test_no_gateway_is_started_where_none_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "find", lambda name: None)
    (row,) = machine.gateway(PRIVACY, start=False)
    assert (row["State"], row["Check"]) == ("info", "process")


def test_a_gateway_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))

    def fails(*args: Any, **more: Any) -> Any:
        raise GatewayError("it ended as soon as it was started", said="no memory", todo="look into its log")

    monkeypatch.setattr(launcher, "ensure", fails)
    row = machine.gateway(PRIVACY)[0]
    assert (row["State"], row["Found"]) == ("wrong", "it ended as soon as it was started (said: no memory)")
    assert row["Next"] == "look into its log"
    monkeypatch.setattr(launcher, "ensure", lambda *args, **more: (_ for _ in ()).throw(PermissionError(13, "denied")))
    assert machine.gateway(PRIVACY)[0]["Found"] == "cannot be looked for: denied"


def test_a_runtime_folder_that_is_not_safe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(folder))
    (row,) = machine.gateway(PRIVACY)
    assert row["State"] == "wrong"
    assert "can be written by other users" in row["Found"]
