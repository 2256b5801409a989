"""URLs of gateways: the token taken out, and the WebSocket's URL made from the base.

Text in, text out; nothing is asked of a network. A URL that cannot be meant is refused here, before a token in it
goes anywhere, and no error shows the token.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, parse_qsl, urlsplit

from notebook_mux.errors import InvalidArgument

WEBSOCKET_SCHEMES = {"http": "ws", "https": "wss"}
TOKEN_PARAMETER = "token"
EXAMPLE = "http://127.0.0.1:8123/?token=..."


def is_loopback(url: str) -> bool:
    """Whether the host of `url` is this machine's loopback."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shown(url: str) -> str:
    """A URL as a message may show it: scheme, host, port and path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{_host_and_port(parts)}{parts.path}"


def host_of(url: str) -> str:
    """Host and port of a URL, which may lack its scheme; never a user, a path or a query. "" for what is none."""
    try:
        return _host_and_port(urlsplit(url if "://" in url else f"//{url}"))
    except ValueError:
        return ""


def _host_and_port(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port else host


def split_token(url: str) -> tuple[str, str | None]:
    """The base URL, without query and without a slash at its end, and the token, or None if there is none.

    Raises:
        InvalidArgument: Not an http or https URL of a gateway: another scheme, no host, a bad port, a user's name or
            password, a fragment, or anything in the query but one token.
    """
    text = url.strip()
    parts = _parse(text)
    try:
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise _invalid("the query of the gateway's URL cannot be read", parts) from error
    others = sorted({name for name, _ in query if name != TOKEN_PARAMETER})
    if others:
        raise _invalid(f"the gateway's URL has {', '.join(map(repr, others))} in its query", parts)
    tokens = [value for name, value in query if name == TOKEN_PARAMETER]
    if len(tokens) > 1:
        raise _invalid("the gateway's URL has more than one token", parts)
    return _base(parts), (tokens[0] if tokens and tokens[0] else None)


def websocket_url(base: str, path: str) -> str:
    """The WebSocket URL of `path` behind a gateway's base URL.

    Only the scheme is swapped (http to ws, https to wss); host, port and the path's prefix stay as they are, letter
    for letter, so that a prefix such as ``/user/ann/proxy/8123`` or one that holds "http" itself survives.

    Args:
        base: As `split_token` returns it.
        path: Behind the base's own path, such as ``/notebook-mux``.

    Raises:
        InvalidArgument: As `split_token`, or the base still has a query.
    """
    parts = _parse(base)
    if parts.query or base.endswith("?"):
        raise _invalid("a gateway's base URL has no query", parts)
    swapped = WEBSOCKET_SCHEMES[parts.scheme]
    return f"{swapped}{_base(parts)[len(parts.scheme) :]}/{path.lstrip('/')}"


def _base(parts: SplitResult) -> str:
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _parse(text: str) -> SplitResult:
    """The parts of a URL that may be a gateway's."""
    if not text:
        raise InvalidArgument("the gateway's URL is empty", todo=f"give one such as {EXAMPLE}")
    if not text.isprintable() or " " in text or "\\" in text:
        raise InvalidArgument(
            "the gateway's URL has a blank, a backslash or a control character in it", todo=f"write it as {EXAMPLE}"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidArgument(
            "the gateway's URL cannot be read", said=str(error), todo=f"write it as {EXAMPLE}"
        ) from error
    if parts.scheme not in WEBSOCKET_SCHEMES or not text[len(parts.scheme) :].startswith("://"):
        raise InvalidArgument(
            f"a gateway's URL begins with http:// or https://, not with {parts.scheme or 'no scheme'!r}",
            todo=f"write it as {EXAMPLE}; the scheme becomes ws or wss by itself",
        )
    if "@" in parts.netloc:
        raise InvalidArgument("a gateway's URL has no user name or password", todo=f"write it as {EXAMPLE}")
    if not parts.hostname:
        raise _invalid("the gateway's URL has no host", parts)
    if port == 0 or parts.netloc.endswith(":"):
        raise _invalid("the gateway's URL has no usable port", parts)
    if parts.fragment or "#" in text:
        raise _invalid("a gateway's URL has no fragment (#)", parts)
    return parts


def _invalid(what: str, parts: SplitResult) -> InvalidArgument:
    """The error with the URL's harmless part: scheme, host and path, but neither query nor fragment."""
    return InvalidArgument(f"{what}: {parts.scheme}://{parts.netloc}{parts.path}", todo=f"write it as {EXAMPLE}")
