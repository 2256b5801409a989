"""The gateway as a process: its first line, its signals, its end, and what it says when it cannot start."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from notebook_mux.gateway import __main__ as program
from notebook_mux.life import launcher, services
from notebook_mux.life.name import ServiceName
from notebook_mux.life.runtime import AlreadyRunning, Tenure
from notebook_mux.urls import split_token
from notebook_mux.wire import messages
from tests.unit.gateway.serving import Client, until_closed
from tests.waiting import until

ARGV = ["-m", "notebook_mux.gateway"]
LAUNCHED = [*ARGV, "--launched"]

IDLE_SECONDS = "4"
"""Within which its starter has found it, or it would be said to have ended as soon as it was started."""


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of this test's own, and no clusters."""
    folder = Path(os.environ["HOME"]) / f"g{abs(hash(str(tmp_path))) % 10**8}"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("NOTEBOOK_MUX_RUNTIME_DIR", str(folder))
    return folder


def files_of(runtime: Path) -> list[str]:
    """Runtime files and locks."""
    return [path.name for path in runtime.iterdir() if path.suffix in (".json", ".lock")]


class Process:
    """A gateway run by hand."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.base, self.token = split_token(url)

    @classmethod
    async def start(cls, *arguments: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *ARGV, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        if not line:
            _, errors = await process.communicate()
            raise AssertionError(errors.decode())
        return cls(process, line.strip())

    def connect(self) -> Any:
        return connect(
            self.base.replace("http", "ws") + messages.PATH, subprotocols=[messages.SUBPROTOCOL],  # type: ignore[list-item]
            additional_headers={"Authorization": f"Bearer {self.token}"}, proxy=None, compression=None,
        )  # fmt: skip

    async def end(self) -> tuple[int, str]:
        """Exit code and what it wrote on standard error."""
        _, errors = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, errors.decode()


@pytest.fixture
async def gateway(runtime: Path) -> AsyncIterator[Process]:
    running = await Process.start()
    yield running
    if running.process.returncode is None:
        running.process.kill()
        await running.process.wait()


async def greeted(socket_: Any) -> tuple[Client, messages.Welcome]:
    client = Client(socket_)
    await client.say(messages.Hello(package="0"))
    welcome = await client.told()
    assert isinstance(welcome, messages.Welcome)
    return client, welcome


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_with_a_goodbye(gateway: Process, number: signal.Signals, runtime: Path) -> None:
    async with gateway.connect() as socket_:
        client, welcome = await greeted(socket_)
        assert not welcome.environment
        assert files_of(runtime) == []
        gateway.process.send_signal(number)
        goodbye, code = await until_closed(client)
        assert goodbye.code == "closing"
        assert number.name in goodbye.what
        assert code == 1001
    code, errors = await gateway.end()
    assert code == 0
    assert gateway.token is not None
    assert gateway.token not in errors
    assert "Traceback" not in errors


async def test_stop_over_the_socket_ends_it(gateway: Process) -> None:
    async with gateway.connect() as socket_:
        client, _ = await greeted(socket_)
        assert await client.ask(messages.Scope(id=1, scope="s", write=[])) == []
        assert await client.ask(messages.Stop(id=2)) is True
        await until_closed(client)
    assert (await gateway.end())[0] == 0


async def test_its_port_is_taken(gateway: Process) -> None:
    port = gateway.base.rpartition(":")[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *ARGV, "--port", port, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    assert process.returncode == 1
    assert out == b""
    assert f"cannot listen on port {port}" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_a_base_path(runtime: Path) -> None:
    running = await Process.start("--base-path", "/user/me/gateway")
    assert running.base.endswith("/user/me/gateway")
    async with running.connect() as socket_:
        await greeted(socket_)
    running.process.terminate()
    assert (await running.end())[0] == 0


async def test_launched_it_is_found_and_takes_an_environment(runtime: Path) -> None:
    found = await asyncio.to_thread(launcher.ensure, ServiceName("gateway"), LAUNCHED)
    again = await asyncio.to_thread(launcher.ensure, ServiceName("gateway"), LAUNCHED)
    assert (again.pid, again.instance) == (found.pid, found.instance)
    url = found.url.rstrip("/").replace("http", "ws") + messages.PATH
    async with connect(
        url, subprotocols=[messages.SUBPROTOCOL], additional_headers={"Authorization": f"Bearer {found.token}"},  # type: ignore[list-item]
        proxy=None,
    ) as socket_:  # fmt: skip
        _, welcome = await greeted(socket_)
        assert welcome.environment
        assert welcome.instance == found.instance
        (service,) = services.listing("gateway")
        said = await asyncio.to_thread(services.status_of, service)
        assert len(said["clients"]) == 1
    outcome = await asyncio.to_thread(services.stop, [service])
    assert list(outcome.values()) == ["stopped"]
    log = ServiceName("gateway").log_file().read_text()
    assert found.token not in log
    assert "the gateway ends: SIGTERM" in log


async def test_launched_it_ends_when_it_is_idle(runtime: Path) -> None:
    found = await asyncio.to_thread(
        launcher.ensure, ServiceName("gateway"), LAUNCHED, env={"NOTEBOOK_MUX_IDLE_SECONDS": IDLE_SECONDS}
    )
    await until(lambda: not files_of(runtime), "it has ended", seconds=60)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", found.port)).close()


@pytest.fixture
def a_process_of_its_own() -> Iterator[None]:
    """The program sets up logging and limits for its process; all tests after it would have them."""
    root, files = logging.getLogger(), resource.getrlimit(resource.RLIMIT_NOFILE)
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    resource.setrlimit(resource.RLIMIT_NOFILE, files)


@pytest.mark.usefixtures("a_process_of_its_own")
def test_a_second_one_of_a_name_is_refused(runtime: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Tenure(ServiceName("gateway")):
        assert program.main(["--register"]) == 1
    assert AlreadyRunning.__name__ in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "x"], ["--colour"]])
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(arguments)
    assert caught.value.code == 2
    assert "usage: notebook-mux gateway" in capsys.readouterr().err


async def test_a_front_end_that_is_not_there_is_named(runtime: Path, tmp_path: Path):
    pipe = asyncio.subprocess.PIPE
    words = [*ARGV, "--headlamp", str(tmp_path)]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=pipe, stderr=pipe)
    printed, errors = await process.communicate()
    assert (process.returncode, printed) == (program.FAILED, b"")
    assert "has no index.html" in errors.decode()
    assert "npm run build" in errors.decode()
