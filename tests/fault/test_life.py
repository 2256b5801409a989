"""The life of a service, with real processes: started once, found, believed, outliving, dying and ending."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from notebook_mux import cli
from notebook_mux.errors import GatewayError
from notebook_mux.life import files, locks, logs, process, runtime, services
from notebook_mux.life.launcher import Running, ensure, find
from notebook_mux.life.name import ServiceName
from tests.fault.conftest import eventually

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups and signals are not Windows's")

STANDIN = str(Path(__file__).with_name("standin.py"))
NAME = ServiceName("standin")
ROOT = Path(__file__).parents[2]

STARTER = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from notebook_mux.life.launcher import ensure
from notebook_mux.life.name import ServiceName
running = ensure(ServiceName("standin"), [{STANDIN!r}])
print(running.pid, running.instance, flush=True)
if "stay" in sys.argv:
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime folder of its own; a file with one line for each start; nothing is left running."""
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("NOTEBOOK_MUX_TEST_STARTS", str(tmp_path / "starts"))
    monkeypatch.setenv("NOTEBOOK_MUX_IDLE_SECONDS", "300")
    yield tmp_path / "starts"
    services.stop(services.listing(), grace=3)
    for pid in (tmp_path / "starts").read_text().split() if (tmp_path / "starts").exists() else []:
        with contextlib.suppress(OSError):
            if "standin" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(int(pid), signal.SIGKILL)


def start(**options: object) -> Running:
    return ensure(NAME, [STANDIN], **options)  # type: ignore[arg-type]


def count(starts: Path) -> int:
    return len(starts.read_text().split())


def test_a_service_is_started_once_and_found_again(starts: Path) -> None:
    assert find(NAME) is None
    first = start()
    assert start() == first == find(NAME)
    assert count(starts) == 1
    assert first.token not in repr(first)
    assert first.url == f"http://127.0.0.1:{first.port}/"


@pytest.mark.parametrize("number", [2, 8])
def test_processes_that_start_at_once_get_one_service(number: int, starts: Path) -> None:
    command = [sys.executable, "-c", STARTER]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(number)]
    said = {starter.communicate(timeout=50)[0] for starter in starters}
    assert [starter.returncode for starter in starters] == [0] * number
    assert len(said) == 1
    assert count(starts) == 1


def test_threads_that_start_at_once_get_one_service(starts: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({running.instance for running in pool.map(lambda _: start(), range(8))}) == 1
    assert count(starts) == 1


def test_services_of_two_variants_live_side_by_side() -> None:
    one, other = start(), ensure(ServiceName("standin", "b"), [STANDIN, "--variant", "b"])
    assert one.pid != other.pid
    assert len(services.listing("standin")) == 2


def test_a_service_that_is_killed_is_started_anew() -> None:
    first = start()
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: not process.is_alive(first.pid), "it is dead")
    assert NAME.runtime_file().exists()
    assert find(NAME) is None
    second = start()
    assert second.instance != first.instance
    assert second.token != first.token


def test_a_starter_that_dies_while_it_starts_blocks_nobody(tmp_path: Path) -> None:
    code = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from notebook_mux.life.locks import FileLock
from notebook_mux.life.name import ServiceName
lock = FileLock(ServiceName("standin").launch_lock_file())
print(lock.acquire(), flush=True)
time.sleep(600)
"""
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "True\n"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(start)
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        starter.kill()
        starter.wait()
        starter.stdout.close()
        assert waiting.result(30).pid


def test_a_service_outlives_its_starter_and_the_starters_session(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, "stay"]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline().split()[0])
    assert os.getsid(pid) != os.getsid(starter.pid)
    parents = Path(f"/proc/{pid}/status").read_text()
    assert f"PPid:\t{starter.pid}\n" not in parents  # ipykernel ends its descendants
    os.killpg(starter.pid, signal.SIGHUP)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    running = find(NAME)
    assert running is not None
    assert running.pid == pid
    assert running.extra == {"session": pid, "folder": "/"}
    assert str(Path(f"/proc/{pid}/fd/0").readlink()) == os.devnull


def test_ctrl_c_at_a_starter_that_ignores_it_reaches_the_service(starts: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        running = start()
    finally:
        signal.signal(signal.SIGINT, before)
    os.kill(running.pid, signal.SIGINT)
    eventually(lambda: not process.is_alive(running.pid), "it has ended")
    assert not NAME.runtime_file().exists()


def test_the_services_environment_has_no_secret_of_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "canary")
    monkeypatch.setenv("NOTEBOOK_MUX_URL", "http://127.0.0.1:1/?token=canary")
    environment = Path(f"/proc/{start(env={'ADDED': 'yes'}).pid}/environ").read_bytes()
    assert b"canary" not in environment
    assert b"ADDED=yes" in environment


def test_a_file_without_a_service_is_replaced() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        write(port=unused.getsockname()[1])
    assert find(NAME) is None
    running = start()
    assert running.instance != "stale"
    assert running.notes == (), "nobody has its port: nothing to know"


def write(**changes: object) -> runtime.Entry:
    entry = runtime.Entry(NAME.key(), 2**22, "1", 0.0, 1, "t" * 40, "stale", NAME.key()["version"], {})
    entry = replace(entry, **changes)  # type: ignore[arg-type]
    files.write_private(NAME.runtime_file(), entry.dump())
    return entry


def test_another_version_gets_a_service_of_its_own_and_both_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    first = start()
    monkeypatch.setattr("notebook_mux.life.name.__version__", "9.9.9")
    assert find(NAME) is None
    assert [service.entry.pid for service in services.listing() if service.entry] == [first.pid]
    assert [service.state for service in services.listing()] == ["running"]


def test_a_file_that_others_could_write_is_not_believed() -> None:
    start()
    NAME.runtime_file().chmod(0o644)
    assert find(NAME) is None


def test_the_files_are_private(tmp_path: Path) -> None:
    start()
    found = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "run").rglob("standin-*")}
    assert found == {".json": 0o600, ".lock": 0o600, ".log": 0o600}
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_the_log_has_no_token() -> None:
    running = start()
    os.kill(running.pid, signal.SIGTERM)
    eventually(lambda: not process.is_alive(running.pid), "it has ended")
    text = NAME.log_file().read_text()
    assert "serving with" in text
    assert running.token not in text


def test_a_service_that_fails_is_an_error_with_the_end_of_its_log() -> None:
    with pytest.raises(GatewayError) as caught:
        ensure(NAME, [STANDIN, "--fault", "crash"])
    assert "the disk is made of cheese" in str(caught.value)
    assert "abcdefgh12345678" not in str(caught.value)
    assert str(NAME.log_file()) in str(caught.value)
    assert 2 <= len(caught.value.lines()) <= 5


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(GatewayError, match="No module named"):
        ensure(NAME, ["-m", "notebook_mux_is_not_there"])


def test_a_service_that_does_not_come_up_is_an_error_in_time() -> None:
    with pytest.raises(GatewayError, match="in time"):
        ensure(NAME, [STANDIN, "--fault", "hang"], timeout=2)
    eventually(lambda: [service.state for service in services.listing()] == ["starting"], "it is there and is not up")


def test_a_service_that_is_stopped_in_its_tracks_is_an_error_and_can_be_ended() -> None:
    running = start()
    os.kill(running.pid, signal.SIGSTOP)
    with pytest.raises(GatewayError, match=r"does not answer.*\n.*notebook-mux stop"):
        start(timeout=1)
    found = services.listing()
    assert [service.state for service in found] == ["silent"]
    assert services.stop(found, grace=2.0) == {found[0].path: "killed"}
    assert start().pid != running.pid


def test_a_service_without_clients_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_IDLE_SECONDS", "2")  # in which a busy machine finds it
    running = start()
    eventually(lambda: not process.is_alive(running.pid), "it has ended")
    assert not NAME.runtime_file().exists()
    assert not NAME.lock_file().exists()
    assert start().instance != running.instance


def test_a_service_with_a_client_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_IDLE_SECONDS", "3")
    running = start()
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        request = f"GET /hold HTTP/1.1\r\nAuthorization: Bearer {running.token}\r\n\r\n"
        client.sendall(request.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 200")
        time.sleep(6)  # twice the idle time: what is shown is that nothing happens
        assert find(NAME) == running
    eventually(lambda: not process.is_alive(running.pid), "it has ended")


def test_starters_and_ends_in_a_row_never_meet_two_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTEBOOK_MUX_IDLE_SECONDS", "2")  # in which a busy machine finds it
    seen: set[int] = set()

    def once_more() -> int:
        running = start()
        seen.add(running.pid)
        assert [pid for pid in seen if pid != running.pid and holds_the_lock(pid)] == []
        return running.pid

    for pause in (0.0, 1.95, 2.0, 2.02, 2.05, 2.1):  # around the moment of the end
        time.sleep(pause)
        last = once_more()
    eventually(lambda: not process.is_alive(last), "it has ended")
    assert once_more() != last


def holds_the_lock(pid: int) -> bool:
    """Whether a process has the lock file open, and so a claim to it."""
    with contextlib.suppress(OSError):
        return NAME.lock_file() in [path.readlink() for path in Path(f"/proc/{pid}/fd").iterdir()]
    return False


def test_status_and_stop(capsys: pytest.CaptureFixture[str]) -> None:
    running = start()
    assert cli.main(["status"]) == 0
    shown = capsys.readouterr().out
    title, row = shown.splitlines()
    assert title.split() == ["SERVICE", "STATE", "PID", "VERSION", "PORT", "SINCE", "CLIENTS", "STREAMS", "UPSTREAMS"]
    assert row.split()[:3] == ["standin", "running", str(running.pid)]
    assert row.split()[-3:] == ["0", "7", "2"]
    assert cli.main(["status", "--json"]) == 0
    assert running.token not in shown + capsys.readouterr().out
    assert cli.main(["stop"]) == 0
    assert capsys.readouterr().out == f"The standin (process {running.pid}) ended.\n"
    assert not process.is_alive(running.pid)
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().out.startswith("Nothing runs.")


def test_stop_cleans_up_after_the_dead(capsys: pytest.CaptureFixture[str]) -> None:
    running = start()
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: not locks.is_held(NAME.lock_file()), "it is dead")
    assert [service.state for service in services.listing()] == ["stale"]
    assert cli.main(["stop"]) == 0
    assert "had died" in capsys.readouterr().out
    assert not NAME.runtime_file().exists()


def test_stop_signals_no_process_that_has_the_number_of_a_dead_one() -> None:
    with locks.FileLock(NAME.lock_file()) as lock:
        assert lock.acquire()
        bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        try:
            write(pid=bystander.pid, started="1")
            found = services.listing()
            assert services.stop(found, grace=0.2) == {found[0].path: "left"}
            assert bystander.poll() is None
        finally:
            bystander.kill()
            bystander.wait()


def test_a_log_is_turned_over_under_its_process(tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from notebook_mux.life import logs
log = Path(sys.argv[1])
out = logs.open_log(log)
os.dup2(out, 1); os.dup2(out, 2)
sys.stdout = logs.SafeLog(log, (1, 2), limit=1000)
for number in range(60):
    print("line", number, "of a service that talks a lot")
os.write(2, b"written by the interpreter itself\\n")
"""
    log = tmp_path / "a.log"
    assert subprocess.run([sys.executable, "-c", code, str(log)]).returncode == 0
    assert log.stat().st_size < 1200
    assert (tmp_path / "a.log.1").stat().st_size < 1200
    assert logs.tail(log)[-1] == "written by the interpreter itself"


def test_the_gateway_itself_lives_so(capsys: pytest.CaptureFixture[str]) -> None:
    name, arguments = ServiceName("gateway"), ["-m", "notebook_mux.gateway", "--launched"]
    with ThreadPoolExecutor(3) as pool:
        found = {running.instance for running in pool.map(lambda _: ensure(name, arguments), range(3))}
    running = find(name)
    assert running is not None
    assert found == {running.instance}
    assert cli.main(["status", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert {key: row.get(key) for key in ("service", "state", "pid", "clients", "streams", "upstreams")} == {
        "service": "gateway",
        "state": "running",
        "pid": running.pid,
        "clients": 0,
        "streams": 0,
        "upstreams": 0,
    }
    assert running.token not in name.log_file().read_text()
    assert cli.main(["stop", "gateway"]) == 0
    assert not process.is_alive(running.pid)
    assert not name.runtime_file().exists()
