"""Voilà: the cells' outputs as a page, with its kernel behind it: the widgets are live."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser import chromium
from tests.browser.lab import SCREENSHOTS, end_process
from tests.conftest import need
from tests.waiting import eventually

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
START_SECONDS = 90


@pytest.fixture
def voila(written: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[str]:
    """Its address."""
    log = tmp_path / "voila.log"
    with socket.create_server(("127.0.0.1", 0)) as free:  # it cannot choose a port itself, but tries the next ones
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "voila", str(written), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with log.open("wb") as output:
        process = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=output, stderr=output)
    try:
        eventually(lambda: ADDRESS.search(log.read_text()), seconds=START_SECONDS)
        yield ADDRESS.findall(log.read_text())[-1]
    finally:
        end_process(process)


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_table_is_live(voila: str):
    need(None if chromium.path() else chromium.NONE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=list(chromium.FLAGS))
        page = browser.new_page()
        page.goto(voila, timeout=90_000)
        page.locator("div.root").get_by_text("CrashLoopBackOff").first.wait_for(timeout=90_000)
        page.locator("div.root").get_by_text("socket open").wait_for()
        assert not page.locator(".notebook-mux-copy").first.is_visible()
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / "voila.png")
        browser.close()
