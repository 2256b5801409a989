"""The widgets: what a notebook shows of a stream or of a manager, live, and the way of the data to the page."""

from __future__ import annotations
