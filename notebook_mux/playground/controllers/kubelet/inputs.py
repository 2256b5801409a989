"""What a pod needs from other objects: environment from ConfigMaps and Secrets, volumes; and what it is told without.

The words are the kubelet's (kubernetes/pkg/kubelet/kubelet_pods.go: makeEnvironmentVariables; pkg/volume).
"""

from __future__ import annotations

from typing import Any

from notebook_mux.playground.cluster import Cluster

Json = dict[str, Any]

ROOT = "kube-root-ca.crt"
"""Each namespace has it from a moment after its beginning: nobody's pod waits for it here."""

CLAIMS, CONFIG_MAPS, SECRETS = "persistentvolumeclaims", "configmaps", "secrets"


def problem_of_environment(cluster: Cluster, pod: Json, container: Json) -> str:
    """Why a container cannot be configured; empty if it can."""
    namespace = pod["metadata"]["namespace"]
    for one in container.get("envFrom") or ():
        for field, resource in (("configMapRef", CONFIG_MAPS), ("secretRef", SECRETS)):
            reference = one.get(field)
            if not reference or reference.get("optional"):
                continue
            if cluster.store.get(resource, namespace, reference.get("name", "")) is None:
                return f'{resource[:-1]} "{reference.get("name", "")}" not found'
    for one in container.get("env") or ():
        source = one.get("valueFrom") or {}
        for field, resource, called in (
            ("configMapKeyRef", CONFIG_MAPS, "ConfigMap"), ("secretKeyRef", SECRETS, "Secret"),
        ):  # fmt: skip
            reference = source.get(field)
            if not reference or reference.get("optional"):
                continue
            name, key = reference.get("name", ""), reference.get("key", "")
            obj = cluster.get(resource, namespace, name)
            if obj is None:
                return f'{resource[:-1]} "{name}" not found'
            if key not in _keys(obj):
                return f"couldn't find key {key} in {called} {namespace}/{name}"
    return ""


def _keys(obj: Json) -> set[str]:
    return {*(obj.get("data") or ()), *(obj.get("binaryData") or ()), *(obj.get("stringData") or ())}


def problems_of_volumes(cluster: Cluster, pod: Json) -> list[tuple[str, str]]:
    """Why volumes of a pod cannot be mounted: their names, and what a kubelet says of each."""
    mounted = {
        one["name"]
        for kind in ("initContainers", "containers")
        for container in pod["spec"].get(kind) or ()
        for one in (*(container.get("volumeMounts") or ()), *(container.get("volumeDevices") or ()))
    }
    return [
        (volume["name"], said)
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("name") in mounted and (said := _problem(cluster, pod, volume))
    ]


def _problem(cluster: Cluster, pod: Json, volume: Json) -> str:
    namespace = pod["metadata"]["namespace"]
    before = f'MountVolume.SetUp failed for volume "{volume["name"]}" : '
    if (claim := volume.get("persistentVolumeClaim")) is not None:
        name = claim.get("claimName", "")
        obj = cluster.get(CLAIMS, namespace, name)
        if obj is None:
            why = f'failed to fetch PVC from API server: persistentvolumeclaims "{name}" not found'
        elif (obj.get("status") or {}).get("phase") != "Bound":
            why = "PVC is not bound"
        else:
            return ""
        return (
            f"Unable to attach or mount volumes: unmounted volumes=[{volume['name']}], unattached volumes=[], "
            f"failed to process volumes=[{volume['name']}]: error processing PVC {namespace}/{name}: {why}"
        )
    sources: list[Json] = [volume]
    if (projected := volume.get("projected")) is not None:
        sources = projected.get("sources") or []
    for source in sources:
        for field, resource in (("configMap", CONFIG_MAPS), ("secret", SECRETS)):
            if (reference := source.get(field)) is not None and not reference.get("optional"):
                name = reference.get("name") or reference.get("secretName") or ""
                if said := _problem_of_files(cluster, namespace, resource, name, reference):
                    return before + said
    return ""


def _problem_of_files(cluster: Cluster, namespace: str, resource: str, name: str, reference: Json) -> str:
    if name == ROOT:
        return ""
    obj = cluster.get(resource, namespace, name)
    if obj is None:
        return f'{resource[:-1]} "{name}" not found'
    for item in reference.get("items") or ():
        if item.get("key") not in _keys(obj):
            if resource == SECRETS:
                return f"references non-existent secret key: {item.get('key')}"
            return f"configmap references non-existent config key: {item.get('key')}"
    return ""
