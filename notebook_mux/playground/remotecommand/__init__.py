"""``exec`` and ``attach``: the query (`options`), the channels (`protocol`), the way from a request to a program.

`handshake` says what is refused before the upgrade and which sub-protocol is spoken, `serving` is the WebSocket,
`programs` joins it with a program of the emulation or with a container's own.
"""
