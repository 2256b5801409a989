"""The table of contexts: of files, of what is connected, of a gateway by URL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import notebook_mux as nm
from notebook_mux import aio, errors
from notebook_mux.handles import managers
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore

CANARY = "canary-9f27ab10"


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeCore]:
    for name in ("KUBECONFIG", "NOTEBOOK_MUX_URL", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("notebook_mux.handles.calls._user", lambda: "user")
    core = fake_core.install(monkeypatch)
    yield core
    managers._known.clear()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / ".kube" / "config"
    path.parent.mkdir()
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "dev",
                "clusters": [{"name": "c", "cluster": {"server": "https://c.example.com:6443"}}],
                "users": [{"name": "me", "user": {"token": CANARY}}],
                "contexts": [
                    {"name": "dev", "context": {"cluster": "c", "user": "me", "namespace": "team"}},
                    {"name": "odd", "context": {"cluster": "d", "user": "me"}},
                ],
            }
        )
    )
    return path


def test_nothing_there_says_what_was_looked_at(core: FakeCore, tmp_path: Path) -> None:
    found = nm.contexts()
    assert isinstance(found, nm.Listing)
    assert found.rows == []
    assert str(tmp_path / ".kube" / "config") in found.text
    assert "KUBECONFIG (not set)" in found.text
    assert "nm.demo()" in found.text
    assert core.calls == [], "no gateway was started"


def test_a_kubeconfig_that_is_not_there(core: FakeCore, tmp_path: Path) -> None:
    found = nm.contexts(tmp_path / "gone")
    assert not found
    assert f"There is no kubeconfig at {tmp_path / 'gone'}" in found.text


def test_the_contexts_of_a_file(core: FakeCore, config: Path) -> None:
    found = nm.contexts()
    dev, odd = found.rows
    assert dev == {
        "Name": "dev",
        "Current": True,
        "Connected": None,
        "Cluster": "c",
        "Server": "c.example.com:6443",
        "User": "me",
        "Namespace": "team",
        "Login": "token",
        "File": str(config),
        "Problem": None,
    }
    assert odd["Current"] is None
    assert "its cluster 'd' is not there" in odd["Problem"]
    assert found.notes == [f"Looked at {config}."]
    assert CANARY not in found.text + found._repr_html_() + repr(found.rows)
    assert core.calls == []


def test_a_broken_file_is_a_row_and_the_others_go_on(core: FakeCore, config: Path, tmp_path: Path) -> None:
    bad, gone = tmp_path / "bad", tmp_path / "gone"
    bad.write_text(f"clusters: [{CANARY}")
    found = nm.contexts([bad, gone, config])
    assert [row["Name"] for row in found] == ["dev", "odd", "(cannot be read)"]
    assert found.rows[-1]["File"] == str(bad)
    assert "not valid YAML" in found.rows[-1]["Problem"]
    assert found.notes == [f"Looked at {bad} (cannot be read), {gone} (no file), {config}."]
    assert CANARY not in found.text


def test_without_a_current_context_it_says_so(core: FakeCore, tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_text("contexts: [{name: a, context: {}}]")
    assert "No current-context is set" in nm.contexts(path).text
    path.write_text("{}")
    assert "There is no context in it" in nm.contexts(path).text


def test_what_is_connected_now(core: FakeCore, config: Path) -> None:
    found = asyncio.run(aio.contexts())
    assert {row["Connected"] for row in found} == {None}
    core.contexts_[0] |= {"name": "dev", "ref": _ref(config)}
    manager = nm.connect({"d": "dev"})
    known = core.contexts_
    demo = fake_core.manager(core, "demo")
    core.contexts_ += known
    rows = {row["Name"]: row for row in nm.contexts()}
    assert rows["dev"]["Connected"] == "live as d"
    assert rows["odd"]["Connected"] is None
    assert rows["demo"]["Server"] == "demo:6443"
    assert rows["demo"]["File"] == "(connected from elsewhere)"
    del manager, demo


def _ref(config: Path) -> str:
    from notebook_mux.gateway.kubeconfig import load
    from notebook_mux.handles.origins import find

    source = find(None, config).source
    return load(source["kubeconfig"], None, source["env"])[0].ref


def test_a_gateway_by_url_knows_its_own(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_URL", f"http://127.0.0.1:8123/?token={CANARY}")
    found = nm.contexts()
    (row,) = found.rows
    assert (row["Name"], row["Server"], row["File"]) == ("dev", "dev:6443", "the gateway at 127.0.0.1:8123")
    assert found.notes[0].startswith("Looked at NOTEBOOK_MUX_URL alone")
    core.connected = Failure("gateway", "no answer from the gateway", todo="start it")
    found = nm.contexts()
    assert found.rows[0]["Problem"] == "no answer from the gateway"
    assert found.notes[-1] == "Next: start it."
    assert CANARY not in found.text


def test_no_process_for_it(core: FakeCore, config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(errors.GatewayError, match="no process can be started"):
        nm.contexts()
