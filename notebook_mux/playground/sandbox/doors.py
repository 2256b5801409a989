"""Where somebody answers in a cluster's network: addresses and ports, as they are now."""

from __future__ import annotations

from typing import NamedTuple

from notebook_mux.playground.cluster import Cluster
from notebook_mux.playground.controllers.slices import SERVICE, SLICES
from notebook_mux.playground.store import Stored

MOST = 160
"""Of pods; services come first. A message brings 250 sockets at most."""


class Door(NamedTuple):
    """An address and a port."""

    host: str
    port: int


class Doors:
    """The doors of a cluster, looked for again only after a service or an endpoint has changed.

    Args:
        cluster: Whose.
    """

    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        self._found: frozenset[Door] | None = None
        self._stops = [cluster.store.listen(one, lambda _: self._forget()) for one in ("services", SLICES)]

    def close(self) -> None:
        """Listen to changes no more."""
        for stop in self._stops:
            stop()

    def _forget(self) -> None:
        self._found = None

    def found(self) -> frozenset[Door]:
        """All that answer."""
        if self._found is None:
            services, pods = set[Door](), set[Door]()
            for stored in self._cluster.store.items(SLICES):
                ends = _ends(stored)
                pods |= {Door(address, port) for ports, addresses in ends for port in ports.values()
                         for address in addresses}  # fmt: skip
                service = self._cluster.get("services", stored.namespace, stored.labels.get(SERVICE, ""))
                named = {name for ports, addresses in ends if addresses for name in ports}
                if service is not None and (address := service["spec"].get("clusterIP")) not in (None, "", "None"):
                    services |= {Door(address, one["port"]) for one in service["spec"].get("ports") or ()
                                 if one.get("name", "") in named and one.get("protocol", "TCP") == "TCP"}  # fmt: skip
            self._found = frozenset(services) | frozenset(sorted(pods)[:MOST])
        return self._found


def _ends(stored: Stored) -> list[tuple[dict[str, int], list[str]]]:
    one = stored.decode()
    ports = {port.get("name") or "": port["port"] for port in one.get("ports") or () if port.get("port")}
    ready = [end for end in one.get("endpoints") or () if (end.get("conditions") or {}).get("ready") is not False]
    return [(ports, [address for end in ready for address in end["addresses"]])]
