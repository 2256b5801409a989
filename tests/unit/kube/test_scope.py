from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from notebook_mux.errors import InvalidArgument, WriteRefused
from notebook_mux.kube.scope import (
    CONNECTING,
    Scopes,
    checked_headers,
    checked_path,
    checked_query,
    needs_write,
    pod_of,
)

READS = [
    "/api",
    "/apis/",
    "/version",
    "/readyz",
    "/livez",
    "/openapi/v3/apis/apps/v1",
    "/api/v1/pods",
    "/api/v1/namespaces",
    "/api/v1/namespaces/default",
    "/api/v1/namespaces/default/status",
    "/api/v1/namespaces/default/pods/web-0",
    "/api/v1/namespaces/default/pods/web-0/log",
    "/api/v1/namespaces/exec/pods",
    "/api/v1/namespaces/default/pods/exec",
    "/api/v1/namespaces/attach/configmaps/portforward",
    "/apis/apps/v1/namespaces/proxy/deployments",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    "/api/v1/nodes/proxy",
    "/api/v1/watch/namespaces/default/pods",
]

WRITES = [
    "/api/v1/namespaces/default/pods/web-0/exec",
    "/api/v1/namespaces/default/pods/web-0/exec/",
    "/api/v1/namespaces/default/pods/web-0/attach",
    "/api/v1/namespaces/default/pods/web-0/portforward",
    "/api/v1/namespaces/default/pods/web-0/proxy/metrics",
    "/api/v1/namespaces/default/pods/web-0/%65xec",
    "/api/v1/namespaces/default/pods/web-0/EXEC",
    "/api/v1/namespaces/default/services/web:80/proxy/",
    "/api/v1/nodes/n1/proxy/exec/default/web-0/c",
    "/api/v1/proxy/namespaces/default/pods/web-0",
    "/api/v1/namespaces/default/proxy",
    "/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/b/portforward",
    "/apis/subresources.kubevirt.io/v1/namespaces/a/virtualmachineinstances/b/console",
]

BAD = [
    "",
    "api/v1",
    "//evil.example/api/v1",
    "http://evil.example/api/v1",
    "/etc/passwd",
    "/metrics",
    "/api/v1/../../etc",
    "/api/v1/./pods",
    "/api/v1//pods",
    "/api/v1/namespaces/a/pods/b%2Fexec",
    "/api/v1/namespaces/a/pods/b%2fexec",
    "/api/v1/namespaces/a/pods/b%252Fexec",
    "/api/v1/namespaces/a/pods/b%5Cexec",
    "/api/v1/namespaces/a/pods/%2e%2e/exec",
    "/api/v1/namespaces/a/pods/b;exec",
    "/api/v1/namespaces/a/pods/b%3Bexec",
    "/api/v1/pods?watch=1",
    "/api/v1/pods#x",
    "/api/v1/pods%3Fwatch=1",
    "/api/v1/pods\r\nHost: evil",
    "/api/v1/pods%0d%0a",
    "/api/v1/po ds",
    "/api/v1/pods%",
    "/api/v1/pods%g1",
    "/api/v1/pöds",
    "/api/v1/p%C3%B6ds",
    "/api\\v1",
    "/APIS/apps/v1",
]


@pytest.mark.parametrize("path", READS)
def test_looking_needs_no_scope(path):
    assert not needs_write("GET", path)
    assert not needs_write("HEAD", path)


@pytest.mark.parametrize("path", WRITES)
def test_what_runs_something_is_writing_though_it_is_a_get(path):
    assert needs_write("GET", path)
    assert needs_write("HEAD", path)


@pytest.mark.parametrize("path", BAD)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_paths_that_are_none(path, method):
    with pytest.raises(InvalidArgument, match="the path of a request"):
        needs_write(method, path)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_other_method_is_writing(method):
    for path in READS:
        assert needs_write(method, path)


@pytest.mark.parametrize("method", ["OPTIONS", "CONNECT", "TRACE", "get", "", "GET /x HTTP/1.1\r\n"])
def test_other_methods_are_not_passed_on(method):
    with pytest.raises(InvalidArgument):
        needs_write(method, "/api")


@pytest.mark.parametrize(
    "path",
    [
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews",
    ],
)
def test_reviews_of_oneself_pass(path):
    assert not needs_write("POST", path)
    assert needs_write("PUT", path)
    assert needs_write("POST", path + "/x")


@pytest.mark.parametrize(
    "path",
    [
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        "/apis/authorization.k8s.io/v1/namespaces/a/localsubjectaccessreviews",
        "/apis/authentication.k8s.io/v1/tokenreviews",
        "/apis/authorizationxk8s.io/v1/selfsubjectaccessreviews",
        "/apis/example.com/v1/selfsubjectaccessreviews",
        "/api/v1/namespaces/a/serviceaccounts/b/token",
    ],
)
def test_other_reviews_do_not(path):
    assert needs_write("POST", path)


part = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-:%/\\;?#EXC2f5 ", min_size=0, max_size=12)


@given(st.lists(part, max_size=5), st.sampled_from(sorted(CONNECTING)))
def test_no_path_smuggles_a_connecting_sub_resource(parts, last):
    """Whatever stands in front: refused, writing, or (as a name of its kind) harmless."""
    path = "/".join(["/api/v1/namespaces/a/pods/b", *parts, last])
    try:
        segments = checked_path(path)
    except InvalidArgument:
        return
    assert all(segment and "/" not in segment for segment in segments)
    assert needs_write("GET", path)


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_is_refused(text):
    try:
        segments = checked_path(text)
    except InvalidArgument:
        return
    assert text.isascii()
    assert text.isprintable()
    assert ".." not in segments


@pytest.mark.parametrize(
    ("path", "pod"),
    [
        ("/api/v1/namespaces/x/pods/web-0/log", "x/web-0"),
        ("/api/v1/namespaces/x/pods/web-0/%6Cog", "x/web-0"),
        ("/api/v1/namespaces/x/pods/web-0/log/", "x/web-0"),
        ("/api/v1/namespaces/log/pods/log/log", "log/log"),
        ("/api/v1/namespaces/x/pods/web-0/exec", None),
        ("/api/v1/namespaces/x/pods/web-0", None),
        ("/api/v1/namespaces/x/pods/log", None),
        ("/api/v1/namespaces/x/services/web-0/log", None),
        ("/apis/v1/namespaces/x/pods/web-0/log", None),
        ("/api/v1/namespaces/x/pods/web-0/proxy/log", None),
    ],
)
def test_the_pod_of_a_path(path, pod):
    assert pod_of(path, {"log"}) == pod


def test_a_pod_itself():
    assert pod_of("/api/v1/namespaces/x/pods/web-0") == "x/web-0"
    assert pod_of("/api/v1/namespaces/x/pods/web-0/log") is None
    assert pod_of("/api/v1/namespaces/x/pods") is None


def test_queries():
    assert checked_query("labelSelector=a%3Db&limit=5") == "labelSelector=a%3Db&limit=5"
    for query in ("a b", "a#b", "a\r\nb", "ä", "a\0"):
        with pytest.raises(InvalidArgument):
            checked_query(query)


def test_headers():
    assert checked_headers({"Accept": "a", "content-type": "b"})
    for headers in (
        {"Authorization": "Bearer x"},
        {"Impersonate-User": "admin"},
        {"Host": "evil"},
        {"Upgrade": "websocket"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Accept": "a\r\nAuthorization: x"},
        {"Accept\r\nX": "a"},
    ):
        with pytest.raises(InvalidArgument):
            checked_headers(headers)


def test_scopes_grant_what_is_known_and_replace_the_earlier():
    scopes = Scopes(allowed=True)
    assert scopes.set("manager-1", ["b", "a", "x"], {"a": 1, "b": 2}) == ["a", "b"]
    scopes.check("manager-1", "a", "one", "PUT /api")
    with pytest.raises(WriteRefused, match="may only look"):
        scopes.check("manager-2", "a", "one", "PUT /api")
    with pytest.raises(WriteRefused):
        scopes.check("", "a", "one", "PUT /api")
    scopes.set("manager-1", [], {"a": 1})
    with pytest.raises(WriteRefused) as caught:
        scopes.check("manager-1", "a", "one", "PUT /api")
    assert "write=True" in (caught.value.todo or "")
    assert caught.value.cluster == "one"


def test_a_gateway_without_write_grants_nothing():
    scopes = Scopes(allowed=False)
    assert scopes.set("m", ["a"], ["a"]) == []
    with pytest.raises(WriteRefused) as caught:
        scopes.check("m", "a", "one", "PUT /api")
    assert "--write" in (caught.value.todo or "")
