"""The embedded cluster as a service: found or started, one for each scenario, seed and number of clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from notebook_mux.errors import GatewayError, InvalidArgument

START_SECONDS = 60.0
"""For the embedded cluster to start; it takes about two seconds, several times that on a loaded machine."""

MAX_CLUSTERS = 9
"""Embedded clusters of one demo; enough to see what several look like."""


@dataclass(frozen=True)
class Playground:
    """One that runs.

    Args:
        kubeconfig: The path of its kubeconfig file.
    """

    kubeconfig: str


def started(scenario: str, seed: Any, clusters: Any, reset: bool) -> Playground:
    """The embedded cluster with this scenario; blocking.

    Args:
        scenario: One of the playground's scenarios.
        seed: Of all that is random in it.
        clusters: How many.
        reset: Whether one that runs is ended first.

    Raises:
        InvalidArgument: No such scenario, or numbers that cannot be.
        GatewayError: It cannot be started.
    """
    from notebook_mux.life import launcher, services
    from notebook_mux.life.name import ServiceName
    from notebook_mux.playground.scenarios import SCENARIOS

    if scenario not in SCENARIOS:
        raise InvalidArgument(f"there is no scenario {scenario!r}", todo=f"one of: {', '.join(sorted(SCENARIOS))}")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise InvalidArgument(f"seed={seed!r} is no whole number")
    if isinstance(clusters, bool) or not isinstance(clusters, int) or not 1 <= clusters <= MAX_CLUSTERS:
        raise InvalidArgument(f"clusters={clusters!r}: 1 to {MAX_CLUSTERS} can be had")
    name = ServiceName("playground", f"{scenario} seed={seed} clusters={clusters}")
    if reset:
        stem = name.runtime_file()
        services.stop(service for service in services.listing("playground") if service.runtime_file == stem)
    arguments = ["-m", "notebook_mux.playground", "--launched", "--scenario", scenario]
    arguments += ["--seed", str(seed), "--clusters", str(clusters)]
    running = launcher.ensure(name, arguments, timeout=START_SECONDS)
    kubeconfig = running.extra.get("kubeconfig")
    if not isinstance(kubeconfig, str):
        raise GatewayError("the embedded cluster does not say where its kubeconfig is", todo="nm.demo(reset=True)")
    return Playground(kubeconfig)
