"""A container's variables: its own, those of config maps and secrets, of its pod, and of the services around it.

As a kubelet makes them (kubernetes/pkg/kubelet/kubelet_pods.go: makeEnvironmentVariables, and envvars for services).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.shell.images import PATH, Image

Json = dict[str, Any]

REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][\w.-]*)\))")
KEYED = re.compile(r"(metadata\.(?:labels|annotations))\['([^']+)'\]")


def variables(cluster: Cluster, pod: Json, container: Json, image: Image) -> dict[str, str]:
    """All variables of a container."""
    found = {"PATH": PATH, "HOSTNAME": hostname(pod), **image.environment}
    if container.get("tty"):
        found["TERM"] = "xterm"
    if pod["spec"].get("enableServiceLinks", True):
        found |= _services(cluster, pod["metadata"]["namespace"])
    else:
        found |= _services(cluster, "")
    for source in container.get("envFrom") or ():
        found |= _all_of(cluster, pod, source)
    own = dict[str, str]()
    for one in container.get("env") or ():
        value = _value(cluster, pod, container, one, {**found, **own})
        if value is not None:
            own[one["name"]] = value
    return {**found, **own, "HOME": "/root"}


def hostname(pod: Json) -> str:
    """A pod's host name."""
    spec = pod["spec"]
    if spec.get("hostNetwork"):
        return str(spec.get("nodeName", ""))
    return str(spec.get("hostname") or pod["metadata"]["name"])[:63].rstrip("-.")


def keys_of(cluster: Cluster, resource: str, namespace: str, name: str) -> dict[str, bytes]:
    """The data of a config map or a secret; nothing where it is not there."""
    obj = cluster.get(resource, namespace, name) or {}
    if resource == "configmaps":
        plain = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
        return plain | {key: _decoded(value) for key, value in (obj.get("binaryData") or {}).items()}
    return {key: _decoded(value) for key, value in (obj.get("data") or {}).items()}


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError, TypeError):
        return b""


def _all_of(cluster: Cluster, pod: Json, source: Json) -> dict[str, str]:
    prefix = source.get("prefix", "")
    found = dict[str, str]()
    for kind, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
        if reference := source.get(kind):
            data = keys_of(cluster, resource, pod["metadata"]["namespace"], reference.get("name", ""))
            found |= {prefix + key: value.decode("utf-8", "replace") for key, value in data.items()}
    return found


def _value(cluster: Cluster, pod: Json, container: Json, one: Json, known: dict[str, str]) -> str | None:
    source = one.get("valueFrom")
    if not source:
        return _expanded(one.get("value", ""), known)
    for kind, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if reference := source.get(kind):
            data = keys_of(cluster, resource, pod["metadata"]["namespace"], reference.get("name", ""))
            found = data.get(reference.get("key", ""))
            return None if found is None else found.decode("utf-8", "replace")
    if reference := source.get("fieldRef"):
        return field(pod, reference.get("fieldPath", ""))
    if reference := source.get("resourceFieldRef"):
        return resource_of(container, reference)
    return ""


def _expanded(text: str, known: dict[str, str]) -> str:
    """``$(NAME)`` as its value, ``$$`` as a dollar; what is not known stays."""
    return REFERENCE.sub(lambda match: "$" if match[1] == "$" else known.get(match[2], match[0]), text)


def field(pod: Json, path: str) -> str:
    """A field of a pod as the downward API gives it."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    if match := KEYED.fullmatch(path):
        return str((metadata.get(match[1].partition(".")[2]) or {}).get(match[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        values = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(values.items()))
    plain = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": status.get("hostIP", ""),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": ",".join(one["ip"] for one in status.get("podIPs") or ()),
        "status.hostIPs": ",".join(one["ip"] for one in status.get("hostIPs") or ()),
    }
    return str(plain.get(path, ""))


def quantity(text: object) -> float:
    """A quantity as a number: ``250m`` is 0.25, ``1Ki`` is 1024; 0 for what is none."""
    return quantities.known(text).nano / quantities.NANO


def resource_of(container: Json, reference: Json) -> str:
    """A container's request or limit, rounded up to its divisor."""
    kind, _, name = str(reference.get("resource", "")).partition(".")
    value = ((container.get("resources") or {}).get(kind) or {}).get(name, "0")
    divisor = quantities.known(reference.get("divisor", "1")).nano or quantities.NANO
    return str(-(-quantities.known(value).nano // divisor))


def _services(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Variables of the API server's service, and of those of a namespace that have an address."""
    found = dict[str, str]()
    kubernetes = [one for one in cluster.store.items("services", "default") if one.name == "kubernetes"]
    own = cluster.store.items("services", namespace) if namespace else []
    for stored in [*own, *kubernetes]:
        spec = stored.decode()["spec"]
        address = spec.get("clusterIP")
        if not address or address == "None":
            continue
        name = stored.name.upper().replace("-", "_")
        ports = spec.get("ports") or []
        if not ports:
            continue
        found[f"{name}_SERVICE_HOST"] = address
        found[f"{name}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                found[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
        first = f"{ports[0].get('protocol', 'TCP').lower()}://{address}:{ports[0]['port']}"
        found[f"{name}_PORT"] = first
        for port in ports:
            protocol = port.get("protocol", "TCP")
            base = f"{name}_PORT_{port['port']}_{protocol}"
            found[base] = f"{protocol.lower()}://{address}:{port['port']}"
            found |= {f"{base}_PROTO": protocol.lower(), f"{base}_PORT": str(port["port"]), f"{base}_ADDR": address}
    return found
