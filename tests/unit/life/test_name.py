from __future__ import annotations

from pathlib import Path

import pytest

from notebook_mux._version import __version__
from notebook_mux.life.name import ServiceName, boot_id, hub_server


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    for name in ("JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_USER", "JUPYTERHUB_SERVER_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "run"


def test_the_key_says_all_that_must_agree() -> None:
    key = ServiceName("gateway", "v").key()
    assert (key["service"], key["variant"], key["version"]) == ("gateway", "v", __version__)
    assert key["boot"] == boot_id()
    assert all(isinstance(value, str) for value in key.values())


def test_each_part_of_the_key_makes_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    stems = {ServiceName("gateway").stem(), ServiceName("gateway", "b").stem(), ServiceName("playground").stem()}
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/gpu/")
    stems.add(ServiceName("gateway").stem())
    monkeypatch.setattr("sys.prefix", "/other")
    stems.add(ServiceName("gateway").stem())
    assert len(stems) == 5
    assert ServiceName("gateway").stem() == ServiceName("gateway").stem()


def test_notebooks_of_one_server_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    before = ServiceName("gateway").stem()
    monkeypatch.setenv("JPY_SESSION_NAME", "/a/notebook.ipynb")
    monkeypatch.setenv("JPY_PARENT_PID", "42")
    assert ServiceName("gateway").stem() == before


@pytest.mark.parametrize(
    ("env", "server"),
    [
        ({}, ""),
        ({"JUPYTERHUB_USER": "ada"}, "ada/"),
        ({"JUPYTERHUB_USER": "ada", "JUPYTERHUB_SERVER_NAME": "gpu"}, "ada/gpu"),
        ({"JUPYTERHUB_USER": "ada", "JUPYTERHUB_SERVICE_PREFIX": "/hub/user/ada/gpu/"}, "/hub/user/ada/gpu/"),
    ],
)
def test_a_hubs_server(env: dict[str, str], server: str) -> None:
    assert hub_server(env) == server


def test_the_files_are_in_the_runtime_folder(runtime: Path) -> None:
    name = ServiceName("gateway")
    assert {name.runtime_file().parent, name.lock_file().parent, name.launch_lock_file().parent} == {runtime}
    assert name.log_file().parent == runtime / "logs"


def test_a_name_in_a_sentence() -> None:
    assert ServiceName("gateway").describe() == "the gateway"
    assert ServiceName("playground", "first-look").describe() == "the playground (first-look)"
