from __future__ import annotations

import pytest

from notebook_mux.magics import kinds
from notebook_mux.magics.words import read


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("get pods", "table"), ("get pods -o wide -A", "table"), ("get po -o custom-columns=N:.metadata.name", "table"),
        ("get po --no-headers", "text"), ("get po -o name", "text"), ("get po -o jsonpath={.a}", "text"),
        ("get --raw /api", "text"), ("get po -ojson", "json"), ("get po --output=yaml", "yaml"), ("events", "table"),
        ("top nodes", "table"), ("api-resources", "table"), ("api-resources -o name", "text"),
        ("auth can-i --list", "table"), ("auth can-i get po", "text"), ("config get-contexts", "table"),
        ("config view", "yaml"), ("describe po", "text"), ("logs web", "log"), ("diff -f x", "diff"),
        ("create deploy x --image=x --dry-run=client -o yaml", "yaml"), ("get --help", "text"), ("", "text"),
    ],
)  # fmt: skip
def test_kinds(line: str, kind: str) -> None:
    assert kinds.kind_of(read(line)) == kind


@pytest.mark.parametrize(
    ("line", "long", "endless"),
    [
        ("get po -w", True, True), ("logs -f web", True, True), ("events --watch", True, True),
        ("get po --watch-only", True, True), ("rollout status deploy/web", True, False), ("wait po x", True, False),
        ("delete po x", True, False), ("get po", False, False), ("logs web", False, False),
        ("rollout history deploy/web", False, False), ("get po -w=false", False, False),
    ],
)  # fmt: skip
def test_what_lasts(line: str, long: bool, endless: bool) -> None:
    words = read(line)
    assert (kinds.is_long(words), kinds.is_endless(words)) == (long, endless)
