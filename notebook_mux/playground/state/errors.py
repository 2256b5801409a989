"""Why a state folder is not used. Part of the tree of `notebook_mux.errors`; only who runs a playground meets them."""

from __future__ import annotations

from pathlib import Path

from notebook_mux.errors import MuxError

UNTOUCHED = "nothing in it was changed"
ANOTHER = "name another folder"


class StateRefused(MuxError, RuntimeError):
    """A state folder that cannot be used: foreign, damaged, of a newer version, or out of reach."""

    code = "state"


class StateInUse(StateRefused):
    """Another process works in the folder."""


class NotKept(StateRefused):
    """A change could not be written down, and so it was not made: the disk is full, or gone."""


def damaged(path: Path, offset: int, why: str, *, last: bool = False) -> StateRefused:
    """A file whose content is not what was written.

    Args:
        path: The file.
        offset: Bytes of it that are right.
        why: What is wrong from there on.
        last: Whether nothing was written after it, so that it can be cut there.
    """
    todo = f"bring the folder back from a copy, or {ANOTHER}; {UNTOUCHED}"
    if last and offset:
        todo += f". To go on without what was written from there on: truncate -s {offset} {path}"
    return StateRefused(f"the state in {path.parent} is damaged: {path.name} at byte {offset}: {why}", todo=todo)


def unreachable(path: Path, error: OSError) -> StateRefused:
    """A folder or file that the system does not let us read or write."""
    return StateRefused(
        f"the state folder {path} cannot be used",
        said=error.strerror or str(error),
        todo=f"give this user the rights to read and write it, or {ANOTHER}; {UNTOUCHED}",
    )
