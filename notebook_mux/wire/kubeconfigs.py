"""What is said of kubeconfigs: plain data in `messages.Kubeconfig`.

Its ``key`` is random and of `MIN_KEY` characters at least: whoever comes with it again gets the same token, also on
another socket. ``scope`` is the write scope that decides on changes. Without ``contexts`` what the key was given ends.
"""

from __future__ import annotations

import msgspec

MIN_KEY = 32
"""Characters of a key: whoever has it has the token."""


class NamedCluster(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A cluster as a manager names it, with the namespace that is meant where none is given; the first is current."""

    name: str
    cluster: str
    namespace: str = "default"
