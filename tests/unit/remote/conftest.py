"""The fixtures of the gateway: programs are tried behind one."""

from __future__ import annotations

from tests.unit.gateway.tls_api import api, authority, connect

__all__ = ["api", "authority", "connect"]
