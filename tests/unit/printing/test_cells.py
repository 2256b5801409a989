from __future__ import annotations

from typing import Any

import msgspec
import pytest

from notebook_mux.ages import HOUR, MINUTE
from notebook_mux.printing import cells
from notebook_mux.wire.frames import Record
from tests.unit.fake_core import NODES, POD_COLUMNS, PODS, stamp

NOW = 1_700_000_000.0


def column(name: str, type_: str = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, "format": "", "description": "", "priority": 0, **more}


def record(printed: list[Any], content: Any = None, created: float | None = NOW - 300) -> Record:
    return Record(
        "u",
        "ns",
        "web-0",
        "7",
        stamp(created) if created is not None else "",
        NOW,
        msgspec.json.encode(printed),
        msgspec.json.encode(content or {}),
    )


def resource(group: str, name: str) -> dict[str, Any]:
    return PODS | {"group": group, "name": name}


def test_an_age_is_counted_from_the_creation() -> None:
    shown, alive = cells.live(POD_COLUMNS, PODS, record(["web-0", "1/1", "Running", "0", "5m", "1.2.3.4", "n1"]))
    assert shown == ["web-0", "1/1", "Running", "0", "5m", "1.2.3.4", "n1"]
    assert alive == {4: (NOW - 300, "{}")}
    assert cells.at(shown, alive, NOW + 90)[4] == "6m30s"


def test_an_age_that_its_creation_does_not_explain_is_counted_from_the_text() -> None:
    _, alive = cells.live([column("Age")], NODES, record(["3h5m"]))
    assert alive == {0: (NOW - 3 * HOUR - 5 * MINUTE, "{}")}


def test_an_unknown_age_stays() -> None:
    shown, alive = cells.live([column("Age")], NODES, record(["<unknown>"], created=None))
    assert (shown, alive) == (["<unknown>"], {})


def pod(*finished: tuple[str, float]) -> dict[str, Any]:
    statuses: dict[str, list[Any]] = {"containerStatuses": [], "initContainerStatuses": [{}, {"lastState": {}}]}
    for where, seconds in finished:
        statuses[where].append({"lastState": {"terminated": {"finishedAt": stamp(seconds)}}})
    return {"status": statuses}


def test_restarts_count_from_the_end_that_was_meant() -> None:
    content = pod(
        ("initContainerStatuses", NOW - 10), ("containerStatuses", NOW - 330), ("containerStatuses", NOW - 9000)
    )
    shown, alive = cells.live([column("Restarts")], PODS, record(["3 (5m30s ago)"], content))
    assert alive == {0: (NOW - 330, "3 ({} ago)")}
    assert cells.at(shown, alive, NOW + 10) == ["3 (5m40s ago)"]


def test_restarts_without_a_known_end_count_from_the_text() -> None:
    _, alive = cells.live([column("Restarts")], PODS, record(["3 (5m ago)"], {}))
    assert alive == {0: (NOW - 300, "3 ({} ago)")}


def test_restarts_without_an_age_stand_still() -> None:
    assert cells.live([column("Restarts")], PODS, record(["0"], {}))[1] == {}


@pytest.mark.parametrize(
    ("event", "last", "first"),
    [
        ({"firstTimestamp": -600, "lastTimestamp": -60}, -60, -600),
        ({"firstTimestamp": -600}, -600, -600),
        ({"eventTime": -30}, -30, -30),
        ({"eventTime": -600, "series": {"lastObservedTime": -5}}, -5, -600),
        ({"deprecatedFirstTimestamp": -600, "deprecatedLastTimestamp": -60}, -60, -600),
    ],
)
def test_events(event: dict[str, Any], last: float, first: float) -> None:
    def stamped(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: stamped(inner) for key, inner in value.items()}
        return stamp(NOW + value)

    from notebook_mux.ages import human_duration

    columns = [column("Last Seen"), column("Type"), column("First Seen")]
    printed = [human_duration(-last), "Normal", human_duration(-first)]
    for group in ("", "events.k8s.io"):
        _, alive = cells.live(columns, resource(group, "events"), record(printed, stamped(event)))
        assert alive == {0: (NOW + last, "{}"), 2: (NOW + first, "{}")}


def test_cron_jobs() -> None:
    content = {"status": {"lastScheduleTime": stamp(NOW - 37)}}
    columns, kind = [column("Schedule"), column("Last Schedule")], resource("batch", "cronjobs")
    assert cells.live(columns, kind, record(["* * * * *", "37s"], content))[1] == {1: (NOW - 37, "{}")}
    assert cells.live(columns, kind, record(["* * * * *", "<none>"], {}))[1] == {}


def test_a_running_job_counts_and_a_complete_one_does_not() -> None:
    columns, kind = [column("Duration")], resource("batch", "jobs")
    running = {"status": {"startTime": stamp(NOW - 45)}}
    complete = {"status": {"startTime": stamp(NOW - 45), "completionTime": stamp(NOW - 25)}}
    assert cells.live(columns, kind, record(["45s"], running))[1] == {0: (NOW - 45, "{}")}
    assert cells.live(columns, kind, record(["20s"], complete))[1] == {}
    assert cells.live(columns, kind, record([""], {}))[1] == {}


def test_date_columns_of_custom_resources() -> None:
    kind = resource("example.com", "things")
    content = {"status": {"lastRun": stamp(NOW - 65)}}
    by_path = [column("Last Run", "date", jsonPath=".status.lastRun")]
    assert cells.live(by_path, kind, record(["65s"], content))[1] == {0: (NOW - 65, "{}")}
    by_text = [column("Last Run", "date"), column("Age", "date")]
    assert cells.live(by_text, kind, record(["3d4h", "5m"], content))[1] == {
        0: (NOW - 76 * HOUR, "{}"),
        1: (NOW - 300, "{}"),
    }
    assert cells.live(by_path, kind, record([None], content)) == ([None], {})
    bad = [column("Last Run", "date", jsonPath="{range")]
    assert cells.live(bad, kind, record(["65s"], content))[1] == {0: (NOW - 65, "{}")}


def test_created_at_is_a_time_and_no_age() -> None:
    columns = [column("Name", format="name"), column("Created At", "date")]
    printed = ["web-0", "2026-11-24T10:00:00Z"]
    assert cells.live(columns, resource("rbac.authorization.k8s.io", "roles"), record(printed)) == (printed, {})


def test_a_server_without_tables_gets_our_columns() -> None:
    plain = Record("u", "ns", "web-0", "7", stamp(NOW - 300), NOW, b"[]", b"{}")
    assert cells.effective([]) == cells.DEFAULT_COLUMNS
    shown, alive = cells.live([], PODS, plain)
    assert (shown[0], alive) == ("web-0", {1: (NOW - 300, "{}")})
    # one cluster makes tables and another does not
    shown, alive = cells.live(POD_COLUMNS, PODS, plain)
    assert shown == ["web-0", None, None, None, "<unknown>", None, None]
    assert alive == {4: (NOW - 300, "{}")}


def test_a_row_that_is_too_long_is_cut() -> None:
    """A custom kind's columns were fewer again: its rows are printed anew one by one."""
    printed, alive = cells.live([column("Name")], None, record(["web", "5m", "more"]))
    assert (printed, alive) == (["web"], {})


def test_a_row_that_is_too_short_is_filled() -> None:
    shown, _ = cells.live(POD_COLUMNS, PODS, record(["web-0", "1/1"]))
    assert shown == ["web-0", "1/1", None, None, None, None, None]


@pytest.mark.parametrize(
    ("cell", "text"),
    [(None, ""), (True, "true"), (3, "3"), ("x", "x"), ([1, {"a": None}], '[1,{"a":null}]'), (1.5, "1.5")],
)
def test_cells_print(cell: Any, text: str) -> None:
    assert cells.text(cell) == text


def test_objects_that_cannot_be_read_do_no_harm() -> None:
    broken = record(["3 (5m ago)"])
    broken.object = b"{"
    assert cells.live([column("Restarts")], PODS, broken) == (["3 (5m ago)"], {})
    broken.cells = b'["\\ud800"]'  # half a character
    assert cells.live([column("Name")], PODS, broken) == ([broken.name], {})
