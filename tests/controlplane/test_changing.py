"""`apply`, `scale`, `restart` and `delete` on a real API server and on the playground, by the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

import notebook_mux as nm
from notebook_mux import aio
from tests import waiting
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane
from tests.unit.playground.client import MERGE, Client

eventually = partial(waiting.eventually, seconds=60.0, pause=0.05)

WEB = """
# the order is not that in which they are needed
apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {size: "1", when: 2026-11-30, at: 22:22}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "registry.example/web:1"}]}
---
"""

CRD = """
apiVersion: sea.example.com/v1
kind: Boat
metadata: {name: one}
spec: {sails: 3}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.sea.example.com}
spec:
  group: sea.example.com
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {scale: {specReplicasPath: .spec.sails, statusReplicasPath: .status.sails}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {sails: {type: integer}}}
          status: {type: object, properties: {sails: {type: integer}}}
"""


class There:
    """A cluster, and a namespace in it that is this test's own."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self.kubeconfig, self.folder = kubeconfig, folder
        self.client = Client(kubeconfig)
        self.namespace = f"c{abs(hash(folder)) % 10**9}"
        self.manager = nm.connect(kubeconfig=kubeconfig, write=True, namespace=self.namespace)
        nm.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        eventually(lambda: self.client.get(self.of("serviceaccounts/default")).status == 200)

    def of(self, resource: str, group: str = "") -> str:
        return f"{f'/apis/{group}/v1' if group else '/api/v1'}/namespaces/{self.namespace}/{resource}"

    def get(self, resource: str, group: str = "") -> Any:
        return self.client.get(self.of(resource, group)).json()

    def patch(self, resource: str, body: dict[str, Any], group: str = "", manager: str = "other") -> None:
        answer = self.client.ask("PATCH", self.of(resource, group), body, media=MERGE, fieldManager=manager)
        assert answer.status == 200, answer.body

    def user(self, *rules: str) -> nm.Manager:
        """A manager of a service account that may these rules alone ("get,patch deployments.apps")."""
        metadata = {"name": "user", "namespace": self.namespace}
        rbac = {"apiVersion": "rbac.authorization.k8s.io/v1"}
        listed = []
        for rule in rules:
            verbs, what = rule.split()
            whole, _, subresource = what.partition("/")
            resource, _, group = whole.partition(".")
            resources = [f"{resource}/{subresource}" if subresource else resource]
            listed.append({"verbs": verbs.split(","), "apiGroups": [group], "resources": resources})
        role = {**rbac, "kind": "Role", "metadata": metadata, "rules": listed}
        subjects = [{"kind": "ServiceAccount", **metadata}]
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "user"}
        binding = {**rbac, "kind": "RoleBinding", "metadata": metadata, "roleRef": reference, "subjects": subjects}
        nm.apply([{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}, role, binding])
        if listed:
            eventually(lambda: self.lets_user(listed[-1]))  # the server knows of the binding a moment later
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = self.client.ask("POST", self.of("serviceaccounts/user/token"), request).json()["status"]["token"]
        config = yaml.safe_load(self.kubeconfig.read_text())
        config["users"] = [{"name": one["name"], "user": {"token": token}} for one in config["users"]]
        path = self.folder / "user.kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return nm.connect(kubeconfig=path, write=True, namespace=self.namespace)

    def lets_user(self, rule: dict[str, Any]) -> bool:
        resource, _, subresource = rule["resources"][0].partition("/")
        attributes = {"verb": rule["verbs"][0], "group": rule["apiGroups"][0], "resource": resource,
                      "subresource": subresource, "namespace": self.namespace}  # fmt: skip
        spec = {"user": f"system:serviceaccount:{self.namespace}:user", "resourceAttributes": attributes}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        answer = self.client.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review).json()
        return bool(answer["status"]["allowed"])


@pytest.fixture(scope="module", params=["playground", "real"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of each."""
    if request.param == "real":
        plane: ControlPlane = request.getfixturevalue("control_plane")
        yield plane.kubeconfig
        return
    running = RunningPlayground(tmp_path_factory.mktemp("playground"), "empty")
    yield running.kubeconfig
    running.close()


@pytest.fixture
def there(served: Path, tmp_path: Path) -> Iterator[There]:
    found = There(served, tmp_path)
    yield found
    found.client.ask("DELETE", f"/api/v1/namespaces/{found.namespace}")
    nm.close()


def results(outcome: nm.Outcome) -> list[tuple[str, str]]:
    return [(row["Kind"], row["Result"]) for row in outcome.rows]


def test_apply_creates_configures_and_then_does_nothing(there: There) -> None:
    rehearsed = nm.apply(WEB, dry_run=True)
    assert rehearsed.dry_run
    assert results(rehearsed) == [
        ("ConfigMap", "created (server dry run)"),
        ("Deployment", "created (server dry run)"),
    ]
    assert "+  size: '1'" in rehearsed.diff
    assert there.client.get(there.of("configmaps/conf")).status == 404, "a rehearsal changes nothing"
    assert results(nm.apply(WEB)) == [("ConfigMap", "created"), ("Deployment", "created")]
    data = there.get("configmaps/conf")["data"]
    assert data == {"size": "1", "when": "2026-11-30", "at": "22:22"}, (
        "what looks like a time is a text, as for kubectl"
    )
    version = there.get("configmaps/conf")["metadata"]["resourceVersion"]
    again = nm.apply(WEB)
    assert results(again) == [("ConfigMap", "unchanged"), ("Deployment", "unchanged")]
    assert again.diff == ""
    assert there.get("configmaps/conf")["metadata"]["resourceVersion"] == version, "nothing was written"
    changed = nm.apply(WEB.replace('"1"', '"2"'))
    assert results(changed) == [("ConfigMap", "configured"), ("Deployment", "unchanged")]
    assert [line for line in changed.diff.splitlines() if line[:2] in ("+ ", "- ")] == ["-  size: '1'", "+  size: '2'"]
    assert changed.objects[0]["data"]["size"] == "2"


def test_what_needs_a_new_namespace_or_kind_comes_after_it(there: There) -> None:
    name = f"{there.namespace}-new"
    inside = WEB.replace("name: conf}", f"name: conf, namespace: {name}}}").replace(
        "name: web}", f"name: web, namespace: {name}}}", 1
    )
    manifest = [CRD, inside, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}]
    try:
        order = ["Namespace", "CustomResourceDefinition", "ConfigMap", "Deployment", "Boat"]
        rehearsed = nm.apply(manifest, dry_run=True)
        assert [row["Kind"] for row in rehearsed.rows] == order
        assert [bool(row["Said"]) for row in rehearsed.rows] == [False, False, True, True, True]
        assert results(nm.apply(manifest)) == [(kind, "created") for kind in order]
        assert results(nm.apply(manifest)) == [(kind, "unchanged") for kind in order]
        scaled = nm.scale("boat/one", 5)
        assert scaled.rows[0]["Result"] == "scaled 3 → 5"
        assert there.get("boats/one", "sea.example.com")["spec"] == {"sails": 5}, "custom kinds have a scale too"
    finally:
        for path in (
            f"/api/v1/namespaces/{name}",
            "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/boats.sea.example.com",
        ):
            there.client.ask("DELETE", path)


def test_a_mistake_in_the_last_document_changes_none(there: There) -> None:
    with pytest.raises(nm.InvalidArgument, match=r"Deployment|deployment") as caught:
        nm.apply(WEB.replace("replicas: 2", "replicaz: 2"))
    assert "replicaz" in str(caught.value)
    assert "line 8" in str(caught.value), "with its place"
    with pytest.raises(nm.InvalidArgument, match=r"replicas"):
        nm.apply(WEB.replace("replicas: 2", "replicas: -2"))
    with pytest.raises(nm.UnknownKind, match=r"Boaat one"):
        nm.apply(WEB + "apiVersion: sea.example.com/v1\nkind: Boaat\nmetadata: {name: one}\n")
    assert there.client.get(there.of("configmaps/conf")).status == 404


def test_what_is_too_large_is_refused_and_ends_no_connection(there: There) -> None:
    for size, words in ((2_000_000, "Too long"), (9_000_000, "more than a cluster takes")):
        with pytest.raises(nm.InvalidArgument, match=words):
            nm.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "x" * size}})
    assert there.manager.stats.reconnects == 0


def test_what_is_no_object_is_not_applied(there: There) -> None:
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "metadata": {"name": "a"}}
    with pytest.raises(nm.InvalidArgument, match=r"cannot be applied: what the cluster does with this kind is create"):
        nm.apply(review)
    with pytest.raises(nm.InvalidArgument, match="'a/b' cannot be an object's name"):
        nm.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a/b"}})
    with pytest.raises(nm.InvalidArgument, match="cannot be a namespace's name"):
        nm.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "../b"}})


def test_one_that_is_named_in_two_ways_is_one(there: There) -> None:
    nm.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    assert results(nm.delete(["cm/a", "configmaps/a", nm.get("cm", "a")])) == [("ConfigMap", "deleted")]


def test_a_right_to_one_namespace_is_one_within_it(there: There) -> None:
    user = there.user("get,patch namespaces")
    labelled = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": there.namespace, "labels": {"a": "b"}}}
    assert results(user.apply(labelled)) == [("Namespace", "configured")]
    with pytest.raises(nm.Forbidden, match="you may not delete namespaces"):
        user.delete(f"ns/{there.namespace}")


def test_others_fields_are_named_and_taken_by_force(there: There) -> None:
    nm.apply(WEB)
    there.patch("configmaps/conf", {"data": {"size": "7"}}, manager="somebody")
    with pytest.raises(nm.Conflict, match=r"somebody owns data\.size") as caught:
        nm.apply(WEB)
    assert caught.value.owners == {"somebody": ["data.size"]}
    assert "force=True" in str(caught.value)
    assert there.get("configmaps/conf")["data"]["size"] == "7"
    assert results(nm.apply(WEB, force=True))[0] == ("ConfigMap", "configured")
    assert there.get("configmaps/conf")["data"]["size"] == "1"


def test_an_object_that_was_read_and_edited(there: There) -> None:
    nm.apply(WEB)
    deploy = nm.get("deploy", "web")
    deploy["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/web:2"
    assert results(nm.apply(deploy)) == [("Deployment", "configured")], "status and the server's metadata are left out"
    pasted = nm.get("deploy", "web").yaml().replace("web:2", "web:3")
    diff = nm.apply(pasted).diff
    assert "-        image: registry.example/web:2\n+        image: registry.example/web:3" in diff
    assert "resourceVersion" not in diff
    assert there.get("deployments/web", "apps")["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3")


def test_secrets_are_neither_shown_nor_overwritten_by_what_hides_them(there: There) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {a: %s, b: same}\n"
    first = nm.apply(secret % "canary-one")
    second = nm.apply(secret % "canary-two")
    assert "hidden" in second.diff
    assert "-  a: <hidden" in second.diff
    assert "  b: <hidden" in second.diff
    for outcome in (first, second):
        shown = f"{outcome!r} {outcome._repr_html_()} {outcome.diff} {outcome.text} {outcome.rows} {outcome.objects}"
        assert "canary" not in shown
        assert "Y2FuYXJ5" not in shown, "nor in base64"
    with pytest.raises(nm.InvalidArgument, match=r"data\.a in this Secret is hidden"):
        nm.apply(nm.get("secret", "s").yaml())
    assert results(nm.apply(nm.get("secret", "s").yaml(show_secrets=True))) == [("Secret", "unchanged")]


def test_scale(there: There) -> None:
    nm.apply(WEB)
    rehearsed = nm.scale("deploy/web", 3, dry_run=True)
    assert rehearsed.rows[0]["Result"] == "scaled 2 → 3 (server dry run)"
    assert there.get("deployments/web", "apps")["spec"]["replicas"] == 2
    done = nm.scale(nm.get("deploy", "web"), 3)
    assert done.rows[0]["Result"] == "scaled 2 → 3"
    assert "-  replicas: 2\n+  replicas: 3" in done.diff
    assert there.get("deployments/web", "apps")["spec"]["replicas"] == 3
    assert nm.scale("deployment.apps/web", 3).rows[0]["Result"] == "unchanged"
    assert nm.scale("deploy/web", 0).rows[0]["Result"] == "scaled 3 → 0"
    assert nm.scale("deploy/web", 1).rows[0]["Result"] == "scaled 0 → 1"
    with pytest.raises(nm.InvalidArgument, match=r"configmap .* has no scale"):
        nm.scale("cm/conf", 2)
    with pytest.raises(nm.NotFound, match="web"):
        nm.scale("deploy/wep", 2)
    for wrong in (-1, True, "3", 2**31):
        with pytest.raises(nm.InvalidArgument, match="no number of replicas"):
            nm.scale("deploy/web", wrong)  # type: ignore[arg-type]


def test_an_autoscaler_is_told_of(there: There) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5}
    hpa = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": spec}
    nm.apply([WEB, hpa])
    assert "the autoscaler h decides how many there are (2 to 5)" in nm.scale("deploy/web", 4).rows[0]["Said"]


def test_restart_replaces_the_pods_of_a_workload(there: There) -> None:
    nm.apply(WEB)

    def pods() -> set[str]:
        found = there.get("pods")["items"]
        return {one["metadata"]["name"] for one in found if "deletionTimestamp" not in one["metadata"]}

    eventually(lambda: len(pods()) == 2)
    before = pods()
    assert nm.restart("deploy/web", dry_run=True).rows[0]["Result"] == "restarted (server dry run)"
    done = nm.restart("deploy/web")
    assert done.rows[0]["Result"] == "restarted"
    assert "+        kubectl.kubernetes.io/restartedAt:" in done.diff
    eventually(lambda: len(pods() - before) == 2 and not pods() & before, "other pods are there")
    name = min(pods())
    with pytest.raises(nm.InvalidArgument, match="kept by deployment web") as caught:
        nm.restart(f"pod/{name}")
    assert "nm.restart('deployment/web'" in str(caught.value)
    with pytest.raises(nm.InvalidArgument, match="cannot be restarted"):
        nm.restart("cm/conf")
    there.patch("deployments/web", {"spec": {"paused": True}}, "apps")
    with pytest.raises(nm.InvalidArgument, match="paused"):
        nm.restart("deploy/web")


def test_delete_and_what_it_owned(there: There) -> None:
    nm.apply(WEB)
    eventually(lambda: len(there.get("replicasets", "apps")["items"]) == 1)
    rehearsed = nm.delete("deploy/web", dry_run=True)
    assert rehearsed.rows[0]["Result"] == "deleted (server dry run)"
    assert "-  name: web" in rehearsed.diff
    assert there.client.get(there.of("deployments/web", "apps")).status == 200
    assert nm.delete("deploy/web", cascade="orphan").rows[0]["Result"] in ("deleted", "deleting")
    eventually(lambda: there.client.get(there.of("deployments/web", "apps")).status == 404)
    assert len(there.get("replicasets", "apps")["items"]) == 1, "what it owned was left"
    assert nm.delete("cm/conf").rows[0]["Result"] == "deleted"
    with pytest.raises(nm.NotFound, match="conf"):
        nm.delete("cm/conf")
    for wrong in ({"cascade": "sideways"}, {"grace": -1}):
        with pytest.raises(nm.InvalidArgument):
            nm.delete("cm/conf", **wrong)


def test_another_object_of_the_same_name_is_left_alone(there: There) -> None:
    nm.apply(WEB)
    old = nm.get("cm", "conf")
    nm.delete(old)
    nm.apply(WEB)
    for change in (nm.delete, nm.restart, lambda target: nm.scale(target, 1)):
        with pytest.raises(nm.NotFound, match="another has its name"):
            change(old)
    assert there.client.get(there.of("configmaps/conf")).status == 200


def test_several_at_once_and_nothing_is_lost_of_what_was_done(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{at}"}, "data": {}} for at in range(12)]
    assert len(nm.apply(maps)) == 12
    found = nm.get("cm", selector={"no": "such"})
    with pytest.raises(nm.InvalidArgument, match="nothing was named"):
        nm.delete(found)
    with pytest.raises(nm.NotFound, match="m99"):
        nm.delete(["cm/m0", "cm/m99"])
    assert there.client.get(there.of("configmaps/m0")).status == 200, "all are looked for before one is deleted"

    from notebook_mux.handles.changing.deleting import Delete

    carry_out = Delete.carry_out

    async def taken(self: Delete, seen: Any, *, locked: bool) -> Any:
        if self.spot.name == "m3":
            there.client.ask("DELETE", there.of("configmaps/m3"))  # somebody is quicker
        return await carry_out(self, seen, locked=locked)

    monkeypatch.setattr(Delete, "carry_out", taken)
    with pytest.raises(nm.PartlyDone, match=r"4 of 5 done; not configmap .*/m3") as caught:
        nm.delete([f"cm/m{at}" for at in range(5)])
    outcome = caught.value.outcome
    assert [row["Result"] for row in outcome.rows] == ["deleted", "deleted", "deleted", "failed", "deleted"]
    assert isinstance(outcome, nm.Outcome)
    nm.delete([one for one in nm.get("cm") if one.name.startswith("m")])
    assert [one.name for one in nm.get("cm") if one.name.startswith("m")] == []


def test_an_apply_that_breaks_in_the_middle(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    from notebook_mux.handles.changing.applying import Apply

    carry_out = Apply.carry_out

    async def broken(self: Apply, seen: Any, *, locked: bool) -> Any:
        if self.spot.name == "b":
            raise nm.Unreachable("the line is cut")
        return await carry_out(self, seen, locked=locked)

    monkeypatch.setattr(Apply, "carry_out", broken)
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}} for name in "abc"]
    with pytest.raises(nm.PartlyDone, match="1 of 3 done") as caught:
        nm.apply(maps)
    assert [row["Result"] for row in caught.value.outcome.rows] == ["created", "failed", "not tried"]
    monkeypatch.undo()
    assert [result for _, result in results(nm.apply(maps))] == ["unchanged", "created", "created"]


def test_a_change_in_between_is_rehearsed_anew(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    from notebook_mux.handles.changing.scaling import Scale

    nm.apply(WEB)
    carry_out, times = Scale.carry_out, []

    async def raced(self: Scale, seen: Any, *, locked: bool) -> Any:
        times.append(seen.result)
        if len(times) == 1:
            there.patch("deployments/web", {"spec": {"replicas": 6}}, "apps")
        return await carry_out(self, seen, locked=locked)

    monkeypatch.setattr(Scale, "carry_out", raced)
    assert nm.scale("deploy/web", 4).rows[0]["Result"] == "scaled 6 → 4", "the exact change, and not what was rehearsed"
    assert list(dict.fromkeys(times)) == ["scaled 2 → 4", "scaled 6 → 4"]


def test_a_status_that_moves_while_it_is_rehearsed_is_no_change(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    from notebook_mux.handles.changing.applying import Apply

    nm.apply(WEB)
    send, times = Apply._send, []

    async def raced(self: Apply, before: Any, body: Any, *, dry: bool) -> Any:
        if self.spot.kind == "Deployment":
            times.append(dry)
            if len(times) == 1:
                there.patch(
                    "deployments/web/status", {"status": {"conditions": [{"type": "Odd", "status": "True"}]}}, "apps"
                )
        return await send(self, before, body, dry=dry)

    monkeypatch.setattr(Apply, "_send", raced)
    rehearsed = nm.apply(WEB, dry_run=True)
    assert [row["Result"].split()[0] for row in rehearsed.rows] == ["unchanged", "unchanged"]
    assert len(times) > 1, "it was rehearsed anew"


def test_rights_are_asked_for_first(there: There) -> None:
    nm.apply(WEB)
    before = there.get("deployments/web", "apps")["spec"]
    user = there.user("get,list deployments.apps", "get,patch deployments.apps/scale", "get,list configmaps")
    assert user.scale("deploy/web", 3).rows[0]["Result"] == "scaled 2 → 3"
    refused: dict[str, Callable[[], object]] = {
        "patch deployments.apps": lambda: user.restart("deploy/web"),
        "delete configmaps": lambda: user.delete("cm/conf"),
        "patch configmaps": lambda: user.apply(WEB),
        "create configmaps": lambda: user.apply(WEB.replace("name: conf", "name: conf2")),
        "delete deployments.apps": lambda: user.delete(["deploy/web", "cm/conf"], dry_run=True),
    }
    for right, change in refused.items():
        with pytest.raises(nm.Forbidden) as caught:
            change()
        assert right in str(caught.value)
        assert f"in namespace {there.namespace}" in str(caught.value)
        assert "says so" in str(caught.value), "who refuses it"
    assert there.get("deployments/web", "apps")["spec"] == {**before, "replicas": 3}


def test_without_write_it_is_refused_here(there: There) -> None:
    nm.apply(WEB)
    looking = nm.connect(kubeconfig=there.kubeconfig, write=False, namespace=there.namespace)
    for change in (
        lambda: looking.apply(WEB),
        lambda: looking.scale("deploy/web", 1),
        lambda: looking.restart("deploy/web"),
        lambda: looking.delete("deploy/web"),
    ):
        with pytest.raises(nm.WriteRefused, match="look only"):
            change()


def test_admission_and_quotas_are_told_as_such(there: There) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "q"},
        "spec": {"hard": {"count/secrets": "0"}},
    }
    nm.apply(quota)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    eventually(lambda: there.get("resourcequotas/q")["status"].get("used") is not None)
    with pytest.raises(nm.Forbidden, match="refused by a resource quota"):
        nm.apply(secret)


def test_files_folders_and_lists(there: There, tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "b.yaml").write_text(WEB)
    one = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "j"}}
    (folder / "a.json").write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [one]}))
    (folder / "notes.txt").write_text("not a manifest")
    assert [row["Name"] for row in nm.apply(folder).rows] == ["j", "conf", "web"]
    assert [row["Result"] for row in nm.apply([str(folder / "b.yaml"), one]).rows] == ["unchanged"] * 3


async def test_awaited(there: There) -> None:
    assert results(await aio.apply(WEB)) == [("ConfigMap", "created"), ("Deployment", "created")]
    assert (await aio.scale("deploy/web", 1)).rows[0]["Result"] == "scaled 2 → 1"
    assert (await aio.restart("deploy/web")).rows[0]["Result"] == "restarted"
    assert (await aio.delete("deploy/web")).rows[0]["Result"] == "deleted"
