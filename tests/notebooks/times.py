"""The time of each lesson in a bare environment: this package with its extra ``lab``, and nothing else on the PATH.

::

    python -m tests.notebooks.times            # makes such an environment, which takes a minute
    python -m tests.notebooks.times VENV       # one that is there, such as Binder's steps have made

Ends with 1 if a lesson fails, or if all of them take longer than `LIMIT_S` together.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from pathlib import Path

import nbformat

from notebook_mux.lessons import catalogue
from tests.notebooks import lessons

LIMIT_S = 600.0
"""Of the whole set, tasks done."""


def bare(folder: Path) -> Path:
    """A new environment with what trying the package needs."""
    venv.create(folder, with_pip=True)
    project = f"{lessons.FOLDER.parent}[lab]"
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", project], check=True)
    return folder


def environment(folder: Path, home: Path) -> dict[str, str]:
    """Nothing of this machine's but a home that is empty: no kubectl, no kubeconfig, no Jupyter of its own."""
    own = {"HOME": str(home), "PATH": str(folder / "bin"), "LANG": "C.UTF-8", "JUPYTER_PREFER_ENV_PATH": "1"}
    kept = ("NOTEBOOK_MUX_RUNTIME_DIR", "NOTEBOOK_MUX_TEST_SESSION")
    return own | {name: os.environ[name] for name in kept if name in os.environ}


def run(folder: Path, path: Path, environ: Mapping[str, str], work: Path) -> float:
    """Run a lesson with its tasks done; gives the seconds from the start of the command that runs it.

    Raises:
        AssertionError: A cell failed; with what was said.
    """
    notebook = lessons.solve(lessons.read(path), lessons.number_of(path))
    target = work / path.name
    nbformat.write(notebook, target)
    words = [str(folder / "bin" / "python"), "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
    began = time.monotonic()
    ran = subprocess.run([*words, str(target)], env=dict(environ), cwd=work, text=True, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    took = time.monotonic() - began
    assert ran.returncode == 0, ran.stdout
    outputs = [output for cell in json.loads(target.read_text())["cells"] for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output["output_type"] == "error"]
    return took


def main() -> int:
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else bare(work / "venv")
        environ = environment(folder, work)
        total, failed = 0.0, 0
        print("| lesson | for people, min | run by a program, s |\n| --- | ---: | ---: |")
        for path in lessons.paths():
            lesson = catalogue.find(lessons.number_of(path))
            try:
                took = run(folder, path, environ, work)
            except AssertionError as error:
                print(error, file=sys.stderr)
                failed += 1
                continue
            total += took
            print(f"| {lesson.number} {lesson.title} | {lesson.minutes} | {took:.1f} |", flush=True)
        print(f"| all | | {total:.1f} |")
        subprocess.run([folder / "bin" / "notebook-mux", "stop"], env=environ, stdout=subprocess.DEVNULL)
    return int(bool(failed) or total > LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
