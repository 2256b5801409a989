"""The handles of this generation by what they are of, and whether a person still has them.

A stream, say, is kept by its views, callbacks and iterators, and by Python references. IPython keeps every cell's
result in ``Out``; such a reference is no wish to go on watching, so references are counted, and those of ``Out`` left
out.
"""

from __future__ import annotations

import builtins
import re
import sys
import weakref
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from notebook_mux.forksafe import ForkSafeLock
from notebook_mux.handles.held import Handle, Held

if TYPE_CHECKING:
    from notebook_mux.handles.source import Source
    from notebook_mux.handles.stream import Stream

S = TypeVar("S", bound=Held)
H = TypeVar("H", bound=Handle)

_CACHED_NAME = re.compile(r"_|__|___|_\d+")
"""The names in the user's namespace that IPython's displayhook sets."""


class Handles(Generic[S, H]):
    """A weak registry: what nobody has is not kept by being known.

    `S` is what is held, for which there may be callbacks and views; `H` what users have of it.
    """

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._handles: weakref.WeakValueDictionary[Hashable, H] = weakref.WeakValueDictionary()
        self._sources: weakref.WeakValueDictionary[Hashable, S] = weakref.WeakValueDictionary()
        nobody = _Nobody()
        self._baseline = _references(weakref.ref(nobody)) - 1
        self._swept_by_shell = False

    def get(self, key: Hashable, source: Callable[[], S], handle: Callable[[S], H]) -> H:
        """The handle of that key, made if nobody has it, on the source that its callbacks may still have."""
        self._ask_shell()
        with self._lock:
            found = self._handles.get(key)
            if found is not None and not found.closed:
                return found
            origin = self._sources.get(key)
            if origin is None or origin.closed:
                origin = self._sources[key] = source()
            made = self._handles[key] = handle(origin)
            return made

    def all(self) -> list[H]:
        """The handles that are there and not closed."""
        with self._lock:
            return [handle for handle in self._handles.values() if not handle.closed]

    def close(self, wanted: Callable[[S], bool]) -> list[S]:
        """Close all sources that are wanted so, those that only callbacks have too; gives them."""
        with self._lock:
            sources = [source for source in self._sources.values() if wanted(source)]
        for source in sources:
            source.close()
        return sources

    def sweep(self, executed: Any = None) -> None:
        """Let go of what only ``Out`` has, and take hold again of those a person has taken from it."""
        cached = cached_results(executed)
        with self._lock:
            for reference in self._handles.valuerefs():
                handle = reference()
                if handle is None or handle.closed:
                    continue
                in_out = sum(1 for value in cached if value is handle)
                # `handle` is one reference, and the list `cached` has one for each place of `Out`.
                outside = _references(reference) - self._baseline - 1 - 2 * in_out - handle._uncounted
                handle._keep(outside > 0)
                del handle

    def _ask_shell(self) -> None:
        """Have IPython sweep after each cell."""
        if self._swept_by_shell:
            return
        shell = _shell()
        if shell is not None:
            self._swept_by_shell = True
            shell.events.register("post_run_cell", self.sweep)


class _Nobody:
    """Something that nobody else refers to."""


def _references(reference: weakref.ref[Any]) -> int:
    """References to an object, those that counting takes included."""
    thing = reference()
    return sys.getrefcount(thing)


def cached_results(executed: Any = None) -> list[Any]:
    """What IPython, or the plain prompt, keeps of the results of cells: one entry for each reference.

    Args:
        executed: The ExecutionResult of the cell that has just run.
    """
    found: list[Any] = [getattr(builtins, "_", None)]
    shell = _shell()
    if shell is None:
        return found
    for namespace in (shell.user_ns, getattr(shell, "user_ns_hidden", {})):
        found += [value for name, value in list(namespace.items()) if _CACHED_NAME.fullmatch(name)]
    found += list((shell.user_ns.get("_oh") or {}).values())
    hook = vars(getattr(shell, "displayhook", object))
    found += [hook[name] for name in ("_", "__", "___") if name in hook]
    executions = {id(one): one for one in (executed, getattr(shell, "last_execution_result", None))}
    found += [getattr(one, "result", None) for one in executions.values()]
    return found


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


streams: Handles[Source, Stream] = Handles()
"""Of this generation of the package's modules."""
