from __future__ import annotations

import pytest

from notebook_mux.playground.kinds import Kinds
from notebook_mux.playground.paths import NotServed, parse
from notebook_mux.playground.status import ApiError


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/v1/pods", ("pods", "", "", "", False)),
        ("/api/v1/namespaces/a/pods", ("pods", "a", "", "", False)),
        ("/api/v1/namespaces/a/pods/b", ("pods", "a", "b", "", False)),
        ("/api/v1/namespaces/a/pods/b/status", ("pods", "a", "b", "status", False)),
        ("/api/v1/namespaces", ("namespaces", "", "", "", False)),
        ("/api/v1/namespaces/a", ("namespaces", "", "a", "", False)),
        ("/api/v1/namespaces/a/status", ("namespaces", "", "a", "status", False)),
        ("/apis/apps/v1/namespaces/a/deployments/b/scale", ("deployments.apps", "a", "b", "scale", False)),
        ("/api/v1/watch/namespaces/a/pods", ("pods", "a", "", "", True)),
        ("/api/v1/nodes/n", ("nodes", "", "n", "", False)),
    ],
)
def test_what_a_path_means(path: str, found: tuple[str, str, str, str, bool]):
    target = parse(path, Kinds())
    assert (target.kind.resource, target.namespace, target.name, target.subresource, target.watch) == found


@pytest.mark.parametrize(
    "path",
    ["/api/v1/podz", "/api/v1/pods/b", "/api/v1/namespaces/a/nodes", "/api/v1/namespaces/a/pods/b/nope",
     "/api/v1/namespaces/a/pods/b/status/x", "/api/v1/namespaces//pods"],
)  # fmt: skip
def test_what_is_not_there(path: str):
    with pytest.raises(ApiError) as caught:
        parse(path, Kinds())
    assert caught.value.code == 404


@pytest.mark.parametrize("path", ["/api/v2/pods", "/apis/foo/v1/x", "/apis/apps/v2/deployments"])
def test_groups_that_are_not_served(path: str):
    with pytest.raises(NotServed):
        parse(path, Kinds())
