"""What a class says while its list is read again, and its gateway does not answer at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from notebook_mux.classroom import namespaces
from notebook_mux.classroom.book import Book
from notebook_mux.classroom.service import Class, Wanted
from notebook_mux.errors import GatewayError
from notebook_mux.playground.kubeconfig import Reach


class FakeGateway:
    """Reads the users when `answers`; until then whoever was let in stays in."""

    url = "http://127.0.0.1:1/"
    answers = True

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.before: list[str] = []

    async def start(self, port: int) -> int:
        return 1

    async def read_users(self) -> None:
        self.before = list(self.told)
        if not self.answers:
            raise GatewayError("the gateway of the class does not answer")


async def test_a_link_is_told_to_be_revoked_when_the_gateway_has_read_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("prepare", "enrol", "bound", "shut"):
        monkeypatch.setattr(namespaces, name, lambda *_: False)
    expelled: list[str] = []
    reach = Reach("class", "https://127.0.0.1:2", b"authority", "token", "default")
    first = SimpleNamespace(expel=expelled.append, cluster=None, reach=reach)
    playground: Any = SimpleNamespace(first=first)
    names, told = tmp_path / "students.txt", list[str]()
    names.write_text("ann\nbob\n")
    book = Book(tmp_path / "out", {}, {"scenario": "", "seed": 0, "port": 0})
    room = Class(Wanted(names, tmp_path / "state", "127.0.0.1"), book, playground, told.append)
    gateway: Any = FakeGateway(told)
    room._gateway = gateway
    await room.apply()
    names.write_text("ann\n")
    gateway.answers = False
    with pytest.raises(GatewayError):
        await room.apply()
    assert (expelled, told) == (["bob"], [])
    gateway.answers = True
    await room.apply()
    assert gateway.before == []
    assert told == ["bob is not in the list any more: the link and the kubeconfig are revoked."]
    await room.apply()
    assert (expelled, len(told)) == (["bob"], 1)
