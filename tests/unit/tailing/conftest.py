"""The fixtures of the gateway: logs are tried behind an API server of TLS."""

from __future__ import annotations

from tests.unit.gateway.tls_api import api, authority, connect

__all__ = ["api", "authority", "connect"]
