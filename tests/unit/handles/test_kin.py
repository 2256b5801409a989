from __future__ import annotations

import pytest

from notebook_mux.handles import kin as module
from notebook_mux.handles.kin import Kin, Thing, owner_in
from tests.unit.handles.happenings import owned


def pod(name: str, namespace: str = "default") -> Thing:
    return Thing("Pod", namespace, name)


WEB = Thing("Deployment", "default", "web")
SET = Thing("ReplicaSet", "default", "web-5d4f9c7b8")


def test_by_what_they_say() -> None:
    kin = Kin([WEB])
    before = kin.version
    odd = pod("a-name-of-its-own")
    assert not kin.has(odd)
    kin.learn(odd, Thing("ReplicaSet", "default", "odd-set"))
    assert not kin.has(odd)
    kin.learn(Thing("ReplicaSet", "default", "odd-set"), WEB)
    assert kin.has(odd)
    assert kin.version > before
    assert kin.way(odd) == (Thing("ReplicaSet", "default", "odd-set"), WEB)
    kin.learn(odd, None)
    assert kin.has(odd), "what has joined stays"


def test_by_their_names_where_they_are_gone() -> None:
    kin = Kin([WEB])
    assert kin.has(SET)
    assert kin.has(pod("web-5d4f9c7b8-x7k2q"))
    assert kin.way(pod("web-5d4f9c7b8-x7k2q")) == (SET, WEB)
    for stranger in (
        "web-5d4f9c7b8-aeiou",
        "web-5d4f9c7b8",
        "website-5d4f9c7b8-x7k2q",
        "web-cache-5d4f9c7b8-x7k2q",
        "web-0",
    ):
        assert not kin.has(pod(stranger)), stranger
    assert not kin.has(pod("web-5d4f9c7b8-x7k2q", "other"))


def test_what_says_otherwise_is_believed() -> None:
    kin = Kin([WEB])
    kin.learn(SET, Thing("Rollout", "default", "web"))
    assert not kin.has(SET)
    assert not kin.has(pod("web-5d4f9c7b8-x7k2q"))


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("StatefulSet", "web-11"),
        ("DaemonSet", "web-x7k2q"),
        ("Job", "web-x7k2q"),
        ("Job", "web-3-x7k2q"),
        ("ReplicaSet", "web-x7k2q"),
        ("CronJob", "web-29384756-x7k2q"),
    ],
)
def test_each_controllers_names(root: str, name: str) -> None:
    assert Kin([Thing(root, "default", "web")]).has(pod(name))
    assert not Kin([Thing("Service", "default", "web")]).has(pod(name))


def test_what_a_selector_chose() -> None:
    kin = Kin([])
    assert not kin.has(pod("web-0"))
    kin.learn(pod("web-0"), Thing("StatefulSet", "default", "web"), chosen=True)
    assert kin.has(pod("web-0"))
    assert not kin.has(pod("web-1"))
    assert not kin.has(Thing("StatefulSet", "default", "web"))


def test_all_of_it() -> None:
    kin = Kin()
    assert kin.has(pod("any"))
    assert kin.way(pod("web-5d4f9c7b8-x7k2q")) == ()
    kin.learn(pod("web-5d4f9c7b8-x7k2q"), SET)
    assert kin.way(pod("web-5d4f9c7b8-x7k2q")) == (SET,)


def test_owners_in_a_ring_end() -> None:
    kin = Kin([WEB])
    one, two = Thing("Odd", "default", "one"), Thing("Odd", "default", "two")
    kin.learn(one, two)
    kin.learn(two, one)
    assert not kin.has(one)
    assert kin.way(one) == (two, one)


def test_owners_are_read() -> None:
    assert owner_in(owned("web-0", "StatefulSet/web").object, "ns") == Thing("StatefulSet", "ns", "web")
    assert owner_in(owned("web-0").object, "ns") is None
    two = b'{"metadata":{"ownerReferences":[{"kind":"A","name":"a"},{"kind":"B","name":"b","controller":true}]}}'
    assert owner_in(two, "ns") == Thing("B", "ns", "b")
    for broken in (b"", b"[]", b'{"metadata":{"ownerReferences":7}}'):
        assert owner_in(broken, "ns") is None


def test_what_is_forgotten_is_known_by_its_name_alone() -> None:
    kin = Kin([WEB])
    odd, set_ = pod("a-name-of-its-own"), Thing("ReplicaSet", "default", "odd-set")
    kin.learn(set_, WEB)
    kin.learn(odd, set_)
    assert kin.has(odd)
    kin.forget(odd)
    assert not kin.has(odd)
    assert kin.way(odd) == ()
    kin.learn(odd, set_)
    assert kin.has(odd), "it is there again"
    kin.forget(pod("web-5d4f9c7b8-x7k2q"))
    assert kin.has(pod("web-5d4f9c7b8-x7k2q"))
    kin.forget(WEB)
    assert kin.has(WEB)


def test_what_belongs_by_name_is_not_remembered_without_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BY_NAME_KEPT", 50)
    kin = Kin([Thing("StatefulSet", "default", "web")])
    odd = pod("a-name-of-its-own")
    kin.learn(odd, Thing("StatefulSet", "default", "web"))
    assert kin.has(odd)
    kin.learn(odd, None)
    for number in range(1000):
        assert kin.has(pod(f"web-{number}"))
    assert len(kin._members) <= 52
    assert kin.has(odd), "what has joined stays"
    assert kin.has(pod("web-3"))
