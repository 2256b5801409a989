"""contexts, kinds and doctor in a real JupyterLab, in light and dark."""

from __future__ import annotations

from tests.browser.lab import Notebook
from tests.unit.checks.servers import refused_port

BROKEN = """
import json, os, pathlib
path = pathlib.Path(os.environ['HOME']) / 'broken-config'
cluster = lambda name, port: {{'name': name, 'cluster': {{'server': f'https://127.0.0.1:{{port}}'}}}}
path.write_text(json.dumps({{
    'current-context': 'staging',
    'clusters': [cluster('staging', {port})],
    'users': [{{'name': 'me', 'user': {{'exec': {{'command': 'no-such-plugin',
        'apiVersion': 'client.authentication.k8s.io/v1', 'interactiveMode': 'Never'}}}}}}],
    'contexts': [{{'name': 'staging', 'context': {{'cluster': 'staging', 'user': 'me'}}}},
                 {{'name': 'old', 'context': {{'cluster': 'gone', 'user': 'me'}}}}]}}))
os.chmod(path, 0o600)
"""


def test_three_tables(notebook: Notebook):
    notebook.open(
        [
            f"import notebook_mux as nm; m = nm.demo()\n{BROKEN.format(port=refused_port())}",
            "nm.contexts(path)",
            "nm.kinds(match='set')",
            "nm.doctor(kubeconfig=path)",
            "nm.close()",
        ]
    )
    notebook.run_all()
    notebook.wait_for_output(1, "its cluster 'gone' is not there")
    notebook.wait_for_output(1, "(connected from elsewhere)")
    notebook.wait_for_output(2, "StatefulSet")
    notebook.wait_for_output(3, "plugin no-such-plugin is not on the PATH")
    notebook.wait_for_output(3, "Connection refused")
    assert notebook.output(3).locator("table").count() == 1, "the words of its progress are no table"
    notebook.output(1).scroll_into_view_if_needed()
    notebook.screenshot("contexts")
    notebook.output(3).scroll_into_view_if_needed()
    notebook.screenshot("doctor")
    notebook.theme("dark")
    notebook.output(3).scroll_into_view_if_needed()
    notebook.screenshot("doctor-dark")
