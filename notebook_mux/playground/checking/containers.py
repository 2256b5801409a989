"""Containers: what each has to say, and what it may not."""

from __future__ import annotations

import re
from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.checking.base import (
    PORTS,
    RANGE_SAID,
    Causes,
    Json,
    bad,
    config_key_problems,
    duplicate,
    forbidden,
    inner,
    is_number,
    label,
    names,
    not_found,
    not_negative,
    objects,
    one_of,
    port_name_problems,
    port_or_name,
    qualified_problems,
    required,
    subdomain,
    unsupported,
)

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
RESTARTS = ("Always", "Never", "OnFailure")
SCHEMES = ("HTTP", "HTTPS")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})
RESOURCE_FIELDS = tuple(
    f"{what}.{name}" for what in ("limits", "requests") for name in ("cpu", "ephemeral-storage", "memory")
)
FIELD_PATHS = frozenset({
    "metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
})  # fmt: skip
ENV_SAID = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_ENV_NAME = re.compile(r"[ -<>-~]+")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['[^']+'\]")
ID_LIMIT = 2**31 - 1
ID_SAID = f"must be between 0 and {ID_LIMIT}, inclusive"


def common(path: str, one: Json, volumes: set[str], *, host_network: bool) -> Causes:
    """What is wrong with a container of any sort.

    Args:
        volumes: The names of the pod's volumes.
        host_network: Whether its ports are its node's.
    """
    if not one.get("name"):
        yield required(f"{path}.name")
    else:
        yield from label(f"{path}.name", one["name"])
    image = one.get("image") or ""
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield bad(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from one_of(f"{path}.terminationMessagePolicy", one.get("terminationMessagePolicy"), MESSAGE_POLICIES)
    yield from _ports(f"{path}.ports", one, host_network=host_network)
    yield from _env(f"{path}.env", one)
    yield from _env_from(f"{path}.envFrom", one)
    yield from _mounts(f"{path}.volumeMounts", one, volumes)
    yield from one_of(f"{path}.imagePullPolicy", one.get("imagePullPolicy"), PULL_POLICIES)
    yield from resources(f"{path}.resources", inner(one, "resources"))
    yield from _security(f"{path}.securityContext", inner(one, "securityContext"))


def running(path: str, one: Json) -> Causes:
    """What is wrong with what is done to a container that runs: hooks and probes."""
    for name in ("postStart", "preStop"):
        if isinstance(hook := inner(one, "lifecycle").get(name), dict):
            yield from _handler(f"{path}.lifecycle.{name}", hook, ("exec", "httpGet", "tcpSocket", "sleep"))
    for name in PROBES:
        if isinstance(one.get(name), dict):
            yield from _probe(f"{path}.{name}", one[name], once=name != "readinessProbe")


def _ports(path: str, one: Json, *, host_network: bool) -> Causes:
    seen: set[Any] = set()
    for number, port in objects(one, "ports"):
        here = f"{path}[{number}]"
        name, own, host = port.get("name"), port.get("containerPort") or 0, port.get("hostPort")
        if name:
            problems = port_name_problems(name)
            yield from names(f"{here}.name", name, problems)
            if not problems and name in seen:
                yield duplicate(f"{here}.name", name)
            seen.add(name)
        if not own:
            yield required(f"{here}.containerPort")
        elif not 0 < own <= PORTS:
            yield bad(f"{here}.containerPort", own, RANGE_SAID)
        if host:
            if not 0 < host <= PORTS:
                yield bad(f"{here}.hostPort", host, RANGE_SAID)
            elif host_network and host != own:
                yield bad(f"{here}.hostPort", host, "must match `containerPort` when `hostNetwork` is true")
        yield from one_of(f"{here}.protocol", port.get("protocol"), PROTOCOLS)


def _env(path: str, one: Json) -> Causes:
    for number, variable in objects(one, "env"):
        here = f"{path}[{number}]"
        name = variable.get("name") or ""
        if not name:
            yield required(f"{here}.name")
        elif not _ENV_NAME.fullmatch(name):
            yield bad(f"{here}.name", name, ENV_SAID)
        source = variable.get("valueFrom")
        if isinstance(source, dict):
            yield from _source(f"{here}.valueFrom", source, variable.get("value"))


def _source(path: str, source: Json, value: Any) -> Causes:
    given = [name for name, found in source.items() if found is not None]
    if isinstance(field := source.get("fieldRef"), dict):
        yield from _field_ref(f"{path}.fieldRef", field)
    if isinstance(field := source.get("resourceFieldRef"), dict):
        here = f"{path}.resourceFieldRef.resource"
        if not field.get("resource"):
            yield required(here)
        elif field["resource"] not in RESOURCE_FIELDS and not field["resource"].partition(".")[2].startswith(
            "hugepages-"
        ):
            yield unsupported(here, field["resource"], RESOURCE_FIELDS)
    for name in ("configMapKeyRef", "secretKeyRef"):
        if isinstance(field := source.get(name), dict):
            yield from subdomain(f"{path}.{name}.name", field.get("name") or "")
            if not field.get("key"):
                yield required(f"{path}.{name}.key")
            else:
                yield from names(f"{path}.{name}.key", field["key"], config_key_problems(field["key"]))
    if not given:
        known = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield bad(path, "", f"must specify one of: {known}")
    elif value:
        yield bad(path, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield bad(path, "", "may not have more than one field specified at a time")


def _field_ref(path: str, field: Json) -> Causes:
    found = field.get("fieldPath") or ""
    if not found:
        yield required(f"{path}.fieldPath")
    elif found not in FIELD_PATHS and not _SUBSCRIPT.fullmatch(found):
        why = f"error converting fieldPath: field label not supported: {found}"
        yield bad(f"{path}.fieldPath", found, why)


def _env_from(path: str, one: Json) -> Causes:
    for number, source in objects(one, "envFrom"):
        prefix = source.get("prefix")
        if prefix and not _ENV_NAME.fullmatch(prefix):
            yield bad(f"{path}[{number}].prefix", prefix, ENV_SAID)
        given = [name for name in ("configMapRef", "secretRef") if isinstance(source.get(name), dict)]
        for name in given:
            here = f"{path}[{number}].{name}.name"
            if not source[name].get("name"):
                yield required(here)
            else:
                yield from subdomain(here, source[name]["name"])
        if not given:
            yield bad(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            yield bad(path, "", "may not have more than one field specified at a time")


def _mounts(path: str, one: Json, volumes: set[str]) -> Causes:
    places: set[str] = set()
    for number, mount in objects(one, "volumeMounts"):
        here = f"{path}[{number}]"
        name, place = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{here}.name")
        elif name not in volumes:
            yield not_found(f"{here}.name", name)
        if not place:
            yield required(f"{here}.mountPath")
        elif place in places:
            yield bad(f"{here}.mountPath", place, "must be unique")
        places.add(place)
        below = mount.get("subPath") or ""
        if below.startswith("/"):
            yield bad(f"{path}.subPath", below, "must be a relative path")
        elif ".." in below.split("/"):
            yield bad(f"{path}.subPath", below, "must not contain '..'")


def resources(path: str, found: Json) -> Causes:
    """Requests and limits."""
    limits, requests = inner(found, "limits"), inner(found, "requests")
    for what, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            here = f"{path}.{what}[{name}]"
            yield from resource_name(here, name, "must be a standard resource for containers", STANDARD)
            yield from quantity(here, name, amount)
            if what == "requests":
                yield from _within(path, name, amount, limits.get(name))


def _within(path: str, name: str, amount: Any, limit: Any) -> Causes:
    if limit is None:
        if "/" in name:
            yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        return
    asked, most = quantities.known(amount), quantities.known(limit)
    if "/" in name and asked.nano != most.nano:
        yield bad(f"{path}.requests", str(asked), f"must be equal to {name} limit of {most}")
    elif "/" not in name and asked.nano > most.nano:
        yield bad(f"{path}.requests", str(asked), f"must be less than or equal to {name} limit of {most}")


def resource_name(path: str, name: str, why: str, standard: frozenset[str]) -> Causes:
    """A resource's name.

    Args:
        why: What is said of one that is not of the standard ones and has no domain.
        standard: Those without a domain.
    """
    yield from names(path, name, qualified_problems(name))
    if "/" not in name and name not in standard and not name.startswith("hugepages-"):
        yield bad(path, name, "must be a standard resource type or fully qualified")
        yield bad(path, name, why)


def quantity(path: str, name: str, amount: Any) -> Causes:
    """An amount of a resource: not negative, and whole for what cannot be shared."""
    found = quantities.known(amount)
    if found.nano < 0:
        yield bad(path, str(found), "must be greater than or equal to 0")
    elif "/" in name and found.nano % quantities.NANO:
        yield bad(path, str(found), "must be an integer")


_CONTEXT = ("capabilities", "privileged", "seLinuxOptions", "windowsOptions", "runAsUser", "runAsGroup", "runAsNonRoot",
            "readOnlyRootFilesystem", "allowPrivilegeEscalation", "procMount", "seccompProfile",
            "appArmorProfile")  # fmt: skip


def _security(path: str, context: Json) -> Causes:
    for name in ("runAsUser", "runAsGroup"):
        yield from identity(f"{path}.{name}", context.get(name))
    if context.get("privileged") and context.get("allowPrivilegeEscalation") is False:
        whole = {name[0].upper() + name[1:]: context.get(name) for name in _CONTEXT}
        whole = {name.replace("SeLinux", "SELinux"): value for name, value in whole.items()}
        yield bad(path, whole, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")


def identity(path: str, value: Any) -> Causes:
    """A user's or group's number."""
    if is_number(value) and not 0 <= value <= ID_LIMIT:
        yield bad(path, value, ID_SAID)


def _handler(path: str, handler: Json, known: tuple[str, ...] = HANDLERS) -> Causes:
    given = [name for name in known if isinstance(handler.get(name), dict)]
    for number, name in enumerate(given):
        here = f"{path}.{name}"
        if number:
            yield forbidden(here, "may not specify more than 1 handler type")
        elif name == "exec":
            if not handler[name].get("command"):
                yield required(f"{here}.command")
        elif name == "httpGet":
            yield from port_or_name(f"{here}.port", handler[name].get("port", 0))
            yield from one_of(f"{here}.scheme", handler[name].get("scheme"), SCHEMES)
        elif name in ("tcpSocket", "grpc"):
            yield from port_or_name(f"{here}.port", handler[name].get("port", 0))
    if not given:
        yield required(path, "must specify a handler type")


def _probe(path: str, probe: Json, *, once: bool) -> Causes:
    yield from _handler(path, probe)
    for name in COUNTS:
        yield from not_negative(f"{path}.{name}", probe.get(name))
    if once and probe.get("successThreshold", 1) != 1:
        yield bad(f"{path}.successThreshold", probe["successThreshold"], "must be 1")
