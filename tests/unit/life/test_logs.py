from __future__ import annotations

import logging
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from notebook_mux.life import logs
from notebook_mux.life.name import ServiceName
from notebook_mux.life.redact import HIDDEN


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.log"


def test_a_log_is_private_and_appended_to(path: Path) -> None:
    path.write_text("old\n")
    path.chmod(0o644)
    print("new", file=logs.SafeLog(path))
    assert path.read_text() == "old\nnew\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_secrets_are_found_across_writes(path: Path) -> None:
    log = logs.SafeLog(path)
    log.write("GET /?tok")
    log.write("en=abc")
    log.write("123 HTTP/1.1\nBearer abcdefgh")
    assert path.read_text() == f"GET /?token={HIDDEN} HTTP/1.1\n"
    log.finish()
    assert path.read_text().endswith(f"\nBearer {HIDDEN}\n")


def test_a_private_key_over_several_lines_is_left_out(path: Path) -> None:
    log = logs.SafeLog(path)
    log.write("a\n-----BEGIN PRIVATE KEY-----\nMIIE\nshort\n-----END PRIVATE KEY-----\nb\n")
    assert path.read_text() == f"a\n{HIDDEN}\nb\n"


def test_a_line_without_end_does_not_grow_for_ever(path: Path) -> None:
    log = logs.SafeLog(path)
    log.write("a " * logs.LINE_LIMIT)
    assert path.stat().st_size > logs.LINE_LIMIT


def test_a_full_log_becomes_the_old_one(path: Path) -> None:
    log = logs.SafeLog(path, limit=1000)
    for number in range(100):
        print(f"line {number} and some words more", file=log)
    old = path.with_name("a.log.1")
    assert path.stat().st_size <= 1000 < old.stat().st_size < 1100
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    numbers = [int(line.split()[1]) for line in (old.read_text() + path.read_text()).splitlines()]
    assert numbers == list(range(numbers[0], 100))


def test_what_cannot_be_encoded_or_written_ends_nothing(path: Path) -> None:
    log = logs.SafeLog(path)
    log.write("half \ud800\n")
    os.close(log._out)
    log.write("lost\n")
    assert path.read_text() == "half \\ud800\n"
    log._out = os.open(os.devnull, os.O_WRONLY)


def test_threads_do_not_tear_each_others_lines(path: Path) -> None:
    log = logs.SafeLog(path)
    threads = [threading.Thread(target=lambda n=n: [log.write(f"{n}\n") for _ in range(200)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.read_text().split()) == sorted(str(n) for n in range(4) for _ in range(200))


def test_beginning_takes_print_and_logging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    name = ServiceName("gateway")
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.stdout, sys.stderr
    root.handlers[:] = []
    try:
        logs.begin(name)
        print("printed")
        logging.getLogger("some.where").warning("logged with %s", "Bearer abcdefgh")
    finally:
        logging.captureWarnings(False)
        root.handlers[:], root.level, sys.stdout, sys.stderr = before
    printed, logged = name.log_file().read_text().splitlines()
    assert printed == "printed"
    assert logged.endswith(f"WARNING some.where: logged with Bearer {HIDDEN}")


def test_the_tail_of_a_log(path: Path) -> None:
    assert logs.tail(path) == []
    path.write_text("before\n")
    start = path.stat().st_size
    with path.open("a") as file:
        file.write("one\n\ntwo Bearer abcdefgh\nthree\n")
    assert logs.tail(path, start) == ["one", f"two Bearer {HIDDEN}", "three"]
    assert logs.tail(path, start, lines=1) == ["three"]
    assert logs.tail(path, start=10_000)[0] == "before"  # turned over since
