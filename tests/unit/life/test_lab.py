from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from notebook_mux.errors import GatewayError, InvalidArgument, NotFound
from notebook_mux.life import lab


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package, or a checkout's, with two notebooks and their picture beside it."""
    monkeypatch.setattr(lab, "__file__", str(tmp_path / "root" / "notebook_mux" / "life" / "lab.py"))
    notebooks = tmp_path / "root" / "notebooks"
    (notebooks / "images").mkdir(parents=True)
    for name in (lab.FIRST, "02_more.ipynb", "README.md", "images/loop.svg", "images/screen.png"):
        (notebooks / name).write_text(f"shipped {name}")
    return tmp_path / "root"


def test_a_checkouts_notebooks_are_found(package: Path) -> None:
    assert [path.name for path in lab.shipped()] == [lab.FIRST, "02_more.ipynb", "loop.svg"]


def test_an_installed_packages_own_come_first(package: Path) -> None:
    (package / "notebook_mux" / "notebooks").mkdir(parents=True)
    (package / "notebook_mux" / "notebooks" / lab.FIRST).write_text("")
    assert lab.shipped() == [package / "notebook_mux" / "notebooks" / lab.FIRST]


def test_none_is_an_error(package: Path) -> None:
    (package / "notebooks" / lab.FIRST).unlink()
    with pytest.raises(NotFound, match="is not in this installation"):
        lab.shipped()


def test_copies_are_made_and_edited_ones_are_kept(package: Path, tmp_path: Path) -> None:
    first = lab.copies(tmp_path / "work" / "here")
    assert first.read_text() == f"shipped {lab.FIRST}"
    first.write_text("edited")
    (first.parent / "02_more.ipynb").unlink()
    assert lab.copies(tmp_path / "work" / "here").read_text() == "edited"
    found = sorted(path.relative_to(first.parent).as_posix() for path in first.parent.rglob("*.*"))
    assert found == [lab.FIRST, "02_more.ipynb", "images/loop.svg"]


def test_a_folder_that_cannot_be_written_is_an_error(package: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgument, match="--folder DIR"):
        lab.copies(tmp_path / "file" / "work")


@pytest.mark.parametrize(("value", "none"), [("1", True), ("true", True), ("", False), ("0", False), ("No", False)])
def test_no_browser(value: str, none: bool) -> None:
    assert lab.no_browser({"NOTEBOOK_MUX_NO_BROWSER": value}) is none
    assert lab.no_browser({}) is False


def test_jupyterlab_missing_is_a_clear_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotFound, match=r'pip install "notebook-mux\[lab\]"'):
        lab.run(tmp_path, tell=print)
    assert list(tmp_path.iterdir()) == []


def test_jupyterlab_that_fails_is_an_error(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab, "PROGRAM", "raise SystemExit('its own words')")
    with pytest.raises(GatewayError, match="JupyterLab ended with exit code 1"):
        lab.run(tmp_path / "work", tell=print)
    assert "its own words" in capfd.readouterr().err


LATE = """
import json, os, pathlib, socket, sys, time
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
port = listening.getsockname()[1]
said = {"pid": os.getpid(), "port": port, "url": f"http://127.0.0.1:{port}/", "token": ""}
pathlib.Path(os.environ["JUPYTER_RUNTIME_DIR"], f"jpserver-{os.getpid()}.json").write_text(json.dumps(said))
time.sleep(1.0)
listening.listen()
sys.stdin.read()
"""
"""A server that says of itself where it is before it listens, as Jupyter's does."""


def test_it_is_told_when_it_answers(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "PROGRAM", LATE)
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))

    def follow(line: str) -> None:
        address = urlsplit(line.rsplit(maxsplit=1)[-1])
        socket.create_connection((str(address.hostname), address.port or 0), 30).close()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lab.run(tmp_path / "work", tell=follow)


def test_the_url_leads_to_the_notebook() -> None:
    info = {"url": "http://127.0.0.1:8888/base/", "token": "a+b"}
    assert lab._url(info, "01 x.ipynb") == "http://127.0.0.1:8888/base/lab/tree/01%20x.ipynb?token=a%2Bb"
    assert lab._url(info | {"token": ""}, "x.ipynb") == "http://127.0.0.1:8888/base/lab/tree/x.ipynb"
