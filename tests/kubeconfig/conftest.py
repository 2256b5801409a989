"""Fixtures for kubeconfigs, case by case: a certificate authority, a TLS server, and clusters by kubeconfig."""

from __future__ import annotations

from tests.unit.gateway.tls_api import api, authority, connect

__all__ = ["api", "authority", "connect"]
