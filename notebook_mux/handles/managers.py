"""The managers of this generation, and what later ones must know: which is the default, and who uses which socket.

The latter is kept with the core as plain data, so that a fresh import goes on with the clusters of before.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from notebook_mux.forksafe import ForkSafeLock
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.kernel import holder

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

_lock = ForkSafeLock()
_known: weakref.WeakValueDictionary[tuple[Any, ...], Manager] = weakref.WeakValueDictionary()
_default: Manager | None = None

DEFAULT = "default manager"
MANAGERS = "managers"


def get(identity: Identity) -> Manager:
    """The manager of that identity, made if there is none."""
    from notebook_mux.handles.demos import Demo
    from notebook_mux.handles.manager import Manager

    with _lock:
        found = _known.get(identity.key)
        if found is None or found._closed:
            made = Manager if identity.demo is None else Demo
            found = _known[identity.key] = made(identity)
        else:
            found._identity = identity  # read again: a context may have become usable
        _memo().setdefault(MANAGERS, {})[identity.scope] = identity.connection
        return found


def set_default(manager: Manager) -> None:
    """Make it the one that the module's functions use."""
    global _default
    with _lock:
        _default = manager
        at = manager._identity
        _memo()[DEFAULT] = {
            "connection": at.connection,
            "endpoint": tuple(at.endpoint),
            "source": dict(at.source),
            "names": at.names,
            "contexts": [tuple(context) for context in at.contexts],
            "user": at.user,
            "demo": at.demo,
            "write": sorted(manager._write),
        }


def default() -> Manager | None:
    """The manager connected last, of this generation or an earlier one; None if there is none."""
    global _default
    with _lock:
        if _default is not None and not _default._closed:
            return _default
        running = holder.running()
        remembered = vars(running).get("memo", {}).get(DEFAULT) if running is not None else None
        if remembered is None:
            return None
        plain = dict(remembered)
        write = plain.pop("write")
        contexts = tuple(Context(*context) for context in plain.pop("contexts"))
        _default = get(Identity(**plain, contexts=contexts))
        _default._write = frozenset(write)
        return _default


def known() -> list[Manager]:
    """The managers of this generation that are not closed."""
    with _lock:
        return [manager for manager in list(_known.values()) if not manager._closed]


def forget(manager: Manager) -> None:
    """It was closed."""
    global _default
    with _lock:
        key, scope = manager._identity.key, manager._identity.scope
        if _known.get(key) is manager:
            del _known[key]
        memo = _memo()
        memo.get(MANAGERS, {}).pop(scope, None)
        if _default is manager:
            _default = None
            memo.pop(DEFAULT, None)


def others_on(connection: str) -> bool:
    """Whether managers that are not closed use a connection."""
    with _lock:
        return connection in _memo().get(MANAGERS, {}).values()


def _memo() -> dict[str, Any]:
    """Plain data kept with the core through reloads."""
    memo: dict[str, Any] = vars(holder.core()).setdefault("memo", {})
    return memo
