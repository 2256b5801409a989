"""What a gateway says of a log at its end: plain data."""

from __future__ import annotations

import msgspec


class LogEnd(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the frame of `Channel.END` of a log has: how the server's answer ended.

    Attributes:
        status: The server's HTTP status; 0 where it did not answer.
        code: One of `notebook_mux.errors` where it went wrong; "" where the answer ended as it should: all that there
            was, or the container has stopped.
        what: What went wrong.
        said: The server's words.
        todo: What to do next.
    """

    status: int = 0
    code: str = ""
    what: str = ""
    said: str | None = None
    todo: str | None = None
