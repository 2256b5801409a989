"""Terminals of a real API server, whose kubelet runs real processes on real terminals: sizes, ends, views, survival."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from notebook_mux.wire import messages
from tests import waiting
from tests.controlplane.terminals import WAIT_SECONDS, looking, query, sized
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create
from tests.fault.conftest import GatewayProcess, start_gateway
from tests.testbed.control_plane import ControlPlane

__all__ = ["start_gateway"]

PLAIN = query("env", "-i", "PS1=$ ", "TERM=xterm", "PATH=/usr/bin:/bin", "sh")
"""A shell whose prompt is two characters."""


@pytest.fixture
def path(control_plane: ControlPlane, namespace: str) -> str:
    """Of a running pod's exec."""
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    return f"/api/v1/namespaces/{namespace}/pods/web-0/exec"


@pytest.fixture
def gateway(control_plane: ControlPlane, start_gateway: Callable[..., GatewayProcess]) -> GatewayProcess:
    return start_gateway(control_plane.kubeconfig, "--write")


async def test_a_shell_its_size_and_its_exit_code(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        found = await client.terminal(path, PLAIN)
        assert found["created"]
        screen = await client.look(found["terminal"], 101, 33)
        assert screen.shown is not None
        assert (screen.shown.columns, screen.shown.rows, screen.shown.kept) == (101, 33, 600.0)
        running = await screen.reaches("running")
        assert (running["run"], running["command"][-1]) == (1, "sh")
        await screen.sees("$ ")
        await screen.has_size(101, 33)
        await screen.resize(80, 24)
        await screen.has_size(80, 24)
        await screen.type("exit 3\r")
        ended = await screen.reaches("ended")
        assert (ended["run"], ended["code"]) == (1, 3)
        assert (await client.terminal(path, PLAIN)) == {k: v for k, v in found.items() if k != "created"}
        assert (await client.terminal(path, PLAIN, start="again", terminal=found["terminal"])) == found
        await screen.until(lambda: screen.state["run"] == 2 and screen.state["state"] == "running")
        await screen.type("exit\r")
        assert (await screen.reaches("ended"))["code"] == 0
        assert [state["state"] for state in screen.states] == ["starting", "running", "ended"] * 2


async def test_the_next_shell_where_one_is_missing(gateway: GatewayProcess, path: str) -> None:
    shells = [query(*words) for words in (["no-such-bash"], ["/no/such/zsh", "-l"], ["env", "-i", "PS1=$ ", "sh"])]
    async with looking(gateway.url) as client:
        found = await client.terminal(path, *shells)
        screen = await client.look(found["terminal"])
        await screen.type("echo typed $((40 + 2)) ahead\r")
        await screen.sees("typed 42 ahead\r\n")
        assert screen.output.count(b"typed 42 ahead") == 1
        assert screen.state["command"][-1] == "sh"
        await screen.type("exit 7\r")
        assert (await screen.reaches("ended"))["code"] == 7
        none = await client.look((await client.terminal(path, *shells[:2], key="none"))["terminal"])
        ended = await none.reaches("ended")
        assert ended["code"] is None
        assert "no such file or directory" in ended["message"]


async def test_what_cannot_be_started_is_lost(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        for wrong, code in (
            ((path.replace("web-0", "web-1"), PLAIN), "not-found"),
            ((path, PLAIN.replace("container=main", "container=nope")), "invalid"),
        ):
            found = await client.terminal(*wrong, key=code)
            screen = await client.look(found["terminal"])
            lost = await screen.reaches("lost")
            assert (lost["code"], [state["state"] for state in screen.states]) == (code, ["starting", "lost"])
            assert lost["said"]


async def test_every_byte_and_wide_characters(gateway: GatewayProcess, path: str) -> None:
    every = bytes(range(256))
    words = ["sh", "-c", "stty raw -echo; printf ready; head -c 1052 | od -An -v -tx1; cat"]
    async with looking(gateway.url) as client:
        screen = await client.look((await client.terminal(path, query(*words)))["terminal"])
        await screen.sees("ready")
        wide = "grün 世界 👩‍👩‍👧 é".encode()
        sent = every * 4 + wide[:28]
        await screen.type(sent)
        shown = b"".join(f" {byte:02x}".encode() for byte in sent)
        await screen.until(lambda: shown in screen.output.replace(b"\n", b""), "what was read is what was typed")
        screen.output.clear()
        await screen.type(wide + every)
        await screen.sees(wide + every)


async def test_control_c_ends_a_flood(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        screen = await client.look((await client.terminal(path, PLAIN))["terminal"])
        await screen.sees("$ ")
        await screen.type("yes flood\r")
        await screen.until(lambda: len(screen.output) > 3_000_000, "it floods")
        await screen.type("\x03echo over $((6 * 7))\r")
        await screen.sees("over 42\r\n")
        other = await client.look((await client.terminal(path, PLAIN, key="other"))["terminal"])
        screen.grants = False
        await screen.type("yes\r")
        await screen.sees("\r\ny\r\ny\r\n")  # not before: while it hands the terminal on, a shell has no use for Ctrl-C
        await other.sees("$ ")
        await other.type("echo not $((2 + 1)) delayed\r")
        await other.sees("not 3 delayed")
        await screen.type("\x03")
        screen.grants = True
        await client.say(messages.Credit(stream=screen.stream, bytes=1 << 20))
        screen.output.clear()
        await screen.type("echo over $((7 * 7))\r")
        await screen.sees("over 49\r\n")


async def test_two_views_of_two_sizes(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        terminal = (await client.terminal(path, PLAIN))["terminal"]
        large = await client.look(terminal, 120, 40)
        await large.sees("$ ")
        await large.has_size(120, 40)
        small = await client.look(terminal, 132, 20)
        assert small.shown is not None
        assert (small.shown.columns, small.shown.rows) == (120, 20)
        await small.has_size(120, 20)
        await large.sees("20 120\r\n$ ")
        assert small.output == large.output
        assert {"columns": 120, "rows": 20} in large.notes
        await client.say(messages.Unsubscribe(stream=small.stream))
        await large.until(lambda: {"columns": 120, "rows": 40} in large.notes)
        await large.type(f"{sized(120, 40)}\r")
        await large.until(lambda: large.output.count(b"40 120\r\n") == 2)
        no_say = await client.look(terminal, 0, 0)
        assert no_say.shown is not None
        assert (no_say.shown.columns, no_say.shown.rows) == (120, 40)


async def test_it_outlives_its_clients(gateway: GatewayProcess, path: str, tmp_path: Path) -> None:
    away = tmp_path / "away"
    async with looking(gateway.url) as client:
        terminal = (await client.terminal(path, PLAIN))["terminal"]
        screen = await client.look(terminal)
        await screen.sees("$ ")
        await screen.type("word=kept; echo first\r")
        await screen.sees("first\r\n$ ")
        await screen.type(f"(until [ -e {away} ]; do sleep 0.05; done; echo while aw''ay) &\r")
        await screen.sees("&\r\n")
    away.touch()
    async with looking(gateway.url, "kernel-2.json") as stranger:
        assert await stranger.terminal(path, PLAIN, start="find") == {}
    async with looking(gateway.url) as client:
        assert (await client.terminal("", start="find"))["terminal"] == terminal
        again = await client.look(terminal, view=screen.view, received=screen.place)
        assert again.shown is not None
        assert (again.shown.place, again.shown.taken) == (screen.place, screen.sent)
        await again.sees("while away")
        await again.type("echo $word\r")
        await again.sees("kept\r\n")
        await again.until(lambda: again.output.endswith(b"$ "), "the prompt, and no more comes")
        whole = await client.look(terminal)
        await whole.until(lambda: {"live": True} in whole.notes)
        assert whole.output == screen.output + again.output
        assert [state["state"] for state in whole.states] == ["starting", "running"]


async def test_what_is_not_kept_any_more(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        terminal = (await client.terminal(path, PLAIN))["terminal"]
        screen = await client.look(terminal)
        await screen.sees("$ ")
        await screen.type("printf '\\033[?2004h\\033[1;32m'\r")
        await screen.sees("\x1b[1;32m")
        # It waits for a size, and for no key: they have a channel each, and either may be the first.
        waits = 'trap "echo drawn anew; exit" WINCH; echo end of $((6 * 7)); while :; do sleep 0.05; done'
        await screen.type(f"sh -c 'yes 0123456789abcde | head -c 3000000; echo; {waits}'\r")
        await screen.sees("end of 42\r\n")
        late = await client.look(terminal)
        assert late.shown is not None
        assert late.shown.place > 900_000
        await late.until(lambda: {"live": True} in late.notes)
        assert late.notes[0]["restore"].endswith("\x1b[0;1;32m")
        assert "2004" in late.notes[0]["restore"]
        assert late.notes[0]["state"]["state"] == "running"
        await screen.until(lambda: late.output in screen.output, "all of it was shown to who was there")
        await late.sees("drawn anew\r\n")


async def test_hang_up(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        waits = query("sh", "-c", "while :; do echo $0; sleep 0.1; done", "hang-up-98765")
        terminal = (await client.terminal(path, waits))["terminal"]
        screen = await client.look(terminal)
        await screen.sees("hang-up-98765")
        assert await client.ask(messages.Hangup, terminal=terminal) == {}
        assert await client.ask(messages.Hangup, terminal=terminal) == {}
        await screen.until(lambda: screen.ended)
        assert screen.ended is not None
        assert screen.ended.code == "closed"
        assert await client.terminal("", start="find") == {}
        await waiting.until(lambda: not running("hang-up-98765"), "the process has ended", seconds=WAIT_SECONDS)


async def test_another_gateway_has_none(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        terminal = (await client.terminal(path, PLAIN))["terminal"]
        screen = await client.look(terminal)
        await screen.sees("$ ")
        instance = client.instance
    gateway.kill()
    gateway.start()
    async with looking(gateway.url) as client:
        assert client.instance != instance
        assert await client.terminal(path, PLAIN, start="find") == {}
        gone = await client.look(terminal)
        assert gone.ended is not None
        assert gone.ended.code == "not-found"


async def test_an_attach_is_a_terminal_too(gateway: GatewayProcess, path: str) -> None:
    async with looking(gateway.url) as client:
        attach = path.replace("/exec", "/attach")
        screen = await client.look((await client.terminal(attach, query()))["terminal"], 90, 30)
        assert (await screen.reaches("running"))["command"] == []
        await screen.type(f"{sized(90, 30)}; exit\r")
        await screen.sees("30 90\r\n")
        assert (await screen.reaches("ended"))["code"] == 0


async def test_its_pod_is_deleted_with_it(
    gateway: GatewayProcess, path: str, control_plane: ControlPlane, namespace: str
) -> None:
    def pods() -> str:
        return control_plane.kubectl("get", "pods", "-n", namespace, "-o", "name")

    for name in ("debug-1", "debug-2"):
        create(control_plane, pod(name, namespace))
        control_plane.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "-n", namespace, "--timeout=60s")
    async with looking(gateway.url) as client:
        for name in ("debug-1", "debug-2"):
            at = path.replace("web-0", name)
            found = await client.terminal(at, PLAIN, key=name, delete=at.removesuffix("/exec"))
            await (await client.look(found["terminal"])).sees("$ ")
        first = (await client.terminal("", key="debug-1", start="find"))["terminal"]
        await client.ask(messages.Hangup, terminal=first)
        await waiting.until(lambda: "debug-1" not in pods(), "it is deleted", seconds=WAIT_SECONDS, pause=0.2)
        assert "debug-2" in pods()
    gateway.stop()
    await waiting.until(lambda: "debug-2" not in pods(), "it is deleted", seconds=WAIT_SECONDS, pause=0.2)
    assert "web-0" in pods()


async def test_an_api_server_that_goes(
    control_plane_with: Callable[..., ControlPlane], start_gateway: Callable[..., GatewayProcess]
) -> None:
    plane = control_plane_with()
    create(plane, pod("web-0", "default"))
    plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=60s")
    gateway = start_gateway(plane.kubeconfig, "--write")
    async with looking(gateway.url) as client:
        path = "/api/v1/namespaces/default/pods/web-0/exec"
        terminal = (await client.terminal(path, PLAIN, query("sh")))["terminal"]
        screen = await client.look(terminal)
        await screen.sees("$ ")
        plane.kill("apiserver")
        lost = await screen.reaches("lost")
        assert (lost["code"], lost["what"]) == (
            "unreachable",
            "the connection to the API server ended before the program did",
        )
        assert [state["state"] for state in screen.states] == ["starting", "running", "lost"], "no other shell is tried"
        await screen.type("not read by anybody\r")
        await client.terminal("", start="again", terminal=terminal)
        await screen.until(lambda: screen.state["run"] == 2 and screen.state["state"] == "lost")
        plane.start("apiserver")
        screen.output.clear()
        await client.terminal("", start="again", terminal=terminal)
        await screen.sees("$ ")
        await screen.type("echo again\r")
        await screen.sees("again\r\n")
        assert b"not read" not in screen.output


def running(word: str) -> bool:
    return any(word in " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
