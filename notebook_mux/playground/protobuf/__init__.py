r"""Objects in protobuf, as kubectl sends some and Go's clients like them best.

::

    protobuf.unwrap(body)              # {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": ...}
    protobuf.wrap(obj)                 # b"k8s\0..."
    protobuf.frame("ADDED", obj)       # an event of a watch
"""

from __future__ import annotations

from notebook_mux.playground.protobuf.envelope import MEDIA, frame, has_message, unwrap, wrap
from notebook_mux.playground.protobuf.wire import Malformed

__all__ = ["MEDIA", "Malformed", "frame", "has_message", "unwrap", "wrap"]
