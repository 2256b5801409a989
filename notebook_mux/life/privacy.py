"""Takes out of text what says who somebody is or where their machines are, for a report that others will read.

`redact` takes out secrets; this takes out more, and is for reports alone: an error on one's own screen names hosts.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from notebook_mux.life.redact import redact

__all__ = ["Privacy"]

SHORTEST = 4
"""Characters of a name that is taken out wherever it stands; shorter ones would tear words apart."""

COMMON_NAMES = frozenset(
    {"root", "user", "users", "admin", "administrator", "jovyan", "ubuntu", "debian", "runner", "default", "home"}
    | {"python", "jupyter", "notebook", "gateway", "kubernetes", "serviceaccount", "kubernetes-admin"}
)
"""Names that name nobody."""

LOCAL_HOSTS = frozenset(
    {"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "host.docker.internal"}
)
"""Hosts that are the same everywhere, and say nothing of anyone's network."""

_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ACCOUNT = re.compile(r"(?<![\w.-])\d{12}(?![\w.])")
_HOME = re.compile(r"(?<![\w])([/\\](?:home|Users)[/\\])(?!<)[^/\\\s'\":,]+")
_URL_HOST = re.compile(r"(\b[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?([^\s/:?#<>\[\]'\"]+)", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])", re.IGNORECASE)


class Privacy:
    """What to take out of one report. Any thread may call it.

    Taken out: secrets (see `redact`), the home folder (``~``), the names of the user, of this machine, of the
    clusters' servers and of the kubeconfig's users, e-mail addresses, account numbers of twelve digits, hosts in URLs,
    and addresses other than loopback ones. Kept: names of contexts and namespaces, as far as none of these is in them,
    ports, versions, and paths below the home.

    Args:
        servers: Hosts of clusters, each replaced by ``<server N>`` in this order.
        users: Names of the kubeconfig's user entries.
        keep: Names that are to stay readable, those of contexts and clusters.
        home: The home folder; None is this user's.
        login: The user's name on this machine; None asks the system.
        machine: This machine's name; None asks the system.
    """

    def __init__(
        self,
        servers: Iterable[str] = (),
        users: Iterable[str] = (),
        keep: Iterable[str] = (),
        *,
        home: str | None = None,
        login: str | None = None,
        machine: str | None = None,
    ) -> None:
        kept = {*keep, *COMMON_NAMES}
        self._home = str(Path.home()) if home is None else home
        found: dict[str, str] = {}
        for number, host in enumerate(dict.fromkeys(filter(None, servers)), 1):
            if not is_local(host) and not (host in kept and "." not in host):
                found |= {host: f"<server {number}>", host.replace(".", "-"): f"<server {number}>"}
        names = {name for whole in users for name in (whole, whole.split("/")[0])}
        found |= {name: "<user>" for name in names if len(name) >= SHORTEST and name not in kept}
        login = _login() if login is None else login
        if len(login) >= SHORTEST and login not in kept:
            found.setdefault(login, "<user>")
        machine = socket.gethostname() if machine is None else machine
        if len(machine) >= SHORTEST and machine not in kept and not is_local(machine):
            found.setdefault(machine, "<this machine>")
        # The longer ones first: one may be a part of another.
        self._names = [
            (re.compile(rf"(?<![\w]){re.escape(name)}(?![\w])", re.IGNORECASE), word)
            for name, word in sorted(found.items(), key=lambda pair: -len(pair[0]))
        ]

    def clean(self, text: str) -> str:
        """The text without them."""
        text = redact(text)
        if len(self._home) > 1:
            text = re.sub(rf"{re.escape(self._home)}(?![\w.-])", "~", text)
        for pattern, word in self._names:
            text = pattern.sub(word, text)
        text = _HOME.sub(r"\1<user>", text)
        text = _EMAIL.sub("<e-mail>", text)
        text = _ACCOUNT.sub("<account>", text)
        text = _URL_HOST.sub(lambda at: at[0] if is_local(at[2]) else f"{at[1]}<host>", text)
        text = _IPV4.sub(lambda at: at[0] if is_local(at[0]) else "<address>", text)
        return _IPV6.sub(lambda at: at[0] if is_local(at[0]) or not _is_address(at[0]) else "<address>", text)


def is_local(host: str) -> bool:
    """Whether a host is this machine itself, or a name that is the same everywhere."""
    host = host.strip("[]").lower()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in LOCAL_HOSTS
    return address.is_loopback or address.is_unspecified


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False  # a time, such as 11:15:30
    return True


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, as in some containers
        return os.environ.get("USER", "")
