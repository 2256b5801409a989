from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from notebook_mux.printing.amounts import (
    MEBI,
    NANO,
    Amounts,
    asked,
    measured,
    mebibytes,
    millicores,
    node_cells,
    pod_cells,
    quantity,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("250m", 0.25), ("2", 2), (2, 2), ("1.5", 1.5), ("12345678n", 0.012345678), ("3u", 0.000003), ("1e3", 1000),
        ("2E1", 20), ("64Mi", 64 * MEBI), ("1Ki", 1024), ("1k", 1000), ("-1", -1), ("1E", 10**18), ("0.1n", 1 / NANO),
        ("", 0), ("many", 0), (".", 0), ("1e999999999", 0), ("1X", 0),
    ],
)  # fmt: skip
def test_a_quantity_is_read_as_the_api_means_it(text: Any, wanted: float) -> None:
    assert quantity(text) == round(wanted * NANO)


def test_figures_are_rounded_as_kubectl_top_does() -> None:
    assert [millicores(quantity(text)) for text in ("12345678n", "100m", "0", "1")] == ["13m", "100m", "0m", "1000m"]
    assert [mebibytes(quantity(text)) for text in ("1023Ki", "64Mi", "1Gi", "131072000")] == [
        "0Mi",
        "64Mi",
        "1024Mi",
        "125Mi",
    ]


def container(cpu: str = "", memory: str = "", limit: str = "", **more: Any) -> dict[str, Any]:
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return {"resources": {"requests": requests, "limits": {"cpu": limit} if limit else None}, **more}


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **spec: Any) -> bytes:
    return json.dumps({"spec": {"containers": containers, "initContainers": init, **spec}}).encode()


USED = Amounts(quantity("90m"), quantity("50Mi"))


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (pod(container("100m", "100Mi", "1")), ("90m", 90, 9, "50Mi", 50, "n/a")),
        (pod(container("100m"), container("200m", "64Mi")), ("90m", 30, "n/a", "50Mi", 78, "n/a")),
        # one that stays beside the others counts, one that only begins does not
        (
            pod(container("100m"), init=(container("80m", restartPolicy="Always"), container("5"))),
            ("90m", 50, "n/a", "50Mi", "n/a", "n/a"),
        ),
        # what is set for the pod as a whole is what it has
        (pod(container("100m", "1Gi"), resources={"requests": {"cpu": "30m"}}), ("90m", 300, "n/a", "50Mi", 4, "n/a")),
        (pod({}), ("90m", "n/a", "n/a", "50Mi", "n/a", "n/a")),
        (b"{}", ("90m", "n/a", "n/a", "50Mi", "n/a", "n/a")),
        (b"none", ("90m", "n/a", "n/a", "50Mi", "n/a", "n/a")),
    ],
)  # fmt: skip
def test_a_pods_use_is_compared_with_all_of_its_containers(data: bytes, wanted: tuple[Any, ...]) -> None:
    assert pod_cells(USED, data) == wanted


def test_a_nodes_use_is_compared_with_what_pods_can_have() -> None:
    data = b'{"status":{"capacity":{"cpu":"9"},"allocatable":{"cpu":"900m","memory":"100Mi"}}}'
    assert node_cells(USED, data) == ("90m", 10, "50Mi", 50)
    assert node_cells(USED, b"{}") == ("90m", "n/a", "50Mi", "n/a")


@pytest.mark.parametrize("used", ["9" * 40, "1E99", "9" * 5000])
def test_what_no_cluster_has_can_be_told_to_a_page(used: str) -> None:
    one = b'{"spec":{"containers":[{"resources":{"requests":{"cpu":"1n","memory":"1n"}}}]}}'
    msgspec.json.encode(pod_cells(Amounts(quantity(used), quantity(used)), one))


def test_lists_of_both_kinds_are_read() -> None:
    containers = [{"usage": {"cpu": "1m", "memory": "1Ki"}}, {"usage": {"cpu": "2m"}}, {}]
    pods = {"items": [{"metadata": {"name": "p", "namespace": "n"}, "containers": containers}]}
    nodes = {"items": [{"metadata": {"name": "n1"}, "usage": {"cpu": "1", "memory": "2"}}]}
    assert measured(json.dumps(pods).encode()) == {("n", "p"): Amounts(quantity("3m"), quantity("1Ki"))}
    assert measured(json.dumps(nodes).encode()) == {("", "n1"): Amounts(NANO, 2 * NANO)}
    assert measured(b'{"items":null}') == {}
    assert asked(b"[]") == asked(b"{}")
