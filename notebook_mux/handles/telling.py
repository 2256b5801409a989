"""What several clusters answered: which of them failed, and whose error says most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from notebook_mux import errors

K = TypeVar("K")
T = TypeVar("T")

_ORDER: tuple[type[errors.MuxError], ...] = (
    errors.BadSelector,
    errors.InvalidArgument,
    errors.UnknownKind,
    errors.LoginRequired,
    errors.Forbidden,
    errors.NotFound,
    errors.TimedOut,
    errors.ServerError,
    errors.Unreachable,
)
"""What the user can mend by himself first; a server that is away last, for it may come back by itself."""


def parted(
    asked: Iterable[K], results: Iterable[T | Exception]
) -> tuple[list[tuple[K, T]], list[tuple[K, errors.MuxError]]]:
    """The answers of `waiting.gather`: those that came, and those that failed; each with who was asked.

    Raises:
        Exception: One that is no error of ours, as it is.
    """
    came: list[tuple[K, T]] = []
    failed: list[tuple[K, errors.MuxError]] = []
    for one, result in zip(asked, results, strict=True):
        if isinstance(result, errors.MuxError):
            failed.append((one, result))
        elif isinstance(result, Exception):
            raise result
        else:
            came.append((one, result))
    return came, failed


def most_telling(failed: Sequence[tuple[str, errors.MuxError]]) -> errors.MuxError:
    """The error to raise where all clusters failed; it names the others."""

    def rank(pair: tuple[str, errors.MuxError]) -> int:
        return next((at for at, kind in enumerate(_ORDER) if isinstance(pair[1], kind)), len(_ORDER))

    cluster, error = min(failed, key=rank)
    if error.cluster is None:
        error.cluster = cluster
    others = [name for name, _ in failed if name != cluster]
    if others:
        error.what += f"; no better on {', '.join(others)}"
    return error


def state_of(error: errors.MuxError) -> str:
    """The state of a cluster that failed so, in the words of a stream's states."""
    if isinstance(error, errors.LoginRequired):
        return "login"
    if isinstance(error, errors.Forbidden):
        return "forbidden"
    return "closed" if isinstance(error, errors.InvalidArgument | errors.Closed) else "unreachable"
