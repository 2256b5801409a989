from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.jsonpath import compiled, same

POD = {
    "metadata": {"name": "web-0", "annotations": {"a.b/c": "x", "d": None}},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "False"}],
        "ips": ["1", "2"],
        "n": 3,
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("{.status.phase}", ["Running"]),
        (".status.phase", ["Running"]),
        ("status.phase", ["Running"]),
        ("$.status.phase", ["Running"]),
        (" { .status.phase } ", ["Running"]),
        ("{.status.nothing.there}", []),
        ("{.status.ips[0]}", ["1"]),
        ("{.status.ips[-1]}", ["2"]),
        ("{.status.ips[7]}", []),
        ("{.status.ips[*]}", ["1", "2"]),
        ("{.status.conditions[*].type}", ["Ready", "Initialized"]),
        ('{.status.conditions[?(@.type=="Ready")].status}', ["True"]),
        ("{.status.conditions[?(@.type!='Ready')].type}", ["Initialized"]),
        ("{.status.conditions[?( @.type == Ready )].status}", ["True"]),
        ("{.metadata.annotations.a\\.b/c}", ["x"]),
        ("{.metadata.annotations['a.b/c']}", ["x"]),
        ("{.metadata.annotations.d}", [None]),
        ("{['status']['phase']}", ["Running"]),
        ("{.status.phase.deeper}", []),
        ("{.metadata.annotations.*}", ["x", None]),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert compiled(path)(POD) == found


@pytest.mark.parametrize("path", ["", "{}", "{.}", "..x", "{.a[}", "{.a[1:2]}", "{range .items[*]}", "{.a", "a b"])
def test_what_is_not_known_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument):
        compiled(path)


@pytest.mark.parametrize(
    ("value", "text", "equal"),
    [
        ("a", "a", True),
        (True, "true", True),
        (False, "true", False),
        (3, "3", True),
        (None, "null", True),
        (3, "4", False),
    ],
)
def test_same(value: Any, text: str, equal: bool) -> None:
    assert same(value, text) is equal
