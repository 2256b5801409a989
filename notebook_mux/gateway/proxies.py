"""Which proxy a URL goes through by the environment, as Go's ``httpproxy`` package decides it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def from_environment(url: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The proxy's URL for `url` and the variable that says so, both "" for none.

    HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in capitals or not; ALL_PROXY is none of Go's, so kubectl does not read it.
    """
    parts = urlsplit(url)
    name, proxy = _variable(env, f"{parts.scheme}_proxy")
    if not proxy or _passed_by(parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0), env):
        return "", ""
    return (proxy if "://" in proxy else f"http://{proxy}"), name


def address(url: str) -> str:
    """Host and port of a proxy's URL, without user and password; "" for none."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _variable(env: Mapping[str, str], name: str) -> tuple[str, str]:
    """The name as it is set, and its value."""
    return next(((one, env[one]) for one in (name.upper(), name) if env.get(one)), ("", ""))


def _passed_by(host: str, port: int, env: Mapping[str, str]) -> bool:
    """Whether NO_PROXY names the host; this machine itself never goes through a proxy."""
    host = host.lower().rstrip(".")
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address | None = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    for entry in _variable(env, "no_proxy")[1].lower().split(","):
        entry = entry.strip()
        if entry == "*":
            return True
        if entry and _names(entry, host, port, address):
            return True
    return False


def _names(entry: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    else:
        return address is not None and address in network
    name, colon, digits = entry.rpartition(":")
    if colon and digits.isdigit() and not name.endswith(":"):
        if int(digits) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*")
    if entry.startswith("."):
        return host.endswith(entry)
    return host == entry or host.endswith("." + entry)
