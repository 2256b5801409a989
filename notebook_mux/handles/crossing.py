"""Calls into the core, with its failures raised as errors of this generation's classes.

The core may run the code of an earlier import, so nothing is caught by class: a failure is what has a code and fields.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from notebook_mux import errors
from notebook_mux.handles.waiting import Wait

T = TypeVar("T")


def crossed(error: BaseException) -> BaseException:
    """The error of our own tree for one that came from the core; any other as it is."""
    if isinstance(error, errors.MuxError):
        return error
    if isinstance(error, CancelledError):
        return errors.Closed("the connection was closed", todo="connect again with nm.connect()")
    code, fields = getattr(error, "code", None), getattr(error, "fields", None)
    if isinstance(code, str) and fields is not None:
        return errors.from_code(code, fields() if callable(fields) else fields)
    return error


def told(call: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """A call into the core that does not wait."""
    try:
        return call(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - of the core's generation, so not known by class
        raise crossed(error) from None


async def answered(
    call: Callable[..., Future[T]],
    *arguments: Any,
    deadline: float | None = None,
    what: str | Callable[[], str] = "",
    **named: Any,
) -> T:
    """A call into the core and its future's result; for `waiting.blocking` and `waiting.awaiting`."""
    try:
        return await Wait(call(*arguments, **named), deadline=deadline, what=what)
    except Exception as error:  # noqa: BLE001 - of the core's generation, so not known by class
        raise crossed(error) from None
