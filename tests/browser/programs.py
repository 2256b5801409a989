"""The programs that people run in a terminal and that the tests run too, and how to get them."""

from __future__ import annotations

import shutil

PACKAGES = {"vi": "vim-tiny", "top": "procps", "less": "less"}
"""Each with Debian's smallest package that has it."""


def missing() -> list[str]:
    """Those that this machine has not."""
    return [name for name in PACKAGES if not shutil.which(name)]


def why_not(name: str) -> str | None:
    """A sentence about one that is missing, or None."""
    if name not in missing():
        return None
    return (
        f"this test runs {name}, and there is none: run `python tests/prepare.py`, or install it yourself "
        f"(`apt-get install {PACKAGES[name]}` on Debian)"
    )
