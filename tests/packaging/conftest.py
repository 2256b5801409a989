"""What the packaging tests share: clean copies of the tree, a PATH without Node, virtual environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.conftest import RUNTIME, SESSION

REPOSITORY = Path(__file__).resolve().parents[2]
NODE = {"node", "nodejs", "npm", "npx", "corepack"}
BUILD_SECONDS = 1200
"""For one command: Binder's took 200 seconds of a machine with much to do."""

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Builds and installations take minutes on a slow network."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("packaging")
            item.add_marker(pytest.mark.timeout(2 * BUILD_SECONDS))


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command; on failure the test shows all that it said."""

    def run(words: Sequence[str | Path], env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
        done = subprocess.run([str(word) for word in words], env=env, cwd=cwd, text=True, timeout=BUILD_SECONDS,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        assert done.returncode == 0, f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}"
        return done

    return run


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tree as a fresh clone of it would be: what git has or would take, and nothing that was built."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPOSITORY,
                            capture_output=True, text=True)  # fmt: skip
    if listed.returncode:
        pytest.skip("this tree is no git clone, so what a fresh clone of it has cannot be told")
    target = tmp_path / "clone"
    for name in listed.stdout.rstrip("\0").split("\0"):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)
    return target


@pytest.fixture(scope="session")
def environ_without_node(developer_environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The developer's environment with all of the PATH's commands but Node's and this virtual environment's."""
    commands = tmp_path_factory.mktemp("bin")
    ours = Path(sys.prefix, "bin")
    for folder in map(Path, developer_environ["PATH"].split(os.pathsep)):
        if folder.is_dir() and folder != ours:
            for command in folder.iterdir():
                if command.name not in NODE and not (commands / command.name).exists():
                    (commands / command.name).symlink_to(command)
    assert shutil.which("node", path=str(commands)) is None
    environ = {**developer_environ, **_session_own(), "PATH": str(commands)}
    environ.pop("VIRTUAL_ENV", None)
    environ.pop("PYTHONPATH", None)
    return environ


def _session_own() -> dict[str, str]:
    """What keeps our processes, and Jupyter's, from the developer's; HOME stays, for the tools' caches."""
    own = {name: os.environ[name] for name in (SESSION, RUNTIME, "KUBECONFIG", "XDG_RUNTIME_DIR")}
    folders = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
               "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTERLAB_SETTINGS_DIR": "settings",
               "IPYTHONDIR": "ipython"}  # fmt: skip
    return own | {name: str(Path(os.environ["HOME"]) / "jupyter" / folder) for name, folder in folders.items()}


@pytest.fixture
def venv(tmp_path: Path, run: Run, environ_without_node: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """A new virtual environment's folder of commands, and an environment in which it is active; no Node in it."""
    run([sys.executable, "-m", "venv", tmp_path / "venv"], environ_without_node, tmp_path)
    commands = tmp_path / "venv" / "bin"
    path = f"{commands}{os.pathsep}{environ_without_node['PATH']}"
    return commands, {**environ_without_node, "PATH": path, "VIRTUAL_ENV": str(commands.parent)}
