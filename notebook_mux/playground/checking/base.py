"""The causes of a refusal in the server's words (apimachinery, ``field.Error``), and the forms of names and values.

Each check yields causes in the order in which the real server finds them.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

from notebook_mux.playground.status import cause

Json = dict[str, Any]
Causes = Iterator[Json]


def shown(value: Any) -> str:
    """A value as messages show it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def required(path: str, why: str = "") -> Json:
    """The cause for what has to be there."""
    return cause("FieldValueRequired", path, f"Required value: {why}" if why else "Required value")


def bad(path: str, value: Any, why: str) -> Json:
    """The cause for a value that cannot be."""
    return cause("FieldValueInvalid", path, f"Invalid value: {shown(value)}: {why}")


def unsupported(path: str, value: Any, known: Iterable[str]) -> Json:
    """The cause for a value that is none of some."""
    listed = ", ".join(shown(one) for one in known)
    return cause("FieldValueNotSupported", path, f"Unsupported value: {shown(value)}: supported values: {listed}")


def duplicate(path: str, value: Any) -> Json:
    """The cause for what was there before."""
    return cause("FieldValueDuplicate", path, f"Duplicate value: {shown(value)}")


def forbidden(path: str, why: str) -> Json:
    """The cause for what may not be there."""
    return cause("FieldValueForbidden", path, f"Forbidden: {why}")


def not_found(path: str, value: Any) -> Json:
    """The cause for a name of something that is not there."""
    return cause("FieldValueNotFound", path, f"Not found: {shown(value)}")


def too_long(path: str, limit: int) -> Json:
    """The cause for too many bytes."""
    return cause("FieldValueTooLong", path, f"Too long: may not be more than {limit} bytes")


# -------------------------------------------------------------------------------------- the parts of an object


def inner(holder: Any, *names: str) -> Json:
    """An object's part; empty where it is not there."""
    for name in names:
        found = holder.get(name) if isinstance(holder, dict) else None
        holder = found if isinstance(found, dict) else {}
    return holder if isinstance(holder, dict) else {}


def objects(holder: Any, name: str) -> list[tuple[int, Json]]:
    """The objects of a list, numbered."""
    found = holder.get(name) if isinstance(holder, dict) else None
    return [(number, one) for number, one in enumerate(found or ()) if isinstance(one, dict)]


def is_number(value: Any) -> TypeGuard[int]:
    """Whether it is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def not_negative(path: str, value: Any) -> Causes:
    """A number from zero on."""
    if is_number(value) and value < 0:
        yield bad(path, value, "must be greater than or equal to 0")


def one_of(path: str, value: Any, known: Iterable[str]) -> Causes:
    """One of some words; nothing is right too."""
    if value is not None and value not in (known := tuple(known)):
        yield unsupported(path, value, known)


# ------------------------------------------------------------------------------------------------- names

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
LABEL_LIMIT, SUBDOMAIN_LIMIT = 63, 253
PORT_NAME_LIMIT = 15
PORTS = 65535

SUBDOMAIN_SAID = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_SAID = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED_SAID = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_SAID = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_CONFIG_SAID = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
PERCENT_SAID = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
IP_SAID = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_SAID = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
RANGE_SAID = "must be between 1 and 65535, inclusive"


def label_problems(name: str) -> list[str]:
    """What is wrong with a DNS label (RFC 1123)."""
    found = [f"must be no more than {LABEL_LIMIT} characters"] if len(name) > LABEL_LIMIT else []
    if not LABEL.fullmatch(name):
        found.append("must not contain dots" if SUBDOMAIN.fullmatch(name) else LABEL_SAID)
    return found


def subdomain_problems(name: str) -> list[str]:
    """What is wrong with a DNS subdomain (RFC 1123)."""
    found = [f"must be no more than {SUBDOMAIN_LIMIT} characters"] if len(name) > SUBDOMAIN_LIMIT else []
    return found if SUBDOMAIN.fullmatch(name) else [*found, SUBDOMAIN_SAID]


def qualified_problems(name: str) -> list[str]:
    """What is wrong with a qualified name, such as a label's key."""
    prefix, slash, rest = name.rpartition("/")
    if name.count("/") > 1:
        hint = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_QUALIFIED_SAID}{hint}"]
    found: list[str] = []
    if slash:
        found += ["prefix part must be non-empty"] if not prefix else [
            f"prefix part {said}" for said in subdomain_problems(prefix)]  # fmt: skip
    if not rest:
        found.append("name part must be non-empty")
    elif len(rest) > LABEL_LIMIT:
        found.append(f"name part must be no more than {LABEL_LIMIT} bytes")
    return found if QUALIFIED.fullmatch(rest) else [*found, f"name part {_QUALIFIED_SAID}"]


def value_problems(value: str) -> list[str]:
    """What is wrong with a label's value."""
    found = [f"must be no more than {LABEL_LIMIT} bytes"] if len(value) > LABEL_LIMIT else []
    return found if VALUE.fullmatch(value) else [*found, _VALUE_SAID]


def config_key_problems(key: str) -> list[str]:
    """What is wrong with a key of a config map or secret."""
    if len(key) > SUBDOMAIN_LIMIT:
        return [f"must be no more than {SUBDOMAIN_LIMIT} characters"]
    if not CONFIG_KEY.fullmatch(key):
        return [_CONFIG_SAID]
    if key in (".", ".."):
        return [f"must not be '{key}'"]
    return ["must not start with '..'"] if key.startswith("..") else []


def port_name_problems(name: str) -> list[str]:
    """What is wrong with a port's name (RFC 6335)."""
    found = []
    if len(name) > PORT_NAME_LIMIT:
        found.append(f"must be no more than {PORT_NAME_LIMIT} characters")
    if not re.fullmatch("[-a-z0-9]+", name):
        found.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    elif not re.search("[a-z]", name):
        found.append("must contain at least one letter (a-z)")
    if "--" in name:
        found.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        found.append("must not begin or end with a hyphen")
    return found


def port(path: str, value: Any) -> Causes:
    """A port's number."""
    if not is_number(value) or not 0 < value <= PORTS:
        yield bad(path, value, RANGE_SAID)


def port_or_name(path: str, value: Any) -> Causes:
    """A port's number or its name."""
    if isinstance(value, str):
        for said in port_name_problems(value):
            yield bad(path, value, said)
    else:
        yield from port(path, value or 0)


def names(path: str, value: Any, problems: Iterable[str]) -> Causes:
    """A cause for each problem with a name."""
    for said in problems:
        yield bad(path, value, said)


def label(path: str, value: Any) -> Causes:
    """A DNS label."""
    return names(path, value, label_problems(str(value)))


def subdomain(path: str, value: Any) -> Causes:
    """A DNS subdomain."""
    return names(path, value, subdomain_problems(str(value)))


def qualified(path: str, value: Any) -> Causes:
    """A qualified name."""
    return names(path, value, qualified_problems(str(value)))


def labels(path: str, found: Any) -> Causes:
    """A map of labels."""
    for key, value in (found or {}).items() if isinstance(found, dict) else ():
        yield from qualified(path, key)
        yield from names(path, value, value_problems(str(value)))


def address(path: str, value: Any) -> Causes:
    """An IP address."""
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        yield bad(path, value, IP_SAID)


def cidr(path: str, value: Any) -> Causes:
    """A range of IP addresses."""
    try:
        if "/" not in str(value):
            raise ValueError(value)
        ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        yield bad(path, value, CIDR_SAID)


def percentage(path: str, value: Any, *, most: int | None = None) -> Causes:
    """A number or a percentage.

    Args:
        most: The most percent there may be.
    """
    if isinstance(value, str):
        if not re.fullmatch(r"[0-9]+%", value):
            yield bad(path, value, PERCENT_SAID)
        elif most is not None and int(value[:-1]) > most:
            yield bad(path, value, f"must not be greater than {most}%")
    else:
        yield from not_negative(path, value)


OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def selector(path: str, found: Any) -> Causes:
    """A LabelSelector."""
    if not isinstance(found, dict):
        return
    yield from labels(f"{path}.matchLabels", found.get("matchLabels"))
    for number, one in objects(found, "matchExpressions"):
        here = f"{path}.matchExpressions[{number}]"
        operator, values = one.get("operator"), one.get("values")
        if operator in ("In", "NotIn"):
            if not values:
                yield required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield forbidden(f"{here}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        else:
            yield bad(f"{here}.operator", operator or "", "not a valid selector operator")
        yield from qualified(f"{here}.key", one.get("key", ""))
        for index, value in enumerate(values or ()):
            yield from names(f"{here}.values[{index}]", value, value_problems(str(value)))
