"""Warnings of an answer that is no failure: ``Warning: 299 - "text"`` headers (RFC 7234, 5.5), which kubectl prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from aiohttp import web

CODE = 299
Response = TypeVar("Response", bound=web.StreamResponse)


def warned(response: Response, texts: Iterable[str]) -> Response:
    """Add a header for each warning, each once; returns the response."""
    for text in dict.fromkeys(texts):
        escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
        response.headers.add("Warning", f'{CODE} - "{escaped}"')
    return response
