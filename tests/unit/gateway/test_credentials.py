from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notebook_mux.errors import LoginRequired
from notebook_mux.gateway import exec_plugin
from notebook_mux.gateway.credentials import FAILURE_SECONDS, SHORTEST_SECONDS, TOKEN_FILE_SECONDS, Credentials
from notebook_mux.gateway.entries import Plugin, Server, User
from notebook_mux.gateway.exec_plugin import Issued
from tests.unit.gateway.certificates import Authority

HTTPS = Server(url="https://c", insecure=True)


class Clocks:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(user: User, server: Server = HTTPS) -> tuple[Credentials, Clocks]:
    clocks = Clocks()
    return Credentials(server, user, clock=clocks, monotonic=clocks), clocks


async def bearer(credentials: Credentials) -> str:
    return (await credentials.current()).headers["Authorization"]


async def test_a_token_file_is_read_again_by_time(tmp_path: Path):
    path = tmp_path / "token"
    path.write_text(" one\n")
    credentials, clocks = make(User(token_file=path, token="inline"))
    assert await bearer(credentials) == "Bearer one"
    path.write_text("two")
    assert await bearer(credentials) == "Bearer one"
    first = await credentials.current()
    clocks.now += TOKEN_FILE_SECONDS
    assert await bearer(credentials) == "Bearer two"
    assert (await credentials.current()).context is first.context, "connections are kept"
    path.unlink()
    clocks.now += TOKEN_FILE_SECONDS
    assert await bearer(credentials) == "Bearer inline"


@pytest.mark.parametrize("content", ["", "a b", "a\nb", "ü"])
async def test_a_token_that_no_header_can_carry(tmp_path: Path, content: str):
    path = tmp_path / "token"
    path.write_text(content)
    credentials, _ = make(User(token_file=path))
    with pytest.raises(LoginRequired) as caught:
        await credentials.current()
    assert content not in str(caught.value) or not content


async def test_a_plugin_s_result_is_kept_until_it_expires(monkeypatch: pytest.MonkeyPatch):
    runs: list[int] = []
    results: list[Any] = []

    async def run(plugin: Plugin, server: Server) -> Issued:
        runs.append(len(runs))
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        assert isinstance(result, Issued)
        return result

    monkeypatch.setattr(exec_plugin, "run", run)
    credentials, clocks = make(User(plugin=Plugin("x")))
    results[:] = [Issued("a", expires=1060.0), Issued("b"), LoginRequired("no"), Issued("c")]
    assert [await bearer(credentials) for _ in range(3)] == ["Bearer a"] * 3
    clocks.now = 1060.0
    assert await bearer(credentials) == "Bearer b"
    clocks.now += 1e9
    used = await credentials.current()
    assert len(runs) == 2, "without a time it does not expire"
    with pytest.raises(LoginRequired):
        await credentials.renewed(used)
    with pytest.raises(LoginRequired) as again:
        await credentials.renewed(used)
    assert len(runs) == 3
    assert again.value.what == "no"
    clocks.now += FAILURE_SECONDS
    renewed = await credentials.renewed(used)
    assert renewed is not None
    assert renewed.headers["Authorization"] == "Bearer c"
    assert await credentials.renewed(used) is renewed, "it was renewed already"


async def test_what_has_expired_already_runs_no_plugin_for_each_request(monkeypatch: pytest.MonkeyPatch):
    runs: list[int] = []

    async def run(plugin: Plugin, server: Server) -> Issued:
        runs.append(len(runs))
        return Issued(f"t{len(runs)}", expires=500.0)

    monkeypatch.setattr(exec_plugin, "run", run)
    credentials, clocks = make(User(plugin=Plugin("x")))
    assert [await bearer(credentials) for _ in range(50)] == ["Bearer t1"] * 50
    clocks.now += SHORTEST_SECONDS
    assert await bearer(credentials) == "Bearer t2"
    renewed = await credentials.renewed(await credentials.current())
    assert renewed is not None
    assert renewed.headers["Authorization"] == "Bearer t3"


async def test_a_plugin_s_certificate_and_a_rotated_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    authority = Authority()
    cert, key = authority.sign("jane")

    async def run(plugin: Plugin, server: Server) -> Issued:
        return Issued(cert=cert, key=key)

    monkeypatch.setattr(exec_plugin, "run", run)
    login = await make(User(plugin=Plugin("x")))[0].current()
    assert "Authorization" not in login.headers
    assert login.context is not None
    (tmp_path / "c").write_bytes(cert)
    (tmp_path / "k").write_bytes(key)
    credentials, _ = make(User(cert_file=tmp_path / "c", key_file=tmp_path / "k"))
    first = await credentials.current()
    same = await credentials.renewed(first)
    assert same is not None
    assert same.context is first.context
    cert, key = authority.sign("jane")
    (tmp_path / "new").write_bytes(cert)
    (tmp_path / "new").replace(tmp_path / "c")
    (tmp_path / "k").write_bytes(key)
    other = await credentials.renewed(same)
    assert other is not None
    assert other.context is not same.context


async def test_what_wins_and_what_cannot_be_renewed():
    token, _ = make(User(token="t", plugin=Plugin("x")))
    assert await bearer(token) == "Bearer t"
    assert await token.renewed(await token.current()) is None
    plain, _ = make(User(token="t", plugin=Plugin("x"), impersonate="jane"), Server(url="http://c"))
    login = await plain.current()
    assert dict(login.headers) == {"Impersonate-User": "jane"}
    assert login.context is None
    assert "Bearer" not in repr(await token.current()) + repr(token)
