"""notebook-mux.v1, the protocol between a kernel's manager and the gateway, as sans-IO code.

Bytes and text in, events out, and the other way round; nothing here imports asyncio or a WebSocket library.
``PROTOCOL.md`` beside this file describes the protocol frame by frame.
"""

from __future__ import annotations

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
"""What decoding bytes of somebody else's raises; the last where they are nested too deep for msgspec."""
