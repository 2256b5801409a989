"""A view whose socket is cut at any byte of either direction: every byte shown once, every key at most once, in order.

The API server and its kubelet are real, and so is the gateway's process; the client follows PROTOCOL.md and no more.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from websockets.exceptions import WebSocketException

from notebook_mux.wire import messages
from tests.controlplane.terminals import Looker, Screen, looking, query
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create
from tests.fault.conftest import GatewayProcess
from tests.fault.proxy import Faults, Proxy
from tests.testbed.control_plane import ControlPlane
from tests.waiting import until

GREETING = 1200
"""Bytes in either direction until a view may be there: less than an upgrade, a hello, contexts and a scope."""

WAIT_SECONDS = 40.0
LINES = 20_000
COUNTED = "".join(f"{n}\r\n" for n in range(1, LINES + 1)).encode()
MANY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LOST = OSError, WebSocketException


class Typist:
    """Looks and types over one socket after another."""

    def __init__(self, url: str, path: str, folder: Path) -> None:
        self.url, self.path, self.key = url, path, secrets.token_hex(8)
        self.started, self.read = folder / f"{self.key}-started", folder / f"{self.key}-read"
        script = f"echo x >> {self.started}; seq 1 {LINES}; stty raw -echo; printf ready; tee {self.read}"
        self.query = query("sh", "-c", script)
        self.output = b""
        self.events: list[str] = []
        self.place = -1
        self.view = secrets.token_hex(8)
        self.typed = bytearray()
        """What was taken, as far as is known, and what was sent on the socket of now."""
        self.lost = 0
        self.keys = (f"<{n}>".encode() for n in range(1 << 20))
        self.shown = 0

    async def sit_down(self, most: int) -> bool:
        """One socket: type up to so many keys, until it breaks or, with none to type, all is shown; whether it is."""
        screen: Screen | None = None
        try:
            async with looking(self.url) as client:
                screen = await self._look(client)
                while not client.closed and not (most <= 0 and self._has_all(screen)):
                    if most > 0 and b"ready" in self.output + screen.output:
                        most -= 1
                        key = next(self.keys)
                        self.typed += key
                        await screen.type(key)
                    await asyncio.sleep(0.001)
                return not client.closed
        except LOST:
            return False
        finally:
            if screen is not None:
                self.output += screen.output
                self.events += [state["state"] for state in screen.states]
                self.place = screen.place

    async def _look(self, client: Looker) -> Screen:
        found = await client.terminal(self.path, self.query, key=self.key)
        screen = await client.look(found["terminal"], view=self.view, received=self.place)
        assert screen.shown is not None, screen.ended
        assert screen.shown.place == max(self.place, 0)
        self.shown += 1
        # What was sent and not taken is not sent again.
        assert screen.shown.taken <= len(self.typed)
        self.lost += len(self.typed) - screen.shown.taken
        del self.typed[screen.shown.taken :]
        return screen

    def _has_all(self, screen: Screen) -> bool:
        return len(self.output) + len(screen.output) >= len(COUNTED + b"ready") + len(self.typed)


@pytest.fixture
def proxy(
    control_plane: ControlPlane,
    namespace: str,
    start_gateway: Callable[..., GatewayProcess],
    proxied: Callable[[GatewayProcess], tuple[Proxy, Callable[[], str]]],
) -> tuple[Proxy, str]:
    """Before a gateway whose cluster has the pod ``web-0``; with the gateway's URL through it."""
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    made, url = proxied(start_gateway(control_plane.kubeconfig, "--write"))
    return made, url()


CUTS = st.tuples(st.booleans(), st.integers(0, 4000) | st.integers(0, 300_000), st.sampled_from([3, 100, 65536]))


def test_cuts_at_any_byte(proxy: tuple[Proxy, str], namespace: str, tmp_path: Path) -> None:
    through, url = proxy
    path = f"/api/v1/namespaces/{namespace}/pods/web-0/exec"
    lost = shown = 0

    @MANY
    @given(cuts=st.lists(CUTS, min_size=1, max_size=4))
    def run(cuts: list[tuple[bool, int, int]]) -> None:
        nonlocal lost, shown
        typist = Typist(url, path, tmp_path)
        asyncio.run(session(typist, cuts))
        assert typist.output == COUNTED + b"ready" + bytes(typist.typed)
        assert typist.read.read_bytes() == bytes(typist.typed)
        assert typist.events == ["starting", "running"]
        assert typist.started.read_text() == "x\n"
        numbers = [int(key) for key in typist.typed.replace(b">", b" ").replace(b"<", b" ").split()]
        assert numbers == sorted(set(numbers)), "each once, in order"
        lost, shown = lost + typist.lost, shown + typist.shown

    async def session(typist: Typist, cuts: list[tuple[bool, int, int]]) -> None:
        for up, after, split in cuts:
            faults = Faults(cut_after=GREETING + after, split=split if after < 5000 else 65536)
            through.faults, through.sending = (Faults(), faults) if up else (faults, Faults())
            await asyncio.wait_for(typist.sit_down(200), WAIT_SECONDS)
        through.faults = through.sending = Faults()
        assert await asyncio.wait_for(typist.sit_down(20), WAIT_SECONDS)
        async with looking(typist.url) as client:
            found = await client.terminal(path, start="find", key=typist.key)
            await until(lambda: typist.read.read_bytes() == bytes(typist.typed), seconds=WAIT_SECONDS)
            await client.ask(messages.Hangup, terminal=found["terminal"])

    run()
    assert lost > 0, "some keys were on their way when the socket was cut"
    assert shown > MANY.max_examples
