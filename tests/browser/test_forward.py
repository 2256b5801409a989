"""A forwarded port in a real JupyterLab: its widget, and a pod's page under the Jupyter server's address."""

from __future__ import annotations

import importlib.util
import re
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.lab import Lab, Notebook
from tests.conftest import need
from tests.controlplane.test_exec import pod
from tests.controlplane.test_whole_way import create
from tests.testbed.control_plane import ControlPlane

PROXY = "jupyter_server_proxy"
NO_PROXY = None if importlib.util.find_spec(PROXY) else f"no {PROXY}: pip install jupyter-server-proxy"

PAGE = """<!doctype html><meta charset="utf-8"><title>a pod's page</title><h1>a pod's page</h1><p id="found"></p>
<script src="more.js"></script>
<script>
const said = [];
for (const look of [
  () => `origin ${self.origin}`,
  () => `cookie ${document.cookie}`,
  () => `storage ${localStorage.length}`,
  () => `opener ${opener}`,
]) { try { said.push(look()); } catch (error) { said.push(error.name); } }
fetch("/api/contents").then((answer) => answer.text(), (error) => error.name).then((text) => {
  said.push(`contents ${text.slice(0, 40)}`);
  document.getElementById("found").textContent = said.join(" | ");
});
</script>"""


class Pages(BaseHTTPRequestHandler):
    """The server in the pod."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append(f"{self.path} {self.headers}")  # type: ignore[attr-defined]
        content = bytes(int(self.path[1:])) if self.path[1:].isdigit() else PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Set-Cookie", "stolen=1; Path=/")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Not into the test's output."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    seen: list[str]


@pytest.fixture
def served() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Pages) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def cells(control_plane: ControlPlane, namespace: str, served: Server) -> list[str]:
    """Connect, and forward a port of a pod behind a service."""
    create(control_plane, pod("web-0", namespace))
    ports = [{"port": 80, "targetPort": served.server_port}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace}}
    create(control_plane, service | {"spec": {"selector": {"app": "web-0"}, "ports": ports}})
    control_plane.kubectl("wait", "--for=condition=Ready", "pod/web-0", "-n", namespace, "--timeout=60s")
    connect = f"nm.connect(kubeconfig={str(control_plane.kubeconfig)!r}, namespace={namespace!r}, write=True)"
    return [f"import notebook_mux as nm, urllib.request\n{connect};", "web = nm.port_forward('svc/web', 80)\nweb"]


def see(notebook: Notebook, text: str | re.Pattern[str], *, seconds: float = 30) -> None:
    """Wait until the live view shows a text."""
    view = notebook.output(1).locator("div.root")
    view.get_by_text(text).locator("visible=true").first.wait_for(timeout=seconds * 1000)


def test_its_widget(notebook: Notebook, cells: list[str], control_plane: ControlPlane, namespace: str):
    notebook.open([*cells, "nm.port_forward('svc/web', 80) is web"])
    notebook.run_all()
    see(notebook, "web-0:")
    see(notebook, "listening")
    link = notebook.output(1).get_by_role("link")
    url = link.get_attribute("href")
    assert url is not None
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
    assert link.get_attribute("rel") == "noopener noreferrer"
    notebook.wait_for_output(2, "True")
    with urllib.request.urlopen(f"{url}3000000", timeout=30) as answer:
        assert len(answer.read()) == 3_000_000
    see(notebook, "3.0 MB")
    see(notebook, re.compile("1 in all"))
    for size in (900_000, 2_000_000, 400_000):
        with urllib.request.urlopen(f"{url}{size}", timeout=30) as answer:
            answer.read()
        notebook.page.wait_for_timeout(1000)  # one figure a second is the picture's step
    notebook.screenshot("forward")
    control_plane.kubectl("delete", "pod", "web-0", "-n", namespace, "--now")
    control_plane.kubectl("wait", "--for=delete", "pod/web-0", "-n", namespace, "--timeout=60s")
    with pytest.raises(OSError, match=r"reset|closed|aborted|Broken pipe"):
        urllib.request.urlopen(url, timeout=30)
    see(notebook, "lost")
    see(notebook, re.compile('1 failed, last: .*pods "web-0" not found'))
    notebook.theme("dark")
    notebook.screenshot("forward-lost-dark")
    notebook.reload()
    see(notebook, "lost")
    notebook.output(1).get_by_role("button", name="Close").click()
    see(notebook, "no local port")
    notebook.screenshot("forward-closed-dark")


def test_a_restarted_kernel_finds_it(notebook: Notebook, cells: list[str]):
    notebook.open(cells)
    notebook.run_all()
    see(notebook, "listening")
    link = notebook.output(1).get_by_role("link")
    url = link.get_attribute("href")
    assert url is not None
    notebook.restart_kernel()
    with urllib.request.urlopen(f"{url}10", timeout=30) as answer:
        assert len(answer.read()) == 10  # it goes on meanwhile
    notebook.run_all()
    see(notebook, "listening")
    see(notebook, re.compile(r"[1-9]\d* in all"))  # of before
    assert link.get_attribute("href") == url


def test_a_page_through_the_jupyter_server(notebook: Notebook, lab: Lab, cells: list[str], served: Server):
    need(NO_PROXY)
    notebook.open([*cells, "print(web.jupyter_url(trusted=True))"])
    notebook.run_all()
    notebook.wait_for_output(2, "/proxy/")
    path = notebook.output(2).inner_text().strip()
    page: Page = notebook.page.context.new_page()
    notebook.page.context.add_cookies([{"name": "mine", "value": "canary-1", "url": lab.url}])
    answer = page.goto(f"{lab.url.rstrip('/')}{path}?token={lab.token}")
    assert answer is not None
    assert (answer.status, answer.headers["content-security-policy"]) == (200, "sandbox allow-scripts allow-forms")
    assert "set-cookie" not in answer.headers
    page.locator("#found").get_by_text("contents").wait_for()
    found = page.locator("#found").inner_text()
    said = found.split(" | ")
    assert said[:4] == ["origin null", "SecurityError", "SecurityError", "opener null"], found
    assert said[4] == "contents TypeError", "its requests are a stranger's"
    page.screenshot(path=str(notebook.screenshot("page").with_name("forward-page.png")))
    page.close()
    # Of the page's other files nothing comes through: Chromium sends no cookie from a sandbox, so Jupyter refuses them.
    assert [headers.split()[0] for headers in served.seen] == ["/"]
    for headers in served.seen:
        assert not any(word in headers for word in ("canary-1", lab.token, "Cookie", "Authorization", "Referer"))


@pytest.mark.parametrize("way", ["proxy/{}/", "proxy/absolute/{}/"])
def test_the_port_itself_shows_nothing_there(notebook: Notebook, lab: Lab, cells: list[str], served: Server, way: str):
    need(NO_PROXY)
    notebook.open(cells)
    notebook.run_all()
    see(notebook, "listening")
    url = notebook.output(1).get_by_role("link").get_attribute("href")
    assert url is not None
    page = notebook.page.context.new_page()
    answer = page.goto(lab.url + way.format(urlsplit(url).port))
    assert answer is not None
    assert answer.status >= 500
    assert "a pod's page" not in page.content()
    assert served.seen == []
    page.goto(url)
    page.get_by_role("heading", name="a pod's page").wait_for()
    page.close()
    see(notebook, re.compile(re.escape("jupyter_url(trusted=True)")))
