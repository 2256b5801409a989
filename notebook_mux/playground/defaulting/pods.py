"""Defaults of a pod's spec and of what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from notebook_mux.playground.quantities import canonical, canonical_map

Json = dict[str, Any]

TERMINATION = {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
FILE_MODE = 0o644
TOKEN_SECONDS = 3600
GRACE_SECONDS = 30


def maps(value: Any) -> Iterator[Json]:
    """The objects of a list; nothing of what is no list, so that a wrong body reaches validation."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def inner(holder: Json, name: str) -> Json:
    """An object's part, made empty where it is not there; a throw-away where it is something else."""
    found = holder.setdefault(name, {})
    return found if isinstance(found, dict) else {}


def pull_policy(image: Any) -> str:
    """How an image is pulled when nothing says: always where its content may change behind its name."""
    name, _, digest = str(image or "").partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def pod_spec(spec: Json, *, restart: str = "Always") -> Json:
    """Fill in a pod's spec, of a pod or of a template; returns it."""
    for kind in CONTAINERS:
        for container in maps(spec.get(kind)):
            _container(container)
    for volume in maps(spec.get("volumes")):
        _volume(volume)
    spec.setdefault("restartPolicy", restart)
    spec.setdefault("terminationGracePeriodSeconds", GRACE_SECONDS)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    canonical_map(spec.get("resources"), "requests", "limits")
    canonical_map(spec, "overhead")
    return spec


def _container(container: Json) -> None:
    container.setdefault("imagePullPolicy", pull_policy(container.get("image")))
    canonical_map(inner(container, "resources"), "requests", "limits")
    for key, value in TERMINATION.items():
        container.setdefault(key, value)
    for port in maps(container.get("ports")):
        port.setdefault("protocol", "TCP")
    for name in PROBES:
        if isinstance(probe := container.get(name), dict):
            for key, seconds in PROBE.items():
                probe[key] = probe.get(key) or seconds
            _handler(probe)
    for handler in (container.get("lifecycle") or {}).values() if isinstance(container.get("lifecycle"), dict) else ():
        _handler(handler)
    for one in maps(container.get("env")):
        _downward(one.get("valueFrom"))


def _handler(handler: Any) -> None:
    if not isinstance(handler, dict):
        return
    if isinstance(get := handler.get("httpGet"), dict):
        get["path"] = get.get("path") or "/"
        get["scheme"] = get.get("scheme") or "HTTP"
    if isinstance(grpc := handler.get("grpc"), dict):
        grpc.setdefault("service", "")


def _downward(source: Any) -> None:
    if not isinstance(source, dict):
        return
    if isinstance(field := source.get("fieldRef"), dict):
        field["apiVersion"] = field.get("apiVersion") or "v1"
    if isinstance(resource := source.get("resourceFieldRef"), dict):
        resource["divisor"] = canonical(resource.get("divisor") or "0")


def _volume(volume: Json) -> None:
    if len(volume) <= 1:
        volume["emptyDir"] = {}
    for kind in ("secret", "configMap", "downwardAPI", "projected"):
        if isinstance(source := volume.get(kind), dict):
            source.setdefault("defaultMode", FILE_MODE)
            _items(source)
            for part in maps(source.get("sources")):
                _items(part.get("downwardAPI"))
                if isinstance(token := part.get("serviceAccountToken"), dict):
                    token.setdefault("expirationSeconds", TOKEN_SECONDS)
    if isinstance(path := volume.get("hostPath"), dict):
        path.setdefault("type", "")
    if isinstance(empty := volume.get("emptyDir"), dict) and "sizeLimit" in empty:
        empty["sizeLimit"] = canonical(empty["sizeLimit"])
    if isinstance(ephemeral := volume.get("ephemeral"), dict):
        template = inner(ephemeral, "volumeClaimTemplate")
        template.setdefault("metadata", {})
        claim_spec(inner(template, "spec"))


def _items(source: Any) -> None:
    for item in maps(source.get("items") if isinstance(source, dict) else None):
        _downward(item)


def claim_spec(spec: Json) -> None:
    """Fill in the spec of a claim on a volume."""
    spec.setdefault("volumeMode", "Filesystem")
    canonical_map(spec.get("resources"), "requests", "limits")


def pod(obj: Json) -> None:
    """Fill in what a pod has and a template has not."""
    spec = pod_spec(inner(obj, "spec"))
    spec.setdefault("enableServiceLinks", True)
    everyone = [one for kind in CONTAINERS[:2] for one in maps(spec.get(kind))]
    _ask_for_limits(everyone)
    if spec.get("hostNetwork"):
        for port in (port for one in everyone for port in maps(one.get("ports"))):
            if port.get("containerPort"):
                port.setdefault("hostPort", port["containerPort"])


def _ask_for_limits(containers: Iterable[Json]) -> None:
    """Who has a limit and asks for nothing asks for the limit."""
    for one in containers:
        resources = inner(one, "resources")
        limits = resources.get("limits")
        if isinstance(limits, dict) and limits:
            asked = resources.setdefault("requests", {})
            if isinstance(asked, dict):
                resources["requests"] = {**{name: limits[name] for name in limits if name not in asked}, **asked}
