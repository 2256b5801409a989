"""`nm.shell` by way of Headlamp servers: this kernel keeps the terminal itself, and says so."""

from __future__ import annotations

from typing import Any

import pytest

import notebook_mux as nm
from notebook_mux.kernel import holder
from tests.controlplane.pages import Page, eventually
from tests.controlplane.terminals import sized
from tests.controlplane.test_headlamp_programs import server, start_headlamp, web
from tests.headlamp import CERTIFICATE

__all__ = ["server", "start_headlamp", "web"]


def test_a_shell_its_end_and_the_next(web: str) -> None:
    terminal: Any = nm.shell(web, cluster=CERTIFICATE)
    assert (terminal.state, terminal.pod, terminal.session.kept) == ("running", web, 0.0), "no gateway keeps it"
    page = Page(terminal.session, 101, 33)
    assert page.ask(sized(101, 33)) == "33 101"
    shell = page.ask("echo $$")
    assert nm.shell(web, cluster=CERTIFICATE) is terminal
    with pytest.raises(nm.MuxError, match="Headlamp"):
        terminal.session.ticket("http://localhost:8888").result(10)
    page.type("exit 7\r")
    eventually(lambda: terminal.returncode == 7, "it has ended")
    terminal.again()
    eventually(lambda: terminal.state == "running", "it runs again")
    assert page.ask("echo $$") != shell


def test_it_outlives_the_multiplexed_socket(web: str) -> None:
    terminal = nm.shell(web, cluster=CERTIFICATE)
    page = Page(terminal.session)
    shell = page.ask("echo $$")
    (connection,) = holder.core().status()["connections"]
    holder.core().cut(connection["id"])
    eventually(lambda: any(word["type"] == "offline" for word in page.words), "it is told")
    eventually(lambda: any(word.get("opened") == 2 for word in page.words), lambda: f"it is back: {page.words}")
    eventually(lambda: terminal.state == "running", "it runs on")
    assert page.ask("echo $$") == shell


def test_what_is_not_there(web: str) -> None:
    with pytest.raises(nm.NotFound, match="cannot be run in container main"):
        nm.shell(web, "no-such-command", cluster=CERTIFICATE)
    with pytest.raises(nm.InvalidArgument, match="no container"):
        nm.shell(web, container="nope", cluster=CERTIFICATE)
