"""The checks of the Pod Security Standards, in the order in which violations are told.

Each says why a pod is refused, as a reason and a detail, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Json = dict[str, Any]
Violation = tuple[str, str]
Check = Callable[[Json, Json], Violation | None]
"""Of a pod's metadata and spec."""

PRIVILEGED, BASELINE, RESTRICTED = "privileged", "baseline", "restricted"


def containers(spec: Json) -> Iterator[Json]:
    """All containers of a pod, in the order in which they are named."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind) or ()


def _of(holder: Json) -> Json:
    return holder.get("securityContext") or {}


def _where(spec: Json, holds: Callable[[Json], Any]) -> list[str]:
    """The names of the containers for which something holds."""
    return [str(one.get("name")) for one in containers(spec) if holds(one)]


def quote(names: Iterable[str]) -> str:
    """``"a", "b"``."""
    return ", ".join(f'"{name}"' for name in names)


def plural(names: Iterable[Any], one: str, many: str = "") -> str:
    """A word for one or for several."""
    return one if len(list(names)) == 1 else many or f"{one}s"


def named(names: list[str]) -> str:
    """``container "a"``, ``containers "a", "b"``."""
    return f"{plural(names, 'container')} {quote(names)}"


def _setters(pod: bool, names: list[str]) -> str:
    return " and ".join([*(["pod"] if pod else []), *([named(names)] if names else [])])


# ------------------------------------------------------------------------------------------------ baseline

_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
CONFINED = ("RuntimeDefault", "Localhost")
BASELINE_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
        "net.ipv4.tcp_slow_start_after_idle",
        "net.ipv4.tcp_notsent_lowat",
    }
)


def _app_armor(metadata: Json, spec: Json) -> Violation | None:
    def bad(holder: Json) -> str:
        kind = (_of(holder).get("appArmorProfile") or {}).get("type")
        return "" if kind is None or kind in CONFINED else str(kind)

    names = _where(spec, bad)
    values = sorted({bad(one) for one in (spec, *containers(spec))} - {""})
    annotations = sorted(
        f'{key}="{value}"'
        for key, value in (metadata.get("annotations") or {}).items()
        if key.startswith(_APPARMOR) and value and value != "runtime/default" and not value.startswith("localhost/")
    )
    setters = [one for one in (_setters(bool(bad(spec)), names), plural(annotations, "annotation")) if one]
    if not annotations:
        setters = setters[:-1]
    if not setters:
        return None
    values += annotations
    reason = plural(values, "forbidden AppArmor profile")
    return reason, f"{' and '.join(setters)} must not set AppArmor profile type to {quote(values)}"


def _capabilities(_: Json, spec: Json) -> Violation | None:
    def added(one: Json) -> set[str]:
        return set((_of(one).get("capabilities") or {}).get("add") or ()) - BASELINE_CAPABILITIES

    if not (names := _where(spec, added)):
        return None
    bad = sorted(set().union(*(added(one) for one in containers(spec))))
    said = f"{named(names)} must not include {quote(bad)} in securityContext.capabilities.add"
    return "non-default capabilities", said


def _host_namespaces(_: Json, spec: Json) -> Violation | None:
    used = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return ("host namespaces", ", ".join(used)) if used else None


def _host_paths(_: Json, spec: Json) -> Violation | None:
    names = [str(one.get("name")) for one in spec.get("volumes") or () if one.get("hostPath") is not None]
    return ("hostPath volumes", f"{plural(names, 'volume')} {quote(names)}") if names else None


def _host_ports(_: Json, spec: Json) -> Violation | None:
    def used(one: Json) -> list[str]:
        return [str(port["hostPort"]) for port in one.get("ports") or () if port.get("hostPort")]

    if not (names := _where(spec, used)):
        return None
    ports = sorted({port for one in containers(spec) for port in used(one)})
    said = f"{named(names)} {plural(names, 'uses', 'use')} {plural(ports, 'hostPort')} {', '.join(ports)}"
    return "hostPort", said


def _hosts_probed(_: Json, spec: Json) -> Violation | None:
    def hosts(one: Json) -> set[str]:
        handlers = [one.get(name) for name in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [(one.get("lifecycle") or {}).get(name) for name in ("postStart", "preStop")]
        actions = [(handler or {}).get(kind) for handler in handlers for kind in ("httpGet", "tcpSocket")]
        return {action["host"] for action in actions if action and action.get("host")}

    if not (names := sorted(_where(spec, hosts))):
        return None
    found = sorted(set().union(*(hosts(one) for one in containers(spec))))
    what = plural(found, "probe or lifecycle host")
    return "probe or lifecycle host", f"{named(names)} {plural(names, 'uses', 'use')} {what} {quote(found)}"


def _privileged(_: Json, spec: Json) -> Violation | None:
    names = _where(spec, lambda one: _of(one).get("privileged"))
    return ("privileged", f"{named(names)} must not set securityContext.privileged=true") if names else None


def _proc_mount(_: Json, spec: Json) -> Violation | None:
    def mount(one: Json) -> str:
        kind = _of(one).get("procMount")
        return "" if kind in (None, "Default") else str(kind)

    if not (names := _where(spec, mount)):
        return None
    kinds = sorted({mount(one) for one in containers(spec)} - {""})
    return "procMount", f"{named(names)} must not set securityContext.procMount to {quote(kinds)}"


def _proc_mount_outside(metadata: Json, spec: Json) -> Violation | None:
    return None if spec.get("hostUsers") is False else _proc_mount(metadata, spec)


def _se_linux(_: Json, spec: Json) -> Violation | None:
    def options(holder: Json) -> Json:
        return _of(holder).get("seLinuxOptions") or {}

    def bad(holder: Json) -> bool:
        own = options(holder)
        return own.get("type", "") not in SELINUX_TYPES or bool(own.get("user") or own.get("role"))

    setters = _setters(bad(spec), _where(spec, bad))
    if not setters:
        return None
    everywhere = [options(one) for one in (spec, *containers(spec))]
    types = sorted({own.get("type", "") for own in everywhere} - SELINUX_TYPES)
    data = [f"{plural(types, 'type')} {quote(types)}"] if types else []
    data += [f"{name} may not be set" for name in ("user", "role") if any(own.get(name) for own in everywhere)]
    return "seLinuxOptions", f"{setters} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}"


def _seccomp_type(holder: Json) -> str | None:
    profile = _of(holder).get("seccompProfile")
    return None if profile is None else str(profile.get("type"))


def _seccomp(_: Json, spec: Json) -> Violation | None:
    def bad(holder: Json) -> bool:
        kind = _seccomp_type(holder)
        return kind is not None and kind not in CONFINED

    setters = _setters(bad(spec), _where(spec, bad))
    if not setters:
        return None
    values = sorted({str(_seccomp_type(one)) for one in (spec, *containers(spec)) if bad(one)})
    return "seccompProfile", f"{setters} must not set securityContext.seccompProfile.type to {quote(values)}"


def _sysctls(_: Json, spec: Json) -> Violation | None:
    names = [str(one.get("name")) for one in _of(spec).get("sysctls") or () if one.get("name") not in SYSCTLS]
    return ("forbidden sysctls", ", ".join(names)) if names else None


def _host_process(_: Json, spec: Json) -> Violation | None:
    def bad(holder: Json) -> bool:
        return bool((_of(holder).get("windowsOptions") or {}).get("hostProcess"))

    setters = _setters(bad(spec), _where(spec, bad))
    said = f"{setters} must not set securityContext.windowsOptions.hostProcess=true"
    return ("hostProcess", said) if setters else None


# ---------------------------------------------------------------------------------------------- restricted

PLAIN_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)


def _is_windows(spec: Json) -> bool:
    return bool((spec.get("os") or {}).get("name") == "windows")


def _escalation(_: Json, spec: Json) -> Violation | None:
    names = _where(spec, lambda one: _of(one).get("allowPrivilegeEscalation") is not False)
    if not names or _is_windows(spec):
        return None
    said = f"{named(names)} must set securityContext.allowPrivilegeEscalation=false"
    return "allowPrivilegeEscalation != false", said


def _all_dropped(_: Json, spec: Json) -> Violation | None:
    def own(one: Json) -> Json:
        return _of(one).get("capabilities") or {}

    def forbidden(one: Json) -> set[str]:
        return set(own(one).get("add") or ()) - {"NET_BIND_SERVICE"}

    keeping = _where(spec, lambda one: "ALL" not in (own(one).get("drop") or ()))
    adding = _where(spec, forbidden)
    said = [f'{named(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    if adding:
        bad = sorted(set().union(*(forbidden(one) for one in containers(spec))))
        said.append(f"{named(adding)} must not include {quote(bad)} in securityContext.capabilities.add")
    return ("unrestricted capabilities", "; ".join(said)) if said and not _is_windows(spec) else None


def _volume_types(_: Json, spec: Json) -> Violation | None:
    def kind(volume: Json) -> str:
        return next((name for name in volume if name != "name"), "unknown")

    bad = [one for one in spec.get("volumes") or () if not PLAIN_VOLUMES.intersection(one)]
    if not bad:
        return None
    names, kinds = [str(one.get("name")) for one in bad], sorted({kind(one) for one in bad})
    what = f"{plural(names, 'uses', 'use')} {plural(kinds, 'restricted volume type')} {quote(kinds)}"
    return "restricted volume types", f"{plural(names, 'volume')} {quote(names)} {what}"


def _not_root(_: Json, spec: Json) -> Violation | None:
    if spec.get("hostUsers") is False:  # root in a user namespace is nobody outside
        return None
    reason, pod = "runAsNonRoot != true", _of(spec).get("runAsNonRoot")
    setters = _setters(pod is False, _where(spec, lambda one: _of(one).get("runAsNonRoot") is False))
    if setters:
        return reason, f"{setters} must not set securityContext.runAsNonRoot=false"
    silent = _where(spec, lambda one: _of(one).get("runAsNonRoot") is None)
    if pod or not silent:
        return None
    return reason, f"pod or {named(silent)} must set securityContext.runAsNonRoot=true"


def _not_user_0(_: Json, spec: Json) -> Violation | None:
    def bad(holder: Json) -> bool:
        return _of(holder).get("runAsUser") == 0

    setters = _setters(bad(spec), _where(spec, bad))
    if not setters or spec.get("hostUsers") is False:
        return None
    return "runAsUser=0", f"{setters} must not set runAsUser=0"


def _seccomp_set(metadata: Json, spec: Json) -> Violation | None:
    if _is_windows(spec):
        return None
    if (found := _seccomp(metadata, spec)) is not None:
        return found
    silent = _where(spec, lambda one: _seccomp_type(one) is None)
    if _seccomp_type(spec) is not None or not silent:
        return None
    said = f'pod or {named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return "seccompProfile", said


CHECKS: dict[str, tuple[Check, ...]] = {
    PRIVILEGED: (),
    BASELINE: (
        _app_armor, _capabilities, _host_namespaces, _host_paths, _host_ports, _hosts_probed, _privileged,
        _proc_mount_outside, _se_linux, _seccomp, _sysctls, _host_process,
    ),
    RESTRICTED: (
        _app_armor, _host_namespaces, _host_ports, _hosts_probed, _privileged, _se_linux, _sysctls, _host_process,
        _escalation, _all_dropped, _proc_mount, _volume_types, _not_root, _not_user_0, _seccomp_set,
    ),
}  # fmt: skip
"""Restricted replaces some of baseline's checks by stricter ones."""


def violations(level: str, pod: Json) -> list[Violation]:
    """What in a pod, or in a template of one, a level does not allow."""
    metadata, spec = pod.get("metadata") or {}, pod.get("spec") or {}
    return [found for check in CHECKS[level] if (found := check(metadata, spec)) is not None]
