"""Quantities as the API writes them."""

from __future__ import annotations

import pytest

from notebook_mux.playground import pod_resources
from notebook_mux.playground.quantities import (
    LARGEST,
    NoQuantity,
    Quantity,
    add,
    amounts,
    canonical,
    known,
    most,
    parse,
    written,
)


@pytest.mark.parametrize(
    ("said", "written"),
    [("1000m", "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("100M", "100M"), ("1000", "1k"),
     ("1e3", "1e3"), ("1500e-3", "1500e-3"), ("0", "0"), ("0Gi", "0"), ("1023Ki", "1023Ki"), ("512", "512"),
     (2, "2"), (0.25, "250m"), ("-1Gi", "-1Gi"), ("1.0000000001", "1000000001n"), ("1536", "1536"), ("0.5Ki", "512"),
     ("2E", "2E"), ("1E1", "10"), ("+3", "3"), (".5", "500m")],
)  # fmt: skip
def test_one_writing_for_each_amount(said: object, written: str):
    assert canonical(said) == written
    assert parse(canonical(said)).nano == parse(said).nano


@pytest.mark.parametrize("said", ["1e9999999999", "9E9999999", 1e308, "9" * 900, "1000000Ei"])
def test_what_is_too_much_is_the_most_there_is_and_takes_no_time(said: object):
    assert parse(said).nano == LARGEST
    assert parse(f"-{said}").nano == -LARGEST
    assert int(canonical(said).replace("Ei", "")) > 0
    assert parse("1e-9999999999").nano == 1


@pytest.mark.parametrize("said", ["9" * 5000, "", "x", "1 Gi", "1Gb", "1.2.3", "Gi", None, True, "1KI", "--1"])
def test_what_is_none(said: object):
    with pytest.raises(NoQuantity):
        parse(said)
    assert canonical(said) == said
    assert known(said) == Quantity(0)


def test_sums_keep_the_writing_of_the_first():
    assert str(parse("1Gi") + parse("1G")) == "2073741824"
    assert str(Quantity(0) + parse("1Gi")) == "1Gi"
    assert str(parse("1") - parse("250m")) == "750m"
    assert (parse("1.2").value, parse("1.2").milli, parse("0.0001").milli) == (2, 1200, 1)
    both = add(amounts({"cpu": "1", "memory": "1Gi"}), amounts({"cpu": "500m"}))
    assert written(both) == {"cpu": "1500m", "memory": "1Gi"}
    assert written(most(amounts({"cpu": "1"}), amounts({"cpu": "2", "x": "1"}))) == {"cpu": "2", "x": "1"}


def container(cpu: str, **more: object) -> dict[str, object]:
    return {"name": "a", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}, **more}


def test_what_a_pod_asks_for():
    always = {"restartPolicy": "Always"}
    for init, asked in (
        ([], "300m"),
        ([container("1")], "1"),  # before the others, alone
        ([container("1", **always)], "1300m"),  # beside them
        ([container("1", **always), container("2")], "3"),  # beside the sidecar
        ([container("2"), container("1", **always)], "2"),
    ):
        spec = {"containers": [container("100m"), container("200m")], "initContainers": init}
        assert written(pod_resources.requests(spec)) == {"cpu": asked}
    heavy: dict[str, object] = {"containers": [container("1")], "overhead": {"cpu": "250m", "memory": "1Mi"}}
    assert written(pod_resources.requests(heavy)) == {"cpu": "1250m", "memory": "1Mi"}
    assert written(pod_resources.limits(heavy)) == {"cpu": "1250m"}
    whole: dict[str, object] = {"resources": {"requests": {"cpu": "4"}}, "containers": [container("1")]}
    assert written(pod_resources.requests(whole)) == {"cpu": "4"}


@pytest.mark.parametrize(
    ("requests", "limits", "found"),
    [({}, {}, "BestEffort"), ({"cpu": "1"}, {}, "Burstable"), ({}, {"cpu": "1", "memory": "1"}, "Guaranteed"),
     ({"cpu": "1", "memory": "1Gi"}, {"cpu": "1000m", "memory": "1024Mi"}, "Guaranteed"),
     ({"cpu": "1", "memory": "1Gi"}, {"cpu": "1"}, "Burstable"), ({"x/y": "1"}, {"x/y": "1"}, "BestEffort")],
)  # fmt: skip
def test_classes_of_service(requests: dict[str, str], limits: dict[str, str], found: str):
    assert pod_resources.qos({"containers": [{"resources": {"requests": requests, "limits": limits}}]}) == found
