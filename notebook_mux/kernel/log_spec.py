"""What logs are of, and what the core gives of them: plain data that crosses generations of modules."""

from __future__ import annotations

from typing import Any, NamedTuple

LogsRead = dict[str, Any]
"""``first``: the number of the first line given; ``end``: the one behind the last; ``oldest``: of the oldest kept.

Columns of little-endian numbers as bytes: ``times`` (int64, nanoseconds since the epoch), ``sources`` (uint32, an index
into a state's ``sources``), ``flags`` (uint16, see `tailing.reading`), ``ends`` (uint32, each line's in ``text``).
A line with the flag `MARK` is a JSON object: ``mark``, ``text``, and where known ``todo``, ``from``, ``to``."""

LogsState = dict[str, Any]
"""``version``, which grows; ``sources``, each in its place until a minute after its pod has gone and the last line of
it was dropped; ``pods``, how many; ``left_out``, names of those beyond the bound; what `LogStore.counts` says;
``settled``, ``closed``; ``problem``: None, or ``code what said todo`` of what keeps pods or containers from being
known; ``note``: what is otherwise than it should be and no trouble, or "".

A source: ``cluster namespace pod container kind uid color`` and, as they change, ``restart state reason said todo since
retry_at lines``. Times are Unix seconds."""


class LogSpec(NamedTuple):
    """What makes two logs the same. A plain tuple with the same items is as good.

    Attributes:
        connection: The connection's id.
        clusters: (alias, ref, default namespace) of each cluster.
        namespaces: Names; ``("*",)`` for all; empty for each cluster's default.
        names: Names of pods; empty for all that are selected.
        pattern: Regular expression over pods' names, searched; "" for all.
        selector: Label selector, or "".
        container: Regular expression over containers' names, searched; "" for all but init and ephemeral ones.
        since: RFC 3339, whole seconds, or "".
        tail: Lines of each container to begin with; -1 for all.
        previous: The instances before the present ones, and nothing else.
        follow: Whether to go on.
        include: Regular expression: lines that do not have it are not kept. "" is none.
        exclude: Regular expression: lines that have it are not kept. "" is none.
        max_pods: Pods read at once.
        user: The user id tied to each request.
    """

    connection: str
    clusters: tuple[tuple[str, str, str], ...]
    namespaces: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    pattern: str = ""
    selector: str = ""
    container: str = ""
    since: str = ""
    tail: int = -1
    previous: bool = False
    follow: bool = True
    include: str = ""
    exclude: str = ""
    max_pods: int = 50
    user: str = ""
