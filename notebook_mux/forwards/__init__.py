"""Ports of pods on loopback ports of the gateway's machine: one WebSocket to the API server a local connection."""
