"""Where a client's contexts come from, as it tells its own gateway."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where contexts come from: kubeconfig files in kubectl's order, the environment for exec plugins, in-cluster."""

    kubeconfig: list[str] | None = None
    env: dict[str, str] = {}
    in_cluster: bool = False

    def __repr__(self) -> str:
        # The environment may hold keys of a cloud; a message that is logged or raised must not show them.
        return f"Source(kubeconfig={self.kubeconfig!r}, env={sorted(self.env)}, in_cluster={self.in_cluster})"
