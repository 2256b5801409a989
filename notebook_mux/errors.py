"""The errors of notebook_mux: one tree with one root.

::

    MuxError
    ├── InvalidArgument            also ValueError       what was asked cannot be asked
    │   └── BadSelector                                  a label or field selector the server refuses
    ├── Ambiguous                  also LookupError      two objects answer to one name
    ├── NotFound                   also KeyError         nothing there by that name
    │   ├── NoCluster                                    no kubeconfig, no cluster to connect to
    │   ├── UnknownContext                               no such context, or no such cluster of this manager
    │   └── UnknownKind                                  the cluster serves no such kind
    ├── AccessError                also PermissionError
    │   ├── LoginRequired                                credentials are missing, expired, or their plugin failed
    │   └── Forbidden                                    the server knows who asks, and says no
    │       └── WriteRefused                             a change without ``write`` on that cluster
    ├── Unreachable                also ConnectionError  no answer from a cluster
    │   └── GatewayError                                 no answer from the gateway, or it cannot be started
    ├── NotSynced                  also ConnectionError  a stream that has nothing to show yet, and why
    ├── OutcomeUnknown             also ConnectionError  what was started may have happened; nobody can tell
    ├── ProgramFailed              also RuntimeError     a program's exit code was not 0, and that was to be an error
    ├── ProtocolError              also ConnectionError  the other side sent what the protocol does not allow
    ├── TimedOut                   also TimeoutError
    ├── Closed                     also ValueError       the stream, table or manager was closed
    ├── WrongThread                also RuntimeError     a waiting call on a thread that must not wait
    └── ServerError                                      any other refusal of an API server

Each says what happened and where, the server's own words where there are any, and what to do next; a notebook
shows it as two to five lines instead of a traceback through the library.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AccessError",
    "Ambiguous",
    "BadSelector",
    "Closed",
    "Forbidden",
    "GatewayError",
    "InvalidArgument",
    "LoginRequired",
    "MuxError",
    "NoCluster",
    "NotFound",
    "NotSynced",
    "OutcomeUnknown",
    "ProgramFailed",
    "ProtocolError",
    "ServerError",
    "TimedOut",
    "UnknownContext",
    "UnknownKind",
    "Unreachable",
    "WriteRefused",
    "WrongThread",
    "from_code",
]

SAID_LIMIT = 600
"""Characters of a server's words that an error shows: five lines of a notebook's width."""


class MuxError(Exception):
    """The root of all errors of notebook_mux.

    Args:
        what: What happened, one sentence without a full stop, with the thing's name in it.
        cluster: The cluster (or context) it happened to.
        said: The server's, the plugin's or the system's own words.
        todo: What to do next, one sentence.
    """

    code: ClassVar[str] = "error"

    def __init__(self, what: str, *, cluster: str | None = None, said: str | None = None, todo: str | None = None):
        super().__init__(what)
        self.what = what
        self.cluster = cluster
        self.said = said
        self.todo = todo

    def lines(self) -> list[str]:
        """The error as two to five lines of text."""
        where = f" (cluster {self.cluster})" if self.cluster and self.cluster not in self.what else ""
        lines = [f"{type(self).__name__}: {self.what}{where}"]
        if self.said:
            said = " ".join(self.said.split())
            lines.append(f"  said: {said if len(said) <= SAID_LIMIT else said[: SAID_LIMIT - 1] + '…'}")
        if self.todo:
            lines.append(f"  next: {self.todo}")
        return lines

    def __str__(self) -> str:
        first, *rest = self.lines()
        return "\n".join([first.removeprefix(f"{type(self).__name__}: "), *rest])

    def _render_traceback_(self) -> list[str]:
        """IPython's hook: what a cell shows in place of a traceback."""
        return self.lines()

    def fields(self) -> dict[str, Any]:
        """What `from_code` needs to raise this again elsewhere: plain text, no object of this class."""
        return {"what": self.what, "cluster": self.cluster, "said": self.said, "todo": self.todo}

    def __reduce__(self) -> tuple[Any, ...]:
        return from_code, (self.code, self.fields())


class InvalidArgument(MuxError, ValueError):
    """What was asked cannot be asked."""

    code = "invalid"


class BadSelector(InvalidArgument):
    """A label or field selector that the server refuses."""

    code = "bad-selector"


class Ambiguous(MuxError, LookupError):
    """Two objects answer to one name."""

    code = "ambiguous"


class NotFound(MuxError, KeyError):
    """Nothing there by that name."""

    code = "not-found"


class NoCluster(NotFound):
    """No kubeconfig and no other cluster to connect to."""

    code = "no-cluster"


class UnknownContext(NotFound):
    """No such context in the kubeconfig, or no such cluster of this manager."""

    code = "unknown-context"


class UnknownKind(NotFound):
    """The cluster serves no such kind."""

    code = "unknown-kind"


class AccessError(MuxError, PermissionError):
    """Access was not granted."""

    code = "access"


class LoginRequired(AccessError):
    """Credentials are missing, expired, or their plugin failed."""

    code = "login"


class Forbidden(AccessError):
    """The server knows who asks, and says no."""

    code = "forbidden"


class WriteRefused(Forbidden):
    """A change, or an exec, without ``write`` on that cluster."""

    code = "write-refused"


class Unreachable(MuxError, ConnectionError):
    """No answer from a cluster."""

    code = "unreachable"


class GatewayError(Unreachable):
    """The gateway does not answer or cannot be started."""

    code = "gateway"


class NotSynced(MuxError, ConnectionError):
    """A stream that has nothing to show yet; its reason says why."""

    code = "not-synced"


class OutcomeUnknown(MuxError, ConnectionError):
    """What was started may have happened, and may be happening still: nobody is left who could tell."""

    code = "outcome-unknown"


class ProgramFailed(MuxError, RuntimeError):
    """A program ended with another exit code than 0, and that was to be an error.

    Attributes:
        completed: The `Completed` of `notebook_mux.exec`; None where the error came from elsewhere.
    """

    code = "program-failed"
    completed: Any = None


class ProtocolError(MuxError, ConnectionError):
    """The other side sent what the protocol does not allow."""

    code = "protocol"


class TimedOut(MuxError, TimeoutError):
    """No answer within the time limit.

    Attributes:
        stdout: Of `notebook_mux.exec`: what the program had written by then, as bytes, or as text where that was asked
            for; None where the error came from elsewhere. (As `subprocess.TimeoutExpired` has it.)
        stderr: The same.
    """

    code = "timeout"
    stdout: Any = None
    stderr: Any = None


class Closed(MuxError, ValueError):
    """The stream, table or manager was closed."""

    code = "closed"


class WrongThread(MuxError, RuntimeError):
    """A waiting call on a thread that must not wait."""

    code = "wrong-thread"


class ServerError(MuxError):
    """Any other refusal of an API server."""

    code = "server"


def _tree(root: type[MuxError]) -> dict[str, type[MuxError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


_BY_CODE = _tree(MuxError)


def from_code(code: str, fields: dict[str, Any]) -> MuxError:
    """The error for a code of the wire or of the kernel's core.

    Errors cross processes and reloaded modules as code and text, and are raised as the caller's own classes.

    Args:
        code: One of the ``code`` attributes above; an unknown one gives `ServerError`.
        fields: ``what`` and, where known, ``cluster``, ``said``, ``todo``; others are ignored.
    """
    known = {key: fields.get(key) for key in ("cluster", "said", "todo")}
    return _BY_CODE.get(code, ServerError)(str(fields.get("what", code)), **known)
