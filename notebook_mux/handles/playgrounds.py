"""The embedded cluster as a service: found or started, one for each scenario, seed and number of clusters."""

from __future__ import annotations

import difflib
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
        fresh: Whether it was started for this, and so is at its scenario's beginning.
    """

    kubeconfig: str
    fresh: bool = False


def started(scenario: Any, seed: Any, clusters: Any, anew: bool) -> Playground:
    """The embedded cluster with this scenario; blocking.

    Args:
        scenario: One of the playground's scenarios, or the path of a file of one's own.
        seed: Of all that is random in it.
        clusters: How many.
        anew: Whether one that runs is ended first.

    Raises:
        InvalidArgument: No such scenario, or numbers that cannot be.
        BadScenario: The file is wrong; it was tried here, so that the cell says so.
        GatewayError: It cannot be started.
    """
    from notebook_mux.life import launcher, services
    from notebook_mux.life.name import ServiceName
    from notebook_mux.playground import scenarios

    if not isinstance(scenario, str) or not (scenario in scenarios.SCENARIOS or scenarios.is_path(scenario)):
        near = difflib.get_close_matches(str(scenario), scenarios.SCENARIOS, 3)
        known = f"one of: {', '.join(sorted(scenarios.SCENARIOS))}, or the path of a .yaml file"
        todo = f"did you mean {' or '.join(near)}? it is {known}" if near else known
        raise InvalidArgument(f"there is no scenario {scenario!r}", todo=todo)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise InvalidArgument(f"seed={seed!r} is no whole number")
    if isinstance(clusters, bool) or not isinstance(clusters, int) or not 1 <= clusters <= MAX_CLUSTERS:
        raise InvalidArgument(f"clusters={clusters!r}: 1 to {MAX_CLUSTERS} can be had")
    mark = ""
    if scenarios.is_path(scenario):
        scenario, mark = scenarios.fingerprint(scenario)
    name = ServiceName("playground", f"{scenario}{mark} seed={seed} clusters={clusters}")
    if anew:
        stem = name.runtime_file()
        services.stop(service for service in services.listing("playground") if service.runtime_file == stem)
    arguments = ["-m", "notebook_mux.playground", "--launched", "--scenario", scenario]
    arguments += ["--seed", str(seed), "--clusters", str(clusters)]
    fresh = launcher.find(name) is None
    if fresh:
        scenarios.attempt(scenario, seed, clusters)
    running = launcher.ensure(name, arguments, timeout=START_SECONDS)
    kubeconfig = running.extra.get("kubeconfig")
    if not isinstance(kubeconfig, str):
        raise GatewayError("the embedded cluster does not say where its kubeconfig is", todo="nm.demo(reset=True)")
    return Playground(kubeconfig, fresh)
