"""The legacy ``auth-provider: oidc``, against a provider and a server over TLS."""

from __future__ import annotations

import base64
import stat
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from notebook_mux.errors import InvalidArgument, LoginRequired, MuxError, Unreachable
from notebook_mux.gateway.cluster import Cluster
from tests.kubeconfig.provider import Provider, jwt
from tests.kubeconfig.proxies import running
from tests.unit.gateway.certificates import Authority
from tests.unit.gateway.tls_api import VERSION, Api

Connect = Callable[..., Cluster]
DAY = 24 * 3600.0
OLD, FRESH, NEWER = jwt(time.time() - DAY), jwt(time.time() + DAY), jwt(time.time() + 2 * DAY)


@pytest.fixture
async def provider(authority: Authority, tmp_path: Path) -> AsyncIterator[Provider]:
    found = Provider()
    await found.start(authority.server_context(tmp_path))
    yield found
    await found.stop()


def user(provider: Provider, authority: Authority | None, **config: str) -> dict[str, Any]:
    trust = {"idp-certificate-authority-data": base64.b64encode(authority.pem).decode()} if authority else {}
    given = {"idp-issuer-url": provider.url, "client-id": "kube/client", "refresh-token": "refresh-canary", **trust}
    return {"auth-provider": {"name": "oidc", "config": given | config}}


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if "kubeconfig" in one.name)


def bearer(api: Api) -> str:
    return api.seen[-1].headers["Authorization"].removeprefix("Bearer ")


async def test_a_token_that_lasts_is_used_as_it_is(
    api: Api, connect: Connect, provider: Provider, authority: Authority
):
    await connect(api.url, user(provider, authority, **{"id-token": FRESH})).request("GET", "/")
    assert bearer(api) == FRESH
    assert not provider.seen
    assert "-" in FRESH


@pytest.mark.parametrize("old", [OLD, "", "no.jwt", jwt(0)])
async def test_one_that_has_expired_is_renewed_once(
    old: str, api: Api, connect: Connect, provider: Provider, authority: Authority
):
    provider.tokens = [FRESH]
    cluster = connect(api.url, user(provider, authority, **{"id-token": old, "client-secret": "s&c"}))
    for _ in range(3):
        await cluster.request("GET", "/")
        assert bearer(api) == FRESH
    [form] = provider.forms
    assert (form["grant_type"], form["refresh_token"]) == ("refresh_token", "refresh-canary")
    assert form["header"] == "Basic " + base64.b64encode(b"kube%2Fclient:s%26c").decode()
    assert "client_secret" not in form


@pytest.mark.parametrize(("secret", "methods"), [("", None), ("s", ["client_secret_post"])])
async def test_how_a_client_names_itself(
    secret: str, methods: list[str] | None, api: Api, connect: Connect, provider: Provider, authority: Authority
):
    provider.tokens, provider.methods = [FRESH], methods
    await connect(api.url, user(provider, authority, **{"client-secret": secret})).request("GET", "/")
    [form] = provider.forms
    assert (form["header"], form["client_id"], form.get("client_secret", "")) == ("", "kube/client", secret)


async def test_a_401_renews_it_once_more(api: Api, connect: Connect, provider: Provider, authority: Authority):
    provider.tokens = [NEWER]
    api.handle = lambda request: web.json_response(
        VERSION, status=200 if request.headers["Authorization"].endswith(NEWER) else 401
    )
    cluster = connect(api.url, user(provider, authority, **{"id-token": FRESH}))
    assert (await cluster.request("GET", "/")).status == 200
    assert len(provider.forms) == 1
    without = connect(api.url, user(provider, authority, **{"id-token": FRESH, "refresh-token": ""}))
    assert (await without.request("GET", "/")).status == 401


async def test_another_refresh_token_is_where_kubectl_looks(
    api: Api, connect: Connect, provider: Provider, authority: Authority, tmp_path: Path
):
    provider.tokens, provider.next_refresh = [FRESH], "second-canary"
    cluster = connect(api.url, user(provider, authority, **{"id-token": OLD}))
    path = tmp_path / "kubeconfig"
    path.chmod(0o640)
    await cluster.request("GET", "/")
    written = yaml.safe_load(path.read_text())
    config = written["users"][0]["user"]["auth-provider"]["config"]
    assert (config["id-token"], config["refresh-token"]) == (FRESH, "second-canary")
    assert config["client-id"] == "kube/client"
    assert written["current-context"] == "prod"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path) == ["kubeconfig"], "neither the lock nor a half-written file is left"


async def test_what_kubectl_has_renewed_is_taken(
    api: Api, connect: Connect, provider: Provider, authority: Authority, tmp_path: Path
):
    cluster = connect(api.url, user(provider, authority, **{"id-token": OLD}))
    path = tmp_path / "kubeconfig"
    before = path.read_text()
    path.write_text(before.replace(OLD, FRESH))
    await cluster.request("GET", "/")
    assert bearer(api) == FRESH
    assert not provider.seen
    other = connect(api.url, user(provider, authority, **{"id-token": OLD, "client-id": "other"}))
    path.write_text(path.read_text().replace(OLD, jwt(time.time() + 3600, "somebody-else")))
    provider.tokens = [NEWER]
    await other.request("GET", "/")
    assert bearer(api) == NEWER, "another person's login is not taken over"


async def fails(cluster: Cluster, api: Api) -> MuxError:
    before = len(api.seen)
    with pytest.raises(MuxError) as caught:
        await cluster.request("GET", "/")
    assert len(api.seen) == before, "never anonymous"
    shown = str(caught.value) + repr(caught.value) + repr(cluster) + repr(vars(cluster))
    assert "canary" not in shown
    assert OLD not in shown
    return caught.value


async def test_what_goes_wrong(api: Api, connect: Connect, provider: Provider, authority: Authority):
    expired = {"id-token": OLD}
    error = await fails(connect(api.url, user(provider, authority, **expired, **{"refresh-token": ""})), api)
    assert isinstance(error, LoginRequired)
    assert "it has expired and there is no refresh-token" in str(error)
    error = await fails(connect(api.url, user(provider, authority, **expired, **{"refresh-token": "used-canary"})), api)
    assert isinstance(error, LoginRequired)
    assert error.said == "invalid_grant the token … was used before"
    provider.tokens = [""]
    assert "gave no new id-token" in str(await fails(connect(api.url, user(provider, authority, **expired)), api))
    provider.tokens = [OLD]
    assert "is none, or expired" in str(await fails(connect(api.url, user(provider, authority)), api))
    untrusted = await fails(connect(api.url, user(provider, None, **expired)), api)
    assert isinstance(untrusted, Unreachable), "without an authority the system's are asked, never nobody"
    assert "is not trusted" in str(untrusted)
    provider.handle = lambda request: web.json_response({"token_endpoint": "http://plain.invalid/"})
    error = await fails(connect(api.url, user(provider, authority, **{"id-token": jwt(1)})), api)
    assert "is no https" in str(error)
    provider.handle = lambda request: web.Response(status=302, headers={"Location": "https://elsewhere.invalid"})
    error = await fails(connect(api.url, user(provider, authority, **{"id-token": jwt(2)})), api)
    assert error.said == "HTTP 302"
    for number, nonsense in enumerate(('{"token_endpoint": "https://a..b/"}', f'{{"x": {"[" * 100_000}')):
        provider.handle = lambda request, text=nonsense: web.Response(text=text)  # type: ignore[misc]
        error = await fails(connect(api.url, user(provider, authority, **{"id-token": jwt(3 + number)})), api)
        assert error.said == "its answer is no OpenID configuration"


async def test_the_provider_through_the_environment_s_proxy(
    api: Api, connect: Connect, provider: Provider, authority: Authority
):
    provider.tokens = [FRESH]
    far = f"login.invalid:{provider.port}"
    async with running("http") as proxy:
        proxy.names[far] = provider.port
        entry = user(provider, authority, **{"idp-issuer-url": f"https://{far}"})
        error = await fails(connect(api.url, entry, env={"HTTPS_PROXY": proxy.url}), api)
        assert proxy.asked == [far]
        assert "is not trusted" in str(error), "its certificate is of another name, and that is checked"


@pytest.mark.parametrize(
    ("provider_", "said"),
    [
        ({"name": "gcp"}, "gke-gcloud-auth-plugin"),
        ({"name": "azure", "config": {"access-token": "canary"}}, "kubelogin"),
        ({"name": "other"}, "the auth-provider 'other' was removed"),
        ({"name": "oidc"}, "it needs idp-issuer-url and client-id"),
        ({"name": "oidc", "config": {"idp-issuer-url": "http://i", "client-id": "c"}}, "must be a URL of https"),
        ({"name": "oidc", "config": {"idp-issuer-url": "https://i", "client-id": "c", "id-token": 1}}, "must be text"),
    ],
)
def test_an_auth_provider_that_cannot_be_used(provider_: dict[str, Any], said: str, connect: Connect):
    with pytest.raises(InvalidArgument) as caught:
        connect("https://c", {"auth-provider": provider_})
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)
