from __future__ import annotations

from types import SimpleNamespace

import pytest

from notebook_mux.handles.notices import WAITING, say
from notebook_mux.kernel import holder


def test_each_is_said_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    core = SimpleNamespace(memo={WAITING: ["the port was taken", "two of you are here"]})
    monkeypatch.setattr(holder, "running", lambda: core)
    say()
    assert capsys.readouterr().err == "notebook_mux: the port was taken\nnotebook_mux: two of you are here\n"
    say()
    assert capsys.readouterr() == ("", "")


def test_without_a_core_there_is_nothing_to_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(holder, "running", lambda: None)
    say()
    assert capsys.readouterr() == ("", "")
