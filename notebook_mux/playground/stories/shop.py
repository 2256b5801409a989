"""The scenarios' applications: services that write JSON or plain lines, with the faults that such services have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from notebook_mux.playground.stories.program import (
    Program,
    Said,
    as_json,
    evenly,
    hexadecimal,
    rfc3339_milli,
    spaced,
    weighted,
)

OOM_MIB = 256
"""The memory limit of the scenarios' containers, MiB."""


class Service(Program):
    """An HTTP service that writes one JSON object for a request.

    Attributes:
        routes: What it is asked, by weight.
    """

    pace = 0.8
    routes: tuple[tuple[int, str], ...] = ((6, "GET /"), (3, "GET /items"), (1, "POST /items"))

    def begins(self) -> Iterator[Said]:
        """It reads its configuration, finds what it needs, listens."""
        started, name = self.scene.started, self.scene.container["name"]
        yield 0.08, as_json(started + 0.08, "info", f"{name} starting", version=self.scene.tag, pod=self.scene.name)
        yield 0.21, as_json(started + 0.21, "info", "configuration loaded", source="/etc/config", log_level="info")
        yield 0.55, as_json(started + 0.55, "info", f"listening on :{self.scene.port}")

    def goes_on(self, random: Random, at: float) -> str:
        """A request; some are slow, few fail."""
        method, _, path = weighted(random, self.routes).partition(" ")
        seen, took = random.random(), random.lognormvariate(2.8, 0.7)
        fields: dict[str, object] = {"method": method, "path": path.replace("{id}", str(random.randint(1000, 9999)))}
        trace = {"trace_id": hexadecimal(random, 16)}
        if seen < 0.012:
            return as_json(at, "error", "request failed", **fields, status=503, duration_ms=round(took * 40, 1),
                           error="upstream connect error: connection refused", **trace)  # fmt: skip
        if seen < 0.05:
            return as_json(at, "warn", "slow request", **fields, status=200, duration_ms=round(took * 30, 1), **trace)
        status = 404 if seen < 0.08 else 201 if method == "POST" else 200
        return as_json(at, "info", "request", **fields, status=status, duration_ms=round(took, 1), **trace)

    def stops(self, at: float) -> Sequence[str]:
        """It ends what it has begun."""
        return [as_json(at, "info", said) for said in ("SIGTERM received, draining connections", "server closed")]


class Storefront(Service):
    """The shop's front."""

    routes = ((5, "GET /"), (8, "GET /products/{id}"), (4, "GET /search"), (2, "GET /cart"), (1, "POST /cart"))


class Checkout(Service):
    """Orders and payments: a payment that is refused is a warning."""

    pace = 0.4
    routes = ((5, "POST /orders"), (4, "GET /orders/{id}"), (2, "POST /payments"))

    def goes_on(self, random: Random, at: float) -> str:
        """A request, or what became of a payment."""
        if random.random() < 0.85:
            return super().goes_on(random, at)
        order, amount = random.randint(100_000, 999_999), round(random.lognormvariate(3.5, 0.8), 2)
        if random.random() < 0.2:
            return as_json(at, "warn", "payment declined", order=order, amount=amount, currency="EUR",
                           reason="insufficient_funds", attempt=random.randint(1, 3))  # fmt: skip
        return as_json(at, "info", "payment captured", order=order, amount=amount, currency="EUR")


class Cart(Service):
    """Baskets."""

    pace = 0.5
    routes = ((6, "GET /carts/{id}"), (3, "PUT /carts/{id}/items"), (1, "DELETE /carts/{id}"))


class Api(Program):
    """A Python service: uvicorn's lines, and a traceback now and then."""

    pace = 0.9

    def begins(self) -> Iterator[Said]:
        """Uvicorn starts."""
        for at, said in (
            (0.4, "Started server process [1]"),
            (0.5, "Waiting for application startup."),
            (1.1, "Application startup complete."),
            (1.2, f"Uvicorn running on http://0.0.0.0:{self.scene.port} (Press CTRL+C to quit)"),
        ):
            yield at, self._line(self.scene.started + at, "INFO", "uvicorn.error", said)

    def goes_on(self, random: Random, at: float) -> str:
        """A request; one in a hundred and fifty fails, with its traceback."""
        path = weighted(random, ((5, "/v1/items"), (3, f"/v1/items/{random.randint(1, 500)}"), (2, "/healthz")))
        client = f"10.244.{random.randint(0, 7)}.{random.randint(2, 250)}:{random.randint(32_768, 60_999)}"
        seen = random.random()
        if seen < 0.007:
            return "\n".join((
                self._line(at, "ERROR", "api.items", f"unhandled exception in GET {path}"),
                "Traceback (most recent call last):",
                '  File "/app/api/items.py", line 61, in read_item',
                "    row = await pool.fetchrow(QUERY, item_id, timeout=2.0)",
                '  File "/usr/local/lib/python3.13/site-packages/asyncpg/pool.py", line 619, in fetchrow',
                "    return await con.fetchrow(",
                "asyncpg.exceptions.TooManyConnectionsError: sorry, too many clients already",
                self._line(at, "INFO", "uvicorn.access", f'{client} - "GET {path} HTTP/1.1" 500'),
            ))  # fmt: skip
        if seen < 0.03:
            said = f"connection pool at {random.randint(17, 20)}/20, waited {random.randint(80, 900)} ms"
            return self._line(at, "WARNING", "api.db", said)
        status = 200 if seen < 0.95 else 404
        return self._line(at, "INFO", "uvicorn.access", f'{client} - "GET {path} HTTP/1.1" {status}')

    def stops(self, at: float) -> Sequence[str]:
        """Uvicorn ends."""
        said = ("Shutting down", "Finished server process [1]")
        return [self._line(at, "INFO", "uvicorn.error", one) for one in said]

    @staticmethod
    def _line(at: float, level: str, name: str, said: str) -> str:
        return f"{spaced(at, '%Y-%m-%d %H:%M:%S,%f')[:-3]} {level:8} {name} {said}"


class Worker(Program):
    """Takes tasks from a queue: logfmt."""

    pace = 0.5
    tasks: tuple[str, ...] = ("resize-image", "send-receipt", "rebuild-index", "sync-stock")

    def begins(self) -> Iterator[Said]:
        """It connects to its queue."""
        for at, said in ((0.1, f'msg="worker starting" version={self.scene.tag}'),
                         (0.6, 'msg="connected" queue=tasks prefetch=8')):  # fmt: skip
            yield at, self._line(self.scene.started + at, "info", said)

    def goes_on(self, random: Random, at: float) -> str:
        """A task."""
        task, number = random.choice(self.tasks), random.randint(10_000, 99_999)
        seen, took = random.random(), random.lognormvariate(4.5, 0.9)
        if seen < 0.02:
            said = f'msg="task failed" task={task} id={number} attempt=3 err="deadline exceeded"'
            return self._line(at, "error", said)
        if seen < 0.07:
            return self._line(at, "warn", f'msg="task retried" task={task} id={number} attempt={random.randint(1, 2)}')
        return self._line(at, "info", f'msg="task done" task={task} id={number} duration={took:.0f}ms')

    def stops(self, at: float) -> Sequence[str]:
        """It gives back what it has not done."""
        return [self._line(at, "info", said) for said in ('msg="SIGTERM, no new tasks"', 'msg="stopped" requeued=1')]

    @staticmethod
    def _line(at: float, level: str, said: str) -> str:
        return f"time={rfc3339_milli(at)} level={level} {said}"


class Flaky(Program):
    """A Go service that comes up, loses what it needs, and dies: by its own word, by a panic, or of memory."""

    def begins(self) -> Iterator[Said]:
        """All that it says in one life, fitted to its length."""
        seconds, started = self.scene.planned or 60.0, self.scene.started
        random = self.scene.random("flaky")
        said = f"flaky {self.scene.tag} starting, attempt {self.scene.number + 1}"
        yield 0.05, self._line(started + 0.05, "INFO", said)
        yield 0.30, self._line(started + 0.3, "INFO", "connecting to redis://cache.default:6379")
        yield 0.45, self._line(started + 0.45, "INFO", "listening on :8080")
        steps = max(1, int(seconds - 1))
        for at, step in evenly(seconds - 0.5, steps):
            at += 0.5
            used = 60 + int((OOM_MIB - 62) * step / steps)
            if step < steps * 0.55:
                took = random.randint(2, 40)
                yield at, self._line(started + at, "INFO", f"GET /work 200 {took}ms heap={used}MiB")
            elif step % 2:
                said = f"cache unreachable, retry {step}, heap={used}MiB of {OOM_MIB}MiB"
                yield at, self._line(started + at, "WARN", said)
            else:
                said = "GET /work 500: dial tcp 10.96.14.3:6379: i/o timeout"
                yield at, self._line(started + at, "ERROR", f"{said} heap={used}MiB")

    def ends(self, at: float, code: int) -> Sequence[str]:
        """What fits the exit code: Go ends a panic with 2, `log.Fatal` with 1; a kill has no words."""
        if code == 2:
            return (
                "panic: runtime error: invalid memory address or nil pointer dereference",
                "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x6f2a41]",
                "",
                "goroutine 34 [running]:",
                "main.(*Cache).Get(0x0, {0xc0001a4018, 0x8})",
                "\t/src/cache.go:41 +0x21",
                "main.(*Server).work(0xc00012a000, {0x8c1e40, 0xc0001b2000}, 0xc0001d6000)",
                "\t/src/server.go:118 +0x1c5",
                "net/http.HandlerFunc.ServeHTTP(0xc0000b6f60?, {0x8c1e40?, 0xc0001b2000?}, 0x0?)",
                "\t/usr/local/go/src/net/http/server.go:2294 +0x29",
                "exit status 2",
            )
        if code == 1:
            said = "cache: giving up after 5 attempts: dial tcp 10.96.14.3:6379: i/o timeout"
            return (self._line(at, "FATAL", said),)
        return ()

    @staticmethod
    def _line(at: float, level: str, said: str) -> str:
        return f"{spaced(at, '%Y/%m/%d %H:%M:%S')} {level:5} {said}"


class Cache(Worker):
    """A cache: what it forgets, and how often it was right."""

    pace = 0.2
    tasks = ("evict", "snapshot", "rehash")


class Unknown(Program):
    """An image that is not known here: said once, honestly."""

    def begins(self) -> Iterator[Said]:
        """That nothing runs."""
        yield 0.01, f"(the embedded cluster runs no images, and knows no story of {self.scene.image}: that is all)"
