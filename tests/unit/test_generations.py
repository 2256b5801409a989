"""What reloads, fresh imports and forks leave as it was. The core stays; handles of each generation are thin."""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import notebook_mux
from notebook_mux.kernel import holder
from tests.unit.fake_core import FakeCore, pod
from tests.unit.handles.logs_core import LogsCore
from tests.unit.handles.test_events import EventCore


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeCore]:
    """A fake core in the real holder, which is outside the package."""
    config = tmp_path / "config"
    config.write_text("{}")
    monkeypatch.setenv("KUBECONFIG", str(config))
    monkeypatch.delenv("NOTEBOOK_MUX_URL", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    core = FakeCore()
    core.version = notebook_mux.__version__
    core.prepare = lambda stream: stream.sync(pod("web-0"))
    monkeypatch.setattr(holder._holder(), "core", core)
    before = {name: module for name, module in sys.modules.items() if is_ours(name)}
    yield core
    for name in [name for name in sys.modules if is_ours(name)]:
        del sys.modules[name]
    sys.modules.update(before)
    for name, module in before.items():  # a fresh import has put its modules into their packages
        package, _, last = name.rpartition(".")
        if package in before:
            setattr(before[package], last, module)


def is_ours(name: str) -> bool:
    return name == "notebook_mux" or name.startswith("notebook_mux.")


def imported_anew() -> Any:
    """As after ``%reset -f`` and with the modules dropped."""
    for name in [name for name in sys.modules if is_ours(name)]:
        del sys.modules[name]
    return importlib.import_module("notebook_mux")


def test_a_reload_of_the_package_keeps_all(core: FakeCore) -> None:
    nm = imported_anew()
    m, stream, kind = nm.connect(), nm.watch("pods"), nm.Stream
    nm = importlib.reload(nm)
    assert nm.watch("pods") is stream
    assert nm.connect() is m
    assert nm.Stream is kind


@pytest.mark.parametrize(
    "module",
    [
        "handles.stream",
        "handles.manager",
        "handles.objects",
        "api",
        "handles.source",
        "handles.readers",
        "handles.calls",
        "printing.cells",
    ],
)
def test_a_reload_of_a_module_loses_nothing(core: FakeCore, module: str) -> None:
    nm = imported_anew()
    nm.connect()
    stream = nm.watch("pods")
    importlib.reload(importlib.import_module(f"notebook_mux.{module}"))
    assert len(nm.watch("pods")) == len(stream) == 1
    assert len(core.asked("open_stream")) == 1


def test_a_fresh_import_goes_on_with_the_same_core(core: FakeCore) -> None:
    old = imported_anew()
    m = old.connect("dev", write=True)
    stream = old.watch("pods")
    calls = len(core.calls)
    new = imported_anew()
    assert new is not old
    fresh = new.watch("pods")
    assert fresh is not stream
    assert fresh is new.watch("pods")
    assert type(fresh) is not type(stream)
    assert isinstance(fresh, new.Stream)
    assert len(core.calls) == calls
    core.stream.put(pod("web-1"))
    assert len(fresh) == len(stream) == 2
    assert new.connect("dev", write=True)._identity.scope == m._identity.scope


def test_logs_go_on_after_a_fresh_import(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = LogsCore()
    logged.version = core.version
    monkeypatch.setattr(holder._holder(), "core", logged)
    old = imported_anew()
    old.connect()
    logs = old.logs("deploy/web", since="10m")
    new = imported_anew()
    fresh = new.logs("deploy/web", since="10m")
    assert fresh is not logs
    assert isinstance(fresh, new.Logs)
    assert fresh is new.logs("deployment/web", since="10m")
    assert len(logged.asked("open_logs")) == 1
    logged.one.write("three", at=2)
    assert [line.text for line in fresh.lines] == [line.text for line in logs.lines] == ["one", "two", "three"]
    del logs
    gc.collect()
    assert len(logged.one.holders) == 1
    fresh.close()
    with pytest.raises(new.Closed):
        fresh.wait("x")
    assert new.logs("deploy/web", since="10m") is not fresh


def test_a_reload_of_the_modules_of_logs_loses_nothing(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    logged = LogsCore()
    logged.version = core.version
    monkeypatch.setattr(holder._holder(), "core", logged)
    nm = imported_anew()
    nm.connect()
    logs = nm.logs("web-0", since=60)
    for name in ("log_source", "log_lines", "log_targets", "log_following", "logs", "calls"):
        importlib.reload(importlib.import_module(f"notebook_mux.handles.{name}"))
        assert len(nm.logs("web-0", since=60).lines) == len(logs.lines) == 2
    assert len(logged.asked("open_logs")) == 1


def test_events_go_on_after_a_fresh_import(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    happened = EventCore()
    happened.version = core.version
    monkeypatch.setattr(holder._holder(), "core", happened)
    old = imported_anew()
    old.connect()
    events = old.events("deploy/web")
    new = imported_anew()
    fresh = new.events("deploy/web")
    assert fresh is not events
    assert isinstance(fresh, new.Events)
    assert fresh is new.events("deployment/web")
    assert [one.reason for one in fresh.folded] == [one.reason for one in events.folded]
    assert [call[1] for call in happened.asked("open_stream")] == ["events", "replicasets", "pods"]
    events.close()
    assert len(fresh) == 3, "what is closed is the older one's"


def test_a_reload_of_the_modules_of_events_loses_nothing(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    happened = EventCore()
    happened.version = core.version
    monkeypatch.setattr(holder._holder(), "core", happened)
    nm = imported_anew()
    nm.connect()
    events = nm.events("deploy/web")
    for name in ("kin", "lifelines", "folding", "family", "event_source", "events", "calls"):
        importlib.reload(importlib.import_module(f"notebook_mux.handles.{name}"))
        assert nm.events("deploy/web") is events
        assert len(events.folded) == 3
    assert nm.events(events.folded[0]) is events
    assert len(happened.asked("open_stream")) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_reads_the_events_of_its_parent(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    happened = EventCore()
    happened.version = core.version
    monkeypatch.setattr(holder._holder(), "core", happened)
    nm = imported_anew()
    nm.connect()
    events = nm.events("deploy/web")

    class Child(EventCore):
        """What the real holder starts in a child: no connection, but what the parent had read."""

        def read(self, id_: str) -> Any:
            return happened.read(id_) if id_ in happened.streams else super().read(id_)

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = b"?"
        try:
            started = Child()
            started.version = happened.version
            holder._holder().core = started
            said = repr(([one.count for one in events.folded], len(events.rows), started.calls)).encode()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            said = repr(error).encode()
        finally:
            os.write(write, said)
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    assert told == repr(([1, 1, 14], 3, []))


def test_errors_are_of_the_callers_generation(core: FakeCore) -> None:
    old = imported_anew()
    old.connect()
    stream, old_error = old.watch("pods"), old.Closed
    new = imported_anew()
    assert new.Closed is not old_error
    with pytest.raises(new.UnknownContext):
        new.connect("nobody")
    kept = new.watch("nodes")
    new.watch("pods").close()
    with pytest.raises(old_error):
        stream.rows  # noqa: B018
    new.close()
    with pytest.raises(new.Closed):
        kept.rows  # noqa: B018


def test_the_old_generation_ends_with_its_socket(core: FakeCore) -> None:
    old = imported_anew()
    m = old.connect()
    stream, old_error = old.watch("pods"), old.Closed
    undo = stream.on_change(lambda change: None)
    new = imported_anew()
    new.connect()
    new.close()
    assert core.asked("close") == [("close", "auto")]
    with pytest.raises(old_error):
        stream.rows  # noqa: B018
    with pytest.raises(old_error):
        m.watch("nodes")
    undo()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_reads_what_its_parent_had_read(core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    nm = imported_anew()
    nm.connect()
    stream = nm.watch("pods")

    class Child(FakeCore):
        """What the real holder starts in a child: no connection, but what the parent had read."""

        def read(self, id_: str) -> Any:
            return core.read(id_) if id_ in core.streams else super().read(id_)

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = b"?"
        try:
            started = Child()
            started.version = core.version
            started.prepare = core.prepare
            holder._holder().core = started
            names = [one.name for one in stream] + [stream.clusters["dev"].state]
            reading_only = list(started.calls)
            fresh = nm.watch("nodes")
            said = repr((names, reading_only, len(fresh), [call[0] for call in started.calls])).encode()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            said = repr(error).encode()
        finally:
            os.write(write, said)
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    assert told == repr((["web-0", "stale"], [], 1, ["connect", "contexts", "open_stream"]))


AUTORELOAD = """
import pathlib, sys, time
sys.path[:0] = [{package!r}, {root!r}]
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(history_load_length=0)

def run(cell):
    shell.run_cell(cell, store_history=True).raise_error()

run("%load_ext autoreload")
run("%autoreload 2")
run("import notebook_mux as nm")
run("from tests.unit.fake_core import FakeCore, pod")
run("from notebook_mux.kernel import holder")
run("core = FakeCore(); core.version = nm.__version__; core.prepare = lambda stream: stream.sync(pod('web-0'))")
run("holder._holder().core = core")
run("m = nm.connect(kubeconfig=__file__)")
run("s = nm.watch('pods')")
run("t = s.on_change(print, initial=False)")
for name in ("stream", "manager", "calls"):
    module = pathlib.Path({package!r}, "notebook_mux", "handles", name + ".py")
    head = "class Stream(Readers, Handle):"
    text = module.read_text().replace(head, head + "\\n    added = 7\\n")
    module.write_text(text + "\\nADDED = 7\\n")
    time.sleep(0.01)
    run("again = nm.watch('pods')")
    run("assert len(again) == 1 and again.added == 7 and len(s) == 1, again")
    run("assert len(core.asked('open_stream')) == 1 and len(core.asked('connect')) == 1, core.calls")
run("assert s.added == 7")
run("%reset -f")
run("import notebook_mux as nm")
run("assert len(nm.watch('pods')) == 1")
print("done")
"""


def test_autoreload_with_changed_classes(tmp_path: Path) -> None:
    root = Path(notebook_mux.__file__).parents[1]
    shutil.copytree(
        root / "notebook_mux",
        tmp_path / "notebook_mux",
        ignore=shutil.ignore_patterns("frontend", "__pycache__", "static"),
    )
    script = AUTORELOAD.format(package=str(tmp_path), root=str(root)).replace("__file__", repr(__file__))
    env = os.environ | {"XDG_CONFIG_HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=100, cwd=tmp_path, env=env
    )
    assert done.stdout.strip().endswith("done"), done.stdout + done.stderr


def answering_with_a_pod(core: FakeCore) -> None:
    content = {
        "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "default"},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running"},
    }
    core.answer = lambda ref, path, query: (200, msgspec.json.encode(content))


@pytest.mark.parametrize(
    "module", ["handles.shells", "handles.terminals", "handles.manager", "handles.targets", "api", "handles.calls"]
)
def test_a_reload_of_a_module_keeps_the_terminal(core: FakeCore, module: str) -> None:
    nm = imported_anew()
    answering_with_a_pod(core)
    nm.connect(write=True)
    terminal = nm.shell("web-0")
    importlib.reload(importlib.import_module(f"notebook_mux.{module}"))
    assert nm.shell("web-0") is terminal
    assert terminal.state == "running"
    assert len(core.terminals.asked("open")) == 1
    nm.close()


def test_a_terminal_after_a_fresh_import(core: FakeCore) -> None:
    old = imported_anew()
    answering_with_a_pod(core)
    old.connect(write=True)
    first, old_error = old.shell("web-0"), old.Closed
    new = imported_anew()
    core.answer = lambda ref, path, query: (404, b"{}")
    found = new.shell("web-0")
    assert found is not first
    assert found is new.shell("web-0")
    assert isinstance(found, new.Terminal)
    assert (found.session.id, found.pod, found.words) == (first.session.id, "web-0", "web-0")
    assert len(core.terminals.asked("open")) == 1
    found.close()
    assert first.state == "closed"
    with pytest.raises(old_error):
        first.session.attach("v", print)
    with pytest.raises(new.NotFound):
        new.shell("web-0")
    new.close()
