"""Small servers of tutorials: what they say as they start. Then only real requests are heard of (`playground.web`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from notebook_mux.playground.stories.program import Program, Said, Scene, as_json, rfc3339_milli, spaced

Json = dict[str, Any]

FIRST_S, STEP_S = 0.05, 0.01
"""Seconds until the first line, and between two."""


class Starting(Program):
    """A server that says that it starts.

    Attributes:
        texts: Its lines: each from the scene and the time, Unix seconds.
    """

    texts: ClassVar[tuple[Callable[[Scene, float], str], ...]] = ()

    def begins(self) -> Iterator[Said]:
        """Its lines, one after the other."""
        for number, text in enumerate(self.texts):
            at = FIRST_S + number * STEP_S
            yield at, text(self.scene, self.scene.started + at)


def words_of(container: Json) -> list[str]:
    """A container's command and arguments."""
    return [str(one) for one in (*(container.get("command") or ()), *(container.get("args") or ()))]


def option(container: Json, name: str, usual: str) -> str:
    """The value of an option, however many dashes it has."""
    words = words_of(container)
    for at, word in enumerate(words):
        known, equals, value = word.partition("=")
        if word.startswith("-") and known.lstrip("-") == name:
            return value if equals else next(iter(words[at + 1 : at + 2]), usual)
    return usual


def _slashed(at: float) -> str:
    return spaced(at, "%Y/%m/%d %H:%M:%S")


def _apache(at: float, part: str, said: str) -> str:
    return f"[{spaced(at, '%a %b %d %H:%M:%S.%f %Y')}] [{part}:notice] [pid 1:tid 1] {said}"


def _nameless(scene: Scene, at: float) -> str:
    address = (scene.pod.get("status") or {}).get("podIP", "127.0.0.1")
    return ("AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using "
            f"{address}. Set the 'ServerName' directive globally to suppress this message")  # fmt: skip


class Apache(Starting):
    """Apache, which does not know its name."""

    texts = (
        _nameless,
        lambda scene, at: _apache(at, "mpm_event", "AH00489: Apache (Unix) configured -- resuming normal operations"),
        lambda scene, at: _apache(at, "core", "AH00094: Command line: 'httpd -D FOREGROUND'"),
    )


class HttpEcho(Starting):
    """The text is not told, only the port."""

    texts = (lambda scene, at: f"{_slashed(at)} [INFO] server is listening on "
                               f"{option(scene.container, 'listen', ':5678')}",)  # fmt: skip


class HelloApp(Starting):
    """Its port."""

    texts = (lambda scene, at: f"{_slashed(at)} Server listening on port 8080",)


class Bootcamp(Starting):
    """When it started, and where."""

    texts = (lambda scene, at: f"Kubernetes Bootcamp App Started At: {rfc3339_milli(at)} | Running On:  "
                               f"{scene.name} \n",)  # fmt: skip


class Agnhost(Starting):
    """Its two ports, as klog writes."""

    texts = (
        lambda scene, at: f"I{spaced(at, '%m%d %H:%M:%S.%f')}       1 log.go:245] Started HTTP server on port "
                          f"{option(scene.container, 'http-port', '8080')}",
        lambda scene, at: f"I{spaced(at, '%m%d %H:%M:%S.%f')}       1 log.go:245] Started UDP server on port  "
                          f"{option(scene.container, 'udp-port', '8081')}",
    )  # fmt: skip


class WhoAmI(Starting):
    """Its port."""

    texts = (lambda scene, at: f"{_slashed(at)} Starting up on port {option(scene.container, 'port', '80')}",)


class Kuard(Starting):
    """Its version and its port."""

    texts = (
        lambda scene, at: f"{_slashed(at)} Starting kuard version: {scene.tag}",
        lambda scene, at: f"{_slashed(at)} Serving on HTTP on :8080",
    )


class Caddy(Starting):
    """JSON, as Caddy logs."""

    texts = (
        lambda scene, at: as_json(at, "info", "using config from file", file="/etc/caddy/Caddyfile"),
        lambda scene, at: as_json(at, "info", "serving initial configuration"),
    )


class PodInfo(Starting):
    """JSON, as zap logs."""

    texts = (
        lambda scene, at: as_json(at, "info", "Starting podinfo", version=scene.tag, port="9898"),
        lambda scene, at: as_json(at, "info", "Starting HTTP Server.", addr=":9898"),
    )


def _redis(role: str, at: float, said: str) -> str:
    return f"1:{role} {spaced(at, '%d %b %Y %H:%M:%S.%f')[:-3]} * {said}"


class Redis(Starting):
    """It starts, and is ready."""

    texts = (
        lambda scene, at: _redis("C", at, "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo"),
        lambda scene, at: _redis("M", at, "Running mode=standalone, port=6379."),
        lambda scene, at: _redis("M", at, "Server initialized"),
        lambda scene, at: _redis("M", at, "Ready to accept connections tcp"),
    )


class Silent(Starting):
    """A server that says nothing before it is asked; Python's has its first line still in a buffer."""


IMAGES: Mapping[str, type[Program]] = {
    "httpd": Apache,
    "http-echo": HttpEcho,
    "hello-app": HelloApp,
    "kubernetes-bootcamp": Bootcamp,
    "agnhost": Agnhost,
    "whoami": WhoAmI,
    "kuard": Kuard,
    "kuard-amd64": Kuard,
    "caddy": Caddy,
    "podinfo": PodInfo,
    "redis": Redis,
    "valkey": Redis,
    "echoserver": Silent,
    "hpa-example": Silent,
    "hello": Silent,
}
"""By the last part of an image's name."""


def by_command(container: Json) -> type[Program] | None:
    """The program of a command that names a server of this module; None for any other."""
    words = words_of(container)
    return Silent if container.get("command") and "http.server" in words else None
