"""What kubectl gets of a notebook's clusters: who may use it, and what nobody gets to see."""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import nbformat
import pytest
import yaml
from yarl import URL

from notebook_mux.playground.scenarios import Settings
from tests.playground import RunningPlayground, playground, start_playground  # noqa: F401 - fixtures
from tests.security.test_canary import gateway_logs, run_recorded
from tests.unit.gateway.kubectl.served import Served, running
from tests.unit.gateway.serving import TOKEN

NAMESPACES = "/api/v1/namespaces"


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    started = RunningPlayground(tmp_path_factory.mktemp("playground"), "first-look", settings=Settings(still=True))
    yield started
    started.close()


async def status_of(served: Served, path: str = NAMESPACES, method: str = "GET", **headers: Any) -> int:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with served.ask(method, path, given) as response:
        content = await response.read()
        assert served.token.encode() not in content
        return int(response.status)


async def test_only_its_own_token_opens_it(look):
    async with running(look) as gateway, gateway.client(write=True) as kernel:
        served, other = await gateway.served(kernel), await gateway.served(kernel, key="x" * 32)
        assert served.token != other.token
        assert await status_of(served) == 200
        before = look.requests()
        for shown in ("", "Bearer", "Bearer x", f"Bearer {served.token[:-1]}", f"Bearer {served.token}x",
                      f"Bearer {TOKEN}", f"Basic {served.token}", f"Bearer {look.token}"):  # fmt: skip
            assert await status_of(served, Authorization=shown) == 401, shown
        assert await status_of(served, f"{NAMESPACES}?token={served.token}", Authorization="") == 401
        assert await status_of(served, Origin="https://evil.example") == 403
        assert await status_of(served, Origin=f"https://{urlsplit(served.server).netloc}") == 403
        for host in ("evil.example", "127.0.0.1", f"127.0.0.1.evil.example:{urlsplit(served.server).port}"):
            assert await status_of(served, Host=host) == 403, host
        assert look.requests() == before
        # the gateway's own door does not open to kubectl's token, and without TLS there is no door
        own = f"http://127.0.0.1:{gateway.gateway.port}/status"
        async with served.http.get(own, headers={"Authorization": f"Bearer {served.token}"}) as response:
            assert response.status == 401
        with pytest.raises(aiohttp.ClientError):
            await served.http.get(served.server.replace("https:", "http:") + NAMESPACES)


async def test_no_path_leaves_its_cluster(look):
    async with running(look) as gateway, gateway.client(write=True) as kernel:
        served = await gateway.served(kernel)
        context = ssl.create_default_context(cadata=served.authority.decode())
        root = served.server.removesuffix("/clusters/one")
        before = look.requests()
        for path in ("/clusters/two/api", "/clusters/one", "/clusters/one/../two/api", "/clusters/one/api/%2e%2e/x",
                     "/", "/api", "/status", "/clusters/one//evil.example/api", "/clusters/one/api%2fv1",
                     "/clusters/one/metrics", "/clusters/%6fne%2f..%2ftwo/api"):  # fmt: skip
            headers = {"Authorization": f"Bearer {served.token}"}
            async with served.http.get(URL(root + path, encoded=True), headers=headers, ssl=context) as response:
                assert response.status in (400, 404), path
        assert look.requests() == before


async def test_headers_that_say_who_asks_are_not_passed_on(look):
    async with running(look) as gateway, gateway.client(write=True) as kernel:
        served = await gateway.served(kernel)
        path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        given = {"X-Remote-User": "root", "Cookie": "a=b", "X-Remote-Group": "system:masters", "TE": "trailers",
                 "Connection": "close, X-Remote-User", "X-HTTP-Method-Override": "DELETE"}  # fmt: skip
        async with served.ask("POST", path, given, json=body) as response:
            who = (await response.json())["status"]["userInfo"]["username"]
            assert who not in ("root", "system:anonymous")
            assert "Set-Cookie" not in response.headers
        other = {"Impersonate-User": "jane", "Impersonate-Group": "system:authenticated"}
        async with served.ask("POST", path, other, json=body) as response:
            assert (await response.json())["status"]["userInfo"]["username"] == "jane"
        for one in ("Impersonate-Group", "impersonate-uid"):
            async with served.ask("GET", NAMESPACES, {one: "system:masters"}) as response:
                assert response.status >= 400, "not without a user"


async def test_a_client_has_no_other_client_s_clusters(look):
    async with running(look) as gateway, gateway.client() as kernel:
        await gateway.served(kernel)
        async with gateway.client() as stranger:
            stranger.refs = ["0" * 16]
            with pytest.raises(AssertionError, match="has not asked for"):
                await stranger.kubeconfig(key="y" * 32)


CELLS = [
    "import notebook_mux as nm; m = nm.connect(kubeconfig={kubeconfig!r}, namespace='default', write=True);",
    "%kubectl get pods -A",
    "%kubectl config view --raw",
    "%kubectl get --raw /api -v9",
    "%kubectl --no-raise-error get pods -v9 --context=nothing",
    "nm.kubeconfig(), open(nm.kubeconfig()).read()",
    "import os; os.stat(nm.kubeconfig()).st_mode & 0o777",
    "!kubectl-is-not-there --kubeconfig {nm.kubeconfig()}",
    "m.close(); os.path.exists(os.path.dirname(os.environ.get('NOTEBOOK_MUX_RUNTIME_DIR', '')))",
]


@pytest.mark.timeout(300)
def test_no_credential_of_a_cluster_reaches_the_kernel(playground: RunningPlayground, tmp_path: Path) -> None:  # noqa: F811
    """Neither the file, nor what kubectl says of its connection, nor a message of the kernel's has one."""
    run = Path(os.environ["NOTEBOOK_MUX_RUNTIME_DIR"]) / "kubectl"
    others = set(run.iterdir()) if run.exists() else set()  # of managers of this process, which another test has left
    cells = [nbformat.v4.new_code_cell(c.replace("{kubeconfig!r}", repr(str(playground.kubeconfig)))) for c in CELLS]
    notebook, heard = run_recorded(cells, tmp_path)
    user = yaml.safe_load(playground.kubeconfig.read_text())["users"][0]["user"]
    saved = nbformat.writes(notebook)
    assert "384" in saved, "0600"
    assert "certificate-authority-data" in saved
    places = {"messages": heard, "notebook": saved, "logs": gateway_logs()}
    for place, text in places.items():
        assert user["token"] not in text, f"the cluster's token is in the {place}"
    assert set(run.iterdir()) <= others, "the file has gone with its manager"
    assert stat.S_IMODE(run.stat().st_mode) == 0o700
