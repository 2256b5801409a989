from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.playground import selectors
from notebook_mux.playground.kinds import Kinds
from notebook_mux.playground.selectors import BadSelector

LABELS = {"app": "web", "tier": "", "n": "5", "example.com/x": "y"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app!=web", False),
        ("none!=web", True),
        ("app", True),
        ("!app", False),
        ("!none", True),
        ("app in (web, api)", True),
        ("app in (api)", False),
        ("app notin (api)", True),
        ("none notin (api)", True),
        ("tier=", True),
        ("tier in ()", True),
        ("tier in (,a)", True),
        ("n>4", True),
        ("n<4", False),
        ("none>4", False),
        ("example.com/x=y,app=web", True),
        (" app = web , n ", True),
        ("app=web,n=6", False),
    ],
)
def test_labels(text: str, matches: bool):
    assert selectors.labels(text)(LABELS) is matches


@pytest.mark.parametrize(
    "text", ["=a", "a in", "a in (", "a in b", "a b", "a=b c", "a=b,", "a>x", "-a=b", "a=-b", "/a", "a=(", ","]
)
def test_bad_labels(text: str):
    with pytest.raises(BadSelector):
        selectors.labels(text)


def test_expressions_of_a_spec():
    wanted: dict[str, Any] = {"matchLabels": {"app": "web"}, "matchExpressions": [
        {"key": "n", "operator": "In", "values": ["5"]}, {"key": "n", "operator": "NotIn", "values": ["6"]},
        {"key": "tier", "operator": "Exists"}, {"key": "none", "operator": "DoesNotExist"}]}  # fmt: skip
    assert selectors.match_expressions(wanted)(LABELS)
    assert not selectors.match_expressions(wanted)({"app": "web"})
    assert not selectors.match_expressions(None)({})


def test_fields():
    pods = Kinds().of("pods")
    obj = {"spec": {"nodeName": "n1", "hostNetwork": True}, "status": {"podIPs": [{"ip": "1"}, {"ip": "2"}]}}
    found = selectors.fields_of(pods, obj)
    assert found["spec.nodeName"] == "n1"
    assert (found["spec.hostNetwork"], found["status.podIPs"], found["status.phase"]) == ("true", "1,2", "")
    matches = selectors.fields(pods, "spec.nodeName=n1,metadata.name!=x,status.phase==,metadata.namespace=d")
    assert matches("d", "y", found)
    assert not matches("d", "x", found)
    assert not matches("e", "y", found)


@pytest.mark.parametrize(
    ("resource", "text", "said"),
    [
        ("pods", "spec.x=1", "field label not supported: spec.x"),
        ("pods", "x", "invalid selector: 'x'; can't understand 'x'"),
        ("nodes", "metadata.namespace=x", "field label not supported: metadata.namespace"),
        ("leases.coordination.k8s.io", "a=b",
         '"a" is not a known field selector: only "metadata.name", "metadata.namespace"'),
    ],
)  # fmt: skip
def test_bad_fields(resource: str, text: str, said: str):
    with pytest.raises(BadSelector) as caught:
        selectors.fields(Kinds().of(resource), text)
    assert str(caught.value) == said
