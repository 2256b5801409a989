"""Logs of a fake gateway's one cluster."""

from __future__ import annotations

from typing import Any

from notebook_mux.kernel.core import Core
from tests.unit.tailing.held import Held

CLUSTERS = (("one", "ref-one", "default"),)


class Logs(Held):
    """Those of the fake gateway's one cluster."""

    def __init__(self, core: Core, conn: str, **spec: Any) -> None:
        super().__init__(core, conn, CLUSTERS, **spec)
