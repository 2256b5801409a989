"""The clock of a cluster that is served: over its API, for its administrators."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notebook_mux import clocks
from notebook_mux.playground.server import Playground
from notebook_mux.playground.state.folder import StateFolder
from tests.playground import RunningPlayground
from tests.unit.playground.client import Client
from tests.waiting import eventually

Json = dict[str, Any]
WANTED = {"scenario": "rolling-update", "seed": 1, "clusters": 1}
APPS = "/apis/apps/v1/namespaces/production/deployments"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlayground]:
    one = RunningPlayground(tmp_path_factory.mktemp("control"), "rolling-update", seed=1)
    yield one
    one.close()


@pytest.fixture
def client(running: RunningPlayground) -> Client:
    client = Client(running.kubeconfig)
    assert client.ask("POST", "/notebook-mux/reset").status == 200
    return client


def image(client: Client) -> str:
    found = client.ask("GET", APPS).json()["items"][0]
    return str(found["spec"]["template"]["spec"]["containers"][0]["image"])


def test_what_there_is(client: Client):
    found = client.ask("GET", "/notebook-mux").json()
    assert (found["clock"]["speed"], found["clock"]["paused"]) == (1, False)
    told = found["scenario"]
    assert (told["name"], told["seed"], told["title"]) == (
        "rolling-update", 1, "A roll-out that goes well, and one that gets stuck",
    )  # fmt: skip
    assert set(told["chosen"]) == {"app", "replicas", "good"}
    assert found["next"] > found["clock"]["now"]
    assert "/notebook-mux" not in client.ask("GET", "/").json()["paths"]


def test_a_pause_a_step_and_a_speed(client: Client):
    assert client.ask("PATCH", "/notebook-mux/clock", {"paused": True}).json()["clock"]["paused"] is True
    before = client.ask("GET", "/notebook-mux").json()
    assert client.ask("GET", "/notebook-mux").json() == before  # nothing goes on
    assert image(client) == "nginx:1.27.5"
    after = client.ask("POST", "/notebook-mux/step", {}).json()
    assert after["clock"]["now"] == pytest.approx(before["next"] + 0.5)
    good = f"nginx:{before['scenario']['chosen']['good']}"
    assert image(client) == good
    client.ask("POST", "/notebook-mux/step", {"seconds": 300})
    assert image(client) == "nginx:no-such-tag"
    over = client.ask("POST", "/notebook-mux/step", {})
    assert (over.status, over.json()["message"]) == (409, "nothing more happens by itself in this scenario")
    found = client.ask("PATCH", "/notebook-mux/clock", {"speed": 50, "paused": False})
    assert found.headers[clocks.HEADER].endswith(";50")
    begin = found.json()["clock"]["now"]
    eventually(lambda: client.ask("GET", "/notebook-mux").json()["clock"]["now"] > begin + 20, seconds=30)


def test_a_reset_begins_anew_in_the_same_place_and_watches_have_to_list_again(client: Client):
    client.ask("POST", "/notebook-mux/step", {"seconds": 200})
    assert image(client) == "nginx:no-such-tag"
    version = client.ask("GET", APPS).json()["metadata"]["resourceVersion"]
    pods = {one["metadata"]["name"] for one in client.ask("GET", "/api/v1/namespaces/production/pods").json()["items"]}
    ended = threading.Event()

    def watch() -> None:
        client.ask("GET", APPS, watch="1", resourceVersion=version, timeout=60.0)
        ended.set()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    found = client.ask("POST", "/notebook-mux/reset").json()
    assert ended.wait(30)
    thread.join(30)
    assert (found["clock"]["speed"], found["clock"]["paused"]) == (1, False)
    assert image(client) == "nginx:1.27.5"
    anew = {one["metadata"]["name"] for one in client.ask("GET", "/api/v1/namespaces/production/pods").json()["items"]}
    assert anew
    assert not anew & pods
    lines = client.ask("GET", APPS, watch="1", resourceVersion=version, timeoutSeconds=5).body
    assert b"too old resource version" in lines


def test_no_uid_comes_a_second_time_though_names_do(client: Client):
    def there() -> dict[str, str]:
        found = client.ask("GET", "/api/v1/namespaces").json()["items"] + client.ask("GET", APPS).json()["items"]
        return {one["metadata"]["name"]: one["metadata"]["uid"] for one in found}

    before = there()
    client.ask("POST", "/notebook-mux/reset")
    after = there()
    assert after.keys() == before.keys()
    assert not {*after.values()} & {*before.values()}


def test_nobody_else_may(running: RunningPlayground, client: Client):
    token = running.call(lambda: running.playground.first.enrol("eve", role="cluster-admin").token)
    for method, path in (("GET", "/notebook-mux"), ("POST", "/notebook-mux/reset"), ("PATCH", "/notebook-mux/clock")):
        for other in (token, ""):
            answer = Client(running.kubeconfig, token=other).ask(method, path)
            assert (answer.status, answer.json()["reason"]) == (403, "Forbidden"), (method, path)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("PATCH", "clock", {"speed": 0}, 400, "0.1 to 100 can be had"),
        ("PATCH", "clock", {"speed": "fast"}, 400, "speed is to be a number"),
        ("PATCH", "clock", {"paused": 1}, 400, "paused is to be true or false"),
        ("PATCH", "clock", {"sped": 1}, 400, "speed or paused"),
        ("PATCH", "clock", b"{", 400, "the body is no JSON"),
        ("POST", "step", {"seconds": -1}, 400, "up to 86400"),
        ("POST", "step", {"seconds": 1e300}, 400, "up to 86400"),
        ("GET", "clock", None, 405, "does not allow this method"),
        ("DELETE", "", None, 405, "does not allow this method"),
        ("POST", "restart", {}, 404, "page not found"),
    ],
)
def test_what_cannot_be(client: Client, method: str, path: str, body: Any, status: int, said: str):
    answer = client.ask(method, f"/notebook-mux/{path}", body)
    assert answer.status == status
    assert said in answer.body.decode()


async def test_kept_state_keeps_the_clock_and_a_reset(tmp_path: Path):
    async def served(body: Any) -> Json:
        with StateFolder(tmp_path / "state", WANTED, WANTED) as state:
            async with Playground("rolling-update", seed=1, state=state) as playground:
                control = playground.first.control
                await body(control)
                return control.state() | {"objects": playground.cluster.store.count("pods")}

    async def pause(control: Any) -> None:
        control._of.cluster.agenda.clock.set(speed=7, paused=True)
        control._of.clock_changed()
        await control._step({"seconds": 3600})

    async def nothing(control: Any) -> None:
        await asyncio.sleep(0)

    async def reset(control: Any) -> None:
        await control._reset({})

    first = await served(pause)
    again = await served(nothing)
    assert again["clock"] == first["clock"]
    assert (again["clock"]["speed"], again["clock"]["paused"]) == (7, True)
    assert again["objects"] == first["objects"]
    assert again["scenario"] == first["scenario"]
    assert again["next"] == first["next"] is None  # what had happened does not happen again
    anew = await served(reset)
    assert anew["clock"]["now"] < first["clock"]["now"] - 3000
    last = await served(nothing)
    assert last["objects"] == anew["objects"]
    assert last["next"] is not None
