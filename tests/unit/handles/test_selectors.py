from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import BadSelector
from notebook_mux.handles.selectors import field_selector, label_selector


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, ""),
        ("", ""),
        ("  ", ""),
        ({}, ""),
        (" app=web ", "app=web"),
        ("app==web,tier!=db", "app==web,tier!=db"),
        ("app in (web, api),tier notin (db),!old,new", "app in (web, api),tier notin (db),!old,new"),
        ("app.kubernetes.io/name=web", "app.kubernetes.io/name=web"),
        ("empty=", "empty="),
        ("n>3,m<5", "n>3,m<5"),
        ({"app": "web", "tier": None, "n": 3}, "app=web,tier,n=3"),
        ({"app": ["web", "api"]}, "app in (web,api)"),
        ({"app": {"web", "api"}}, "app in (api,web)"),
    ],
)
def test_label_selectors(selector: Any, text: str) -> None:
    assert label_selector(selector) == text


@pytest.mark.parametrize(
    "selector",
    [
        "app=",
        "app in ()",
    ],
)
def test_what_only_the_server_can_judge_goes_to_it(selector: str) -> None:
    assert label_selector(selector) == selector


@pytest.mark.parametrize(
    "selector",
    [
        "app=web,",
        ",",
        "app = web api",
        "app in web",
        "app in (web",
        "=web",
        "a b",
        "app=web;tier=db",
        "app=-web",
        "app=" + "x" * 64,
        "app===web",
        "app>web",
        {"app": True},
        {"app": []},
        {"app": object()},
        {"app": ["a b"]},
        ["app=web"],
        7,
    ],
)
def test_what_no_server_takes_is_refused(selector: Any) -> None:
    with pytest.raises(BadSelector) as caught:
        label_selector(selector)
    assert caught.value.todo


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, ""),
        ("status.phase!=Running,spec.nodeName=n1", "status.phase!=Running,spec.nodeName=n1"),
        ({"metadata.name": "web-0"}, "metadata.name=web-0"),
        ({"spec.unschedulable": True}, "spec.unschedulable=true"),
        ({"reason": "a,b=c\\d"}, "reason=a\\,b\\=c\\\\d"),
        ("reason=a\\,b", "reason=a\\,b"),
        ("spec.nodeName=", "spec.nodeName="),
    ],
)
def test_field_selectors(selector: Any, text: str) -> None:
    assert field_selector(selector) == text


@pytest.mark.parametrize("selector", ["status.phase", "status.phase=Running,", "!x", {"a": ["b"]}, {"a": None}, 3])
def test_field_selectors_that_no_server_takes(selector: Any) -> None:
    with pytest.raises(BadSelector):
        field_selector(selector)


@given(st.text(max_size=30))
def test_any_text_is_taken_or_refused(text: str) -> None:
    for parse in (label_selector, field_selector):
        try:
            parsed = parse(text)
        except BadSelector:
            continue
        assert parsed == text.strip()


@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.text(max_size=9), max_size=3))
def test_a_dict_of_fields_comes_back_whole(fields: dict[str, str]) -> None:
    field_selector(fields)
