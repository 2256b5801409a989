"""Logs of containers: on their way from the API server, read to the last line, and kept."""
