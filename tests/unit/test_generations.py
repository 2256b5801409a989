"""What reloads, fresh imports and forks leave as it was. The core stays; handles of each generation are thin."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import notebook_mux
from notebook_mux.kernel import holder
from tests.unit.fake_core import FakeCore, pod


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
    text = module.read_text().replace("class Stream(Readers):", "class Stream(Readers):\\n    added = 7\\n")
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
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=50, cwd=tmp_path, env=env
    )
    assert done.stdout.strip().endswith("done"), done.stdout + done.stderr
