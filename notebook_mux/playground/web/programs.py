"""Which server a container runs: that of its command, else that of its image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from notebook_mux.playground.stories.commands import SHELLS, WITHOUT_ENTRYPOINT, script_of
from notebook_mux.playground.web import shop, static, tutorials
from notebook_mux.playground.web.nginx import ConfiguredNginx
from notebook_mux.playground.web.place import Place
from notebook_mux.playground.web.redis import Redis


class Conversation(Protocol):
    """The server's side of a connection; see `notebook_mux.playground.portforward.dialing.Conversation`."""

    over: bool

    def receive(self, data: bytes) -> bytes:
        """Bytes of the client's; the server's."""

    def end(self) -> bytes:
        """The client sends no more."""


class Server(Protocol):
    """What listens in a container."""

    def listens(self) -> set[int]:
        """Its ports."""

    def connect(self, port: int, client: tuple[str, int]) -> Conversation:
        """A client's connection to one of them."""


class _Made(Protocol):
    def __call__(self, place: Place) -> Server: ...


class Mute:
    """A server that speaks something that is not known here: it takes connections, and ends them at the first word.

    Args:
        place: Where it runs.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def listens(self) -> set[int]:
        """Its image's port, and those that its container names."""
        usual = MUTE.get(self.place.image)
        return {*([usual] if usual else []), *self.place.declared}

    def connect(self, port: int, client: tuple[str, int]) -> Conversation:
        """A client's connection."""
        return _Silence()


class _Silence:
    over = False

    def receive(self, data: bytes) -> bytes:
        self.over = True
        return b""

    def end(self) -> bytes:
        self.over = True
        return b""


MUTE: Mapping[str, int] = {
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mongo": 27017,
    "memcached": 11211,
    "rabbitmq": 5672,
    "kafka": 9092,
    "etcd": 2379,
}
"""Known servers that speak no HTTP, and their ports."""

IMAGES: Mapping[str, _Made] = {
    "nginx": ConfiguredNginx,
    "nginx-unprivileged": ConfiguredNginx,
    "httpd": static.Apache,
    "caddy": static.Caddy,
    "traefik": static.Traefik,
    "hello-app": tutorials.HelloApp,
    "kubernetes-bootcamp": tutorials.Bootcamp,
    "http-echo": tutorials.HttpEcho,
    "echoserver": tutorials.EchoServer,
    "whoami": tutorials.WhoAmI,
    "agnhost": tutorials.Agnhost,
    "kuard-amd64": tutorials.Kuard,
    "kuard": tutorials.Kuard,
    "hpa-example": tutorials.HpaExample,
    "hello": tutorials.NginxHello,
    "podinfo": tutorials.PodInfo,
    "redis": Redis,
    "valkey": Redis,
    "storefront": shop.Storefront,
    "checkout": shop.Checkout,
    "cart": shop.Cart,
    "web": shop.Service,
    "api": shop.Api,
    "prometheus": shop.Prometheus,
    "grafana": shop.Grafana,
    "node-exporter": shop.Figures,
    "coredns": shop.CoreDns,
    **dict.fromkeys(MUTE, Mute),
}
"""By the last part of an image's name."""

COMMANDS: Mapping[str, _Made] = {
    "nginx": ConfiguredNginx,
    "httpd-foreground": static.Apache,
    "apache2-foreground": static.Apache,
    "caddy": static.Caddy,
    "traefik": static.Traefik,
    "http-echo": tutorials.HttpEcho,
    "agnhost": tutorials.Agnhost,
    "kuard": tutorials.Kuard,
    "redis-server": Redis,
    "podinfo": tutorials.PodInfo,
}
"""By the name of a program."""

PYTHON = re.compile(r"python[\d.]*")
WORD = re.compile(r"[\w./-]+")


def server(place: Place) -> Server | None:
    """What listens in a container; None if nothing does."""
    if not place.container.get("command"):
        known = IMAGES.get(place.image)
        if known is None and place.words:
            known = _named(place, place.words)
        if known is not None:
            return known(place)
        if script_of(place.container) is not None or place.image in (*WITHOUT_ENTRYPOINT, "pause"):
            return None
        return shop.Unknown(place)
    found = _named(place, place.words)
    if found is not None:
        return found(place)
    if script_of(place.container) is not None or place.image in WITHOUT_ENTRYPOINT:
        return None
    return IMAGES.get(place.image, shop.Unknown)(place)


def _named(place: Place, words: list[str]) -> _Made | None:
    """The server that a command names, also one that a shell's script ends with."""
    name = words[0].rpartition("/")[2]
    if name in SHELLS and len(words) > 2:
        return _named_in(place, WORD.findall(words[2]))
    return _named_in(place, words[:3])


def _named_in(place: Place, words: list[str]) -> _Made | None:
    for at, word in enumerate(words):
        name = word.rpartition("/")[2]
        if PYTHON.fullmatch(name) and words[at + 1 : at + 3] == ["-m", "http.server"]:
            return static.Python
        if name == "httpd":
            return static.Busybox if place.image in WITHOUT_ENTRYPOINT else static.Apache
        # A path that only begins like a program's is none: /etc/nginx/conf.d, /usr/share/nginx/html.
        if name in COMMANDS:
            return COMMANDS[name]
    return None
