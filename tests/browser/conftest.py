"""Fixtures of the browser tests: a JupyterLab of the session's own and a real, headless Chromium.

Browser tests are ordinary functions, never coroutines: Playwright's synchronous form keeps a loop in this thread while
it is open, which is why the browser is a module's and not the session's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ViewportSize, expect, sync_playwright

from tests.browser import chromium
from tests.browser.lab import Lab, Notebook
from tests.conftest import need
from tests.playground import first_look, playground, start_playground, still_look  # noqa: F401 - fixtures

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
ACTION_MS = 60_000
"""For a page to do what it is told, and to show what is expected: far longer than it takes."""

VIEWPORT: ViewportSize = {"width": 1400, "height": 1000}

expect.set_options(timeout=ACTION_MS)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a free port, with copies of the project's notebooks."""
    need(None if chromium.path() else chromium.NONE)
    server = Lab(tmp_path_factory.mktemp("lab"), sorted(NOTEBOOKS.glob("*.ipynb")))
    try:
        yield server
    finally:
        server.end()


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    """Chromium without a window; a module's pages share its cache, so that only the first loads all of JupyterLab."""
    path = chromium.path()
    need(None if path else chromium.NONE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        context = started.new_context(viewport=VIEWPORT)
        context.set_default_timeout(ACTION_MS)
        yield context
        started.close()


@pytest.fixture
def new_page(lab: Lab, browser: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Callable[..., Notebook]]:
    """``new_page()``: another page; all are closed, and their kernels ended, after the test.

    A page that logged an error to its console fails the test; ``new_page(errors=True)`` lets it.
    """
    lab.theme("light")  # whatever an earlier test chose
    opened: list[tuple[Notebook, bool]] = []

    def make(*, errors: bool = False) -> Notebook:
        prefix = re.sub(r"\W+", "-", request.node.name).strip("-") + "-"
        notebook = Notebook(lab, browser.new_page(), prefix)
        opened.append((notebook, errors))
        return notebook

    yield make
    failed = getattr(request.node, "failed", False)
    for number, (notebook, _) in enumerate(opened):
        if failed and not notebook.page.is_closed():
            notebook.screenshot(f"failed-{number}")
        notebook.page.close()
    lab.end_kernels()
    said = [error for notebook, allowed in opened if not allowed for error in notebook.errors]
    assert not said, "errors in the page's console:\n" + "\n".join(said)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """For a cell that runs until this file is there."""
    found = tmp_path / "gate"
    yield found
    found.touch()


@pytest.fixture
def notebook(new_page: Callable[..., Notebook]) -> Notebook:
    """One page: ``notebook.open([cells])``, ``notebook.run_all()``, ``notebook.wait_for_output(0, "text")``."""
    return new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Tell the fixtures whether the test failed: they take a picture then."""
    report = yield
    if report.when == "call":
        item.failed = report.failed  # type: ignore[attr-defined]
    return report
