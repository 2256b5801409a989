"""Programs in containers by way of Headlamp servers: a real one where it is named, and our gateway's dialect."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux import aio
from notebook_mux.kernel import core as core_module, holder
from notebook_mux.kernel.dialect import Opener
from notebook_mux.kernel.failure import Failure
from tests import waiting
from tests.controlplane.pages import Page
from tests.controlplane.terminals import sized
from tests.controlplane.test_exec import EVERY, FOR_EVER, pod, running, shell
from tests.controlplane.test_whole_way import create
from tests.headlamp import CERTIFICATE, SERVERS, TOKEN, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_headlamp"]

WAIT_SECONDS = 40.0

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)


@pytest.fixture(params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
    monkeypatch: pytest.MonkeyPatch,
) -> HeadlampServer:
    """A server of each kind, both spoken to as Headlamp's: our own gateway would be found to be one."""
    monkeypatch.setattr(core_module, "Opener", lambda **options: Opener(headlamp=True, **options))
    return start_headlamp(request.param, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))


@pytest.fixture
def web(server: HeadlampServer, control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    """A running pod, and a manager that may write."""
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    manager = nm.connect(CERTIFICATE, {"t": TOKEN}, url=server.url, write=True, namespace=namespace)
    assert status_of(manager)["dialect"] == "headlamp"
    yield "web-0"
    nm.close()


def status_of(manager: Any) -> Any:
    return holder.core().status(manager._identity.connection)


run = partial(shell, cluster=CERTIFICATE)


@pytest.mark.parametrize("cluster", [CERTIFICATE, "t"])
def test_output_errors_and_exit_codes(web: str, cluster: str) -> None:
    done = shell(web, "echo out; echo err >&2; exit 3", cluster=cluster)
    assert (done.stdout, done.stderr, done.returncode, done.pod) == (b"out\n", b"err\n", 3, "web-0")
    for code in (0, 1, 126, 255):
        assert shell(web, f"exit {code}", cluster=cluster).returncode == code


def test_every_byte_both_ways(web: str) -> None:
    for size in (0, 1, 256_000):
        content = (EVERY * 1000)[:size]
        assert run(web, "cat", stdin=content).stdout == content
    assert run(web, "cat >&2", stdin=EVERY).stderr == EVERY
    content = random.Random(1).randbytes(4 * 1024 * 1024)
    assert run(web, "sha256sum", stdin=content, text=True).stdout.split()[0] == hashlib.sha256(content).hexdigest()


def test_input_that_is_not_read(web: str, server: HeadlampServer) -> None:
    known = 0
    for code in range(20):
        try:
            done = run(web, f"echo no >&2; exit {code}", stdin=bytes(4 * 1024 * 1024))
        except nm.OutcomeUnknown:  # a real one's proxy loses it in one of ten cases
            assert server.kind == "real"
        else:
            known += 1
            assert (done.returncode, done.stderr) == (code, b"no\n")
    assert known > 0


def test_twenty_megabytes(web: str) -> None:
    size = 20 * 1024 * 1024
    content = run(web, f"yes 0123456789abcde | head -c {size}; echo end >&2; exit 7")
    assert (len(content.stdout), content.stderr, content.returncode) == (size, b"end\n", 7)
    assert hashlib.sha256(content.stdout).digest() == hashlib.sha256(b"0123456789abcde\n" * (size // 16)).digest()


def test_what_is_not_there(web: str) -> None:
    with pytest.raises(nm.NotFound, match="'no-such-command' cannot be run in container main of pod"):
        nm.exec(web, "no-such-command", cluster=CERTIFICATE)
    with pytest.raises(nm.InvalidArgument, match="no container 'nope'"):
        nm.exec(web, "true", container="nope", cluster=CERTIFICATE)
    with pytest.raises(nm.NotFound, match="web-1"):
        nm.exec("web-1", "true", cluster=CERTIFICATE)


def test_a_time_limit_ends_it(web: str) -> None:
    with pytest.raises(nm.TimedOut, match="did not end within 1 s"):
        nm.exec(web, ["sh", "-c", FOR_EVER, "headlamp-98765"], timeout=1, cluster=CERTIFICATE)
    eventually(lambda: not running("headlamp-98765"), "the process has ended")


async def test_twenty_side_by_side_and_their_sockets(web: str) -> None:
    words = "echo {}; read line; echo $line"
    results = await asyncio.gather(
        *(
            aio.exec(web, ["sh", "-c", words.format(n)], stdin=f"in {n}", text=True, cluster=CERTIFICATE)
            for n in range(20)
        )
    )
    assert [done.stdout for done in results] == [f"{n}\nin {n}\n" for n in range(20)]


def test_a_cluster_whose_login_is_missing(
    server: HeadlampServer,
    control_plane: ControlPlane,
    namespace: str,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
) -> None:
    path = kubeconfig_of(control_plane, tmp_path / "other")
    config = json.loads(path.read_text())
    config["users"].append({"name": "nobody", "user": {"token": "expired"}})
    cluster = config["contexts"][0]["context"]["cluster"]
    config["contexts"].append({"name": "logged-out", "context": {"cluster": cluster, "user": "nobody"}})
    path.write_text(json.dumps(config))
    other = start_headlamp(server.kind, path)
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    manager = nm.connect(CERTIFICATE, "logged-out", url=other.url, write=True, namespace=namespace)
    try:
        assert manager.clusters["logged-out"].state == "login"
        with pytest.raises(nm.LoginRequired):
            nm.exec("web-0", "true", cluster="logged-out")
        ref = next(context.ref for context in manager._identity.contexts if context.name == "logged-out")
        exec_path = f"/api/v1/namespaces/{namespace}/pods/web-0/exec"
        # The same where nobody has asked before.
        started = holder.core().exec(
            manager._identity.connection, ref, exec_path, "stdout=true&command=true", scope=manager._identity.scope
        )
        with pytest.raises(Failure) as caught:
            started.result(WAIT_SECONDS)
        assert caught.value.code == "login"
        assert "?token=" in str(caught.value.fields["todo"])
        assert nm.exec("web-0", "true", cluster=CERTIFICATE).returncode == 0
    finally:
        nm.close()


def test_a_shell_is_the_same_after_the_multiplexed_socket_is_lost(
    web: str, server: HeadlampServer, namespace: str
) -> None:
    terminal = nm.shell(web, cluster=CERTIFICATE)
    page = Page(terminal.session, 101, 33)
    assert (terminal.state, terminal.session.kept) == ("running", 0.0), "it ends with its kernel"
    assert page.ask(sized(101, 33)) == "33 101"
    shell_id = page.ask("echo $$")
    core, manager = (
        holder.core(),
        nm.connect(CERTIFICATE, {"t": TOKEN}, url=server.url, write=True, namespace=namespace),
    )
    connection = manager._identity.connection
    before = core.status(connection)["reconnects"]
    core.cut(connection)
    eventually(lambda: core.status(connection)["reconnects"] > before and terminal.state == "running", "it is back")
    assert nm.shell(web, cluster=CERTIFICATE) is terminal
    assert Page(terminal.session).ask("echo $$") == shell_id
    assert core.status(connection)["direct_sockets"] == 1
    page.look()
    page.type("exit 7\r")
    eventually(lambda: terminal.state == "ended", "its end")
    assert terminal.returncode == 7
    terminal.again()
    eventually(lambda: terminal.state == "running", "the next run")
    server.kill()
    eventually(lambda: terminal.state in ("lost", "offline"), "a server that is gone")
    terminal.close()
