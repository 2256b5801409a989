"""Widgets without a kernel: their messages are kept, and turns come when a test says so."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.widgets import base, bundle, hosts, settable
from notebook_mux.widgets.layouts import Layouts
from notebook_mux.widgets.table import Table


class Page:
    """A page's end of a widget's comm.

    Args:
        widget: Whose messages are kept from now on.
    """

    def __init__(self, widget: Any, id_: str = "p1") -> None:
        self.widget, self.id = widget, id_
        self.sent: list[tuple[dict[str, Any], list[bytes]]] = []
        self._asked = 0
        others = widget.__dict__.setdefault("pages_of_the_test", [])
        others.append(self)
        widget.send = lambda content, buffers=None: [page._keep(content, buffers) for page in others]

    def _keep(self, content: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self.sent.append((content, list(buffers or [])))

    def say(self, **message: Any) -> dict[str, Any] | None:
        """Send a message; returns the answer."""
        self._asked += 1
        return self.say_raw({"page": self.id, "id": self._asked} | message)

    def say_raw(self, content: Any, buffers: Sequence[Any] = ()) -> dict[str, Any] | None:
        """Send any content; returns the answer, after checking that there is at most one."""
        before = len(self.sent)
        self.widget._received(self.widget, content, [memoryview(one) for one in buffers])
        answers = [content for content, _ in self.sent[before:] if content["t"] == "reply"]
        assert len(answers) <= 1
        return answers[0] if answers else None

    def here(self, **more: Any) -> dict[str, Any]:
        """Say that somebody looks, with nothing in hand unless told otherwise."""
        answer = self.say(**({"t": "here", "have": -1, "epoch": "", "watching": True} | more))
        assert answer is not None
        return answer

    @property
    def puts(self) -> list[tuple[dict[str, Any], list[bytes]]]:
        """The numbered messages so far."""
        return [message for message in self.sent if message[0]["t"] == "put"]

    def last(self) -> tuple[dict[str, Any], list[bytes]]:
        """The newest numbered message."""
        return self.puts[-1]


class Looking:
    """A page that looks at a widget and takes in what comes of each turn.

    Args:
        widget: A `Live` whose messages have ``data``.
    """

    def __init__(self, widget: Any) -> None:
        self.widget = widget
        self.page = Page(widget)
        self.now = time.monotonic()
        self.page.here()
        self.turn()

    def turn(self) -> dict[str, Any]:
        """A second later: the newest data."""
        self.now += 1
        self.widget.turn(self.now)
        content = self.page.last()[0]
        self.page.say(t="ack", n=content["n"])
        data: dict[str, Any] = content["data"]
        return data


class NoPump:
    """Counts pokes and gives no turns."""

    def __init__(self) -> None:
        self.pokes = 0

    def poke(self, _widget: Any) -> None:
        self.pokes += 1


@pytest.fixture
def table(stream: Any, pokes: Any) -> Iterator[Table]:
    """A table of the stream that a module makes."""
    made = Table(stream)
    yield made
    made.close()


@pytest.fixture
def pokes(monkeypatch: pytest.MonkeyPatch) -> NoPump:
    """No thread: a test calls ``widget.turn(now)``."""
    pump = NoPump()
    monkeypatch.setattr(base, "pump", pump)
    return pump


@pytest.fixture(autouse=True)
def arranged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Layouts]:
    """Columns are remembered in a folder of the test's own."""
    made = Layouts(lambda: tmp_path / "settings")
    monkeypatch.setattr(settable, "layouts", made)
    yield made
    made.flush(30)


@pytest.fixture(autouse=True)
def bundles(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Bundles that need no build, and no widget left behind."""
    monkeypatch.setattr(bundle, "text", lambda name: f"// {name}")
    monkeypatch.setattr(bundle, "packed", lambda kind: (b"packed", f"hash-of-{kind}"))
    monkeypatch.delenv("NOTEBOOK_MUX_STATIC", raising=False)
    monkeypatch.setattr(hosts, "static_only", lambda: False)
    yield
    for widget in list(bundle.kept("shown").values()):
        widget.close()
    bundle.kept("models").clear()
