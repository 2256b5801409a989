"""Get what the tests need beyond Python's packages: a browser, a real Kubernetes API server, programs of a terminal.

    python tests/prepare.py

Each is looked for first. What cannot be had on this machine is said in a sentence, and the tests that need it say it
again when they are skipped; this command ends well all the same, so that the others run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.browser import chromium, programs
from tests.testbed import build

APT_SECONDS = 900


def browser() -> str:
    """Chromium, by the system's packages where we may install them, else by Playwright's own download."""
    found = chromium.path()
    if found:
        return f"browser: {found}"
    if _may_install():
        _install("chromium")
    else:
        _run([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))
    found = chromium.path()
    return f"browser: {found}" if found else f"browser: the browser tests will be skipped. {chromium.NONE}"


def control_plane() -> str:
    """The test bed's binaries, built by Go."""
    if not build.built() and shutil.which("go"):
        try:
            build.build()
        except (OSError, subprocess.SubprocessError) as error:
            return f"API server: its tests will be skipped. Building it failed ({error}); Go's own words are above"
    missing = build.why_not()
    return f"API server: {build.control_plane_binary()}" if missing is None else f"API server: skipped; {missing}"


def terminal_programs() -> str:
    """An editor, a pager and the like, by the system's packages where we may install them."""
    missing = programs.missing()
    if missing and _may_install():
        _install(*(programs.PACKAGES[name] for name in missing))
    sentences = [sentence for name in programs.PACKAGES if (sentence := programs.why_not(name))]
    return f"programs: {'; '.join(sentences) or ', '.join(programs.PACKAGES)}"


def _may_install() -> bool:
    return sys.platform == "linux" and shutil.which("apt-get") is not None and os.geteuid() == 0


def _install(*packages: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", *packages)):
        _run(["apt-get", *words], env)


def _run(words: list[str], env: dict[str, str]) -> None:
    print("+", *words, flush=True)
    try:
        subprocess.run(words, env=env, check=False, timeout=APT_SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    print(browser(), flush=True)
    print(terminal_programs(), flush=True)
    print(control_plane(), flush=True)
