"""A plain HTTP client for an API server named by a kubeconfig, which shows answers as they are."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import yaml

Json = dict[str, Any]

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"

WAIT_S = 60.0
"""For an answer; it takes a few milliseconds, and seconds on a machine that has much else to do."""

QUIET_S = 1.0
"""After which a watch that has said what it was asked for is taken to say nothing more."""


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks the API server of a kubeconfig's current context.

    Args:
        kubeconfig: The file.
        token: Another token than the file's; empty for none at all.
    """

    def __init__(self, kubeconfig: Path, token: str | None = None):
        config = yaml.safe_load(kubeconfig.read_text())
        context = next(one["context"] for one in config["contexts"] if one["name"] == config["current-context"])
        cluster = next(one["cluster"] for one in config["clusters"] if one["name"] == context["cluster"])
        user = next(one["user"] for one in config["users"] if one["name"] == context["user"])
        address = urlsplit(cluster["server"])
        self._host, self.port = str(address.hostname), int(address.port or 443)
        self._context = ssl.create_default_context(cafile=cluster.get("certificate-authority"))
        if "certificate-authority-data" in cluster:
            with tempfile.NamedTemporaryFile() as file:
                Path(file.name).write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
                self._context.load_verify_locations(file.name)
        if "client-certificate" in user:
            self._context.load_cert_chain(user["client-certificate"], user["client-key"])
        self._token = user.get("token", "") if token is None else token

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._host, self.port, timeout=timeout, context=self._context)

    def _send(
        self, connection: http.client.HTTPSConnection, method: str, path: str, body: Any, headers: Json, query: Json
    ) -> http.client.HTTPResponse:
        sent = {"Accept": "application/json", "User-Agent": "contract", **headers}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        target = quote(path) + (f"?{urlencode(query)}" if query else "")
        connection.request(method, target, data, sent)
        return connection.getresponse()

    def ask(
        self, method: str, path: str, body: Any = None, *, accept: str = "", media: str = "",
        headers: Json | None = None, timeout: float = WAIT_S, **query: Any,
    ) -> Answer:  # fmt: skip
        """One request; query as keywords."""
        more = dict(headers or {})
        if accept:
            more["Accept"] = accept
        if media:
            more["Content-Type"] = media
        with contextlib.closing(self._connect(timeout)) as connection:
            answer = self._send(connection, method, path, body, more, query)
            return Answer(answer.status, answer.headers, answer.read())

    def get(self, path: str, **options: Any) -> Answer:
        return self.ask("GET", path, **options)

    @contextlib.contextmanager
    def opened(
        self, path: str, *, accept: str = "application/json", headers: Json | None = None, timeout: float = WAIT_S,
        **query: Any,
    ) -> Iterator[http.client.HTTPResponse]:  # fmt: skip
        """An answer that goes on, to be read as it comes."""
        with contextlib.closing(self._connect(timeout)) as connection:
            answer = self._send(connection, "GET", path, None, {"Accept": accept, **(headers or {})}, query)
            assert answer.status == 200, answer.read()
            yield answer

    @contextlib.contextmanager
    def watch(self, path: str, **options: Any) -> Iterator[Any]:
        """An open watch: yields an iterator over its events, which ends with the watch."""
        with self.opened(path, watch="1", **options) as answer:

            def events() -> Iterator[Json]:
                while line := answer.readline():
                    yield json.loads(line)

            yield events()

    def watched(self, path: str, enough: Callable[[bytes], object], *, accept: str, **query: Any) -> Answer:
        """What a watch has said once that is enough, and whatever comes within a moment after it."""
        query |= {"watch": "1", "timeoutSeconds": int(WAIT_S)}
        with contextlib.closing(self._connect(WAIT_S)) as connection:
            answer = self._send(connection, "GET", path, None, {"Accept": accept}, query)
            found = b""
            while not enough(found) and (piece := answer.read1()):
                found += piece
            if connection.sock is not None:  # the answer's own where it ends the connection
                connection.sock.settimeout(QUIET_S)
            with contextlib.suppress(TimeoutError):
                while piece := answer.read1():
                    found += piece
            return Answer(answer.status, answer.headers, found)

    def events(self, path: str, least: int = 0, *, accept: str = "application/json", **query: Any) -> list[Json]:
        """The events of a watch: all until its end after a second, or as many as there are at `least`, and a moment."""
        if least:
            body = self.watched(path, lambda found: found.count(b"\n") >= least, accept=accept, **query).body
            return [json.loads(line) for line in body.splitlines()]
        with self.watch(path, accept=accept, timeoutSeconds=1, **query) as events:
            return list(events)
