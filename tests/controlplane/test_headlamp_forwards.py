"""Ports of pods by way of Headlamp servers: a real one where it is named, and our gateway's dialect."""

from __future__ import annotations

import hashlib
import random
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.kernel import core as core_module, holder
from notebook_mux.kernel.dialect import Opener
from tests import waiting
from tests.controlplane.test_exec import pod
from tests.controlplane.test_port_forward import get, served
from tests.controlplane.test_whole_way import create
from tests.headlamp import CERTIFICATE, SERVERS, HeadlampServer, kubeconfig_of, start_headlamp
from tests.testbed.control_plane import ControlPlane

__all__ = ["served", "start_headlamp"]

WAIT_SECONDS = 40.0
SIZE = 5 * 1024 * 1024

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)


@pytest.fixture(params=SERVERS)
def forward(
    request: pytest.FixtureRequest,
    control_plane: ControlPlane,
    namespace: str,
    served: int,
    tmp_path: Path,
    start_headlamp: Callable[..., HeadlampServer],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[nm.Forward]:
    """Of a running pod, by way of a server of each kind, both spoken to as Headlamp's."""
    monkeypatch.setattr(core_module, "Opener", lambda **options: Opener(headlamp=True, **options))
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    server = start_headlamp(request.param, kubeconfig_of(control_plane, tmp_path / "kubeconfig"))
    nm.connect(CERTIFICATE, url=server.url, write=True, namespace=namespace)
    with nm.port_forward("web-0", served) as made:
        yield made
    nm.close()


def status(forward: nm.Forward) -> Any:
    return holder.core().status(forward._connection)


def test_every_byte_both_ways(forward: nm.Forward) -> None:
    assert get(forward) == b"hello /x\n"
    assert get(forward, f"/bytes/{SIZE}") == random.Random(1).randbytes(SIZE)
    with urllib.request.urlopen(forward.url, data=bytes(SIZE), timeout=WAIT_SECONDS) as answer:
        assert answer.read() == hashlib.sha256(bytes(SIZE)).hexdigest().encode()


def test_twenty_at_once_and_their_sockets(forward: nm.Forward) -> None:
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(partial(get, forward), [f"/{n}" for n in range(20)])) == [
            f"hello /{n}\n".encode() for n in range(20)
        ]
    eventually(lambda: status(forward)["direct_sockets"] == 0, "each has been closed")


def test_the_same_cell_gives_the_same_forward(forward: nm.Forward, served: int) -> None:
    port = forward.port
    holder.core().cut(forward._connection)
    eventually(lambda: forward.state == "offline" or status(forward)["reconnects"])
    eventually(lambda: nm.port_forward("web-0", served).port == port)
    assert get(forward) == b"hello /x\n"
