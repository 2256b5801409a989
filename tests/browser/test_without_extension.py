"""A JupyterLab whose prefix lacks anywidget's extension, as where the kernel has an environment of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext

from tests.browser import chromium
from tests.browser.lab import Lab, Notebook
from tests.conftest import need
from tests.playground import RunningPlayground


@pytest.fixture(params=["anywidget"])
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab without one of the extensions."""
    need(None if chromium.path() else chromium.NONE)
    folder = tmp_path_factory.mktemp("bare")
    config = folder / "config" / "labconfig" / "page_config.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"disabledExtensions": {request.param: True}}))
    server = Lab(folder)
    yield server
    server.end()


@pytest.mark.browser
@pytest.mark.timeout(300)
def test_the_copy_stands_and_says_what_is_missing(bare: Lab, browser: BrowserContext, still_look: RunningPlayground):
    notebook = Notebook(bare, browser.new_page(), f"no-extension-{bare.root.parent.name}-")
    notebook.open(
        [f"import notebook_mux as nm; nm.connect(kubeconfig={str(still_look.kubeconfig)!r})", "nm.table('pods')"]
    )
    notebook.run_all()
    copy = notebook.output(1).locator(".notebook-mux-copy")
    copy.get_by_text("CrashLoopBackOff").first.wait_for()
    notebook.page.wait_for_function(
        "() => [...document.querySelectorAll('.notebook-mux-copy')].every("
        "copy => getComputedStyle(copy, '::before').content.includes('Install anywidget where the Jupyter server'))"
    )
    notebook.screenshot("light")
    notebook.page.close()
    bare.end_kernels()
