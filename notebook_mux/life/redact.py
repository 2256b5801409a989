"""Takes secrets out of text that goes to a log or an error: better a hash too many than a token too few."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "add_secret", "redact"]

HIDDEN = "[hidden]"

_secrets: set[str] = set()

_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_HEADER = re.compile(r"\b(bearer|basic|negotiate)([\s:]+)(?!\[hidden\])[^\s\"',;]{6,}", re.IGNORECASE)
_COOKIE = re.compile(r"\b((?:set-)?cookie|authorization)(\"?'?\s*:\s*)[^\r\n]+", re.IGNORECASE)
_SUBPROTOCOL = re.compile(r"(base64url\.bearer\.authorization\.k8s\.io\.)[\w-]+", re.IGNORECASE)
_QUERY = re.compile(
    r"([?&;](?:[\w-]*token|code|secret|password|key|sig(?:nature)?)=)(?!\[hidden\])[^&\s\"'#]+", re.IGNORECASE
)
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@", re.IGNORECASE)
_FIELD = re.compile(
    r"([\"']?[\w.-]*(?:token|passw(?:or)?d|secret|client-key-data|api[_-]?key)[\"']?\s*[:=]\s*)(?!\[hidden\])"
    r"(\"[^\"\r\n]*\"|'[^'\r\n]*'|[^\s\"',}\]]+)",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?")
_LONG = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
_WORD = re.compile(r"[A-Z]?[a-z0-9_+-]*|[A-Z0-9_-]*")
_PLAIN = re.compile(r"[a-z]+|[A-Z]+|.*[_+-].*")


def add_secret(secret: str) -> None:
    """Take this very text out too, wherever it stands; for a process's own token."""
    if len(secret) >= 8:  # shorter ones would tear words apart
        _secrets.add(secret)


def redact(text: str) -> str:
    """The text without what looks like a secret.

    Tokens and passwords in queries, headers, URLs and fields, JSON web tokens, private keys, and runs of 40 and more
    base64 or hexadecimal characters, unless they look like a path or a name.
    """
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    text = _PEM.sub(HIDDEN, text)
    text = _SUBPROTOCOL.sub(rf"\1{HIDDEN}", text)
    text = _COOKIE.sub(rf"\1\2{HIDDEN}", text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _QUERY.sub(rf"\1{HIDDEN}", text)
    text = _USERINFO.sub(rf"\1{HIDDEN}@", text)
    text = _FIELD.sub(rf"\1{HIDDEN}", text)
    text = _JWT.sub(HIDDEN, text)
    return _LONG.sub(lambda found: found[0] if _is_name(found[0]) else HIDDEN, text)


def _is_name(run: str) -> bool:
    """Paths and names are words of one case; random text of forty characters changes case or has digits all over."""
    parts = run.split("/")
    if not all(_WORD.fullmatch(part) for part in parts):
        return False
    return all(len(part) < 32 or _PLAIN.fullmatch(part) for part in parts)
