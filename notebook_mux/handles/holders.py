"""The streams of this generation by what they read, and whether a person still has them.

A stream is kept by its views, callbacks and iterators, and by Python references. IPython keeps every cell's result in
``Out``; such a reference is no wish to go on watching, so references are counted, and those of ``Out`` left out.
"""

from __future__ import annotations

import builtins
import re
import sys
import weakref
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from notebook_mux.forksafe import ForkSafeLock

if TYPE_CHECKING:
    from notebook_mux.handles.source import Source
    from notebook_mux.handles.stream import Stream

_CACHED_NAME = re.compile(r"_|__|___|_\d+")
"""The names in the user's namespace that IPython's displayhook sets."""


class Streams:
    """A weak registry: what nobody has is not kept by being known."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._streams: weakref.WeakValueDictionary[Hashable, Stream] = weakref.WeakValueDictionary()
        self._sources: weakref.WeakValueDictionary[Hashable, Source] = weakref.WeakValueDictionary()
        nobody = _Nobody()
        self._baseline = _references(weakref.ref(nobody)) - 1
        self._swept_by_shell = False

    def get(self, key: Hashable, source: Callable[[], Source], stream: Callable[[Source], Stream]) -> Stream:
        """The stream of that key, made if nobody has it, on the source that its callbacks may still have."""
        self._ask_shell()
        with self._lock:
            found = self._streams.get(key)
            if found is not None and not found.closed:
                return found
            origin = self._sources.get(key)
            if origin is None or origin.closed:
                origin = self._sources[key] = source()
            made = self._streams[key] = stream(origin)
            return made

    def all(self) -> list[Stream]:
        """The streams that are there and not closed."""
        with self._lock:
            return [stream for stream in self._streams.values() if not stream.closed]

    def close(self, wanted: Callable[[Source], bool]) -> None:
        """Close the streams of all sources that are wanted so, those that only callbacks have too."""
        with self._lock:
            sources = [source for source in self._sources.values() if wanted(source)]
        for source in sources:
            source.close()

    def sweep(self, executed: Any = None) -> None:
        """Let go of the streams that only ``Out`` has, and take hold again of those a person has taken from it."""
        cached = cached_results(executed)
        with self._lock:
            for reference in self._streams.valuerefs():
                stream = reference()
                if stream is None or stream.closed:
                    continue
                in_out = sum(1 for value in cached if value is stream)
                # `stream` is one reference, and the list `cached` has one for each place of `Out`.
                outside = _references(reference) - self._baseline - 1 - 2 * in_out - stream._uncounted
                stream._keep(outside > 0)
                del stream

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


streams = Streams()
"""Of this generation of the package's modules."""
