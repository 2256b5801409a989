"""What listens in the pod of the figures of forwards: it sends, or takes, as many bytes as it is asked to.

Run as a child; it says ``{"port": ...}``. A connection's first nine bytes are ``d`` (send) or ``u`` (take) and a size,
big endian. What was taken is answered with one byte. Then comes the next question, until the connection ends.
"""

from __future__ import annotations

import socketserver

from tests.benchmarks.processes import orders, say

PIECE = bytes(256 * 1024)
QUESTION = 9


class Pod(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Answer until it ends."""
        while len(question := self.rfile.read(QUESTION)) == QUESTION:
            left = int.from_bytes(question[1:])
            if question[:1] == b"d":
                while left:
                    sent = min(left, len(PIECE))
                    self.request.sendall(memoryview(PIECE)[:sent])
                    left -= sent
            else:
                while left:
                    left -= len(self.rfile.read1(min(left, len(PIECE))))
                self.request.sendall(b"!")


class Server(socketserver.ThreadingTCPServer):
    """Takes all connections of a benchmark at once."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve until the input ends."""
    import threading

    with Server(("127.0.0.1", 0), Pod) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        say(port=server.server_address[1])
        for _ in orders():
            pass
        server.shutdown()


if __name__ == "__main__":
    main()
