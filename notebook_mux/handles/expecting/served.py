"""What a service or a pod answers over HTTP, asked by way of the API server's proxy.

(kubernetes.io, "Accessing services running on clusters": ``/api/v1/namespaces/N/services/NAME:PORT/proxy/``.)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from notebook_mux import errors
from notebook_mux.handles.expecting.looks import Look
from notebook_mux.handles.questions import checked_namespaces, chosen_contexts
from notebook_mux.handles.rights import may_write
from notebook_mux.handles.server import Server
from notebook_mux.handles.targets import POD_KINDS
from notebook_mux.printing.log_text import shown
from notebook_mux.wire import UNREADABLE

if TYPE_CHECKING:
    from notebook_mux.handles.expecting.target import Target

FAILED = 400
"""An HTTP status from here on is no good answer (RFC 9110, 15.5)."""

SHOWN = 80
"""Characters of an answer that are shown."""

Answers = bool | int | str | re.Pattern[str]


@dataclass(frozen=True)
class Answer:
    """What something is expected to answer.

    Args:
        target: A service or a pod.
        right: True is any answer that is no failure; a number is a status; a text is in the body; or a pattern.
        port: Of the service or pod; None where it has but one.
        path: What is asked for.
    """

    target: Target
    right: Answers
    port: int | str | None
    path: str

    name = "answers"

    @classmethod
    def read(cls, target: Target, right: Any, port: Any, path: Any) -> Answer:
        """The arguments of `api.expect`, checked.

        Raises:
            InvalidArgument: They cannot be meant so.
        """
        if not target.is_service and not (target.name and target.kind.lower() in POD_KINDS):
            raise errors.InvalidArgument(
                f"answers= is of a service or a pod, and {target.words} is none", todo="write 'svc/web' or 'pod/web-0'"
            )
        if not isinstance(right, bool | int | str | re.Pattern) or right is False or right == "":
            raise errors.InvalidArgument(
                f"answers={right!r} is no answer", todo="give a text that is in it, a status such as 200, or True"
            )
        if port is not None and (isinstance(port, bool) or not isinstance(port, int | str)):
            raise errors.InvalidArgument(f"port={port!r} is no port", todo="give its number or its name")
        if not isinstance(path, str) or not path.startswith("/"):
            raise errors.InvalidArgument(f"path={path!r} is no path", todo="write '/' or '/healthz'")
        return cls(target, right, port, path)

    @property
    def wanted(self) -> str:
        """What is expected, for people."""
        right = self.right
        if right is True:
            return "an answer"
        if isinstance(right, int):
            return f"an answer with status {right}"
        return f"an answer with {right.pattern if isinstance(right, re.Pattern) else right!r} in it"

    async def ask(self, manager: Any, deadline: float | None) -> Look:
        """Ask on each cluster; a coroutine of `waiting`'s kind.

        Raises:
            WriteRefused: A request into a container is no mere looking.
        """
        look = Look(False, "nobody was asked")
        for context in chosen_contexts(manager._identity, self.target.cluster):
            may_write(manager, [context], "asking what runs in a pod")
            server = Server(manager._identity, context)
            places = checked_namespaces(self.target.namespace) or (server.default_namespace,)
            if len(places) != 1 or places == ("*",):
                raise errors.InvalidArgument("something answers in one namespace", todo="give one namespace=")
            kind = "services" if self.target.is_service else "pods"
            port = "" if self.port is None else f":{self.port}"
            path, _, query = self.path.partition("?")
            asked = f"{quote(self.target.name)}{quote(port, safe=':')}/proxy{quote(path, safe='/-._~')}"
            status, body = await server.request(f"/api/v1/namespaces/{quote(places[0])}/{kind}/{asked}", query, "*/*")
            look = self._look(status, body)
            if not look.ok:
                break
        return look

    def _look(self, status: int, body: bytes) -> Look:
        text = body.decode("utf-8", "replace")
        right = self.right
        refused = _reason(body) if status >= FAILED else ""
        if refused:
            ok = False  # nobody was reached; what was expected may stand in those words, as the service's name does
        elif right is True:
            ok = status < FAILED
        elif isinstance(right, int):
            ok = status == right
        else:
            ok = bool(right.search(text)) if isinstance(right, re.Pattern) else right in text
        said = " ".join(shown(refused or text).split())
        said = said if len(said) <= SHOWN else f"{said[:SHOWN]}…"
        return Look(ok, f"it answers {status}" + (f": {said}" if said and not ok else ""), status)


def _reason(body: bytes) -> str:
    """The message of an API server's own refusal; "" where the answer is somebody else's."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE:
        return ""
    return str(found.get("message") or "") if found.get("kind") == "Status" else ""
