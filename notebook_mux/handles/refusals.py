"""An API server's refusal as an error of our tree, with its own words; and what to do next, in full.

Text alone: what has to be asked for it is asked by `advice`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

import msgspec

from notebook_mux import errors
from notebook_mux.kube import troubles
from notebook_mux.wire import UNREADABLE

SAID_BYTES = 2000
"""Of a body that is no Status, what is taken as the server's words."""

OK = range(200, 300)
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, GONE = 401, 403, 404, 410
BAD_REQUEST, UNPROCESSABLE, GATEWAY_TIMEOUT = 400, 422, 504

LOGIN_COMMANDS = {
    "aws": "aws sso login",
    "aws-iam-authenticator": "aws sso login",
    "az": "az login",
    "doctl": "doctl auth init",
    "gcloud": "gcloud auth login",
    "gke-gcloud-auth-plugin": "gcloud auth login",
    "ibmcloud": "ibmcloud login",
    "oci": "oci session authenticate",
    "tsh": "tsh login",
}
"""How one logs in again with what a plugin asks, as the makers' documentation says; others log in by being run."""

_PLUGIN = re.compile(r"credential plugin '([^']+)'")
_WANTS_LOGIN = ("failed with exit code", "did not answer within", "wants a terminal")
"""Words of `gateway.exec_plugin` for a plugin that is there, and could not log in by itself."""

_SELECTOR_WORDS = ("selector", "field label", "unable to parse requirement")


def message_of(body: bytes) -> tuple[str, str]:
    """The message and the reason of a Status; of another body its text."""
    try:
        status: Any = msgspec.json.decode(body)
    except UNREADABLE:
        return body[:SAID_BYTES].decode(errors="replace").strip(), ""
    if not isinstance(status, dict):
        return str(status), ""
    return str(status.get("message") or ""), str(status.get("reason") or "")


def refused(status: int, body: bytes, *, what: str, cluster: str) -> errors.MuxError:
    """The error for an answer that is none of the 200s.

    Args:
        status: The HTTP status.
        body: The answer's body.
        what: What was asked, such as "listing pods in default".
        cluster: The cluster's name.
    """
    said, reason = message_of(body)
    given: dict[str, Any] = {"cluster": cluster, "said": said or f"HTTP {status} {reason}".strip()}
    if status == UNAUTHORIZED:
        return errors.LoginRequired(
            f"{what} needs a login", todo="log in to the cluster again, then run the cell again", **given
        )
    if status == FORBIDDEN:
        if reason == "WriteRefused":
            return errors.WriteRefused(f"{what} needs write", todo="connect with write=True", **given)
        return errors.Forbidden(
            f"{what} is forbidden", todo="ask for another namespace=, or for the right to list", **given
        )
    if status == NOT_FOUND:
        return errors.NotFound(f"{what} found nothing", **given)
    if status in (BAD_REQUEST, UNPROCESSABLE):
        if any(word in said.lower() for word in _SELECTOR_WORDS):
            return errors.BadSelector(f"{what} was refused", todo="correct the selector", **given)
        return errors.InvalidArgument(f"{what} was refused", **given)
    if status == GATEWAY_TIMEOUT:
        return errors.TimedOut(f"{what} took too long", todo="try again", **given)
    return errors.ServerError(f"{what} failed with HTTP {status}", todo="try again", **given)


def kubectl(context: str, paths: Sequence[str] | None) -> str:
    """The command that uses a context as we do, to be pasted into a terminal.

    Args:
        context: Its name.
        paths: The kubeconfig files; none are named where kubectl finds them by itself.
    """
    words = f"kubectl --context {shlex.quote(context)} get namespaces"
    usual = str(Path.home() / ".kube" / "config")
    if not paths or list(paths) == [usual]:
        return words
    if len(paths) == 1:
        return words.replace("kubectl", f"kubectl --kubeconfig {shlex.quote(paths[0])}", 1)
    return f"KUBECONFIG={shlex.quote(':'.join(paths))} {words}"


def log_in_again(error: errors.LoginRequired, *, host: str, command: str) -> errors.LoginRequired:
    """The same error with the command to run, and where.

    Args:
        error: What happened; the plugin's own words stay as they are.
        host: Where the plugin ran, and where the login has to be done.
        command: `kubectl`'s for this context.
    """
    if host in (error.todo or ""):
        return error
    plugin = _PLUGIN.search(error.what)
    if plugin is None:
        error.todo = f"get new credentials for it, then try on {host}: {command}"
    elif any(words in error.what for words in _WANTS_LOGIN):
        own = LOGIN_COMMANDS.get(PurePath(plugin[1]).name)
        run = f"{own} (or: {command})" if own else command
        error.todo = f"in a terminal on {host} run: {run}; then run the cell again"
    return error


def out_of_reach(
    error: errors.Unreachable | errors.TimedOut, *, host: str, server: str, seconds: float | None = None
) -> errors.MuxError:
    """The same error with the address, after how long, and where a VPN must be up.

    Args:
        error: What happened.
        host: Where the connection was made from.
        server: The cluster's URL.
        seconds: How long it took to fail; None where that is not known.
    """
    if server and server not in error.what:
        error.what += f" ({server})"
    if seconds is not None and " within " not in error.what:
        error.what += f", after {seconds:.1f} s"
    if isinstance(error, errors.TimedOut) or "certificate" in error.what or "TLS" in error.what:
        return error  # somebody answers there: no VPN is missing
    error.todo = f"{vpn(host)}; run the cell again, nm.doctor() looks closer"
    return error


def vpn(host: str) -> str:
    """What to look at where nobody answers."""
    return f"see whether the cluster runs; {troubles.vpn(f'on {host}, where this runs')}"
