"""The whole suite runs in two sessions beside each other: much of it waits, for clusters, browsers and downloads.

Each session is a process with a home, a folder of running gateways, a control plane and a JupyterLab of its own, as if
two developers ran tests on one machine; nothing is shared but the machine. A file is whole, and runs in one of them:
its fixtures are made once, and its tests may rest on each other.

Parts of the suite, and a session with ``-s``, ``--pdb`` or a ``-n`` of its own, run as they are asked for.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SESSIONS = 2
"""Beside each other; a third one would have no core on the machine of continuous integration."""

WITHIN = "PYTEST_XDIST_WORKER"
"""Set in each session, and in all that it starts."""

FIRST = ("unit/test_benchmarks.py", "controlplane/test_kubectl_comparison.py", "packaging", "browser", "controlplane",
         "notebooks", "hosts", "fault")  # fmt: skip
"""The dearest files and folders, so that the small ones fill up what is left at the end."""

TESTS = Path(__file__).parent


def wanted(config: pytest.Config) -> bool:
    """Whether this is the whole suite on a machine for two, and nothing else was said."""
    if hasattr(config, "workerinput") or WITHIN in os.environ:
        return False  # one of the two, or started by a test of one
    options = config.option
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not (options.keyword or options.markexpr)
    plain = (
        options.capture != "no" and not options.usepdb and not options.collectonly and not getattr(options, "lf", False)
    )
    return whole and plain and getattr(options, "numprocesses", 0) is None and cores() >= SESSIONS


def cores() -> int:
    """That this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def distribute(config: pytest.Config) -> None:
    """Have pytest-xdist run the sessions; before it looks at its options."""
    config.option.numprocesses = SESSIONS
    config.option.dist = "loadfile"
    config.option.loadscopereorder = False  # ours is by cost and not by number


def arrange(items: list[pytest.Item]) -> None:
    """The dearest files first; the same in each session, and the order inside of a file as it was."""
    items.sort(key=lambda item: place(item.path.relative_to(TESTS).as_posix()))


def place(file: str) -> int:
    """Where a file stands."""
    return next((at for at, first in enumerate(FIRST) if file.startswith(first)), len(FIRST))
