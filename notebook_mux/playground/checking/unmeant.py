"""What is right and yet not meant: the warnings of pods and their templates (kubernetes/pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from notebook_mux.playground import quantities
from notebook_mux.playground.checking.base import Json, inner, objects

KINDS = ("initContainers", "containers")


def of(path: str, spec: Json) -> Iterator[str]:
    """The warnings of a pod's spec."""
    for number, secret in objects(spec, "imagePullSecrets"):
        if not secret.get("name"):
            yield f'{path}.imagePullSecrets[{number}].name: invalid empty name ""'
    for kind in KINDS:
        for number, one in objects(spec, kind):
            yield from _container(f"{path}.{kind}[{number}]", one)


def _container(path: str, one: Json) -> Iterator[str]:
    for what in ("limits", "requests"):
        for name in ("memory", "ephemeral-storage"):
            amount = quantities.known(inner(one, "resources", what).get(name, "0"))
            if amount.nano % quantities.NANO:
                said = f'fractional byte value "{amount}" is invalid, must be an integer'
                yield f"{path}.resources.{what}[{name}]: {said}"
    names: set[Any] = set()
    for number, variable in objects(one, "env"):
        called = variable.get("name")
        if called in names:
            hides = f'hides previous definition of "{called}", which may be dropped when using apply'
            yield f"{path}.env[{number}]: {hides}"
        names.add(called)
    ports: dict[Any, str] = {}
    for number, port in objects(one, "ports"):
        here = f"{path}.ports[{number}]"
        if port.get("hostIP") and not port.get("hostPort"):
            said = (f"{{Name:{port.get('name') or ''} HostPort:0 ContainerPort:{port.get('containerPort', 0)} "
                    f"Protocol:{port.get('protocol', 'TCP')} HostIP:{port['hostIP']}}}")  # fmt: skip
            yield f"{here}: hostIP set without hostPort: {said}"
        key = (port.get("containerPort"), port.get("protocol", "TCP"), port.get("hostPort"), port.get("hostIP"))
        if key in ports:
            yield f"{here}: duplicate port definition with {ports[key]}"
        ports.setdefault(key, here)
