from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from notebook_mux.playground import scenarios
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.history import Change
from notebook_mux.playground.scenarios import Settings, UnknownScenario
from tests.unit.playground.worlds import NOW


def built(name: str, seed: int = 0, settings: Settings | None = None) -> Cluster:
    cluster = Cluster("demo", seed, Agenda(lambda: NOW))
    scenarios.build(name, cluster, settings or Settings())
    return cluster


def test_first_look_is_a_whole_cluster_from_its_beginning():
    cluster = built("first-look")
    counts = {kind.resource: cluster.store.count(kind.resource) for kind in cluster.kinds}
    for resource in (
        *("pods", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch"),
        *("services", "configmaps", "secrets", "events", "persistentvolumeclaims", "ingresses.networking.k8s.io"),
        *("horizontalpodautoscalers.autoscaling", "backups.demo.notebook-mux.dev"),
    ):
        assert counts[resource], resource
    phases = Counter(one.fields["status.phase"] for one in cluster.store.items("pods"))
    assert phases["Running"] > 25
    assert {one.namespace for one in cluster.store.items("pods")} == {"default", "shop", "monitoring", "kube-system"}
    assert cluster.agenda.now() == NOW
    sizes = sorted(len(one.encoded) for one in cluster.store.items("pods"))
    assert 3000 < sizes[0] <= sizes[len(sizes) // 2] < 6800
    assert sizes[-1] < 7500


def test_something_visible_happens_all_the_time():
    cluster, moments, kinds = built("first-look"), list[float](), Counter[str]()

    def note(change: Change) -> None:
        kinds[change.new.kind.resource] += 1
        moments.append(cluster.agenda.now())

    for resource in ("pods", "deployments.apps", "jobs.batch", "backups.demo.notebook-mux.dev", "nodes"):
        cluster.store.listen(resource, note)
    cluster.agenda.step(180)
    gaps = [later - earlier for earlier, later in zip([NOW, *moments], moments, strict=False)]
    assert max(gaps) <= 3.0
    assert all(kinds.values())
    assert kinds["nodes"] >= 2  # one was away


def test_the_same_seed_is_the_same_cluster_and_another_another():
    def names(seed: int) -> list[str]:
        cluster = built("first-look", seed)
        cluster.agenda.step(5)
        return [one.name for one in cluster.store.items("pods")]

    assert names(1) == names(1)
    assert names(1) != names(2)


def test_still_means_that_no_story_is_told():
    cluster, seen = built("first-look", settings=Settings(still=True)), list[Change]()
    cluster.store.listen("backups.demo.notebook-mux.dev", seen.append)
    cluster.agenda.step(60)
    assert seen == []


def test_many_pods_and_a_rate():
    cluster, seen = built("many-pods", settings=Settings(pods=200, rate=50)), list[Change]()
    assert cluster.store.count("pods") == 200
    cluster.store.listen("pods", seen.append)
    cluster.agenda.step(4)
    assert 190 <= len(seen) <= 210
    assert len({one.new.key for one in seen}) > 100
    assert built("many-pods", settings=Settings(pods=0)).store.count("pods") == 0


def test_an_unknown_scenario_lists_the_known_ones():
    with pytest.raises(UnknownScenario, match=r"(?s)no scenario 'x'.*first-look: .*many-pods: "):
        scenarios.check("x")


def test_the_names_are_light_to_import():
    code = "import sys, notebook_mux.playground.scenarios as s; print(len(s.SCENARIOS), 'aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [str(len(scenarios.SCENARIOS)), "False"]


def test_nobody_changes_what_all_look_at():
    cluster = built("first-look")
    cluster.agenda.step(240)
    looked = [one for kind in cluster.kinds for one in cluster.store.items(kind.resource) if one._content is not None]
    assert {"pods", "deployments.apps", "replicasets.apps", "jobs.batch"} <= {one.kind.resource for one in looked}
    for one in looked:
        assert one.content == one.decode(), one.key
