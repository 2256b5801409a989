"""Logs as a user reads them, over a core that tests write."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import stat
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

import notebook_mux as nm
from notebook_mux import aio, errors
from notebook_mux.handles import log_source, logs as module, managers
from notebook_mux.handles.log_lines import Line
from notebook_mux.handles.logs import Logs
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.waiting import awaiting, forbid_here
from tests import waiting
from tests.unit.handles.logs_core import BEGAN, CUT, FakeLogs, LogsCore

eventually = partial(waiting.eventually, seconds=20)


# --- reading --------------------------------------------------------------------------------------------------------


def test_lines_by_time(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.one.source("web-1", "side")
    core.one.write("early", source=1, at=0.5, level=5)
    core.one.write("same", source=1, at=1.0)
    core.one.mark("restarted", "main was restarted", at=1.5)
    core.one.write(b"\xffcut", at=2.000000001, flags=CUT)
    assert [line.text for line in logs.lines] == ["early", "one", "two", "same", "main was restarted", "\ufffdcut"]
    assert list(logs) == list(logs.lines)
    assert len(logs) == 6
    first, *_, mark, last = logs.lines
    assert first == Line(BEGAN + 500_000_000, "dev", "default", "web-1", "side", "error", "early", "", 3)
    assert (mark.mark, last.cut, last.mark) == ("restarted", True, "")
    assert last.stamp == "2023-11-14T22:13:22.000000001Z"
    assert last.time == datetime(2023, 11, 14, 22, 13, 22, tzinfo=UTC)
    with pytest.raises(AttributeError):
        last.text = "x"  # type: ignore[misc]


def test_more_lines_than_one_reading(core: LogsCore, m: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = m.logs("web-0")
    core.one.write(*(str(number) for number in range(20_000)), at=2)
    assert [line.number for line in logs.lines] == list(range(1, 20_003))
    assert [line.text for line in logs._source.lines(3)] == ["19997", "19998", "19999"]
    assert logs._source.lines(0) == []
    core.one.drop(10_000)
    assert (len(logs), logs.dropped, logs.lines[0].number) == (10_002, 10_000, 10_001)


def test_how_containers_stand(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    assert (logs.state, logs.reason) == ("live", "1 container: 1 live")
    core.one.source("web-1", state="waiting", reason="ImagePullBackOff", said="back-off", retry_at=1_700_000_060.0)
    second = logs.sources[1]
    assert (second.pod, second.state, second.reason, second.said) == (
        "web-1",
        "waiting",
        "ImagePullBackOff",
        "back-off",
    )
    assert second.retry_at == datetime(2023, 11, 14, 22, 14, 20, tzinfo=UTC)
    assert logs.reason == "2 containers: 1 live, 1 waiting (ImagePullBackOff)"
    for number in range(3):
        core.one.source(f"web-{number}", state="failed", reason=f"no {number} " + "x" * 100)
    assert logs.reason.endswith(
        f"1 waiting (ImagePullBackOff), 3 failed (no 0 {'x' * 74}…; no 1 {'x' * 74}…; 1 more reasons)"
    )
    del core.one.sources[2:]
    core.one.sources[0]["state"] = "ended"
    assert logs.state == "waiting"
    core.one.sources[1]["state"] = "gone"
    assert logs.state == "ended"
    core.one.left_out = ["web-7"]
    assert logs.left_out == ("web-7",)
    assert "1 more pod left out" in repr(logs)


def test_a_frame(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.one.source("web-1", "side")
    core.one.write("early", source=1, at=0.123456789, level=4)
    core.one.mark("gap", "lines are missing", at=3.0)
    frame = logs.df()
    assert list(frame.columns) == ["time", "cluster", "namespace", "pod", "container", "level", "text"]
    assert frame["text"].tolist() == ["early", "one", "two"]
    assert frame["pod"].tolist() == ["web-1", "web-0", "web-0"]
    assert str(frame["time"].dtype) == "datetime64[ns, UTC]"
    assert frame["time"][0].nanosecond == 789
    assert frame["level"].tolist()[0] == "warning"
    assert frame["level"].isna().tolist() == [False, True, True]
    assert (frame["level"] >= "warning").tolist() == [True, False, False]
    marked = logs.df(marks=True)
    assert marked["mark"].tolist() == ["", "", "", "gap"]
    assert marked["text"].tolist()[-1] == "lines are missing"
    core.one.drop(4)
    assert logs.df().empty
    assert str(logs.df()["time"].dtype) == "datetime64[ns, UTC]"
    assert list(logs.df(fields=True).columns) == list(frame.columns)


def test_fields_as_columns(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.one.write('{"level":"warn","status":200,"http":{"path":"/x","ok":true},"tags":["a"]}', at=2)
    core.one.write('level=info status=404 msg="two words" took=1.5', at=3)
    core.one.write("status=500 said so", at=4)
    core.one.mark("gap", '{"status": 1}', at=5)
    frame = logs.df(fields=True, marks=True)
    assert frame["field_level"].tolist()[2:4] == ["warn", "info"]
    assert frame["status"].dtype == "Int64"
    assert frame["status"].dropna().tolist() == [200, 404]
    assert frame["http.ok"].dropna().tolist() == [True]
    assert frame["http.path"].dropna().tolist() == ["/x"]
    assert frame["took"].dropna().tolist() == [1.5]
    assert frame["msg"].dropna().tolist() == ["two words"]
    assert frame["tags"].dropna().tolist() == [["a"]]
    assert logs.lines[3].fields == {"level": "info", "status": 404, "msg": "two words", "took": 1.5}
    core.one.write(*(json.dumps({f"n{number}": 1}) for number in range(300)), at=6)
    wide = logs.df(fields=True)
    assert wide.attrs["fields_left_out"] > 0
    assert len(wide.columns) == 7 + 200


# --- text and files -------------------------------------------------------------------------------------------------


def test_text(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.one.write("\x1b[31mred\x1b[0m \u202eevil password=\x1b[1mhunter2", at=2)
    core.one.mark("ended", "main has ended", at=3)
    assert logs.text().splitlines() == [
        "2023-11-14T22:13:21.000000000Z web-0 one",
        "2023-11-14T22:13:21.000000000Z web-0 two",
        "2023-11-14T22:13:22.000000000Z web-0 red <U+202E>evil password=<masked>",
        "2023-11-14T22:13:23.000000000Z web-0 --- main has ended ---",
    ]
    assert "hunter2" in logs.text(masked=False)
    assert logs.text(last=1).endswith("--- main has ended ---")
    core.one.source("web-0", "side")
    core.one.write("x", source=1, at=4)
    assert logs.text().splitlines()[-1] == "2023-11-14T22:13:24.000000000Z web-0/side x"


def test_a_file(core: LogsCore, m: Manager, tmp_path: Path) -> None:
    logs = m.logs("web-0")
    core.one.write("token=abc \x1b[31m", at=2, level=3)
    path = logs.save(tmp_path / "logs.txt")
    assert path.read_text().splitlines()[-1] == "2023-11-14T22:13:22.000000000Z web-0 token=<masked> "
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    logs.save(str(path), masked=False)
    assert path.read_text().splitlines()[-1].endswith("token=abc ")
    lines = logs.save(tmp_path / "logs.jsonl", masked=False).read_text().splitlines()
    assert json.loads(lines[-1]) == {
        "time": "2023-11-14T22:13:22.000000000Z",
        "cluster": "dev",
        "namespace": "default",
        "pod": "web-0",
        "container": "main",
        "level": "info",
        "text": "token=abc \x1b[31m",
    }
    assert sorted(one.name for one in tmp_path.iterdir()) == ["logs.jsonl", "logs.txt"]
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / f".logs.txt.{os.getpid()}.part").symlink_to(other)  # somebody who knows the name that is written first
    logs.save(path)
    assert other.read_text() == "kept"
    with pytest.raises(errors.InvalidArgument, match="cannot be written"):
        logs.save(tmp_path / "no" / "logs.txt")


# --- in a notebook --------------------------------------------------------------------------------------------------


@pytest.fixture
def static(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under nbclient: a copy and no live view."""
    monkeypatch.setenv("NOTEBOOK_MUX_STATIC", "1")


def test_a_copy_with_secrets_masked(core: LogsCore, m: Manager, static: None) -> None:
    logs = m.logs("web-0")
    core.one.write("password=hunter2 <script>", at=2, level=5)
    shown = logs._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert "password=&lt;masked&gt; &lt;script&gt;" in shown["text/html"]
    assert "pod web-0 in default" in shown["text/html"]
    assert not any(secret in str(shown) for secret in ("hunter2", "<script>"))
    logs.masked = False
    assert "hunter2" in logs._repr_mimebundle_()["text/html"]
    again = m.logs("web-0")
    assert not again.masked
    assert again._view_of() is logs._view_of()
    assert "hunter2" in logs.text()
    logs.masked = True
    assert "hunter2" not in logs.text()


def test_a_closed_one_shows_its_word(core: LogsCore, m: Manager, static: None) -> None:
    logs = m.logs("web-0")
    view = logs._view_of()
    m.close()
    assert view.closed
    assert logs._repr_mimebundle_() == {"text/plain": repr(logs)}
    with pytest.raises(NotImplementedError):
        logs._ipython_display_()


def test_another_handle_has_the_same_view(core: LogsCore, m: Manager, static: None) -> None:
    logs = m.logs("web-0")
    view = logs._view_of()
    del logs
    gc.collect()
    again = m.logs("web-0")
    assert again._view_of() is view
    assert len(core.asked("open_logs")) == 1


# --- waiting --------------------------------------------------------------------------------------------------------


def test_a_wait_for_what_is_there(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    assert logs.wait("t.o").text == "two"
    assert logs.wait(re.compile("ONE", re.IGNORECASE), timeout=0).text == "one"


def test_a_wait_for_what_comes(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.one.mark("gap", "ready", at=1.5)
    writing = threading.Timer(0.05, lambda: core.one.write("not yet", "now ready", at=2))
    writing.start()
    assert logs.wait("ready", timeout=20).text == "now ready"
    writing.join()
    assert len(core.one.holders) == 1
    assert not core.one.wakes


def test_a_wait_that_takes_too_long(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    core.one.write("password=hunter2", at=2)
    with pytest.raises(errors.TimedOut) as caught:
        logs.wait("ready", timeout=0.05)
    assert caught.value.what == (
        "there was no line that matches 'ready' in the logs of pod web-0 in default in 0.05 s: "
        "3 lines looked at, 1 container: 1 live"
    )
    assert caught.value.said == "the last line, 22:13:22 UTC of web-0: password=<masked>"


def test_a_wait_for_what_cannot_come(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0", follow=False)
    core.one.sources[0]["state"] = "ended"
    with pytest.raises(errors.NotFound, match="2 lines looked at, and no more will come"):
        logs.wait("ready")
    with pytest.raises(errors.InvalidArgument, match=r"no regular expression: .*\n    \(a\n    \^"):
        logs.wait("(a")
    with pytest.raises(errors.InvalidArgument, match="not a int"):
        logs.wait(3)  # type: ignore[arg-type]


def test_a_close_ends_a_wait(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    closing = threading.Timer(0.05, logs.close)
    closing.start()
    with pytest.raises(errors.Closed):
        logs.wait("ready", timeout=20)
    closing.join()


async def test_a_wait_on_a_loop(core: LogsCore, m: Manager) -> None:
    logs = await awaiting(m._logs("web-0", *(None,) * 3, 100, False, True, None, None, 50, None, None))
    waited = asyncio.create_task(aio.wait(logs, "ready", timeout=20))
    await asyncio.sleep(0)
    core.one.write("ready", at=2)
    assert (await waited).text == "ready"


# --- following ------------------------------------------------------------------------------------------------------


async def test_following(core: LogsCore, m: Manager) -> None:
    logs = await awaiting(m._logs("web-0", *(None,) * 3, 100, False, True, None, None, 50, None, None))
    seen: list[str] = []

    async def follow() -> None:
        async for line in logs:
            seen.append(line.text)  # noqa: PERF401 - one by one, as they come

    task = asyncio.create_task(follow())
    await waiting.until(lambda: seen == ["one", "two"])
    core.one.write("three", at=2)
    await waiting.until(lambda: seen[2:] == ["three"])
    logs.close()
    await task


async def test_only_what_is_new(core: LogsCore, m: Manager) -> None:
    logs = await awaiting(m._logs("web-0", *(None,) * 3, 100, False, True, None, None, 50, None, None))
    async with logs.follow(initial=False) as following:
        core.one.write("three", at=2)
        assert (await anext(following)).text == "three"
    assert len(core.one.holders) == 1
    with pytest.raises(StopAsyncIteration):
        await anext(following)


def test_a_reader_that_fell_behind_is_told(core: LogsCore, m: Manager) -> None:
    following = m.logs("web-0").follow()
    assert next(following).text == "one"
    assert next(following).text == "two"
    core.one.write("a", "b", "c", at=2)
    core.one.drop(4)
    mark = next(following)
    assert (mark.mark, mark.text) == ("bound", "2 lines were dropped before they were read")
    assert next(following).text == "c"


def test_what_does_not_follow_ends(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0", follow=False)
    core.one.sources[0]["state"] = "ended"
    assert [line.text for line in logs.follow()] == ["one", "two"]


def test_a_thread_that_waits(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    seen: list[str] = []
    with logs.follow(initial=False) as following:
        thread = threading.Thread(target=lambda: seen.extend(line.text for line in following))
        thread.start()
        core.one.write("three", at=2)
        eventually(lambda: seen == ["three"])
        logs.close()
        thread.join(20)
        assert not thread.is_alive()


def test_one_left_unused_lets_them_go(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    following = logs.follow()
    assert len(core.one.holders) == 2
    del following
    gc.collect()
    assert len(core.one.holders) == 1
    assert not core.one.wakes


def test_a_thread_that_must_not_wait(core: LogsCore, m: Manager) -> None:
    logs = m.logs("web-0")
    caught: list[type] = []

    def callback() -> None:
        forbid_here("inside a callback")
        for call in (lambda: next(logs.follow()), lambda: logs.wait("x"), lambda: m.logs("web-0")):
            try:
                call()
            except errors.WrongThread as error:
                caught.append(type(error))

    thread = threading.Thread(target=callback)
    thread.start()
    thread.join()
    assert len(caught) == 3


# --- a call that waits ----------------------------------------------------------------------------------------------


def test_first_lines_are_waited_for(core: LogsCore, m: Manager) -> None:
    def slow(logs: FakeLogs) -> None:
        threading.Timer(0.05, lambda: (logs.source(), logs.write("late"), logs.settle())).start()

    core.prepared = slow
    assert [line.text for line in m.logs("web-0").lines] == ["late"]


def test_not_for_ever(core: LogsCore, m: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE_SECONDS", 0.05)
    core.prepared = lambda logs: None
    logs = m.logs("web-0")
    assert (logs.state, logs.reason) == ("starting", "no pods yet")


def test_the_modules_function(core: LogsCore, m: Manager) -> None:
    managers.set_default(m)
    assert isinstance(nm.logs("web-0"), Logs)
    assert nm.logs("web-0") is m.logs("web-0")


async def test_awaited(core: LogsCore, m: Manager) -> None:
    managers.set_default(m)
    assert isinstance(await aio.logs("web-0"), Logs)


def test_what_a_view_needs(core: LogsCore, m: Manager) -> None:
    source = m.logs("web-0")._source
    assert isinstance(source, log_source.LogSource)
    name = source.hold("view")
    woken: list[int] = []
    undo = source.on_new(lambda: woken.append(1))
    core.one.write("three", at=2)
    assert woken
    assert source.read(2)["first"] == 3
    assert source.read(2)["store"] == core.one.id
    assert source.standing()["end"] == 4
    undo()
    source.release(name)
    source.close()
    assert source.standing()["closed"]
    with pytest.raises(errors.Closed):
        source.read(-1)
