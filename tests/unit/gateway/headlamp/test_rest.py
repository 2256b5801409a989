from __future__ import annotations

import asyncio
import io
import json

import aiohttp
import pytest
import yarl
from aiohttp import web

from notebook_mux.gateway.headlamp import rest
from tests.unit.gateway.headlamp.api import PODS, refusal, served
from tests.waiting import until

URL = f"/clusters/one{PODS}"
LOG = f"{PODS}/web-0/log"


async def test_reading_is_passed_on_and_back(tmp_path):
    async with served(tmp_path) as running, running.http(Accept="application/json;as=Table") as http:
        async with http.get(yarl.URL(running.url(f"{URL}?labelSelector=a%3Db&x=%2F"), encoded=True)) as response:
            assert await response.json() == {"path": f"{PODS}?labelSelector=a%3Db&x=%2F", "method": "GET"}
            assert "Set-Cookie" not in response.headers
            assert response.headers["Content-Security-Policy"] == "sandbox"
        async with http.head(running.url(URL)) as response:
            assert response.status == 200
        assert {request.headers["Accept"] for request in running.api.seen} == {"application/json;as=Table"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_writing_needs_write(tmp_path, method):
    body, kind = b'{"spec": {}}', "application/merge-patch+json"
    async with served(tmp_path) as running, running.http() as http:
        async with http.request(method, running.url(URL), data=body) as response:
            assert response.status == 403
            status = await response.json()
            assert (status["kind"], status["reason"], status["code"]) == ("Status", "Forbidden", 403)
            assert "--write" in status["message"]
        assert running.api.seen == []
    async with served(tmp_path, write=True) as running, running.http(Content_Type=kind) as http:
        async with http.request(method, running.url(URL), data=body) as response:
            assert (await response.json())["method"] == method
        assert running.api.bodies == [body]
        assert running.api.seen[0].headers["Content-Type"] == kind


async def test_access_reviews_pass(tmp_path):
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    async with served(tmp_path) as running, running.http() as http:
        response = await http.post(running.url(f"/clusters/one{path}"), json={})
        assert response.status == 200


async def test_a_refusal_of_the_server_is_passed_on(tmp_path):
    async def refuse(request):
        return refusal(409, "Conflict", "it changed")

    async with served(tmp_path) as running, running.http() as http:
        running.api.routes[PODS] = refuse
        async with http.get(running.url(URL)) as response:
            assert (response.status, (await response.json())["message"]) == (409, "it changed")


@pytest.mark.parametrize(
    ("cluster", "status", "words"), [("dead", 502, "refused"), ("none", 404, "no cluster of that")]
)
async def test_what_cannot_be_asked_is_a_status(tmp_path, cluster, status, words):
    async with served(tmp_path) as running, running.get(f"/clusters/{cluster}{PODS}") as response:
        found = await response.json()
        assert (response.status, found["kind"], words in found["message"]) == (status, "Status", True)


async def test_a_slash_in_a_name_is_two_hyphens(tmp_path):
    async with served(tmp_path) as running, running.get(f"/clusters/team--two{PODS}") as response:
        assert response.status == 200


async def test_a_watch_comes_while_it_happens(tmp_path):
    async with served(tmp_path) as running, running.get(f"{URL}?watch=1") as response:
        watch = await running.api.watches.get()
        for number in range(3):
            await watch.event(version=number)
            event = json.loads(await response.content.readline())
            assert event["object"]["metadata"]["resourceVersion"] == str(number)
        watch.end()
        assert await response.content.read() == b""


async def test_a_watch_ends_with_its_client(tmp_path, monkeypatch):
    monkeypatch.setattr(rest, "TICK_SECONDS", 0.01)
    async with served(tmp_path) as running, running.get(f"{URL}?watch=1") as response:
        await running.api.watches.get()
        response.close()
        async with asyncio.timeout(30):
            while running.api.open:
                await asyncio.sleep(0.01)


async def test_a_log_comes_while_it_is_written(tmp_path):
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    async def log(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while line := await lines.get():
            await response.write(line)
        return response

    async with served(tmp_path) as running:
        running.api.routes[LOG] = log
        async with running.get(f"/clusters/one{LOG}?follow=true") as response:
            for number in range(20):
                lines.put_nowait(b"line %d\n" % number)
                assert await response.content.readany() == b"line %d\n" % number
            lines.put_nowait(b"")
            assert await response.content.read() == b""


@pytest.mark.parametrize("query", ["follow=true", "follow=false"])
async def test_a_quiet_log_may_take_its_time(tmp_path, monkeypatch, query):
    monkeypatch.setattr(rest, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(rest, "ANSWER_SECONDS", 0.1)
    speaks, open_ = asyncio.Event(), []

    async def quiet(request):
        open_.append(request)
        try:
            await speaks.wait()
        finally:
            open_.clear()
        return web.Response(text="at last\n")

    async with served(tmp_path) as running, running.http() as http:
        running.api.routes[LOG] = quiet
        url = running.url(f"/clusters/one{LOG}?{query}")
        leaving = asyncio.create_task(http.get(url))
        asking = asyncio.create_task(http.get(url))
        if query == "follow=false":
            assert [(await task).status for task in (leaving, asking)] == [504, 504]
            return
        await until(lambda: len(open_) == 2)
        await asyncio.sleep(0.3)  # three times what another answer has
        assert len(open_) == 2
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        async with asyncio.timeout(30):
            while open_:  # the server's handler is cancelled with its connection
                await asyncio.sleep(0.01)
        assert not asking.done()
        speaks.set()
        async with await asking as response:
            assert (response.status, await response.text()) == (200, "at last\n")


async def test_an_answer_that_breaks_is_no_whole_one(tmp_path):
    async with served(tmp_path) as running, running.get(f"{URL}?watch=1") as response:
        watch = await running.api.watches.get()
        await watch.event()
        await response.content.readline()
        watch.abort()
        with pytest.raises(aiohttp.ClientError):
            await response.content.read()


async def test_compressed_answers_are_read(tmp_path):
    async def packed(request):
        response = web.json_response({"items": ["x" * 10_000]})
        response.enable_compression()
        return response

    async with served(tmp_path) as running, running.http() as http:
        running.api.routes[PODS] = packed
        async with http.get(running.url(URL)) as response:
            assert await response.json() == {"items": ["x" * 10_000]}


async def test_a_large_body_is_refused(tmp_path):
    async with served(tmp_path, write=True) as running, running.http() as http:
        async with http.post(running.url(URL), data=io.BytesIO(bytes(rest.MAX_BODY))) as response:
            assert response.status == 200
        async with http.post(running.url(URL), data=io.BytesIO(bytes(rest.MAX_BODY + 1))) as response:
            assert (response.status, "3 MiB" in await response.text()) == (400, True)
