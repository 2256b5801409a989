"""The test bed's binaries: built once by Go into the cache folder, some minutes on two cores, then no time at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
KUBERNETES, KWOK = "v1.37.2", "v0.8.0"
SOURCES = ("main.go", "kubelet.go", "containers.go", "go.mod", "go.sum")
VERSION = "k8s.io/component-base/version"
BUILD_SECONDS = 3000
"""A first build took 7 minutes on two cores; a slow machine and a slow network get seven times that."""

NO_GO = (
    "the real API server is built by Go, and there is no `go` on the PATH: install Go 1.26 or later "
    "(https://go.dev/doc/install, or your system's package `golang`), then run `python tests/prepare.py`"
)
NOT_BUILT = "the real API server is not built yet: run `python tests/prepare.py` once (some minutes)"


def cache_folder() -> Path:
    """Where the binaries are kept: the user's own cache, whatever HOME the tests run with."""
    named = os.environ.get("NOTEBOOK_MUX_TESTBED_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "notebook-mux-testbed"


def control_plane_binary() -> Path:
    """One binary with all of Kubernetes' parts, named by its version and the hash of what it is built from."""
    hashed = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()
    return cache_folder() / f"control-plane-{KUBERNETES}-{hashed[:10]}"


def kwok_binary() -> Path:
    """Plays the nodes: moves them, and the pods on them, through their states."""
    return cache_folder() / f"kwok-{KWOK}"


def built() -> bool:
    """Whether both binaries are there."""
    return control_plane_binary().exists() and kwok_binary().exists()


def why_not() -> str | None:
    """What to tell somebody whose tests need the control plane and cannot have it; None if all is there."""
    if sys.platform == "win32":
        return "the real API server's test bed runs on Linux and macOS only"
    if built():
        return None
    return NOT_BUILT if shutil.which("go") else NO_GO


def build() -> None:
    """Build what the cache lacks. Several at once wait for one another.

    Raises:
        subprocess.CalledProcessError: if Go fails, whose words are on stderr by then.
        FileNotFoundError: if there is no Go.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / "lock"):
        binary = control_plane_binary()
        if not binary.exists():
            print("building a Kubernetes control plane for the tests (some minutes, once)", file=sys.stderr, flush=True)
            _go_build(binary)
        if not kwok_binary().exists():
            print("building kwok", file=sys.stderr, flush=True)
            _go("install", "-trimpath", f"sigs.k8s.io/kwok/cmd/kwok@{KWOK}")
            (cache / "kwok").rename(kwok_binary())


def _go_build(binary: Path) -> None:
    major, minor, _ = KUBERNETES.lstrip("v").split(".")
    numbers = {"gitVersion": KUBERNETES, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(("-s -w", *(f"-X {VERSION}.{name}={value}" for name, value in numbers.items())))
    partial = binary.with_suffix(".partial")
    _go("build", "-trimpath", "-ldflags", flags, "-o", str(partial), ".")
    for older in binary.parent.glob(f"control-plane-{KUBERNETES}-*"):
        if older != partial:
            older.unlink()
    partial.rename(binary)


def _go(*words: str) -> None:
    env = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(cache_folder())}
    subprocess.run(["go", *words], cwd=HERE, env=env, check=True, timeout=BUILD_SECONDS)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    import fcntl

    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
