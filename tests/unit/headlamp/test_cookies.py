from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from notebook_mux.headlamp import cookies


def test_a_long_token_goes_in_pieces_and_each_cluster_has_its_own():
    token = "t" * 3800 + "u" * 10
    assert cookies.header({"b": "x", "a": token}) == (
        f"headlamp-auth-a.0={'t' * 3800}; headlamp-auth-a.1={'u' * 10}; headlamp-auth-b.0=x"
    )
    assert cookies.header({}) == ""


def test_a_renewed_token_is_put_together_from_the_answers_cookies():
    answer = SimpleCookie()
    for name, value in {"headlamp-auth-a.1": "two", "headlamp-auth-a.0": "one", "headlamp-auth-b.0": "no"}.items():
        answer[name] = value
    found = [(name, morsel.value) for name, morsel in answer.items()]
    assert cookies.renewed("a", found) == "onetwo"
    assert cookies.renewed("c", found) is None


def test_a_token_that_would_be_taken_for_another_clusters_is_not_sent():
    assert cookies.header({"a:b": "one", "ab": "two", "c": "three"}) == "headlamp-auth-c.0=three"
    assert cookies.header({"a:b": "one", "ab": "one"}) == "headlamp-auth-ab.0=one"


def test_cleared_chunks_are_no_token_and_a_digest_in_the_name_is_fine():
    assert cookies.renewed("a", [("headlamp-auth-a.0", ""), ("headlamp-auth-a.1", "")]) is None
    assert cookies.renewed("a", [(f"headlamp-auth-a-{'0f' * 16}.0", "new"), ("headlamp-auth-a.0", "")]) == "new"


def test_another_clusters_cookies_are_not_taken_for_ours():
    assert cookies.renewed("prod", [("headlamp-auth-prod-eu.0", "not-ours")]) is None


def test_a_quoted_token_cannot_begin_another_header():
    answer: SimpleCookie = SimpleCookie()
    answer.load('headlamp-auth-a.0="x\\015\\012X-Evil: 1"')
    assert "\n" in answer["headlamp-auth-a.0"].value
    assert cookies.renewed("a", [(name, morsel.value) for name, morsel in answer.items()]) is None


@pytest.mark.parametrize(("text", "fine"), [("eyJh.b-c_d", True), ("a b", False), ("a;b", False), ("", False)])
def test_only_a_cookies_characters_can_be_sent(text: str, fine: bool):
    assert cookies.is_token(text) is fine
