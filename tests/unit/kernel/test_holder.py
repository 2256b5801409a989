"""What survives: reloads, fresh imports, another version, a fork. Each in an interpreter of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.unit.kernel.conftest import eventually
from tests.unit.kernel.fake_gateway import FakeGateway

REPOSITORY = Path(__file__).parents[3]

PRELUDE = """
import importlib, os, sys, threading
import notebook_mux.kernel.holder as holder
core = holder.core()
url = {url!r}
conn = core.connect(("url", url), 30).result(60)
core.contexts(conn, {{"kubeconfig": None, "env": {{}}, "in_cluster": False}}, None, 30).result(60)
spec = (conn, (("one", "ref-one", "default"),), "pods", (), "", "", "")
stream = core.open_stream(spec)
core.hold(stream, "test")
core.settled(stream).result(60)
def names(core): return sorted(r.name for r in core.read(stream).records["one"].values())
def threads(): return [t.name for t in threading.enumerate() if t.name == "notebook_mux"]
"""


def run(gateway: FakeGateway, code: str) -> str:
    source = textwrap.dedent(PRELUDE.format(url=gateway.url)) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source], cwd=REPOSITORY, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_reload_and_a_fresh_import_find_the_same_core(gateway: FakeGateway) -> None:
    gateway.put("a")
    out = run(
        gateway,
        """
        importlib.reload(holder)
        assert holder.core() is core
        for name in [n for n in sys.modules if n.partition(".")[0] == "notebook_mux"]:
            del sys.modules[name]
        import notebook_mux.kernel.holder as fresh
        assert fresh is not holder
        assert fresh.core() is core
        assert fresh.core().open_stream(spec) == stream
        print(names(fresh.core()), threads())
        """,
    )
    assert out.split("\n")[0] == "['a'] ['notebook_mux']"
    assert gateway.upgrades == 1


def test_another_version_is_closed_once_and_aloud(gateway: FakeGateway) -> None:
    out = run(
        gateway,
        """
        core.version = "0.0.0"
        new = holder.core()
        assert new is not core and core.closed and holder.core() is new
        core.thread._thread.join()  # a busy machine may not have ended it within what a shutdown waits
        print(threads())
        """,
    )
    assert "notebook_mux 0.0.0 is replaced by" in out
    assert out.count("replaced") == 1
    assert "['notebook_mux']" in out
    eventually(lambda: not gateway.sockets)  # the process has ended, and the gateway hears of it


@pytest.mark.skipif(not hasattr(sys, "getrefcount") or sys.platform == "win32", reason="needs os.fork: not on Windows")
def test_a_forked_child_reads_what_was_there_and_leaves_the_socket_alone(gateway: FakeGateway) -> None:
    gateway.put("a")
    out = run(
        gateway,
        """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
        if pid == 0:
            child = holder.core()
            assert child is not core
            assert names(child) == ["a"], names(child)
            again = child.connect(("url", url), 30).result(60)
            os._exit(0 if child.status(again)["state"] == "open" else 3)
        assert os.waitpid(pid, 0)[1] == 0
        assert holder.core() is core and core.status(conn)["state"] == "open"
        assert core.status(conn)["reconnects"] == 0
        print(names(core))
        """,
    )
    assert "['a']" in out
    assert gateway.upgrades == 2


def test_the_interpreter_ends_with_an_open_socket(gateway: FakeGateway) -> None:
    run(gateway, "print('done')")
    assert gateway.upgrades == 1
