"""What to do next about a failure of kubectl's, where we know more than it says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from notebook_mux.magics.words import Words

KNOWN: tuple[tuple[str, str], ...] = (
    (r"would change something", ""),  # says it itself
    (r"doesn't have a resource type", "%kubectl api-resources lists the kinds that this cluster serves"),
    (r"unknown (shorthand )?flag", "%kubectl {verb} --help lists the flags"),
    (r"\(Forbidden\)", "%kubectl auth can-i --list shows what you may do here"),
    (r"already exists", "%%kubectl apply changes what is there; create only makes what is not"),
    (r"127\.0\.0\.1:\d+: connect: connection refused", "run the cell again: the gateway has gone, and comes back"),
    (r"must be logged in|\(Unauthorized\)|that has ended", "connect again: nm.connect(), and run the cell again"),
)  # fmt: skip


def of(words: Words, stderr: str, contexts: Sequence[str]) -> str:
    """What to do next; "" where kubectl's words say all that we know.

    Args:
        words: The command.
        stderr: What it wrote.
        contexts: The names of the clusters that are connected.
    """
    if re.search(r"context .* does not exist|no context exists", stderr):
        return f"connected are: {', '.join(contexts)}"
    if "(NotFound)" in stderr and not words.has("all-namespaces") and words.names:
        kind = words.names[0].partition("/")[0]
        return f"%kubectl get {kind} -A shows those of all namespaces"
    found = next((todo for pattern, todo in KNOWN if re.search(pattern, stderr)), "")
    return found.replace("{verb}", words.verb)
