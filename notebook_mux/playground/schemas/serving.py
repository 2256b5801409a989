"""Answers below ``/openapi``, with what caches go by: an ETag, and a hash in the URL that makes a document eternal.

KEP-2896, and version 2 before it; headers as measured on a kube-apiserver 1.37.2.
"""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta

import msgspec
from aiohttp import web

from notebook_mux.playground import accept
from notebook_mux.playground.schemas import swagger
from notebook_mux.playground.schemas.documents import Documents
from notebook_mux.playground.schemas.swagger import Swagger

PREFIX, VERSION_2 = "/openapi/v3", "/openapi/v2"
GNOSTIC = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
FORMS = dict.fromkeys(("", "*/*", "application/*", accept.JSON), (accept.JSON, swagger.JSON)) | dict.fromkeys(
    (GNOSTIC, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"), (GNOSTIC, swagger.PROTOBUF)
)
"""The media type and the form of version 2, by what is accepted; the one with an @ is kubectl's."""

YEAR = timedelta(days=365)
NOT_CACHED = "no-cache, private"


async def answer(request: web.BaseRequest, documents: Documents, version2: Swagger, path: str) -> web.Response | None:
    """The answer to a request below ``/openapi``; None where nothing is.

    Args:
        path: Without a slash at its end.
    """
    if path == VERSION_2:
        return await _whole(request, version2)
    if path == PREFIX:
        body = msgspec.json.encode(documents.index())
        headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": NOT_CACHED}
        return _sent(request, body, headers)
    if not path.startswith(f"{PREFIX}/"):
        return None
    name = path.removeprefix(f"{PREFIX}/")
    if not documents.has(name):
        return web.Response(status=404, headers={"Cache-Control": NOT_CACHED})
    if not accept.takes_json(request.headers.get("Accept", "")):
        return web.Response(status=406, headers={"Cache-Control": NOT_CACHED, "Vary": "Accept"})
    mark = documents.hash(name)
    headers = {"Content-Type": accept.JSON, "ETag": f'"{mark}"', "Vary": "Accept", "Cache-Control": NOT_CACHED}
    asked = request.query.get("hash", mark)
    if asked != mark:
        return web.Response(status=301, headers={**headers, "Location": documents.url(name)})
    if "hash" in request.query:
        expires = datetime.now(UTC) + YEAR
        headers |= {"Cache-Control": "public, immutable", "Expires": expires.strftime("%a, %d %b %Y %H:%M:%S UTC")}
    if request.headers.get("If-None-Match") == f'"{mark}"':
        del headers["Content-Type"]
        return web.Response(status=304, headers=headers)
    return _sent(request, documents.body(name), headers)


async def _whole(request: web.BaseRequest, version2: Swagger) -> web.Response:
    """The document of version 2."""
    headers = {"Vary": "Accept", "Cache-Control": NOT_CACHED}
    wanted = (entry.media for entry in accept.entries(request.headers.get("Accept", "")))
    media, form = next((FORMS[one] for one in wanted if one in FORMS), ("", ""))
    if not form:
        return web.Response(status=406, headers=headers)
    headers["ETag"] = f'"{version2.hash()}"'
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    body = await version2.body(form)
    return _sent(request, body, {"Content-Type": media, **headers, "ETag": f'"{version2.hash()}"'})


def _sent(request: web.BaseRequest, body: bytes, headers: dict[str, str]) -> web.Response:
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=gzip.compress(body, 1), headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=body, headers=headers)
