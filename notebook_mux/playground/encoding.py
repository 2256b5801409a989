"""The forms a body comes and goes in: JSON, which the playground thinks in, protobuf and YAML.

Bodies are turned into JSON before anything looks at them, answers at the very end. What has no message in protobuf,
such as custom kinds and tables, goes as JSON where the client takes that too.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import msgspec
from aiohttp import web

from notebook_mux import yamls
from notebook_mux.playground import accept, protobuf
from notebook_mux.playground.apply import server_side
from notebook_mux.playground.kinds import Kind
from notebook_mux.playground.schemas.fields import doubled_keys
from notebook_mux.playground.schemas.pairs import shown
from notebook_mux.playground.status import ApiError, bad_request, unsupported_body

Json = dict[str, Any]

PROTOBUF, YAML = accept.PROTOBUF, accept.YAML
YAML_PROBLEMS = {
    "expected the node content": "did not find expected node content",
    "expected <block end>": "did not find expected key",
    "expected ',' or ']'": "did not find expected ',' or ']'",
    "expected ',' or '}'": "did not find expected ',' or '}'",
}
"""PyYAML's words and go-yaml's, which has them from libyaml."""

DOUBLED = web.RequestKey("doubled", list[str])
YAML_ALSO = ("application/x-yaml", "text/yaml")

LONG = 64 * 1024
"""Bytes of a body from which on it is read beside the loop: below it takes a twentieth of a second at most."""

FEW = 500
"""Items of a list up to which it goes in protobuf where JSON is accepted too: each item takes a fifth of a millisecond,
in which the server does nothing else."""


def media_of(request: web.BaseRequest) -> str:
    """What a request's body is said to be; empty where nothing is said, as by the official Python client: JSON."""
    return request.content_type if "Content-Type" in request.headers else ""


async def read(request: web.BaseRequest, body: bytes, kind: Kind) -> bytes:
    """A request's body `as_json`; a long one is read in a thread, so that others are answered meanwhile."""
    if len(body) < LONG:
        return as_json(request, body, kind)
    return await asyncio.to_thread(as_json, request, body, kind)


def as_json(request: web.BaseRequest, body: bytes, kind: Kind) -> bytes:
    """A request's body in JSON.

    Args:
        request: Whose body it is. The keys that stand twice in YAML are noted in it, under `DOUBLED`.
        body: As it came.
        kind: What it is to be.

    Raises:
        ApiError: 400, it is not what it says it is; 415, a custom kind in protobuf.
    """
    media = media_of(request)
    if media == server_side.APPLY and len(body) >= LONG:
        request[DOUBLED] = doubled_keys(body)
        return msgspec.json.encode(server_side.read(body))
    if media == protobuf.MEDIA and (body or request.method != "DELETE"):
        if kind.custom:
            raise unsupported_body()
        try:
            return msgspec.json.encode(protobuf.unwrap(body, api_version=kind.api_version, kind=kind.kind))
        except protobuf.Malformed as error:
            raise _unrecognized(kind, str(error), body) from None
    if body and (media == YAML or media in YAML_ALSO):
        try:
            yamls.check(body)
        except yamls.TooMuch as error:
            raise _unrecognized(kind, f"yaml: {error}", body) from None
        request[DOUBLED] = doubled_keys(body)
        return _from_yaml(body, kind)
    return body


def _unrecognized(kind: Kind, why: str, body: bytes) -> ApiError:
    return bad_request(f"the object provided is unrecognized (must be of type {kind.kind}): {why} ({shown(body)})")


def _from_yaml(body: bytes, kind: Kind) -> bytes:
    import yaml

    exact = yaml.SafeLoader
    try:
        return msgspec.json.encode(yamls.load(body, _loader(getattr(yaml, "CSafeLoader", exact)), _loader(exact)))
    except (yaml.YAMLError, TypeError, UnicodeEncodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        problem = str(getattr(error, "problem", error)).partition(", but")[0]
        said = YAML_PROBLEMS.get(problem, problem)
        raise _unrecognized(kind, f"yaml: {where}{said}", body) from None


def _loader(base: Any) -> Any:
    """YAML's values as JSON has them: what looks like a date is a text."""
    resolvers = {
        first: [(tag, found) for tag, found in of_first if tag != "tag:yaml.org,2002:timestamp"]
        for first, of_first in base.yaml_implicit_resolvers.items()
    }
    return type("Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def encoded(request: web.BaseRequest, response: web.StreamResponse) -> web.StreamResponse:
    """An answer as its client likes it best.

    Args:
        request: Whose Accept header says so.
        response: In JSON; what is none goes as it is.

    Raises:
        ApiError: 406, it cannot be said in any form that the client takes.
    """
    header = request.headers.get("Accept", "")
    if "protobuf" not in header and "yaml" not in header:
        return response
    if not isinstance(response, web.Response) or response.content_type != accept.JSON or response.prepared:
        return response
    body = response.body
    if not isinstance(body, bytes):
        return response
    failed = response.status >= web.HTTPBadRequest.status_code
    compressed = response.headers.get("Content-Encoding") == "gzip"
    obj = msgspec.json.decode(gzip.decompress(body) if compressed else body)
    for media in accept.media(header, plain=failed):
        if media == accept.JSON:
            return response
        found = _encode(media, obj, last=not accept.takes_json(header))
        if found is not None:
            response.content_type = media
            response.body = gzip.compress(found, 1) if compressed else found
            return response
    if failed:
        return response  # a failure is said all the same
    raise accept.only(accept.OBJECTS)


def _encode(media: str, obj: Any, *, last: bool) -> bytes | None:
    """An answer in one form; None where it cannot be, or should not as JSON is taken too."""
    if media == YAML:
        return _to_yaml(obj)
    if not isinstance(obj, dict) or not protobuf.has_message(obj.get("apiVersion", ""), obj.get("kind", "")):
        return None
    if not last and len(obj.get("items") or ()) > FEW:
        return None
    try:
        return protobuf.wrap(obj)
    except protobuf.Malformed:
        return None  # an object with a value of a wrong type, as only a controller of ours could write it


def _to_yaml(obj: Any) -> bytes:
    """An object in YAML, quoted as go-yaml quotes: what would be read as something else than a text, doubly."""
    import yaml

    tag = "tag:yaml.org,2002:str"

    def text(dumper: Any, value: str) -> Any:
        means = dumper.resolve(yaml.ScalarNode, value, (True, False))
        return dumper.represent_scalar(tag, value, style="|" if "\n" in value else None if means == tag else '"')

    class Dumper(yaml.SafeDumper):
        """One of its own, since representers are the class's."""

    Dumper.add_representer(str, text)
    found: str = yaml.dump(obj, Dumper=Dumper, sort_keys=True, allow_unicode=True)
    return found.encode()


def framed(lines: list[bytes]) -> list[bytes]:
    """Events of a watch in protobuf.

    Args:
        lines: The same in JSON.

    Raises:
        Malformed: A value has another type than its field.
    """
    events = [msgspec.json.decode(line) for line in lines]
    return [protobuf.frame(event["type"], event["object"]) for event in events]


def frames_watch(header: str, kind: Kind) -> bool:
    """Whether a watch of a kind is to be sent in protobuf.

    Raises:
        ApiError: 406, it has to be and cannot.
    """
    if accept.form(header, lists=False) == accept.TABLE:
        return False
    for media in accept.media(header):
        if media == accept.JSON:
            return False
        if media == protobuf.MEDIA and protobuf.has_message(kind.api_version, kind.kind):
            return True
    raise accept.only(accept.STREAMS)
