from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux.errors import Closed
from notebook_mux.widgets.forward import ForwardView

from .conftest import Page


class FakeForward:
    """What the widget reads of a forward."""

    def __init__(self) -> None:
        self.target, self.cluster, self.pod, self.pod_port = "service default/web", "dev", "web-0", 8080
        self.url, self.port, self.state, self.reason = "http://127.0.0.1:4000", 4000, "listening", ""
        self.connections, self.total, self.bytes, self.errors, self.error = 1, 2, (3, 4), 0, ""
        self._goal = SimpleNamespace(port=80)
        self.wakes: list[Callable[[], None]] = []
        self.gone = False

    def on_change(self, wake: Callable[[], None]) -> Callable[[], None]:
        if self.gone:
            raise Closed("there is no connection")
        self.wakes.append(wake)
        return lambda: self.wakes.remove(wake)

    @property
    def closed(self) -> bool:
        return self.state == "closed"

    def close(self) -> None:
        self.state, self.reason = "closed", "closed by close()"


@pytest.fixture
def forward() -> FakeForward:
    return FakeForward()


@pytest.fixture
def view(forward: FakeForward, pokes: Any) -> Iterator[ForwardView]:
    made = ForwardView(forward, "key")  # type: ignore[arg-type]
    yield made
    made.close()


def test_a_page_gets_the_whole_and_then_what_changed(view, forward):
    page = Page(view)
    page.here()
    now = time.monotonic()
    assert view.turn(now)[0]
    data = page.last()[0]["data"]
    assert data == {
        "target": "service default/web",
        "wanted": "80",
        "cluster": "dev",
        "pod": "web-0",
        "podPort": 8080,
        "url": "http://127.0.0.1:4000",
        "state": "listening",
        "reason": "",
        "connections": 1,
        "total": 2,
        "sent": 3,
        "received": 4,
        "errors": 0,
        "error": "",
    }
    sent, next_ = view.turn(now + 1)
    assert not sent
    assert next_ > now + 2, "nothing is looked at without a word"
    assert view._later() == math.inf
    forward.error, forward.errors = "refused", 1
    assert view.turn(now + 2)[0]
    assert page.last()[0]["data"]["error"] == "refused"


def test_it_listens_only_while_somebody_looks(view, forward):
    page = Page(view)
    page.here()
    view.turn(time.monotonic())
    assert len(forward.wakes) == 1
    page.say(t="bye")
    view.turn(time.monotonic())
    assert forward.wakes == []


def test_a_connection_that_has_gone(view, forward):
    forward.gone = True
    page = Page(view)
    page.here()
    assert view.turn(time.monotonic())[0]
    page.say(t="bye")
    view.turn(time.monotonic())


def test_its_buttons(view, forward):
    page = Page(view)
    answer = page.say(t="do", view="v", what="close")
    assert answer is not None
    assert answer["ok"]
    assert forward.state == "closed"
    answer = page.say(t="do", view="v", what="format the disk")
    assert answer is not None
    assert not answer["ok"]


def test_its_copy_is_text(view, forward):
    forward.error, forward.errors = "<b>refused</b>", 1
    forward.pod = "<i>web</i>"
    made = view._static_html()
    assert "<b>refused" not in made
    assert "<i>web" not in made
    assert "last error: &lt;b&gt;refused" in made
    for words in ("service default/web 80", "http://127.0.0.1:4000", "1 of 2", "dev: listening"):
        assert words in made
        assert words in view._static_text()
    forward.port = 0
    assert "127.0.0.1" not in view._static_html()


def test_nothing_of_it_is_saved(view):
    assert set(view.keys) <= {*view.traits(sync=True)}
    state = view.get_state()
    assert "4000" not in str({name: value for name, value in state.items() if name not in ("_esm", "_id", "_copy")})
