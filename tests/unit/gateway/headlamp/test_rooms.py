from __future__ import annotations

import json

from tests.unit.gateway.headlamp.api import CLUSTER_TOKEN, PODS, TOKEN, served
from tests.waiting import until


async def test_config_lists_the_clusters(tmp_path):
    async with served(tmp_path) as running, running.http() as http, http.get(running.url("/config")) as response:
        found = await response.json()
        assert [one["name"] for one in found["clusters"]] == ["one", "team--two", "dead"]
        assert found["clusters"][1]["meta_data"]["originalName"] == "team/two"
        assert CLUSTER_TOKEN not in str(found)
        assert str(tmp_path) not in str(found)


async def test_an_edited_kubeconfig_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr("notebook_mux.gateway.headlamp.contexts.FRESH_SECONDS", 0.0)
    async with served(tmp_path) as running, running.http() as http:
        content = json.loads(running.config.read_text())
        content["contexts"] = content["contexts"][:1]
        running.config.write_text(json.dumps(content))
        async with http.get(running.url("/config")) as response:
            assert [one["name"] for one in (await response.json())["clusters"]] == ["one"]
        running.config.unlink()
        async with http.get(running.url("/config")) as response:
            assert (await response.json())["clusters"] == []


async def test_a_context_that_cannot_be_used_says_why(tmp_path):
    async with served(tmp_path, broken="ftp://nowhere") as running, running.http() as http:
        async with http.get(running.url("/config")) as response:
            broken = (await response.json())["clusters"][-1]
            assert (broken["name"], broken["meta_data"]) == ("broken", None)
            assert "URL of http" in broken["error"]
        async with http.get(running.url(f"/clusters/broken{PODS}")) as response:
            assert (response.status, "URL of http" in (await response.json())["message"]) == (400, True)


async def test_plugins_are_none_and_open(tmp_path):
    async with served(tmp_path) as running, running.http("wrong") as http:
        async with http.get(running.url("/plugins")) as response:
            assert (response.status, await response.json()) == (200, [])
        async with http.get(running.url("/config")) as response:
            assert response.status == 403


async def test_a_base_path_goes_before_all(tmp_path):
    async with served(tmp_path, base="/user/me/") as running, running.http() as http:
        for path in ("/config", f"/clusters/one{PODS}"):
            async with http.get(running.url(path)) as response:
                assert response.status == 200
        async with http.get(f"http://127.0.0.1:{running.gateway.port}/config") as response:
            assert response.status == 404
        assert running.api.seen[0].raw_path == PODS
        async with running.client() as client:
            await client.subscribe()


async def test_the_gateways_own_token_is_taken_in_each_way_and_goes_nowhere(tmp_path):
    url = f"/clusters/one{PODS}?limit=5&token={TOKEN}&to%6ben={TOKEN}"
    async with served(tmp_path) as running, running.get(url) as response:
        assert response.status == 200
        (request,) = running.api.seen
        assert request.raw_path == f"{PODS}?limit=5"
        assert TOKEN not in str(request.headers)


async def test_a_gateway_of_kernels_serves_nothing_of_it(tmp_path):
    async with served(tmp_path) as running:
        running.shared.own = None
        other = type(running.gateway)(running.shared, TOKEN, lambda nonce: {})
        await other.start()
        try:
            async with running.http() as http:
                for path in ("/config", f"/clusters/one{PODS}", "/wsMultiplexer"):
                    async with http.get(f"http://127.0.0.1:{other.port}{path}?token={TOKEN}") as response:
                        assert response.status == 404
        finally:
            await other.close("the test ends")


async def test_the_status_counts(tmp_path):
    async with served(tmp_path) as running, running.client() as client, running.http() as http:
        await client.subscribe()
        async with http.get(running.url("/status")) as response:
            found = (await response.json())["headlamp"]
        assert (found["clients"][0]["subscriptions"], found["clients"][0]["upstreams"]) == (1, 1)


async def test_a_gateway_that_ends_says_so(tmp_path):
    async with served(tmp_path, write=True) as running, running.client() as client:
        await client.subscribe()
        async with running.socket(f"/clusters/one{PODS}/web-0/exec") as tunnel:
            await tunnel.send(b"\x01")
            assert await tunnel.recv() == b"\x01"
            await running.gateway.close("stopped")
            await client.socket.wait_closed()
            assert (client.socket.close_code, client.socket.close_reason) == (1001, "the gateway ends: stopped")
            await tunnel.wait_closed()
        await until(lambda: running.api.open == 0, "its watches have ended")
