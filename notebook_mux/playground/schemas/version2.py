"""OpenAPI v3 said as OpenAPI v2, which is what ``/openapi/v2`` answers in.

Differences as measured on a kube-apiserver 1.37.2. Version 2 knows no defaults here, no choice between schemas, and
has a parameter that many operations take written once, under its name and a hash of what it says. Of custom kinds it
says less than version 3: kubectl's validation by version 2 takes a field with a type and no description of what is in
it for one that must be empty.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec

Json = dict[str, Any]

V3_REFERENCE, V2_REFERENCE, V2_PARAMETER = "#/components/schemas/", "#/definitions/", "#/parameters/"
OBJECT_META = f"{V2_REFERENCE}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
GENERIC = f"{V2_REFERENCE}io.k8s.apimachinery."
"""What the body of operations on several kinds refers to."""

UNSHARED = ("name", "fieldValidation", "dryRun")
"""Parameters that stand at each operation: of its own kind, or what clients look for there."""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
MEDIA_ORDER = (
    "text/plain", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch",
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)  # fmt: skip
"""The order in which the server lists media types."""

ANY_MEDIA, CUSTOM_MEDIA = ("*/*",), ("application/json", "application/yaml")

KEPT = frozenset({
    "title", "description", "type", "format", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum",
    "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "multipleOf", "enum", "maxProperties",
    "minProperties", "required", "items", "properties", "additionalProperties",
})  # fmt: skip
"""What version 2 says of a custom kind's field, besides what begins with `EXTENSION`."""

EXTENSION = "x-kubernetes-"
PRESERVES, EMBEDS = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"

FNV_OFFSET, FNV_PRIME = 0xCBF29CE484222325, 0x100000001B3
"""FNV-1 of 64 bits (www.isthe.com/chongo/tech/comp/fnv)."""

HASH_BYTES = 6
"""Of the hash that are in a shared parameter's name."""

_encode = msgspec.json.Encoder().encode


def definition(schema: Json) -> Json:
    """A definition of a built-in kind."""
    found = {key: value for key, value in schema.items() if key != "default"}
    if "oneOf" in found:  # a number or a text
        del found["oneOf"]
        found["type"] = "string"
    for referred in found.pop("allOf", ()):  # what a default can stand beside
        found |= referred
    if "$ref" in found:
        found["$ref"] = _reference(found["$ref"])
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = definition(found[key])
    if "properties" in found:
        found["properties"] = {name: definition(value) for name, value in found["properties"].items()}
    return found


def _reference(text: str) -> str:
    return text.replace(V3_REFERENCE, V2_REFERENCE)


def custom(schema: Json | None, stated: Json) -> Json:
    """The definition of a custom kind.

    Args:
        schema: Its ``openAPIV3Schema``; None where its definition has none.
        stated: What the server says of it by itself: the definition of a kind without a schema.
    """
    own = {key: value for key, value in stated.items() if key.startswith(EXTENSION)}
    if schema is None or schema.get(PRESERVES):
        return {"type": "object", **own}
    plain = {name: definition(value) for name, value in stated.get("properties", {}).items()}
    found = _custom(schema)
    return {**found, "properties": {**found.get("properties", {}), **plain}, **own}


def _custom(schema: Json) -> Json:
    found = {key: value for key, value in schema.items() if key in KEPT or key.startswith(EXTENSION)}
    free = found.get(PRESERVES, False)
    if schema.get("nullable") or free:
        for key in ("items", "properties"):
            found.pop(key, None)
    listed = found.get("type") == "array" and "items" not in found
    if schema.get("nullable") or listed or (free and found.get("type") == "object"):
        found.pop("type", None)
    if isinstance(found.get("items"), dict):
        found["items"] = _custom(found["items"])
    if isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = _custom(found["additionalProperties"])
    if "properties" in found:
        fields = found["properties"]
        found["properties"] = {name: _custom(value) for name, value in fields.items()}
        needed = [name for name in found.get("required", ()) if not fields.get(name, {}).get("nullable")]
        if "required" in found:
            del found["required"]
            found |= {"required": needed} if needed else {}
    if found.get(EMBEDS) and not free and "properties" in found:
        text = {"type": "string"}
        of_object = {"apiVersion": text, "kind": text, "metadata": {"$ref": OBJECT_META}}
        found["properties"] = {**found["properties"], **of_object}
        found["required"] = [*found.get("required", ()), "kind", "apiVersion"]
    return found


class Paths:
    """Paths in version 2, and the parameters that they share."""

    def __init__(self) -> None:
        self.shared: dict[str, Json] = {}
        self._seen: dict[int, tuple[Json, Json]] = {}
        self._names: dict[bytes, str] = {}

    def convert(self, item: Json, *, custom: bool) -> Json:
        """What is said of a path.

        Args:
            item: In version 3.
            custom: Whether it is of a custom kind.
        """
        found: Json = {}
        for method in METHODS:
            if method in item:
                found[method] = self._operation(method, item[method], custom=custom)
        if item.get("parameters"):
            found["parameters"] = [self._parameter(one) for one in item["parameters"]]
        return found

    def _operation(self, method: str, said: Json, *, custom: bool) -> Json:
        body = said.get("requestBody")
        produces = _media(media for one in said["responses"].values() for media in one.get("content", ()))
        if method == "patch" and body is not None:
            consumes = _media(body["content"])
        elif "x-kubernetes-action" not in said:  # of no kind
            consumes = produces
        else:
            consumes = list(CUSTOM_MEDIA if custom else ANY_MEDIA)
        found = {"description": said["description"], "consumes": consumes, "produces": produces, "schemes": ["https"]}
        found |= {key: said[key] for key in ("tags", "operationId")}
        parameters = [self._parameter(one) for one in said.get("parameters", ())]
        if body is not None:
            parameters.insert(0, self._body(body))
        if parameters:
            found["parameters"] = parameters
        found["responses"] = {code: _response(one) for code, one in said["responses"].items()}
        return found | {key: value for key, value in said.items() if key.startswith(EXTENSION)}

    def _parameter(self, said: Json) -> Json:
        known = self._seen.get(id(said))  # the same object stands at many operations
        if known is not None:
            return known[1]
        schema = said["schema"]
        found = {key: schema[key] for key in ("uniqueItems", "type", "format") if key in schema}
        found |= {key: said[key] for key in ("description", "name", "in", "required") if key in said}
        made = found if said["name"] in UNSHARED else self._share(found)
        self._seen[id(said)] = (said, made)
        return made

    def _body(self, said: Json) -> Json:
        schema = _schema(next(iter(said["content"].values()))["schema"])
        found: Json = {"name": "body", "in": "body"}
        if said.get("required"):
            found["required"] = True
        found["schema"] = schema
        return self._share(found) if schema.get("$ref", "").startswith(GENERIC) else found

    def _share(self, parameter: Json) -> Json:
        text = _encode(parameter)
        if text not in self._names:
            self._names[text] = f"{parameter['name']}-{_hash(text)}"
            self.shared[self._names[text]] = parameter
        return {"$ref": V2_PARAMETER + self._names[text]}


def _media(found: Any) -> list[str]:
    places = {media: place for place, media in enumerate(MEDIA_ORDER)}
    return sorted(set(found), key=lambda media: (places.get(media, len(places)), media)) or list(ANY_MEDIA)


def _response(said: Json) -> Json:
    found = {"description": said["description"]}
    content = said.get("content")
    if content:
        schema = next(iter(content.values())).get("schema")
        found |= {"schema": _schema(schema)} if schema is not None else {}
    return found


def _schema(said: Json) -> Json:
    return {"$ref": _reference(said["$ref"])} if "$ref" in said else definition(said)


def _hash(text: bytes) -> str:
    value = FNV_OFFSET
    for byte in text:
        value = (value * FNV_PRIME & (1 << 64) - 1) ^ byte
    return base64.urlsafe_b64encode(value.to_bytes(8, "big")[:HASH_BYTES]).decode()
