"""How an error leaves the core: as code and text, so that the caller raises it as a class of its own generation."""

from __future__ import annotations

from typing import Any

from notebook_mux.errors import MuxError


class Failure(Exception):
    """An error of the core.

    Attributes:
        code: One of the codes in `notebook_mux.errors`.
        fields: ``what`` and, where known, ``cluster``, ``said``, ``todo``.
    """

    def __init__(self, code: str, what: str, **fields: Any) -> None:
        super().__init__(what)
        self.code = code
        self.fields = {"what": what, **fields}

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Any exception as a failure."""
        if isinstance(error, Failure):
            return error
        if isinstance(error, MuxError):
            return cls(error.code, **error.fields())
        if isinstance(error, TimeoutError):
            return cls("timeout", str(error) or "no answer within the time limit")
        if isinstance(error, OSError):
            return cls("unreachable", str(error) or type(error).__name__)
        return cls("error", f"{type(error).__name__}: {error}")
