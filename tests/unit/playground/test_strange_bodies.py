"""Bodies with something strange somewhere in them: each is answered, and never with a fault of the server's own."""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from notebook_mux.playground import server
from notebook_mux.playground.clock import Agenda
from notebook_mux.playground.cluster import CRDS, Cluster
from notebook_mux.playground.server import Playground
from notebook_mux.playground.store import Stored
from tests.unit.playground.worlds import NOW

Json = dict[str, Any]
STRANGE: tuple[Any, ...] = (None, True, -1, 1.5, 2**70, "", "a/b", "10%", "\0", [], {}, [None], [{}], ["x"], [[]],
                            {"x": None}, {"": ""}, {"a": {"b": 1}})  # fmt: skip
"""What may stand in the place of any value."""

FAULT = "see the playground's log"
REQUESTS = 300
STEP_S = 0.05
"""Of the cluster's time, after each."""

PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml")


def spoiled(chance: random.Random, value: Any) -> Any:
    """A value with something strange at a place in it, or with something missing."""
    if not value or not isinstance(value, dict | list) or chance.random() < 0.12:
        return chance.choice(STRANGE)
    if isinstance(value, list):
        at = chance.randrange(len(value))
        return [*value[:at], spoiled(chance, value[at]), *value[at + 1 :]]
    key = chance.choice(list(value))
    if chance.random() < 0.1:
        return {name: inner for name, inner in value.items() if name != key}
    return {**value, key: spoiled(chance, value[key])}


def requests(chance: random.Random, stored: Stored, number: int) -> tuple[str, str, str, Any]:
    """The method, path, Content-Type and body of a request about an object like one that is there."""
    kind, obj = stored.kind, stored.decode()
    head = f"/apis/{kind.api_version}" if kind.group else "/api/v1"
    path = f"{head}/namespaces/{stored.namespace}/{kind.plural}" if kind.namespaced else f"{head}/{kind.plural}"
    body = spoiled(chance, obj)
    which = chance.random()
    if which < 0.5:
        if isinstance(body, dict) and isinstance(body.get("metadata"), dict):
            body["metadata"] = {**body["metadata"], "name": f"strange-{number}.example.com", "resourceVersion": ""}
        return "POST", path, "application/json", body
    if which < 0.7:
        return "PUT", f"{path}/{stored.name}", "application/json", body
    media = chance.choice(PATCHES)
    key = chance.choice([name for name in obj if name not in ("kind", "apiVersion")])
    patch = {key: spoiled(chance, obj[key])}
    if media == PATCHES[-1]:
        patch |= {"kind": kind.kind, "apiVersion": kind.api_version}
        return "PATCH", f"{path}/{stored.name}?fieldManager=strange&force=true", media, patch
    return "PATCH", f"{path}/{stored.name}{chance.choice(('', '/status'))}", media, patch


def examples(playground: Playground) -> Iterator[list[Stored]]:
    """An object of each kind there is, the definition of a kind among them more often."""
    store = playground.first.cluster.store
    resources = sorted({kind.resource for kind in playground.first.cluster.kinds if store.count(kind.resource)})
    for resource in [*resources, *[CRDS] * 6]:
        yield store.items(resource)


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_body_is_too_strange(seed: int, monkeypatch: pytest.MonkeyPatch):
    chance = random.Random(seed)
    # By the wall's time there would be other objects, and so other bodies, each time.
    monkeypatch.setattr(server, "Cluster", lambda name, seed: Cluster(name, seed, Agenda(lambda: NOW)))
    playground = Playground("first-look")
    agenda = playground.first.cluster.agenda
    agenda.clock.set(paused=True)
    async with playground:
        context = ssl.create_default_context(cadata=playground.authority.decode())
        headers = {"Authorization": f"Bearer {playground.token}"}
        codes = set()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), headers=headers) as session:
            for number in range(REQUESTS):
                found = chance.choice([one for one in examples(playground) if one])
                method, path, media, body = requests(chance, chance.choice(found), number)
                url, kind = playground.url + path, {"Content-Type": media}
                async with session.request(method, url, data=json.dumps(body), headers=kind) as answer:
                    said = await answer.text()
                    codes.add(answer.status)
                    assert FAULT not in said, (method, path, media, body)
                await agenda.pass_by(STEP_S)
        assert {200, 201, 400, 422} <= codes
