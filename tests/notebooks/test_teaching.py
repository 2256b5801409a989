"""`notebooks/TEACHING.md` keeps its word: its commands are run in their order, and its code as those whom it is for."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.notebooks.lessons import FOLDER
from tests.waiting import eventually

PAGE = (FOLDER / "TEACHING.md").read_text()
BLOCK = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START_SECONDS, END_SECONDS = 120, 60

pytestmark = pytest.mark.timeout(400)


class Desk:
    """A teacher's terminals, and the notebooks of a class.

    Args:
        folder: Where the teacher works.
        runtime: Of the running services.
    """

    def __init__(self, folder: Path, runtime: Path) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environ = {**os.environ, "PATH": path, "NOTEBOOK_MUX_RUNTIME_DIR": str(runtime)}
        self.foreground: list[tuple[subprocess.Popen[bytes], Path]] = []

    def begin(self, command: str) -> None:
        """Run a command that stays, until it has said that all is there."""
        out = self.folder / f"out-{len(self.foreground)}"
        with out.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], cwd=self.folder, env=self.environ, stdout=file, stderr=file
            )
        self.foreground.append((process, out))
        eventually(lambda: "Ctrl-C ends it" in out.read_text() or process.poll() is not None, seconds=START_SECONDS)
        assert process.poll() is None, out.read_text()

    def run(self, command: list[str], **environ: str) -> str:
        """Run a command that ends, and well."""
        done = subprocess.run(
            command, cwd=self.folder, env={**self.environ, **environ}, capture_output=True, text=True, timeout=180,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def link(self, path: str) -> str:
        return (self.folder / path / "link").read_text().strip()

    def close(self) -> None:
        for process, _ in self.foreground:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="nm-", dir=Path(os.environ["HOME"])) as runtime:
        made = Desk(tmp_path, Path(runtime))
        yield made
        made.close()


def test_all_of_it_in_its_order(desk: Desk):
    kinds = []
    for language, whose, text in BLOCK.findall(PAGE):
        kinds.append((language, whose))
        if whose == "foreground":
            desk.begin(text.strip())
        elif language == "bash":
            if "kubectl " in text and shutil.which("kubectl") is None:
                continue
            desk.run(["bash", "-euc", text])
        elif whose == "hub":
            check_hub(desk, text)
        else:
            own = {"student": "class/students/ann", "teacher": "class/teacher"}[whose]
            script = f"import notebook_mux as nm; nm.connect()\n{text}\nnm.close()"
            desk.run([sys.executable, "-c", script], NOTEBOOK_MUX_URL=desk.link(own))
    assert kinds.count(("bash", "foreground")) == 2
    assert {("python", "student"), ("python", "teacher"), ("python", "hub")} < set(kinds)
    first, second = (out.read_text() for _, out in desk.foreground)
    assert "bob is not in the list any more" in first
    assert "Warning" not in second
    assert desk.link("elsewhere/students/ann").startswith("https://localhost:")
    script = "import notebook_mux as nm; m = nm.connect(); print(m.clusters['class'].namespace); nm.close()"
    environ = {"NOTEBOOK_MUX_URL": desk.link("elsewhere/students/ann"), "SSL_CERT_FILE": "certificate.pem"}
    assert desk.run([sys.executable, "-c", script], **environ).strip() == "ann"


def check_hub(desk: Desk, text: str) -> None:
    """Each user's server gets that user's link."""
    c = SimpleNamespace(Spawner=SimpleNamespace())
    names = {"c": c}
    here = Path.cwd()
    os.chdir(desk.folder)
    try:
        exec(text, names)
        link = c.Spawner.environment["NOTEBOOK_MUX_URL"]
        assert link(SimpleNamespace(user=SimpleNamespace(name="bob"))) == desk.link("class/students/bob")
        assert link(SimpleNamespace(user=SimpleNamespace(name="nobody"))) == ""
    finally:
        os.chdir(here)


def test_without_a_certificate_it_is_said_that_links_cross_the_network_in_the_clear(desk: Desk):
    (desk.folder / "students.txt").write_text("ann\n")
    desk.begin("notebook-mux class students.txt --dir x --host 127.0.0.2")
    [(_, out)] = desk.foreground
    assert "Warning: notebooks reach 127.0.0.2 without encryption" in out.read_text()
    script = "import notebook_mux as nm; print(nm.connect().clusters['class'].state); nm.close()"
    assert desk.run([sys.executable, "-c", script], NOTEBOOK_MUX_URL=desk.link("x/students/ann")).strip() == "live"
