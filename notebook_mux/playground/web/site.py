"""A server in a container that speaks HTTP: what all of them do."""

from __future__ import annotations

from typing import ClassVar

from notebook_mux.playground.web import accesses
from notebook_mux.playground.web.http1 import Connection
from notebook_mux.playground.web.messages import PLAYGROUND, Field, Request, Response, http_date, phrase, text
from notebook_mux.playground.web.place import Place


class Site:
    """A server.

    Args:
        place: Where it runs.

    Attributes:
        ports: Where it listens as its image is made.
        server: What it calls itself in the field ``Server``; "" for nothing.
        usual: Its version where the image's tag tells none.
        varies: Whether it answers otherwise with time.
    """

    varies = False

    ports: ClassVar[tuple[int, ...]] = (80,)
    server: ClassVar[str] = ""
    usual: ClassVar[str] = "1.0.0"

    def __init__(self, place: Place) -> None:
        self.place = place

    def listens(self) -> set[int]:
        """Its ports: those it is told, else the image's and those that its container names.

        A real one knows nothing of a container's ``ports``. Here they count as its configuration, since what an image
        is told when it is built cannot be known.
        """
        return {*self.ports, *self.place.declared}

    def connect(self, port: int, client: tuple[str, int]) -> Connection:
        """A client's connection to one of its ports."""
        return Connection(lambda request: self.answer(request, port), self._refuse, client)

    def answer(self, request: Request, port: int) -> Response:
        """Answer a request, and write it into the container's log."""
        response = self.respond(request, port)
        self.write(request, response)
        return self._whole(response, self.place.cluster.agenda.now())

    def write(self, request: Request, response: Response) -> None:
        """Write a request into the container's log."""
        at = self.place.cluster.agenda.now()
        if line := self.access(request, response, at):
            run = accesses.RunKey(self.place.pod["metadata"]["uid"], self.place.container["name"], self.place.number)
            accesses.of(self.place.cluster).note(run, at, line)

    def _refuse(self, status: int) -> Response:
        return self._whole(self.failure(status, Request()), self.place.cluster.agenda.now())

    def _whole(self, response: Response, at: float) -> Response:
        name = self.called()
        own: tuple[Field, ...] = (("Server", name),) if name else ()
        fields = (*own, ("Date", http_date(at)), *response.headers, PLAYGROUND)
        return Response(response.status, response.body, response.media, fields)

    # ------------------------------------------------------------------------------- what servers differ in

    def called(self) -> str:
        """What it calls itself."""
        return self.server.format(version=self.place.version(self.usual))

    def respond(self, request: Request, port: int) -> Response:
        """The response to a request that came to a port."""
        raise NotImplementedError

    def failure(self, status: int, request: Request) -> Response:
        """A response that is an error, as this server's look."""
        return text(f"{status} {phrase(status)}\n", status)

    def access(self, request: Request, response: Response, at: float) -> str:
        """What it writes into its log about a request, at a time (Unix seconds); "" for nothing."""
        return ""


def combined(request: Request, response: Response, when: str) -> str:
    """A line of the combined log format."""
    size = 0 if request.method == "HEAD" else len(response.body)
    referrer, agent = request.header("Referer", "-"), request.header("User-Agent", "-")
    return f'{request.client} - - [{when}] "{request.first_line}" {response.status} {size} "{referrer}" "{agent}"'


def allowed(*methods: str) -> tuple[Field, ...]:
    """The field of a 405."""
    return (("Allow", ", ".join(methods)),)
