"""The magics in a real IPython, as a terminal has it; kubectl's place is taken by a script that says what it got."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.playground import RunningPlayground, playground, start_playground  # noqa: F401 - fixtures

SCRIPT = """\
import notebook_mux as nm
nm.connect(kubeconfig={kubeconfig!r}, write=True);
where = "shop"
%kubectl get pods -n {{where}} -l app=$where -o jsonpath='{{.items}}'
pods = %kubectl get pods
print("ROWS", pods.rows, pods.returncode)
%kubectl get hidden;
print("LAST", _.command)
%kubectl get hidden
def inside():
    local = "here"
    from IPython import get_ipython
    return get_ipython().run_line_magic("kubectl", "get pods -n $local")
print("LOCAL", inside().command)
get_ipython().run_cell_magic("kubectl", "apply -n {{where}}", "kind: {{where}} $where").text
%load_ext notebook_mux
%kubectl --no-raise-error fail now
%kubectl create fail
print("NOT REACHED")
"""

KUBECTL = """\
#!{python}
import os, sys
words = sys.argv[1:]
if "fail" in words:
    sys.exit("error: it failed")
if words[0] == "get" and words[1] != "pods":
    print("hidden-words")
elif words == ["get", "pods"]:
    print("NAME    STATUS\\nweb-0   Running")
else:
    print("GOT", words, os.path.basename(os.environ["KUBECONFIG"]), sys.stdin.read())
"""


@pytest.mark.timeout(300)
def test_in_a_terminal(playground: RunningPlayground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    script, kubectl = tmp_path / "script.ipy", tmp_path / "kubectl"
    script.write_text(SCRIPT.format(kubeconfig=str(playground.kubeconfig)))
    kubectl.write_text(KUBECTL.format(python=sys.executable))
    kubectl.chmod(0o755)
    monkeypatch.setenv("NOTEBOOK_MUX_KUBECTL", str(kubectl))
    asked = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "--simple-prompt", "-i"]
    done = subprocess.run(
        [*asked, "--InteractiveShellApp.exec_lines=[]"], input=script.read_text() + "exit()\n", cwd=tmp_path,
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    out = done.stdout
    words = "['get', 'pods', '-n', 'shop', '-l', 'app=shop', '-o', 'jsonpath={.items}']"
    assert f"GOT {words} config" in out, done.stderr
    assert "ROWS [{'NAME': 'web-0', 'STATUS': 'Running'}] 0" in out
    assert "LAST kubectl get hidden" in out
    assert out.count("hidden-words") == 1, "the semicolon hides"
    assert "LOCAL kubectl get pods -n here" in out
    assert "['apply', '-n', 'shop', '-f', '-'] config kind: {where} $where" in out, "nothing of a cell is replaced"
    assert "error: it failed" in out
    assert "KubectlFailed: kubectl create fail failed (exit code 1)" in out


def test_outside_ipython_nothing_is_loaded() -> None:
    code = "import sys, notebook_mux; print([m for m in sys.modules if m.startswith(('IPython', 'notebook_mux.'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.strip() == "['notebook_mux._version']"
