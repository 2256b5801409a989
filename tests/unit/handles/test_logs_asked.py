"""What logs are asked for: the arguments, several clusters, and the same again."""

from __future__ import annotations

import dataclasses
import gc
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from notebook_mux import errors
from notebook_mux.handles import managers
from notebook_mux.handles.logs import Logs
from notebook_mux.handles.manager import Manager
from notebook_mux.kernel import holder
from notebook_mux.kernel.failure import Failure
from notebook_mux.widgets.table import Reference
from tests import waiting
from tests.unit.fake_core import manager
from tests.unit.handles.logs_core import FakeLogs, LogsCore, pod

eventually = partial(waiting.eventually, seconds=20)

NAMES = [
    "connection",
    "clusters",
    "namespaces",
    "names",
    "pattern",
    "selector",
    "container",
    "since",
    "tail",
    "previous",
    "follow",
    "include",
    "exclude",
    "max_pods",
    "user",
]


def asked(core: LogsCore) -> dict[str, Any]:
    """The last question that the core got."""
    return dict(zip(NAMES, core.asked("open_logs")[-1][1], strict=True))


# --- what is asked --------------------------------------------------------------------------------------------------


def test_the_question_of_a_pod(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    assert asked(core) == {
        "connection": "auto",
        "clusters": (("dev", "ref-dev", "default"),),
        "namespaces": ("default",),
        "names": ("web-0",),
        "pattern": "",
        "selector": "",
        "container": "",
        "since": "",
        "tail": 100,
        "previous": False,
        "follow": True,
        "include": "",
        "exclude": "",
        "max_pods": 50,
        "user": "user",
    }
    assert logs.title == "pod web-0 in default"
    assert repr(logs) == "<Logs of pod web-0 in default: 2 lines of 1 pod, live>"


REFERENCE = Reference("dev", "default", "web-0", "uid", "Pod")


@pytest.mark.parametrize(
    "target", ["pod/web-0", "po/web-0", REFERENCE, {"Name": "web-0", "Restarts": "0"}, pod("web-0")]
)
def test_other_words_for_a_pod(core: LogsCore, m: Manager, target: Any) -> None:
    assert m.logs(target) is m.logs("web-0")


@pytest.mark.parametrize(
    ("target", "selector", "title"),
    [
        ("deploy/web", "app=web", "deployment web in default"),
        ("svc/web", "app=web", "service web in default"),
        ("app=web", "app=web", "pods with app=web in default"),
        ({"app": "web", "tier": ["a", "b"]}, "app=web,tier in (a,b)", "pods with app=web,tier in (a,b) in default"),
    ],
)
def test_what_selects(core: LogsCore, m: Manager, target: Any, selector: str, title: str) -> None:
    logs = m.logs(target)
    assert (asked(core)["selector"], asked(core)["names"], logs.title) == (selector, (), title)


def test_a_pattern_and_a_selector(core: LogsCore, m: Manager) -> None:
    m.logs(re.compile("web-.*"))
    assert (asked(core)["pattern"], asked(core)["selector"]) == ("web-.*", "")
    logs = m.logs(re.compile("WEB", re.IGNORECASE | re.DOTALL), selector={"app": "web"})
    assert (asked(core)["pattern"], asked(core)["selector"]) == ("(?is)WEB", "app=web")
    assert logs.title == "pods like (?is)WEB and with app=web in default"
    m.logs(None, selector="app=web", namespace="*")
    assert (asked(core)["pattern"], asked(core)["namespaces"]) == ("", ("*",))
    m.logs(re.compile(""))
    assert asked(core)["pattern"] == ".*"
    m.logs("app=web", selector="tier=a")
    assert asked(core)["selector"] == "app=web,tier=a"


@pytest.mark.parametrize(
    ("container", "pattern"),
    [
        ("main", r"\A(?:main)\Z"),
        ("m.*|side", r"\A(?:m.*|side)\Z"),
        ("(?i)MAIN", r"(?i)\A(?:MAIN)\Z"),
        (re.compile("ai"), "ai"),
        (re.compile("AI", re.IGNORECASE), "(?i)AI"),
        ("setup", r"\A(?:setup)\Z"),
    ],
)
def test_containers(core: LogsCore, m: Manager, container: Any, pattern: str) -> None:
    m.logs("web-1", container=container)
    assert asked(core)["container"] == pattern
    re.compile(pattern)


@pytest.mark.parametrize(
    ("since", "seconds"),
    [
        (90, 90),
        (1.5, 1.5),
        ("90s", 90),
        ("10m", 600),
        ("2h30m", 9000),
        ("1d", 86400),
        ("1w2d", 777_600),
        ("1.5h", 5400),
        ("1500ms", 1.5),
        (timedelta(minutes=5), 300),
    ],
)
def test_since_a_while_ago(core: LogsCore, m: Manager, since: Any, seconds: float) -> None:
    before = datetime.now(UTC)
    m.logs("web-0", since=since)
    after = datetime.now(UTC)
    moment = datetime.fromisoformat(asked(core)["since"])
    assert before - timedelta(seconds=seconds + 1) <= moment <= after - timedelta(seconds=seconds)
    assert asked(core)["since"].endswith("Z")
    assert m.logs("web-0", since=since) is m.logs("web-0", since=since)
    assert len(core.asked("open_logs")) == 1


@pytest.mark.parametrize(
    ("since", "stamp"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00.999999999+02:00", "2026-01-31T10:00:00Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 7, tzinfo=UTC), "2026-01-31T12:00:00Z"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T10:00:00Z"),
    ],
)
def test_since_a_moment(core: LogsCore, m: Manager, since: Any, stamp: str) -> None:
    m.logs("web-0", since=since)
    assert asked(core)["since"] == stamp


def test_since_a_local_moment(core: LogsCore, m: Manager) -> None:
    moment = datetime(2026, 1, 31, 12)
    m.logs("web-0", since=moment)
    assert datetime.fromisoformat(asked(core)["since"]) == moment.astimezone()


def test_previous_does_not_follow(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0", previous=True, tail=None)
    assert (asked(core)["previous"], asked(core)["follow"], asked(core)["tail"]) == (True, False, -1)
    assert logs.title == "pod web-0 in default, previous"


BAD = [
    ({"target": None}, "nothing says whose logs"),
    ({"target": ("web-0",)}, "a tuple names nothing that has logs"),
    ({"target": 7}, "an? int names nothing that has logs"),
    ({"target": "/web"}, "'/web' names nothing that has logs"),
    ({"target": "node/n1"}, "node/n1 is a node"),
    ({"target": {"Name": "web", "Ready": "1/1"}}, "does not say its kind"),
    ({"target": "app=web)"}, "label selector"),
    ({"target": re.compile(b"web")}, "not compiled from bytes"),
    ({"selector": "app=web"}, "pod/web-0 and selector= exclude each other"),
    ({"selector": 3}, "a selector is a text or a dict"),
    ({"tail": -1}, "tail=-1 is no number of lines"),
    ({"tail": True}, "tail=True"),
    ({"tail": 1.5}, r"tail=1\.5"),
    ({"tail": "10"}, "tail='10'"),
    ({"max_pods": 0}, "max_pods=0"),
    ({"max_pods": None}, "max_pods=None"),
    ({"since": "yesterday"}, "since='yesterday' is no time"),
    ({"since": ""}, "since='' is no time"),
    ({"since": "10"}, "since='10' is no time"),
    ({"since": True}, "since=True is no time"),
    ({"since": float("nan")}, "since=nan is no time"),
    ({"since": 1e300}, "is no time"),
    ({"since": 10**400}, "is no time"),
    ({"since": datetime.min}, r"since=datetime.datetime\(1, 1, 1, 0, 0\) is no time"),
    ({"since": "0001-01-01T00:00:00"}, "since='0001-01-01T00:00:00' is no time"),
    ({"since": "9" * 400 + "d"}, "is no time"),
    ({"since": -3600}, "since=-3600 is still to come"),
    ({"since": "2999-01-01T00:00:00Z"}, "still to come"),
    ({"container": ""}, "container='' is no container's name"),
    ({"container": 3}, "container=3"),
    ({"container": "a("}, "container= is no regular expression: missing \\), unterminated subpattern"),
    ({"container": "nope"}, "there is no container 'nope' in pod default/web-0"),
    ({"include": "a[b"}, r"include= is no regular expression: unterminated character set\n    a\[b\n     \^"),
    ({"exclude": "*"}, r"exclude= is no regular expression: nothing to repeat\n    \*\n    \^"),
    ({"include": 3}, "include= is a regular expression, and not a int"),
    ({"namespace": "A"}, "cannot be a namespace's name"),
    ({"namespace": []}, "no namespace was named"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_what_cannot_be_asked(core: LogsCore, m: Manager, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=words) as caught:
        m.logs(**{"target": "web-0", **arguments})
    assert 1 <= len(str(caught.value).splitlines()) <= 5
    assert not core.asked("open_logs")


def test_the_containers_there_are(core: LogsCore, m: Manager) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        m.logs("web-1", container="ma")
    assert caught.value.todo == "one of: main, side, setup (init)"


def test_no_such_container_in_a_workload(core: LogsCore, m: Manager) -> None:
    def no_sources(logs: FakeLogs) -> None:
        logs.pods = 2
        logs.settle()

    core.prepared = no_sources
    with pytest.raises(
        errors.InvalidArgument, match="no container 'nope' in pods default/web-0, default/web-1"
    ) as caught:
        m.logs("deploy/web", container="nope")
    assert caught.value.todo == "one of: main, side, setup (init)"
    assert not core.logs


def test_what_is_not_there(core: LogsCore, m: Manager) -> None:
    with pytest.raises(errors.NotFound, match="there is no pod 'web-00'") as caught:
        m.logs("web-00")
    assert "web-0" in (caught.value.todo or "")
    with pytest.raises(errors.UnknownKind):
        m.logs("boat/one")
    with pytest.raises(errors.UnknownContext):
        m.logs("web-0", cluster="nope")
    for target in ("svc/far", "cronjob/tidy"):
        with pytest.raises(errors.InvalidArgument, match=f"{target} selects no pods"):
            m.logs(target)


def test_no_pods(core: LogsCore, m: Manager) -> None:
    core.prepared = FakeLogs.settle
    logs = m.logs("deploy/web")
    assert (logs.state, logs.reason, len(logs)) == ("waiting", "no pods yet", 0)
    assert repr(logs) == "<Logs of deployment web in default: 0 lines of 0 pods, waiting (no pods yet)>"
    with pytest.raises(errors.NotFound, match="there are no pods: deployment web in default"):
        m.logs("deploy/web", follow=False)


def test_forbidden(core: LogsCore, m: Manager) -> None:
    def forbidden(logs: FakeLogs) -> None:
        logs.problem = {"code": "forbidden", "what": "you may not list pods", "said": "no", "todo": "ask"}
        logs.settle()

    core.prepared = forbidden
    with pytest.raises(errors.Forbidden, match="you may not list pods") as caught:
        m.logs("app=web")
    assert (caught.value.said, caught.value.todo) == ("no", "ask")
    assert not core.logs


# --- several clusters -----------------------------------------------------------------------------------------------


def test_a_pod_of_one_of_two_clusters(core: LogsCore) -> None:
    both = manager(core, "a", "b")
    core.answer = lambda ref, path, query: core._answer(ref, path, query) if ref == "ref-b" else (404, b"{}")
    logs = both.logs("web-0")
    assert asked(core)["clusters"] == (("b", "ref-b", "default"),)
    assert logs.title == "pod web-0 in default of b"


def test_a_pod_of_two_clusters_is_shown_twice(core: LogsCore) -> None:
    logs = manager(core, "a", "b").logs("web-0")
    assert [cluster[0] for cluster in asked(core)["clusters"]] == ["a", "b"]
    assert logs.title == "pod web-0 in default of a, b"
    assert manager(core, "a", "b").logs("web-0", cluster="a") is not logs


def test_a_pod_in_two_namespaces(core: LogsCore, m: Manager) -> None:
    m.logs("web-0", namespace=["default", "shop"])
    assert (asked(core)["namespaces"], asked(core)["names"]) == (("default", "shop"), ("web-0",))


def test_a_cluster_that_is_away_may_still_have_the_pod(core: LogsCore) -> None:
    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        if ref == "ref-b":
            raise Failure("unreachable", "b does not answer")
        return core._answer(ref, path, query)

    core.answer = answer
    manager(core, "a", "b").logs("web-0")
    assert [cluster[0] for cluster in asked(core)["clusters"]] == ["a", "b"]


def test_a_workload_that_selects_otherwise_elsewhere(core: LogsCore) -> None:
    other = {"selector": {"app": "other"}}

    def answer(ref: str, path: str, query: str) -> tuple[int, bytes]:
        core.owners["services/web"] = other if ref == "ref-b" else {"selector": {"app": "web"}}
        return core._answer(ref, path, query)

    core.answer = answer
    with pytest.raises(errors.Ambiguous, match="other labels"):
        manager(core, "a", "b").logs("svc/web")


# --- the same again -------------------------------------------------------------------------------------------------


def test_the_same_arguments_give_the_same(core: LogsCore, m: Manager) -> None:
    logs = m.logs("deploy/web", since="10m", include="x")
    assert m.logs("deployment/web", since="10m", include=re.compile("x")) is logs
    others: list[dict[str, Any]] = [
        {"since": "11m"},
        {"tail": 5},
        {"include": "y"},
        {"follow": False},
        {"container": "main"},
    ]
    for other in others:
        assert m.logs("deploy/web", **{"since": "10m", "include": "x", **other}) is not logs
    logs.close()
    logs.close()
    assert logs.closed
    assert logs.state == "closed"
    assert m.logs("deploy/web", since="10m", include="x") is not logs
    assert repr(logs) == "<Logs of deployment web in default: 2 lines of 1 pod, closed>"


def test_what_has_gone_is_still_found(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.pods = []
    assert m.logs("web-0") is logs
    logs.close()
    with pytest.raises(errors.NotFound):
        m.logs("web-0")


def test_what_has_gone_is_not_found_on_another_connection(core: LogsCore, m: Manager) -> None:
    m.logs("web-0")
    core.pods = []
    core.open.add("other")
    other = managers.get(dataclasses.replace(m._identity, connection="other"))
    other._closed = False
    with pytest.raises(errors.NotFound):
        other.logs("web-0")


def test_nobody_has_it_any_more(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    assert len(core.one.holders) == 1
    del logs
    gc.collect()
    assert not core.one.holders
    core.linger_logs()
    assert len(m.logs("web-0").lines) == 2
    assert len(core.asked("open_logs")) == 2


def test_what_only_out_has_is_let_go_and_comes_back(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    logs._keep(False)
    core.linger_logs()
    assert not core.logs
    assert len(logs.lines) == 2
    assert not logs.closed


def test_a_result_that_only_out_has_is_let_go(
    core: LogsCore, m: Manager, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Logs, "_ipython_display_", lambda logs: None)  # no widget is made
    shell.user_ns["m"] = m
    for _ in range(3):
        shell.run_cell("m.logs('web-0')", store_history=True).raise_error()
    gc.collect()
    assert core.one.holders == set()
    shell.run_cell(f"logs = Out[{shell.execution_count - 1}]", store_history=True).raise_error()
    assert len(core.one.holders) == 1
    assert shell.user_ns["logs"] is m.logs("web-0")
    assert len(core.asked("open_logs")) == 1


def test_one_that_others_have_closed(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.close_logs(core.one.id)  # an earlier import's close()
    with pytest.raises(errors.Closed, match="the logs of pod web-0 in default were closed"):
        logs.lines  # noqa: B018
    assert logs.closed
    assert m.logs("web-0") is not logs


def test_the_managers_close_ends_them(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    m.close()
    assert logs.closed
    assert not core.logs
    with pytest.raises(errors.Closed):
        logs.df()


def test_as_a_context(core: LogsCore, m: Manager) -> None:
    with m.logs("web-0") as logs:
        assert not logs.closed
    assert logs.closed


def test_what_a_forked_child_has_inherited(core: LogsCore, m: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = m.logs("web-0")
    child = LogsCore()
    child.logs = dict(core.logs)  # as the core's `inherit`
    child.open = set(core.open)
    core.pid += 1
    monkeypatch.setattr(holder, "core", lambda: child)
    assert [line.text for line in logs.lines] == ["one", "two"]
    assert len(logs) == 2
    assert not child.calls
    child.logs.clear()
    assert len(logs.lines) == 2  # read anew
    assert child.asked("open_logs")
