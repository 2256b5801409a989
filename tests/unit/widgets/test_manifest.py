"""One object as YAML, of a core without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml

from notebook_mux.widgets.manifest import Manifest
from notebook_mux.widgets.watched import Target
from tests.unit.fake_core import SECRETS, FakeCore, install, manager as managed, pod
from tests.waiting import eventually

from .conftest import Looking, NoPump
from .test_details import NAMED, VALUE, secret


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> FakeCore:
    return install(monkeypatch)


class Shown(Looking):
    """A manifest with a page that looks at it."""

    def __init__(self, core: FakeCore, target: Target) -> None:
        self.manager = managed(core, "dev")
        super().__init__(Manifest(self.manager, target))

    def written(self, version: str) -> dict[str, Any]:
        """As soon as this version is."""
        eventually(lambda: self.turn()["version"] == version, f"version {version}", seconds=30)
        return self.turn()


@pytest.fixture
def shown(core: FakeCore, pokes: NoPump) -> Iterator[Shown]:
    made = Shown(core, Target("dev", "default", "web-0", "Pod"))
    yield made
    made.widget.close()
    core.linger()
    assert core.streams == {}


def test_all_of_it_the_newest_last(shown: Shown, core: FakeCore) -> None:
    assert shown.turn()["text"] == ""
    fields: dict[str, Any] = {
        "metadata": {"name": "web-0", "managedFields": [{"manager": "kubectl"}]},
        "kind": "Pod",
        "apiVersion": "v1",
    }
    first = pod("web-0", uid="u", **fields)
    core.stream.sync(first)
    data = shown.written(first.version)
    assert yaml.safe_load(data["text"]) == {**msgspec.json.decode(first.object)}
    assert data["text"].startswith("apiVersion: v1\nkind: Pod\nmetadata:\n")
    assert "managedFields:\n" in data["text"]
    later = pod("web-0", uid="u", status="Failed", **fields)
    core.stream.put(later)
    assert "Failed" in shown.written(later.version)["text"]
    core.stream.delete("u")
    data = shown.turn()
    assert data["deleted"] is not None
    assert "Failed" in data["text"], "as it was"


def test_whether_it_may_be_changed(shown: Shown) -> None:
    assert shown.turn()["write"] is False
    shown.manager._write = frozenset(["ref-dev"])
    assert shown.turn()["write"] is True


def test_a_secrets_values_come_when_they_are_asked_for(core: FakeCore, pokes: NoPump) -> None:
    shown = Shown(core, Target("dev", "shop", "api", "Secret"))
    refused = shown.page.say(t="do", view="v", what="reveal")
    assert refused is not None
    assert refused["ok"] is False
    core.stream.sync(secret(), columns=NAMED, resource=SECRETS)
    data = shown.written("5")
    assert data["veiled"] is True
    said = json.dumps(data) + json.dumps(shown.widget.get_state(), default=str) + shown.widget._static_html()
    encoded = msgspec.json.decode(secret().object)["data"]["password"]
    assert VALUE not in said
    assert encoded not in said
    answer = shown.page.say(t="do", view="v", what="reveal")
    assert answer is not None
    assert yaml.safe_load(answer["text"])["data"] == {"password": encoded}
    assert encoded not in json.dumps([content for content, _ in shown.page.puts])
    shown.widget.close()
