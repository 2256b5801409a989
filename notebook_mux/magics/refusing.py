"""What a cell cannot do, or should do otherwise: said before anything is started."""

from __future__ import annotations

import difflib
import shlex

from notebook_mux.errors import InvalidArgument
from notebook_mux.magics.words import Words

VERBS = frozenset({
    "alpha", "annotate", "api-resources", "api-versions", "apply", "attach", "auth", "autoscale", "certificate",
    "cluster-info", "completion", "config", "cordon", "cp", "create", "debug", "delete", "describe", "diff",
    "drain", "edit", "events", "exec", "explain", "expose", "get", "help", "kuberc", "kustomize", "label", "logs",
    "options", "patch", "plugin", "port-forward", "proxy", "replace", "rollout", "run", "scale", "set", "taint",
    "top", "uncordon", "version", "wait",
})  # fmt: skip
"""kubectl's own commands (1.37); any other word would run a program of that name, a plugin."""

LOGINS = frozenset({
    "certificate-authority", "client-certificate", "client-key", "cluster", "insecure-skip-tls-verify",
    "kubeconfig", "password", "server", "tls-server-name", "token", "user", "username",
})  # fmt: skip
"""Flags that say where kubectl goes and who asks: the connection's business."""

BINDING = frozenset({("create", "rolebinding"), ("create", "clusterrolebinding"), ("set", "subject")})
"""Where ``--user`` says who gets a role, and not who asks."""

READING_CONFIG = frozenset({"", "view", "current-context", "get-contexts", "get-clusters", "get-users"})

INTERACTIVE = frozenset({"exec", "attach", "run", "debug"})


def check(words: Words) -> None:
    """Let a command pass.

    Raises:
        InvalidArgument: It needs a terminal, leaves the notebook's connection, or is no command of kubectl's.
    """
    verb = words.verb
    if verb and verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, 3)
        raise InvalidArgument(
            f"kubectl has no command {verb!r}",
            todo=f"did you mean {', '.join(near)}?" if near else "%kubectl help lists them; plugins are not run here",
        )
    wrong = sorted(LOGINS & words.flags.keys() - ({"user"} if (verb, *words.names[:1]) in BINDING else set()))
    if wrong:
        raise InvalidArgument(
            f"--{wrong[0]} is decided by the notebook's connection",
            todo="nm.connect(kubeconfig=...) connects to other clusters, and --context chooses among those connected; "
            "!kubectl goes its own way",
        )
    if verb == "port-forward":
        port = words.names[1].rpartition(":")[2] if len(words.names) > 1 else "8080"
        raise InvalidArgument(
            "kubectl port-forward would hold the cell for as long as it forwards",
            todo=f"nm.port_forward({_target(words)!r}, {port}) forwards and lets the cell end",
        )
    if verb == "proxy":
        raise InvalidArgument(
            "kubectl proxy would hold the cell, and let everybody on this machine ask as you",
            todo="%kubectl get --raw /api/... asks once; nm.port_forward('svc/web', 80) reaches what a pod serves",
        )
    if verb == "config" and (words.names[:1] or ("",))[0] not in READING_CONFIG:
        raise InvalidArgument(
            f"kubectl config {words.names[0]} would change the notebook's own kubeconfig, which is made anew each time",
            todo="say it in the command: -n NAMESPACE, --context NAME; or for all: nm.connect(..., namespace='lab')",
        )
    _check_terminal(words)


def _check_terminal(words: Words) -> None:
    edits = words.verb == "edit" or words.has("edit") or words.names[:1] == ("edit-last-applied",)
    if edits:
        raise InvalidArgument(
            f"kubectl {words.verb} opens an editor, which a cell has not",
            todo="%kubectl get ... -o yaml, and the changed text in %%kubectl apply -f -; or %kubectl patch",
        )
    if words.verb not in INTERACTIVE or not words.has("tty"):
        return
    target = repr(_target(words))
    if words.verb == "attach":
        instead = f"nm.shell({target}, attach=True) opens one"
    elif words.verb == "exec":
        command = f"; or without -t: nm.exec({target}, {list(words.program)})" if words.program else ""
        instead = f"nm.shell({target}) opens one{command}"
    elif words.verb == "debug":
        image = words.value("image") or "busybox"
        instead = f"nm.shell({target}, image={image!r}) opens one in a debug container"
    else:
        instead = f"%kubectl {shlex.join(_without_terminal(words))}, and then nm.shell({target})"
    raise InvalidArgument(f"kubectl {words.verb} -t needs a terminal, which a cell has not", todo=instead)


def _target(words: Words) -> str:
    return words.names[0] if words.names else "pod/NAME"


def _without_terminal(words: Words) -> list[str]:
    left_out = {"-it", "-ti", "-t", "-i", "--tty", "--stdin", "--tty=true", "--stdin=true", "--rm"}
    end = words.all.index("--") if "--" in words.all else len(words.all)
    return [*(word for word in words.all[:end] if word not in left_out), *words.all[end:]]
