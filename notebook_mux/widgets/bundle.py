"""The front ends' code: pushed to a page once by one hidden model a kind, and not once a widget.

A widget's own `_esm` is a stub of about a kilobyte that waits in the page for the bundle with its hash. The hidden
model has the bundle, compressed, in a trait: a page that is connected gets it with the model, one that is reloaded
gets it with the other models, whatever the kernel is busy with; several versions and several kernels on one page do
not meet, for the hash is the key.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from notebook_mux.widgets.hosts import heard_on_subshell

STATIC = Path(__file__).parent / "static"

HOLDER = "_notebook_mux_widgets_1"
"""In `sys.modules`, outside the package: what the page still knows outlives a reload of it."""


class Missing(FileNotFoundError):
    """A bundle was not built."""


@cache
def text(name: str) -> str:
    """A built file's content.

    Raises:
        Missing: It is not there; says how to build it.
    """
    try:
        return (STATIC / name).read_text("utf-8")
    except FileNotFoundError:
        raise Missing(
            f"{STATIC / name} is missing: the front ends are built by `pip install` of the source, or by "
            "`npm ci && npm run build` in notebook_mux/widgets/frontend"
        ) from None


@cache
def packed(kind: str) -> tuple[bytes, str]:
    """A widget kind's bundle, compressed, and the hash that names it."""
    code = text(f"{kind}.js").encode()
    return gzip.compress(code, 9, mtime=0), hashlib.sha256(code).hexdigest()[:16]


class Bundle(anywidget.AnyWidget):
    """The hidden model of one widget kind."""

    hash = traitlets.Unicode().tag(sync=True)
    code = traitlets.Bytes().tag(sync=True)

    def __init__(self, kind: str) -> None:
        code, hash_ = packed(kind)
        self._esm = text("loader.js")
        super().__init__(hash=hash_, code=code)
        heard_on_subshell(self.comm)


def kept(name: str) -> dict[Any, Any]:
    """What outlives a reload of the package, by name."""
    holder = sys.modules.setdefault(HOLDER, types.ModuleType(HOLDER))
    found: dict[Any, Any] = holder.__dict__.setdefault(name, {})
    return found


def ensure(kind: str) -> str:
    """Have the bundle of this kind pushed, if it was not; returns its hash."""
    models = kept("models")
    hash_ = packed(kind)[1]
    model = models.get(hash_)
    if model is None or model.comm is None:  # closed by Widget.close_all()
        models[hash_] = Bundle(kind)
    return hash_
