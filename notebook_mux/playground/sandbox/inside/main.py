"""A sandbox from its beginning: ``python -I -S -c ... FILE``, where FILE is the socket to the playground."""

from __future__ import annotations

import os
import signal
import socket
import sys

from notebook_mux.playground.sandbox.inside import calls, entries, plans, rooting, running, seccomp, serving, wires
from notebook_mux.playground.sandbox.inside.plans import Plan

NEW = (calls.CLONE_NEWUSER | calls.CLONE_NEWNS | calls.CLONE_NEWPID | calls.CLONE_NEWNET | calls.CLONE_NEWIPC
       | calls.CLONE_NEWUTS | calls.CLONE_NEWCGROUP)  # fmt: skip

OOM_FIRST = "1000"
"""Whom the kernel kills first when the machine has no memory left (proc(5): oom_score_adj)."""


def main() -> None:
    """Be a sandbox until the playground is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    control.set_inheritable(False)  # whoever has it speaks for the sandbox
    received = wires.receive(control)
    if received is None:
        os._exit(1)
    message, _, body = received
    plan = plans.of(message["plan"])
    step = "user"
    try:
        _bind_to_parent()
        _become_nobody(plan)
        step = "namespaces"
        user, group = os.geteuid(), os.getegid()
        calls.unshare(NEW)
        step = "map"
        _map(plan, user, group)
        step = "fork"
        pid = os.fork()
    except OSError as fault:
        _fail(control, step, fault)
    if pid:
        control.close()
        _, status = os.waitpid(pid, 0)
        os._exit(0 if status == 0 else 1)
    _first(control, plan, body)


def _bind_to_parent() -> None:
    """End with whoever started this."""
    parent = os.getppid()
    calls.prctl(calls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _become_nobody(plan: Plan) -> None:
    """Root is nobody from here on: a sandbox of root's own would not be bounded (setrlimit(2): RLIMIT_NPROC)."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(plan.outer, plan.outer, plan.outer)
        os.setresuid(plan.outer, plan.outer, plan.outer)
        _bind_to_parent()  # a change of user has undone it
        calls.prctl(calls.PR_SET_DUMPABLE, 1)  # else the files that map users would be root's


def _map(plan: Plan, user: int, group: int) -> None:
    """One user inside is the one outside; there is no other (user_namespaces(7))."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{plan.uid} {user} 1"),
        ("gid_map", f"{plan.gid} {group} 1"),
    ):
        calls.write(f"/proc/self/{name}", text)


def _first(control: socket.socket, plan: Plan, body: bytes) -> None:
    """The first process of the new namespaces. Never returns."""
    step = "root"
    try:
        calls.prctl(calls.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.umask(0o022)
        calls.write("/proc/self/oom_score_adj", OOM_FIRST)
        os.nice(plan.limits.niceness)
        volumes = rooting.enter(plan)
        step = "files"
        serving.put(entries.unpack(body), volumes)
        rooting.seal(plan)
        step = "rights"
        _confine(plan)
        step = "filter"
        calls.install_filter(seccomp.program(os.uname().machine))
        step = "begin"
        wires.send(control, {"ready": os.getpid()})
        serving.Server(control, plan, volumes).serve()
    except (OSError, ValueError, LookupError, wires.BadMessage) as fault:
        _fail(control, step, fault)
    os._exit(0)


def _confine(plan: Plan) -> None:
    os.setsid()
    calls.set_title(plan.title)
    calls.prctl(calls.PR_SET_NO_NEW_PRIVS, 1)
    calls.drop_capabilities()
    # Its memory and files are nobody's from here on, though others inside have the same user (ptrace(2)).
    calls.prctl(calls.PR_SET_DUMPABLE, 0)
    running.bound(plan.limits)


def _fail(control: socket.socket, step: str, fault: Exception) -> None:
    told = {"failed": step, "errno": getattr(fault, "errno", None), "what": str(fault)}
    try:
        wires.send(control, told)
    except OSError:
        pass  # nobody is there to hear it
    os._exit(1)
