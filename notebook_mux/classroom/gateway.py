"""The gateway of a class: a process of its own, started again where it dies, and asked who is there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

from notebook_mux.errors import GatewayError
from notebook_mux.life import redact
from notebook_mux.urls import split_token

START_SECONDS = 60.0
"""It takes less than one, several times that on a loaded machine."""

END_SECONDS = 10.0
"""For its goodbyes; then it is killed."""

ASK_SECONDS = 10.0
WORDS = 4096
"""Bytes of its log that are looked through for why it did not start."""

AGAIN_SECONDS = 1.0
"""Before it is started again, so that one which dies at once does not take the machine."""

log = logging.getLogger(__name__)


class Gateway:
    """The process. On the class's loop.

    Args:
        users: The users' file.
        log_file: Where its words go.
        options: Further arguments, such as ``["--port", "8123"]``; a port of 0 is settled at its first start.
    """

    def __init__(self, users: Path, log_file: Path, options: Sequence[str]) -> None:
        self._users = users
        self._log = log_file
        self._options = list(options)
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._token = ""
        self.url = ""

    async def start(self, port: int) -> int:
        """Start it; returns its port.

        Raises:
            GatewayError: It cannot be started; with its own words.
        """
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "notebook_mux.gateway", "--users", str(self._users)),
                *("--port", str(port), "--until-eof", *self._options),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=descriptor,
                start_new_session=True,  # Ctrl-C is for the class, which ends it when it has said goodbye
            )
        finally:
            os.close(descriptor)
        assert process.stdout is not None
        line = b""
        with contextlib.suppress(TimeoutError):
            line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        if not line:
            await self.stop()
            raise GatewayError("the gateway of the class cannot be started", said=self._last_words())
        self.url, token = split_token(line.decode().strip())
        self.url += "/"
        self._token = token or ""
        redact.add_secret(self._token)
        return int(self.url.rstrip("/").rpartition(":")[2])

    def _last_words(self) -> str:
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - WORDS))
            lines = file.read().decode(errors="replace").splitlines()
            errors = [at for at, line in enumerate(lines) if "Error" in line.partition(":")[0]]
            return redact.redact(" ".join(lines[errors[-1] :] if errors else lines[-1:]))
        return ""

    async def died(self) -> int:
        """Wait until it ends by itself; its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def read_users(self) -> list[dict[str, Any]]:
        """Let it read the users again; returns them.

        Raises:
            GatewayError: It does not answer, or does not want to.
        """
        found: list[dict[str, Any]] = await self._ask("POST", "users")
        return found

    async def users(self) -> list[dict[str, Any]]:
        """Who is there.

        Raises:
            GatewayError: It does not answer.
        """
        found: list[dict[str, Any]] = (await self._ask("GET", "status"))["users"]
        return found

    async def _ask(self, method: str, path: str) -> Any:
        if self._session is None:
            # Whose certificate it is is of no account: it was started here, and this is its port.
            connector = aiohttp.TCPConnector(ssl=False)
            timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False)
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.request(method, self.url + path, headers=headers) as answer:
                if answer.status != 200:
                    raise GatewayError("the gateway of the class refuses", said=(await answer.text()).strip())
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise GatewayError("the gateway of the class does not answer", said=str(error)) from None

    async def stop(self) -> None:
        """End it, with a goodbye to all. Twice is fine."""
        process, self._process = self._process, None
        session, self._session = self._session, None  # first: who asks meanwhile has none that closes
        if session is not None:
            await session.close()
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), END_SECONDS)
        if process.returncode is None:
            process.kill()
            await process.wait()
