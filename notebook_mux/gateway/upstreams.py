"""All upstreams of a gateway, by (identity, path, query)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, quote, urlencode

from notebook_mux.errors import InvalidArgument
from notebook_mux.gateway.cluster import Cluster
from notebook_mux.gateway.upstream import LINGER_SECONDS, Upstream

SELECTORS = frozenset({"labelSelector", "fieldSelector"})
"""What a query may have; all else about a list or watch is decided here."""


class Upstreams:
    """Get-or-create for upstreams. On the gateway's loop.

    Args:
        linger: Seconds a watch goes on without readers.
    """

    def __init__(self, *, linger: float = LINGER_SECONDS) -> None:
        self._linger = linger
        self._upstreams: dict[tuple[str, str, str], Upstream] = {}
        self._closed = False

    def get(self, cluster: Cluster, path: str, query: str = "", resume_version: str | None = None) -> Upstream:
        """The upstream for exactly this; a new one begins with its first sink.

        Args:
            cluster: Which cluster, as whom.
            path: As ``/api/v1/namespaces/default/pods``.
            query: Selectors only, as ``labelSelector=app%3Dweb``; order does not matter.
            resume_version: Where its first reader stood. A new upstream begins with the list of that version, if
                the server still has it, so that the reader gets just what came after.

        Raises:
            InvalidArgument: The query has something else in it.
        """
        query = normalized(query)
        key = (cluster.ref, path, query)
        found = self._upstreams.get(key)
        if found is None:
            if self._closed:
                raise RuntimeError("the gateway ends")
            found = Upstream(
                cluster, path, query, resume_version=resume_version, linger=self._linger, on_end=self._forget
            )
            self._upstreams[key] = found
            found.linger()
        return found

    def __iter__(self) -> Iterator[Upstream]:
        return iter(list(self._upstreams.values()))

    def __len__(self) -> int:
        return len(self._upstreams)

    def retry(self, ref: str | None = None) -> None:
        """Try again now, whatever waits: the upstreams of one cluster, or all."""
        for upstream in self:
            if ref is None or upstream.cluster.ref == ref:
                upstream.retry()

    async def aclose(self) -> None:
        """End all."""
        self._closed = True
        for upstream in self:
            await upstream.aclose()

    def _forget(self, upstream: Upstream) -> None:
        if self._upstreams.get(upstream.key) is upstream:
            del self._upstreams[upstream.key]


def normalized(query: str) -> str:
    """A query of selectors in one order and one encoding.

    Raises:
        InvalidArgument: It has something else in it, or one of them twice.
    """
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    names = [name for name, _ in pairs]
    if not SELECTORS.issuperset(names) or len(set(names)) != len(names):
        raise InvalidArgument(
            f"the query {query[:200]!r} is not one of a watch", todo=f"give {' and '.join(sorted(SELECTORS))} only"
        )
    return urlencode([(name, value) for name, value in pairs if value], quote_via=quote)
