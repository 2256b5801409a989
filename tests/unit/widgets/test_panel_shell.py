"""A shell in a table's pane: the terminal of ``nm.shell``, which outlives the pane."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from notebook_mux.widgets.panel import Panels
from notebook_mux.widgets.watched import Target
from tests.unit.fake_core import FakeCore, install, manager as managed
from tests.waiting import eventually

from .conftest import NoPump

POD = {
    "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop"},
    "spec": {"containers": [{"name": "main", "tty": True, "stdin": True}, {"name": "side"}]},
    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
}
TARGET = Target("prod", "shop", "web-0", "Pod")


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    made = install(monkeypatch)
    encoded = msgspec.json.encode(POD)
    made.answer = lambda ref, path, query: (200, encoded) if path.endswith("pods/web-0") else (404, b"{}")
    return made


def opened(panels: Panels, manager: Any) -> dict[str, Any]:
    answers: list[dict[str, Any]] = []
    panels.open("v", "shell", TARGET, manager, answers.append)
    eventually(lambda: bool(answers), "an answer", seconds=30)
    return answers[0]


def test_closing_the_pane_ends_no_program(core: FakeCore, pokes: NoPump) -> None:
    manager = managed(core, "dev", "prod")
    manager._write = frozenset({"ref-prod"})
    panels = Panels()
    answer = opened(panels, manager)
    [part] = panels._open["v"][1].values()
    assert answer["model"] == part.model_id
    assert (part.pod, part.cluster, part._copy) == ("web-0", "prod", "")
    panels.close("v")
    assert part.comm is None
    assert core.terminals.asked("close") == []
    # the same target, the same terminal
    assert opened(panels, manager)["model"] != answer["model"]
    assert len(core.terminals.known) == 1
    assert len([call for call in core.terminals.calls if call[0] == "open"]) == 1
    [again] = panels._open["v"][1].values()
    assert again.session.id == part.session.id
    assert manager._terminals == {}, "a cell's own is another widget"
    panels.close_all()


def test_where_nothing_may_be_changed_there_is_none(core: FakeCore, pokes: NoPump) -> None:
    manager = managed(core, "dev", "prod")
    manager._write = frozenset()
    answer = opened(Panels(), manager)
    assert answer["bad"]
    assert "prod is connected to look only" in answer["said"]
