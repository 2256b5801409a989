"""What others need to prove the tokens of service accounts: the issuer's configuration and its keys."""

from __future__ import annotations

import json

from aiohttp import web

from notebook_mux.playground.accept import entries
from notebook_mux.playground.accounts.tokens import Tokens
from notebook_mux.playground.status import ApiError

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/openid/v1/jwks"
JWKS = "application/jwk-set+json"
PATHS = frozenset({CONFIGURATION, KEYS})
CACHED_S = 3600
"""How long the answers may be kept (kubernetes/pkg/serviceaccount/openidmetadata.go)."""


def answer(tokens: Tokens, path: str, host: str, accepted: str) -> web.Response:
    """The answer to one of `PATHS`.

    Args:
        tokens: What is to be proved.
        path: Which.
        host: And port, of the server.
        accepted: The Accept header.

    Raises:
        ApiError: 406, the keys are wanted in another form than the only one.
    """
    keys = path == KEYS
    if keys and not any(one.media in (JWKS, "application/*", "*/*", "") for one in entries(accepted)):
        said = f"406: Not Acceptable\n\nAvailable representations: {JWKS}"
        raise ApiError(406, "NotAcceptable", said, {})
    found = tokens.jwks() if keys else tokens.configuration(host)
    return web.Response(
        body=json.dumps(found, separators=(",", ":")).encode(),
        headers={
            "Content-Type": JWKS if keys else "application/json",
            "Cache-Control": f"public, max-age={CACHED_S}",
        },
    )
