"""The formats of texts that a schema can ask for (kube-openapi's strfmt), each as a test of a text."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_UUID = "[0-9a-f]{8}-?[0-9a-f]{4}-?{version}[0-9a-f]{3}-?{variant}[0-9a-f]{3}-?[0-9a-f]{12}"
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[tT]\d\d:\d\d:\d\d(\.\d+)?([zZ]|[+-]\d\d:\d\d)")
_DURATION = re.compile(
    r"(\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w|nano|micro|milli|sec|second|min|minute|hour|day|week)s?\s*)+"
)
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_HOSTNAME = re.compile(r"([a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?\.?")
_COLOR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_RGB = re.compile(r"rgb\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)")
_MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}([:-][0-9a-fA-F]{2}){0,2}|([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}")
SHORT_NAME, LONG_NAME = 63, 253


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _uuid(version: str = "[0-9a-f]", variant: str = "[0-9a-f]") -> Callable[[str], bool]:
    text = _UUID.replace("{version}", version).replace("{variant}", variant)
    return _matches(re.compile(text, re.IGNORECASE))


def _parses(function: Callable[[str], object]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            function(text)
        except (ValueError, binascii.Error):
            return False
        return True

    return holds


def _uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme or text.startswith("/"))


def _rgb(text: str) -> bool:
    match = _RGB.fullmatch(text)
    return match is not None and all(int(part) <= 255 for part in match.groups())


def _digits(text: str) -> str:
    return text.replace("-", "").replace(" ", "")


def _isbn10(text: str) -> bool:
    digits = _digits(text)
    if not re.fullmatch(r"\d{9}[\dX]", digits):
        return False
    return sum((10 - i) * (10 if c == "X" else int(c)) for i, c in enumerate(digits)) % 11 == 0


def _isbn13(text: str) -> bool:
    digits = _digits(text)
    return (
        bool(re.fullmatch(r"\d{13}", digits))
        and sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(digits)) % 10 == 0
    )


def _card(text: str) -> bool:
    digits = _digits(text)
    if not re.fullmatch(r"\d{12,19}", digits):
        return False
    doubled = (int(c) * (1 + i % 2) for i, c in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


KNOWN: dict[str, Callable[[str], bool]] = {
    "bsonobjectid": _matches(re.compile(r"[0-9a-fA-F]{24}")),
    "uri": _uri,
    "email": _matches(_EMAIL),
    "hostname": lambda text: len(text) <= LONG_NAME and _HOSTNAME.fullmatch(text) is not None,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": _parses(lambda text: ipaddress.ip_interface(text) if "/" in text else int("no length")),
    "mac": _matches(_MAC),
    "uuid": _uuid(),
    "uuid3": _uuid("3"),
    "uuid4": _uuid("4", "[89ab]"),
    "uuid5": _uuid("5", "[89ab]"),
    "isbn": lambda text: _isbn10(text) or _isbn13(text),
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "creditcard": _card,
    "ssn": _matches(re.compile(r"\d{3}[- ]?\d{2}[- ]?\d{4}")),
    "hexcolor": _matches(_COLOR),
    "rgbcolor": _rgb,
    "byte": _parses(lambda text: base64.b64decode(text, validate=True)),
    "password": lambda _: True,
    "date": _parses(date.fromisoformat),
    "duration": lambda text: text == "0" or _DURATION.fullmatch(text) is not None,
    "datetime": _matches(_DATE_TIME),
    "date-time": _matches(_DATE_TIME),
    "k8s-short-name": lambda text: len(text) <= SHORT_NAME and re.fullmatch(_LABEL, text) is not None,
    "k8s-long-name": lambda text: len(text) <= LONG_NAME and re.fullmatch(rf"{_LABEL}(\.{_LABEL})*", text) is not None,
}
"""Those that the server knows; any other is only a word (it warns of them when a definition is made)."""

NUMBERS = frozenset({"int32", "int64", "float", "double"})
