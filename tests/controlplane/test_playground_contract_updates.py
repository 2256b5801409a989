"""Patches, updates and deletions: the playground and the real server make the same of them, and refuse the same."""

from __future__ import annotations

import copy
import re
from functools import partial
from typing import Any

from tests.controlplane.pairs import Pair, pair
from tests.unit.playground import objects
from tests.unit.playground.client import JSON_PATCH, MERGE, STRATEGIC, Answer, Client
from tests.waiting import eventually

__all__ = ["pair"]

Json = dict[str, Any]

UID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
RECORD = re.compile(r"in record \(\d+\)")
DIFF = re.compile(r"\n@@ .*", re.DOTALL)
"""What the real server adds to a refused change of a whole spec: the two of Go's own structs, line by line."""
GIVEN = ("clusterIP", "clusterIPs", "nodePort")


def said(answer: Answer) -> Any:
    """What an answer says that does not depend on the server: the failure, or the object's own content."""
    if not answer.body:
        return answer.status
    body = answer.json()
    if body["kind"] == "Status":
        text = RECORD.sub("in record", UID.sub("UID", DIFF.sub("", body.get("message", ""))))
        causes = [(one["reason"], one["field"]) for one in (body.get("details") or {}).get("causes", ())]
        return answer.status, body["status"], body.get("reason"), text, causes
    metadata = body["metadata"]
    own = {key: metadata.get(key) for key in ("labels", "finalizers", "generation", "deletionGracePeriodSeconds")}
    own["deleting"] = "deletionTimestamp" in metadata
    return answer.status, body["kind"], own, body.get("data"), _plain(body.get("spec"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key not in GIVEN}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _is_gone(side: Client, item: str) -> bool:
    return side.get(item).status == 404


def _is_going(side: Client, item: str) -> bool:
    return "deletionTimestamp" in side.get(item).json()["metadata"]


class Steps:
    """Changes of one object on both sides, each compared."""

    def __init__(self, sides: Pair, path: str, obj: Json):
        self.sides, self.path, self.obj = sides, path, obj
        self.item = f"{path}/{obj['metadata']['name']}"

    def both(self, what: Any, method: str, path: str, body: Any = None, **more: Any) -> Any:
        mine, theirs = (said(side.ask(method, path, copy.deepcopy(body), **more)) for side in self.sides)
        assert mine == theirs, what
        return mine

    def create(self) -> Any:
        return self.both("create", "POST", self.path, self.obj)

    def patch(self, patch: Any, media: str = MERGE, path: str = "") -> Any:
        return self.both(patch, "PATCH", self.item + path, patch, media=media)

    def put(self, **change: Any) -> Any:
        return self.both(change, "PUT", self.item, {**self.obj, **change})

    def delete(self, options: Any = None, **query: Any) -> Any:
        return self.both((options, query), "DELETE", self.item, options, **query)

    def gone(self, item: str = "") -> None:
        for side in self.sides:
            eventually(partial(_is_gone, side, item or self.item), item or self.item, seconds=90)


def config_map(core: str, name: str, **metadata: Any) -> tuple[str, Json]:
    obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, **metadata},
        "data": {"x": "1", "y": "2"},
    }
    return f"{core}/configmaps", obj


JSON_PATCHES: list[Any] = [
    {}, b"{", b"", [1], "x",
    [{"op": "x", "path": "/a"}], [{"path": "/data/x"}], [{"op": "add", "value": "1"}],
    [{"op": "test", "path": "/data/x", "value": "9"}], [{"op": "test", "path": "/data/nope", "value": None}],
    [{"op": "remove", "path": "/data/nope"}], [{"op": "replace", "path": "/data/nope", "value": "1"}],
    [{"op": "add", "path": "/nope/nope", "value": "1"}], [{"op": "move", "from": "/data/x", "path": "/data/w"}],
    [{"op": "copy", "from": "/data/w", "path": "/data/x"}],
    [{"op": "add", "path": "/metadata/finalizers", "value": ["a/a", "b/b"]}],
    [{"op": "add", "path": "/metadata/finalizers/-", "value": "c/c"}],
    [{"op": "remove", "path": "/metadata/finalizers/-1"}], [{"op": "remove", "path": "/metadata/finalizers/7"}],
    [{"op": "add", "path": "/metadata/finalizers/01", "value": "z/z"}],
    [{"op": "add", "path": "/metadata/finalizers/-2", "value": "y/y"}],
    [{"op": "replace", "path": "/metadata/finalizers/-", "value": "q/q"}],
    [{"op": "remove", "path": "/metadata/finalizers"}], [{"op": "replace", "path": "/metadata/name", "value": "b"}],
    [{"op": "remove", "path": "/metadata/name"}],
    [{"op": "test", "path": "/data/x", "value": "1"}] * 10_001,
]  # fmt: skip
MERGES: list[Any] = [
    b"{", b"[]", {"data": {"x": None, "n": "1"}}, {"data": None, "metadata": {"labels": None}},
    {"metadata": {"name": "zz"}}, {"metadata": {"namespace": "zz"}}, {"metadata": {"uid": "zz"}}, {"metadata": None},
    {"metadata": {"resourceVersion": "zz"}}, {"metadata": {"resourceVersion": "1"}}, {"kind": None},
    {"metadata": {"creationTimestamp": None}}, {"metadata": {"generation": 7}},
    {"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}},
    {"immutable": True, "data": {"x": "1"}}, {"data": {"x": "2"}}, {"immutable": False}, {"binaryData": {"b": "YQ=="}},
    {"metadata": {"labels": {"a": "b"}}},
]  # fmt: skip
STRATEGICS: list[Any] = [
    b"{", b"[]", {"data": {"$patch": "x"}}, {"data": {"$patch": "merge"}}, {"$patch": "delete"},
    {"metadata": {"labels": {"$patch": "delete"}}}, {"metadata": {"labels": {"$patch": "replace", "n": "m"}}},
    {"metadata": {"$retainKeys": ["x"], "labels": {"a": "b"}}}, {"metadata": {"finalizers": ["a/a", "b/b"]}},
    {"metadata": {"finalizers": ["c/c", "a/a"]}}, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/a"]}},
    {"metadata": {"$setElementOrder/finalizers": ["b/b", "c/c"]}},
    {"metadata": {"$setElementOrder/finalizers": ["b/b", "c/c"], "finalizers": ["d/d"]}},
    {"metadata": {"$setElementOrder/finalizers": "b"}}, {"metadata": {"finalizers": None}},
    {"metadata": {"ownerReferences": [{"name": "x"}]}},
]  # fmt: skip


def test_patches_of_a_config_map(pair: Pair):
    core = pair.place("patch-cm")
    steps = Steps(pair, *config_map(core, "a", labels={"of": "test"}))
    steps.create()
    for media in ("application/json", "text/plain", "application/apply-patch+cbor"):
        assert steps.patch({}, media)[0] == 415
    for patch in JSON_PATCHES:
        steps.patch(patch, JSON_PATCH)
    for patch in MERGES:
        steps.patch(patch)
    for patch in STRATEGICS:
        steps.patch(patch, STRATEGIC)


def _pod(**spec: Any) -> Json:
    return {"spec": {"template": {"spec": spec}}}


ORDER = "$setElementOrder/containers"
OF_PODS: list[Json] = [
    _pod(containers=[{"name": "side", "image": "b"}]),
    _pod(containers=[{"name": "web", "image": "c"}, {"name": "new", "image": "n"}]),
    _pod(containers=[{"name": "new", "image": "n2"}, {"name": "z", "image": "z"},
                     {"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]),
    _pod(**{ORDER: [{"name": "web"}, {"name": "side"}, {"name": "new"}]}),
    _pod(**{ORDER: [{"name": "web"}, {"name": "side"}], "containers": [{"name": "k", "image": "k"}]}),
    _pod(**{ORDER: [{"name": "web"}, {"name": "k"}], "containers": [{"name": "k", "image": "k"}]}),
    _pod(containers=[{"image": "x"}]), _pod(containers=[{"$patch": "delete"}]),
    _pod(containers=[{"$patch": "merge", "name": "web"}]), _pod(containers=[{"$patch": "zap", "name": "web"}]),
    _pod(containers=[{"$patch": "delete", "name": "side"}, {"$patch": "delete", "name": "nope"}]),
    _pod(containers=[{"name": "web", "env": [{"name": "A", "$patch": "delete"}, {"name": "C", "valueFrom": None}]}]),
    _pod(containers=[{"name": "web", "args": ["a", "b"]}]), _pod(containers=[{"name": "web", "args": ["c"]}]),
    _pod(containers=[{"name": "web", "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]}]),
    _pod(containers=[{"name": "web", "ports": [{"containerPort": 80, "name": "h"}]}]),
    {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
    {"spec": {"strategy": {"$retainKeys": ["type"], "type": "RollingUpdate", "rollingUpdate": {}}}},
    {"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}},
    _pod(volumes=[{"name": "v", "emptyDir": {}}]),
    _pod(volumes=[{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "x"}}]),
    _pod(volumes=[{"$patch": "replace"}, {"name": "w", "emptyDir": {}}]), _pod(volumes=None),
    _pod(nodeSelector={"a": "b"}), _pod(nodeSelector={"$patch": "replace", "c": "d"}),
    _pod(containers=[{"$patch": "replace"}]), _pod(tolerations=[{"key": "a", "operator": "Exists"}]),
    _pod(tolerations=[{"key": "b", "operator": "Exists"}]), _pod(restartPolicy="Never"),
    {"spec": {"selector": {"matchLabels": {"z": "z"}}}}, {"spec": {"selector": None}}, {"spec": {"replicas": None}},
    {"metadata": {"annotations": {"counts": "as a generation"}}}, {"metadata": {"labels": {"does": "not"}}},
]  # fmt: skip


def test_strategic_patches_of_a_deployment(pair: Pair):
    core = pair.place("patch-deploy")
    steps = Steps(pair, core.replace("/api/v1", "/apis/apps/v1") + "/deployments",
                  {**objects.deployment("web", replicas=0), "metadata": {"name": "web"}})  # fmt: skip
    steps.obj["spec"]["paused"] = True
    steps.create()
    for patch in OF_PODS:
        steps.patch(patch, STRATEGIC)


def _workload(kind: str, name: str, **spec: Any) -> Json:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": name, "image": "a"}],
                                                                 "nodeSelector": {"no": "where"}}}  # fmt: skip
    full = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": full}


OTHER = {"matchLabels": {"app": "other"}}
OF_WORKLOADS: list[Json] = [
    {"spec": {"selector": OTHER}}, {"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}},
    {"spec": {"selector": OTHER, "template": {"metadata": {"labels": {"app": "other"}}}}},
    {"spec": {"selector": None}}, {"metadata": {"labels": {"l": "m"}}}, {"metadata": {"annotations": {"l": "m"}}},
    _pod(restartPolicy="Never"), {"status": {"observedGeneration": 77}},
    _pod(containers=[{"name": "q", "image": "r"}]),
]  # fmt: skip


def test_what_is_set_once(pair: Pair):
    core = pair.place("updates")
    apps = core.replace("/api/v1", "/apis/apps/v1")
    for plural, obj in (
        ("replicasets", _workload("ReplicaSet", "rs", replicas=0)),
        ("statefulsets", _workload("StatefulSet", "ss", replicas=0, serviceName="x")),
        ("daemonsets", _workload("DaemonSet", "ds")),
    ):
        steps = Steps(pair, f"{apps}/{plural}", obj)
        steps.create()
        for patch in OF_WORKLOADS:
            steps.patch(patch)
        status = {"spec": {"replicas": 5}, "metadata": {"labels": {"st": "x"}, "finalizers": ["a/b"]}}
        steps.patch(status, path="/status")
        if plural == "statefulsets":
            for changed in ({"serviceName": "y"}, {"podManagementPolicy": "Parallel"}, {"minReadySeconds": 3}):
                steps.patch({"spec": changed})
    pod = Steps(pair, f"{core}/pods", objects.pod("p", automountServiceAccountToken=False))
    pod.create()
    for patch in ({"nodeName": "x"}, {"activeDeadlineSeconds": 5}, {"activeDeadlineSeconds": 9}, {"hostname": "h"},
                  {"terminationGracePeriodSeconds": 5}, {"containers": [{"name": "a", "image": "b"}]},
                  {"containers": [{"name": "a", "args": ["x"]}]}, {"containers": [{"name": "b", "image": "x"}]},
                  {"tolerations": [{"key": "z", "operator": "Exists"}]}):  # fmt: skip
        pod_said = pod.patch({"spec": patch}, STRATEGIC)
        assert pod_said[0] in (200, 422)
    secret = Steps(pair, f"{core}/secrets", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
                                             "data": {"a": "YQ=="}})  # fmt: skip
    secret.create()
    for patch in ({"type": "x"}, {"stringData": {"b": "c"}}, {"immutable": True}, {"data": {"a": "Yg=="}},
                  {"immutable": None}, {"metadata": {"labels": {"l": "m"}}}):  # fmt: skip
        secret.patch(patch)
    service = Steps(pair, f"{core}/services", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
                                               "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}})  # fmt: skip
    service.create()
    for patch in ({"clusterIP": "10.96.9.9"}, {"clusterIP": ""}, {"clusterIP": None, "clusterIPs": None},
                  {"clusterIP": "None"}, {"type": "NodePort"}, {"type": "ClusterIP"}, {"type": "Foo"}, {"ports": []},
                  {"type": "ExternalName", "externalName": "a.b"}, {"clusterIPs": ["10.96.9.9"]}):  # fmt: skip
        service.patch({"spec": patch})
    rbac = core.replace("/api/v1", "/apis/rbac.authorization.k8s.io/v1")
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    binding = Steps(pair, f"{rbac}/rolebindings", {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                                                   "metadata": {"name": "b"}, "roleRef": role})  # fmt: skip
    binding.create()
    assert binding.patch({"roleRef": {"name": "z"}})[0] == 422
    leases = core.replace("/api/v1", "/apis/coordination.k8s.io/v1") + "/leases"
    obj = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}, "spec": {}}
    lease = Steps(pair, leases, obj)
    lease.create()
    assert lease.put()[0] == 422
    revision = Steps(pair, f"{apps}/controllerrevisions", {
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "r"}, "revision": 1,
        "data": {"a": {"b": 1}}})  # fmt: skip
    revision.create()
    for data, media in (({"a": {"c": 1}}, MERGE), ({"a": 5}, STRATEGIC), (5, MERGE), ([1], STRATEGIC)):
        assert revision.patch({"data": data}, media)[0] == 422


def test_changes_that_change_nothing(pair: Pair):
    core = pair.place("no-change")
    path, obj = config_map(core, "a")
    for side in pair:
        side.ask("POST", path, obj)
        first = side.get(f"{path}/a").json()
        for answer in (
            side.ask("PUT", f"{path}/a", first),
            side.ask("PUT", f"{path}/a", obj),
            side.ask("PATCH", f"{path}/a", {"data": {"x": "1"}}, media=MERGE),
            side.ask("PATCH", f"{path}/a", [], media=JSON_PATCH),
        ):
            assert answer.json() == first
        changed = side.ask("PUT", f"{path}/a", {**first, "data": {"x": "2"}})
        assert changed.status == 200
        assert int(changed.json()["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
        assert side.ask("PUT", f"{path}/a", first).status == 409


def test_deletions_and_their_options(pair: Pair):
    core = pair.place("deletes")
    a = Steps(pair, *config_map(core, "a"))
    a.create()
    for options in ({"preconditions": {"uid": "zz"}}, {"preconditions": {"resourceVersion": "1"}},
                    {"propagationPolicy": "Foo"}, {"propagationPolicy": "Orphan", "orphanDependents": True},
                    {"dryRun": ["x"]}, {"dryRun": ["All"]}, b"{", []):  # fmt: skip
        a.delete(options)
    a.delete(propagationPolicy="Foo")
    a.delete({"propagationPolicy": "Background"})
    a.delete()
    a.obj["metadata"]["finalizers"] = ["t/a"]
    a.create()
    a.delete()
    a.delete()
    a.patch({"metadata": {"finalizers": ["t/a", "t/b"]}})
    a.patch({"data": {"z": "1"}})
    a.patch({"metadata": {"finalizers": None}})
    a.gone()
    bare = objects.pod("p", automountServiceAccountToken=False)
    for kind, obj in (("pods", bare), ("serviceaccounts", {"metadata": {"name": "p"}})):
        one = Steps(pair, f"{core}/{kind}", obj)
        one.create()
        one.delete()
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}
    job = {"metadata": {"name": "j"}, "spec": {"suspend": True, "template": template}}
    jobs = Steps(pair, core.replace("/api/v1", "/apis/batch/v1") + "/jobs", job)
    assert [side.ask("POST", jobs.path, job).status for side in pair] == [201, 201]
    warned = [side.ask("DELETE", jobs.item).headers.get("Warning") for side in pair]
    assert warned[0] == warned[1]
    assert "child pods are preserved" in str(warned[0])


def test_what_owners_mean_for_their_dependents(pair: Pair):
    core = pair.place("owners")
    path = f"{core}/configmaps"

    def family(policy: str, **dependent: Any) -> Steps:
        """An owner with two dependents, one of which blocks it; the owner is deleted by a policy."""
        owner = Steps(pair, *config_map(core, f"owner-{policy.lower()}"))
        owner.create()
        for side in pair:
            uid = side.get(owner.item).json()["metadata"]["uid"]
            reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner.obj["metadata"]["name"], "uid": uid}
            for name, more in (("blocks", {"blockOwnerDeletion": True}), ("free", {})):
                metadata = {"name": f"{name}-{policy.lower()}", "ownerReferences": [{**reference, **more}], **dependent}
                made = side.ask("POST", path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
                assert made.status == 201, made.body
        owner.delete({"propagationPolicy": policy})
        return owner

    background = family("Background")
    for name in ("owner", "blocks", "free"):
        background.gone(f"{path}/{name}-background")
    orphans = family("Orphan")
    orphans.gone()
    for name in ("blocks", "free"):
        for side in pair:
            assert "ownerReferences" not in side.get(f"{path}/{name}-orphan").json()["metadata"]
    held = family("Foreground", finalizers=["t/held"])
    for side in pair:
        for name in ("blocks", "free"):
            item = f"{path}/{name}-foreground"
            eventually(partial(_is_going, side, item), item, seconds=90)
        assert side.get(held.item).json()["metadata"]["finalizers"] == ["foregroundDeletion"]
        free = {"metadata": {"finalizers": None}}
        assert side.ask("PATCH", f"{path}/blocks-foreground", free, media=MERGE).status == 200
    held.gone()
    for side in pair:  # the one that does not block goes on waiting for its finalizer
        assert side.get(f"{path}/free-foreground").status == 200
    lonely = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "lonely", "ownerReferences": [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "not-there"}]}}  # fmt: skip
    for side in pair:
        assert side.ask("POST", path, lonely).status == 201
    Steps(pair, path, lonely).gone()
