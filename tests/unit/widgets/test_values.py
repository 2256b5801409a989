from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from notebook_mux.widgets.values import EMPTY, MAX_TEXT, Kind, Value, at_path, column_type, object_of, value_of

from .fakes import PODS, pod

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
HOUR_AGO = "2026-11-30T11:00:00Z"
SECRETS = {**PODS, "name": "secrets", "kind": "Secret"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, EMPTY),
        ("", EMPTY),
        ([], EMPTY),
        (True, Value(True, Kind.BOOLEAN)),
        (3, Value(3, Kind.INTEGER)),
        (2**60, Value(str(2**60), Kind.TEXT)),
        (0.5, Value(0.5, Kind.NUMBER)),
        (Decimal("1.5"), Value(1.5, Kind.NUMBER)),
        (float("nan"), Value("nan", Kind.TEXT)),
        ("web", Value("web", Kind.TEXT)),
        ("half \ud800 ü", Value("half ? ü", Kind.TEXT)),
        ("250m", Value("250m", Kind.QUANTITY)),
        ("1.5Gi", Value("1.5Gi", Kind.QUANTITY)),
        ("1.10", Value("1.10", Kind.TEXT)),
        (HOUR_AGO, Value(HOUR_AGO, Kind.MOMENT, NOW - 3600)),
        ("2027-01-01T00:00:00Z", Value("2027-01-01T00:00:00Z", Kind.TEXT)),
        (datetime(2026, 11, 30, 11, tzinfo=UTC), Value("2026-11-30T11:00:00+00:00", Kind.MOMENT, NOW - 3600)),
        (date(2026, 11, 30), Value("2026-11-30", Kind.TEXT)),
        (timedelta(minutes=5), Value("5m", Kind.TEXT)),
        (["a", 1, None, {"b": 2}], Value('a,1,null,{"b":2}', Kind.TEXT)),
        ({"a": [1]}, Value('{"a":[1]}', Kind.TEXT)),
        (object, Value("<class 'object'>", Kind.TEXT)),
    ],
)
def test_whatever_a_function_gives_is_a_cell(given, wanted):
    assert value_of(given, NOW) == wanted


def test_a_long_text_is_cut():
    assert len(value_of("x" * 5000, NOW).cell) == MAX_TEXT + 1


@pytest.mark.parametrize(
    ("kinds", "wanted"),
    [
        (Kind(0), "string"),
        (Kind.INTEGER, "integer"),
        (Kind.INTEGER | Kind.NUMBER, "number"),
        (Kind.INTEGER | Kind.QUANTITY, "quantity"),
        (Kind.INTEGER | Kind.TEXT, "string"),
        (Kind.BOOLEAN, "boolean"),
        (Kind.MOMENT, "date"),
        (Kind.MOMENT | Kind.TEXT, "string"),
    ],
)
def test_a_column_is_of_the_type_that_all_its_cells_are(kinds, wanted):
    assert column_type(kinds) == wanted


def content(resource=PODS, **more):
    record = pod(1, random.Random(1))
    record.object = json.dumps({"metadata": {"name": record.name}, **more}).encode()
    return object_of(record, "a", resource)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (".spec.containers[*].image", "nginx:1,redis:7"),
        (".spec.containers[0].image", "nginx:1"),
        (".spec.containers[0].ports", '[{"port":80}]'),
        (".spec.gone", "<none>"),
        (".spec.replicas", 3),
    ],
)
def test_a_path_finds_what_kubectl_would_print(path, wanted):
    containers = [{"image": "nginx:1", "ports": [{"port": 80}]}, {"image": "redis:7"}]
    found = at_path(path, content(spec={"containers": containers, "replicas": 3}), NOW)
    assert found.cell == (wanted if path != ".spec.containers[0].ports" else '{"port":80}')


def test_no_secret_is_in_a_cell():
    secret = content(SECRETS, data={"password": "aHVudGVyMg=="}, type="Opaque")
    assert "aHVudGVyMg" not in json.dumps(at_path(".data.password", secret, NOW).cell)
    assert at_path(".type", secret, NOW).cell == "Opaque"
    assert "hidden" in at_path(".data.password", secret, NOW).cell
