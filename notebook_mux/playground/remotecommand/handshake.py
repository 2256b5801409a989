"""What is refused before an exec or attach becomes a WebSocket, in the words of the API server."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from notebook_mux.playground.logs.runs import container_of
from notebook_mux.playground.remotecommand.options import Streams
from notebook_mux.playground.remotecommand.protocol import choose
from notebook_mux.playground.status import ApiError, bad_request

Json = dict[str, Any]

BEARER = "base64url.bearer.authorization.k8s.io."
"""A sub-protocol that is a token; it is none for whoever chooses."""

WEBSOCKET_ONLY = "unable to upgrade: the playground speaks exec and attach over WebSocket only, not SPDY"


def check(pod: Json, streams: Streams) -> str:
    """Refuse a container that is not there or a pod without a node; returns the container's name.

    Raises:
        ApiError: 400 (kubernetes/pkg/registry/core/pod/strategy.go: streamLocation).
    """
    name = str(container_of(pod, streams.container)["name"])
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {pod['metadata']['name']} does not have a host assigned")
    return name


def protocol_of(request: web.BaseRequest) -> str:
    """The sub-protocol that is spoken.

    Raises:
        ApiError: 400 for what is no upgrade, or one to something else.
        NoProtocol: None that is offered is known.
    """
    connection = {one.strip().lower() for one in request.headers.get("Connection", "").split(",")}
    upgrade = request.headers.get("Upgrade", "").lower()
    if "upgrade" not in connection or not upgrade:
        raise bad_request("Upgrade request required")
    if upgrade != "websocket" or request.method != "GET":
        raise ApiError(400, "BadRequest", WEBSOCKET_ONLY)
    chosen = choose(offered(request))
    if chosen is None:
        raise NoProtocol
    return chosen


class NoProtocol(Exception):
    """403 without a body: what a kubelet's WebSocket server says to whom it does not understand."""


def offered(request: web.BaseRequest) -> list[str]:
    """The sub-protocols that a client offers, without its token."""
    found = [one.strip() for line in request.headers.getall("Sec-WebSocket-Protocol", []) for one in line.split(",")]
    return [one for one in found if one and not one.startswith(BEARER)]
