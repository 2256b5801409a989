"""Logs with the interface that their widget reads: lines as one likes them, as fast as one likes. No cluster."""

from __future__ import annotations

import json
import random
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from notebook_mux.errors import Closed

CONTINUES, MARK, OBJECT, CUT = 1 << 3, 1 << 4, 1 << 5, 1 << 6
LEVELS = {"": 0, "trace": 1, "debug": 2, "info": 3, "warning": 4, "error": 5, "fatal": 6}

APPS = ("web-6d4cf56db6-x2x7k", "web-6d4cf56db6-9fq2p", "api-7c9d8b5f4-kk2lm", "worker-0", "worker-1")


def source(pod: str, container: str = "main", *, state: str = "live", color: int = 0, **more: Any) -> dict[str, Any]:
    """A container as the core tells it."""
    return {
        "cluster": "kind-a", "namespace": "shop", "pod": pod, "container": container, "kind": "container", "uid": pod,
        "restart": 0, "state": state, "reason": "", "said": "", "todo": "", "since": time.time(), "retry_at": None,
        "lines": 0, "color": color,
    } | more  # fmt: skip


class FakeLogs:
    """See `notebook_mux.widgets.logs.Source`. Any thread may call.

    Args:
        pods: Their names; one container each.
        most: Lines kept at most.
    """

    def __init__(
        self, pods: Sequence[str] = APPS, *, title: str = "deployment web in shop", most: int = 200_000
    ) -> None:
        self.title, self.key = title, ("fake", title)
        self.store, self.most = "s1", most
        self.sources = [source(pod, color=at) for at, pod in enumerate(pods)]
        self.lock = threading.Lock()
        self.times, self.of, self.flags = array("q"), array("I"), array("H")
        self.texts: list[bytes] = []
        self.oldest = 0
        self.version = 1
        self.settled, self.closed = True, False
        self.problem: dict[str, Any] | None = None
        self.left_out: list[str] = []
        self.wakes: list[Callable[[], None]] = []
        self.holders: list[str] = []
        self.reads = 0

    # --- what happens ---------------------------------------------------------------------------------------------

    def add(self, lines: Iterable[tuple[Any, ...]]) -> None:
        """More lines: (source, text, level, flags, nanoseconds); what is left out is the first, "", 0 and now."""
        with self.lock:
            for given in lines:
                rest: tuple[Any, ...] = (0, "", "", 0, None)
                at, text, level, flags, ns = given + rest[len(given) :]
                self.times.append(time.time_ns() if ns is None else ns)
                self.of.append(at)
                self.flags.append(flags | LEVELS[level])
                self.texts.append(text if isinstance(text, bytes) else text.encode())
            drop = len(self.texts) - self.most
            if drop > 0:
                del self.times[:drop], self.of[:drop], self.flags[:drop], self.texts[:drop]
                self.oldest += drop
        self.wake()

    def mark(self, what: str, text: str, *, at: int = 0, todo: str = "", ns: int | None = None) -> None:
        """A mark in place."""
        self.add([(at, json.dumps({"mark": what, "text": text, "todo": todo}), "", MARK, ns)])

    def stand(self, at: int, state: str, **more: Any) -> None:
        """A container's state changes."""
        self.sources[at] |= {"state": state, "since": time.time(), **more}
        self.version += 1
        self.wake()

    def wake(self) -> None:
        for wake in list(self.wakes):
            wake()

    def renew(self) -> None:
        """Opened anew: other numbers."""
        with self.lock:
            self.store += "'"
            self.oldest = 0
            del self.times[:], self.of[:], self.flags[:], self.texts[:]
        self.wake()

    def pour(self, rate: int, seconds: float, batch: float = 0.02) -> threading.Thread:
        """So many lines a second for a while, in a thread."""
        rng = random.Random(1)
        kinds = [plain(rng, at) for at in range(512)]

        def run() -> None:
            begun, poured = time.monotonic(), 0
            while (passed := time.monotonic() - begun) < seconds:
                wanted = int(passed * rate)
                now = time.time_ns()
                many = wanted - poured
                jitter = [rng.randrange(40_000_000) for _ in range(8)]
                self.add(
                    (n % len(self.sources), *kinds[n % 512][:2], kinds[n % 512][2], now - jitter[n % 8] + n)
                    for n in range(many)
                )
                poured = wanted
                time.sleep(batch)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    # --- what the widget calls ----------------------------------------------------------------------------------------

    def read(self, after: int, most: int = 5000) -> dict[str, Any]:
        if self.closed:
            raise Closed("the logs were closed")
        with self.lock:
            self.reads += 1
            begin = max(0, after + 1 - self.oldest)
            end = min(len(self.texts), begin + most)
            texts = self.texts[begin:end]
            ends, at = array("I"), 0
            for text in texts:
                at += len(text)
                ends.append(at)
            return {
                "first": self.oldest + begin, "end": self.oldest + end, "oldest": self.oldest, "store": self.store,
                "times": self.times[begin:end].tobytes(), "sources": self.of[begin:end].tobytes(),
                "flags": self.flags[begin:end].tobytes(), "ends": ends.tobytes(), "text": b"".join(texts),
            }  # fmt: skip

    def standing(self) -> dict[str, Any]:
        lines = len(self.texts)
        return {
            "version": self.version, "sources": self.sources, "pods": len(self.sources), "left_out": self.left_out,
            "end": self.oldest + lines, "oldest": self.oldest, "lines": lines, "bytes": 0, "dropped": self.oldest,
            "max_lines": self.most, "max_bytes": 64 * 2**20, "settled": self.settled, "closed": self.closed,
            "problem": self.problem,
            "note": "",
        }  # fmt: skip

    def on_new(self, wake: Callable[[], None]) -> Callable[[], None]:
        self.wakes.append(wake)
        return lambda: self.wakes.remove(wake)

    def hold(self, kind: str) -> str:
        name = f"{kind}-{len(self.holders)}"
        self.holders.append(name)
        return name

    def release(self, name: str) -> None:
        self.holders.remove(name)

    def lines(self, last: int | None = None) -> list[Any]:
        found = list(zip(self.times, self.of, self.flags, self.texts, strict=True))[-(last or len(self.texts)) :]
        return [self._line(*one) for one in found]

    def _line(self, ns: int, of: int, flags: int, text: bytes) -> Any:
        at, said, mark = self.sources[of], text.decode(errors="replace"), ""
        if flags & MARK:
            mark, said = json.loads(said)["mark"], json.loads(said)["text"]
        try:
            from notebook_mux.handles.log_lines import LEVELS as NAMES, Line
        except ImportError:
            return SimpleNamespace(ns=ns, pod=at["pod"], text=said)
        return Line(ns, at["cluster"], at["namespace"], at["pod"], at["container"], NAMES[flags & 7], said, mark)

    def close(self) -> None:
        self.closed = True
        self.version += 1
        self.wake()


def plain(rng: random.Random, number: int) -> tuple[str, str, int]:
    """A line as programs write them: text, level, flags."""
    path = rng.choice(("/", "/cart", "/api/v1/orders", "/healthz", "/static/app.js"))
    took = rng.randrange(1, 900)
    kind = rng.random()
    if kind < 0.35:
        level = rng.choices(("info", "debug", "warning", "error"), (80, 10, 7, 3))[0]
        said = {"error": "upstream failed", "warning": "slow answer"}.get(level, "request served")
        fields = {"method": "GET", "path": path, "status": 502 if level == "error" else 200, "duration_ms": took}
        trace = {"trace_id": f"{rng.randrange(16**16):016x}"}
        text = json.dumps({"level": level, "ts": 1700000000.123, "msg": said} | fields | trace)
        return text, level, OBJECT
    if kind < 0.6:
        level = rng.choices(("info", "warning", "error"), (90, 7, 3))[0]
        text = f'level={level} msg="GET {path}" took={took}ms client=10.244.{rng.randrange(4)}.{rng.randrange(255)}'
        return text, level, 0
    if kind < 0.8:
        letter, level = rng.choices((("I", "info"), ("W", "warning"), ("E", "error")), (92, 5, 3))[0]
        return (
            f"{letter}1129 12:00:00.{number:06d}       1 controller.go:{100 + took}] synced key shop/web-{number}",
            level,
            0,
        )
    if kind < 0.9:
        return f"\x1b[32mGET\x1b[0m {path} \x1b[1;36m200\x1b[0m \x1b[2m{took} ms\x1b[0m", "", 0
    return f'10.244.1.{number % 255} - - "GET {path} HTTP/1.1" 200 {took * 17}', "", 0


TRACE = (
    "Traceback (most recent call last):",
    '  File "/app/shop/views.py", line 212, in checkout',
    "    total = cart.total(currency)",
    '  File "/app/shop/cart.py", line 88, in total',
    "    return sum(item.price for item in self.items)",
    "ValueError: price of 'blue mug' is not a number: 'NaN '",
)

HOSTILE = (
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "\x1b]0;owned\x07\x1b[2J\x1b[1;1Hwiped\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil.example/\x1b\\click\x1b]8;;\x1b\\",
    "user \u202egnp.exe\u202c logged in \u200b\ufeffx",
    "bell\x07 null\x00 back\x08 \x9b31m del\x7f",
    b"\xff\xfe\x00binary\x80\x81",
    "progress 10%\rprogress 20%\r",
    (
        "\x1b[38;2;20;20;20mdark grey\x1b[0m \x1b[38;5;226myellow\x1b[0m \x1b[44;97mwhite on blue\x1b[0m"
        " \x1b[7minverse\x1b[0m"
    ),
    "العربية and עברית in a line",
)


def story(logs: FakeLogs, count: int = 0, *, end: float | None = None) -> None:
    """Lines of all kinds: `count` of them and then some that show each kind."""
    rng = random.Random(2)
    end = time.time() if end is None else end
    step = 600.0 / max(1, count)
    begin = end - 15 - step * count
    lines = []
    for number in range(count):
        text, level, flags = plain(rng, number)
        ns = int((begin + number * step) * 1e9) + rng.randrange(1000)
        lines.append((rng.randrange(len(logs.sources)), text, level, flags, ns))
    logs.add(lines)
    at = int((end - 14) * 1e9) + 123_456_789

    def later(seconds: float) -> int:
        return at + int(seconds * 1e9)

    logs.mark("joined", "joined: it became ready after 4 s", at=1, ns=later(0))
    for number in range(6):
        text, level, flags = plain(rng, number)
        logs.add([(number % len(logs.sources), text, level, flags, later(0.3 * number))])
    logs.add([(2, TRACE[0], "error", 0, later(2))])
    logs.add([(0, "between the lines of a trace", "info", 0, later(2.0001))])
    logs.add((2, text, "error", CONTINUES, later(2 + 0.0001 * (n + 2))) for n, text in enumerate(TRACE[1:]))
    logs.mark("restarted", "restarted: exit code 137, OOMKilled (2 restarts)", at=3, ns=later(3))
    logs.mark("gap", "lines from 12:00:01 to 12:04:11 are missing: the node had rotated its file", at=3,
              todo="kubelet's containerLogMaxSize is 10 MiB by default", ns=later(3.1))  # fmt: skip
    logs.add((4, text, "", 0, later(4 + n / 10)) for n, text in enumerate(HOSTILE))
    logs.add([(0, "long " + "0123456789 " * 3000, "warning", 0, later(6))])
    order = {"id": 12345678901234567890, "items": [1, 2, {"sku": "mug"}]}
    nested = {"level": "error", "msg": "payment refused", "order": order, "error": "card_declined", "retry": False}
    logs.add([(1, json.dumps(nested), "error", OBJECT, later(7))])
    logs.add(
        [(2, "F1129 12:00:00.000000       1 main.go:42] cannot bind: address already in use", "fatal", 0, later(8))]
    )
    logs.mark(
        "failed",
        "the node does not answer: dial tcp 10.0.0.7:10250: i/o timeout",
        at=4,
        todo="it is tried again",
        ns=later(9),
    )
    for number in range(12):
        text, level, flags = plain(rng, number)
        logs.add([(number % 3, text, level, flags, later(10 + 0.3 * number))])
