"""A gateway on a real socket with clusters and upstreams that a test makes up, and a client for it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from notebook_mux.errors import MuxError
from notebook_mux.gateway.kubeconfig import ResolvedContext
from notebook_mux.gateway.server import Gateway
from notebook_mux.gateway.shared import Shared
from notebook_mux.kube.answers import Answer
from notebook_mux.life import proof
from notebook_mux.wire import messages
from notebook_mux.wire.frames import decode_frame
from tests.unit.gateway.fake_feed import FakeFeed

TOKEN = "token-of-the-gateway-that-nobody-else-has"
INSTANCE = "instance-1"
PODS = "/api/v1/pods"
CREDIT = 1 << 20


class FakeCluster:
    """Answers with what it was asked, or with `error`."""

    def __init__(self, ref: str, name: str) -> None:
        self.ref, self.name, self.server = ref, name, f"https://{name}"
        self.asked: list[tuple[str, str, str, dict[str, str], Any]] = []
        self.body: bytes | None = None
        self.error: MuxError | None = None
        self.status = 200

    async def request(
        self, method: str, path: str, query: str = "", *, headers: Any = None, body: Any = None, timeout: float = 30.0
    ) -> Answer:
        self.asked.append((method, path, query, dict(headers or {}), body))
        if self.error is not None:
            raise self.error
        content = f"{method} {path}?{query}".encode() if self.body is None else self.body
        return Answer(self.status, {"content-type": "text/plain", "set-cookie": "session=1"}, content)

    async def probe(self, timeout: float = 30.0) -> dict[str, str]:
        if self.error is not None:
            raise self.error
        return {"version": "v1.37.2"}


class FakeClusters:
    """By ref."""

    def __init__(self) -> None:
        self.known: dict[str, FakeCluster] = {}

    def add(self, context: ResolvedContext) -> FakeCluster:
        return self.known.setdefault(context.ref, FakeCluster(context.ref, context.name))

    def get(self, ref: str) -> FakeCluster | None:
        return self.known.get(ref)

    async def aclose(self) -> None:
        self.known.clear()


class FakeUpstreams:
    """Gives the feed that a test put under a path, or an empty one."""

    def __init__(self) -> None:
        self.feeds: dict[str, FakeFeed] = {}
        self.asked: list[tuple[str, str, str, str | None]] = []
        self.closed = False

    def get(self, cluster: Any, path: str, query: str = "", resume_version: str | None = None) -> FakeFeed:
        self.asked.append((cluster.ref, path, query, resume_version))
        return self.feeds.setdefault(path, FakeFeed())

    def __iter__(self) -> Iterator[FakeFeed]:
        return iter(self.feeds.values())

    async def aclose(self) -> None:
        self.closed = True


def context(name: str = "one", error: MuxError | None = None) -> ResolvedContext:
    """A context as `kubeconfig.load` gives it."""
    return ResolvedContext(
        name=name, ref=f"ref-{name}", server=f"https://{name}", namespace="default", user="me", current=name == "one",
        error=error, files=(), **extra_fields(),
    )  # fmt: skip


def extra_fields() -> dict[str, Any]:
    """Fields of `ResolvedContext` that the serving half does not know."""
    known = {"name", "ref", "server", "namespace", "user", "current", "error", "files"}
    return {name: None for name in ResolvedContext.__dataclass_fields__ if name not in known}


class Serving:
    """A running gateway and what is behind it."""

    def __init__(self, **shared: Any) -> None:
        self.clusters = FakeClusters()
        self.upstreams = FakeUpstreams()
        self.loaded: list[tuple[Any, ...]] = []
        self.contexts = [context("one"), context("two")]
        self.stops: list[str] = []
        self.shared = Shared(
            instance=INSTANCE, clusters=cast("Any", self.clusters), upstreams=cast("Any", self.upstreams),
            load=self._load, stop=self.stops.append, **shared,
        )  # fmt: skip
        self.gateway = Gateway(
            self.shared, TOKEN,
            lambda nonce: proof.answer(TOKEN, nonce, instance=INSTANCE, port=self.gateway.port, version="0"),
        )  # fmt: skip

    def _load(self, paths: Any, contexts: Any, env: Any, *, in_cluster: bool = False) -> list[ResolvedContext]:
        self.loaded.append((paths, contexts, dict(env), in_cluster))
        return self.contexts

    @property
    def feed(self) -> FakeFeed:
        """The feed of all pods."""
        return self.upstreams.feeds.setdefault(PODS, FakeFeed())

    def url(self, path: str = messages.PATH, scheme: str = "ws") -> str:
        return f"{scheme}://127.0.0.1:{self.gateway.port}{path}"

    def connect(self, **options: Any) -> Any:
        """A bare WebSocket."""
        given: dict[str, Any] = {
            "subprotocols": [messages.SUBPROTOCOL],
            "additional_headers": {"Authorization": f"Bearer {TOKEN}"},
            "compression": None,
            "proxy": None,
            "max_size": None,
            "ping_interval": None,
            "close_timeout": 0.2,
        }
        return connect(self.url(), **(given | options))

    @contextlib.asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[Client]:
        """A client that was welcomed."""
        async with self.connect(**options) as socket:
            client = Client(socket)
            await client.say(messages.Hello(package="0", kernel="kernel-1.json"))
            assert isinstance(await client.told(), messages.Welcome)
            yield client


@contextlib.asynccontextmanager
async def serving(**shared: Any) -> AsyncIterator[Serving]:
    """A gateway for as long as this lasts."""
    running = Serving(**shared)
    await running.gateway.start()
    try:
        yield running
    finally:
        await running.gateway.close("the test ends")


class Client:
    """Speaks in messages and frames."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[tuple[int, int, bytes]] = []
        self.messages: list[messages.GatewayMessage] = []

    async def say(self, message: messages.Message) -> None:
        await self.socket.send(messages.encode(message))

    async def read(self) -> messages.GatewayMessage | tuple[int, int, bytes]:
        """The next frame, decoded and kept."""
        frame = await self.socket.recv()
        if isinstance(frame, str):
            message = messages.decode_gateway(frame)
            self.messages.append(message)
            return message
        decoded = decode_frame(frame)
        self.frames.append(decoded)
        return decoded

    async def told(self) -> messages.GatewayMessage:
        """The next control message; data in between is kept."""
        while isinstance(got := await self.read(), tuple):
            pass
        return got

    async def data(self, stream: int) -> tuple[int, bytes]:
        """The next frame of a stream as (channel, payload); what comes in between is kept."""
        while True:
            got = await self.read()
            if isinstance(got, tuple) and got[0] == stream:
                return got[1], got[2]

    async def ask(self, message: Any) -> Any:
        """The Answer's value, the Failure, or (Head, body)."""
        await self.say(message)
        while True:
            got = await self.told()
            if getattr(got, "id", None) == message.id:
                break
        if isinstance(got, messages.Answer):
            return got.value
        if not isinstance(got, messages.Head):
            return got
        body = b""
        while (frame := await self.data(message.id))[0] != 19:
            body += frame[1]
        return got, body

    async def resolve(self) -> None:
        """Make the contexts known."""
        await self.ask(messages.Contexts(id=9000, source=messages.Source(kubeconfig=["config"]), names=["*"]))


async def until_closed(client: Client) -> Any:
    """The goodbye and the close code."""
    try:
        while True:
            await client.read()
    except ConnectionClosed:
        pass
    goodbye = client.messages[-1] if client.messages else None
    return goodbye, client.socket.close_code


def subscribe(stream: int = 1, path: str = PODS, **fields: Any) -> messages.Subscribe:
    given: dict[str, Any] = {"stream": stream, "cluster": "ref-one", "path": path, "credit": CREDIT}
    return messages.Subscribe(**(given | fields))
