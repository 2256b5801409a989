"""A planted token and a planted Secret value are looked for in all that leaves a kernel: messages, notebook, logs."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from tests.playground import RunningPlayground, playground, start_playground  # noqa: F401 - fixtures

VALUE = "canary-2c1f77d0-value"

CELLS = [
    "import notebook_mux as nm; m = nm.connect(kubeconfig={kubeconfig!r}, namespace='default'); m",
    "t = nm.table('secrets', wide=True); t",
    "nm.status()",
    "nm.contexts({kubeconfig!r})",
    "nm.kinds(match='secret')",
    "nm.doctor(kubeconfig={kubeconfig!r})",
    "s = nm.watch('secrets'); s",
    "s['canary']",
    "nm.get('secrets', 'canary')",
    "nm.get('secrets')",
    "m.stats, s.clusters, s.rows, s.df(), t.rows, t.selected",
    "import time; time.sleep(1.5); t.freeze()",
    "nm.watch('nothings')",
    "assert s['canary']['data']['key'], 'who asks for the value gets it'",
]


class Recording(NotebookClient):
    """Keeps every message of the kernel, comm messages and their buffers included."""

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        buffers = [bytes(buffer) for buffer in msg.get("buffers") or ()]
        self.__dict__.setdefault("heard", []).append(repr({**msg, "buffers": buffers}))
        return super().process_message(msg, cell, cell_index)


def run_recorded(cells: list[Any], folder: Path) -> tuple[Any, str]:
    """A notebook of these cells when it has run, and all that its kernel said meanwhile."""
    client = Recording(
        nbformat.v4.new_notebook(cells=cells),
        timeout=120,
        kernel_name="python3",
        store_widget_state=True,
        resources={"metadata": {"path": str(folder)}},
    )
    notebook = client.execute()
    return notebook, "".join(client.__dict__["heard"])


def gateway_logs() -> str:
    """What the gateways of this session wrote."""
    run = Path(os.environ["NOTEBOOK_MUX_RUNTIME_DIR"])
    logs = "".join(log.read_text(errors="replace") for log in run.rglob("*.log*"))
    assert logs, "a gateway ran and kept a log"
    return logs


@pytest.mark.timeout(300)
def test_no_message_notebook_or_log_has_a_secret(playground: RunningPlayground, tmp_path: Path) -> None:  # noqa: F811
    encoded = base64.b64encode(VALUE.encode()).decode()
    playground.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "canary", "namespace": "default"},
            "data": {"key": encoded},
        }
    )
    token = yaml.safe_load(playground.kubeconfig.read_text())["users"][0]["user"]["token"]
    cells = [nbformat.v4.new_code_cell(c.replace("{kubeconfig!r}", repr(str(playground.kubeconfig)))) for c in CELLS]
    cells[-2].metadata["tags"] = ["raises-exception"]
    notebook, heard = run_recorded(cells, tmp_path)
    saved = nbformat.writes(notebook)
    assert "canary" in heard, "the Secret's name is shown"
    assert "comm_open" in heard, "widgets were made"
    assert "comm_msg" in heard, "and told the page their rows"
    assert "no kind 'nothings'" in saved
    logs = gateway_logs()
    for place, text in {"messages": heard, "notebook": saved, "logs": logs}.items():
        for secret in (VALUE, encoded, token):
            assert secret not in text, f"a secret is in the {place}"
