from __future__ import annotations

import time
from typing import Any

import pytest

from notebook_mux.handles.snapshot import ReadState, ReadView, Snapshot
from tests.unit.fake_core import POD_COLUMNS, PODS, pod

HOSTILE = "<img src=x onerror=alert(1)>\x1b]0;x\x07"


def snapshot(*records: Any, **states: ReadState) -> Snapshot:
    found = {record.uid: record for record in records}
    states = states or {"dev": ReadState("live", time.time(), True, resource=PODS, namespaces=("default",))}
    return Snapshot(ReadView(dict.fromkeys(states, found), POD_COLUMNS, states), "pods in default")


def test_text_and_html_are_there() -> None:
    bundle = snapshot(pod("web-0"), pod("web-1", status="Failed"))._repr_mimebundle_()
    text = bundle["text/plain"].splitlines()
    assert text[0].startswith("pods in default · 2 objects · live · as of 20")
    assert text[1].split() == ["Name", "Ready", "Status", "Restarts", "Age"]
    assert text[3].split() == ["web-1", "1/1", "Failed", "0", "5m"]
    assert "<td" in bundle["text/html"]
    assert ">web-1<" in bundle["text/html"]
    assert "10.0.0.1" not in bundle["text/html"]


def test_a_clusters_text_is_hostile_until_shown() -> None:
    state = ReadState("stale", time.time(), True, reason=HOSTILE, resource=PODS, namespaces=("*",))
    taken = snapshot(pod("web-0", status=HOSTILE), dev=state)
    taken._what = HOSTILE
    bundle = taken._repr_mimebundle_()
    assert "<img" not in bundle["text/html"]
    assert "&lt;img" in bundle["text/html"]
    body = "\n".join(bundle["text/plain"].splitlines()[1:])
    assert "\x1b" not in body
    assert "\x07" not in body


def test_the_copy_is_bounded() -> None:
    taken = snapshot(*(pod(f"web-{i:03}", status="x" * 1000) for i in range(120)))
    bundle = taken._repr_mimebundle_()
    assert bundle["text/html"].count("<tr>") == 51
    assert bundle["text/plain"].splitlines()[-1] == "… 70 more"
    assert "x" * 121 not in bundle["text/plain"]


def test_trouble_is_said_and_never_an_empty_table() -> None:
    states = {
        "dev": ReadState("live", time.time(), True, reason="showing a, b", resource=PODS, namespaces=("a", "b")),
        "prod": ReadState("login", 1_700_000_000.0, False, said="token expired"),
        "odd": ReadState("connecting", 0.0, False),
    }
    text = snapshot(**states)._repr_mimebundle_()["text/plain"]
    assert "dev: showing a, b" in text
    assert "prod: login since 22:13:20 UTC, token expired" in text
    assert "odd: connecting" in text
    away = ReadState(
        "unreachable", 1.7e9, True, "no way", "refused", todo="is a VPN up?", retry_at=1.7e9 + 9, fresh=1.7e9 - 5
    )
    assert (
        "far: unreachable since 22:13:20 UTC, no way: refused, rows are from 22:13:15 UTC, next try at 22:13:29 UTC, "
        "is a VPN up?"
    ) in snapshot(far=away)._repr_mimebundle_()["text/plain"]
    one = {"prod": states["prod"]}
    assert "nothing read yet · login" in snapshot(**one)._repr_mimebundle_()["text/plain"]
    assert repr(snapshot(**one)) == "<Snapshot of pods in default: nothing read yet, login>"


def test_one_line() -> None:
    assert repr(snapshot(pod("web-0"))) == "<Snapshot of pods in default: 1 object, live>"


def test_a_snapshot_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = snapshot(pod("web-0", age=300))
    before = taken.rows
    monkeypatch.setattr(time, "time", lambda: 4_000_000_000.0)
    assert taken.rows == before
    assert "as of 20" in taken._repr_mimebundle_()["text/plain"]
    assert "as of 2096" not in taken._repr_mimebundle_()["text/plain"]
