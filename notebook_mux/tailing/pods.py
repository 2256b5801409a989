"""What the logs of a pod need to know of it: its containers and how each stands, from the object's bytes."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from notebook_mux.tailing.lines import parse_stamp

KINDS = ("container", "init", "ephemeral")

OVER = ("Succeeded", "Failed")
"""Phases of a pod that runs nothing any more and never will."""


class Instance(NamedTuple):
    """One container, as its pod says.

    Attributes:
        id: Of the instance that runs or ran last, by what its runtime calls it; "" where there was none.
        restart: How often it was restarted.
        state: ``"waiting"``, ``"running"``, ``"terminated"``, or ``"unknown"`` where the pod says nothing.
        reason: Why it waits or ended, such as ``ImagePullBackOff``.
        message: The same in the kubelet's words.
        exit_code: Of the one that ended; None where none has.
        started: Nanoseconds since the epoch, whole seconds; 0 where it is not known.
        ran: Whether there is, or was, one whose log can be asked for.
        over: Whether none will follow.
    """

    id: str = ""
    restart: int = 0
    state: str = "unknown"
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    started: int = 0
    ran: bool = False
    over: bool = False

    @property
    def key(self) -> str:
        """What tells one instance from another."""
        return self.id or f"#{self.restart}"

    @property
    def ending(self) -> str:
        """How the last one ended, as in "exit code 137, OOMKilled"; "" where that is not known."""
        if self.exit_code is None:
            return ""
        reason = self.reason if self.state == "terminated" else ""
        return f"exit code {self.exit_code}" + (
            f", {reason}" if reason and reason not in ("Completed", "Error") else ""
        )


class Pod(NamedTuple):
    """A pod.

    Attributes:
        containers: (name, kind) in the order of the spec; kind is one of `KINDS`.
        instances: By the container's name.
        over: Whether it has ended for good.
    """

    namespace: str
    name: str
    uid: str
    phase: str
    containers: tuple[tuple[str, str], ...]
    instances: dict[str, Instance]
    over: bool


class _Waiting(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _Running(msgspec.Struct):
    startedAt: str | None = None  # noqa: N815 - as the server writes it


class _Terminated(msgspec.Struct):
    exitCode: int = 0  # noqa: N815
    reason: str = ""
    message: str = ""
    startedAt: str | None = None  # noqa: N815
    containerID: str = ""  # noqa: N815


class _State(msgspec.Struct):
    waiting: _Waiting | None = None
    running: _Running | None = None
    terminated: _Terminated | None = None


class _Status(msgspec.Struct):
    name: str = ""
    containerID: str = ""  # noqa: N815
    restartCount: int = 0  # noqa: N815
    state: _State | None = None
    lastState: _State | None = None  # noqa: N815


class _Container(msgspec.Struct):
    name: str = ""
    restartPolicy: str | None = None  # noqa: N815


class _Spec(msgspec.Struct):
    containers: list[_Container] | None = None
    initContainers: list[_Container] | None = None  # noqa: N815
    ephemeralContainers: list[_Container] | None = None  # noqa: N815
    restartPolicy: str = "Always"  # noqa: N815


class _Condition(msgspec.Struct):
    type: str = ""
    status: str = ""
    reason: str | None = None
    message: str | None = None


class _PodStatus(msgspec.Struct):
    phase: str = ""
    reason: str | None = None
    message: str | None = None
    conditions: list[_Condition] | None = None
    containerStatuses: list[_Status] | None = None  # noqa: N815
    initContainerStatuses: list[_Status] | None = None  # noqa: N815
    ephemeralContainerStatuses: list[_Status] | None = None  # noqa: N815


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""
    uid: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec | None = None
    status: _PodStatus | None = None


_decode = msgspec.json.Decoder(_Object).decode


def read_pod(content: bytes) -> Pod | None:
    """A pod from its JSON; None where it is none."""
    try:
        found = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    spec, status = found.spec or _Spec(), found.status or _PodStatus()
    over = status.phase in OVER
    told = {
        one.name: one
        for group in (status.initContainerStatuses, status.containerStatuses, status.ephemeralContainerStatuses)
        for one in group or ()
    }
    containers: list[tuple[str, str]] = []
    instances: dict[str, Instance] = {}
    for kind, group in zip(KINDS, (spec.containers, spec.initContainers, spec.ephemeralContainers), strict=True):
        for one in group or ():
            containers.append((one.name, kind))
            known = told.get(one.name)
            if known is None:
                instances[one.name] = Instance(state="waiting", over=over, **_pending(status))
            else:
                instances[one.name] = _instance(known, kind, one.restartPolicy, spec.restartPolicy, over)
    meta = found.metadata
    return Pod(meta.namespace, meta.name, meta.uid, status.phase, tuple(containers), instances, over)


def _pending(status: _PodStatus) -> dict[str, Any]:
    """Why a container of which the pod says nothing is not there: most often no node takes it."""
    for one in status.conditions or ():
        if one.type == "PodScheduled" and one.status == "False":
            return {"reason": one.reason or "Pending", "message": one.message or ""}
    return {"reason": status.reason or status.phase or "Pending", "message": status.message or ""}


def _instance(status: _Status, kind: str, own_policy: str | None, policy: str, over: bool) -> Instance:
    state, last = status.state or _State(), (status.lastState or _State()).terminated
    words: dict[str, Any] = {"restart": status.restartCount, "over": over}
    if state.running is not None:
        started = parse_stamp(state.running.startedAt or "") or 0
        code = last.exitCode if last is not None else None
        return Instance(status.containerID, state="running", started=started, ran=True, exit_code=code, **words)
    ended = state.terminated
    if ended is not None:
        if not over:
            words["over"] = kind == "ephemeral" or policy == "Never" or (policy == "OnFailure" and not ended.exitCode)
            if kind == "init" and own_policy != "Always":
                words["over"] = not ended.exitCode or policy == "Never"
        id_ = ended.containerID or status.containerID
        started = parse_stamp(ended.startedAt or "") or 0
        return Instance(
            id_ or (last.containerID if last is not None else ""),
            state="terminated",
            reason=ended.reason,
            message=ended.message,
            exit_code=ended.exitCode,
            started=started,
            ran=bool(id_) or ended.startedAt is not None or last is not None,
            **words,
        )
    waiting = state.waiting or _Waiting("ContainerCreating")
    id_ = status.containerID or (last.containerID if last is not None else "")
    return Instance(
        id_,
        state="waiting",
        reason=waiting.reason,
        message=waiting.message,
        exit_code=last.exitCode if last is not None else None,
        started=(parse_stamp(last.startedAt or "") or 0) if last is not None else 0,
        ran=last is not None,
        **words,
    )
