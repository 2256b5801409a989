"""One cluster's API: a request in, an answer out."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from notebook_mux.playground import accept, discovery, lists, options, reviews, scale, tables, validation
from notebook_mux.playground.access import ANONYMOUS, Access, Asked, User
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.deletes import Deleter, options_of
from notebook_mux.playground.faults import Faults
from notebook_mux.playground.logs import options as log_options
from notebook_mux.playground.logs.sending import LogStream
from notebook_mux.playground.options import ListOptions
from notebook_mux.playground.paths import NotServed, Target, parse
from notebook_mux.playground.status import ApiError, not_allowed, too_large
from notebook_mux.playground.streaming import Stream
from notebook_mux.playground.watches import Watcher
from notebook_mux.playground.writes import Asking, Writer, body_of, manager_of

log = logging.getLogger(__name__)

GZIP_FROM = 128 * 1024
"""Bytes of an answer from which on it is compressed when asked (responsewriters/writers.go:155)."""

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes of a request's body (server.Config.MaxRequestBodyBytes)."""

HEALTH = ("/readyz", "/livez", "/healthz")
CHECKS = ("ping", "log", "etcd", "informer-sync")
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

encode = msgspec.json.Encoder().encode


class Api:
    """One cluster's API.

    Args:
        cluster: What it shows and changes.
        access: Who may.
        faults: What a test makes go wrong.

    Attributes:
        streams: The open watches.
        logs: The logs that are read or followed.
        requests: How many requests came, by verb and resource, for tests and the status.
        last_asked: When somebody with a token last asked anything, by the loop's clock.
    """

    def __init__(self, cluster: Cluster, access: Access, faults: Faults):
        self.cluster = cluster
        self.access = access
        self.faults = faults
        self.writer = Writer(cluster)
        self.deleter = Deleter(cluster)
        self.streams: set[Stream] = set()
        self.logs: set[LogStream] = set()
        self.requests: dict[str, int] = {}
        self.last_asked = float("-inf")

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        try:
            await self.faults.gate.wait()
            refused = self.faults.refusal(request.path)
            if refused is not None:
                return refused
            user = self.access.user(request.headers)
            if user is not ANONYMOUS:
                self.last_asked = asyncio.get_running_loop().time()
            return await self._route(request, user)
        except ApiError as error:
            return _failure(error)
        except NotServed:
            return web.Response(status=404, text="404 page not found\n")
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception:  # a fault of ours is an answer, not the end of the server
            log.exception("%s %s failed", request.method, request.path)
            return _failure(ApiError(500, "InternalError", "Internal error occurred: see the playground's log"))

    async def _route(self, request: web.BaseRequest, user: User) -> web.StreamResponse:
        path = request.path
        if path.startswith(("/api/", "/apis/")) and path.strip("/").count("/") >= 2:
            parts = path.strip("/").split("/")
            if len(parts) > 3 or parts[0] == "api":
                return await self._resource(request, user, parse(path, self.cluster.kinds))
        if request.method not in ("GET", "HEAD"):
            raise not_allowed()
        self.access.check(user, Asked("get", path=path.rstrip("/") or "/"))
        return self._other(request, path.rstrip("/"))

    # --------------------------------------------------------------------------------- what is no resource

    def _other(self, request: web.BaseRequest, path: str) -> web.Response:
        kinds = self.cluster.kinds
        if path in HEALTH:
            if "verbose" in request.query:
                checks = "".join(f"[+]{name} ok\n" for name in CHECKS)
                return web.Response(text=f"{checks}{path[1:]} check passed\n")
            return web.Response(text="ok")
        if path == "/version":
            return _json(discovery.VERSION)
        found: Any = None
        if path in ("/api", "/apis"):
            core = path == "/api"
            if accept.wants_aggregated(request.headers.get("Accept", "")):
                return _aggregated(request, discovery.aggregated(kinds, core=core))
            found = discovery.versions(request.host) if core else discovery.groups(kinds)
        elif path == "/api/v1":
            found = discovery.resources(kinds, "", "v1")
        elif path.startswith("/apis/"):
            group, _, version = path.removeprefix("/apis/").partition("/")
            found = discovery.resources(kinds, group, version) if version else discovery.group(kinds, group)
        elif path == "":
            groups = {f"/apis/{kind.api_version}" for kind in kinds if kind.group}
            found = {"paths": sorted(["/api", "/api/v1", "/apis", "/version", *HEALTH, *groups])}
        if found is None:
            raise NotServed(path)
        return _json(found)

    # ------------------------------------------------------------------------------------------- resources

    async def _resource(self, request: web.BaseRequest, user: User, target: Target) -> web.StreamResponse:
        query = request.query
        verb = VERBS.get(request.method, "get")
        watching = not target.name and request.method == "GET" and (target.watch or options.boolean(query.get("watch")))
        if watching:
            verb = "watch"
        elif not target.name:
            verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
        kind = target.kind
        asked = Asked(verb, kind.group, kind.plural, target.subresource, target.namespace, target.name)
        self.access.check(user, asked)
        key = f"{verb} {kind.resource}" + (f"/{target.subresource}" if target.subresource else "")
        self.requests[key] = self.requests.get(key, 0) + 1
        if target.subresource:
            allowed = verb in discovery.verbs_of(target.subresource)
        else:
            of_item = verb in ("get", "update", "patch", "delete")
            allowed = verb in kind.verbs and of_item == bool(target.name)
        if not allowed:
            raise not_allowed()
        if verb == "watch":
            return await self._watch(request, target)
        if target.subresource == "log":
            return await self._log(request, target)
        if verb in ("get", "list"):
            return self._read(request, target)
        body = await self._body(request)
        if not kind.served:
            review = reviews.answer(self.access, user, kind, body_of(kind, request.content_type, body),
                                    self.cluster.agenda.stamp())  # fmt: skip
            return _json(review, 201)
        return self._write(request, target, verb, body)

    def _read(self, request: web.BaseRequest, target: Target) -> web.Response:
        now = self.cluster.agenda.now()
        asked = options.parse(request.query) if not target.name else None
        form = accept.form(request.headers.get("Accept", ""), lists=asked is not None)
        include = request.query.get("includeObject") or "Metadata"
        if form == accept.TABLE:
            tables.check_include(include)
        if asked is not None:
            return _body(request, lists.answer(self.cluster, target, asked, form))
        version = request.query.get("resourceVersion", "")
        if version.isdigit() and int(version) > self.cluster.store.revision:
            raise too_large(int(version), self.cluster.store.revision)
        stored = self.writer.find(target)
        if target.subresource == "scale":
            return _json(scale.scale_of(stored))
        return _body(request, tables.one(stored, form, include, now))

    async def _watch(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        asked = options.parse(request.query, watch=True)
        form = accept.form(request.headers.get("Accept", ""), lists=False)
        if form == accept.TABLE:
            tables.check_include(asked.include)
        limit = self.faults.max_watch_seconds
        timeout: float | None = asked.timeout
        if limit is not None:
            timeout = limit if timeout is None else min(limit, timeout)
        stream = Stream(
            lambda wake: Watcher(self.cluster, target, asked, form, wake),
            bookmarks=asked.bookmarks,
            timeout=timeout,
            accepts_gzip=_accepts_gzip(request.headers),
            gate=self.faults.gate,
        )
        self.streams.add(stream)
        try:
            return await stream.send(request)
        finally:
            self.streams.discard(stream)

    async def _log(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        asked = log_options.parse(request.query, target.name)
        stream = LogStream(self.cluster, self.writer.find(target), asked, self.faults.gate)
        self.logs.add(stream)
        try:
            return await stream.send(request)
        finally:
            self.logs.discard(stream)

    def _write(self, request: web.BaseRequest, target: Target, verb: str, body: bytes) -> web.Response:
        kind, query = target.kind, request.query
        dry = validation.check_dry_run(query.getall("dryRun", []), f"{verb.title()}Options")
        asking = Asking(manager_of(query, request.headers), dry)
        media = request.content_type
        form = accept.form(request.headers.get("Accept", ""), lists=False)
        now = self.cluster.agenda.now()
        if target.subresource == "scale":
            return _json(scale.change(self.writer, target, media, body, asking, patch=verb == "patch"))
        if verb == "create":
            stored = self.writer.create(target, body_of(kind, media, body), asking)
            return _body(request, tables.one(stored, form, "Metadata", now), 201)
        if verb == "update":
            stored = self.writer.replace(target, body_of(kind, media, body), asking)
            return _body(request, tables.one(stored, form, "Metadata", now))
        if verb == "patch":
            stored = self.writer.patch(target, media, body, asking)
            return _body(request, tables.one(stored, form, "Metadata", now))
        deletion = options_of(body, dict(query))
        dry = dry or validation.check_dry_run(list(deletion.get("dryRun") or ()), "DeleteOptions")
        if verb == "delete":
            return _body(request, self.deleter.delete(target, deletion, dry_run=dry))
        gone = self.deleter.delete_all(target, deletion, ListOptions(
            labels=query.get("labelSelector", ""), fields=query.get("fieldSelector", "")), dry_run=dry)  # fmt: skip
        metadata = {"resourceVersion": str(self.cluster.store.revision)}
        return _body(request, tables.many(kind, gone, metadata, accept.OBJECT, "Metadata", now))

    @staticmethod
    async def _body(request: web.BaseRequest) -> bytes:
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > BODY_LIMIT:
                raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {BODY_LIMIT}", {})
        return bytes(body)


def _accepts_gzip(headers: Mapping[str, str]) -> bool:
    found = headers.get("Accept-Encoding", "").split(",")
    return any(one.partition(";")[0].strip() == "gzip" for one in found)


def _body(request: web.BaseRequest, body: bytes, status: int = 200) -> web.Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
    if len(body) > GZIP_FROM and _accepts_gzip(request.headers):
        headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        body = gzip.compress(body, 1)
    return web.Response(status=status, headers=headers, body=body)


def _json(obj: Any, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=encode(obj),
        headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"},
    )


def _aggregated(request: web.BaseRequest, document: Any) -> web.Response:
    body = encode(document)
    mark = f'"{hashlib.sha256(body).hexdigest().upper()}"'
    headers = {"ETag": mark, "Vary": "Accept", "Cache-Control": "public"}
    if request.headers.get("If-None-Match") == mark:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers={**headers, "Content-Type": discovery.AGGREGATED})


def _failure(error: ApiError) -> web.Response:
    response = _json(error.status(), error.code)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    if error.code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="notebook-mux playground"'
    return response
