from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.headlamp.frontend import SCRIPT, Frontend, filled
from tests.security.test_gateway import ask
from tests.unit.gateway.headlamp.api import PODS, TOKEN, served

PAGE = """<!doctype html><html><head><link href="./icon.png"><script>headlampBaseUrl = __baseUrl__;</script>
<script src="./assets/index.js"></script></head></html>"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "index.js").write_text("main();")
    (tmp_path / "secret.txt").write_text("what nobody may see")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return folder


async def test_files_are_served_and_every_other_path_is_the_page(tmp_path, built):
    async with served(tmp_path, base="/me", frontend=built) as running, running.http("") as http:
        async with http.get(running.url("/assets/index.js")) as response:
            assert (response.status, await response.text()) == (200, "main();")
            assert "javascript" in response.headers["Content-Type"]
        for path in ("/", "/index.html", "/c/one/pods", "/c/one/pods/default/web-0"):
            async with http.get(running.url(path)) as response:
                page = await response.text()
                assert (response.status, response.content_type) == (200, "text/html")
                assert 'src="/me/assets/index.js"' in page
                assert 'headlampBaseUrl = "/me"' in page
                assert TOKEN not in page
                assert response.headers["Content-Security-Policy"] == "frame-ancestors 'none'"


async def test_what_is_not_a_file_of_it_needs_the_token_still(tmp_path, built):
    async with served(tmp_path, frontend=built) as running:
        port = running.gateway.port
        for method, path in (
            ("GET", "/config"), ("GET", "/status"), ("POST", "/stop"), ("GET", "/wsMultiplexer"),
            ("GET", f"/clusters/one{PODS}"), ("GET", "/notebook-mux"), ("POST", "/"), ("DELETE", "/c/one"),
        ):  # fmt: skip
            status, _, _ = await asyncio.to_thread(ask, port, method, path, {})
            assert status in (401, 403), path
        for path in ("/%63onfig", "/%73tatus", "/clusters/one%2fapi", "//status", "/x/../status", "/./status"):
            status, _, body = await asyncio.to_thread(ask, port, "GET", path, {})
            assert status in (400, 401, 403, 404) or "<!doctype html>" in body, path
        for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/link.txt", "/a%00b.txt",
                     f"/{'x' * 5000}.txt", "//etc/passwd", "/%2fetc%2fpasswd", "/nothing.js"):  # fmt: skip
            status, _, body = await asyncio.to_thread(ask, port, "GET", path, {})
            assert "what nobody may see" not in body
            assert "root:" not in body
            assert status in (400, 404) or "<!doctype html>" in body
        assert running.api.seen == []
        assert running.gateway.accepting


async def test_what_headlamps_server_has_more_is_not_there(tmp_path, built):
    async with served(tmp_path, frontend=built) as running:
        for path in ("/portforward/list", "/externalproxy", "/drain-node-status", "/oidc"):
            async with running.get(path) as response:
                assert response.status == 404


async def test_a_foreign_host_gets_nothing_of_it(tmp_path, built):
    async with served(tmp_path, frontend=built) as running:
        wrong: list[dict[str, str | None]] = [{"Host": "evil.example"}, {"Origin": "http://evil.example"}]
        for headers in wrong:
            status, _, body = await asyncio.to_thread(ask, running.gateway.port, "GET", "/", headers)
            assert (status, "<html>" in body) == (403, False)


def test_a_folder_without_a_page_is_refused(tmp_path):
    with pytest.raises(InvalidArgument, match=r"no index\.html"):
        Frontend(tmp_path, "")


def test_a_base_is_written_so_that_it_ends_no_text():
    page = filled(PAGE, '/a"b')
    assert 'href="/a&quot;b/icon.png"' in page
    assert 'headlampBaseUrl = "/a\\"b"' in page
    assert filled("<p>", "").startswith("<script>")


def test_the_script_answers_in_the_desktop_apps_place(tmp_path):
    if shutil.which("node") is None:
        pytest.skip("node is needed: see https://nodejs.org")
    script = SCRIPT.removeprefix("<script>").removesuffix("</script>").replace("TOKEN", '"token"')
    (tmp_path / "try.cjs").write_text(f"""
        const kept = new Map(), shown = [];
        globalThis.window = globalThis;
        globalThis.sessionStorage = {{ getItem: (n) => kept.get(n) ?? null, setItem: (n, v) => kept.set(n, v) }};
        globalThis.history = {{ replaceState: (a, b, url) => shown.push(url) }};
        globalThis.location = {{ search: "?x=1&token=a%26b", pathname: "/c/one", hash: "#h" }};
        {script}
        const heard = [];
        const undo = desktopApi.receive("backend-token", (token) => heard.push(token));
        desktopApi.receive("plugin-permission-secrets", (secrets) => heard.push(secrets));
        desktopApi.send("request-backend-token");
        desktopApi.send("request-plugin-permission-secrets");
        desktopApi.send("anything-else");
        setTimeout(() => {{
          undo();
          desktopApi.send("request-backend-token");
          setTimeout(() => console.log(JSON.stringify({{ heard, shown }})));
        }});
    """)
    done = subprocess.run(["node", tmp_path / "try.cjs"], capture_output=True, text=True, timeout=30, check=True)
    assert json.loads(done.stdout) == {"heard": ["a&b", {}], "shown": ["/c/one?x=1#h"]}
