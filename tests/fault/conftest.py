"""The whole way in pieces that can be broken one by one: playground, gateway process, proxy, core."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from notebook_mux.kernel.core import Core
from notebook_mux.urls import split_token
from tests import waiting
from tests.fault.proxy import Proxy
from tests.playground import playground, start_playground  # noqa: F401 - fixtures
from tests.serving import Place

WAIT_SECONDS = 30.0

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS)


@dataclass
class GatewayProcess:
    """A gateway run by hand, on the same port through restarts; each has a token of its own."""

    kubeconfig: Path
    port: int = 0
    url: str = ""
    arguments: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    place: Place = field(default_factory=Place)

    def start(self) -> GatewayProcess:
        """Start and wait for its URL."""
        command = [sys.executable, "-m", "notebook_mux.gateway", "--kubeconfig", str(self.kubeconfig)]
        command += ["--port", str(self.port), *self.arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.url
        self.place.give_up()
        self.port = urlsplit(self.url).port or 0
        return self

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> None:
        """End it as a service manager would."""
        assert self.process is not None
        self.process.terminate()
        self._reap()

    def _reap(self) -> None:
        assert self.process is not None
        self.process.wait(60)
        self.place.keep(self.port)  # for the next one, and whoever looks for the last finds nobody
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def start_gateway() -> Iterator[Callable[..., GatewayProcess]]:
    """Starts gateways and ends them."""
    started: list[GatewayProcess] = []

    def start(kubeconfig: Path, *arguments: str) -> GatewayProcess:
        made = GatewayProcess(kubeconfig, arguments=list(arguments)).start()
        started.append(made)
        return made

    yield start
    for gateway in started:
        with contextlib.suppress(subprocess.TimeoutExpired):
            gateway.stop()
        gateway.place.give_up()


class TestedCore(Core):
    """A core whose own gateway is the one that the test names: `target` gives its URL at each attempt."""

    __test__ = False
    target: Callable[[], str]

    def _gateway(self) -> tuple[str, str | None]:
        return split_token(self.target())


@pytest.fixture
def core() -> Iterator[TestedCore]:
    """A core of its own."""
    made = TestedCore()
    yield made
    made.shutdown()


@pytest.fixture
def proxied() -> Iterator[Callable[[GatewayProcess], tuple[Proxy, Callable[[], str]]]]:
    """Puts a proxy before a gateway: (proxy, what gives the URL that goes through it)."""
    made: list[Proxy] = []

    def put(gateway: GatewayProcess) -> tuple[Proxy, Callable[[], str]]:
        proxy = Proxy(gateway.port)
        made.append(proxy)
        return proxy, lambda: gateway.url.replace(f":{gateway.port}", f":{proxy.port}", 1)

    yield put
    for proxy in made:
        proxy.close()
