"""A program whose socket is cut at any byte: started once, its output whole and in order, its input read once.

The whole way is real: the API server and its kubelet, which runs processes of this machine, the gateway as a process of
its own, a proxy that breaks the socket, and the kernel's core.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import psutil
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from notebook_mux.kernel.failure import Failure
from notebook_mux.wire.remotecommand import outcome
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create
from tests.fault.conftest import GatewayProcess, TestedCore, eventually
from tests.fault.proxy import Faults, Proxy
from tests.testbed.control_plane import ControlPlane

SOURCE: dict[str, Any] = {"kubeconfig": None, "env": {}, "in_cluster": False}
GREETING = 2500
"""Bytes from the gateway until a socket is open: the upgrade, the welcome, the contexts, the scope."""
SCOPE = "manager-of-the-test"
MANY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Way(NamedTuple):
    """All that lies between the container and the reader."""

    gateway: GatewayProcess
    proxy: Proxy
    core: TestedCore
    conn: str
    ref: str
    path: str
    starts: Path
    """Each start of a program leaves a line in a file here."""

    def cut_and_open(self) -> None:
        """Another socket, with the faults of now. Counted by the proxy: the core may not know of the last cut yet."""

        def is_open() -> bool:
            return bool(self.core.status(self.conn)["state"] == "open")

        eventually(is_open, "the socket is open")
        before = self.proxy.accepted
        self.proxy.cut()
        eventually(lambda: self.proxy.accepted > before and is_open(), "another socket is open")

    def run(self, script: str, stdin: bytes | None = None, timeout: float | None = 60.0) -> Any:
        """Start a shell; gives its future and the name of the file that counts its starts."""
        counted = self.starts / secrets.token_hex(8)
        words = [("command", word) for word in ("sh", "-c", f"echo started >> {counted}; {script}")]
        flags = [
            ("container", "main"),
            ("stdout", "true"),
            ("stderr", "true"),
            *([("stdin", "true")] if stdin is not None else []),
        ]
        query = urlencode([*flags, *words], quote_via=quote)
        return self.core.exec(self.conn, self.ref, self.path, query, scope=SCOPE, stdin=stdin, timeout=timeout), counted


@pytest.fixture
def way(
    control_plane: ControlPlane,
    namespace: str,
    core: TestedCore,
    tmp_path: Path,
    start_gateway: Callable[..., GatewayProcess],
    proxied: Callable[[GatewayProcess], tuple[Proxy, Callable[[], str]]],
) -> Way:
    create(control_plane, pod("web-0", namespace))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    gateway = start_gateway(control_plane.kubeconfig, "--write")
    proxy, core.target = proxied(gateway)
    conn = core.connect(("auto", None), 20).result(30)
    ref = core.contexts(conn, SOURCE, None, 20).result(30)[0]["ref"]
    assert core.scope(conn, SCOPE, [ref]).result(20) == [ref]
    return Way(gateway, proxy, core, conn, ref, f"/api/v1/namespaces/{namespace}/pods/web-0/exec", tmp_path)


def test_cuts_at_any_byte(way: Way) -> None:
    content = random.Random(7).randbytes(300_000)
    numbers = "".join(f"{n}\n" for n in range(1, 30_001)).encode()

    def came_back(seen: int, future: Any) -> bool:
        return bool(future.done() or way.proxy.accepted > seen)

    @MANY
    @given(
        cuts=st.lists(st.integers(0, 500_000), min_size=1, max_size=4),
        split=st.sampled_from([7, 1000, 65536]),
        code=st.integers(0, 255),
    )
    def run(cuts: list[int], split: int, code: int) -> None:
        first, *others = cuts
        way.proxy.faults = Faults(cut_after=GREETING + first, split=split if first < 5000 else 65536)
        way.cut_and_open()
        way.proxy.faults = Faults(cut_after=others.pop() if others else None)
        future, counted = way.run(f"seq 1 30000; cat >&2; exit {code}", content)
        for cut in others:
            eventually(partial(came_back, way.proxy.accepted, future), "it comes back")
            way.proxy.faults = Faults(cut_after=cut)
            way.proxy.cut()
        way.proxy.faults = Faults()
        way.proxy.cut()
        status, stdout, stderr = future.result(60)
        assert outcome(status).code == code
        assert stdout == numbers
        assert hashlib.sha256(stderr).digest() == hashlib.sha256(content).digest()
        assert counted.read_text() == "started\n"

    run()
    assert way.proxy.accepted > MANY.max_examples


def test_it_goes_on_while_nobody_reads(way: Way) -> None:
    size = 6 * 1024 * 1024
    done = way.starts / "done"
    future, counted = way.run(f"yes 0123456789abcde | head -c {size}; touch {done}; exit 5")
    eventually(counted.exists, "it runs")
    way.proxy.refuse(True)
    way.proxy.cut()
    way.proxy.refuse(False)
    way.core.retry(way.conn)
    status, stdout, _ = future.result(60)
    assert (outcome(status).code, len(stdout)) == (5, size)
    assert stdout == b"0123456789abcde\n" * (size // 16)
    assert counted.read_text() == "started\n"


def test_a_gateway_that_is_killed_leaves_the_outcome_unknown(way: Way) -> None:
    future, counted = way.run("cat", b"")
    assert outcome(future.result(60)[0]).code == 0
    future, counted = way.run("while :; do echo x; sleep 0.1; done", timeout=None)
    eventually(counted.exists, "it runs")
    way.gateway.kill()
    way.gateway.start()
    way.core.retry(way.conn)
    with pytest.raises(Failure) as caught:
        future.result(60)
    assert (caught.value.code, caught.value.fields["what"]) == (
        "outcome-unknown",
        "the gateway that had started the program is gone",
    )
    assert counted.read_text() == "started\n"
    eventually(lambda: not running(str(counted)), "what is not read any more ends")


def test_an_api_server_that_goes_leaves_the_outcome_unknown(
    control_plane_with: Callable[..., ControlPlane], core: TestedCore, start_gateway: Callable[..., GatewayProcess]
) -> None:
    plane = control_plane_with()
    create(plane, pod("web-0", "default"))
    plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=60s")
    gateway = start_gateway(plane.kubeconfig, "--write")
    core.target = lambda: gateway.url
    conn = core.connect(("auto", None), 20).result(30)
    ref = core.contexts(conn, SOURCE, None, 20).result(30)[0]["ref"]
    core.scope(conn, SCOPE, [ref]).result(20)
    marker = plane.folder / "started"
    words = [("command", word) for word in ("sh", "-c", f"touch {marker}; while :; do echo x; sleep 0.1; done")]
    query = urlencode([("container", "main"), ("stdout", "true"), *words], quote_via=quote)
    future = core.exec(conn, ref, "/api/v1/namespaces/default/pods/web-0/exec", query, scope=SCOPE)
    eventually(marker.exists, "it runs")
    plane.kill("apiserver")
    with pytest.raises(Failure) as caught:
        future.result(60)
    assert (caught.value.code, caught.value.fields["what"]) == (
        "outcome-unknown",
        "the connection to the API server ended before the program did",
    )


def running(word: str) -> bool:
    return any(word in " ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
