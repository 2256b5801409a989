"""A gateway with clients of its own dialect, a playground behind it, and what kubectl would ask it."""

from __future__ import annotations

import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import yaml
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from notebook_mux.gateway.server import Gateway
from notebook_mux.gateway.shared import Shared
from notebook_mux.life import proof
from notebook_mux.wire import messages
from notebook_mux.wire.kubeconfigs import NamedCluster
from tests.playground import RunningPlayground
from tests.unit.gateway.serving import TOKEN, Client

KEY = "k" * 40
SCOPE = "scope-1"


@dataclass
class Served:
    """What a kubeconfig says, and a session to ask with it."""

    config: dict[str, Any]
    http: aiohttp.ClientSession

    @property
    def token(self) -> str:
        return str(self.config["users"][0]["user"]["token"])

    @property
    def server(self) -> str:
        return str(self.config["clusters"][0]["cluster"]["server"])

    @property
    def authority(self) -> bytes:
        return base64.b64decode(self.config["clusters"][0]["cluster"]["certificate-authority-data"])

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        """One request of kubectl's, with its token."""
        context = ssl.create_default_context(cadata=self.authority.decode())
        given = {"Authorization": f"Bearer {self.token}"} | (headers or {})
        return self.http.request(method, self.server + path, headers=given, ssl=context, **options)


@dataclass
class Running:
    """A gateway; each client of it is a kernel."""

    gateway: Gateway
    shared: Shared
    http: aiohttp.ClientSession

    @contextlib.asynccontextmanager
    async def client(self, *, write: bool = False) -> AsyncIterator[Kernel]:
        """A client that has resolved its contexts."""
        url = f"ws://127.0.0.1:{self.gateway.port}{messages.PATH}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        spoken = [Subprotocol(messages.SUBPROTOCOL)]
        async with connect(url, subprotocols=spoken, additional_headers=headers, proxy=None, max_size=None,
                           compression=None, close_timeout=0.2) as socket:  # fmt: skip
            kernel = Kernel(Client(socket))
            await kernel.client.say(messages.Hello(package="0", kernel="kernel-1.json"))
            assert isinstance(await kernel.client.told(), messages.Welcome)
            found = await kernel.client.ask(messages.Contexts(id=1, source=messages.Source(), names=["*"]))
            kernel.refs = [context["ref"] for context in found]
            granted = await kernel.client.ask(messages.Scope(id=2, scope=SCOPE, write=kernel.refs if write else []))
            assert granted == (kernel.refs if write else [])
            yield kernel

    async def served(self, kernel: Kernel, **more: Any) -> Served:
        """What kubectl gets of a client."""
        return Served(yaml.safe_load(await kernel.kubeconfig(**more)), self.http)


@dataclass
class Kernel:
    """A client, and the refs of its clusters."""

    client: Client
    refs: list[str] = field(default_factory=list)
    number: int = 10

    async def kubeconfig(self, key: str = KEY, names: list[str] | None = None, namespace: str = "lab") -> bytes:
        """The body of the answer.

        Raises:
            AssertionError: It was refused; with the failure's words.
        """
        self.number += 1
        contexts = [NamedCluster(name=name, cluster=self.refs[0], namespace=namespace) for name in names or ["one"]]
        answer = await self.client.ask(messages.Kubeconfig(id=self.number, key=key, contexts=contexts, scope=SCOPE))
        assert isinstance(answer, tuple), answer
        return bytes(answer[1])


@contextlib.asynccontextmanager
async def running(playground: RunningPlayground) -> AsyncIterator[Running]:
    """A gateway that serves a playground, as long as this lasts."""
    source = messages.Source(kubeconfig=[str(playground.kubeconfig)])
    shared = Shared(instance="instance-1", own=source)
    gateway = Gateway(
        shared, TOKEN,
        lambda nonce: proof.answer(TOKEN, nonce, instance="instance-1", port=gateway.port, version="0"),
    )  # fmt: skip
    await gateway.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield Running(gateway, shared, http)
    finally:
        await gateway.close("the test ends")


def path_of(served: Served) -> str:
    """The path of its server's URL."""
    return urlsplit(served.server).path
