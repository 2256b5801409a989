"""Images: their full names, which of them cannot be pulled, and what containerd says then."""

from __future__ import annotations

import hashlib
import re
from typing import Any

Json = dict[str, Any]

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?))*(?::[0-9]+)?"
_FORM = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>[\w][\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)
"""The grammar of references (https://github.com/distribution/reference)."""

MISSING = frozenset({"does-not-exist", "doesnotexist", "no-such-image", "no-such-tag", "nonexistent", "not-there"})
"""Tags and names that no registry has."""

NO_HOSTS = ("missing.example", "invalid", "nonexistent.example")
"""Registries that there are not: RFC 2606 keeps these names free. The first part of a name, or its end."""

DOCKER = "docker.io"


def problem(image: str) -> str:
    """Why a reference is none; empty if it is one."""
    if _FORM.fullmatch(image):
        return ""
    said = f'couldn\'t parse image name "{image}": invalid reference format'
    name = image.partition("@")[0]
    last = name.rpartition("/")[2]
    name = name[: len(name) - len(last)] + last.partition(":")[0]
    if name != name.lower() and _FORM.fullmatch(image.replace(name, name.lower(), 1)):
        full = name if "/" in name else f"library/{name}"
        return f"{said}: repository name ({full}) must be lowercase"
    return said


def full(image: str) -> str:
    """``docker.io/library/nginx:latest`` of ``nginx``, as containerd calls it."""
    found = _FORM.fullmatch(image)
    if found is None:
        return image
    name = found["name"]
    first, _, rest = name.partition("/")
    if not rest:
        name = f"{DOCKER}/library/{name}"
    elif not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        name = f"{DOCKER}/{name}"
    tag = found["tag"] or ("" if found["digest"] else "latest")
    return name + (f":{tag}" if tag else "") + (f"@{found['digest']}" if found["digest"] else "")


def identity(image: str) -> str:
    """The image's digest, as a container's status has it: the same each time."""
    name = full(image)
    if "@" in name:
        return name
    repository = name[: name.rindex(":")]
    return f"{repository}@sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def size(image: str) -> int:
    """Bytes of an image: plausible, and the same each time."""
    return 4_000_000 + int(hashlib.sha256(full(image).encode()).hexdigest()[:8], 16) % 180_000_000


def failure(image: str) -> str:
    """What a pull of it says; empty if it works."""
    name = full(image)
    host, _, path = name.partition("/")
    repository, _, tag = path.partition("@")[0].rpartition(":")
    before = f'failed to pull and unpack image "{name}": failed to resolve reference "{name}": '
    first = image.partition("/")[0] if "/" in image else ""
    if any(one in (host, first) or host.endswith(f".{one}") for one in NO_HOSTS):
        server = host if host != DOCKER else first
        where = f"https://{server}/v2/{repository.removeprefix(f'{server}/')}/manifests/{tag}"
        return f'{before}failed to do request: Head "{where}": dial tcp: lookup {server} on 10.96.0.10:53: no such host'
    if repository.rpartition("/")[2] in MISSING or repository.partition("/")[0] in MISSING:
        if host != DOCKER:
            return f"rpc error: code = NotFound desc = {before}{name}: not found"
        return (
            f"{before}pull access denied, repository does not exist or may require authorization: "
            "server message: insufficient_scope: authorization failed"
        )
    if tag in MISSING:
        return f"rpc error: code = NotFound desc = {before}{name}: not found"
    return ""


def forced_failure(image: str) -> str:
    """What the pull of an image says that a pod's annotation calls missing."""
    return failure(image) or (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{full(image)}": '
        f'failed to resolve reference "{full(image)}": {full(image)}: not found'
    )
