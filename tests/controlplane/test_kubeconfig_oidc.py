"""``auth-provider: oidc`` against an API server that checks the tokens, taking turns with kubectl on one kubeconfig."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from notebook_mux.gateway.cluster import Clusters
from tests.controlplane.kubeconfigs import kubectl, whoami, write
from tests.kubeconfig.provider import Provider
from tests.testbed.control_plane import ControlPlane
from tests.unit.gateway.certificates import Authority

HOUR = 3600.0
SETTLE_SECONDS = 60.0
"""An API server asks a provider for its keys in the background, each ten seconds until it has them."""


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class SigningProvider(Provider):
    """One whose tokens an API server believes."""

    def __init__(self) -> None:
        super().__init__()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        answer = self.handle

        async def handle(request: web.Request) -> web.Response:
            if request.path == "/keys":
                numbers = self._key.public_key().public_numbers()
                key = {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1"}
                for name, value in (("n", numbers.n), ("e", numbers.e)):
                    key[name] = encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))
                return web.json_response({"keys": [key]})
            found: web.Response = await answer(request)
            if request.path.startswith("/.well-known"):
                said = json.loads(found.body) | {"jwks_uri": f"{self.url}/keys"}  # type: ignore[arg-type]
                return web.json_response(said)
            return found

        self.handle = handle

    def token(self, seconds: float) -> str:
        """Jane's, for so long from now."""
        now = time.time()
        claims = {"iss": self.url, "aud": "kube", "sub": "jane", "exp": int(now + seconds), "iat": int(now - HOUR)}
        signed = ".".join(
            encoded(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1", "typ": "JWT"}, claims)
        )
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encoded(signature)}"


@pytest.fixture
async def provider(authority: Authority, tmp_path: Path) -> AsyncIterator[SigningProvider]:
    found = SigningProvider()
    await found.start(authority.server_context(tmp_path))
    yield found
    await found.stop()


@pytest.fixture
def authority() -> Authority:
    return Authority()


def tokens(path: Path) -> tuple[str, str]:
    """The id-token and the refresh-token that stand in a kubeconfig."""
    config = yaml.safe_load(path.read_text())["users"][0]["user"]["auth-provider"]["config"]
    return config["id-token"], config["refresh-token"]


async def test_taking_turns_with_kubectl(
    provider: SigningProvider,
    authority: Authority,
    control_plane_with: Callable[..., ControlPlane],
    tmp_path: Path,
) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes(authority.pem)
    plane = await asyncio.to_thread(
        control_plane_with, f"--oidc-issuer-url={provider.url}", "--oidc-client-id=kube", f"--oidc-ca-file={ca}"
    )
    config = {
        "idp-issuer-url": provider.url, "client-id": "kube", "client-secret": "s", "id-token": provider.token(-60),
        "refresh-token": "refresh-canary", "idp-certificate-authority": str(ca),
    }  # fmt: skip
    path = write(plane, tmp_path / "dir" / "config", {"auth-provider": {"name": "oidc", "config": config}})
    jane = f"{provider.url}#jane"

    # We renew, kubectl goes on with what we wrote.
    first = provider.token(HOUR)
    provider.tokens, provider.next_refresh = [first], "second"
    clusters = Clusters()
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while True:
                try:
                    who = await whoami(clusters, path)
                    break
                except AssertionError:  # 401 until the server has the keys
                    provider.tokens = [first]
                    await asyncio.sleep(0.2)
        assert who["username"] == jane
        assert tokens(path)[0] == first
        asked = len(provider.forms)
        assert (await kubectl(path, "auth", "whoami"))["status"]["userInfo"]["username"] == jane
        assert len(provider.forms) == asked, "kubectl found our token"

        # kubectl renews, we go on with what it wrote.
        path.write_text(path.read_text().replace(first, provider.token(-30)))
        second = provider.token(2 * HOUR)
        provider.tokens, provider.next_refresh = [second], "third"
        assert (await kubectl(path, "auth", "whoami"))["status"]["userInfo"]["username"] == jane
        assert tokens(path) == (second, "third")
        asked = len(provider.forms)
        assert (await whoami(clusters, path))["username"] == jane
        assert len(provider.forms) == asked, "we found kubectl's token"
    finally:
        await clusters.aclose()
