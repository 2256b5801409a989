"""The roles and bindings that each cluster has from its beginning, as far as people meet them.

Which rights they give is the real server's (compared by a contract test); of its controllers' own roles
(``system:controller:...``) there are none here, since the playground's controllers are no users.
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground import managed
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.rbac.aggregation import aggregate
from notebook_mux.playground.rbac.resolver import BINDINGS, CLUSTER_BINDINGS, CLUSTER_ROLES, GROUP, ROLES

Json = dict[str, Any]
Rule = tuple[str, str, str] | tuple[str, str, str, str]
"""Verbs, groups and resources, each divided by blanks, and resource names; ``core`` is the group without a name."""

MANAGER = "kube-apiserver"
LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
AGGREGATE = f"{GROUP}/aggregate-to-"

READ = "get list watch"
WRITE = "create delete deletecollection patch update"
READ_WRITE = f"{WRITE} {READ}"

VIEW: list[Rule] = [
    (READ, "core", ("configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods "
                   "replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status")),
    (READ, "core", ("bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
                   "resourcequotas resourcequotas/status")),
    (READ, "core", "namespaces"),
    (READ, "events.k8s.io", "events"),
    (READ, "discovery.k8s.io", "endpointslices"),
    (READ, "apps", ("controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
                   "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale "
                   "statefulsets/status")),
    (READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    (READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
    (READ, "extensions", ("daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses "
                         "ingresses/status networkpolicies replicasets replicasets/scale replicasets/status "
                         "replicationcontrollers/scale")),
    (READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    (READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
    (READ, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
]  # fmt: skip
EDIT: list[Rule] = [
    (READ, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
    ("impersonate", "core", "serviceaccounts"),
    (WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
    ("create", "core", "pods/eviction"),
    (WRITE, "core", ("configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale "
                    "secrets serviceaccounts services services/proxy")),
    ("create", "core", "serviceaccounts/token"),
    (WRITE, "events.k8s.io", "events"),
    (WRITE, "apps", ("daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale "
                    "statefulsets statefulsets/scale")),
    (WRITE, "autoscaling", "horizontalpodautoscalers"),
    (WRITE, "batch", "cronjobs jobs"),
    (WRITE, "extensions", ("daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies "
                          "replicasets replicasets/scale replicationcontrollers/scale")),
    (WRITE, "policy", "poddisruptionbudgets"),
    (WRITE, "networking.k8s.io", "ingresses networkpolicies"),
    (READ_WRITE, "coordination.k8s.io", "leases"),
    (WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
]  # fmt: skip
ADMIN: list[Rule] = [
    ("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    (READ_WRITE, GROUP, "rolebindings roles"),
]
EVENTS: Rule = ("create patch update", "core events.k8s.io", "events")

PLAIN: dict[str, list[Rule]] = {
    "cluster-admin": [("*", "*", "*")],
    "system:aggregate-to-admin": ADMIN,
    "system:aggregate-to-edit": EDIT,
    "system:aggregate-to-view": VIEW,
    "system:basic-user": [
        ("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
        ("create", "authentication.k8s.io", "selfsubjectreviews"),
    ],
    "system:auth-delegator": [
        ("create", "authentication.k8s.io", "tokenreviews"),
        ("create", "authorization.k8s.io", "subjectaccessreviews"),
    ],
    "system:discovery": [],
    "system:monitoring": [("get", "core", "nodes/metrics")],
    "system:public-info-viewer": [],
    "system:service-account-issuer-discovery": [],
    "system:kube-dns": [("list watch", "core", "endpoints services")],
    "system:node-problem-detector": [("get", "core", "nodes"), ("patch", "core", "nodes/status"), EVENTS],
    "system:persistent-volume-provisioner": [
        ("create delete get list watch", "core", "persistentvolumes"),
        ("get list update watch", "core", "persistentvolumeclaims"),
        (READ, "storage.k8s.io", "storageclasses"),
        ("watch", "core", "events"),
        EVENTS,
    ],
}

URLS: dict[str, str] = {
    "system:discovery": "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/",
    "system:monitoring": "/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz",
    "system:public-info-viewer": "/healthz /livez /readyz /version /version/",
    "system:service-account-issuer-discovery": "/.well-known/openid-configuration /.well-known/openid-configuration/ "
                                               "/openid/v1/jwks /openid/v1/jwks/",
}  # fmt: skip
"""What may be got that is no resource."""

AGGREGATED = ("admin", "edit", "view")
INTO = {"edit": "admin", "view": "edit"} | {f"system:aggregate-to-{name}": name for name in AGGREGATED}
"""Which of the aggregated roles a role is a part of."""

BOUND: dict[str, tuple[str, ...]] = {
    "cluster-admin": ("system:masters",),
    "system:basic-user": ("system:authenticated",),
    "system:discovery": ("system:authenticated",),
    "system:monitoring": ("system:monitoring",),
    "system:public-info-viewer": ("system:authenticated", "system:unauthenticated"),
    "system:service-account-issuer-discovery": ("system:serviceaccounts",),
}
"""To which groups a role is bound in the whole cluster."""

AUTHENTICATION_READER = "extension-apiserver-authentication-reader"


def begin(cluster: Cluster) -> None:
    """Make the roles and bindings that are not there.

    Their uids are drawn apart: a seed's world is the same with them and without.
    """
    with cluster.apart(GROUP):
        _begin(cluster)


def _begin(cluster: Cluster) -> None:
    for name, rules in PLAIN.items():
        found = [_rule(*rule) for rule in rules]
        if name == "cluster-admin":
            found.append({"verbs": ["*"], "nonResourceURLs": ["*"]})
        elif name in URLS:
            found.insert(0, {"verbs": ["get"], "nonResourceURLs": URLS[name].split()})
        _make(cluster, CLUSTER_ROLES, "ClusterRole", name, {"rules": found})
    for name in AGGREGATED:
        selectors = [{"matchLabels": {AGGREGATE + name: "true"}}]
        parts = {"aggregationRule": {"clusterRoleSelectors": selectors}, "rules": None}
        _make(cluster, CLUSTER_ROLES, "ClusterRole", name, parts)
    for name, groups in BOUND.items():
        subjects = [{"kind": "Group", "apiGroup": GROUP, "name": group} for group in groups]
        _make(cluster, CLUSTER_BINDINGS, "ClusterRoleBinding", name, _bound("ClusterRole", name, subjects))
    reading = _rule(READ, "core", "configmaps", "extension-apiserver-authentication")
    _make(cluster, ROLES, "Role", AUTHENTICATION_READER, {"rules": [reading]}, "kube-system")
    subjects = [
        {"kind": "User", "apiGroup": GROUP, "name": f"system:kube-{part}"}
        for part in ("controller-manager", "scheduler")
    ]
    bound = _bound("Role", AUTHENTICATION_READER, subjects)
    _make(cluster, BINDINGS, "RoleBinding", f"system::{AUTHENTICATION_READER}", bound, "kube-system")
    aggregate(cluster)


def _rule(verbs: str, groups: str, resources: str, names: str = "") -> Json:
    rule: Json = {
        "verbs": verbs.split(),
        "apiGroups": ["" if group == "core" else group for group in groups.split()],
        "resources": resources.split(),
    }
    return rule | ({"resourceNames": names.split()} if names else {})


def _bound(kind: str, role: str, subjects: list[Json]) -> Json:
    return {"subjects": subjects, "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role}}


def _make(cluster: Cluster, resource: str, kind: str, name: str, parts: Json, namespace: str = "") -> None:
    if cluster.store.get(resource, namespace, name) is not None:
        return
    into = INTO.get(name)
    metadata: Json = {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        "labels": {**LABELS, **({AGGREGATE + into: "true"} if into else {})},
        "annotations": dict(ANNOTATIONS),
    }
    obj: Json = {"kind": kind, "apiVersion": f"{GROUP}/v1", "metadata": metadata, **parts}
    managed.record(obj, MANAGER, cluster.agenda.stamp(), obj)
    cluster.create(obj)
