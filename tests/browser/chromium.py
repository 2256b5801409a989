"""Where the tests' browser is, and how to get one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NAMED = "NOTEBOOK_MUX_TEST_BROWSER"
NONE = (
    "the browser tests need Chromium, and there is none: run `python tests/prepare.py`, or install it yourself "
    f"(`apt-get install chromium` on Debian, `playwright install chromium` elsewhere), or name its path in {NAMED}"
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It loads our own pages from loopback only, and must not ask the network for anything on its own account."""


def path() -> str | None:
    """The browser to use: the one named, one on the PATH, or the one that Playwright keeps; None if there is none."""
    named = os.environ.get(NAMED)
    if named:
        return named
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        executable = playwright.chromium.executable_path
    return executable if Path(executable).is_file() else None
