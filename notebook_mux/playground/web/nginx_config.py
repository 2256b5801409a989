"""nginx' configuration: as a tree, and what of it decides who answers.

(nginx.org, "Beginner's Guide" and the references of ngx_http_core_module and ngx_http_upstream_module.) Understood are
``server``, ``listen``, ``server_name``, ``location`` with all its marks, ``upstream``, ``include`` of ``conf.d``; what
a location does is the matter of `nginx`. Other directives are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from notebook_mux.playground.regexes import RegexFault, pattern_of
from notebook_mux.playground.web.volumes import Volumes

TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*) | "(?P<double>(?:\\.|[^"\\])*)" | '(?P<single>(?:\\.|[^'\\])*)'
        | (?P<mark>[{};]) | (?P<word>(?:\$\{\w+\}|\\.|[^\s{};"'\\])+)""",
    re.VERBOSE | re.DOTALL,
)
MAIN, FOLDER = "/etc/nginx/nginx.conf", "/etc/nginx/conf.d"
IMAGE_S_OWN = "server { listen 80; server_name localhost; root /usr/share/nginx/html; index index.html; }"
DEPTH = 20
"""Of blocks within blocks."""


class BadConfig(ValueError):
    """What nginx would not start with."""


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive, with those of its block if it has one."""

    name: str
    args: tuple[str, ...] = ()
    block: tuple[Directive, ...] = ()

    def all(self, name: str) -> Iterator[Directive]:
        """The directives of a name in its block."""
        return (one for one in self.block if one.name == name)

    def first(self, name: str) -> Directive | None:
        """The first directive of a name in its block."""
        return next(self.all(name), None)


def parse(text: str) -> tuple[Directive, ...]:
    """A file as a tree.

    Raises:
        BadConfig: It is none.
    """
    found, rest = _block(list(_tokens(text)), 0, 0)
    if rest != -1:
        raise BadConfig("a block ends that has not begun")
    return found


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Words, each with whether it is a mark."""
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise BadConfig(f"at {text[at : at + 20]!r}")
        at, kind = match.end(), match.lastgroup
        if kind in ("double", "single"):
            yield re.sub(r"\\(.)", lambda one: ESCAPES.get(one[1], one[1]), match[kind]), False
        elif kind != "space":
            yield match[0], kind == "mark"


ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def _block(tokens: list[tuple[str, bool]], at: int, depth: int) -> tuple[tuple[Directive, ...], int]:
    """Directives up to the end of their block, and where that is; -1 for the end of the file."""
    if depth > DEPTH:
        raise BadConfig("blocks too deep")
    found, words = list[Directive](), list[str]()
    while at < len(tokens):
        word, mark = tokens[at]
        at += 1
        if not mark:
            words.append(word)
        elif word == "}":
            if words:
                raise BadConfig(f"{words[0]} does not end")
            return tuple(found), at
        elif not words:
            raise BadConfig(f"{word} without a directive")
        else:
            inner: tuple[Directive, ...] = ()
            if word == "{":
                inner, at = _block(tokens, at, depth + 1)
                if at == -1:
                    raise BadConfig(f"the block of {words[0]} does not end")
            found.append(Directive(words[0], tuple(words[1:]), inner))
            words = []
    if words:
        raise BadConfig(f"{words[0]} does not end")
    return tuple(found), -1


@dataclass(frozen=True, slots=True)
class Config:
    """All servers of a container, and the groups that they pass requests on to."""

    servers: tuple[Directive, ...]
    upstreams: tuple[Directive, ...]

    def ports(self) -> set[int]:
        """Where they listen."""
        return {port for one in self.servers for port in _ports(one)}

    def server(self, port: int, host: str) -> Directive | None:
        """The server for a request: by its name, else the port's default."""
        there = [one for one in self.servers if port in _ports(one)]
        name = host.rpartition(":")[0] or host
        for one in there:
            if any(name in known.args for known in one.all("server_name")):
                return one
        marked = (one for one in there if any("default_server" in known.args for known in one.all("listen")))
        return next(marked, there[0] if there else None)

    def upstream(self, name: str) -> list[str]:
        """The servers of a group; none if there is no such."""
        group = next((one for one in self.upstreams if one.args == (name,)), None)
        return [one.args[0] for one in group.all("server") if one.args] if group is not None else []


def _ports(server: Directive) -> list[int]:
    told = [one.args[0].rpartition(":")[2] for one in server.all("listen") if one.args]
    return [int(one) for one in told if one.isascii() and one.isdigit()] if told else [80]


def location(server: Directive, path: str) -> Directive:
    """The location for a path; the server itself if none fits."""
    best: Directive | None = None
    patterns, longest, stop = list[Directive](), -1, False
    for one in server.all("location"):
        mark, text = (one.args[0], one.args[1]) if len(one.args) == 2 else ("", one.args[0] if one.args else "/")
        if mark == "=" and path == text:
            return one
        if mark in ("~", "~*"):
            patterns.append(one)
        elif mark != "=" and path.startswith(text) and len(text) > longest:
            best, longest, stop = one, len(text), mark == "^~"
    for one in () if stop else patterns:
        try:
            if pattern_of(one.args[1], ignore_case=one.args[0] == "~*").search(path):
                return one
        except (re.error, RegexFault):
            continue
    return best if best is not None else server


def read(volumes: Volumes) -> Config | None:
    """The configuration that volumes bring; None where the image's own is in force.

    Raises:
        BadConfig: nginx would not start with it.
    """
    main = volumes.read(MAIN)
    included = [name for name in volumes.names(FOLDER) if name.endswith(".conf")]
    if main is None and not included:
        return None
    trees = list[Directive]()
    for name in included:
        trees += parse((volumes.read(f"{FOLDER}/{name}") or b"").decode(errors="replace"))
    if not volumes.covers(f"{FOLDER}/default.conf"):
        trees += parse(IMAGE_S_OWN)
    if main is not None:
        http = [one for top in parse(main.decode(errors="replace")) if top.name == "http" for one in top.block]
        wanted = any(one.name == "include" and one.args and one.args[0].startswith(f"{FOLDER}/") for one in http)
        trees = [*http, *(trees if wanted else ())]
    servers, upstreams = (tuple(one for one in trees if one.name == name) for name in ("server", "upstream"))
    return Config(servers, upstreams)
