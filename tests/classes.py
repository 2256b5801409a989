"""A class as a process, as a teacher runs it, and what its students do."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually

START_SECONDS = 90.0
COMMAND = (sys.executable, "-m", "notebook_mux", "class")


class RunningClass:
    """A class in the foreground of nobody.

    Args:
        folder: Where its list and its folder are.
        names: Of the students.
        options: Further arguments of the command.
    """

    def __init__(self, folder: Path, names: Iterable[str], *options: str) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.list = folder / "students.txt"
        self.options = options
        self.lines: list[str] = []
        self.write(names)
        self.start()

    def write(self, names: Iterable[str]) -> None:
        self.list.write_text("# the class\n" + "\n".join(names) + "\n")

    @property
    def command(self) -> list[str]:
        return [*COMMAND, str(self.list), "--dir", str(self.out)]

    def start(self) -> None:
        self.lines = []
        self.process = subprocess.Popen(
            [*self.command, *self.options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        eventually(lambda: self.said("Ctrl-C ends it") or self.process.poll() is not None, seconds=START_SECONDS)
        assert self.process.poll() is None, self.lines

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self, words: str) -> bool:
        """Whether the teacher has read this."""
        return any(words in line for line in list(self.lines))

    def again(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The same command once more."""
        return subprocess.run([*self.command, *options], capture_output=True, text=True, timeout=180, check=False)

    def link(self, name: str) -> str:
        folder = "teacher" if name == "teacher" else f"students/{name}"
        return (self.out / folder / "link").read_text().strip()

    def kubeconfig(self, name: str) -> Path:
        return self.out / ("teacher" if name == "teacher" else f"students/{name}") / "kubeconfig"

    @property
    def gateway(self) -> psutil.Process:
        """The class's gateway; sandboxes of shells are its other children."""

        def is_it(child: psutil.Process) -> bool:
            with contextlib.suppress(psutil.Error):  # it has ended since
                return "notebook_mux.gateway" in child.cmdline()
            return False

        [found] = filter(is_it, psutil.Process(self.process.pid).children())
        return found

    def kubectl(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        """What a stock kubectl does as somebody of the class."""
        program = shutil.which("kubectl")
        if program is None:
            pytest.skip("there is no kubectl on the PATH")
        command = [program, "--kubeconfig", str(self.kubeconfig(name)), "--cache-dir", str(self.folder / name), *words]
        environ = {**os.environ, "HOME": str(self.folder)}
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, env=environ)

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code
