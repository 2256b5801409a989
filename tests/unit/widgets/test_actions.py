"""What is typed before objects are deleted; the rest is asked of real clusters, in tests/controlplane."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux.widgets.actions import Aim, _typed


def shown(*kinds: str) -> Any:
    return [
        (Aim("a", "", f"n{at}", kind), SimpleNamespace(spot=SimpleNamespace(kind=kind)), None, None)
        for at, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("kinds", "typed"),
    [
        (("Pod", "Pod", "Pod"), ""),
        (("Pod", "Pod", "Pod", "Pod"), "delete 4"),
        (("Pod", "Namespace"), "n1"),
        (("Namespace", "Namespace"), "delete 2"),
    ],
)
def test_what_takes_much_with_it_is_typed_first(kinds: tuple[str, ...], typed: str) -> None:
    assert _typed(SimpleNamespace(what="delete"), shown(*kinds)) == typed  # type: ignore[arg-type]
    assert _typed(SimpleNamespace(what="restart"), shown(*kinds)) == ""  # type: ignore[arg-type]
