from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import GatewayError, InvalidArgument
from notebook_mux.handles import playgrounds
from notebook_mux.life import launcher, services
from notebook_mux.playground import scenarios


@pytest.fixture
def ensured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was started; the scenarios are made up."""
    asked: list[Any] = []

    def ensure(name: Any, argv: Any, *, timeout: float) -> Any:
        asked.append((name, argv))
        return types.SimpleNamespace(extra={"kubeconfig": "/run/demo.kubeconfig"})

    monkeypatch.setattr(scenarios, "SCENARIOS", {"first-look": "", "storm": ""})
    monkeypatch.setattr(launcher, "ensure", ensure)
    monkeypatch.setattr(launcher, "find", lambda name: None)
    return asked


def test_one_for_each_scenario_seed_and_number(ensured: list[Any]) -> None:
    assert playgrounds.started("storm", 3, 2, False).kubeconfig == "/run/demo.kubeconfig"
    playgrounds.started("storm", 3, 2, False)
    playgrounds.started("first-look", 3, 2, False)
    (first, argv), (second, _), (third, _) = ensured
    assert first == second != third
    assert argv == [
        *("-m", "notebook_mux.playground", "--launched"),
        *("--scenario", "storm", "--seed", "3", "--clusters", "2"),
    ]


def test_reset_ends_the_one_that_is_meant(ensured: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    playgrounds.started("storm", 0, 1, False)
    file = ensured[0][0].runtime_file()
    ours, other = (
        services.Service("playground", "running", None, path)
        for path in (file.with_suffix(""), Path("/x/playground-1"))
    )
    ended: list[Any] = []
    monkeypatch.setattr(services, "listing", lambda kind: [ours, other])
    monkeypatch.setattr(services, "stop", ended.extend)
    playgrounds.started("storm", 0, 1, False)
    assert ended == []
    playgrounds.started("storm", 0, 1, True)
    assert ended == [ours]


@pytest.mark.parametrize(
    ("scenario", "seed", "clusters"),
    [("nothing", 0, 1), ("storm", "x", 1), ("storm", True, 1), ("storm", 0, 0), ("storm", 0, 10), ("storm", 0, True)],
)
def test_what_cannot_be(ensured: list[Any], scenario: str, seed: Any, clusters: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        playgrounds.started(scenario, seed, clusters, False)
    if scenario == "nothing":
        assert "first-look, storm" in str(caught.value)
    assert ensured == []


def test_one_that_does_not_say_where_its_kubeconfig_is(ensured: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "ensure", lambda *_, **__: types.SimpleNamespace(extra={}))
    with pytest.raises(GatewayError):
        playgrounds.started("storm", 0, 1, False)
