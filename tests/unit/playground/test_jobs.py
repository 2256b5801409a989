"""Jobs and cron jobs on the playground's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers import job_rules, schedules
from notebook_mux.playground.controllers.jobs import KIND, TRACKING, finished_at
from notebook_mux.playground.controllers.parts import begin_deletion
from tests.unit.playground.lives import Json, condition, container, created, events, now, reasons, row, until
from tests.unit.playground.worlds import world

CRON = "cronjobs.batch"
GOOD, BAD = ["sh", "-c", "sleep 2"], ["sh", "-c", "sleep 2; exit 3"]


@pytest.fixture
def cluster() -> Cluster:
    return world(nodes=1)


def template(*command: str, policy: str = "Never", annotations: Json | None = None) -> Json:
    main = container("main", "busybox", command=list(command or GOOD))
    return {"metadata": {"annotations": annotations or {}}, "spec": {"containers": [main], "restartPolicy": policy}}


def job(cluster: Cluster, *command: str, name: str = "one", policy: str = "Never", **spec: Any) -> None:
    created(cluster, {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": name, "namespace": "default"},
                      "spec": {"template": template(*command, policy=policy), **spec}})  # fmt: skip


def mine(cluster: Cluster, name: str = "one") -> list[Json]:
    found = [one.decode() for one in cluster.store.items("pods", "default")]
    return [one for one in found if one["metadata"]["labels"].get("job-name") == name]


def status(cluster: Cluster, name: str = "one") -> Json:
    found: Json = now(cluster, name, KIND).get("status") or {}
    return found


def ended(cluster: Cluster, name: str = "one", seconds: float = 200) -> Json:
    until(cluster, lambda: finished_at(now(cluster, name, KIND)), seconds)
    return status(cluster, name)


def kinds(found: Json) -> list[tuple[str, str]]:
    return [(one["type"], one["reason"]) for one in found["conditions"]]


def test_so_many_completions_so_many_at_once(cluster: Cluster):
    job(cluster, completions=5, parallelism=2)
    most = 0
    while not finished_at(now(cluster, "one", KIND)):
        cluster.agenda.step(0.25)
        found = status(cluster)
        most = max(most, found.get("active", 0))
        assert all(
            TRACKING in one["metadata"]["finalizers"] for one in mine(cluster) if one["status"]["phase"] == "Running"
        )
    found = status(cluster)
    assert (most, found["succeeded"], found["ready"], found["terminating"], "active" in found) == (2, 5, 0, 0, False)
    assert kinds(found) == [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")]
    assert found["completionTime"] == condition(now(cluster, "one", KIND), "Complete")["lastTransitionTime"]
    assert row(cluster, now(cluster, "one", KIND), KIND)[1:3] == ["Complete", "5/5"]
    assert all("finalizers" not in one["metadata"] for one in mine(cluster))
    assert reasons(cluster) == ["SuccessfulCreate"] * 5 + ["Completed"]
    assert now(cluster, "one", KIND)["spec"]["podReplacementPolicy"] == "TerminatingOrFailed"


def test_failures_wait_longer_and_longer_until_the_limit(cluster: Cluster):
    job(cluster, *BAD, backoffLimit=3)
    begun: dict[str, float] = {}
    while not finished_at(now(cluster, "one", KIND)):
        cluster.agenda.step(0.25)
        for one in mine(cluster):
            begun.setdefault(one["metadata"]["name"], cluster.agenda.now())
    times = list(begun.values())
    assert [b - a > wait for a, b, wait in zip(times, times[1:], (10, 20, 40), strict=False)] == [True] * 3
    found = status(cluster)
    assert found["failed"] == 4
    assert kinds(found) == [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")]
    assert ("Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit") in events(cluster)


def test_containers_that_are_started_again_count_as_failures(cluster: Cluster):
    job(cluster, *BAD, policy="OnFailure", backoffLimit=2)
    found = ended(cluster)
    assert kinds(found)[-1] == ("Failed", "BackoffLimitExceeded")
    assert mine(cluster) == []


def test_indexes(cluster: Cluster):
    job(cluster, completions=4, parallelism=4, completionMode="Indexed")
    cluster.agenda.step(3)
    found = sorted(mine(cluster), key=lambda one: str(one["metadata"]["name"]))
    assert [one["metadata"]["annotations"][job_rules.INDEX] for one in found] == list("0123")
    assert [one["spec"]["hostname"] for one in found] == [f"one-{number}" for number in range(4)]
    assert found[2]["metadata"]["name"].startswith("one-2-")
    assert found[0]["spec"]["containers"][0]["env"][-1]["name"] == "JOB_COMPLETION_INDEX"
    assert ended(cluster)["completedIndexes"] == "0-3"


def test_limits_of_single_indexes(cluster: Cluster):
    job(cluster, *BAD, completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=1)
    found = ended(cluster)
    assert (found["failedIndexes"], found["failed"]) == ("0,1", 4)
    assert kinds(found)[-1] == ("Failed", "FailedIndexes")


def test_a_policy_for_success(cluster: Cluster):
    job(cluster, completions=3, parallelism=1, completionMode="Indexed",
        successPolicy={"rules": [{"succeededIndexes": "0"}]})  # fmt: skip
    found = ended(cluster)
    assert kinds(found) == [("SuccessCriteriaMet", "SuccessPolicy"), ("Complete", "SuccessPolicy")]
    assert found["completedIndexes"] == "0"


@pytest.mark.parametrize(
    ("action", "reason", "failed"),
    [("FailJob", "PodFailurePolicy", 1), ("Ignore", "", None), ("Count", "BackoffLimitExceeded", 1)],
)
def test_policies_for_failures(cluster: Cluster, action: str, reason: str, failed: int | None):
    rule = {"action": action, "onExitCodes": {"operator": "In", "values": [3]}}
    job(cluster, *BAD, backoffLimit=0, podFailurePolicy={"rules": [rule]})
    if not reason:
        cluster.agenda.step(60)
        assert not finished_at(now(cluster, "one", KIND))
        assert len(mine(cluster)) > 2
        return
    found = ended(cluster)
    assert (kinds(found)[-1], found["failed"]) == (("Failed", reason), failed)
    if action == "FailJob":
        assert "failed with exit code 3 matching FailJob rule at index 0" in found["conditions"][0]["message"]


def test_suspended_and_resumed(cluster: Cluster):
    job(cluster, suspend=True)
    cluster.agenda.step(3)
    assert mine(cluster) == []
    assert "startTime" not in status(cluster)
    assert row(cluster, now(cluster, "one", KIND), KIND)[1] == "Suspended"
    cluster.update(KIND, "default", "one", lambda one: one["spec"].update(suspend=False))
    cluster.agenda.step(2)
    cluster.update(KIND, "default", "one", lambda one: one["spec"].update(suspend=True))
    cluster.agenda.step(6)
    assert mine(cluster) == []
    assert status(cluster).get("failed", 0) == 0  # a pod that it deletes itself is no failure
    cluster.update(KIND, "default", "one", lambda one: one["spec"].update(suspend=False))
    ended(cluster)
    assert {"Suspended", "Resumed"} <= set(reasons(cluster))


def test_a_deadline(cluster: Cluster):
    job(cluster, "sh", "-c", "sleep 100", activeDeadlineSeconds=10)
    found = ended(cluster)
    assert kinds(found) == [("FailureTarget", "DeadlineExceeded"), ("Failed", "DeadlineExceeded")]
    until(cluster, lambda: mine(cluster) == [], 10)


def test_deleted_pods_are_failures_and_finished_ones_stay_counted(cluster: Cluster):
    job(cluster, completions=2, parallelism=1)
    until(cluster, lambda: status(cluster).get("succeeded") == 1)
    (done,) = [one for one in mine(cluster) if one["status"]["phase"] == "Succeeded"]
    cluster.remove("pods", "default", done["metadata"]["name"])
    until(cluster, lambda: any(one["status"]["phase"] == "Running" for one in mine(cluster)))
    (runs,) = [one for one in mine(cluster) if one["status"]["phase"] == "Running"]
    stored = cluster.store.get("pods", "default", runs["metadata"]["name"])
    assert stored is not None
    begin_deletion(cluster, stored)
    found = ended(cluster)
    assert (found["succeeded"], found["failed"]) == (2, 1)


def test_a_job_that_goes_takes_its_pods(cluster: Cluster):
    job(cluster, "sh", "-c", "sleep 100", parallelism=2)
    cluster.agenda.step(5)
    assert len(mine(cluster)) == 2
    cluster.remove(KIND, "default", "one")
    until(cluster, lambda: mine(cluster) == [], 15)
    job(cluster, name="two", ttlSecondsAfterFinished=5)
    ended(cluster, "two")
    cluster.agenda.step(7)
    assert cluster.get(KIND, "default", "two") is None
    until(cluster, lambda: mine(cluster, "two") == [], 5)


def test_numbers_in_short():
    assert job_rules.write_indexes([5, 1, 3, 4, 7, 8]) == "1,3-5,7,8"
    assert job_rules.read_indexes("1,3-5,9", 6) == {1, 3, 4, 5}


# ------------------------------------------------------------------------------------------------------ cron jobs


def cron(cluster: Cluster, *command: str, name: str = "tick", **spec: Any) -> None:
    created(cluster, {"kind": "CronJob", "apiVersion": "batch/v1", "metadata": {"name": name, "namespace": "default"},
                      "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template(*command)}},
                               **spec}})  # fmt: skip


def made(cluster: Cluster) -> list[Json]:
    return [one.decode() for one in cluster.store.items(KIND)]


def test_a_job_at_each_time(cluster: Cluster):
    cron(cluster, successfulJobsHistoryLimit=2)
    until(cluster, lambda: made(cluster), 61)
    (first,) = made(cluster)
    at = datetime.fromisoformat(first["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"])
    assert first["metadata"]["name"] == f"tick-{int(at.timestamp()) // 60}"
    assert [one["name"] for one in status_of(cluster)["active"]] == [first["metadata"]["name"]]
    cluster.agenda.step(300)
    assert 2 <= len(made(cluster)) <= 3
    assert {"SuccessfulCreate", "SawCompletedJob", "SuccessfulDelete"} <= set(reasons(cluster, "tick"))
    assert status_of(cluster)["lastSuccessfulTime"] > first["metadata"]["creationTimestamp"]
    cluster.update(CRON, "default", "tick", lambda one: one["spec"].update(suspend=True))
    cluster.agenda.step(30)
    last = status_of(cluster)["lastScheduleTime"]
    cluster.agenda.step(180)
    assert status_of(cluster)["lastScheduleTime"] == last


def status_of(cluster: Cluster) -> Json:
    found: Json = now(cluster, "tick", CRON).get("status") or {}
    return found


@pytest.mark.parametrize(
    ("policy", "most", "reason"),
    [("Allow", 3, "SuccessfulCreate"), ("Forbid", 1, "JobAlreadyActive"), ("Replace", 1, "SuccessfulDelete")],
)
def test_jobs_that_are_not_over_yet(cluster: Cluster, policy: str, most: int, reason: str):
    cron(cluster, "sh", "-c", "sleep 1000", concurrencyPolicy=policy)
    cluster.agenda.step(200)
    assert len([one for one in made(cluster) if not finished_at(one)]) == most
    assert len(status_of(cluster)["active"]) == most
    assert reason in reasons(cluster, "tick")


def test_failed_jobs_have_a_limit_of_their_own(cluster: Cluster):
    template_ = {"spec": {"backoffLimit": 0, "template": template(*BAD)}}
    cron(cluster, jobTemplate=template_)
    cluster.agenda.step(300)
    assert len([one for one in made(cluster) if finished_at(one)]) == 1


def test_jobs_that_are_late(cluster: Cluster):
    cron(cluster, startingDeadlineSeconds=20)
    cluster.agenda.step(61)
    before = len(made(cluster))
    last = status_of(cluster)["lastScheduleTime"]
    cluster.update(CRON, "default", "tick", lambda one: one["spec"].update(suspend=True))
    cluster.agenda.step(150)
    cluster.update(CRON, "default", "tick", lambda one: one["spec"].update(suspend=False))
    cluster.agenda.step(1)
    late = cluster.agenda.now() % 60 > 20
    assert (len(made(cluster)) == before) == late
    until(cluster, lambda: status_of(cluster)["lastScheduleTime"] > last, 61)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [({"schedule": "61 * * * *"}, "UnparseableSchedule"), ({"timeZone": "Mars/Olympus"}, "UnknownTimeZone")],
)
def test_what_cannot_be_scheduled(cluster: Cluster, spec: Json, reason: str):
    """The API refuses these; the controller says so of what was stored all the same."""
    cron(cluster)
    cluster.update(CRON, "default", "tick", lambda one: one["spec"].update(spec))
    cluster.agenda.step(70)
    assert made(cluster) == []
    assert reason in reasons(cluster, "tick")


def test_a_job_that_is_made_by_hand_belongs_to_its_cron_job(cluster: Cluster):
    cron(cluster, schedule="@yearly")
    obj = now(cluster, "tick", CRON)
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": "tick",
        "uid": obj["metadata"]["uid"],
        "controller": True,
    }
    created(cluster, {"kind": "Job", "apiVersion": "batch/v1", "spec": obj["spec"]["jobTemplate"]["spec"], "metadata": {
        "name": "by-hand", "namespace": "default", "ownerReferences": [owner],
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual"}}})  # fmt: skip
    ended(cluster, "by-hand")
    cluster.agenda.step(1)
    assert status_of(cluster)["lastSuccessfulTime"]


BERLIN, NOON = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "next_"),
    [
        ("*/15 * * * *", UTC, "2026-03-28T12:15:00+00:00"),
        ("0 12 * * *", UTC, "2026-03-29T12:00:00+00:00"),
        ("0 9 * * MON-FRI", UTC, "2026-03-30T09:00:00+00:00"),
        ("30 6 1 jan,Jul ?", UTC, "2026-07-01T06:30:00+00:00"),
        ("0 0 13 * 5", UTC, "2026-04-03T00:00:00+00:00"),  # the 13th or a Friday
        ("@weekly", UTC, "2026-03-29T00:00:00+00:00"),
        ("@every 90m", UTC, "2026-03-28T13:30:00+00:00"),
        ("0 8 * * *", BERLIN, "2026-03-29T08:00:00+02:00"),  # summer time began at two
        ("30 2 * * *", BERLIN, "2026-03-30T02:30:00+02:00"),  # there was no half past two that day
        ("0 0 31 2 *", UTC, None),
    ],
)
def test_times(text: str, zone: Any, next_: str | None):
    found = schedules.parse(text).after(NOON.timestamp(), zone)
    assert (None if found is None else datetime.fromtimestamp(found, zone).isoformat()) == next_


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("@often", "unrecognized descriptor: @often"),
    ],
)
def test_schedules_that_are_none(text: str, said: str):
    with pytest.raises(schedules.BadSchedule) as refused:
        schedules.parse(text)
    assert str(refused.value) == said
