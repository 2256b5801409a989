"""Loads all programs, so that they are in the registry."""

from __future__ import annotations

from notebook_mux.playground.shell.commands import (
    archive,
    editing,
    filing,
    finding,
    listing,
    networking,
    searching,
    shells,
    system,
    text,
)

LOADED = (archive, editing, filing, finding, listing, networking, searching, shells, system, text)
