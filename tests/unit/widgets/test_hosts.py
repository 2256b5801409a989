from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace

import pytest

from notebook_mux.widgets import hosts


@pytest.fixture(autouse=True)
def real_hosts(bundles):
    """The other tests' stand-in is not wanted here."""
    importlib.reload(hosts)


@pytest.mark.parametrize(
    ("words", "alone"),
    [
        (["python", "/env/bin/jupyter-nbconvert", "--execute", "a.ipynb"], True),
        (["python", "-m", "nbconvert", "--execute"], True),
        (["/usr/bin/python3", "/usr/local/bin/papermill", "a", "b"], True),
        (["python", "/bin/jupyter-execute", "a.ipynb"], True),
        (["python", "/bin/jupyter", "execute", "a.ipynb"], True),
        (["python", "/bin/jupyter", "nbconvert", "--execute"], True),
        (["python", "-m", "jupyterlab", "--no-browser"], False),
        (["python", "/bin/jupyter-lab"], False),
        (["python", "/bin/jupyter-notebook"], False),
        (["python", "/bin/voila", "nbconvert.ipynb"], False),
        (["code", "--extension"], False),
        ([], False),
    ],
)
def test_who_executes_notebooks_without_a_page(words, alone):
    assert hosts.executed_by(words) is alone


@pytest.mark.parametrize(("value", "alone"), [("1", True), ("true", True), ("0", False), ("no", False)])
def test_the_variable_decides(monkeypatch, value, alone):
    monkeypatch.setenv("NOTEBOOK_MUX_STATIC", value)
    monkeypatch.setattr(hosts, "_parents_words", lambda: ["python", "-m", "nbconvert"])
    assert hosts.static_only() is alone


def test_the_route_of_a_comm_is_the_pages_choice():
    comm = SimpleNamespace(_reply_subshell_for=lambda data, default: "remembered")
    hosts.heard_on_subshell(comm)
    assert comm._reply_subshell_for({}, "asked for") == "asked for"
    plain = SimpleNamespace()
    hosts.heard_on_subshell(plain)
    assert not hasattr(plain, "_reply_subshell_for")


@pytest.mark.parametrize(
    ("shell", "text"), [(None, False), (SimpleNamespace(kernel=1), False), (SimpleNamespace(), True)]
)
def test_ipython_in_a_terminal_shows_text(monkeypatch, shell, text):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert hosts.terminal() is text


def test_without_ipython_there_is_no_shell(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not hosts.terminal()
