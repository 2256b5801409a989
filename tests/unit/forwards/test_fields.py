from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given, strategies as st

from notebook_mux.forwards.fields import OPAQUE, OURS, answered, asked, redirected, without_secrets

HOST = "localhost:8080"
BASE = "https://hub.example/user/me/proxy/40123/notebook-mux/forward/SECRET"


def test_only_what_is_listed_reaches_the_pod():
    given = [
        ("Host", "hub.example"),
        ("Cookie", "session=1"),
        ("Authorization", "token abc"),
        ("X-XSRFToken", "1"),
        ("Referer", "https://hub.example/lab"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Goog-IAP-JWT-Assertion", "ey"),
        ("Proxy-Authorization", "Basic x"),
        ("Accept", "text/html"),
        ("Content-Type", "text/plain"),
        ("If-None-Match", '"1"'),
    ]
    assert asked(given, HOST) == [("Host", HOST), *given[-3:]]
    assert ("Origin", f"http://{HOST}") in asked([("origin", "null")], HOST)


def test_only_what_is_listed_reaches_the_browser():
    given = [
        ("Set-Cookie", "a=1"),
        ("Content-Security-Policy", "default-src *"),
        ("Service-Worker-Allowed", "/"),
        ("Clear-Site-Data", '"cookies"'),
        ("Strict-Transport-Security", "max-age=1"),
        ("X-Accel-Redirect", "/etc/passwd"),
        ("Access-Control-Allow-Origin", "*"),
        ("Refresh", "0;url=/lab"),
        ("Link", "</lab>; rel=preload"),
        ("WWW-Authenticate", "Basic"),
        ("Cache-Control", "public, max-age=1000"),
        ("Location", "/x"),
        ("Content-Type", "text/html"),
        ("ETag", '"1"'),
    ]
    assert answered(given) == [*given[-2:], *OURS.items()]


def test_parts_with_fields_of_their_own_are_a_file():
    [kind, *_] = answered([("Content-Type", "Multipart/X-Mixed-Replace; boundary=x")])
    assert kind == ("Content-Type", OPAQUE)


@pytest.mark.parametrize(
    ("target", "passed"),
    [
        ("a/b", "a/b"),
        ("a?x=1&y=%20", "a?x=1&y=%20"),
        ("a?token=abc", "a"),
        ("a?x=1&token=abc&y=2", "a?x=1&y=2"),
        ("?Token=abc&%74oken=abc&_xsrf=2", ""),
        ("a?tokens=1", "a?tokens=1"),
        ("a?", "a"),
        ("a?x=1?token=2", "a?x=1?token=2"),
    ],
)
def test_jupyters_parameters_are_left_out(target: str, passed: str):
    assert without_secrets(target) == passed


@pytest.mark.parametrize(
    ("place", "at", "relative"),
    [
        ("/login", "/", "./login"),
        ("/login", "/a/b", "../login"),
        ("/", "/a/b/c", "../../"),
        ("/", "/", "./"),
        ("next", "/a/b", "../a/next"),
        ("./next/", "/a/b", "../a/next/"),
        ("?page=2", "/a/b", "../a/b?page=2"),
        ("/a?x=1#y", "/", "./a?x=1#y"),
        (f"http://{HOST}/x", "/a/", "../x"),
        (f"http://{HOST}", "/a/", "../"),
        (f"//{HOST}/x", "/", "./x"),
        ("../../../lab", "/a/b", "../lab"),
        ("/../../lab", "/", "./lab"),
        ("%2e%2e/%2E%2e/%2e./lab", "/a/b", "../lab"),
        ("..\\..\\..\\lab", "/a/b", "../lab"),
        ("/.//evil.example/x", "/", "./evil.example/x"),
        ("/a:b", "/", "./a:b"),
    ],
)
def test_a_redirect_stays_inside(place: str, at: str, relative: str):
    assert redirected(place, at, {HOST}) == relative


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "http:/lab",
        "http:lab",
        f"https://{HOST}/",
        f"http://{HOST}@evil.example/",
        "http://[",
    ],
)
def test_a_redirect_to_elsewhere_is_none(place: str):
    assert redirected(place, "/a", {HOST}) is None


PIECES = st.sampled_from(["/", "..", ".", "%2e", "%2E%2e", "\\", "a", "//", "?", "#", "%2f", "x:", "\t", ":"])


@given(st.lists(PIECES, max_size=8).map("".join), st.sampled_from(["/", "/a", "/a/", "/a/b", "/a/b/c/"]))
def test_no_redirect_leaves_the_path(place: str, at: str):
    found = redirected(place, at, {HOST})
    if found is not None:
        whole = urlsplit(urljoin(BASE + at, found.replace("%2e", ".").replace("%2E", ".")))
        assert f"{whole.scheme}://{whole.netloc}{whole.path}".startswith(BASE + "/")
