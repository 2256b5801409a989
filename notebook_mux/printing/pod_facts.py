"""What a person looks for in a pod, or in a workload's template of one: its containers and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notebook_mux.printing.facts import (
    Cell,
    Json,
    Section,
    cell,
    code,
    items,
    labels_value,
    listed,
    moment,
    namespace_of,
    part,
    quantities,
    ref,
    seconds,
    table,
)

GROUPS = (
    ("initContainers", "initContainerStatuses", "init"),
    ("containers", "containerStatuses", ""),
    ("ephemeralContainers", "ephemeralContainerStatuses", "ephemeral"),
)
"""Where a spec has containers, where the status has how they are, and what those are called."""

WAITING_WELL = frozenset(["ContainerCreating", "PodInitializing"])
"""Reasons for waiting that pass by themselves."""

SOURCES = {
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}
"""Volumes that are of another object: its kind, and the field with its name."""

Jsonable = dict[str, Any]


def pod(content: Json) -> list[Section]:
    """A pod."""
    spec, status, namespace = part(content, "spec"), part(content, "status"), namespace_of(content)
    about = items(
        "Pod",
        ("Phase", _phase(status)),
        ("Message", status.get("message") or status.get("reason")),
        ("Node", ref("Node", spec.get("nodeName"))),
        ("Pod IP", _addresses(status, "podIPs", "podIP")),
        ("Host IP", status.get("hostIP")),
        ("Started", moment(status.get("startTime"))),
        ("QoS class", status.get("qosClass")),
        ("Service account", ref("ServiceAccount", spec.get("serviceAccountName"), namespace)),
        ("Priority", _priority(spec)),
        ("Restart policy", spec.get("restartPolicy")),
        ("Node selector", labels_value(spec.get("nodeSelector"))),
        ("Nominated node", ref("Node", status.get("nominatedNodeName"))),
        ("Grace period", seconds(spec.get("terminationGracePeriodSeconds"))),
        ("Tolerations", [code(_toleration(one)) for one in listed(spec, "tolerations")]),
    )
    return [*containers(spec, status, namespace), *about, *volumes(spec, namespace)]


def containers(spec: Json, status: Json, namespace: str, title: str = "Containers") -> list[Section]:
    """The containers of a pod, or of a template, which has no status."""
    cards = []
    for group, statuses, kind in GROUPS:
        known = {one.get("name"): one for one in listed(status, statuses)}
        cards += [
            _card(one, known.get(one.get("name")) or {}, kind, namespace, bool(status)) for one in listed(spec, group)
        ]
    return [{"title": title, "cards": cards}] if cards else []


def _card(one: Json, status: Json, kind: str, namespace: str, runs: bool) -> Jsonable:
    state = _state(part(status, "state")) if status else cell("not started", "") if runs else ""
    last = part(status, "lastState", "terminated")
    restarts = status.get("restartCount")
    resources = part(one, "resources")
    pairs: list[tuple[str, Any]] = [
        ("Image", code(one.get("image") or "")),
        ("Ready", _ready(status, kind)),
        ("Restarts", _restarts(restarts, last) if isinstance(restarts, int) else ""),
        ("Last state", _terminated(last) if last else ""),
        ("Command", code(" ".join(map(str, one.get("command") or ())))),
        ("Arguments", code(" ".join(map(str, one.get("args") or ())))),
        ("Ports", [code(_port(port)) for port in listed(one, "ports")]),
        ("Requests", quantities(resources.get("requests"))),
        ("Limits", quantities(resources.get("limits"))),
        *((name, code(_probe(part(one, key)))) for name, key in PROBES if part(one, key)),
        ("Environment", _environment(one, namespace)),
        ("Mounts", [code(_mount(mount)) for mount in listed(one, "volumeMounts")]),
    ]
    shown = items("", *((label, value) for label, value in pairs if value not in ("", [])))
    return {
        "title": str(one.get("name") or ""),
        "kind": kind,
        "state": state,
        "items": shown[0]["items"] if shown else [],
    }


PROBES = (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe"))


def _state(state: Json) -> Cell:
    waiting, running, terminated = (part(state, key) for key in ("waiting", "running", "terminated"))
    if running or "running" in state:
        since = moment(running.get("startedAt"), "running for {}")
        return {**since, "tone": "good"} if isinstance(since, dict) else cell("running", "good")
    if terminated:
        return _terminated(terminated)
    reason = str(waiting.get("reason") or "waiting")
    message = str(waiting.get("message") or "")
    tone = "warn" if reason in WAITING_WELL or reason == "waiting" else "bad"
    return cell(f"{reason}: {message}" if message else reason, tone)


def _terminated(at: Json) -> Cell:
    exit_code, signal = at.get("exitCode"), at.get("signal")
    how = f"signal {signal}" if signal else f"exit code {exit_code}" if exit_code is not None else ""
    words = ", ".join(filter(None, (str(at.get("reason") or "ended"), how)))
    message = str(at.get("message") or "").strip()
    tone = "done" if exit_code == 0 else "bad"
    since = moment(at.get("finishedAt"), f"{words}, {{}} ago{f': {message}' if message else ''}")
    return {**since, "tone": tone} if isinstance(since, dict) else cell(words, tone)


def _ready(status: Json, kind: str) -> Cell:
    if not status or "ready" not in status or kind == "ephemeral":
        return ""
    ended = part(status, "state", "terminated").get("exitCode") == 0
    return cell("yes", "good") if status["ready"] else cell("no", "done" if ended else "warn")


def _restarts(number: int, last: Json) -> Cell:
    if not number:
        return "0"
    reason = str(last.get("reason") or "")
    words = f"{number}{f', last for {reason}' if reason else ''}"
    since = moment(last.get("finishedAt"), f"{words} ({{}} ago)")
    return {**since, "tone": "warn"} if isinstance(since, dict) else cell(words, "warn")


def _port(port: Json) -> str:
    name = f"{port['name']} " if port.get("name") else ""
    host = f" (host {port['hostPort']})" if port.get("hostPort") else ""
    return f"{name}{port.get('containerPort')}/{port.get('protocol') or 'TCP'}{host}"


def _probe(probe: Json) -> str:
    """As ``kubectl describe`` has it."""
    http, tcp, grpc = (part(probe, key) for key in ("httpGet", "tcpSocket", "grpc"))
    if http:
        scheme = str(http.get("scheme") or "HTTP").lower()
        does = f"{scheme}-get {http.get('host') or ''}:{http.get('port')}{http.get('path') or '/'}"
    elif tcp:
        does = f"tcp-socket {tcp.get('host') or ''}:{tcp.get('port')}"
    elif grpc:
        does = f"grpc :{grpc.get('port')} {grpc.get('service') or ''}".strip()
    else:
        does = f"exec {' '.join(map(str, part(probe, 'exec').get('command') or ()))}"
    numbers = (
        ("delay", "initialDelaySeconds", "s"), ("timeout", "timeoutSeconds", "s"), ("period", "periodSeconds", "s"),
        ("#success", "successThreshold", ""), ("#failure", "failureThreshold", ""),
    )  # fmt: skip
    return " ".join([does, *(f"{name}={probe[key]}{unit}" for name, key, unit in numbers if probe.get(key))])


def _environment(one: Json, namespace: str) -> list[Cell]:
    """Names, and whence their values come; never a value."""
    shown: list[Cell] = []
    for source in listed(one, "envFrom"):
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            name = part(source, key).get("name")
            if name:
                words = f"{source.get('prefix') or ''}* from {kind} {name}"
                shown.append(ref(kind, name, namespace, words))
    return [*shown, *(_variable(variable, namespace) for variable in listed(one, "env"))]


def _variable(variable: Json, namespace: str) -> Cell:
    name, source = str(variable.get("name") or ""), part(variable, "valueFrom")
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        at = part(source, key)
        if at.get("name"):
            return ref(kind, at["name"], namespace, f"{name} from {kind} {at['name']}, key {at.get('key')}")
    field = part(source, "fieldRef").get("fieldPath") or part(source, "resourceFieldRef").get("resource")
    return code(f"{name} from {field}" if field else name)


def _mount(mount: Json) -> str:
    below = f", {mount['subPath']} of it" if mount.get("subPath") else ""
    return f"{mount.get('mountPath')} ← {mount.get('name')}{below}{' (read only)' if mount.get('readOnly') else ''}"


def volumes(spec: Json, namespace: str) -> list[Section]:
    """The volumes of a pod's spec."""
    rows = []
    for volume in listed(spec, "volumes"):
        kind = next((key for key in volume if key != "name"), "emptyDir")
        rows.append([code(volume.get("name") or ""), kind, _source(kind, part(volume, kind), namespace)])
    return table("Volumes", ("Name", "Type", "Source"), rows)


def _source(kind: str, source: Json, namespace: str) -> Any:
    if kind in SOURCES:
        named, key = SOURCES[kind]
        return ref(named, source.get(key), namespace)
    if kind == "projected":
        return [one for each in listed(source, "sources") for one in _projected(each, namespace)]
    fields = ((key, value) for key, value in source.items() if not isinstance(value, Mapping | list))
    return code(", ".join(f"{key} {value}" for key, value in fields))


def _projected(source: Json, namespace: str) -> list[Cell]:
    for key, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
        name = part(source, key).get("name")
        if name:
            return [ref(kind, name, namespace)]
    return [str(key) for key in source]


def _phase(status: Json) -> Cell:
    phase = str(status.get("phase") or "")
    tones = {"Running": "good", "Succeeded": "done", "Pending": "warn", "Failed": "bad"}
    return cell(phase, tones.get(phase, "warn" if phase else ""))


def _addresses(status: Json, many: str, one: str) -> Any:
    found = [code(each["ip"]) for each in listed(status, many) if each.get("ip")]
    return found or (code(status[one]) if status.get(one) else "")


def _priority(spec: Json) -> str:
    number, name = spec.get("priority"), spec.get("priorityClassName")
    return " ".join(str(one) for one in (name, number) if one not in (None, "", 0))


def _toleration(one: Json) -> str:
    key, value = one.get("key") or "*", one.get("value")
    effect = f":{one['effect']}" if one.get("effect") else ""
    seconds = one.get("tolerationSeconds")
    return f"{key}{f'={value}' if value else ''}{effect}{f' for {seconds}s' if seconds is not None else ''}"


def template(content: Json, *keys: str) -> list[Section]:
    """The pods that a workload makes: where its template is, by default in the spec."""
    spec = part(content, *(keys or ("spec", "template")), "spec")
    namespace = namespace_of(content)
    return [*containers(spec, {}, namespace, "Containers of its pods"), *volumes(spec, namespace)]
