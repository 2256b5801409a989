from __future__ import annotations

from http.cookies import SimpleCookie

from notebook_mux.wire.headlamp import COOKIE_BYTES
from tests.unit.gateway.headlamp.api import PODS, served

SET = "/clusters/team--two/set-token"


async def test_a_token_is_kept_below_its_cluster_and_for_the_multiplexer(tmp_path):
    async with served(tmp_path, base="/me") as running, running.http() as http:
        response = await http.post(running.url(SET), json={"token": "t" * (COOKIE_BYTES + 1)})
        assert (response.status, await response.text()) == (200, "")
        given = response.headers.getall("Set-Cookie")
        assert len(given) == 4
        for value in given:
            (morsel,) = SimpleCookie(value).values()
            assert morsel.key.startswith("headlamp-auth-team--two.")
            assert morsel["path"] in ("/me/clusters/team--two", "/me/wsMultiplexer")
            assert (morsel["samesite"], morsel["httponly"]) == ("Strict", True)
        assert running.api.seen == []


async def test_an_empty_token_is_forgotten(tmp_path):
    cookie = "headlamp-auth-team--two.0=a; headlamp-auth-team--two.1=b; headlamp-auth-one.0=c"
    async with served(tmp_path) as running, running.http(Cookie=cookie) as http:
        response = await http.post(running.url(SET), json={"token": ""})
        gone = response.headers.getall("Set-Cookie")
        assert len(gone) == 4
        assert all("Max-Age=0;" in value and "team--two" in value for value in gone)


async def test_an_unknown_cluster_keeps_none(tmp_path):
    async with served(tmp_path) as running, running.http() as http:
        response = await http.post(running.url("/clusters/none/set-token"), json={"token": "t"})
        assert (response.status, "Set-Cookie" in response.headers) == (404, False)


async def test_only_a_post_sets_it(tmp_path):
    async with served(tmp_path) as running, running.http() as http:
        for method in ("GET", "PUT"):
            async with http.request(method, running.url(SET)) as response:
                assert response.status == 400


async def test_the_oldest_of_many_tokens_is_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr("notebook_mux.gateway.headlamp.contexts.MAX_LOGINS", 2)
    async with served(tmp_path) as running:
        for number in range(5):
            async with running.http(Cookie=f"headlamp-auth-one.0=token-{number}") as http:
                response = await http.get(running.url(f"/clusters/one{PODS}"))
                assert response.status == 200
        assert len(list(running.shared.clusters)) == 2


async def test_nobody_has_a_name_here(tmp_path):
    async with served(tmp_path) as running:
        async with running.get("/clusters/one/me") as response:
            assert (response.status, "as itself" in (await response.json())["message"]) == (401, True)
        assert running.api.seen == []
