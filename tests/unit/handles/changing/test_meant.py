from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux import errors
from notebook_mux.handles.changing.meant import meant

ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (None, "names nothing that could be changed"),
        ([], "nothing was named that could be changed"),
        ("/web", "names nothing that could be changed"),
        ("deploy/", "names nothing that could be changed"),
        ("deploy/web pod/web", "no one object's name"),
        ("deploy/a%2fb", "'a%2fb' cannot be an object's name"),
        ("deploy/..", "'..' cannot be an object's name"),
        ("deploy/w\N{LATIN SMALL LETTER E WITH ACUTE}b", "cannot be an object's name"),
        ({"metadata": {"name": "web"}}, "an object without kind"),
        ({"kind": "Pod", "metadata": {}}, "cannot be an object's name"),
        ({"kind": "Pod", "metadata": {"name": 5}}, "5 cannot be an object's name"),
        ({"kind": "Pod"}, "no object and no row"),
        (SimpleNamespace(cluster="c", namespace="n", name="web", uid="u", kind=9), "does not say its kind"),
        (SimpleNamespace(cluster="c", namespace="n", name=7, uid="u", kind="Pod"), "7 cannot be an object's name"),
        (["deploy/web", 5], "names nothing that could be changed"),
        (ENDLESS, "lists in lists"),
    ],
)
def test_what_names_nothing_is_refused(target: Any, words: str) -> None:
    with pytest.raises(errors.InvalidArgument) as refused:
        meant(target, None, None)
    assert words in refused.value.what
    assert refused.value.todo


def test_each_is_meant_once() -> None:
    found = meant(["deploy/web", " deploy/web ", {"kind": "Pod", "metadata": {"name": "a"}}], "shop", None)
    assert [(one.kind, one.name, one.namespace) for one in found] == [
        ("deploy", "web", ("shop",)),
        ("Pod", "a", ("shop",)),
    ]
