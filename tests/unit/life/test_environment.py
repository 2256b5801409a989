from __future__ import annotations

import os
from pathlib import Path

import pytest

import notebook_mux
from notebook_mux.life.environment import for_service

ROOT = str(Path(notebook_mux.__file__).resolve().parents[1])


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LC_ALL", "XDG_RUNTIME_DIR", "PYTHONHOME", "NOTEBOOK_MUX_RUNTIME_DIR", "SYSTEMROOT"]
)
def test_what_a_service_needs_is_passed(name: str) -> None:
    assert for_service({name: "x"})[name] == "x"


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "JUPYTERHUB_API_TOKEN", "NOTEBOOK_MUX_URL", "NOTEBOOK_MUX_TOKEN"),
        *("KUBECONFIG", "HTTPS_PROXY", "PYTHONSTARTUP", "PYTHONINSPECT", "LD_PRELOAD", "ANYTHING"),
    ],
)
def test_the_rest_is_not(name: str) -> None:
    assert name not in for_service({name: "x"})


def test_what_the_caller_adds_is_passed() -> None:
    assert for_service({}, {"ANYTHING": "x"})["ANYTHING"] == "x"


def test_a_checkout_is_on_the_services_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_mux, "__file__", "/src/project/notebook_mux/__init__.py")
    assert for_service({"PYTHONPATH": f"/a{os.pathsep}/b"})["PYTHONPATH"] == os.pathsep.join(
        ["/src/project", "/a", "/b"]
    )


def test_an_installed_package_leaves_the_path_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # before the standard library, a back-port among the installed packages would hide the library's own module
    monkeypatch.setattr(notebook_mux, "__file__", "/venv/lib/python3.11/site-packages/notebook_mux/__init__.py")
    assert "PYTHONPATH" not in for_service({})
