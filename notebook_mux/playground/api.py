"""One cluster's API: a request in, an answer out."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from notebook_mux.playground import (
    accept,
    components,
    control,
    deletes,
    discovery,
    encoding,
    eviction,
    lists,
    options,
    reviews,
    scale,
    tables,
    validation,
)
from notebook_mux.playground.access import ANONYMOUS, Access, Asked, User
from notebook_mux.playground.accounts import client_certificates, oidc
from notebook_mux.playground.accounts.tokens import Tokens
from notebook_mux.playground.apply import options as apply_options
from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.deletes import Deleter, options_of
from notebook_mux.playground.faults import Faults
from notebook_mux.playground.guards import Guard
from notebook_mux.playground.logs import options as log_options
from notebook_mux.playground.metrics import serving as metrics
from notebook_mux.playground.options import ListOptions
from notebook_mux.playground.paths import NotServed, Target, parse
from notebook_mux.playground.portforward.serving import Forwards
from notebook_mux.playground.rbac import impersonation, requests
from notebook_mux.playground.schemas import serving as openapi
from notebook_mux.playground.schemas.documents import Documents
from notebook_mux.playground.schemas.fields import FieldValidation, check_mode, check_types
from notebook_mux.playground.schemas.swagger import Swagger
from notebook_mux.playground.state.errors import StateRefused
from notebook_mux.playground.status import ApiError, bad_request, no_such_path, not_allowed, too_large
from notebook_mux.playground.streaming import Stream
from notebook_mux.playground.warning_headers import warned
from notebook_mux.playground.watches import Watcher
from notebook_mux.playground.writes import Asking, Writer, body_of, manager_of

if TYPE_CHECKING:  # each is imported when it is first asked for: the server is to be there soon
    from notebook_mux.playground.logs.sending import LogStream
    from notebook_mux.playground.remotecommand.serving import Session
    from notebook_mux.playground.web.proxy import Proxied, Proxy

log = logging.getLogger(__name__)

GZIP_FROM = 128 * 1024
"""Bytes of an answer from which on it is compressed when asked (responsewriters/writers.go:155)."""

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes of a request's body (server.Config.MaxRequestBodyBytes)."""

DIGITS = 20
"""Of the largest number of 64 bits; Python reads no more than 4300."""

_HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)

HEALTH = ("/readyz", "/livez", "/healthz")
CHECKS = ("ping", "log", "etcd", "informer-sync")
WARNINGS = web.RequestKey("warnings", list[str])
"""Where a request keeps what its answer is to warn of."""
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
        sessions: The programs that somebody runs in containers, or is attached to.
        forwards: The port-forwards that are open.
        control: Changes the cluster's time; None where nothing may.
        requests: How many requests came, by verb and resource, for tests and the status.
        last_asked: When somebody with a token last asked anything, by the loop's clock.
    """

    def __init__(self, cluster: Cluster, access: Access, faults: Faults):
        self.cluster = cluster
        self.access = access
        self.faults = faults
        self.tokens = Tokens(cluster, cluster.signer)
        self.reviews = reviews.Reviews(access, self.tokens)
        self.writer = Writer(cluster, Guard(cluster, access))
        self.deleter = Deleter(cluster)
        self.documents = Documents(cluster.kinds, cluster.schemas)
        self.swagger = Swagger(self.documents, cluster.schemas)
        self.streams: set[Stream] = set()
        self.logs: set[LogStream] = set()
        self.sessions: set[Session] = set()
        self.forwards = Forwards(cluster, faults.gate)
        self.control: control.Control | None = None
        self._asking: dict[int, tuple[web.BaseRequest, str]] = {}
        self.requests: dict[str, int] = {}
        self.last_asked = float("-inf")

    @cached_property
    def proxy(self) -> Proxy:
        """Passes requests on to pods, services and nodes."""
        from notebook_mux.playground.web.proxy import Proxy

        return Proxy(self.cluster, self.access)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        try:
            await self.faults.gate.wait()
            refused = self.faults.refusal(request.path)
            if refused is not None:
                return refused
            user = client_certificates.user_of(request.transport) or self.access.user(request.headers)
            if user is not ANONYMOUS:
                self.last_asked = asyncio.get_running_loop().time()
            asked = requests.read(request.method, request.path, request.query)
            user = impersonation.act(self.access, user, request.headers, asked)
            self.access.check(user, asked)
            self._asking[id(request)] = request, user.name
            return encoding.encoded(request, await self._route(request, user, asked))
        except ApiError as error:
            return encoding.encoded(request, _failure(error))
        except NotServed:
            return web.Response(status=404, text="404 page not found\n")
        except RecursionError:
            return _failure(bad_request("the request is nested too deeply for the playground"))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except StateRefused as error:  # of kept state, on a disk that is full
            return _failure(ApiError(500, "InternalError", f"Internal error occurred: {error}"))
        except Exception:  # a fault of ours is an answer, not the end of the server
            log.exception("%s %s failed", request.method, request.path)
            return _failure(ApiError(500, "InternalError", "Internal error occurred: see the playground's log"))
        finally:
            self._asking.pop(id(request), None)

    def hang_up(self, name: str) -> None:
        """Cut all that a user has open: watches, logs, programs, forwards."""
        for request, user in list(self._asking.values()):
            if user == name and request.transport is not None:
                request.transport.abort()

    async def _route(self, request: web.BaseRequest, user: User, asked: Asked) -> web.StreamResponse:
        path = request.path
        if self.control is not None and control.is_below(path):
            return _json(await self.control.answer(request, user, asked, lambda: self._body(request)))
        if (proxied := _proxied(request.raw_path)) is not None:
            return await self.proxy.serve(request, user, proxied, lambda: self._body(request))
        if path.startswith(("/api/", "/apis/")) and path.strip("/").count("/") >= 2:
            parts = path.strip("/").split("/")
            if len(parts) > 3 or parts[0] == "api":
                target = parse(path, self.cluster.kinds)
                if (asked.group, asked.resource, asked.subresource) != (
                    target.kind.group, target.kind.plural, target.subresource,
                ):  # fmt: skip
                    raise no_such_path()  # nothing is served but what was authorized
                try:
                    answer = await self._resource(request, user, target, asked)
                except ApiError as error:
                    answer = _failure(error)
                return warned(answer, [target.kind.warning] if target.kind.warning else [])
        if request.method not in ("GET", "HEAD"):
            raise not_allowed()
        return await self._other(request, path.rstrip("/"))

    # --------------------------------------------------------------------------------- what is no resource

    async def _other(self, request: web.BaseRequest, path: str) -> web.Response:
        kinds = self.cluster.kinds
        if path in HEALTH:
            if "verbose" in request.query:
                checks = "".join(f"[+]{name} ok\n" for name in CHECKS)
                return web.Response(text=f"{checks}{path[1:]} check passed\n")
            return web.Response(text="ok")
        if path == "/version":
            return _json(discovery.VERSION)
        if path in oidc.PATHS:
            return oidc.answer(self.tokens, path, request.host, request.headers.get("Accept", ""))
        if path.startswith("/openapi/"):
            document = await openapi.answer(request, self.documents, self.swagger, path)
            if document is not None:
                return document
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

    async def _resource(self, request: web.BaseRequest, user: User, target: Target, asked: Asked) -> web.StreamResponse:
        query = request.query
        if request.method not in (*VERBS, "GET", "HEAD") or (target.watch and request.method != "GET"):
            raise not_allowed()
        verb = VERBS.get(request.method, "get")
        watching = not target.name and request.method == "GET" and (target.watch or options.boolean(query.get("watch")))
        if watching:
            verb = "watch"
        elif not target.name:
            verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
        kind = target.kind
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
        if target.subresource in ("exec", "attach", "portforward"):
            self.access.check(user, replace(asked, verb="create"))  # also for a GET, which a WebSocket is, since 1.35
            if target.subresource != "portforward":
                return await self._program(request, target)
            return await self.forwards.serve(request, lambda: self.writer.find(target))
        if verb in ("get", "list"):
            return self._read(request, target)
        body = await encoding.read(request, await self._body(request), kind)
        if not kind.served:
            review = self.reviews.answer(user, target, body_of(kind, encoding.media_of(request), body),
                                         self.cluster.agenda.stamp())  # fmt: skip
            return _json(review, 201)
        if target.subresource == "token":
            wanted = body_of(kind, encoding.media_of(request), body)
            check_types("authentication.k8s.io/v1", "TokenRequest", wanted)
            return _json(self.tokens.request(target.namespace, target.name, wanted), 201)
        return warned(self._write(request, user, target, asked, verb, body), request.get(WARNINGS, ()))

    def _read(self, request: web.BaseRequest, target: Target) -> web.Response:
        now = self.cluster.agenda.now()
        asked = options.parse(request.query) if not target.name else None
        form = accept.form(request.headers.get("Accept", ""), lists=asked is not None)
        if target.kind.group == metrics.GROUP:
            return _body(request, metrics.answer(self.cluster, target, request.query, form))
        if target.kind.resource == components.RESOURCE:
            return _body(request, components.answer(target, request.query, form))
        include = request.query.get("includeObject") or "Metadata"
        if form == accept.TABLE:
            tables.check_include(include)
        if asked is not None:
            return _body(request, lists.answer(self.cluster, target, asked, form))
        version = request.query.get("resourceVersion", "")
        if version.isascii() and version.isdigit() and int(version[:DIGITS]) > self.cluster.store.revision:
            raise too_large(int(version[:DIGITS]), self.cluster.store.revision)
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
            protobuf=encoding.frames_watch(request.headers.get("Accept", ""), target.kind),
        )
        self.streams.add(stream)
        try:
            return await stream.send(request)
        finally:
            self.streams.discard(stream)

    async def _log(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        from notebook_mux.playground.logs.sending import LogStream

        asked = log_options.parse(request.query, target.name)
        stream = LogStream(self.cluster, self.writer.find(target), asked, self.faults.gate)
        self.logs.add(stream)
        try:
            return await stream.send(request)
        finally:
            self.logs.discard(stream)

    async def _program(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        from notebook_mux.playground.remotecommand.serving import Session

        session = Session(self.cluster, self.writer.find(target), request.query,
                          attach=target.subresource == "attach", gate=self.faults.gate)  # fmt: skip
        self.sessions.add(session)
        try:
            return await session.send(request)
        finally:
            self.sessions.discard(session)

    def _write(
        self, request: web.BaseRequest, user: User, target: Target, asked: Asked, verb: str, body: bytes
    ) -> web.Response:
        kind, query = target.kind, request.query
        dry = validation.check_dry_run(query.getall("dryRun", []), f"{verb.title()}Options")
        asking = Asking(manager_of(query, request.headers), dry, user=user)
        request[WARNINGS] = asking.warnings
        fields = self._fields(request, verb, asking)
        media = encoding.media_of(request)
        asking = dataclasses.replace(asking, force=apply_options.check(query, verb, media), fields=fields)
        form = accept.form(request.headers.get("Accept", ""), lists=False)
        now = self.cluster.agenda.now()
        if target.subresource == "scale":
            return _json(scale.change(self.writer, target, media, body, asking, patch=verb == "patch"))
        if target.subresource == "eviction":
            found = self.writer.find(target)
            return _json(eviction.evict(self.cluster, self.deleter, target, found, body, dry_run=dry), 201)
        if verb == "create":
            stored = self.writer.create(target, fields.body(kind, media, body), asking)
            return _body(request, tables.one(stored, form, "Metadata", now), 201)
        if verb == "update":
            stored = self.writer.replace(target, fields.body(kind, media, body), asking)
            return _body(request, tables.one(stored, form, "Metadata", now))
        if verb == "patch":
            code = 201 if self.writer.creates(target, media) else 200
            if code == 201:  # as handlers/patch.go has it: who makes an object by an apply may create
                self.access.check(user, replace(asked, verb="create"))
            stored = self.writer.patch(target, media, body, asking)
            return _body(request, tables.one(stored, form, "Metadata", now), code)
        deletion = options_of(body, dict(query))
        dry = dry or validation.check_dry_run(list(deletion.get("dryRun") or ()), "DeleteOptions")
        if verb == "delete":
            asking.warnings.extend(deletes.warnings(kind, deletion))
            return _body(request, self.deleter.delete(target, deletion, dry_run=dry))
        gone = self.deleter.delete_all(target, deletion, ListOptions(
            labels=query.get("labelSelector", ""), fields=query.get("fieldSelector", "")), dry_run=dry)  # fmt: skip
        metadata = {"resourceVersion": str(self.cluster.store.revision)}
        shown = [one.seen_as(kind) for one in gone]
        return _body(request, tables.many(kind, shown, metadata, accept.OBJECT, "Metadata", now))

    def _fields(self, request: web.BaseRequest, verb: str, asking: Asking) -> FieldValidation:
        mode = check_mode(request.query, f"{verb.title()}Options")
        return FieldValidation(self.cluster.schemas, mode, asking.warnings, request.get(encoding.DOUBLED))

    @staticmethod
    async def _body(request: web.BaseRequest) -> bytes:
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > BODY_LIMIT:
                raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {BODY_LIMIT}", {})
        return _whole_characters(bytes(body))


def _whole_characters(body: bytes) -> bytes:
    """A body in which halves of surrogate pairs are U+FFFD, as Go's decoder has them: no text could keep them."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPE.sub(lambda found: b"\\ufffd" if _HALF.fullmatch(found[0]) else found[0], body)


def _proxied(raw_path: str) -> Proxied | None:
    if "/proxy" not in raw_path:
        return None
    from notebook_mux.playground.web import proxy

    return proxy.read(raw_path)


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
