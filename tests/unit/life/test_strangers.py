from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from notebook_mux.life import strangers
from tests.serving import quiet_port

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def table(folder: Path, *sockets: tuple[str, str, str]) -> tuple[str, ...]:
    lines = [
        f"   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid:>5}        0 1 1 0\n"
        for local, state, uid in sockets
    ]
    path = folder / "tcp"
    path.write_text(HEAD + "".join(lines))
    return (str(path),)


def test_the_systems_table_says_whose_it_is(tmp_path: Path) -> None:
    tables = table(tmp_path, ("0100007F:1F90", "01", "7"), ("0100007F:1F91", "0A", "7"), ("00000000:1F92", "0A", "x"))
    assert strangers.listener(0x1F90, tables) is None, "a connection is no listener"
    assert strangers.listener(0x1F91, tables) == "a process of another user (uid 7)"
    assert strangers.listener(0x1F93, tables) is None


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="there are no user ids here")
def test_ones_own(tmp_path: Path) -> None:
    tables = table(tmp_path, ("0100007F:1F90", "0A", str(os.getuid())))
    assert strangers.listener(0x1F90, tables) == "another process of yours"


@pytest.mark.parametrize("tables", [strangers.TABLES, ()], ids=["by the table", "by asking"])
def test_a_real_one(tables: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", quiet_port())) as listening:
        port = listening.getsockname()[1]
        assert "another process" in str(strangers.listener(port, tables))
    assert strangers.listener(port, tables) is None
