"""One change of one object: which rights it takes, how the server rehearses it, how it is carried out."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from notebook_mux import errors
from notebook_mux.handles.changing.refusing import refusal, without_secrets
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.fetching import JSON
from notebook_mux.handles.identity import Context
from notebook_mux.handles.refusals import NOT_FOUND, OK
from notebook_mux.handles.server import Server
from notebook_mux.kernel import kinds
from notebook_mux.printing.outcome import UNCHANGED, Done
from notebook_mux.wire import UNREADABLE

Json = dict[str, Any]

MERGE, APPLY = "application/merge-patch+json", "application/apply-patch+yaml"

MANAGER = "notebook-mux"
"""Who owns the fields that are set here, in an object's managedFields."""

LOST = "was lost before the answer came"
"""In the words of `kernel.requests` for a request that may have arrived."""

_WARNING = re.compile(r'\d{3} \S+ "((?:[^"\\]|\\.)*)"')


class Right(NamedTuple):
    """What one must be allowed to do."""

    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str

    @property
    def what(self) -> str:
        """As a Role says it, such as ``deployments.apps/scale``."""
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{kind}/{self.subresource}" if self.subresource else kind

    @property
    def words(self) -> str:
        """Such as ``patch deployments.apps/scale in namespace shop``."""
        return f"{self.verb} {self.what}" + (f" in namespace {self.namespace}" if self.namespace else "")


@dataclass(frozen=True)
class Spot:
    """An object by its place, there or not."""

    server: Server
    context: Context
    resource: Mapping[str, Any]
    namespace: str
    name: str

    @property
    def kind(self) -> str:
        """Such as ``Deployment``."""
        return str(self.resource["kind"])

    @property
    def words(self) -> str:
        """Such as ``deployment shop/web``."""
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.resource['singular'] or self.kind.lower()} {where}"

    def path(self, subresource: str = "") -> str:
        """Its path, or a sub-resource's."""
        where = quote(self.namespace, safe="") or None
        path = f"{kinds.path(dict(self.resource), where)}/{quote(self.name, safe='')}"
        return f"{path}/{subresource}" if subresource else path

    def right(self, verb: str, subresource: str = "") -> Right:
        """A right to it."""
        resource = self.resource
        # a request for a namespace counts as one within it, so that a Role there is enough
        itself = (resource["group"], resource["name"]) == ("", "namespaces") and verb != "create"
        namespace = self.name if itself else self.namespace
        return Right(verb, resource["group"], resource["name"], subresource, namespace, self.name)


def version_of(content: Json | None) -> str:
    """An object's resourceVersion; "" where it has none, or is not there."""
    return str((content or {}).get("metadata", {}).get("resourceVersion") or "")


class Seen(NamedTuple):
    """What a rehearsal has shown.

    Args:
        before: The state now; None where it is not there.
        after: The state then; None where it is gone.
        result: What it is called, such as ``configured``.
        said: What the server warns of, and we know besides.
    """

    before: Json | None
    after: Json | None
    result: str
    said: tuple[str, ...] = ()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do at all."""
        return self.result == UNCHANGED and self.after is self.before

    @property
    def uid(self) -> str:
        """Of the object now."""
        return str((self.before or {}).get("metadata", {}).get("uid") or "")

    @property
    def version(self) -> str:
        """Of the object now."""
        return version_of(self.before)


class Reply(NamedTuple):
    """A server's answer to a change."""

    status: int
    content: Json
    warnings: tuple[str, ...]


class Step(ABC):
    """One change of one object. Its coroutines are of `waiting`'s kind.

    Args:
        spot: The object.
        uid: The object must be this very one; "" for any of that name.

    Attributes:
        source: Where it stands in what was given, for errors; "" where it has no place.
        progress: Gives the words that are shown while it is waited for, where it is one of many.
    """

    verb: ClassVar[str] = ""
    """What it does, such as ``scale``."""

    doing: ClassVar[str] = ""
    """The same while it is done, such as ``scaling``."""

    subject: ClassVar[str] = ""
    """See `Done.subject`."""

    def __init__(self, spot: Spot, uid: str = "") -> None:
        self.spot = spot
        self.uid = uid
        self.source = ""
        self.progress: Callable[[], str] | None = None

    async def look(self) -> None:  # noqa: B027 - most have nothing to find out
        """Find out what `rights` depend on, by reading alone."""

    @abstractmethod
    def rights(self) -> Sequence[Right]:
        """What one must be allowed to do."""

    @abstractmethod
    async def rehearse(self) -> Seen:
        """Read the object and ask the server what would become of it; nothing is changed.

        Raises:
            MuxError: It is refused, or it is not there.
        """

    @abstractmethod
    async def carry_out(self, seen: Seen, *, locked: bool) -> Seen:
        """Do it.

        Args:
            seen: What was rehearsed.
            locked: Whether the object must be as it was then.

        Raises:
            Conflict: It is not.
            OutcomeUnknown: The answer was lost.
            MuxError: It is refused.
        """

    def done(self, seen: Seen) -> Done:
        """For the outcome."""
        spot = self.spot
        return Done(
            spot.server.name,
            spot.kind,
            spot.namespace,
            spot.name,
            seen.result,
            seen.before,
            seen.after,
            seen.said,
            self.subject,
        )

    def failed(self, result: str, *said: str) -> Done:
        """The same where it was not done."""
        spot = self.spot
        return Done(spot.server.name, spot.kind, spot.namespace, spot.name, result, said=said, subject=self.subject)

    # --- parts ----------------------------------------------------------------------------------------------------

    @property
    def what(self) -> str:
        """Such as ``scaling deployment shop/web``."""
        return f"{self.doing} {self.spot.words}"

    async def read(self, subresource: str = "") -> Json | None:
        """The object as it is now; None where there is none.

        Raises:
            NotFound: Another has its name now.
            MuxError: It cannot be read.
        """
        spot = self.spot
        what = f"reading {spot.words}"
        status, body = await spot.server.request(spot.path(subresource), "", JSON)
        if status == NOT_FOUND:
            return None
        if status not in OK:
            raise refusal(status, body, what=what, cluster=spot.server.name)
        found = _decoded(body, what, spot.server.name)
        there = str(found.get("metadata", {}).get("uid") or "")
        if self.uid and there and there != self.uid:
            raise errors.NotFound(
                f"{spot.words} is gone, and another has its name now",
                cluster=spot.server.name,
                todo="look again, and choose anew",
            )
        return found

    def gone(self) -> errors.NotFound:
        """The error for an object that is not there."""
        return errors.NotFound(
            f"{self.spot.words} is not there", cluster=self.spot.server.name, todo="look again: it may be gone"
        )

    async def send(
        self,
        method: str,
        body: Any,
        *,
        dry: bool,
        subresource: str = "",
        content_type: str = JSON,
        **query: str,
    ) -> Reply:
        """A request that changes the object, or with `dry` only says how.

        Raises:
            OutcomeUnknown: The answer of one that was no rehearsal was lost.
            MuxError: It was refused.
        """
        spot = self.spot
        asked = {"fieldManager": MANAGER, **query, **({"dryRun": "All"} if dry else {})}
        if method == "DELETE":
            asked = {}
        encoded = msgspec.json.encode(body).decode()
        what = f"{'rehearsing: ' if dry else ''}{self.what} in {spot.server.name}"
        try:
            status, headers, content = await answered(
                lambda: spot.server.sent(
                    method, spot.path(subresource), encoded, query=urlencode(asked), content_type=content_type
                ),
                what=self.progress or what,
            )
        except (errors.Unreachable, errors.TimedOut) as error:
            error.cluster = error.cluster or spot.server.name
            if dry or not (isinstance(error, errors.TimedOut) or LOST in error.what):
                raise
            raise errors.OutcomeUnknown(
                f"{self.what}: nobody can tell whether it was done",
                cluster=spot.server.name,
                said=error.what,
                todo="look at the object before you repeat it",
            ) from None
        except errors.MuxError as error:
            error.cluster = error.cluster or spot.server.name
            raise
        if status not in OK:
            refused = refusal(status, content, what=self.what, cluster=spot.server.name, tried=self.verb)
            raise without_secrets(refused, body) if spot.kind == "Secret" else refused
        return Reply(status, _decoded(content, self.what, spot.server.name), warnings_of(headers))


def controller_of(content: Json) -> dict[str, Any] | None:
    """The owner that keeps an object, and makes it anew; None where there is none."""
    owners = content.get("metadata", {}).get("ownerReferences") or ()
    return next((one for one in owners if one.get("controller")), None)


def warnings_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What an answer warns of (RFC 7234, 5.5), as kubectl prints it."""
    found = [value for name, value in headers.items() if name.lower() == "warning"]
    return tuple(re.sub(r"\\(.)", r"\1", text) for value in found for text in _WARNING.findall(value))


def _decoded(body: bytes, what: str, cluster: str) -> Json:
    try:
        found: Json = msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        raise errors.ServerError(f"{what}: the answer cannot be read", cluster=cluster, said=str(error)) from None
    return found
