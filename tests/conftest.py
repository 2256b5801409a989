"""What all tests share: a home of their own, and a real control plane for those that ask for one.

Nothing here touches what the developer runs: HOME, the kubeconfig and the folder of running gateways are the test
session's own from the first import on, and whatever was started in them is ended with the session.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests import beside, unpatched
from tests.testbed import build
from tests.testbed.control_plane import ControlPlane
from tests.waiting import eventually

HANDED = "NM_TEST_ENVIRON"
"""To sessions beside each other: the environment as it was, for they are started from a session's own."""
ORIGINAL_ENVIRON: dict[str, str] = json.loads(os.environ.pop(HANDED, "null")) or dict(os.environ)
RUNTIME = "NOTEBOOK_MUX_RUNTIME_DIR"
SESSION = "NOTEBOOK_MUX_TEST_SESSION"
"""Inherited by all that a test starts, so that what it leaves can be found."""
SESSION_HOME = Path(tempfile.mkdtemp(prefix="nm-", dir="/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else None))
"""Short, for a Unix socket's path has 104 characters on macOS and 108 on Linux."""

WITH_SERVERS_SECONDS = 300
"""The time limit of a test whose fixtures start a control plane or a JupyterLab; those wait 150 s at most, and another
session may run beside it."""
SERVERS = {"control_plane": "control_plane", "control_plane_with": "control_plane", "lab": "browser"}
"""Fixtures that start servers, and the marker that a test with one of them gets."""
WITH_EITHER = {"controlplane", "fault"}
"""Folders whose tests ask for the one server or the other while they are set up, which shows in no signature."""
END_SECONDS = 5.0
END_ROUNDS = 5
"""A process that ends may have started another a moment before; the last round finds none."""


# No test is about how long something takes, on this machine or a slow one.
settings.register_profile("anywhere", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("anywhere")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """The whole suite runs in sessions beside each other."""
    if beside.wanted(config):
        beside.distribute(config)


def pytest_configure(config: pytest.Config) -> None:
    """Move into the session's own home before any test module is imported."""
    if is_beside(config):  # a Unix socket's name must fit below it
        config.option.basetemp = Path(tempfile.mkdtemp(prefix="nt-", dir=SESSION_HOME.parent))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it to what it starts in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # What belongs to tools and not to us stays where it was.
    os.environ["NOTEBOOK_MUX_TESTBED_CACHE"] = str(build.cache_folder())
    own = {"XDG_CACHE_HOME": ".cache", "XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share",
           "XDG_STATE_HOME": ".local/state", "XDG_RUNTIME_DIR": "xdg", RUNTIME: "run"}  # fmt: skip
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(SESSION_HOME)
    for name, folder in own.items():
        path = SESSION_HOME / folder
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ[name] = str(path)
    strangers = ("NOTEBOOK_MUX_", "JUPYTER", "JPY_", "KUBERNETES_", "IPYTHON")
    for name in [n for n in os.environ if n.startswith(strangers)]:
        if name not in (RUNTIME, "NOTEBOOK_MUX_TESTBED_CACHE"):
            del os.environ[name]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # Under nohup. What is started would ignore it as well, and a shell that does outlives its terminal.
        signal.signal(signal.SIGHUP, lambda *_: None)
    os.environ[SESSION] = str(SESSION_HOME)
    os.environ["KUBECONFIG"] = str(SESSION_HOME / "no-kubeconfig")
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
    if getattr(config.option, "tx", None):
        os.environ[HANDED] = json.dumps(ORIGINAL_ENVIRON)


def is_beside(config: pytest.Config) -> bool:
    """Whether this is a session beside another."""
    return hasattr(config, "workerinput")


@pytest.fixture(autouse=True, scope="module")
def _left_open() -> Iterator[None]:
    """What a module leaves open is told there, and not wherever garbage is collected next."""
    yield
    gc.collect()


@pytest.fixture
async def _loop_left_open() -> AsyncIterator[None]:
    """The last of an asynchronous test: its loop ends when all it listens to has closed, which is told by the far side.

    A connection whose peer has gone a moment before would end with the loop, and be found by another test.
    """
    from tests.serving import quiet  # not before the session's own home

    yield
    left = await quiet()
    assert not left, "connections that nobody closes"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests with servers carry their marker and a longer time limit."""
    for item in items:
        if item.path.parent.name in WITH_EITHER and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(WITH_SERVERS_SECONDS))
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.fixturenames.insert(0, "_loop_left_open")  # set up first, so that it ends last
        for name in SERVERS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(SERVERS[name])
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(WITH_SERVERS_SECONDS))
    if is_beside(config):
        beside.arrange(items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A session beside another is ended by the one that started it, soon after it has said that it is through."""
    if is_beside(session.config):
        leave()
        shutil.rmtree(session.config.option.basetemp, ignore_errors=True)


def pytest_unconfigure() -> None:
    """End what the tests started and left, and remove the session's home."""
    leave()


def leave() -> None:
    """End what the tests started and left, and remove the session's home; idempotent."""
    if os.environ.get(SESSION) == str(SESSION_HOME):
        holder = sys.modules.get("notebook_mux.kernel.holder")
        core = holder.running() if holder else None
        if core is not None:
            core.shutdown()  # or it would start a gateway anew in the place of the one that is ended
        for _ in range(END_ROUNDS):
            if not end_processes_of_session():
                break
        shutil.rmtree(SESSION_HOME, ignore_errors=True)


def end_processes_of_session() -> list[int]:
    """End every process that tests of this session started and left, but us; return their ids."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(SESSION) == str(SESSION_HOME):
                process.terminate()
                found.append(process)
    _, alive = psutil.wait_procs(found, timeout=END_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=END_SECONDS)
    return [process.pid for process in found]


@pytest.fixture(autouse=True)
def asyncio_unpatched() -> Iterator[None]:
    """What a test does to asyncio by nest_asyncio ends with the test."""
    yield
    unpatched.restore()


@pytest.fixture(autouse=True)
def _arranged_for_itself() -> Iterator[None]:
    """How a test arranges columns is forgotten after it: all later tables of the kind would have them so."""
    yield
    module = sys.modules.get("notebook_mux.widgets.layouts")
    if module is not None:
        module.layouts.flush(END_SECONDS)
    (SESSION_HOME / ".config" / "notebook-mux" / "layouts.json").unlink(missing_ok=True)
    if module is not None:
        module.layouts.load()


@pytest.fixture(scope="session")
def developer_environ() -> dict[str, str]:
    """The environment as it was before the session's own: for builds, which need the tools' caches and settings."""
    return dict(ORIGINAL_ENVIRON)


def need(sentence: str | None) -> None:
    """Skip with ``sentence``, if there is one; on CI, where nothing may be missing, fail with it."""
    if sentence is None:
        return
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real API server with all controllers and three nodes; shared, so leave it running and as you found it."""
    need(build.why_not())
    plane = ControlPlane(tmp_path_factory.mktemp("control-plane"))
    try:
        yield plane.up()
    finally:
        plane.down()


@pytest.fixture(scope="module")
def control_plane_with(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., ControlPlane]]:
    """``control_plane_with("--flag=value", nodes=1)``: one of its own, to break; ended with the test module.

    The same arguments give the same one again; another ``number`` is another one.
    """
    need(build.why_not())
    running: dict[tuple[object, ...], ControlPlane] = {}

    def start(*apiserver_args: str, nodes: int = 1, number: int = 0) -> ControlPlane:
        key = (*apiserver_args, nodes, number)
        if key not in running:
            folder = tmp_path_factory.mktemp("control-plane")
            plane = ControlPlane(folder, nodes=nodes, apiserver_args=apiserver_args)
            running[key] = plane
            plane.up()
        return running[key]

    try:
        yield start
    finally:
        for plane in running.values():
            plane.down()


@pytest.fixture
def namespace(control_plane: ControlPlane, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of this test's own in the shared control plane, deleted after it; its default account is there."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**10}"
    control_plane.kubectl("create", "namespace", name)
    accounts = ("get", "serviceaccounts", "--namespace", name, "--output", "name")  # a controller makes it, soon
    eventually(lambda: "serviceaccount/default" in control_plane.kubectl(*accounts), seconds=30, pause=0.05)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
