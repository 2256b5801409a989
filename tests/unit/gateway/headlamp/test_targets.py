from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.headlamp import targets
from notebook_mux.gateway.headlamp.targets import Target


@pytest.mark.parametrize(
    ("raw", "base", "found"),
    [
        ("/clusters/one/api/v1/pods?a=%2F&b", "", Target("one", "/api/v1/pods", "a=%2F&b")),
        ("/clusters/arn:aws:eks--x/version", "", Target("arn:aws:eks--x", "/version", "")),
        ("/clusters/a%20b/apis/x%3Ay/", "", Target("a b", "/apis/x%3Ay/", "")),
        ("/me/clusters/one/api", "/me", Target("one", "/api", "")),
        ("/clusters/one/api?token=secret&x=1&tok%65n=2", "", Target("one", "/api", "x=1")),
        ("/clusters/one/api?tokens=1&x=token", "", Target("one", "/api", "tokens=1&x=token")),
    ],
)
def test_a_target_is_taken_as_it_came(raw, base, found):
    assert targets.parse(raw, base) == found


@given(st.text(max_size=40))
def test_any_other_is_refused_or_stays_below_its_cluster(text):
    try:
        found = targets.parse(f"/clusters/one/{text}")
    except InvalidArgument:
        return
    assert found.path.startswith(("/api", "/version", "/openapi", "/readyz", "/livez", "/healthz"))
    assert ".." not in found.path.split("/")
    assert found.cluster == "one"


@pytest.mark.parametrize(
    "raw", ["", "/", "/clusters", "/clusters/", "/config", "/clusters//api", "/other/clusters/one/api"]
)
def test_what_names_no_cluster_is_refused(raw):
    with pytest.raises(InvalidArgument):
        targets.parse(raw)


@pytest.mark.parametrize(
    ("query", "value"),
    [("watch=1", True), ("watch=true", True), ("watch", True), ("watch=", True), ("watch=yes", True),
     ("watch=0", False), ("watch=FALSE", False), ("w%61tch=1", True), ("a=watch", False), ("", False),
     ("watch=0&watch=1", False)],
)  # fmt: skip
def test_what_an_api_server_takes_for_yes(query, value):
    assert targets.is_set(query, "watch") is value


@pytest.mark.parametrize(
    ("path", "query", "long"),
    [("/api/v1/pods", "watch=1", True), ("/api/v1/watch/pods", "", True), ("/api/v1/pods", "limit=5", False),
     ("/api/v1/namespaces/x/pods/y/log", "follow=true", True), ("/api/v1/namespaces/x/pods/y/log", "", False)],
)  # fmt: skip
def test_which_answers_may_have_no_end(path, query, long):
    assert targets.is_long(Target("one", path, query)) is long
