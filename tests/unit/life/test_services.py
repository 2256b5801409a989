from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.life import ask, files, locks, process, runtime, services
from notebook_mux.life.name import ServiceName
from notebook_mux.life.runtime import Entry

NAME = ServiceName("gateway")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(ask, "proves", lambda entry: entry.token == "true")
    return tmp_path / "run"


def write(name: ServiceName = NAME, **changes: Any) -> Entry:
    key = name.key() | changes.pop("key", {})
    entry = replace(Entry(key, os.getpid(), "1", 1.0, 1, "true", "i", "v", {}), **changes)
    files.write_private(name.runtime_file(), entry.dump())
    return entry


def states() -> list[tuple[str, str]]:
    return [(service.kind, service.state) for service in services.listing()]


def test_nothing_is_listed_and_nothing_made(folder: Path) -> None:
    assert services.listing() == []
    assert not folder.exists()


def test_what_proves_itself_runs() -> None:
    with locks.FileLock(NAME.lock_file()) as lock:
        lock.acquire()
        write()
        assert states() == [("gateway", "running")]
        write(token="false")
        assert states() == [("gateway", "silent")]
        NAME.runtime_file().unlink()
        assert states() == [("gateway", "starting")]
    assert states() == []


def test_a_file_that_nobody_holds_is_stale_and_cleaned() -> None:
    write()
    found = services.listing()
    assert [service.state for service in found] == ["stale"]
    assert services.stop(found) == {found[0].path: "cleaned"}
    assert services.listing() == []


def test_so_is_one_that_makes_no_sense(folder: Path) -> None:
    files.write_private(NAME.runtime_file(), b"rubbish")
    services.stop(services.listing())
    assert list(folder.iterdir()) == []


def test_a_stale_file_whose_service_just_starts_is_left() -> None:
    write()
    found = services.listing()
    with locks.FileLock(NAME.lock_file()) as lock:
        lock.acquire()
        assert services.stop(found) == {found[0].path: "left"}
        assert NAME.runtime_file().exists()


@pytest.mark.parametrize(
    ("key", "held", "state"),
    [
        ({"host": "other"}, False, "elsewhere"),
        ({"host": "other"}, True, "elsewhere"),
        ({"network": "other"}, True, "elsewhere"),
        ({"boot": "before"}, False, "stale"),
    ],
)
def test_what_is_of_another_machine_container_or_boot(key: dict[str, str], held: bool, state: str) -> None:
    write(key=key)
    with locks.FileLock(NAME.lock_file()) as lock:
        if held:
            lock.acquire()
        found = services.listing()
        assert [service.state for service in found] == [state]
        assert services.status_of(found[0]) == {}
        if state == "elsewhere":
            assert services.stop(found) == {found[0].path: "left"}


def test_only_one_kind_and_the_oldest_first() -> None:
    write(ServiceName("playground"), since=1.0)
    write(NAME, since=3.0)
    write(ServiceName("gateway", "b"), since=2.0)
    assert [kind for kind, _ in states()] == ["playground", "gateway", "gateway"]
    assert [service.entry.since for service in services.listing("gateway") if service.entry] == [2.0, 3.0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, b'{"clients": 1}'), {"clients": 1}),
        ((200, b"[1]"), {}),
        ((200, b"{"), {}),
        ((401, b"{}"), {}),
        (OSError("gone"), {}),
    ],
)
def test_what_a_service_says_of_itself(answer: Any, said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def get(port: int, path: str, *, headers: dict[str, str], timeout: float) -> tuple[int, bytes]:
        assert (path, headers) == ("/status", {"Authorization": "Bearer true"})
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(ask, "get", get)
    service = services.Service("gateway", "running", write(), NAME.runtime_file().with_suffix(""))
    assert services.status_of(service) == said


def test_a_token_is_not_sent_to_what_did_not_prove_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "get", lambda *a, **k: pytest.fail("asked"))
    service = services.Service("gateway", "silent", write(), NAME.runtime_file().with_suffix(""))
    assert services.status_of(service) == {}


@pytest.mark.parametrize(
    ("state", "mark", "signalled"),
    [
        *(("running", "mine", True), ("running", "", True), ("running", "other", False)),
        *(("silent", "mine", True), ("silent", "", False), ("elsewhere", "mine", False), ("starting", "mine", False)),
    ],
)
def test_only_a_process_beyond_doubt_is_signalled(
    state: str, mark: str, signalled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append(pid))
    monkeypatch.setattr(process, "start_mark", lambda pid: "mine")
    monkeypatch.setattr(process, "is_alive", lambda pid, mark="": False)
    entry = write(pid=4242, started=mark)
    outcome = services.stop([services.Service("gateway", state, entry, NAME.runtime_file().with_suffix(""))], grace=60)
    assert list(outcome.values()) == ["stopped" if signalled else "left"]
    assert sent == ([4242] if signalled else [])


def test_a_lock_file_alone_that_nobody_holds_is_nothing() -> None:
    NAME.lock_file().touch()
    assert services.listing() == []
    assert runtime.read(NAME.runtime_file()) is None
