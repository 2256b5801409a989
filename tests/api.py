"""A plain client of an API server for tests: no cache, no retry, nothing of the package under test."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

SECONDS = 20.0


class ApiError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:500]}")
        self.status = status


class Api:
    """One connection, kept open, with the credentials of a kubeconfig's current context."""

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        config = yaml.safe_load(Path(kubeconfig).read_text())
        context = context or config["current-context"]
        chosen = next(c["context"] for c in config["contexts"] if c["name"] == context)
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == chosen["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == chosen["user"])
        self.server = cluster["server"]
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if "token" in user:
            self.headers["Authorization"] = f"Bearer {user['token']}"
        with tempfile.TemporaryDirectory() as folder:
            self._context = ssl.create_default_context(cafile=self._file(cluster, "certificate-authority", folder))
            if certificate := self._file(user, "client-certificate", folder):
                self._context.load_cert_chain(certificate, self._file(user, "client-key", folder))
        self._connection: http.client.HTTPSConnection | None = None

    @staticmethod
    def _file(entry: dict[str, Any], name: str, folder: str) -> str | None:
        if f"{name}-data" in entry:
            path = Path(folder) / name
            path.write_bytes(base64.b64decode(entry[f"{name}-data"]))
            return str(path)
        return entry.get(name)

    def __call__(self, method: str, path: str, body: Any = None, *, kind: str = "", **query: Any) -> Any:
        """One request; the decoded answer. `kind` overrides the Content-Type."""
        if query:
            path += "?" + urlencode(query)
        headers = self.headers | ({"Content-Type": kind} if kind else {})
        for attempt in (1, 2):
            if self._connection is None:
                parts = urlsplit(self.server)
                self._connection = http.client.HTTPSConnection(
                    parts.hostname or "", parts.port, context=self._context, timeout=SECONDS
                )
            try:
                self._connection.request(method, path, None if body is None else json.dumps(body), headers)
                answer = self._connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.close()
                if attempt == 2 or method != "GET":
                    raise
        if answer.status >= 400:
            raise ApiError(answer.status, text.decode(errors="replace"))
        return json.loads(text) if text.startswith((b"{", b"[")) else text.decode()

    def create(self, path: str, body: Any) -> Any:
        return self("POST", path, body)

    def patch(self, path: str, body: Any, **query: Any) -> Any:
        return self("PATCH", path, body, kind="application/merge-patch+json", **query)

    def delete(self, path: str) -> Any:
        return self("DELETE", path)

    def versions(self, path: str) -> dict[str, str]:
        """A fresh list: name → resourceVersion."""
        return {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in self("GET", path)["items"]}

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None
