"""What operators and functions take and give, one overload after the other, in the rules of Kubernetes 1.37.

``name: receiver argument -> result | ...``; capital letters are any type, the same at each place. The names and types
are those of cel-spec, cel-go's extensions (strings, lists, sets, two-variable comprehensions, optional values) and
k8s.io/apiserver/pkg/cel/library.
"""

from __future__ import annotations

from functools import cache

from notebook_mux.playground.crds.cel.static import CelType

Overload = tuple[tuple[CelType, ...], CelType]

_NUMBERS = "int int -> int | uint uint -> uint | double double -> double"
_ORDER = " | ".join(f"{one} {other} -> bool" for one in ("int", "uint", "double") for other in (
    "int", "uint", "double"))  # fmt: skip
_COMPARED = (f"bool bool -> bool | {_ORDER} | string string -> bool | bytes bytes -> bool | "
             "timestamp timestamp -> bool | duration duration -> bool")  # fmt: skip

_OPERATORS = f"""
_+_: {_NUMBERS} | string string -> string | bytes bytes -> bytes | list(A) list(A) -> list(A) | timestamp duration -> \
timestamp | duration timestamp -> timestamp | duration duration -> duration
_-_: {_NUMBERS} | timestamp duration -> timestamp | timestamp timestamp -> duration | duration duration -> duration
_*_: {_NUMBERS}
_/_: {_NUMBERS}
_%_: int int -> int | uint uint -> uint
_<_: {_COMPARED}
_<=_: {_COMPARED}
_>_: {_COMPARED}
_>=_: {_COMPARED}
_==_: A A -> bool
_!=_: A A -> bool
_?_:_: bool A A -> A
!_: bool -> bool
-_: int -> int | double -> double
@in: A list(A) -> bool | A map(A,B) -> bool
_[_]: list(A) int -> A | map(A,B) A -> B | optional_type(list(A)) int -> optional_type(A) | \
optional_type(map(A,B)) A -> optional_type(B)
_[?_]: list(A) int -> optional_type(A) | map(A,B) A -> optional_type(B) | optional_type(list(A)) int -> \
optional_type(A) | optional_type(map(A,B)) A -> optional_type(B)
"""

_FUNCTIONS = """
size: string -> int | bytes -> int | list(A) -> int | map(A,B) -> int
int: int -> int | uint -> int | double -> int | string -> int | timestamp -> int | duration -> int
uint: uint -> uint | int -> uint | double -> uint | string -> uint
double: double -> double | int -> double | uint -> double | string -> double
bool: bool -> bool | string -> bool
string: string -> string | bool -> string | bytes -> string | double -> string | int -> string | uint -> string | \
timestamp -> string | duration -> string | net.IP -> string | net.CIDR -> string
bytes: bytes -> bytes | string -> bytes
dyn: A -> dyn
type: A -> type(A)
timestamp: timestamp -> timestamp | int -> timestamp | string -> timestamp
duration: duration -> duration | int -> duration | string -> duration
matches: string string -> bool
url: string -> kubernetes.URL
isURL: string -> bool
ip: string -> net.IP
isIP: string -> bool
ip.isCanonical: string -> bool
cidr: string -> net.CIDR
isCIDR: string -> bool
quantity: string -> kubernetes.Quantity
isQuantity: string -> bool
sign: kubernetes.Quantity -> int
semver: string -> kubernetes.Semver | string bool -> kubernetes.Semver
isSemver: string -> bool | string bool -> bool
format.named: string -> optional_type(kubernetes.NamedFormat)
optional.of: A -> optional_type(A)
optional.none: -> optional_type(A)
optional.ofNonZeroValue: A -> optional_type(A)
optional.unwrap: list(optional_type(A)) -> list(A)
sets.contains: list(A) list(A) -> bool
sets.equivalent: list(A) list(A) -> bool
sets.intersects: list(A) list(A) -> bool
lists.range: int -> list(int)
strings.quote: string -> string
"""

_TIME = "timestamp -> int | timestamp string -> int"
_SPAN = f"{_TIME} | duration -> int"
_SORTABLE = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")

_METHODS = f"""
size: string -> int | bytes -> int | list(A) -> int | map(A,B) -> int
startsWith: string string -> bool
endsWith: string string -> bool
contains: string string -> bool
matches: string string -> bool
charAt: string int -> string
indexOf: string string -> int | string string int -> int | list(A) A -> int
lastIndexOf: string string -> int | string string int -> int | list(A) A -> int
lowerAscii: string -> string
upperAscii: string -> string
replace: string string string -> string | string string string int -> string
split: string string -> list(string) | string string int -> list(string)
join: list(string) -> string | list(string) string -> string
substring: string int -> string | string int int -> string
trim: string -> string
format: string list(dyn) -> string
find: string string -> string
findAll: string string -> list(string) | string string int -> list(string)
isSorted: {" | ".join(f"list({one}) -> bool" for one in _SORTABLE)}
sum: {" | ".join(f"list({one}) -> {one}" for one in ("int", "uint", "double", "duration"))}
min: {" | ".join(f"list({one}) -> {one}" for one in _SORTABLE)}
max: {" | ".join(f"list({one}) -> {one}" for one in _SORTABLE)}
slice: list(A) int int -> list(A)
flatten: list(list(A)) -> list(A) | list(dyn) int -> list(dyn)
sort: {" | ".join(f"list({one}) -> list({one})" for one in _SORTABLE)}
@sortByAssociatedKeys: {" | ".join(f"list(A) list({one}) -> list(A)" for one in _SORTABLE)}
reverse: list(A) -> list(A)
distinct: list(A) -> list(A)
first: list(A) -> optional_type(A)
last: list(A) -> optional_type(A)
unwrapOpt: list(optional_type(A)) -> list(A)
getFullYear: {_TIME}
getMonth: {_TIME}
getDate: {_TIME}
getDayOfMonth: {_TIME}
getDayOfWeek: {_TIME}
getDayOfYear: {_TIME}
getHours: {_SPAN}
getMinutes: {_SPAN}
getSeconds: {_SPAN}
getMilliseconds: {_SPAN}
hasValue: optional_type(A) -> bool
value: optional_type(A) -> A
orValue: optional_type(A) A -> A
or: optional_type(A) optional_type(A) -> optional_type(A)
getScheme: kubernetes.URL -> string
getHost: kubernetes.URL -> string
getHostname: kubernetes.URL -> string
getPort: kubernetes.URL -> string
getEscapedPath: kubernetes.URL -> string
getQuery: kubernetes.URL -> map(string,list(string))
family: net.IP -> int
isUnspecified: net.IP -> bool
isLoopback: net.IP -> bool
isLinkLocalMulticast: net.IP -> bool
isLinkLocalUnicast: net.IP -> bool
isGlobalUnicast: net.IP -> bool
containsIP: net.CIDR string -> bool | net.CIDR net.IP -> bool
containsCIDR: net.CIDR string -> bool | net.CIDR net.CIDR -> bool
ip: net.CIDR -> net.IP
prefixLength: net.CIDR -> int
masked: net.CIDR -> net.CIDR
isInteger: kubernetes.Quantity -> bool
asInteger: kubernetes.Quantity -> int
asApproximateFloat: kubernetes.Quantity -> double
add: kubernetes.Quantity kubernetes.Quantity -> kubernetes.Quantity | kubernetes.Quantity int -> kubernetes.Quantity
sub: kubernetes.Quantity kubernetes.Quantity -> kubernetes.Quantity | kubernetes.Quantity int -> kubernetes.Quantity
isLessThan: kubernetes.Quantity kubernetes.Quantity -> bool | kubernetes.Semver kubernetes.Semver -> bool
isGreaterThan: kubernetes.Quantity kubernetes.Quantity -> bool | kubernetes.Semver kubernetes.Semver -> bool
compareTo: kubernetes.Quantity kubernetes.Quantity -> int | kubernetes.Semver kubernetes.Semver -> int
major: kubernetes.Semver -> int
minor: kubernetes.Semver -> int
patch: kubernetes.Semver -> int
validate: kubernetes.NamedFormat string -> optional_type(list(string))
"""

_AUTHORIZER = "kubernetes.authorization"
_AUTHORIZATION = f"""
path: {_AUTHORIZER}.Authorizer string -> {_AUTHORIZER}.PathCheck
serviceAccount: {_AUTHORIZER}.Authorizer string string -> {_AUTHORIZER}.Authorizer
group: {_AUTHORIZER}.Authorizer string -> {_AUTHORIZER}.GroupCheck
resource: {_AUTHORIZER}.GroupCheck string -> {_AUTHORIZER}.ResourceCheck
subresource: {_AUTHORIZER}.ResourceCheck string -> {_AUTHORIZER}.ResourceCheck
namespace: {_AUTHORIZER}.ResourceCheck string -> {_AUTHORIZER}.ResourceCheck
name: {_AUTHORIZER}.ResourceCheck string -> {_AUTHORIZER}.ResourceCheck
check: {_AUTHORIZER}.PathCheck string -> {_AUTHORIZER}.Decision | {_AUTHORIZER}.ResourceCheck string -> \
{_AUTHORIZER}.Decision
allowed: {_AUTHORIZER}.Decision -> bool
reason: {_AUTHORIZER}.Decision -> string
"""
"""Declared, but without an authorizer to call them on: that is for admission policies."""

NAMED_FORMATS = ("dns1123Label", "dns1123Subdomain", "dns1035Label", "qualifiedName", "dns1123LabelPrefix",
                 "dns1123SubdomainPrefix", "dns1035LabelPrefix", "labelValue", "uri", "uuid", "byte", "date",
                 "datetime")  # fmt: skip

MACROS: dict[str, dict[int, int]] = {
    "all": {2: 1, 3: 2},
    "exists": {2: 1, 3: 2},
    "exists_one": {2: 1, 3: 2},
    "existsOne": {2: 1, 3: 2},
    "filter": {2: 1},
    "map": {2: 1, 3: 1},
    "optMap": {2: 1},
    "optFlatMap": {2: 1},
    "transformList": {3: 2, 4: 2},
    "transformMap": {3: 2, 4: 2},
    "transformMapEntry": {3: 2, 4: 2},
    "sortBy": {2: 1},
}
"""Calls that bind names: with so many arguments so many."""


def variables_of(name: str, arguments: int) -> int:
    """How many names a call binds; 0 for one that is an ordinary call."""
    return MACROS.get(name, {}).get(arguments, 0)


def parsed_type(text: str) -> CelType:
    """A type as it is written above."""
    name, opening, rest = text.partition("(")
    if not opening:
        return CelType(name)
    parts, depth = [""], 0
    for char in rest[:-1]:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return CelType(name, tuple(parsed_type(part) for part in parts))


def _parsed(table: str) -> dict[str, tuple[Overload, ...]]:
    found: dict[str, tuple[Overload, ...]] = {}
    for line in table.strip().splitlines():
        name, _, overloads = line.partition(": ")
        each = []
        for overload in overloads.split(" | "):
            takes, _, gives = overload.rpartition("-> ")
            each.append((tuple(parsed_type(one) for one in takes.split()), parsed_type(gives.strip())))
        found[name] = tuple(each)
    return found


@cache
def operators() -> dict[str, tuple[Overload, ...]]:
    """By name: ``_+_``."""
    return _parsed(_OPERATORS)


@cache
def functions() -> dict[str, tuple[Overload, ...]]:
    """Without a receiver, by name: ``size``, ``sets.contains``."""
    named: tuple[Overload, ...] = (((), CelType("kubernetes.NamedFormat")),)
    return _parsed(_FUNCTIONS) | {f"format.{name}": named for name in NAMED_FORMATS}


@cache
def methods() -> dict[str, tuple[Overload, ...]]:
    """With a receiver, which is the first that is taken."""
    return _parsed(_METHODS) | _parsed(_AUTHORIZATION)
