from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux import cli
from notebook_mux._version import __version__
from notebook_mux.errors import GatewayError
from notebook_mux.life import lab, services
from notebook_mux.life.runtime import Entry


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The command sets handlers for its process; here it has none of its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def service(state: str = "running", **key: str) -> services.Service:
    entry = Entry({"variant": "", "host": "pc"} | key, 42, "1", 0.0, 8123, "canary-token", "i", "0.0.9", {})
    return services.Service("gateway", state, entry if state != "starting" else None, Path("/run/gateway-1"))


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"notebook-mux {__version__}\n"


@pytest.mark.parametrize("argv", [[], ["dance"], ["demo", "--port", "0"], ["demo", "--port", "x"], ["stop", "all"]])
def test_wrong_arguments_end_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    assert caught.value.code == 2
    assert "usage: notebook-mux" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert all(
        f"\n    {name}" in shown for name in ("demo", "doctor", "gateway", "playground", "class", "status", "stop")
    )


@pytest.mark.parametrize("kind", cli.KINDS)
def test_a_service_gets_its_arguments(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    room = cli.ROOMS.get(kind, kind)
    module = types.ModuleType(f"notebook_mux.{room}.__main__")
    module.main = given.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"notebook_mux.{room}", types.ModuleType(f"notebook_mux.{room}"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert cli.main([kind, "--port", "1", "--help"]) == 0
    assert given == [["--port", "1", "--help"]]


def test_the_demo_runs_jupyterlab_in_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def run(path: Path, *, tell: object, **options: object) -> int:
        calls.append((path, options))
        return 0

    monkeypatch.setattr(lab, "run", run)
    monkeypatch.delenv("NOTEBOOK_MUX_NO_BROWSER", raising=False)
    assert cli.main(["demo"]) == 0
    assert cli.main(["demo", "--no-browser", "--port", "9000", "--folder", str(folder / "x")]) == 0
    monkeypatch.setenv("NOTEBOOK_MUX_NO_BROWSER", "1")
    assert cli.main(["demo"]) == 0
    here = folder / "notebook-mux-demo"
    assert calls == [
        (here, {"browser": True, "port": None}),
        (folder / "x", {"browser": False, "port": 9000}),
        (here, {"browser": False, "port": None}),
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_demo_as_ctrl_c_does(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "run", lambda *args, **options: os.kill(os.getpid(), number))
    assert cli.main(["demo"]) == cli.INTERRUPTED


def test_an_error_is_said_in_a_few_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*args: object, **options: object) -> None:
        raise GatewayError("it does not work", said="its words", todo="do that")

    monkeypatch.setattr(lab, "run", fail)
    assert cli.main(["demo"]) == cli.FAILED
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "GatewayError: it does not work\n  said: its words\n  next: do that\n"


def test_status_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out.startswith("Nothing runs.")
    assert cli.main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_status_as_a_table_and_as_data(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = [service(variant="first-look 0"), service("starting")]
    monkeypatch.setattr(services, "listing", lambda only=None: found)
    monkeypatch.setattr(services, "status_of", lambda one: {"clients": 3, "streams": [1, 2]} if one.entry else {})
    assert cli.main(["status"]) == 0
    table = capsys.readouterr().out
    titles, first, second = table.splitlines()
    assert first.startswith("gateway first-look 0  running   42   0.0.9    8123  ")
    assert first.split()[-3:] == ["3", "2", "-"]
    assert second.split() == ["gateway", "starting", "-", "-", "-", "-", "-", "-", "-"]
    assert titles.index("STATE") == first.index("running") == second.index("starting")
    assert cli.main(["status", "--json"]) == 0
    data = capsys.readouterr().out
    assert json.loads(data)[0] == {
        "service": "gateway",
        "state": "running",
        "variant": "first-look 0",
        "pid": 42,
        "version": "0.0.9",
        "port": 8123,
        "since": 0.0,
        "clients": 3,
        "streams": 2,
    }
    assert "canary" not in table + data


@pytest.mark.parametrize(
    ("state", "outcome", "words", "code"),
    [
        ("running", "stopped", "(process 42) ended", 0),
        ("silent", "killed", "was killed", 0),
        ("stale", "cleaned", "had died", 0),
        ("elsewhere", "left", "of another machine or container (pc)", 0),
        ("starting", "left", "try again", 1),
        ("silent", "left", "could not be ended", 1),
    ],
)
def test_stop_says_what_became_of_each(
    state: str,
    outcome: str,
    words: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[str | None] = []

    def listing(only: str | None = None) -> list[services.Service]:
        asked.append(only)
        return [service(state)]

    monkeypatch.setattr(services, "listing", listing)
    monkeypatch.setattr(services, "stop", lambda found: {one.path: outcome for one in found})
    assert cli.main(["stop", "gateway"]) == code
    assert words in capsys.readouterr().out
    assert asked == ["gateway"]


def test_stop_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["stop"]) == 0
    assert capsys.readouterr().out == "Nothing runs.\n"


def run_python(code: str) -> str:
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("command", ["status", "stop"])
def test_a_command_imports_nothing_heavy(command: str) -> None:
    loaded = run_python(f"from notebook_mux.cli import main; main([{command!r}]); print(*sys.modules)").split()
    heavy = {"aiohttp", "websockets", "msgspec", "ipywidgets", "anywidget", "yaml", "cryptography", "notebook_mux.api"}
    assert heavy.isdisjoint(loaded)


def test_a_reader_that_has_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from notebook_mux.cli import main; sys.exit(main(['status']))"
    root = str(Path(__file__).parents[2])
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-u", "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
