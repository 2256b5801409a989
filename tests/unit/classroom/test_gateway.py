"""The gateway of a class, as the class asks it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from notebook_mux.classroom.gateway import Gateway
from notebook_mux.errors import GatewayError
from tests.serving import Place, quiet_port


class Closing:
    """A session whose connections take their time to say goodbye, as those of TLS do."""

    def __init__(self) -> None:
        self.goodbye = asyncio.Event()

    async def close(self) -> None:
        await self.goodbye.wait()

    def request(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("Session is closed")  # as aiohttp has it


async def test_who_asks_while_it_is_ended_is_told_that_it_does_not_answer(tmp_path: Path):
    """As the class does, which looks every two seconds who is there, also when the gateway has died."""
    gateway, place, port = Gateway(tmp_path / "users.csv", tmp_path / "log", []), Place(), quiet_port()
    place.keep(port)
    gateway.url = f"https://127.0.0.1:{port}/"
    session: Any = Closing()
    gateway._session = session
    ending = asyncio.create_task(gateway.stop())
    await asyncio.sleep(0)
    try:
        with pytest.raises(GatewayError, match="does not answer"):
            await gateway.users()
    finally:
        session.goodbye.set()
        await ending
        await gateway.stop()
        place.give_up()
