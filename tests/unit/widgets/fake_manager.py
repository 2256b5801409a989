"""A manager of two clusters whose streams are there at once: what choosing and copying ask of one."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.handles.entries import Described
from notebook_mux.handles.identity import Cluster, Context
from notebook_mux.handles.questions import chosen_contexts, question

from .fakes import COLUMNS, PODS, FakeStream, state

DEPLOYMENTS = {"name": "deployments", "group": "apps", "version": "v1", "kind": "Deployment", "namespaced": True}
NODES = {"name": "nodes", "group": "", "version": "v1", "kind": "Node", "namespaced": False}
RESOURCES = {"pods": PODS, "deployments": DEPLOYMENTS, "nodes": NODES}
TITLES = {"deployments": ("Name", "Ready", "Up-to-date", "Available", "Age"), "nodes": ("Name", "Status", "Age")}


def columns(kind: str) -> list[dict[str, Any]]:
    """A kind's, as a server describes them."""
    if kind == "pods":
        return COLUMNS
    return [{"name": name, "type": "string", "format": "", "description": "", "priority": 0} for name in TITLES[kind]]


class FakeManager:
    """Two clusters, ``kind-a`` (a context of another name) and ``prod-eu``; `refuses` is by kind.

    Attributes:
        asked: What was watched, as the arguments of `_watch`.
    """

    def __init__(self, names: Sequence[str] | None = ("*",)) -> None:
        self._identity = SimpleNamespace(
            key="fake", connection="auto", user="u", demo=None, names=list(names) if names else None,
            endpoint=("auto", None), source={"kubeconfig": ["/home/me/other"], "env": {}, "in_cluster": False},
            contexts=(
                Context("kind-a", "arn:aws:eks:a", "ref-a", "https://127.0.0.1:6443", "default"),
                Context("prod-eu", "prod-eu", "ref-eu", "https://eu.example", "shop"),
            ),
        )  # fmt: skip
        self.clusters = {
            context.alias: Cluster("live", "", "v1.37.2", context.server, context.namespace, False, context.name)
            for context in self._identity.contexts
        }
        self._is_default = True
        self.refuses: dict[str, MuxError] = {}
        self.asked: list[tuple[Any, ...]] = []

    def _may_write(self) -> set[str]:
        return {"kind-a"}

    async def _watch(
        self, kind: str, namespace: Any = None, cluster: Any = None, selector: Any = None, fields: Any = None
    ) -> FakeStream:
        self.asked.append((kind, namespace, cluster, selector, fields))
        if kind in self.refuses:
            raise self.refuses[kind]
        return self.stream(kind, namespace, cluster, selector, fields)

    def stream(
        self, kind: str, namespace: Any = None, cluster: Any = None, selector: Any = None, fields: Any = None
    ) -> FakeStream:
        """The stream of a question."""
        identity: Any = self._identity
        spec, described = question(identity, kind, namespace, cluster, selector, fields)
        return self._stream(spec, described)

    def _stream(self, spec: Any, described: Described) -> FakeStream:
        _, clusters, kind, namespaces, *_ = spec
        made = FakeStream([alias for alias, *_ in clusters], words=described.words([RESOURCES.get(kind)]))
        made.columns_ = columns(kind)
        for alias, _, own in clusters:
            made.states[alias] = state(resource=RESOURCES[kind], namespaces=namespaces or (own,))
        made._source = SimpleNamespace(owner=self, spec=spec, described=described)  # type: ignore[attr-defined]
        made._key = spec  # type: ignore[attr-defined]
        return made

    def contexts(self, cluster: Any = None) -> list[Context]:
        """Those that are meant."""
        identity: Any = self._identity
        return chosen_contexts(identity, cluster)
