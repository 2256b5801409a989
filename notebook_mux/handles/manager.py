"""The manager: some clusters at one endpoint, and all that is asked of them. Made by `connect`."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from notebook_mux import errors
from notebook_mux.forksafe import ForkSafeLock
from notebook_mux.handles import logs, shells
from notebook_mux.handles.advice import advice, advised
from notebook_mux.handles.crossing import answered, told
from notebook_mux.handles.dispatch import CallbackThread
from notebook_mux.handles.entries import Described
from notebook_mux.handles.fetching import fetch_list, fetch_one
from notebook_mux.handles.functions import Functions
from notebook_mux.handles.holders import streams
from notebook_mux.handles.identity import Cluster, Identity, Stats
from notebook_mux.handles.managers import default, forget, others_on
from notebook_mux.handles.programs import Completed, run
from notebook_mux.handles.questions import Names, chosen_contexts, failure_of, question
from notebook_mux.handles.readers import Clusters
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.server import REQUEST_SECONDS, Server
from notebook_mux.handles.source import READ_SECONDS, Source
from notebook_mux.handles.stream import Stream
from notebook_mux.handles.telling import most_telling
from notebook_mux.handles.terminals import Session
from notebook_mux.handles.waiting import blocking, deadline_in
from notebook_mux.kernel import holder

if TYPE_CHECKING:
    from notebook_mux.handles.events import Events
    from notebook_mux.handles.forward import Forward
    from notebook_mux.handles.logs import Logs
    from notebook_mux.handles.plugs.plug import Plug
    from notebook_mux.printing.check import Check
    from notebook_mux.printing.outcome import Outcome
    from notebook_mux.widgets.base import Live
    from notebook_mux.widgets.status import Status
    from notebook_mux.widgets.table import Table
    from notebook_mux.widgets.terminal import Terminal

ANSWERED_SECONDS = 60.0
"""How long a cluster's answer counts for a `connect` that is run again."""

CLOSE_SECONDS = 5.0
"""For saying goodbye on the socket; it is closed either way."""


class Manager(Functions):
    """Some clusters at one endpoint. Any thread may call; calls that wait say so.

    Made by `connect`, which gives the same one for the same clusters. A notebook shows it as the status widget.
    """

    def __init__(self, identity: Identity, write: Iterable[str] = ()) -> None:
        self._identity = identity
        self._write = frozenset(write)
        self._closed = False
        self._core = holder.core()
        self._callbacks = CallbackThread("notebook_mux callbacks")
        self._lock = ForkSafeLock()
        self._answered: dict[str, float] = {}
        self._tables: dict[tuple[Any, ...], Table] = {}
        self._terminals: dict[str, Terminal] = {}
        self._forwards: dict[str, Forward] = {}
        self._shown: Status | None = None

    # --- state ------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """The socket's state: ``"connecting" "open" "retrying" "closed"``."""
        return str(self._core_status().get("state", "closed"))

    @property
    def reason(self) -> str:
        """Why the socket is not open; "" where it is."""
        return str(self._core_status().get("reason", "closed by close()" if self._closed else ""))

    @property
    def url(self) -> str:
        """The endpoint's URL, without its token; "" while there is none."""
        return str(self._core_status().get("url", ""))

    @property
    def clusters(self) -> Clusters[Cluster]:
        """The clusters by the names they have here."""
        known = self._core_status().get("clusters", {})
        found: Clusters[Cluster] = Clusters()
        for context in self._identity.contexts:
            at = known.get(context.ref, {})
            problem = dict(context.problem)
            state = problem.get("state") or at.get("state", "connecting")
            reason = problem.get("what") or at.get("reason", "")
            if self._closed:
                state, reason = "closed", "closed by close()"
            version, write = at.get("version", ""), context.ref in self._write
            found[context.alias] = Cluster(
                state, reason, version, context.server, context.namespace, write, context.name
            )
        return found

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams of these clusters that are in use."""
        return tuple(stream for stream in streams.all() if self._owns(stream._key))

    @property
    def stats(self) -> Stats:
        """Counts of now, of the whole socket; a record that does not change."""
        status = self._core_status()
        parts = status.get("streams", ())
        names = {field.name for field in fields(Stats)}
        counts: dict[str, Any] = {name: status[name] for name in names if isinstance(status.get(name), int | float)}
        for name in ("objects", "changes", "skipped", "repeated", "relists", "snapshots"):
            counts[name] = sum(part.get(name, 0) for part in parts)
        counts["streams"] = len(parts)
        counts["terminals"] = len(status.get("terminals", ()))
        counts["lag"] = max((part.get("lag", 0.0) for part in parts), default=0.0)
        return Stats(**counts)

    def retry(self) -> None:
        """Try again now whatever waits: the socket, a cluster. Does not wait."""
        self._check()
        told(holder.core().retry, self._identity.connection)

    def close(self) -> None:
        """Close its streams, tables and terminals, and the socket if no other manager uses it. Waits. Idempotent."""
        blocking(self._close())

    def status(self) -> Status:
        """As `notebook_mux.status`, of this manager."""
        from notebook_mux.widgets.status import Status

        self._check()
        with self._lock:
            if self._shown is None or self._shown.closed:
                self._shown = Status(self)
            return self._shown

    # --- their steps, for `waiting.blocking` and `waiting.awaiting` ------------------------------------------------

    async def _get(
        self,
        kind: str,
        name: Any,
        namespace: Names,
        cluster: Names,
        selector: Selector,
        field_selector: Selector,
    ) -> Any:
        self._check()
        spec, described = question(self._identity, kind, namespace, cluster, selector, field_selector)
        servers = [Server(self._identity, context) for context in chosen_contexts(self._identity, cluster)]
        _, _, kind, namespaces, labels, field_labels, _ = spec
        if name is None:
            steps = fetch_list(servers, kind, namespaces, labels, field_labels, described)
            return await advised(self._identity, kind, namespaces, ("list",), steps)
        if labels or field_labels:
            raise errors.InvalidArgument("a name and a selector exclude each other", todo="leave one of them out")
        return await advised(self._identity, kind, namespaces, ("get",), fetch_one(servers, kind, name, namespaces))

    async def _watch(
        self,
        kind: str,
        namespace: Names = None,
        cluster: Names = None,
        selector: Selector = None,
        field_selector: Selector = None,
        timeout: float | None = READ_SECONDS,
    ) -> Stream:
        self._check()
        spec, described = question(self._identity, kind, namespace, cluster, selector, field_selector)
        stream = self._stream(spec, described)
        view = await stream._source.settle(timeout)
        failed = [(name, failure_of(name, state, kind)) for name, state in view.states.items()]
        definite = [(name, error) for name, error in failed if error is not None]
        if failed and len(definite) == len(failed):
            stream.close()  # it never showed anything; asked again, it is tried anew
            error = most_telling(definite)
            if type(error) is not errors.Forbidden or not view.states[error.cluster or ""].todo:
                # otherwise the core has found out what would work, for what the widgets show
                error = await advice(self._identity, error, kind, spec[3], ("list", "watch"))
            raise error
        return stream

    async def _table(
        self, what: str | Stream, name: str | None, settings: Mapping[str, Any], watch: Mapping[str, Any]
    ) -> Table:
        from notebook_mux.widgets.layouts import layouts
        from notebook_mux.widgets.table import Table

        if name is not None and not isinstance(name, str):
            raise errors.InvalidArgument(f"{name!r} cannot be a table's name", todo="give a text, or none")
        layouts.load()  # not under the lock, for which pages wait too: a home may be on a slow disk
        if isinstance(what, Stream):
            if watch:
                raise errors.InvalidArgument(
                    f"a stream was given, which has its own {', '.join(watch)}", todo="give the kind's name instead"
                )
            stream = what
        else:
            unknown = watch.keys() - {"namespace", "cluster", "selector", "field_selector", "timeout"}
            if unknown:
                raise TypeError(f"table() got an unexpected keyword argument {min(unknown)!r}")
            stream = await self._watch(what, **watch)
        stream._source.opened()  # a closed stream is refused here
        spec, described = stream._key, stream._source.described
        with self._lock:
            table = self._tables.get((spec, name or ""))
            if table is None or table.closed:
                table = Table(
                    stream, source=lambda: self._stream(spec, described), name=name, title=stream._words(), **settings
                )
                self._tables[spec, name or ""] = table
            else:
                table._picker.back()  # what was chosen in a page gives way to what the cell says
                table.apply(**settings)
            return table

    async def _exec(self, *arguments: Any) -> Completed[Any]:
        self._check()
        return await run(self, *arguments)

    async def _shell(self, *arguments: Any) -> Terminal:
        from notebook_mux.widgets.terminal import Terminal

        self._check()
        wanted = shells.wish(*arguments)
        session = await shells.session(self, wanted)
        with self._lock:
            self._terminals = {id_: one for id_, one in self._terminals.items() if not one.closed}
            terminal = self._terminals.get(session.id)
            if terminal is None:
                key = (self._identity.key, session.id)
                terminal = self._terminals[session.id] = Terminal(session, key=key, choose=self._chooser(wanted))
            else:
                terminal._back()
            return terminal

    def _chooser(self, wanted: shells.Wish) -> Callable[[str], Session] | None:
        """Gives the session of another container of the same; None where there is none to choose."""
        if wanted.image is not None or wanted.target.is_node:
            return None
        return lambda name: blocking(shells.session(self, replace(wanted, container=name)))

    async def _port_forward(self, *arguments: Any) -> Forward:
        from notebook_mux.handles.forward import open_

        self._check()
        return await open_(self, *arguments)

    async def _kubeconfig(self) -> str:
        from notebook_mux.handles.kubeconfigs import kubeconfig

        return await kubeconfig(self)

    async def _logs(self, *arguments: Any) -> Logs:
        self._check()
        return await logs.open_(self, *arguments)

    async def _events(self, *arguments: Any) -> Events:
        from notebook_mux.handles.events import open_

        self._check()
        return await open_(self, *arguments)

    async def _expect(self, target: Any, expected: Mapping[str, Any]) -> Check:
        from notebook_mux.handles.expecting import running
        from notebook_mux.handles.expecting.wish import wish

        self._check()
        return await running.check(wish(target, **expected), self)

    async def _alter(self, verb: str, *arguments: Any) -> Outcome:
        from notebook_mux.handles.changing import calls, manifest_run

        self._check()
        known: dict[str, Callable[..., Coroutine[Any, Any, Outcome]]] = {
            "apply": manifest_run.apply,
            "scale": calls.scale,
            "restart": calls.restart,
            "delete": calls.delete,
        }
        return await known[verb](self, *arguments)

    async def _plug(self, *arguments: Any) -> Plug:
        from notebook_mux.handles.plugs.opening import open_

        return await open_(self, *arguments)

    async def _close(self) -> None:
        with self._lock:
            closed, self._closed = self._closed, True
            widgets: list[Live] = [*self._tables.values(), *([self._shown] if self._shown is not None else [])]
            terminals = list(self._terminals.values())
            self._tables.clear()
            self._terminals.clear()
        if closed:
            return
        forget(self)
        await shells.close_all(self._identity)
        widgets += terminals
        for forward in list(self._forwards.values()):
            forward.close()
            forward._hide()
        others = others_on(self._identity.connection)
        streams.close(lambda source: source.owner is self or (not others and self._owns(source.spec)))
        logs.close_all(self, lambda spec: not others and self._owns(spec))
        for widget in widgets:
            widget.close()
        core = holder.running()
        if core is None:
            return
        connection = self._identity.connection
        try:
            if others:
                await answered(
                    core.end_kubeconfig, connection, self._identity.scope, deadline=deadline_in(CLOSE_SECONDS)
                )
                await answered(core.scope, connection, self._identity.scope, [], deadline=deadline_in(CLOSE_SECONDS))
            else:
                await answered(core.close, connection, deadline=deadline_in(CLOSE_SECONDS), what="closing")
        except errors.MuxError:
            pass  # it was closed already, or its end goes on by itself

    async def _allow(self, write: bool | str | Sequence[str]) -> None:
        """Set the write scope: all clusters, none, or those named; UnknownContext or WriteRefused if that fails."""
        refs = self._refs_to_write(write)
        if not refs and not self._write:
            return
        granted = await answered(
            holder.core().scope,
            self._identity.connection,
            self._identity.scope,
            refs,
            deadline=deadline_in(REQUEST_SECONDS),
            what="asking the gateway for the right to write",
        )
        self._write = frozenset(refs) & frozenset(granted)
        refused = [c.alias for c in self._identity.contexts if c.ref in set(refs) - self._write]
        if refused:
            raise errors.WriteRefused(
                f"the gateway allows no changes on {', '.join(refused)}",
                todo="start it with: notebook-mux gateway --write",
            )

    @property
    def _is_default(self) -> bool:
        """Whether the module's functions are its own."""
        return default() is self

    def _may_write(self) -> set[str]:
        """The clusters that may be changed, by the names they have here."""
        return {context.alias for context in self._identity.contexts if context.ref in self._write}

    # --- parts ------------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Refuse if closed; connect in a process (a forked child) or core that has no connection of this yet.

        Raises:
            Closed: It was closed.
        """
        if self._closed:
            raise errors.Closed("the manager was closed", todo="connect again with nm.connect()")
        if holder.core() is not self._core:
            self._revive()

    def _revive(self) -> None:
        with self._lock:
            core = holder.core()
            if core is not self._core:
                if not self._core_status():
                    blocking(self._connect_again())
                self._core = core

    async def _connect_again(self) -> None:
        core, identity = holder.core(), self._identity
        seconds, what = REQUEST_SECONDS, "connecting again"
        connection = await answered(core.connect, identity.endpoint, seconds, what=what)
        await answered(core.contexts, connection, identity.source, identity.names, seconds, what=what)
        if self._write:
            await answered(core.scope, connection, identity.scope, sorted(self._write), what=what)

    def _answered_now(self, ref: str) -> None:
        self._answered[ref] = time.monotonic()

    def _answered_lately(self, ref: str) -> bool:
        """Whether a cluster has answered so lately, and is well since, that a re-run cell need not ask it again."""
        state = self._core_status().get("clusters", {}).get(ref, {}).get("state")
        at = self._answered.get(ref)
        return state == "live" and at is not None and time.monotonic() - at < ANSWERED_SECONDS

    def _stream(self, spec: tuple[Any, ...], described: Described) -> Stream:
        """Get or create the stream of a question; does not wait."""
        self._check()
        return streams.get(
            spec, lambda: Source(self, spec, described), lambda source: Stream(source, self._callbacks, spec)
        )

    def _refs_to_write(self, write: bool | str | Sequence[str]) -> list[str]:
        if isinstance(write, bool):
            contexts = list(self._identity.contexts) if write else []
        else:
            contexts = chosen_contexts(self._identity, write)
        return [context.ref for context in contexts if context.ref]

    def _owns(self, spec: Any) -> bool:
        refs = {context.ref for context in self._identity.contexts}
        return spec[0] == self._identity.connection and all(cluster[1] in refs for cluster in spec[1])

    def _core_status(self) -> dict[str, Any]:
        """The core's status of the connection; empty where there is none."""
        running = holder.running()
        if running is None or self._closed:
            return {}
        try:
            found: dict[str, Any] = told(running.status, self._identity.connection)
        except errors.MuxError:
            return {}
        return found

    def _ipython_display_(self) -> None:
        """Show the status widget, with its static copy beside it."""
        if self._closed:
            raise NotImplementedError  # IPython takes the next way to show it, its repr
        self.status()._ipython_display_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        if self._closed:
            return {"text/plain": repr(self)}
        return self.status()._repr_mimebundle_(include=include, exclude=exclude)

    def __repr__(self) -> str:
        clusters = ", ".join(f"{name} {at.state}" for name, at in self.clusters.items())
        state, reason = self.state, self.reason
        return f"<Manager of {clusters or 'no cluster'}: {state}{f', {reason}' if reason else ''}>"
