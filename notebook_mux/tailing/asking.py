"""What is asked for of a container's log, and how it is written."""

from __future__ import annotations

from urllib.parse import urlencode

ANCHOR = "anchor"
"""The last line, not to be shown, where only new ones are wanted: from there on."""
FIRST = "first"
"""What the user said."""
AGAIN = "again"
"""What follows the last line delivered."""
EARLIER = "earlier"
"""The rest of the instance before."""
CHECK = "check"
"""What follows once more, whatever it is."""
FRESH = "fresh"
"""A restarted container from its beginning."""

QUIET_SECONDS = 2.0
"""An answer that has not begun after that is of a container that has logged nothing yet: a kubelet sends no header
before the first line."""

NODE_SECONDS = 40.0
"""A request that goes on so long is one of a node that answers: for one that does not an API server has 30."""

FIRST_WAVE_SECONDS = 0.06
"""Without a further piece after the first: what a container had logged when it was asked has come."""

SETTLE_SECONDS = 0.5
"""For the first piece after the server's answer."""

MOVED_SECONDS = 3.0
"""An answer that goes on so long after its pod has told of a restart is ended from here: a kubelet looks each second
whether a container still runs (k8s.io/cri-client, pkg/logs/logs.go)."""

EMPTY_SECONDS = 10.0
"""A container of whose last lines none came for so long has logged nothing: all that comes is new."""

GONE_SECONDS = 10.0
"""An answer that goes on so long after its pod was deleted comes from a node that does not answer any more."""

HELD_SECONDS = 2.0
"""The rest of an instance that has gone waits so long for the first line of the new one, which may be an old one."""

POLL_FIRST, POLL_MOST = 0.2, 5.0
"""Between answers that end while the pod says that the container runs: its word is late, or the server ends them."""

RETRY_FIRST, RETRY_MOST = 0.5, 7.5
REFUSED_FIRST, REFUSED_MOST = 5.0, 30.0
"""Between tries after a failure, before jitter, which doubles them at most; the latter where access was refused."""

EARLIER_TRIES = 5
"""For a node that does not give an earlier instance's log, before that is called a gap."""

CLIENT_ERROR = 400
SERVER_ERROR = 500

WAITS = "is waiting to start"
"""In a kubelet's refusal (kubernetes, pkg/kubelet/kubelet_pods.go)."""


def is_wrong(status: int) -> bool:
    """Whether the question is: there is no such thing to read, or not now."""
    return status in (400, 404, 422)


def is_refused(status: int, code: str) -> bool:
    """Whether somebody says no, which will not change by itself soon."""
    return status in (401, 403) or code in ("forbidden", "login", "invalid", "write-refused")


def state_after(status: int, *, refused: bool, waits: bool) -> str:
    """How a log stands after a failure."""
    if waits:
        return "waiting"
    return "failed" if refused or CLIENT_ERROR <= status < SERVER_ERROR else "unreachable"


def query(container: str, *, follow: bool, previous: bool, since: str, tail: int) -> str:
    """The query of a request, encoded; `since` "" and `tail` -1 are left out."""
    asked = {"container": container, "timestamps": "true"}
    if follow:
        asked["follow"] = "true"
    if previous:
        asked["previous"] = "true"
    if since:
        asked["sinceTime"] = since
    if tail >= 0:
        asked["tailLines"] = str(tail)
    return urlencode(asked)
