from __future__ import annotations

from typing import Any

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.handles.conditions import parse


def conditions(*given: dict[str, Any], generation: int | None = None) -> dict[str, Any]:
    metadata = {} if generation is None else {"generation": generation}
    return {"metadata": metadata, "status": {"conditions": list(given), "phase": "Running", "n": 0, "empty": []}}


READY = {"type": "Ready", "status": "True"}


@pytest.mark.parametrize(
    ("until", "obj", "met"),
    [
        ("condition=Ready", conditions(READY), True),
        ("condition=ready", conditions(READY), True),
        ("condition=Ready=true", conditions(READY), True),
        ("condition=Ready=False", conditions(READY), False),
        ("condition=Ready=False", conditions({"type": "Ready", "status": "False"}), True),
        ("condition=Other", conditions(READY), False),
        ("condition=Ready", {}, False),
        ("condition=Ready", {"status": None}, False),
        ("condition=Ready", conditions({**READY, "observedGeneration": 1}, generation=2), False),
        ("condition=Ready", conditions({**READY, "observedGeneration": 2}, generation=2), True),
        ("jsonpath={.status.phase}=Running", conditions(), True),
        ("jsonpath={.status.phase}='Running'", conditions(), True),
        ("jsonpath={.status.phase}=Failed", conditions(), False),
        ("jsonpath=.status.phase=Running", conditions(), True),
        ("jsonpath={.status.n}=0", conditions(), True),
        ("jsonpath={.status.phase}", conditions(), True),
        ("jsonpath={.status.empty}", conditions(), False),
        ("jsonpath={.status.nothing}", conditions(), False),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', conditions(READY), True),
        ("create", {}, True),
        ("delete", {}, False),
        (lambda obj: obj.get("status"), conditions(), True),
        (lambda obj: None, {}, False),
    ],
)
def test_conditions(until: Any, obj: dict[str, Any], met: bool) -> None:
    assert parse(until).met(obj) is met


def test_what_is_waited_for_is_said() -> None:
    def all_there(obj: Any) -> bool:
        return True

    assert parse("condition=Ready").words == "condition=Ready"
    assert parse(all_there).words == "all_there()"
    assert parse(lambda obj: True).words == "a condition of yours"
    assert parse("delete").gone


@pytest.mark.parametrize(
    "until",
    ["", "Ready", "condition=", "condition", "jsonpath=", "jsonpath={.a}x", "jsonpath={.a}=", "deleted", 7, None],
)
def test_what_cannot_be_waited_for(until: Any) -> None:
    with pytest.raises(InvalidArgument):
        parse(until)
