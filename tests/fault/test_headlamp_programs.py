"""Programs and terminals by way of a Headlamp server whose sockets are cut: started once, and no outcome is made up.

The whole way is real: the API server and its kubelet, which runs processes of this machine, a Headlamp server as a
process of its own, a proxy that breaks its sockets, and the kernel's core.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.kernel.dialect import Opener
from notebook_mux.kernel.failure import Failure
from notebook_mux.wire.remotecommand import outcome
from tests import waiting
from tests.controlplane.terminals import WAIT_SECONDS, Looker
from tests.controlplane.test_exec import pod
from tests.controlplane.test_headlamp_terminals import Houses
from tests.controlplane.test_terminal import PLAIN
from tests.controlplane.test_whole_way import create
from tests.fault.conftest import eventually
from tests.fault.proxy import Faults, Proxy
from tests.fault.test_program_cut import SCOPE, SOURCE, running
from tests.headlamp import CERTIFICATE, SERVERS, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_headlamp"]

CUTS = 12
NUMBERS = "".join(f"{n}\n" for n in range(1, 30_001)).encode()


class Way:
    """All that lies between the container and the reader."""

    def __init__(self, server: HeadlampServer, path: str, folder: Path) -> None:
        self.server = server
        self.proxy = Proxy(server.port)
        self.url = server.url.replace(f":{server.port}", f":{self.proxy.port}", 1)
        self.path = path
        self.starts = folder
        self.core = Core(opener=Opener(headlamp=True))
        self.conn = self.core.connect(("url", self.url), 20).result(30)
        self.ref = self.core.contexts(self.conn, SOURCE, [CERTIFICATE], 20).result(30)[0]["ref"]
        self.core.scope(self.conn, SCOPE, [self.ref]).result(20)

    def close(self) -> None:
        self.core.shutdown()
        self.proxy.close()

    def run(self, script: str, stdin: bytes | None = None) -> tuple[Any, Path]:
        """Start a shell; gives its future and the file that counts its starts."""
        counted = self.starts / secrets.token_hex(8)
        flags = [("container", "main"), ("stdout", "true"), ("stderr", "true")]
        flags += [("stdin", "true")] if stdin is not None else []
        words = [("command", word) for word in ("sh", "-c", f"echo started >> {counted}; {script}")]
        query = urlencode([*flags, *words], quote_via=quote)
        return self.core.exec(self.conn, self.ref, self.path, query, scope=SCOPE, stdin=stdin, timeout=60.0), counted

    def is_back(self) -> bool:
        """Whether there is another socket: that the first is lost may be known later than that a program's is."""
        status = self.core.status(self.conn)
        return bool(status["reconnects"] > 0 and status["state"] == "open")


@pytest.fixture(params=SERVERS)
def way(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    namespace: str,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
) -> Iterator[Way]:
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    server = start_headlamp(request.param, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))
    made = Way(server, f"/api/v1/namespaces/{namespace}/pods/web-0/exec", tmp_path)
    yield made
    made.close()


def test_a_program_that_is_cut_at_any_byte_is_started_once_and_its_outcome_not_made_up(way: Way) -> None:
    rng = random.Random(5)
    unknown = known = 0
    for cut in range(CUTS):
        # What is opened from now on is a program's: the multiplexed socket stays as it is.
        way.proxy.faults = Faults(cut_after=rng.randrange(300_000) if cut else None, split=rng.choice([7, 65536]))
        code = rng.randrange(256)
        future, counted = way.run(f"seq 1 30000; cat >&2; exit {code}", b"input" * 1000)
        failure = future.exception(60)
        if failure is None:
            status, stdout, stderr = future.result()
            assert (outcome(status).code, stdout, stderr) == (code, NUMBERS, b"input" * 1000)
            known += 1
        else:
            assert failure.code == "outcome-unknown"
            unknown += 1
        assert not counted.exists() or counted.read_text() == "started\n"
    assert known
    assert unknown
    assert way.core.status(way.conn)["reconnects"] == 0


def test_a_server_that_is_killed_leaves_the_outcome_unknown_and_is_not_waited_for(way: Way) -> None:
    future, counted = way.run("while :; do echo x; sleep 0.1; done")
    eventually(counted.exists, "it runs")
    way.server.kill()
    with pytest.raises(Failure) as caught:
        future.result(60)
    assert caught.value.code == "outcome-unknown"
    assert counted.read_text() == "started\n"
    eventually(lambda: not running(str(counted)), "what is not read any more ends")


def test_a_lost_network_ends_programs_and_others_run_afterwards(way: Way) -> None:
    future, counted = way.run("while :; do echo x; sleep 0.1; done")
    eventually(counted.exists, "it runs")
    way.proxy.cut()
    with pytest.raises(Failure) as caught:
        future.result(60)
    assert caught.value.code == "outcome-unknown"
    way.core.retry(way.conn)
    eventually(way.is_back, "it is back")
    assert outcome(way.run("exit 4")[0].result(60)[0]).code == 4
    assert counted.read_text() == "started\n"


async def test_a_terminal_that_is_cut_says_so_and_can_be_started_anew(way: Way) -> None:
    headlamp = Houses(way.url)
    try:
        async with headlamp.looking() as client:
            found = await client.terminal(way.path, PLAIN)
            screen = await client.look(found["terminal"])
            await screen.sees("$ ")
            way.proxy.cut()
            lost = await screen.reaches("lost")
            assert (lost["code"], lost["what"]) == (
                "unreachable",
                "the connection to the API server ended before the program did",
            )
            assert "start it again" in lost["todo"]
        async with headlamp.looking() as client:
            await shown_again(client, way.path, found["terminal"])
    finally:
        await headlamp.house.close()


async def shown_again(client: Looker, path: str, terminal: str) -> None:
    """The same terminal, with what it had shown, and the next run in it."""
    assert (await client.terminal(path, start="find"))["terminal"] == terminal
    screen = await client.look(terminal)
    await screen.sees("$ ")
    await client.terminal(path, start="again", terminal=terminal)
    await waiting.until(lambda: screen.state["run"] == 2, "the next run", seconds=WAIT_SECONDS)
    await screen.reaches("running")
    await screen.type("exit 5\r")
    assert (await screen.reaches("ended"))["code"] == 5
