"""Expectations about the state of objects: whether they are there, how many, a condition, a service's endpoints."""

from __future__ import annotations

from typing import Any

from notebook_mux import errors, jsonpath
from notebook_mux.handles import conditions
from notebook_mux.handles.expecting import answers, workloads
from notebook_mux.handles.expecting.looks import Look, Things, Watched, going, of_each
from notebook_mux.handles.expecting.own import Own
from notebook_mux.handles.targets import selector_of


def there(several: bool) -> Watched:
    """It is there, or one of a list is."""

    def look(things: Things) -> Look:
        found = len(things.objects)
        return Look(bool(found), f"{found} are there" if several else "it is there", found)

    return Watched("exists", "that one is there" if several else "that it is there", look)


def count(wanted: int) -> Watched:
    """So many are there, and are not being deleted."""

    def look(things: Things) -> Look:
        found = sum(not going(one) for one in things.objects)
        leaving = len(things.objects) - found
        words = f"{found} {'is' if found == 1 else 'are'} there"
        return Look(found == wanted, f"{words}, {leaving} more being deleted" if leaving else words, found)

    return Watched("count", str(wanted), look)


def ready(wanted: int | bool, several: bool) -> Watched:
    """See `workloads.ready`."""
    return Watched("ready", *workloads.ready(wanted, several))


def image(wanted: Any) -> Watched:
    """See `workloads.image`."""
    if not isinstance(wanted, str) or not wanted.strip():
        raise errors.InvalidArgument(f"image={wanted!r} is no image", todo="write 'nginx:1.27'")
    return Watched("image", f"image {wanted}", workloads.image(wanted.strip()))


def condition(text: Any) -> Watched:
    """A condition of the status, as kubectl's wait reads it."""
    if not isinstance(text, str) or not text.strip():
        raise errors.InvalidArgument(f"condition={text!r} is no condition", todo="write 'Available' or 'Ready=False'")
    wanted = text.strip().removeprefix("condition=")
    type_, _, status = (part.strip() for part in wanted.partition("="))
    met = conditions.parse(f"condition={wanted}").met

    def look(obj: Any) -> Look:
        at = workloads.condition_of(obj, type_)
        if at is None:
            others = [str(one.get("type")) for one in (obj.get("status") or {}).get("conditions") or ()]
            return Look(False, f"it has no condition {type_}" + (f", but {', '.join(others)}" if others else ""), None)
        ok = met(obj)
        words = f"{at.get('type')} is {at.get('status')}"
        why = ", ".join(filter(None, (str(at.get("reason") or ""), str(at.get("message") or ""))))
        return Look(ok, words if ok or not why else f"{words}: {why}", at.get("status"))

    words = f"condition {type_}" + (f" {status}" if status else "")
    return Watched("condition", words, lambda things: of_each(things.objects, look))


def field(path: Any, equals: Any) -> Watched:
    """A field has a value, or is there where none is given."""
    if not isinstance(path, str):
        raise errors.InvalidArgument(f"field={path!r} is no field", todo="write 'status.readyReplicas'")
    hidden = callable(equals)
    look = answers.field(path, jsonpath.compiled(path), equals, hidden)
    wanted = "" if equals is ... else " as it should be" if hidden else f" {answers.plain(equals)}"
    return Watched("field", f"{path}{wanted}", lambda things: of_each(things.objects, look))


def endpoints(wanted: int) -> Watched:
    """So many addresses get a service's traffic."""
    words = f"{wanted} ready {'endpoint' if wanted == 1 else 'endpoints'}"
    return Watched("endpoints", words, lambda things: _endpoints(things, wanted))


def _endpoints(things: Things, wanted: int) -> Look:
    """EndpointConditions, where a ready that is not said means yes (k8s.io/api/discovery/v1/types.go)."""
    found: set[str] = set()
    others: set[str] = set()
    for one in things.slices:
        for endpoint in one.get("endpoints") or ():
            counts = (endpoint.get("conditions") or {}).get("ready") is not False
            (found if counts else others).update(endpoint.get("addresses") or ())
    others -= found
    words = f"{len(found)} ready {'endpoint' if len(found) == 1 else 'endpoints'}"
    if others:
        words += f", {len(others)} not ready"
    elif not found and things.objects:
        selector = selector_of(things.objects[0])
        words += f"; its selector is {selector}" if selector else "; it has no selector"
    return Look(len(found) == wanted, words, len(found))


def own(that: Own, several: bool) -> Watched:
    """What a function says of the object, or of the list."""
    if several:
        return Watched("that", that.wanted, lambda things: that.look(list(things.objects)))
    return Watched("that", that.wanted, lambda things: of_each(things.objects, that.look))
