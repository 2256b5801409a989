"""How a service proves that it has the token of the runtime file, without the token crossing the wire.

A runtime file may outlive its service, and another user's process may then listen on the port. So before a client
sends a token anywhere it asks ``GET /prove?nonce=<hex>`` and believes only an HMAC-SHA256 made with the token over
the nonce, the service's instance and the port. The port is in it so that an asker in between cannot pass the
question on to the real service at another port.

Pure functions: no socket, no loop, no clock.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any

__all__ = ["PATH", "BadNonce", "answer", "nonce", "verify"]

PATH = "/prove"

NONCE = re.compile(r"[0-9a-f]{32,128}")
"""16 to 64 random bytes: no two askers choose the same, and an answer fits in one packet."""


class BadNonce(ValueError):
    """The question is malformed; a service answers it with 400."""


def nonce() -> str:
    """A fresh question."""
    return secrets.token_hex(32)


def answer(token: str, nonce: str, *, instance: str, port: int, version: str) -> dict[str, str]:
    """The service's answer, to be sent as JSON.

    Args:
        token: The service's token.
        nonce: What was asked, as it came.
        instance: The service's instance.
        port: The port it listens on, as clients reach it.
        version: The package's version.

    Raises:
        BadNonce: The nonce is not 32 to 128 hexadecimal digits.
    """
    if not NONCE.fullmatch(nonce):
        raise BadNonce("a nonce has 32 to 128 digits 0-9 a-f")
    return {"instance": instance, "version": version, "proof": _proof(token, nonce, instance, port)}


def verify(reply: Mapping[str, Any], token: str, nonce: str, *, instance: str, port: int, version: str) -> bool:
    """Whether an answer is that of the service of a runtime file.

    Args:
        reply: The decoded JSON, from whoever answered.
        token: The runtime file's token.
        nonce: What was asked.
        instance: The runtime file's instance.
        port: The port that was asked.
        version: The runtime file's version.
    """
    given = reply.get("proof")
    if reply.get("instance") != instance or reply.get("version") != version or not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode(errors="replace"), _proof(token, nonce, instance, port).encode())


def _proof(token: str, nonce: str, instance: str, port: int) -> str:
    text = f"{nonce}|{instance}|{port}"
    return hmac.new(token.encode(), text.encode(), hashlib.sha256).hexdigest()
