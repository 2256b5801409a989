"""``nm.demo`` and its clock, from a kernel by way of a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.life import services
from tests.waiting import eventually

SEED = 17
"""Of a cluster of this module's own."""

WAIT_S = 60.0


@pytest.fixture(scope="module")
def demo() -> Iterator[nm.Demo]:
    made = nm.demo("rolling-update", seed=SEED)
    yield made
    nm.close()
    services.stop(service for service in services.listing("playground"))


def images(demo: nm.Demo) -> set[str]:
    return {one["spec"]["containers"][0]["image"] for one in demo.get("pods", namespace="production").objects}


def ages(rows: Any) -> dict[str, str]:
    return {row["Name"]: row["Age"] for row in rows}


def test_speed_pause_step_and_reset(demo: nm.Demo) -> None:
    assert isinstance(demo, nm.Manager)
    assert (demo.scenario, demo.seed) == ("rolling-update", SEED)
    assert nm.demo("rolling-update", seed=SEED) is demo
    demo.reset()
    demo.pause()
    pods = demo.watch("pods", namespace="production")
    names = set(ages(pods.rows))
    assert len(names) == demo.chosen()["replicas"]
    begin = demo.time
    assert demo.time == begin
    at = demo.step()
    assert at > begin
    assert demo.time == at
    assert demo.step(200) == at + timedelta(seconds=200)
    assert images(demo) == {f"nginx:{demo.chosen()['good']}", "nginx:no-such-tag"}
    # the stream sees the same, with the ages that the server prints
    eventually(lambda: ages(pods.rows) == ages(demo.get("pods", namespace="production").rows), seconds=WAIT_S)
    assert not names & set(ages(pods.rows))
    with pytest.raises(nm.InvalidArgument, match=r"nothing more happens(?s:.)*demo\.step\(60\)"):
        demo.step()
    demo.speed(100)
    eventually(lambda: demo.time > at + timedelta(seconds=260), seconds=WAIT_S)
    demo.pause()
    eventually(lambda: ages(pods.rows) == ages(demo.get("pods", namespace="production").rows), seconds=WAIT_S)
    assert pods.df()["Age"].min() > timedelta(seconds=60)
    assert repr(demo.status()).endswith(f"; rolling-update, seed {SEED}, {demo.time:%Y-%m-%d %H:%M:%S} UTC, paused>")
    assert nm.demo("rolling-update", seed=SEED, reset=True) is demo
    demo.pause()  # or its story goes on while the stream comes back
    eventually(lambda: set(ages(pods.rows)) == names, "the stream has come back by itself", seconds=WAIT_S)
    assert images(demo) == {"nginx:1.27.5"}


@pytest.mark.parametrize("factor", [0, -1, True, "fast", float("inf"), float("nan"), 1000])
def test_no_speed(demo: nm.Demo, factor: Any) -> None:
    with pytest.raises(nm.InvalidArgument):
        demo.speed(factor)


@pytest.mark.parametrize("seconds", [-1, True, "long", float("nan"), 1e9])
def test_no_step(demo: nm.Demo, seconds: Any) -> None:
    with pytest.raises(nm.InvalidArgument):
        demo.step(seconds)


def test_a_broken_file_is_an_error_of_the_cell(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("title: Mine\nteaches: x\nstory:\n  - at: 5s\n    scale: {target: deployment/web, replica: 3}\n")
    with pytest.raises(nm.BadScenario) as caught:
        nm.demo(str(path))
    assert caught.value.lines() == [
        f"BadScenario: {path}, line 5: scale has no 'replica'",
        "  next: did you mean replicas?",
    ]
    with pytest.raises(nm.BadScenario, match="cannot be read"):
        nm.demo(str(tmp_path / "other.yaml"))
    with pytest.raises(nm.InvalidArgument, match="did you mean crashloop"):
        nm.demo("crashlop")
