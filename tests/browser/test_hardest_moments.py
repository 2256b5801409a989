"""What stands in a cell and in a widget when something is locked, broken or missing: each moment tried for real."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from notebook_mux.life import neighbours
from notebook_mux.playground.server import ADMIN
from tests.browser.lab import Notebook
from tests.playground import RunningPlayground

PLUGIN = f"""#!{sys.executable}
import pathlib, sys
answer = pathlib.Path(__file__).with_name("answer.json")
if not answer.exists():
    sys.exit("Opening https://sso.example/device in your browser, code ABCD-EFGH ... no browser here: login expired")
print(answer.read_text())
"""
NEXT_TRY = re.compile(r"next try in \d+s")
NOT_SOON = re.compile(r"next try in \d{2,}s")


class Plugin:
    """An exec plugin that has a token to give, or wants a browser."""

    def __init__(self, folder: Path, cluster: RunningPlayground) -> None:
        self._cluster = cluster
        self._answer = folder / "answer.json"
        command = folder / "corp-login"
        command.write_text(PLUGIN)
        command.chmod(0o700)
        config = json.loads(cluster.kubeconfig.read_text())
        config["users"][0]["user"] = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": str(command),
                "interactiveMode": "IfAvailable",
            }
        }
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps(config))
        self.log_in(cluster.token)

    def log_in(self, token: str) -> None:
        """From now on it gives a token, which the cluster takes."""
        access = self._cluster.playground.served[0].access
        self._cluster.call(lambda: access.add(ADMIN, token))
        answer = {
            "kind": "ExecCredential",
            "apiVersion": "client.authentication.k8s.io/v1",
            "status": {"token": token},
        }
        self._answer.write_text(json.dumps(answer))

    def expire(self) -> None:
        """The cluster takes none of its tokens any more, and it has no other."""
        self._answer.unlink()
        access = self._cluster.playground.served[0].access
        self._cluster.call(lambda: access.remove(ADMIN.name))
        self._cluster.close_watches()


def gone(notebook: Notebook, index: int, words: str) -> None:
    """Wait until the live view in a cell's output says this nowhere any more."""
    view = notebook.output(index).locator("div.root")
    expect(view.get_by_text(re.compile(words)).locator("visible=true")).to_have_count(0)


def connect(kubeconfig: Path) -> str:
    return f"import notebook_mux as nm\nnm.connect(kubeconfig={str(kubeconfig)!r})"


def own_folder(path: Path, **variables: str) -> str:
    """Code that lets a kernel have a gateway of its own."""
    given = {"NOTEBOOK_MUX_RUNTIME_DIR": str(path), **variables}
    return f"import os; os.environ.update({given!r})"


def test_on_binder_without_a_cluster(notebook: Notebook):
    binder = {
        "BINDER_LAUNCH_HOST": "https://mybinder.org/", "BINDER_SERVICE_HOST": "10.0.0.9",
        "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443",
    }  # fmt: skip
    notebook.open([f"import os; os.environ.update({binder!r})", "import notebook_mux as nm; nm.connect()",
                   "nm.table('pods')", "nm.demo(); nm.table('pods', namespace='*')"])  # fmt: skip
    for index in range(4):
        notebook.run_cell(index)
    for index in (1, 2):
        notebook.wait_for_output(index, re.compile("NoCluster: no cluster to connect to"))
        said = notebook.output(index).inner_text()
        for looked in ("NOTEBOOK_MUX_URL", "KUBECONFIG", "/.kube/config", "a pod without the token"):
            assert looked in said
        assert "nm.demo() starts a cluster inside this machine" in said
        assert "Traceback" not in said
    notebook.see(3, "all namespaces")
    notebook.screenshots("cell")


def test_the_login_has_expired_and_its_plugin_wants_a_browser(
    notebook: Notebook, still_look: RunningPlayground, tmp_path: Path
):
    plugin = Plugin(tmp_path, still_look)
    notebook.open([connect(plugin.kubeconfig), "nm.table('pods', namespace='*')", "nm.watch('services')"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.see(0, "socket open")
    notebook.see(1, re.compile(r"^\d+ rows"))
    plugin.expire()
    for index in (0, 1):
        notebook.see(index, re.compile("no browser here: login expired"))
        notebook.see(index, re.compile(r"login since \d\d:\d\d:\d\d"))
        notebook.see(index, re.compile(r"rows are from \d\d:\d\d:\d\d"))
        notebook.see(index, NEXT_TRY)
        notebook.see(index, re.compile("in a terminal"))
    notebook.run_cell(2)
    notebook.wait_for_output(2, re.compile("LoginRequired"))
    said = notebook.output(2).inner_text()
    assert "no browser here: login expired" in said
    assert "next:" in said
    assert socket.gethostname() in said, "where it ran, and where one has to log in"
    notebook.screenshots("expired")
    notebook.see(1, NOT_SOON)  # or it would be tried before the button is pressed, which goes then
    plugin.log_in("renewed")
    notebook.output(1).get_by_role("button", name="Retry now").click()
    for index in (0, 1):
        gone(notebook, index, "login since")
    notebook.run_cell(2)
    notebook.wait_for_output(2, re.compile("services in default"))
    notebook.screenshot("back")


def test_a_namespace_is_forbidden(notebook: Notebook, still_look: RunningPlayground):
    still_look.forbid(resource="secrets")
    still_look.forbid(resource="pods", namespace="kube-public")
    notebook.open([connect(still_look.kubeconfig), "nm.watch('pods', namespace='kube-public')",
                   "nm.table('pods', namespace=['default', 'kube-system'])", "nm.table('secrets')"])  # fmt: skip
    notebook.run_cell(0)
    notebook.run_cell(2)
    notebook.see(2, re.compile(r"^\d+ rows"))
    still_look.forbid(resource="pods", namespace="kube-system")  # it was taken away while it was watched
    still_look.close_watches()
    notebook.run_cell(1)
    notebook.run_cell(3)
    notebook.wait_for_output(1, re.compile("Forbidden"))
    said = notebook.output(1).inner_text()
    assert 'cannot watch resource "pods" in API group "" in the namespace "kube-public"' in said
    assert "namespace=['default'" in said
    assert "would work" in said
    notebook.see(2, re.compile(r"forbidden since .* in the namespace \"kube-system\""))
    notebook.see(2, re.compile(r"namespace=\['default'\] would work: you may list and watch pods there"))
    notebook.see(2, re.compile(r"^\d+ rows"))
    notebook.wait_for_output(3, re.compile("none allows it"))
    notebook.see(0, re.compile("forbidden since"))
    notebook.screenshots("forbidden")


def test_the_cluster_is_unreachable(notebook: Notebook, still_look: RunningPlayground):
    notebook.open([connect(still_look.kubeconfig), "nm.table('pods', namespace='*')", "nm.get('services')"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.see(1, re.compile(r"^\d+ rows"))
    notebook.see(0, "pods in all namespaces")
    still_look.stop()
    address = still_look.url.removeprefix("https://")
    for index in (0, 1):
        notebook.see(index, re.compile(rf"unreachable since .*no connection to https://{re.escape(address)}"))
        notebook.see(index, re.compile(rf"its VPN must be up on {re.escape(socket.gethostname())}"))
        notebook.see(index, re.compile(r"rows are from \d\d:\d\d:\d\d"))
        notebook.see(index, NEXT_TRY)
    notebook.run_cell(2)
    notebook.wait_for_output(2, re.compile("Unreachable"))
    said = notebook.output(2).inner_text()
    assert address in said
    assert "must be up on" in said
    assert re.search(r"after \d+\.\d s| within \d+", said), "after how long"
    notebook.screenshots("away")
    still_look.start()  # and nobody does anything
    for index in (0, 1):
        gone(notebook, index, "unreachable since")
    notebook.screenshot("back")


def test_the_kernel_was_restarted_and_the_saved_notebook_has_none(new_page, still_look: RunningPlayground):
    notebook: Notebook = new_page(errors=True)  # JupyterLab logs the model that is not there any more
    notebook.open([connect(still_look.kubeconfig), "nm.table('pods', namespace='*')"])
    notebook.run_all()
    notebook.see(1, re.compile(r"^\d+ rows"))
    notebook.restart_kernel()
    for index in (0, 1):
        notebook.see(index, re.compile("Not live since .*: the kernel has gone. Run the cell again."))
    notebook.screenshots("gone")
    notebook.run_all()
    for index in (0, 1):
        notebook.see(index, re.compile(r"^\d+ rows|socket open"))
        gone(notebook, index, "Not live")
    notebook.screenshot("live-again")
    notebook.save()
    reader: Notebook = new_page(errors=True)
    copied = f"read-{notebook.name}"  # as it lies in a repository: there is a kernel for the other one
    (notebook.lab.root / copied).write_bytes((notebook.lab.root / notebook.name).read_bytes())
    reader.open_without_kernel(copied)
    for index in (0, 1):
        copy = reader.output(index).locator(".notebook-mux-copy")
        copy.wait_for()
        assert re.search(r"copy of 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", copy.inner_text())
        said = reader.output(index).inner_text()
        assert "Loading widget" not in said
        assert "Error" not in said
    reader.screenshots("no-kernel")


class Stranger:
    """Listens on a port and answers what an HTTP server of somebody else's answers."""

    def __init__(self, status: int, body: str) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    made = Stranger(200, "It works!")
    yield made
    made.close()


@pytest.fixture
def newer() -> Iterator[Stranger]:
    made = Stranger(400, "this gateway speaks the sub-protocol notebook-mux.v2; none else was agreed")
    yield made
    made.close()


def test_the_gateways_port_belongs_to_someone_else(
    notebook: Notebook, still_look: RunningPlayground, stranger: Stranger, tmp_path: Path
):
    left = f"""
from notebook_mux.life import files, runtime
from notebook_mux.life.name import ServiceName
name = ServiceName("gateway")
old = runtime.Entry(name.key(), 2**22, "1", 0.0, {stranger.port}, "t" * 40, "gone", name.key()["version"], {{}})
files.write_private(name.runtime_file(), old.dump())
"""
    notebook.open([own_folder(tmp_path / "run") + left, connect(still_look.kubeconfig), "nm.connect()"])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.wait_for_output(1, re.compile(f"port {stranger.port}, where the gateway was, belongs to another process"))
    notebook.see(1, "socket open")
    notebook.screenshots("said")
    notebook.run_cell(1)
    notebook.see(1, "socket open")
    assert "belongs to" not in notebook.output(1).inner_text(), "it is said once"


def test_two_hub_users_on_one_account(notebook: Notebook, still_look: RunningPlayground, tmp_path: Path):
    neighbours.note({"NOTEBOOK_MUX_RUNTIME_DIR": str(tmp_path / "run"), "JUPYTERHUB_USER": "ada"})
    hub = {"JUPYTERHUB_USER": "bob", "JUPYTERHUB_SERVICE_PREFIX": "/user/bob/"}
    notebook.open([own_folder(tmp_path / "run", **hub), connect(still_look.kubeconfig)])
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.wait_for_output(1, re.compile("the Hub's users bob and ada share one account"))
    notebook.see(1, "socket open")
    notebook.screenshots("said")
    notebook.run_cell(1)
    notebook.see(1, "socket open")
    assert "share one account" not in notebook.output(1).inner_text(), "it is said once"


def test_a_server_that_speaks_an_unknown_version(notebook: Notebook, newer: Stranger):
    notebook.open([f"import notebook_mux as nm; nm.connect(url='http://127.0.0.1:{newer.port}/')"])
    notebook.run_cell(0)
    notebook.wait_for_output(0, re.compile("speaks another version than this notebook, notebook-mux.v1"))
    said = notebook.output(0).inner_text()
    assert "this gateway speaks the sub-protocol notebook-mux.v2" in said
    assert "install one version of notebook-mux on both sides" in said
    assert "Traceback" not in said
    notebook.screenshots("cell")
