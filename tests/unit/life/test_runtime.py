from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from notebook_mux.life import files, locks, proof, runtime
from notebook_mux.life.name import ServiceName
from notebook_mux.life.redact import redact
from notebook_mux.life.runtime import AlreadyRunning, Entry, Tenure

NAME = ServiceName("gateway")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(runtime, "START_WAIT_S", 0.0)
    return tmp_path / "run"


def test_a_tenure_publishes_and_tidies_up(folder: Path) -> None:
    with Tenure(NAME) as tenure:
        assert runtime.read(NAME.runtime_file()) is None
        tenure.publish(8123, {"a": [1]})
        entry = runtime.read(NAME.runtime_file())
        assert entry is not None
        assert (entry.port, entry.token, entry.instance) == (8123, tenure.token, tenure.instance)
        assert (entry.pid, entry.key, entry.extra) == (os.getpid(), NAME.key(), {"a": [1]})
        assert tenure.token not in repr(entry)
    assert list(folder.iterdir()) == []


def test_a_second_tenure_is_refused() -> None:
    with Tenure(NAME) as first:
        first.publish(8123)
        with pytest.raises(AlreadyRunning, match=rf"already running \(process {os.getpid()}\)"), Tenure(NAME):
            pass
        with Tenure(ServiceName("gateway", "other")):
            pass
    with Tenure(NAME):
        pass


def test_a_new_tenure_removes_a_dead_ones_file() -> None:
    files.write_private(NAME.runtime_file(), b"rubbish")
    with Tenure(NAME):
        assert not NAME.runtime_file().exists()


def test_two_tenures_have_nothing_secret_in_common() -> None:
    one, two = Tenure(NAME), Tenure(NAME)
    assert one.token != two.token
    assert one.instance != two.instance


def test_an_unregistered_tenure_touches_nothing(tmp_path: Path) -> None:
    with Tenure(NAME), Tenure(NAME, register=False) as tenure:
        tenure.publish(8123)
        assert not NAME.runtime_file().exists()
        assert tenure.answer("ab" * 16)["instance"] == tenure.instance


def test_the_answer_proves_the_entry() -> None:
    with Tenure(NAME) as tenure:
        tenure.publish(8123)
        entry = runtime.read(NAME.runtime_file())
        assert entry is not None
        nonce = proof.nonce()
        reply = tenure.answer(nonce)
        who = {"instance": entry.instance, "port": entry.port, "version": entry.version}
        assert proof.verify(reply, entry.token, nonce, **who)  # type: ignore[arg-type]


def test_a_withdrawn_service_stays_locked_and_leaves_anothers_file() -> None:
    with Tenure(NAME) as tenure:
        tenure.publish(8123)
        tenure.withdraw()
        assert not NAME.runtime_file().exists()
        assert locks.is_held(NAME.lock_file())
        with Tenure(ServiceName("gateway", "other")) as other:
            other.publish(8124)
            ServiceName("gateway", "other").runtime_file().rename(NAME.runtime_file())
        tenure.withdraw()
        assert NAME.runtime_file().exists()


def test_refreshing_brings_a_removed_file_back_and_makes_the_lock_young() -> None:
    with Tenure(NAME) as tenure:
        tenure.publish(8123)
        NAME.runtime_file().unlink()
        os.utime(NAME.lock_file(), (1, 1))
        tenure.refresh()
        entry = runtime.read(NAME.runtime_file())
        assert entry is not None
        assert entry.instance == tenure.instance
        assert NAME.lock_file().stat().st_mtime > 1


def test_refreshing_is_nothing_once_the_lock_is_anothers() -> None:
    with Tenure(NAME) as tenure:
        tenure.publish(8123)
        NAME.lock_file().unlink()
        with Tenure(NAME):
            tenure.refresh()
            assert not NAME.runtime_file().exists()


def test_the_token_is_taken_out_of_text() -> None:
    assert Tenure(NAME).token not in redact(f"see {Tenure(NAME).token}")


GOOD = asdict(Entry({"service": "x"}, 1, "2", 3.0, 4, "t", "i", "v", {}))

BAD: list[dict[str, object]] = [
    {"port": 0},
    {"port": 65536},
    {"port": "1"},
    {"pid": 0},
    {"token": ""},
    {"key": []},
    {"extra": None},
]


def test_an_entry_survives_the_file() -> None:
    entry = Entry.parse(json.dumps(GOOD).encode())
    assert Entry.parse(entry.dump()) == entry


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        *(json.dumps({k: v for k, v in GOOD.items() if k != missing}).encode() for missing in GOOD),
        *(json.dumps(GOOD | bad).encode() for bad in BAD),
    ],
)
def test_what_is_no_entry_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the decoder's own words differ
        Entry.parse(content)
    files.write_private(NAME.runtime_file(), content)
    assert runtime.read(NAME.runtime_file()) is None
