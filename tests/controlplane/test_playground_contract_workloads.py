"""What controllers make of workloads, on both sides: roll-outs, sets in order, daemons, endpoints, namespaces' ends."""

from __future__ import annotations

import re
from typing import Any

from tests.controlplane.places import TOOK_S, Place
from tests.controlplane.sides import Json, config_map

REVISION = "deployment.kubernetes.io/revision"


def spec_of(app: str, image: str = "nginx:1", **more: Any) -> Json:
    pods = {"terminationGracePeriodSeconds": 1, "containers": [{"name": "a", "image": image}], **more.pop("pod", {})}
    template = {"metadata": {"labels": {"app": app}}, "spec": pods}
    return {"selector": {"matchLabels": {"app": app}}, "template": template, **more}


def image(name: str) -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": name}]}}}}


def condition(obj: Json, kind: str) -> tuple[Any, ...]:
    for one in obj.get("status", {}).get("conditions", ()):
        if one["type"] == kind:
            return one["status"], one.get("reason"), one.get("message")
    return ()


def test_a_deployment_is_rolled_out_undone_and_paused(here: Place):
    here.make("Deployment", "web", spec_of("web", replicas=3, revisionHistoryLimit=2))
    done = 'deployment "web" successfully rolled out'
    assert here.kubectl("rollout", "status", "deployment/web", f"--timeout={TOOK_S}s").splitlines()[-1] == done

    def sets() -> dict[str, Json]:
        return {one["metadata"]["annotations"][REVISION]: one for one in here.get("replicasets")["items"]}

    (first,) = sets().values()
    assert first["metadata"]["annotations"] == {
        "deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4", REVISION: "1",
    }  # fmt: skip
    name = first["metadata"]["name"]
    status = here.get("deployments", "web")
    assert condition(status, "Available") == (
        "True", "MinimumReplicasAvailable", "Deployment has minimum availability.",
    )  # fmt: skip
    assert condition(status, "Progressing") == (
        "True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.',
    )  # fmt: skip
    counts = {key: value for key, value in status["status"].items() if key != "conditions"}
    assert counts == {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
                      "availableReplicas": 3, "terminatingReplicas": 0}  # fmt: skip
    here.until(lambda: here.messages("ScalingReplicaSet", "web") == [f"Scaled up replica set {name} from 0 to 3"])
    here.kubectl("annotate", "deployment/web", "kubernetes.io/change-cause=second")
    here.until(lambda: "kubernetes.io/change-cause" in sets()["1"]["metadata"]["annotations"])
    here.patch("deployments", "web", image("nginx:2"))
    assert here.kubectl("rollout", "status", "deployment/web", f"--timeout={TOOK_S}s").splitlines()[-1] == done
    assert here.kubectl("rollout", "history", "deployment/web") == (
        "deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         second\n2         second\n\n"
    )
    here.until(lambda: sets()["1"]["spec"]["replicas"] == 0)
    assert here.kubectl("rollout", "undo", "deployment/web") == "deployment.apps/web rolled back\n"
    here.until(lambda: set(sets()) == {"2", "3"}, "the first template is the third revision")
    here.kubectl("rollout", "status", "deployment/web", f"--timeout={TOOK_S}s")
    assert {one["spec"]["containers"][0]["image"] for one in here.pods("web")} == {"nginx:1"}
    assert here.get("deployments", "web")["metadata"]["annotations"][REVISION] == "3"
    assert here.kubectl("rollout", "pause", "deployment/web") == "deployment.apps/web paused\n"
    paused = ("Unknown", "DeploymentPaused", "Deployment is paused")
    here.until(lambda: condition(here.get("deployments", "web"), "Progressing") == paused)
    here.patch("deployments", "web", image("nginx:3"))
    here.patch("deployments", "web", {"spec": {"replicas": 5}})
    here.until(lambda: sets()["3"]["spec"]["replicas"] == 5, "sizes change while it is paused")
    assert set(sets()) == {"2", "3"}  # templates do not
    assert here.kubectl("rollout", "resume", "deployment/web") == "deployment.apps/web resumed\n"
    here.until(lambda: sets().get("4", {}).get("status", {}).get("availableReplicas") == 5)
    assert here.kubectl("rollout", "restart", "deployment/web") == "deployment.apps/web restarted\n"
    here.kubectl("rollout", "status", "deployment/web", f"--timeout={TOOK_S}s")
    here.until(lambda: set(sets()) == {"3", "4", "5"}, "the oldest template is forgotten")


def test_a_deployment_that_does_not_come_up(here: Place):
    spec = spec_of("stuck", replicas=4, progressDeadlineSeconds=3, pod={"nodeSelector": {"no": "such"}})
    spec["strategy"] = {"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}}
    here.make("Deployment", "stuck", spec)
    here.until(lambda: condition(here.get("deployments", "stuck"), "Progressing")[:2] == (
        "False", "ProgressDeadlineExceeded"))  # fmt: skip
    found = here.get("deployments", "stuck")
    (only,) = here.get("replicasets")["items"]
    assert condition(found, "Progressing")[2] == f'ReplicaSet "{only["metadata"]["name"]}" has timed out progressing.'
    assert condition(found, "Available") == (
        "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.",
    )  # fmt: skip
    said = here.kubectl("rollout", "status", "deployment/stuck", fails=True)
    assert said == 'error: deployment "stuck" exceeded its progress deadline\n'
    here.patch("deployments", "stuck", {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}})
    here.patch("deployments", "stuck", image("nginx:2"))
    old = only["metadata"]["name"]
    here.until(lambda: here.get("replicasets", old)["spec"]["replicas"] == 0)
    here.until(lambda: sorted(one["spec"]["replicas"] for one in here.get("replicasets")["items"]) == [0, 4])


def test_a_stateful_set_in_order_in_parts_and_by_hand(here: Place):
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "",
               "volumeName": "", "resources": {"requests": {"storage": "1Gi"}}}}]  # fmt: skip
    here.make("StatefulSet", "db", spec_of("db", replicas=3, serviceName="db"))
    here.until(lambda: here.get("statefulsets", "db")["status"].get("availableReplicas") == 3)
    assert [one["metadata"]["name"] for one in here.pods("db")] == ["db-0", "db-1", "db-2"]
    created = [f"Create Pod db-{number} in StatefulSet db successful" for number in range(3)]
    here.until(lambda: sorted(here.messages("SuccessfulCreate", "db")) == created)
    pod = here.pods("db")[1]
    revision = here.get("statefulsets", "db")["status"]["currentRevision"]
    assert pod["metadata"]["labels"] == {
        "app": "db", "apps.kubernetes.io/pod-index": "1", "controller-revision-hash": revision,
        "statefulset.kubernetes.io/pod-name": "db-1",
    }  # fmt: skip
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-1", "db")
    here.patch("statefulsets", "db", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}})
    here.patch("statefulsets", "db", image("nginx:2"))

    def images() -> list[str]:
        return [one["spec"]["containers"][0]["image"] for one in here.pods("db")]

    here.until(lambda: images() == ["nginx:1", "nginx:1", "nginx:2"])
    here.until(lambda: here.get("statefulsets", "db")["status"].get("updatedReplicas") == 1)
    status = here.get("statefulsets", "db")["status"]
    assert status["currentRevision"] == revision != status["updateRevision"]
    here.side.ask("DELETE", here.of("pods", "db-0"))
    here.until(lambda: images() == ["nginx:1", "nginx:1", "nginx:2"] and here.get("statefulsets", "db")["status"].get(
        "readyReplicas") == 3)  # fmt: skip
    here.patch("statefulsets", "db", {"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}})
    here.side.ask("DELETE", here.of("pods", "db-1"))
    here.until(lambda: images() == ["nginx:1", "nginx:2", "nginx:2"])
    here.until(lambda: here.get("statefulsets", "db")["status"].get("readyReplicas") == 3)
    here.patch("statefulsets", "db", {"spec": {"replicas": 1}})
    here.until(lambda: [one["metadata"]["name"] for one in here.get("pods", group="v1")["items"]] == ["db-0"])
    here.make("StatefulSet", "many", spec_of("many", replicas=2, serviceName="many", podManagementPolicy="Parallel",
                                             volumeClaimTemplates=claims))  # fmt: skip
    names = ["data-many-0", "data-many-1"]
    here.until(
        lambda: [one["metadata"]["name"] for one in here.get("persistentvolumeclaims", group="v1")["items"]] == names
    )
    here.until(lambda: len(here.pods("many")) == 2)  # both, though neither can be scheduled
    assert here.pods("many")[0]["spec"]["volumes"][0] == {
        "name": "data", "persistentVolumeClaim": {"claimName": "data-many-0"},
    }  # fmt: skip
    said = "Create Claim data-many-0 Pod many-0 in StatefulSet many success"
    here.until(lambda: said in here.messages("SuccessfulCreate", "many"))
    here.side.ask("DELETE", here.of("statefulsets", "many", "apps/v1"))
    here.until(lambda: not here.get("pods", group="v1", labelSelector="app=many")["items"])
    assert len(here.get("persistentvolumeclaims", group="v1")["items"]) == 2


def test_a_daemon_on_each_node(here: Place):
    nodes = len(here.side.get("/api/v1/nodes").json()["items"])
    here.make("DaemonSet", "agent", spec_of("agent", pod={"hostNetwork": True}))
    here.until(lambda: here.get("daemonsets", "agent")["status"].get("numberAvailable") == nodes)
    status = here.get("daemonsets", "agent")["status"]
    assert status == {
        "currentNumberScheduled": nodes, "numberMisscheduled": 0, "desiredNumberScheduled": nodes, "numberReady": nodes,
        "observedGeneration": 1, "updatedNumberScheduled": nodes, "numberAvailable": nodes,
    }  # fmt: skip
    pod = here.pods("agent")[0]
    field = {"key": "metadata.name", "operator": "In", "values": [pod["spec"]["nodeName"]]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    assert pod["spec"]["affinity"] == {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
    }  # fmt: skip
    wanted = [("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
              ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
              ("network-unavailable", "NoSchedule")]  # fmt: skip
    assert pod["spec"]["tolerations"] == [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect} for key, effect in wanted
    ]
    assert pod["metadata"]["labels"]["pod-template-generation"] == "1"
    here.patch("daemonsets", "agent", image("nginx:2"))
    here.until(lambda: here.get("daemonsets", "agent")["status"].get("updatedNumberScheduled") == nodes)
    here.kubectl("rollout", "status", "daemonset/agent", f"--timeout={TOOK_S}s")
    history = here.kubectl("rollout", "history", "daemonset/agent")
    assert history == "daemonset.apps/agent \nREVISION  CHANGE-CAUSE\n1         <none>\n2         <none>\n\n"
    assert {one["metadata"]["labels"]["pod-template-generation"] for one in here.pods("agent")} == {"2"}
    undone = here.kubectl("rollout", "undo", "daemonset/agent")
    assert undone == "daemonset.apps/agent rolled back\n"
    here.until(lambda: {one["spec"]["containers"][0]["image"] for one in here.pods("agent")} == {"nginx:1"})
    here.patch("daemonsets", "agent", {"spec": {"template": {"spec": {"nodeSelector": {"no": "such"}}}}})
    here.until(lambda: here.get("daemonsets", "agent")["status"].get("desiredNumberScheduled") == 0)
    here.until(lambda: not here.pods("agent"))


def test_endpoints_of_services(here: Place):
    ports = [{"name": "web", "containerPort": 8080}]
    pod = spec_of("x", pod={"hostname": "first", "subdomain": "heads"})["template"]["spec"]
    pod["containers"][0]["ports"] = ports
    made = here.side.ask("POST", here.of("pods"), {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "x"}}, "spec": pod})  # fmt: skip
    assert made.status == 201
    here.until(lambda: condition(here.get("pods", "p", "v1"), "Ready")[:1] == ("True",))
    selector = {"app": "x"}
    for name, spec in (
        (
            "heads",
            {"clusterIP": "None", "selector": selector, "ports": [{"name": "a", "port": 80, "targetPort": "web"}]},
        ),
        ("bare", {"clusterIP": "None", "selector": selector}),
        ("lost", {"selector": selector, "ports": [{"port": 80, "targetPort": "no-such"}]}),
        ("empty", {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}),
        ("manual", {"ports": [{"port": 80}]}),
    ):
        here.make("Service", name, spec, "v1")

    def slices() -> dict[str, Json]:
        found = here.get("endpointslices", group="discovery.k8s.io/v1")["items"]
        return {one["metadata"]["labels"]["kubernetes.io/service-name"]: one for one in found}

    def are_ready() -> bool:
        found = slices()
        ends = [end for name in ("heads", "bare", "lost") for end in found.get(name, {}).get("endpoints") or [{}]]
        return set(found) == {"heads", "bare", "lost", "empty"} and all(
            end.get("conditions", {}).get("ready") for end in ends
        )

    here.until(are_ready)
    found = slices()
    address = here.get("pods", "p", "v1")["status"]["podIP"]
    endpoint = {key: value for key, value in found["heads"]["endpoints"][0].items() if key not in ("targetRef", "zone")}
    assert endpoint == {
        "addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False},
        "hostname": "first", "nodeName": here.get("pods", "p", "v1")["spec"]["nodeName"],
    }  # fmt: skip
    assert found["heads"]["endpoints"][0]["targetRef"]["name"] == "p"
    assert found["heads"]["ports"] == [{"name": "a", "protocol": "TCP", "port": 8080}]
    assert [found[name]["ports"] for name in ("bare", "lost", "empty")] == [None, None, None]
    assert found["empty"]["endpoints"] is None
    labels = found["heads"]["metadata"]["labels"]
    assert labels == {
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "kubernetes.io/service-name": "heads", "service.kubernetes.io/headless": "",
    }  # fmt: skip
    here.patch("services", "heads", {"spec": {"publishNotReadyAddresses": True}}, "v1")
    here.patch("pods", "p/status", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, "v1")
    here.until(lambda: slices()["bare"]["endpoints"][0]["conditions"]["serving"] is False)
    here.until(lambda: slices()["heads"]["endpoints"][0]["conditions"] == {
        "ready": True, "serving": False, "terminating": False})  # fmt: skip
    assert slices()["bare"]["endpoints"][0]["conditions"] == {"ready": False, "serving": False, "terminating": False}
    here.side.ask("DELETE", here.of("services", "bare"))
    here.until(lambda: "bare" not in slices())


def test_the_end_of_a_namespace_waits_for_finalizers(here: Place):
    held = config_map("held")
    held["metadata"]["finalizers"] = ["x.example/keep"]
    assert here.side.ask("POST", here.of("configmaps"), held).status == 201
    here.side.ask("DELETE", here.path)
    remains = "NamespaceContentRemaining"
    here.until(lambda: condition(here.side.get(here.path).json(), remains)[:1] == ("True",))
    found = here.side.get(here.path).json()
    assert (found["status"]["phase"], found["spec"]) == ("Terminating", {"finalizers": ["kubernetes"]})
    assert condition(found, remains) == (
        "True", "SomeResourcesRemain", "Some resources are remaining: configmaps. has 1 resource instances",
    )  # fmt: skip
    assert condition(found, "NamespaceFinalizersRemaining") == (
        "True", "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: x.example/keep in 1 resource instances",
    )  # fmt: skip
    refused = here.side.ask("POST", here.of("configmaps"), config_map("late")).json()
    assert re.fullmatch(
        r'configmaps "late" is forbidden: unable to create new content in namespace \S+ because it is being terminated',
        refused["message"],
    )
    here.patch("configmaps", "held", {"metadata": {"finalizers": None}}, "v1")
    here.until(lambda: here.side.get(here.path).status == 404)
