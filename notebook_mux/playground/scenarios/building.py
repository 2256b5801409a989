"""A cluster from a scenario's file: grown over some time, and what is to happen from its beginning on."""

from __future__ import annotations

import re
from dataclasses import replace

from notebook_mux.playground import controllers
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.scenarios import base, system
from notebook_mux.playground.scenarios.reading import Scenario, Source
from notebook_mux.playground.scenarios.steps import EVERY, Step
from notebook_mux.playground.scenarios.stories import Story, Told
from notebook_mux.playground.scenarios.verbs import Hands

SETTLE_S = 60.0
"""Simulated, for what was made to run."""

LIVED_S = 600.0
"""Simulated before something happens: restarts, events and figures of the last ten minutes are there. What is older is
skipped, else a scenario that is days old would take minutes to build."""

SHORT_S = 5.0
"""In which what a step changed has begun to show."""

NUMBERED = re.compile(r".*?(\d+)")


def number_of(cluster: Cluster) -> int:
    """Which of several clusters it is, from 0: ``demo-2`` is the second."""
    match = NUMBERED.fullmatch(cluster.name)
    return int(match[1]) - 1 if match else 0


def scenario_of(source: Source, cluster: Cluster) -> Scenario:
    """What a cluster is to be.

    Raises:
        BadScenario: The file is not right.
    """
    return source.scenario(str(cluster.seed), number_of(cluster))


def build(
    source: Source, cluster: Cluster, *, still: bool = False, strict: bool = False, repeats: int | None = None
) -> Story:
    """Fill a cluster, and plan what happens.

    Args:
        source: The scenario's file.
        cluster: An empty one.
        still: Whether nothing of the story happens.
        strict: Whether a step that cannot be done is an error, also later.
        repeats: How often a step that is repeated happens at most.

    Raises:
        BadScenario: The file is not right, or the server refuses something.
    """
    scenario = scenario_of(source, cluster)
    begin = cluster.agenda.now()
    base.begin(cluster, nodes=scenario.nodes)
    controllers.start(cluster)
    system.make(cluster)
    cluster.agenda.step(SETTLE_S)
    cluster.agenda.jump(begin - scenario.age)
    hands = Hands(cluster, scenario.namespace)
    for name, labels in scenario.namespaces.items():
        if cluster.store.get("namespaces", "", name) is None:
            base.namespace(cluster, name, **labels)
    cluster.agenda.step(1.0)  # each namespace gets its service account before anything asks for it
    for manifest in scenario.manifests:
        hands.apply(manifest)
    if repeats is not None:
        scenario = replace(scenario, story=tuple(_at_most(one, repeats) for one in scenario.story))
    story = _story(cluster, scenario, hands, begin, still=still)
    story.chosen, story.strict = dict(scenario.chosen), strict
    story.begin(cluster.agenda.now())
    live(cluster.agenda, story, begin)
    cluster.agenda.release()
    if story.failed is not None:
        raise story.failed
    return story


def resume(source: Source, cluster: Cluster, begun: float, *, still: bool = False) -> None:
    """Go on with a cluster whose objects were kept.

    Args:
        source: The scenario's file.
        cluster: Its objects are there.
        begun: When its story began, Unix seconds of its time.
        still: Whether nothing of the story happens.

    Raises:
        BadScenario: The file is not right.
    """
    scenario = scenario_of(source, cluster)
    controllers.start(cluster)
    _story(cluster, scenario, Hands(cluster, scenario.namespace), begun, still=still).begin(cluster.agenda.now())


def build_into(source: Source, cluster: Cluster, namespace: str, seed: str, *, begun: float | None = None) -> Story:
    """Make a scenario's namespaced objects in one namespace of a running cluster, and tell its story there.

    What is of the whole cluster (nodes, cluster roles) is left out, and so are steps about it.

    Args:
        source: The scenario's file.
        cluster: Where; its time may stand or run.
        namespace: Where all of it goes; it is there.
        seed: Of what is chosen and drawn.
        begun: Of one that goes on: when its story began, Unix seconds of the cluster's time; None begins now.

    Returns:
        The story.

    Raises:
        BadScenario: The file is not right, or the server refuses something: by a quota of the namespace, say.
    """
    scenario = source.scenario(seed, namespace=namespace)
    hands = Hands(cluster, namespace, confined=True)
    now = cluster.agenda.now()
    if begun is None:
        for manifest in scenario.manifests:
            hands.apply(manifest)
    story = Story(cluster.agenda, scenario.story, f"{seed}/{namespace}", hands, now if begun is None else begun)
    _tell(cluster, story)
    # What happened before the beginning elsewhere happens at once here: an incident's cause among it.
    story.begin(float("-inf") if begun is None else now)
    story.chosen = dict(scenario.chosen)
    return story


def _at_most(step: Step, repeats: int) -> Step:
    if step.timing != EVERY:
        return step
    return replace(step, times=repeats if step.times is None else min(repeats, step.times))


def _story(cluster: Cluster, scenario: Scenario, hands: Hands, begun: float, *, still: bool) -> Story:
    steps = () if still else scenario.story
    story = Story(cluster.agenda, steps, f"{cluster.seed}/{cluster.name}", hands, begun)
    _tell(cluster, story)
    return story


def _tell(cluster: Cluster, story: Story) -> None:
    cluster.story = cluster.story or Told()
    cluster.story.stories.append(story.next_at)


def live(agenda: Agenda, story: Story, until: float) -> None:
    """Let time pass up to a moment: what goes before the last minutes before something happens is skipped."""
    while (now := agenda.now()) < until:
        coming = story.next_at()
        to = until if coming is None or coming <= now else min(until, coming)
        if to - now > SETTLE_S + LIVED_S:
            agenda.step(SETTLE_S)
            agenda.jump(to - LIVED_S)
        agenda.step(to - agenda.now())
