"""ClusterRoles that are made of others: those whose labels their ``aggregationRule`` selects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.base import Controller
from notebook_mux.playground.history import Change
from notebook_mux.playground.rbac.resolver import CLUSTER_ROLES
from notebook_mux.playground.selectors import match_expressions
from notebook_mux.playground.store import Key, Stored

Json = dict[str, Any]

ALL: Key = ("", "")
ROUNDS = 10
"""Roles that are made of aggregated roles settle in as many rounds as they are deep; three are usual."""


class Aggregation(Controller):
    """The controller of aggregated roles."""

    watches = (CLUSTER_ROLES,)

    def keys(self, change: Change) -> Iterable[Key]:
        """A change of one role may matter to all that are aggregated."""
        return (ALL,)

    def sync(self, key: Key) -> None:
        """Fill the aggregated roles."""
        aggregate(self.cluster)


def aggregate(cluster: Cluster) -> None:
    """Fill all aggregated roles of a cluster."""
    for _ in range(ROUNDS):
        roles = cluster.store.items(CLUSTER_ROLES)
        changed = [one for one in roles if _fill(cluster, one, roles)]
        if not changed:
            return


def _fill(cluster: Cluster, stored: Stored, roles: list[Stored]) -> bool:
    if b'"aggregationRule"' not in stored.body:
        return False
    obj = stored.decode()
    selectors = (obj.get("aggregationRule") or {}).get("clusterRoleSelectors")
    if not selectors:
        return False
    wanted = [match_expressions(one) for one in selectors]
    rules: list[Json] = []
    for one in roles:
        if one.name == stored.name or not any(selects(one.labels) for selects in wanted):
            continue
        rules += [rule for rule in one.decode().get("rules") or () if rule not in rules]
    if rules == (obj.get("rules") or []):
        return False
    obj["rules"] = rules
    return cluster.put(stored, obj) is not stored
