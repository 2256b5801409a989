"""`nm.shell` against a real API server and a gateway that is started as a notebook starts it."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.manager import KernelManager

import notebook_mux as nm
from notebook_mux.handles import shells
from notebook_mux.kernel import holder
from notebook_mux.life import runtime
from notebook_mux.life.name import ServiceName
from tests import waiting
from tests.controlplane.pages import Page
from tests.controlplane.terminals import sized
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create, user
from tests.testbed.control_plane import ControlPlane

WAIT_SECONDS = 40.0
ROOT = Path(__file__).resolve().parents[2]

eventually = partial(waiting.eventually, seconds=WAIT_SECONDS, pause=0.05)


@pytest.fixture
def web(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    """A running pod, and a manager that may write."""
    create(control_plane, pod("web-0", namespace, initContainers=[{"name": "setup", "image": "x"}]))
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    nm.connect(kubeconfig=control_plane.kubeconfig, write=True, namespace=namespace)
    yield "web-0"
    nm.close()


def stands(terminal: Any, state: str) -> None:
    eventually(lambda: terminal.state == state, f"{state}; {terminal.session!r}")


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def pid(page: Page) -> int:
    """The shell's process."""
    return int(page.ask("echo $$"))


class Kernel:
    """A real kernel, in which cells are run; as the Jupyter server starts one for a notebook."""

    def __init__(self, notebook: str, kubeconfig: Path, namespace: str) -> None:
        self.manager = KernelManager()
        self.connect = f"import notebook_mux as nm; nm.connect(kubeconfig={str(kubeconfig)!r}, write=True,"
        self.connect += f" namespace={namespace!r}); from tests.controlplane.pages import Page"
        self.manager.start_kernel(env={**os.environ, "JPY_SESSION_NAME": notebook}, cwd=str(ROOT))
        self._begin()

    def _begin(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=WAIT_SECONDS)
        self.run(self.connect)

    def run(self, code: str) -> str:
        """What a cell prints; an error fails the test."""
        printed: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            content = message["content"]
            if message["msg_type"] == "error":
                printed.append("\n".join(content["traceback"]))
            elif message["msg_type"] == "stream" and content["name"] == "stdout":
                printed.append(content["text"])

        reply = self.client.execute_interactive(code, timeout=2 * WAIT_SECONDS, output_hook=hear)
        assert reply["content"]["status"] == "ok", "".join(printed)
        return "".join(printed).strip()

    def pid(self, shell: str = "nm.shell('web-0')") -> int:
        """The process of a terminal that this kernel has."""
        return int(self.run(f"print(Page({shell}.session).ask('echo $$'))"))

    def restart(self, now: bool = False) -> None:
        """As *Restart* in the notebook's menu: another process, the same connection file. `now` kills it."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=now)
        self._begin()

    def end(self) -> None:
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel()


@pytest.fixture
def kernel(web: str, control_plane: ControlPlane, namespace: str) -> Iterator[Callable[[str], Kernel]]:
    """``kernel("lesson.ipynb")``: a kernel of that notebook, connected."""
    kernels: list[Kernel] = []

    def start(notebook: str) -> Kernel:
        kernels.append(Kernel(notebook, control_plane.kubeconfig, namespace))
        return kernels[-1]

    yield start
    for one in kernels:
        one.end()


def test_a_restarted_kernel_finds_the_same_process(kernel: Callable[[str], Kernel]) -> None:
    one = kernel("lesson.ipynb")
    shell = one.pid()
    before = int(one.run("import os; print(os.getpid())"))
    one.restart()
    assert int(one.run("import os; print(os.getpid())")) != before
    assert one.pid() == shell
    assert one.run("t = nm.shell('web-0'); print(t.pod, t.container, t.state, len(t.session.containers))") == (
        "web-0 main running 3"
    )
    one.restart(now=True)
    assert one.pid() == shell, "also one that was killed"
    one.run("nm.shell('web-0').close()")
    assert one.pid() != shell
    one.run("nm.close()")


def test_another_kernel_of_the_notebook_may_take_it_over(kernel: Callable[[str], Kernel]) -> None:
    first, other = kernel("lesson.ipynb"), kernel("another.ipynb")
    shell = first.pid()
    first.run("Page(nm.shell('web-0').session).type('echo re''membered\\r')")
    second = kernel("lesson.ipynb")
    assert second.pid() != shell, "what belongs to another kernel is taken by asking only"
    assert second.run("print(nm.shell('web-0').session.others)") == "[]", "while that is there, by nobody"
    own = second.pid()
    first.end()
    second.run("nm.shell('web-0').close(); t = nm.shell('web-0')")
    assert int(second.run("print(Page(t.session).ask('echo $$'))")) not in (shell, own)
    assert second.run("print(len(t.session.others), t.session.others[0]['title'])") == "1 web-0"
    second.run("page = Page(t.session); t.session.take(t.session.others[0]['terminal']); page.look()")
    assert int(second.run("print(page.ask('echo $$'))")) == shell
    assert second.run("print(page.sees('remembered').group())") == "remembered"
    assert second.run("print(nm.shell('web-0') is t, t.session.others)") == "True []"
    assert other.run("print(nm.shell('web-0').session.others)") == "[]"
    for one in (second, other):
        one.run("nm.close()")


def test_a_shell_is_the_same_for_the_same_words(web: str, namespace: str) -> None:
    terminal = nm.shell(web)
    assert (terminal.state, terminal.pod, terminal.container) == ("running", "web-0", "main")
    assert terminal.session.command == ("bash",)
    assert terminal.session.containers == [("main", "container"), ("side", "container"), ("setup", "init")]
    assert terminal.session.kept == 600.0
    page = Page(terminal.session)
    shell = pid(page)
    assert psutil.Process(shell).name() == "bash"
    page.type("MARK=kept\r")
    assert nm.shell(web) is terminal
    assert nm.shell(f"pod/{web}", namespace=namespace) is terminal
    assert nm.shell(nm.get("pods", web)) is terminal
    assert pid(Page(nm.shell(web).session)) == shell
    second = nm.shell(web, name="second")
    assert second is not terminal
    assert pid(Page(second.session)) != shell
    assert page.ask("echo $MARK") == "kept"


def test_sizes_and_the_exit_code_and_the_next_run(web: str) -> None:
    terminal = nm.shell(web, "sh")
    page = Page(terminal.session, 101, 33)
    assert page.ask(sized(101, 33)) == "33 101"
    first = pid(page)
    with pytest.raises(nm.InvalidArgument, match="still runs"):
        terminal.again()
    page.type("exit 7\r")
    stands(terminal, "ended")
    assert terminal.returncode == 7
    assert nm.shell(web, "sh") is terminal
    terminal.again()
    stands(terminal, "running")
    assert terminal.returncode is None
    assert pid(page) != first
    assert terminal.session.run == 2


def test_closing_ends_the_process(web: str) -> None:
    terminal = nm.shell(web)
    shell = psutil.Process(pid(Page(terminal.session)))
    terminal.close()
    eventually(partial(is_gone, shell), "the process has ended")
    assert terminal.state == "closed"
    other = nm.shell(web)
    assert other is not terminal
    assert pid(Page(other.session)) != shell.pid


def test_closing_the_manager_ends_all(web: str, control_plane: ControlPlane, namespace: str) -> None:
    manager = nm.connect(kubeconfig=control_plane.kubeconfig, write=True, namespace=namespace)
    terminals = [nm.shell(web), nm.shell(web, "sh"), nm.shell(web, container="side")]
    processes = [psutil.Process(pid(Page(terminal.session))) for terminal in terminals]
    assert manager.stats.terminals == 3
    listed = manager.status().data["terminals"]
    assert next((one["words"], one["state"], one["kept"]) for one in listed) == ("web-0", "running", 600.0)
    nm.close()
    for process in processes:
        eventually(partial(is_gone, process), "it has ended")
    assert {terminal.state for terminal in terminals} == {"closed"}


def test_containers_and_what_is_not_there(web: str, control_plane: ControlPlane, namespace: str) -> None:
    page = Page(nm.shell(web, container="side").session)
    assert page.ask("echo $CONTAINER") == "side"
    with pytest.raises(nm.InvalidArgument, match="no container 'nope'") as caught:
        nm.shell(web, container="nope")
    assert caught.value.todo == "one of: main, side, setup"
    with pytest.raises(nm.NotFound, match="'no-such-command' cannot be run in container main"):
        nm.shell(web, "no-such-command --now")
    with pytest.raises(nm.NotFound, match="web-1"):
        nm.shell("web-1")
    control_plane.kubectl("run", "done", "-n", namespace, "--image=x", "--restart=Never")
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/done", "-n", namespace, "--timeout=60s")
    ended = '{"status":{"phase":"Succeeded"}}'
    control_plane.kubectl("patch", "pod", "done", "-n", namespace, "--subresource=status", "-p", ended)
    with pytest.raises(nm.InvalidArgument, match="has ended"):
        nm.shell("done")


def test_other_shells_where_there_is_no_bash(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shells, "UNIX", ("no-bash-here", "sh"))
    terminal = nm.shell(web)
    eventually(lambda: terminal.session.command == ("sh",), "sh was taken")
    assert psutil.Process(pid(Page(terminal.session))).name() in ("sh", "dash", "bash")
    monkeypatch.setattr(shells, "UNIX", ("no-bash-here", "no-sh-here"))
    with pytest.raises(nm.NotFound, match="no-bash-here, no-sh-here, powershell, cmd were tried") as caught:
        nm.shell(web, container="side")
    assert "nm.shell('web-0', image='busybox')" in (caught.value.todo or "")


def test_workloads_and_selectors_pick_a_pod_and_stay_in_it(
    web: str, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("create", "deployment", "api", "-n", namespace, "--image=x", "--replicas=2")
    control_plane.kubectl("rollout", "status", "deployment/api", "-n", namespace, "--timeout=60s")
    terminal = nm.shell("deploy/api")
    picked = terminal.pod
    assert picked.startswith("api-")
    assert terminal.words == f"{picked} (deploy/api)"
    assert nm.shell("deployments.apps/api") is terminal
    assert nm.shell("app=api").pod == nm.shell({"app": "api"}).pod == picked
    control_plane.kubectl("delete", "pod", picked, "-n", namespace, "--force", "--grace-period=0")
    control_plane.kubectl("rollout", "status", "deployment/api", "-n", namespace, "--timeout=60s")
    assert nm.shell("deploy/api") is terminal
    assert terminal.pod == picked
    terminal.close()
    assert nm.shell("deploy/api").pod != picked


def test_the_containers_own_program(web: str, control_plane: ControlPlane, namespace: str) -> None:
    with_terminal = [{"name": "main", "image": "x", "stdin": True, "tty": True}]
    create(control_plane, {**pod("repl", namespace), "spec": {"containers": with_terminal}})
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/repl", "-n", namespace, "--timeout=60s")
    terminal = nm.shell("repl", attach=True)
    session: Any = terminal.session
    assert (session.attached, session.stdin, session.tty) == (True, True, True)
    assert terminal.words == "attached to repl"
    session = nm.shell(web, attach=True).session
    assert (session.stdin, session.tty) == (False, False)


def test_a_debug_container_beside_the_others(web: str, control_plane: ControlPlane, namespace: str) -> None:
    terminal = nm.shell(web, image="busybox", container="main")
    assert terminal.words == "web-0 (debug container of busybox)"
    assert (terminal.pod, terminal.container.startswith("debugger-")) == (web, True)
    page = Page(terminal.session)
    assert page.ask("echo $CONTAINER") == terminal.container
    assert nm.shell(web, image="busybox", container="main") is terminal
    page.type("exit\r")
    stands(terminal, "ended")
    terminal.again()
    assert page.ask("echo $CONTAINER") == terminal.container, "the container is still there, and so its shell"
    with pytest.raises(nm.InvalidArgument):
        nm.shell(web, image="not an image")


def test_a_shell_on_a_node_is_deleted_with_its_terminal(web: str, control_plane: ControlPlane, namespace: str) -> None:
    node = nm.get("nodes").objects[0].name
    terminal = nm.shell(f"node/{node}")
    pods = partial(control_plane.kubectl, "get", "pods", "-n", namespace, "-o", "name")
    assert f"pod/{terminal.pod}" in pods()
    assert terminal.words == f"node/{node}"
    assert Page(terminal.session).ask("echo here") == "here"
    assert nm.shell(f"nodes/{node}") is terminal
    terminal.close()
    eventually(lambda: f"pod/{terminal.pod}" not in pods(), "its pod is deleted")
    with pytest.raises(nm.NotFound, match="no-such-node"):
        nm.shell("node/no-such-node")


def test_looking_only_and_the_missing_right(
    web: str, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    reader = user(control_plane, tmp_path / "config", "reader", namespace, "get,list,watch pods", "get pods/exec")
    nm.connect(kubeconfig=reader, namespace=namespace)
    with pytest.raises(nm.WriteRefused, match="look only"):
        nm.shell(web)
    manager = nm.connect(kubeconfig=reader, namespace=namespace, write=True)
    with pytest.raises(nm.Forbidden, match=f"you may not create pods/exec in namespace {namespace}"):
        nm.shell(web)
    with pytest.raises(nm.Forbidden, match="you may not get pods/attach"):
        nm.shell(web, attach=True)
    manager.close()


def imported_anew() -> Any:
    for name in [name for name in sys.modules if name == "notebook_mux" or name.startswith("notebook_mux.")]:
        del sys.modules[name]
    return importlib.import_module("notebook_mux")


def test_modules_that_are_imported_anew_find_the_same_process(web: str) -> None:
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "notebook_mux"}
    first = nm.shell(web)
    shell = pid(Page(first.session))
    try:
        new = imported_anew()
        found = new.shell(web)
        assert found is not first
        assert found is new.shell(web)
        assert pid(Page(found.session)) == shell
        assert (found.pod, found.session.containers) == (first.pod, first.session.containers)
        found.close()
        assert first.state == "closed"
        assert new.shell(web) is not found
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "notebook_mux"]:
            del sys.modules[name]
        sys.modules.update(before)


def test_a_lost_socket_shows_what_was_missed(web: str, tmp_path: Path) -> None:
    terminal = nm.shell(web)
    page = Page(terminal.session)
    shell = pid(page)
    told = tmp_path / "told"
    page.type(f"echo wai''ts; until [ -e {told} ]; do sleep 0.05; done; echo be''hind\r")
    page.sees("waits")
    holder.core().cut("auto")
    eventually(lambda: any(word["type"] == "offline" for word in page.words), "it is told")
    told.touch()
    # Shown by the next socket, and then the page may type on: what it types before is nobody's.
    page.sees("behind")
    stands(terminal, "running")
    assert pid(page) == shell


def test_a_gateway_that_is_killed_starts_nothing_by_itself(web: str) -> None:
    terminal = nm.shell(web)
    page = Page(terminal.session)
    shell = psutil.Process(pid(page))
    running = runtime.read(ServiceName("gateway").runtime_file())
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    stands(terminal, "lost")
    assert "the gateway that held it is gone" in terminal.reason
    assert nm.shell(web) is terminal
    eventually(partial(is_gone, shell), "its stream has ended")
    terminal.again()
    stands(terminal, "running")
    page.look()
    assert pid(page) != shell.pid
