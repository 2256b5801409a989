"""Scenarios in YAML: what is wrong in a file is said with its line; what is right in the library does what it says."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from notebook_mux.errors import BadScenario
from notebook_mux.playground import scenarios
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.scenarios import Settings, building, reading
from notebook_mux.playground.scenarios.steps import VERBS, Step
from notebook_mux.playground.scenarios.stories import firings
from notebook_mux.printers import PRINTERS
from tests.unit.playground.worlds import NOW, world

HEAD = "title: Mine\nteaches: something\n"
POD = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {containers: [{name: main, image: nginx}]}\n"
MANY = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: one}\nspec:\n  replicas: 100000\n"
LIBRARY = [name for name in scenarios.SCENARIOS if scenarios.file_of(name)]


def built(name: str, seed: int = 0, cluster: str = "demo") -> Cluster:
    made = Cluster(cluster, seed, Agenda(lambda: NOW))
    scenarios.build(name, made, Settings())
    return made


def refused(text: str, tmp_path: Path, seed: int = 0) -> BadScenario:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(BadScenario) as caught:
        scenarios.attempt(str(path), seed)
    assert caught.value.what.startswith(f"{path}, line ")
    return caught.value


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("title: [x\nteaches: y\n", 2, "this is no YAML"),
        ("title: a\ntitle: b\n", 2, "the key 'title' stands here twice, first in line 1"),
        (HEAD + "storry: []\n", 3, "did you mean story?"),
        ("teaches: y\n", 1, "'title' is missing"),
        (POD, 2, "it begins with a manifest"),
        (HEAD + "story:\n  - at: 1s\n    scale: {target: deployment/a, replicas: 2001}\n", 5, "2001 pods are too many"),
        (HEAD + MANY, 8, "100000 pods are too many for a scenario"),
        (HEAD + "nodes: many\n", 3, "'many' is no list"),
        (HEAD + "nodes:\n  - name: n\n    taint: [x]\n", 5, "did you mean taints?"),
        (HEAD + "nodes:\n  - taints: ['a=b:Never']\n", 4, "'a=b:Never' is no taint"),
        (HEAD + "nodes: [{name: ../n}]\n", 3, "'../n' cannot be a node's name"),
        (HEAD + "nodes: [{name: n, cpu: -4}]\n", 3, "-4 is no quantity"),
        (HEAD + "nodes: [{name: n, memory: 1e99999}]\nnamespaces: [Shop]\n", 4, "'Shop' cannot be a namespace's name"),
        (HEAD + "age: soon\n", 3, "'soon' is no time"),
        (HEAD + "choose:\n  app: shop\n", 4, "'shop' is no list"),
        (HEAD + "choose: {app: [a]}\nnamespaces: ['${ap}']\n", 4, "did you mean app?"),
        (HEAD + "story:\n  - delete: pod/one\n", 4, "a step with no time"),
        (HEAD + "story:\n  - at: 5s\n    destroy: pod/one\n", 5, "there is no 'destroy' in a step"),
        (HEAD + "story:\n  - at: 5s\n    scal: {}\n", 5, "did you mean scale?"),
        (HEAD + "story:\n  - at: 5s\n    scale: {target: deployment/web}\n", 5, "scale needs 'replicas'"),
        (HEAD + "story:\n  - at: 5s\n    scale: {target: deployment/web, replicas: few}\n", 5, "no whole number"),
        (HEAD + "story:\n  - every: 5s\n    after: 1s\n    delete: pod/x\n", 5, "exclude each other"),
        (HEAD + "story:\n  - at: 5s\n    behaviour: {image: x, does: crsh 5}\n", 5, "did you mean crash?"),
        (HEAD + "story:\n  - at: 5s\n    delete: pod/one\n", 4, "delete: there is no pod 'one' in default"),
        (HEAD + "story:\n  - at: 5s\n    fail-node: node-9\n", 4, "fail-node: there is no node 'node-9'"),
        (HEAD + "---\nkind: Pod\nmetadata: {name: x}\n", 4, "a manifest without 'apiVersion'"),
        (HEAD + POD.replace("Pod", "Pot"), 5, "did you mean Pod?"),
        (HEAD + POD.replace("v1", "apps/v1", 1), 5, "its apiVersion is v1"),
        (HEAD + POD.replace("image", "imge"), 4, 'unknown field "spec.containers[0].imge"'),
        (HEAD + POD.replace("name: main", "name: Main"), 7, "a lowercase RFC 1123 label"),
        (HEAD + "story:\n  - at: 5s\n    patch: {target: pod/one, patch: {spec: {nodeName: x}}}\n" + POD, 4,
         "pod updates may not change fields"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, expected: str, tmp_path: Path):
    error = refused(text, tmp_path)
    assert f", line {line}: " in error.what, error.what
    assert expected in str(error)


def test_a_file_that_is_not_there_or_no_scenario(tmp_path: Path):
    with pytest.raises(BadScenario, match=r"mine\.yaml cannot be read"):
        scenarios.check(str(tmp_path / "mine.yaml"))
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    with pytest.raises(BadScenario, match="there is nothing in it"):
        scenarios.check(str(tmp_path / "empty.yaml"))
    (tmp_path / "latin.yaml").write_bytes(b"title: \xe9\n")
    with pytest.raises(BadScenario, match="not UTF-8"):
        scenarios.check(str(tmp_path / "latin.yaml"))


def test_a_file_of_ones_own_is_a_scenario_like_any_other(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        HEAD + "choose:\n  app: [bakery]\n  replicas: [2]\nnamespaces: ['${app}']\nstory:\n"
        "  - at: 10s\n    scale: {target: 'deployment/${app}', replicas: 4}\n"
        "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: '${app}'}\nspec:\n  replicas: ${replicas}\n"
        "  selector: {matchLabels: {app: '${app}'}}\n  template:\n    metadata: {labels: {app: '${app}'}}\n    spec:\n"
        "      containers: [{name: main, image: busybox, command: [sh, -c, 'echo $${HOME}; sleep 1d']}]\n"
    )
    scenarios.attempt(str(path), 0)
    cluster = built(str(path))
    deployment = cluster.get("deployments.apps", "bakery", "bakery")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["template"]["spec"]["containers"][0]["command"][2] == "echo ${HOME}; sleep 1d"
    # as a person's kubectl would have made it
    assert "kubectl.kubernetes.io/last-applied-configuration" in deployment["metadata"]["annotations"]
    managers = {entry["manager"] for entry in deployment["metadata"]["managedFields"]}
    assert managers == {"kubectl-client-side-apply", "kube-controller-manager"}
    assert deployment["status"]["readyReplicas"] == 2
    cluster.agenda.step(30)
    assert cluster.get("deployments.apps", "bakery", "bakery")["status"]["readyReplicas"] == 4  # type: ignore[index]
    assert scenarios.told(str(path), cluster)["chosen"] == {"app": "bakery", "replicas": 2}
    before = scenarios.fingerprint(str(path))
    path.write_text(path.read_text() + "\n")
    assert scenarios.fingerprint(str(path)) != before  # another service of its own


def test_the_example_in_the_description_is_one(tmp_path: Path):
    text = (Path(scenarios.__file__).parent / "FORMAT.md").read_text()
    path = tmp_path / "example.yaml"
    path.write_text(text.partition("```yaml\n")[2].partition("```")[0])
    scenarios.attempt(str(path), 2, clusters=2)
    named = set(re.findall(r"^\| `([a-z-]+)`", text, re.MULTILINE))
    assert named == set(VERBS)  # of times, the first word is followed by a colon


def test_first_look_has_a_next_thing():
    cluster = built("first-look")
    assert NOW < cluster.story.next_at() < NOW + 12


def test_the_times_of_steps():
    source = reading.Source(
        "x.yaml",
        HEAD + "story:\n  - {at: 10s, delete: pod/a}\n  - {after: 5s, delete: pod/b}\n"
        "  - {every: 7s, at: 1s, times: 3, delete: pod/c}\n  - {every: 2s..4s, until: 9s, delete: pod/d}\n"
        "  - at: 20s\n    do:\n      - {at: 1s, delete: pod/e}\n      - {after: 2s, delete: pod/f}\n"
        "  - {at: 0s, fail-node: {node: [n, m], for: 30s}}\n",
    )
    found = list(firings(source.scenario("0").story, "seed"))
    assert [firing.at for firing in found] == sorted(firing.at for firing in found)

    def times(step: str) -> list[float]:
        return [one.at for one in found if step in str(one.step.fields.get("target", one.step.verb))]

    assert (times("pod/a"), times("pod/b"), times("pod/c")) == ([10], [15], [1, 8, 15])
    assert (times("pod/e"), times("pod/f"), times("heal-node")) == ([21], [23], [30])
    drawn = times("pod/d")
    assert 2 <= len(drawn) <= 4
    assert all(2 <= later - earlier <= 4 for earlier, later in zip([0.0, *drawn], drawn, strict=False))
    assert drawn == [one.at for one in firings(source.scenario("0").story, "seed") if "pod/d" in str(one.step.fields)]


def digest(cluster: Cluster) -> str:
    """Of all objects and events, but for what the server's own keys are in."""
    found = hashlib.sha256()
    for stored in sorted(cluster.store.everything()[0], key=lambda one: (one.kind.resource, one.key)):
        found.update(stored.encoded)
    return found.hexdigest()


STORY = (
    "from tests.unit.playground.test_scenario_files import built, digest\n"
    "cluster = built('incident', 3)\ncluster.agenda.step(90)\nprint(digest(cluster))"
)


def test_the_same_seed_is_the_same_to_the_byte_and_another_is_another():
    # in processes of their own, in which sets have other orders
    found = {
        subprocess.run([sys.executable, "-c", STORY], capture_output=True, text=True, check=True, timeout=120,
                       env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[3])}).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(found) == 1
    other = built("incident", 4)
    other.agenda.step(90)
    assert digest(other) not in found.pop()


@pytest.mark.parametrize("name", LIBRARY)
def test_each_of_the_library_does_all_that_it_says(name: str):
    source = reading.source(scenarios.LIBRARY / f"{name}.yaml")
    assert source.title
    assert source.teaches
    cluster = Cluster("demo", 1, Agenda(lambda: NOW))
    story = building.build(source, cluster, strict=True)
    cluster.agenda.step(150)
    assert story.failed is None, story.failed
    pods = [one for one in cluster.store.items("pods") if one.namespace != "kube-system"]
    assert len(pods) >= 1
    shown = {str(PRINTERS["pods"](one.decode(), cluster.agenda.now())[2]) for one in pods}
    assert shown & {"Running"}, shown


def states(cluster: Cluster, namespace: str) -> set[str]:
    now, found = cluster.agenda.now(), cluster.store.items("pods", namespace)
    return {str(PRINTERS["pods"](one.decode(), now)[2]) for one in found}


def test_what_is_to_be_seen_in_some():
    assert "CrashLoopBackOff" in states(built("crashloop"), "night-shift")
    assert "Pending" in states(built("pending"), "waiting-room")
    update = built("rolling-update")
    sets = {one.decode()["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
            for one in update.store.items("replicasets.apps", "production")}  # fmt: skip
    assert sets == {"1", "2", "3"}
    update.agenda.step(120)
    assert {"Running", "ImagePullBackOff"} <= states(update, "production") | {"ImagePullBackOff"}
    assert states(update, "production") & {"ErrImagePull", "ImagePullBackOff"}
    quota = built("quota")
    began = time.thread_time()  # of CPU: by the clock it is what else runs there that is measured
    quota.agenda.step(60)
    assert time.thread_time() - began < 20  # what a quota refuses is tried again ever more rarely
    events = {one.decode()["reason"] for one in quota.store.items("events", "team-blue")}
    assert "FailedCreate" in events


def test_the_incident_has_each_of_its_causes():
    causes = {}
    for seed in range(40):
        chosen = reading.source(scenarios.LIBRARY / "incident.yaml").scenario(str(seed)).chosen
        causes.setdefault(chosen["cause"], seed)
    assert set(causes) == {"image", "probe", "selector", "memory", "config", "quota", "node"}


def test_clusters_of_one_demo_differ():
    source = reading.source(scenarios.LIBRARY / "two-clusters.yaml")
    found = [source.scenario("5", number).chosen for number in range(3)]
    for name in ("version", "replicas", "theme"):
        assert len({one[name] for one in found}) == 3
    assert found[0]["calm"] != found[1]["calm"]


def test_into_one_namespace():
    cluster = world()
    for name in ("ada", "ben"):
        cluster.create({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name},
                        "status": {"phase": "Active"}})  # fmt: skip
    cluster.agenda.step(1)
    ours = scenarios.build_into(cluster, "incident", "ada", 1)
    theirs = scenarios.build_into(cluster, "incident", "ben", 2)
    assert ours.chosen != theirs.chosen
    cluster.agenda.step(60)
    for name in ("ada", "ben"):
        assert cluster.get("deployments.apps", name, "storefront") is not None
    assert not cluster.store.items("pods", "shop")
    assert all(one.fields["spec.nodeName"] for one in cluster.store.items("pods", "ada")[:1])
    role = "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: r}\nrules: []\n"
    story = building.build_into(reading.Source("x.yaml", HEAD + role + POD), cluster, "ada", "1")
    assert cluster.get("clusterroles.rbac.authorization.k8s.io", "", "r") is None
    assert cluster.get("pods", "ada", "one") is not None
    assert story.next_at() is None
    with pytest.raises(scenarios.UnknownScenario, match="built by code"):
        scenarios.build_into(cluster, "first-look", "ada", 0)


def test_a_story_leaves_out_what_somebody_has_taken_away(caplog: pytest.LogCaptureFixture):
    cluster = built("rolling-update", 1)
    name = cluster.store.items("deployments.apps", "production")[0].name
    cluster.remove("deployments.apps", "production", name)
    with caplog.at_level("INFO"):
        cluster.agenda.step(30)
    assert f"set-image: there is no deployment '{name}' in production" in caplog.text
    assert "failed" not in caplog.text


def test_steps_are_plain_data():
    step = reading.Source("x.yaml", HEAD + "story: [{at: 1s, delete: pod/a}]").scenario("0").story[0]
    assert isinstance(step, Step)
    assert (step.verb, step.fields, step.time, step.place.line) == ("delete", {"target": ("pod/a",)}, (1, 1), 3)
