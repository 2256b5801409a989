"""The examination as a notebook and a terminal see it: one process that looks, and what this one adds."""

from __future__ import annotations

import asyncio
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux import aio, cli
from notebook_mux.handles import checking, doctor, managers
from notebook_mux.handles.waiting import blocking
from notebook_mux.kernel.failure import Failure
from tests.unit import fake_core
from tests.unit.fake_core import FakeCore


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeCore]:
    for name in ("KUBECONFIG", "NOTEBOOK_MUX_URL", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    core = fake_core.install(monkeypatch)
    monkeypatch.setattr("notebook_mux.kernel.holder.running", lambda: None)
    yield core
    managers._known.clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The process that looks, replaced by one row; the questions it got."""
    questions: list[dict[str, Any]] = []

    async def ask(name: str, question: dict[str, Any], *, tell: Any, **more: Any) -> list[dict[str, Any]]:
        assert name == "doctor"
        json.dumps(question)
        questions.append(question)
        rows = [doctor._said("versions", "Python", "ok", "3.11")]
        tell({"t": "now", "what": "versions"})
        tell({"t": "rows", "rows": rows})
        return rows

    monkeypatch.setattr(checking, "ask", ask)
    return questions


def test_the_real_process_with_no_kubeconfig(core: FakeCore, tmp_path: Path) -> None:
    found = nm.doctor()
    assert isinstance(found, nm.Report)
    areas = list(dict.fromkeys(row["Area"] for row in found))
    assert areas == ["versions", "Jupyter", "environment", "gateway", "kubeconfig"]
    assert found.ok, found.text
    assert "nm.demo()" in found.text
    assert str(tmp_path) not in found.text, "the home folder is ~"
    assert "~/.kube/config (no file)" in found.text
    assert core.calls == []


def test_the_question(core: FakeCore, asked: list[dict[str, Any]], tmp_path: Path) -> None:
    config = tmp_path / "k"
    config.write_text("{}")
    found = asyncio.run(aio.doctor(["a", "b"], kubeconfig=config))
    assert found.rows == [doctor._said("versions", "Python", "ok", "3.11")]
    (question,) = asked
    assert question["source"]["kubeconfig"] == [str(config)]
    assert (question["wanted"], question["explicit"], question["nothing"]) == (["a", "b"], True, None)
    nm.doctor(kubeconfig=tmp_path / "gone")
    assert asked[-1]["nothing"]["what"].startswith("there is no kubeconfig at")
    for odd in ([7], [""]):
        with pytest.raises(nm.InvalidArgument, match="names no context"):
            nm.doctor(odd)  # type: ignore[arg-type]


def test_a_process_that_cannot_be_started_is_a_finding(
    core: FakeCore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    found = nm.doctor()
    assert not found.ok
    assert found.rows[-1]["Found"].startswith("no process can be started")


def test_what_was_found_before_it_failed_is_kept(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.dumps({"t": "rows", "rows": [doctor._said("a", "b", "ok", "c")]})
    monkeypatch.setattr(checking, "ARGUMENTS", ("-c", f"print({rows!r}); raise SystemExit('out of memory')"))
    told: list[Any] = []
    found = blocking(doctor.doctor(None, None, told.extend))
    assert [row["State"] for row in found] == ["ok", "wrong"]
    assert "said: out of memory" in found.text
    assert told == found.rows


def test_variables_by_name() -> None:
    env = {"HOME": "/h", "PATH": "/p", "AWS_SECRET_ACCESS_KEY": "x", "HTTPS_PROXY": "y", "FOO": "z", "KUBECONFIG": "k"}
    assert doctor.variables(env) == ["AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY", "KUBECONFIG"]


def test_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", None)
    assert doctor.facts() == {"kernel": "", "subshells": False, "static": False}
    kernel = types.SimpleNamespace(_supports_kernel_subshells=True)
    application = types.SimpleNamespace(initialized=lambda: True, instance=lambda: types.SimpleNamespace(kernel=kernel))
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", types.SimpleNamespace(IPKernelApp=application))
    monkeypatch.setitem(sys.modules, "ipykernel", types.SimpleNamespace(__version__="7.4.0"))
    assert doctor.facts() == {"kernel": "ipykernel 7.4.0", "subshells": True, "static": False}


def test_the_manager_in_use(core: FakeCore, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notebook_mux.kernel.holder.running", lambda: core)
    manager = fake_core.manager(core, "dev", "prod")
    core.probes["ref-prod"] = Failure("unreachable", "no connection to https://prod.example.com:6443")
    managers.set_default(manager)
    found = nm.doctor("dev")
    states = [(row["Check"], row["State"], row["Found"]) for row in found if row["Area"] == "connected"]
    assert states == [
        ("socket", "ok", "open"),
        ("dev", "ok", "live, v1.37.2"),
        ("prod", "warning", "unreachable: no connection to https://<host>:6443"),
    ]
    assert asked[-1]["wanted"] == ["dev"]
    assert asked[-1]["source"]["kubeconfig"] == ["/k"], "the files of what is connected"
    nm.doctor("another")
    assert asked[-1]["nothing"] is not None
    nm.doctor()
    assert asked[-1]["wanted"] == ["dev", "prod"], "there is nothing else to look at"
    manager.close()


def test_a_url_that_is_none(core: FakeCore, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_URL", "no url")
    nm.doctor()
    assert asked[-1]["explicit"]
    assert "the gateway's URL" in asked[-1]["nothing"]["what"]


def test_a_gateway_by_url(core: FakeCore, asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_URL", "http://127.0.0.1:1/?token=canary-token")
    found = nm.doctor()
    assert found.rows[-1] == doctor._said("gateway by URL", "answer", "ok", "answers, and has 1 contexts")
    assert asked[-1]["source"] == {"kubeconfig": None, "env": {}, "in_cluster": False}
    assert asked[-1]["by_url"]
    core.connected = Failure("gateway", "no answer from http://far.example.com/", said="refused", todo="start it")
    row = nm.doctor().rows[-1]
    assert (row["State"], row["Next"]) == ("wrong", "start it")
    assert row["Found"] == "no answer from http://<host>/ (said: refused)"


def test_the_command(
    core: FakeCore, asked: list[dict[str, Any]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("versions\n  ✓ Python               3.11\n")
    assert out.endswith("\nAll is well.\n")
    assert "\x1b" not in out
    assert cli.main(["doctor", "--json", "a", "--kubeconfig", str(tmp_path / "gone")]) == 0
    assert json.loads(capsys.readouterr().out) == [doctor._said("versions", "Python", "ok", "3.11")]
    assert (asked[-1]["wanted"], asked[-1]["explicit"]) == (["a"], True)


def test_the_command_ends_with_1_where_something_is_wrong(
    core: FakeCore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    assert cli.main(["doctor"]) == cli.FAILED
    assert "1 thing is wrong." in capsys.readouterr().out


def test_the_command_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal: Any = types.SimpleNamespace(isatty=lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert cli._has_colours(terminal)
    assert not cli._has_colours(types.SimpleNamespace(isatty=lambda: False))  # type: ignore[arg-type]
    monkeypatch.setenv("NO_COLOR", "1")
    assert not cli._has_colours(terminal)
