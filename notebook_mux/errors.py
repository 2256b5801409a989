"""The errors of notebook_mux: one tree with one root.

::

    MuxError
    ├── InvalidArgument            also ValueError       what was asked cannot be asked
    │   ├── BadSelector                                  a label or field selector the server refuses
    │   ├── BadFilter                                    a table's filter cannot be read; it shows the place
    │   └── BadScenario                                  a scenario's file is wrong; it names the line
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
    ├── Conflict                   also RuntimeError     others have changed it, or own the fields that were to change
    ├── PartlyDone                 also RuntimeError     of several changes some were made; it has what was done
    ├── ProgramFailed              also RuntimeError     a program's exit code was not 0, and that was to be an error
    │   └── KubectlFailed                                the kubectl of a cell
    ├── ExpectationFailed          also AssertionError   a check did not hold within its time
    ├── ProtocolError              also ConnectionError  the other side sent what the protocol does not allow
    ├── TimedOut                   also TimeoutError
    ├── Closed                     also ValueError       the stream, table or manager was closed
    ├── WrongThread                also RuntimeError     a waiting call on a thread that must not wait
    ├── OutOfOrder                 also RuntimeError     a lesson's cell was run before one that it builds on
    └── ServerError                                      any other refusal of an API server

Each says what happened and where, the server's own words where there are any, and what to do next; a notebook
shows it as two to five lines instead of a traceback through the library.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "AccessError",
    "Ambiguous",
    "BadFilter",
    "BadScenario",
    "BadSelector",
    "Closed",
    "Conflict",
    "ExpectationFailed",
    "Forbidden",
    "GatewayError",
    "InvalidArgument",
    "KubectlFailed",
    "LoginRequired",
    "MuxError",
    "NoCluster",
    "NotFound",
    "NotSynced",
    "OutOfOrder",
    "OutcomeUnknown",
    "PartlyDone",
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


KUBECTL_LINES = 20
"""Lines of kubectl's words that an error shows; a manifest with many faults has one for each."""


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
        lines += self._words()
        if self.todo:
            lines.append(f"  next: {self.todo}")
        return lines

    def _words(self) -> list[str]:
        """The others' own words, as lines of the error."""
        if not self.said:
            return []
        said = " ".join(self.said.split())
        return [f"  said: {said if len(said) <= SAID_LIMIT else said[: SAID_LIMIT - 1] + '…'}"]

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


class BadFilter(InvalidArgument):
    """A filter of a table, or of rows, cannot be read.

    Attributes:
        start: Where what is wrong begins in the filter's text; None where the error came from elsewhere.
        end: Where it ends.
    """

    code = "bad-filter"
    start: int | None = None
    end: int | None = None

    def _words(self) -> list[str]:
        """The filter, and below it a caret at the place."""
        return [f"  {line}" for line in (self.said or "").splitlines()]


class BadScenario(InvalidArgument):
    """A scenario's file is wrong: it names the file, the line and what was expected there."""

    code = "bad-scenario"


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


class Conflict(MuxError, RuntimeError):
    """Others have changed the object meanwhile, or own the fields that an apply would change.

    Attributes:
        owners: Of an apply: who owns what it would change, as field managers' names to the paths of fields.
    """

    code = "conflict"

    def __init__(self, what: str, **known: str | None) -> None:
        super().__init__(what, **known)
        self.owners: dict[str, list[str]] = {}


class PartlyDone(MuxError, RuntimeError):
    """Of several changes some were made and others were not.

    Attributes:
        outcome: The `Outcome`: what was done, what failed and why, and what was not tried.
    """

    code = "partly-done"
    outcome: Any = None


class ProgramFailed(MuxError, RuntimeError):
    """A program ended with another exit code than 0, and that was to be an error.

    Attributes:
        completed: The `Completed` of `notebook_mux.exec`; None where the error came from elsewhere.
    """

    code = "program-failed"
    completed: Any = None


class KubectlFailed(ProgramFailed):
    """The kubectl of a cell failed.

    Attributes:
        result: The `KubectlResult`.
    """

    code = "kubectl-failed"
    result: Any = None

    def _words(self) -> list[str]:
        """Kubectl's words, line by line as they came."""
        said = list(dict.fromkeys((self.said or "").splitlines()))  # of a wait it has the same for each object
        left = len(said) - KUBECTL_LINES
        shown = ["".join(c if c.isprintable() else " " for c in line)[:SAID_LIMIT] for line in said[:KUBECTL_LINES]]
        return [f"  {line}" for line in [*shown, *([f"… {left} more lines"] if left > 0 else [])]]


class ExpectationFailed(MuxError, AssertionError):
    """A check of `notebook_mux.expect` did not hold within its time.

    Attributes:
        seen: What was seen of each expectation: its argument's name to the value of the cluster, or of the student.
        events: The warnings that may explain it, as `notebook_mux.Folded`, the newest last.
        hint: The hint that was shown; None where the check has none.
        hints_left: How many more there are: each further failure of the same check shows one.
        details: The lines below the first that a notebook shows.
    """

    code = "expectation"

    def __init__(self, what: str, **known: str | None) -> None:
        super().__init__(what, **known)
        self.seen: dict[str, Any] = {}
        self.events: list[Any] = []
        self.hint: str | None = None
        self.hints_left = 0
        self.details: list[str] = []

    def lines(self) -> list[str]:
        """What was expected and what was seen, what explains it, and a hint."""
        first, *rest = super().lines()
        return [first, *rest, *(f"  {line}" for line in self.details)]


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


class OutOfOrder(MuxError, RuntimeError):
    """A lesson's cell was run before one that it builds on."""

    code = "out-of-order"


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
