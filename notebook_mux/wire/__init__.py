"""notebook-mux.v1, the protocol between a kernel's manager and the gateway, as sans-IO code.

Bytes and text in, events out, and the other way round; nothing here imports asyncio or a WebSocket library.
``PROTOCOL.md`` beside this file describes the protocol frame by frame.
"""
