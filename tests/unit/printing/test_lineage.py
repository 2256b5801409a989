from __future__ import annotations

import json

import pytest

from notebook_mux.printing.lineage import Lineage, lineage


def of(**metadata: object) -> Lineage:
    return lineage(json.dumps({"metadata": metadata, "spec": {"labels": {"not": "these"}}}).encode())


def test_labels_and_the_controller_are_found() -> None:
    owners = [{"kind": "Node", "name": "n1"}, {"kind": "ReplicaSet", "name": "web-5d", "controller": True, "uid": "u"}]
    assert of(labels={"app": "web", "a/b": ""}, ownerReferences=owners) == (
        {"app": "web", "a/b": ""},
        "ReplicaSet/web-5d",
    )
    assert of(ownerReferences=owners[:1]).owner == "Node/n1", "without a controller the first one"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b'{"metadata":null}', b'{"metadata":{"labels":{},"ownerReferences":[]}}', b'{"metadata":{"labels":3}}',
     b"not json", b'{"metadata":{"labels":{"a":"\xff"}}}'],
)  # fmt: skip
def test_what_cannot_be_read_has_none(data: bytes) -> None:
    assert lineage(data) == (None, None)
