"""``nm.plug`` on ``nm.demo()``: the socket is cut, the gateway killed, the kernel another one, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.handles.plugs import kept
from notebook_mux.life import services
from notebook_mux.widgets import messages
from notebook_mux.widgets.plug import PlugView
from tests import waiting

eventually = partial(waiting.eventually, seconds=60, pause=0.1)

SEED = 11
"""Of a cluster of this module's own."""

OTHER_KERNEL = f"""
import json, time
import notebook_mux as nm
nm.demo("empty", seed={SEED})
plug = nm.plug()
while not plug.cuts or plug.cuts[-1].back is None:
    time.sleep(0.05)
cuts = [cut.what for cut in plug.cuts]
print(json.dumps({{"cuts": cuts, "lost": plug.lost, "repeated": plug.repeated, "rows": plug.rows}}))
plug.close()
"""


@pytest.fixture(scope="module")
def plug() -> Iterator[nm.Plug]:
    nm.demo("empty", seed=SEED)
    yield nm.plug()
    nm.close()
    services.stop(services.listing("playground"))


def came(plug: nm.Plug) -> None:
    """Wait until more of both has come."""
    before = [row["Received"] for row in plug.rows]
    eventually(lambda: all(row["Received"] > was for row, was in zip(plug.rows, before, strict=True)))


def test_nothing_is_lost_and_nothing_comes_twice(plug: nm.Plug) -> None:
    assert nm.plug() is plug
    came(plug)
    plug.cut()
    eventually(lambda: plug.cuts[-1].back is not None)
    killed = plug.kill_gateway()
    assert killed != os.getpid()
    eventually(lambda: len(plug.cuts) == 2 and plug.cuts[-1].back is not None)
    came(plug)
    assert [cut.what for cut in plug.cuts] == ["socket cut", "gateway killed"]
    assert (plug.lost, plug.repeated) == (0, 0)
    log, watch = plug.rows
    assert log["Received"] == log["Last"] >= 10
    assert log["Folded"] == log["Late"] == watch["Late"] == 0
    assert plug.longest_gap > 0
    assert plug.text.splitlines()[0].startswith("pull the plug · 2 rows")
    assert list(plug.df().columns) == plug.columns
    assert "2 cuts" in repr(plug)


def test_the_account_goes_on_in_another_kernel(plug: nm.Plug) -> None:
    came(plug)
    before = plug.rows
    plug.close()
    done = subprocess.run([sys.executable, "-c", OTHER_KERNEL], capture_output=True, text=True, timeout=100, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["cuts"] == ["socket cut", "gateway killed", "kernel restarted"]
    assert (found["lost"], found["repeated"]) == (0, 0)
    for was, now in zip(before, found["rows"], strict=True):
        assert now["Received"] > was["Received"]
        assert now["Last"] > was["Last"]
    again = nm.plug()
    assert again is not plug
    came(again)
    assert (again.lost, again.repeated) == (0, 0)
    with pytest.raises(nm.Closed, match="was closed"):
        plug.cut()


def test_the_buttons_of_the_view(plug: nm.Plug) -> None:
    view = PlugView(nm.plug(), None)
    cuts = len(nm.plug().cuts)
    said = view._act(messages.Do(page="p", id=1, view="v", what="cut"))
    assert said == {"said": "the socket is cut"}
    assert view.data["count"] == cuts + 1
    eventually(lambda: nm.plug().cuts[-1].back is not None)
    with pytest.raises(ValueError, match="does not do"):
        view._act(messages.Do(page="p", id=2, view="v", what="format"))
    assert "log of pod plug" in view._static_html()
    view.close()


def test_a_cluster_that_begins_anew_is_another_account(plug: nm.Plug) -> None:
    demo = nm.demo("empty", seed=SEED)
    before = nm.plug()
    came(before)
    demo.reset()
    eventually(lambda: before.closed)
    assert "it counts no more" in before.text
    after = nm.plug()
    assert after is not before
    came(after)
    demo.pause()
    demo.step(5)
    demo.speed(1)
    came(after)
    for one in (before, after):
        assert (one.lost, one.repeated) == (0, 0)
    assert after.cuts == ()


def test_what_is_refused(plug: nm.Plug) -> None:
    with pytest.raises(nm.InvalidArgument, match="cannot be a pod's name"):
        nm.plug("No Name")
    with pytest.raises(nm.InvalidArgument, match="no one namespace"):
        nm.plug(namespace="*")


def test_accounts_that_nobody_needs_are_removed() -> None:
    assert kept.write("a-b", {"at": 1})
    assert kept.read("a-b") == {"at": 1}
    assert kept.read("nobody") == {}
    path = kept._path("a-b")
    kept.clean(path.stat().st_mtime + kept.KEPT_SECONDS - 1)
    assert path.exists()
    path.write_text("[")
    assert kept.read("a-b") == {}
    kept.clean(path.stat().st_mtime + kept.KEPT_SECONDS + 1)
    assert not path.exists()
    assert not [one for one in services.listing() if "plug" in one.path.name]
