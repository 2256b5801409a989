"""Whether a local connection is a browser's that came through a Jupyter server, where a pod's page has to be sandboxed.

jupyter-server-proxy shows any port of this machine below Jupyter's own address (``/proxy/40123/``), also one that
listens for a forward. A page of the pod's, asked for that way, would have Jupyter's cookies and do there what the user
can. Such a request has a cookie of Jupyter's, and a Host that is not the forward's own port. Sans-IO.
"""

from __future__ import annotations

import re

HEAD_BYTES = 128 * 1024
"""Of a request's first line and fields; a Jupyter server takes half as much (tornado), most others 8 KiB."""

COOKIE = re.compile(rb"\ncookie:[^\n]*\b_xsrf=", re.IGNORECASE)
"""Jupyter sets it on each of its pages."""

HOST = re.compile(rb"\nhost:[ \t]*([^\r\n]*?)[ \t]*(?=\r?\n)", re.IGNORECASE)

METHODS = tuple(b"%s " % name for name in (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))
"""Those that jupyter-server-proxy passes on."""

_REQUEST = re.compile(rb"[A-Z]+ [^\r\n]* HTTP/1\.[01]\r?\n")
_LINE = re.compile(rb"[A-Z]+ [^\r\n]*\r?\Z")
_END = re.compile(rb"\n\r?\n")


class Gate:
    """Lets a connection's bytes through, once its first ones are known to be none of such a request.

    Args:
        port: The forward's own.
    """

    def __init__(self, port: int) -> None:
        self._own = {b"%s:%d" % (name, port) for name in (b"127.0.0.1", b"localhost", b"[::1]")}
        self._held = b""
        self._open = False
        self.refused = False
        """Whether it was one: nothing of it may pass."""

    def feed(self, data: bytes) -> bytes:
        """What may pass now; b"" while it is not known yet, and where it is refused."""
        if self._open or self.refused:
            return data if self._open else b""
        self._held += data
        if self._may_be_request():
            head = _END.search(self._held)
            if head is None and len(self._held) <= HEAD_BYTES:
                return b""
            self.refused = head is None or self._is_jupyters(self._held[: head.end()])
            if self.refused:
                self._held = b""
                return b""
        self._open, held, self._held = True, self._held, b""
        return held

    def _may_be_request(self) -> bool:
        if not self._held.startswith(METHODS):
            return any(method.startswith(self._held) for method in METHODS)
        return _REQUEST.match(self._held) is not None or _LINE.match(self._held) is not None

    def rest(self) -> bytes:
        """What is held back still, where no more comes: a request without an end is none."""
        held, self._held = self._held, b""
        return held

    def _is_jupyters(self, head: bytes) -> bool:
        hosts = [host.lower() for host in HOST.findall(head)]
        return COOKIE.search(head) is not None and not (len(hosts) == 1 and hosts[0] in self._own)
