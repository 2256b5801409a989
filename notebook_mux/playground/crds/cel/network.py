"""URLs, addresses and networks: read as Go's net/url and net/netip do, with their words for what is none."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, unquote, unquote_plus

from notebook_mux.playground.crds.cel.values import CelError, quoted

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface

MULTICAST_SCOPE, LINK_LOCAL = 0x0F, 0x02
"""Of the second byte of an IPv6 multicast address (RFC 4291)."""

HEX_DIGITS, GROUPS, HALF_WORD = 4, 8, 0xFFFF
_DIGITS = "0123456789"
_HEX = "0123456789abcdefABCDEF"
_PLAIN_PATH = re.compile(r"(?:[A-Za-z0-9\-_.~!$&'()*+,;=:@/\[\]]|%[0-9a-fA-F]{2})*")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2}).{0,2}", re.DOTALL)
_HOST_CHAR = re.compile(r"""[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>"%]|[^\x00-\x7f]""")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+\-.]*:")
_USER = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")


class NotParsed(ValueError):
    """A text that is no URL, address or network."""


# --------------------------------------------------------------------------------------------------------- URLs


@dataclass(frozen=True, slots=True)
class Url:
    """A URL; two are the same when they are written the same."""

    text: str
    scheme: str
    host: str
    path: str
    query: str
    cel_type: ClassVar[str] = "kubernetes.URL"

    def hostname(self) -> str:
        """The host without its port and brackets."""
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.partition(":")[0]

    def port(self) -> str:
        """The port; empty without one."""
        return self.host.rpartition("]")[2].partition(":")[2]

    def escaped_path(self) -> str:
        """The path as it is sent."""
        if _PLAIN_PATH.fullmatch(self.path):
            return self.path
        return quote(unquote(self.path), safe="/$&+,:;=@-_.~")

    def values(self) -> dict[str, list[str]]:
        """What is asked, by name; what cannot be read is left out."""
        found: dict[str, list[str]] = {}
        for part in self.query.split("&"):
            if part and ";" not in part and not _BAD_ESCAPE.search(part):
                name, _, value = part.partition("=")
                found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
        return found


def parse_url(text: str) -> Url:
    """Read what is asked of a server: a whole URL, or a path from the root.

    Raises:
        NotParsed: It is none.
    """
    try:
        return _url(text)
    except NotParsed as error:
        raise NotParsed(f"parse {quoted(text)}: {error}") from None


def _url(text: str) -> Url:
    if any(ord(char) < ord(" ") or char == "\x7f" for char in text):
        raise NotParsed("net/url: invalid control character in URL")
    if not text:
        raise NotParsed("empty url")
    if text == "*":
        return Url(text, "", "", "*", "")
    if text.startswith(":"):
        raise NotParsed("missing protocol scheme")
    match = _SCHEME.match(text)
    scheme = match[0][:-1].lower() if match else ""
    rest, _, fragment = text[match.end() if match else 0 :].partition("#")
    rest, _, query = rest.partition("?")
    host = ""
    if not rest.startswith("/"):
        if not scheme:
            raise NotParsed("invalid URI for request")
        return Url(text, scheme, "", "", query)  # opaque, as of mailto
    if scheme and rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        rest = f"{slash}{path}"
        user, at, host = authority.rpartition("@")
        _escapes(user)
        if at and not _USER.fullmatch(user):
            raise NotParsed("net/url: invalid userinfo")
        _host(host)
    _escapes(rest)
    _escapes(fragment)
    return Url(text, scheme, host, rest, query)


def _escapes(text: str) -> None:
    if match := _BAD_ESCAPE.search(text):
        raise NotParsed(f"invalid URL escape {quoted(match[0])}")


def _host(host: str) -> None:
    if host.startswith("["):
        if "]" not in host:
            raise NotParsed("missing ']' in host")
        port = host[host.rindex("]") + 1 :]
    else:
        port = host[host.rindex(":") :] if ":" in host else ""
    if port and not re.fullmatch(r":\d*", port, re.ASCII):
        raise NotParsed(f"invalid port {quoted(port)} after host")
    _escapes(host)
    for char in host:
        if not _HOST_CHAR.fullmatch(char):
            raise NotParsed(f"invalid character {quoted(char)} in host name")


def url(text: Any) -> Url:
    """``url('https://example.com')``."""
    try:
        return parse_url(_text(text))
    except NotParsed as error:
        raise CelError(f"URL parse error during conversion from string: {error}") from None


# ---------------------------------------------------------------------------------------------------- addresses


@dataclass(frozen=True, slots=True)
class Ip:
    """An address."""

    address: Address
    cel_type: ClassVar[str] = "net.IP"

    def __str__(self) -> str:
        return str(self.address)

    def is_local_multicast(self) -> bool:
        """Whether it reaches many, and no further than the link."""
        packed = self.address.packed
        if self.address.version == 4:
            return packed[:3] == b"\xe0\x00\x00"
        return packed[0] == 0xFF and packed[1] & MULTICAST_SCOPE == LINK_LOCAL

    def is_global(self) -> bool:
        """Whether it is one host's, beyond the link; private ones are."""
        one = self.address
        broadcast = one.version == 4 and one.packed == b"\xff" * 4
        return not (broadcast or one.is_unspecified or one.is_loopback or one.is_multicast or one.is_link_local)


@dataclass(frozen=True, slots=True)
class Cidr:
    """A network, with the address by which it is named."""

    network: Network
    cel_type: ClassVar[str] = "net.CIDR"

    def __str__(self) -> str:
        return self.network.with_prefixlen

    def masked(self) -> Cidr:
        """The network by its first address."""
        return Cidr(ipaddress.ip_interface(str(self.network.network)))

    def has(self, address: Address) -> bool:
        """Whether an address is in it."""
        return address.version == self.network.version and address in self.network.network

    def has_all(self, other: Cidr) -> bool:
        """Whether all of another network is in it."""
        return self.has(other.network.network.network_address) and (
            self.network.network.prefixlen <= other.network.network.prefixlen
        )


def ip(text: Any) -> Ip:
    """``ip('10.0.0.1')``."""
    raw = _text(text)
    try:
        address = _address(raw)
    except NotParsed as error:
        raise CelError(f"IP Address {quoted(raw)} parse error during conversion from string: {error}") from None
    if "%" in raw:
        raise CelError(f"IP address {quoted(raw)} with zone value is not allowed")
    _not_mapped(address, raw)
    return Ip(address)


def cidr(text: Any) -> Cidr:
    """``cidr('10.0.0.0/8')``."""
    raw = _text(text)
    said = "network address parse error during conversion from string"
    try:
        found = _network(raw)
    except NotParsed as error:
        raise CelError(f"{said}: {said}: netip.ParsePrefix({quoted(raw)}): {error}") from None
    try:
        _not_mapped(found.ip, raw)
    except CelError as error:
        raise CelError(f"{said}: {error}") from None
    return Cidr(found)


def _not_mapped(address: Address, raw: str) -> None:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        raise CelError(f"IPv4-mapped IPv6 address {quoted(raw)} is not allowed")


def _network(text: str) -> Network:
    before, slash, bits = text.rpartition("/")
    if not slash:
        raise NotParsed("no '/'")
    address = _address(before)
    if "%" in before:
        raise NotParsed("IPv6 zones cannot be present in a prefix")
    if not re.fullmatch(r"0|[1-9]\d*", bits, re.ASCII):
        raise NotParsed(f"bad bits after slash: {quoted(bits)}")
    if len(bits) > HEX_DIGITS or int(bits) > address.max_prefixlen:
        raise NotParsed("prefix length out of range")
    return ipaddress.ip_interface(f"{address}/{bits}")


def _address(text: str) -> Address:
    try:
        first = next((char for char in text if char in ".:%"), "")
        if first == ".":
            _ipv4(text)
        elif first == ":":
            _ipv6(text)
        else:
            raise NotParsed("missing IPv6 address" if first else "unable to parse IP")
    except NotParsed as error:
        raise NotParsed(f"ParseAddr({quoted(text)}): {error}") from None
    return ipaddress.ip_address(text.partition("%")[0])


def _at(why: str, rest: str) -> NotParsed:
    return NotParsed(f"{why} (at {quoted(rest)})")


def _ipv4(text: str) -> None:
    value = digits = fields = 0
    for index, char in enumerate(text):
        if char in _DIGITS:
            if digits == 1 and value == 0:
                raise NotParsed("IPv4 field has octet with leading zero")
            value, digits = value * 10 + int(char), digits + 1
            if value > 255:
                raise NotParsed("IPv4 field has value >255")
        elif char == ".":
            if index in (0, len(text) - 1) or text[index - 1] == ".":
                raise _at("IPv4 field must have at least one digit", text[index:])
            if fields == 3:
                raise NotParsed("IPv4 address too long")
            value, digits, fields = 0, 0, fields + 1
        else:
            raise _at("unexpected character", text[index:])
    if fields < 3:
        raise NotParsed("IPv4 address too short")


def _ipv6(text: str) -> None:
    rest, percent, zone = text.partition("%")
    if percent and not zone:
        raise NotParsed("zone must be a non-empty string")
    groups, gap = 0, rest.startswith("::")
    if gap:
        rest = rest[2:]
    while groups < GROUPS and rest:
        digits = len(rest) - len(rest.lstrip(_HEX))
        if digits == 0:
            raise _at("each colon-separated field must have at least one digit", rest)
        if digits > HEX_DIGITS:
            raise _at("each group must have 4 or less digits", rest)
        if rest[digits : digits + 1] == ".":
            if not gap and groups != GROUPS - 2:
                raise _at("embedded IPv4 address must replace the final 2 fields of the address", rest)
            if groups + 2 > GROUPS:
                raise _at("too many hex fields to fit an embedded IPv4 at the end of the address", rest)
            _ipv4(rest)
            groups, rest = groups + 2, ""
            break
        groups, rest = groups + 1, rest[digits:]
        if not rest:
            break
        if not rest.startswith(":"):
            raise _at("unexpected character, want colon", rest)
        if rest == ":":
            raise _at("colon must be followed by more characters", rest)
        rest = rest[1:]
        if rest.startswith(":"):
            if gap:
                raise _at("multiple :: in address", rest)
            gap, rest = True, rest[1:]
    if rest:
        raise _at("trailing garbage after address", rest)
    if groups < GROUPS and not gap:
        raise NotParsed("address string too short")
    if groups == GROUPS and gap:
        raise NotParsed("the :: must expand to at least one field of zeros")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise CelError("no such overload")
    return value
