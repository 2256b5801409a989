"""A tiny OpenID provider over TLS: its configuration, and new tokens for a refresh-token."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from tests.unit.gateway.tls_api import Api


def jwt(expires: float, subject: str = "jane") -> str:
    """A token that nobody signed; its parts have ``-`` and ``_`` in them."""

    def part(content: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    # Two of the letters' codes end on 62 and 63 in base64, which differ in the URL's alphabet.
    return f"{part({'alg': 'RS256'})}.{part({'exp': expires, 'sub': subject, 'canary': '~~~???>>>'})}.c-2l_nbg"


class Provider(Api):
    """An API that answers as a provider.

    Attributes:
        refresh: The refresh-token that is good now.
        next_refresh: What it is replaced by; None keeps it.
        tokens: The id-tokens to give, in turn.
        forms: What was sent to the token endpoint.
        methods: How a client may name itself; None leaves it out of the configuration.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refresh = "refresh-canary"
        self.next_refresh: str | None = None
        self.tokens: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.methods: list[str] | None = None
        self.handle = self._answer

    async def _answer(self, request: web.Request) -> web.Response:
        if request.path == "/.well-known/openid-configuration":
            said: dict[str, Any] = {"issuer": self.url, "token_endpoint": f"{self.url}/token"}
            if self.methods is not None:
                said["token_endpoint_auth_methods_supported"] = self.methods
            return web.json_response(said)
        form = {str(key): str(value) for key, value in (await request.post()).items()}
        self.forms.append(form | {"header": request.headers.get("Authorization", "")})
        if form["refresh_token"] != self.refresh:
            words = f"the token {form['refresh_token']} was used before"
            return web.json_response({"error": "invalid_grant", "error_description": words}, status=400)
        self.refresh = self.next_refresh or self.refresh
        answer = {"access_token": "a", "token_type": "bearer", "id_token": self.tokens.pop(0)}
        if self.next_refresh:
            answer["refresh_token"] = self.next_refresh
        return web.json_response(answer)
