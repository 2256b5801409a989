"""The module's functions as a manager has them, on its own clusters. Each waits where it must."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, overload

from notebook_mux.handles.log_targets import Since
from notebook_mux.handles.objects import Object
from notebook_mux.handles.patterns import Regex
from notebook_mux.handles.programs import Command, Completed, Input
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.source import READ_SECONDS
from notebook_mux.handles.stream import Stream
from notebook_mux.handles.waiting import blocking

if TYPE_CHECKING:
    from notebook_mux.handles.events import Events
    from notebook_mux.handles.forward import Forward
    from notebook_mux.handles.logs import Logs
    from notebook_mux.handles.plugs.plug import Plug
    from notebook_mux.printing.check import Check
    from notebook_mux.printing.outcome import Outcome
    from notebook_mux.widgets.columns import Columns
    from notebook_mux.widgets.table import Table
    from notebook_mux.widgets.terminal import Terminal


class Functions:
    """What a manager can be asked; its steps are the manager's, a coroutine function of `waiting`'s kind for each."""

    if TYPE_CHECKING:

        def _get(self, *arguments: Any) -> Coroutine[Any, Any, Any]: ...
        def _watch(self, *arguments: Any) -> Coroutine[Any, Any, Stream]: ...
        def _table(self, *arguments: Any) -> Coroutine[Any, Any, Table]: ...
        def _exec(self, *arguments: Any) -> Coroutine[Any, Any, Completed[Any]]: ...
        def _shell(self, *arguments: Any) -> Coroutine[Any, Any, Terminal]: ...
        def _port_forward(self, *arguments: Any) -> Coroutine[Any, Any, Forward]: ...
        def _events(self, *arguments: Any) -> Coroutine[Any, Any, Events]: ...
        def _kubeconfig(self) -> Coroutine[Any, Any, str]: ...
        def _logs(self, *arguments: Any) -> Coroutine[Any, Any, Logs]: ...
        def _alter(self, verb: str, *arguments: Any) -> Coroutine[Any, Any, Outcome]: ...
        def _plug(self, *arguments: Any) -> Coroutine[Any, Any, Plug]: ...
        def _expect(self, target: Any, expected: dict[str, Any]) -> Coroutine[Any, Any, Check]: ...

    @overload
    def get(
        self,
        kind: str,
        name: None = None,
        *,
        namespace: Names = None,
        cluster: Names = None,
        selector: Selector = None,
        field_selector: Selector = None,
    ) -> Snapshot: ...
    @overload
    def get(
        self,
        kind: str,
        name: str,
        *,
        namespace: Names = None,
        cluster: Names = None,
        selector: Selector = None,
        field_selector: Selector = None,
    ) -> Object: ...
    def get(
        self,
        kind: str,
        name: str | None = None,
        *,
        namespace: Names = None,
        cluster: Names = None,
        selector: Selector = None,
        field_selector: Selector = None,
    ) -> Snapshot | Object:
        """As `notebook_mux.get`, on these clusters. Waits."""
        found: Snapshot | Object = blocking(self._get(kind, name, namespace, cluster, selector, field_selector))
        return found

    def watch(
        self,
        kind: str,
        *,
        namespace: Names = None,
        cluster: Names = None,
        selector: Selector = None,
        field_selector: Selector = None,
        timeout: float | None = READ_SECONDS,
    ) -> Stream:
        """As `notebook_mux.watch`, on these clusters. Waits."""
        return blocking(self._watch(kind, namespace, cluster, selector, field_selector, timeout))

    def table(
        self,
        what: str | Stream,
        *,
        name: str | None = None,
        columns: Columns = None,
        labels: Sequence[str] = (),
        wide: bool = False,
        usage: bool = False,
        filter: str = "",  # noqa: A002 - the contract's word
        faults: bool = False,
        sort: str | None = None,
        group: str | None = None,
        height: int = 400,
        **watch: Any,
    ) -> Table:
        """As `notebook_mux.table`, on these clusters. Waits."""
        settings = {
            "columns": columns, "labels": labels, "wide": wide, "usage": usage, "filter": filter, "faults": faults,
            "sort": sort, "group": group, "height": height,
        }  # fmt: skip
        return blocking(self._table(what, name, settings, watch))

    def exec(
        self,
        target: Any,
        command: Command,
        *,
        container: str | None = None,
        stdin: Input = None,
        text: bool = False,
        check: bool = False,
        timeout: float | None = 30.0,
        namespace: Names = None,
        cluster: Names = None,
    ) -> Completed[Any]:
        """As `notebook_mux.exec`, on these clusters. Waits."""
        return blocking(self._exec(target, command, container, stdin, text, check, timeout, namespace, cluster))

    def shell(
        self,
        target: Any,
        command: Command | None = None,
        *,
        container: str | None = None,
        image: str | None = None,
        attach: bool = False,
        name: str | None = None,
        namespace: Names = None,
        cluster: Names = None,
    ) -> Terminal:
        """As `notebook_mux.shell`, on these clusters. Waits."""
        return blocking(self._shell(target, command, container, image, attach, name, namespace, cluster))

    def port_forward(self, target: Any, port: int | str, *, namespace: Names = None, cluster: Names = None) -> Forward:
        """As `notebook_mux.port_forward`, on these clusters. Waits."""
        return blocking(self._port_forward(target, port, namespace, cluster))

    def kubeconfig(self) -> str:
        """As `notebook_mux.kubeconfig`, of these clusters. Waits."""
        return blocking(self._kubeconfig())

    def logs(
        self,
        target: Any,
        *,
        selector: Selector = None,
        container: Regex = None,
        since: Since = None,
        tail: int | None = 100,
        previous: bool = False,
        follow: bool = True,
        include: Regex = None,
        exclude: Regex = None,
        max_pods: int = 50,
        namespace: Names = None,
        cluster: Names = None,
    ) -> Logs:
        """As `notebook_mux.logs`, on these clusters. Waits."""
        chosen = (selector, container, since, tail, previous, follow, include, exclude, max_pods)
        return blocking(self._logs(target, *chosen, namespace, cluster))

    def events(
        self, target: Any = None, *, warnings: bool = False, namespace: Names = None, cluster: Names = None
    ) -> Events:
        """As `notebook_mux.events`, on these clusters. Waits."""
        return blocking(self._events(target, warnings, namespace, cluster))

    def apply(
        self,
        manifest: Any,
        *,
        dry_run: bool = False,
        force: bool = False,
        namespace: Names = None,
        cluster: Names = None,
    ) -> Outcome:
        """As `notebook_mux.apply`, on these clusters. Waits."""
        return blocking(self._alter("apply", manifest, dry_run, force, namespace, cluster))

    def scale(
        self, target: Any, replicas: int, *, dry_run: bool = False, namespace: Names = None, cluster: Names = None
    ) -> Outcome:
        """As `notebook_mux.scale`, on these clusters. Waits."""
        return blocking(self._alter("scale", target, replicas, dry_run, namespace, cluster))

    def restart(self, target: Any, *, dry_run: bool = False, namespace: Names = None, cluster: Names = None) -> Outcome:
        """As `notebook_mux.restart`, on these clusters. Waits."""
        return blocking(self._alter("restart", target, dry_run, namespace, cluster))

    def delete(
        self,
        target: Any,
        *,
        cascade: str = "background",
        grace: int | None = None,
        dry_run: bool = False,
        namespace: Names = None,
        cluster: Names = None,
    ) -> Outcome:
        """As `notebook_mux.delete`, on these clusters. Waits."""
        return blocking(self._alter("delete", target, cascade, grace, dry_run, namespace, cluster))

    def expect(self, target: Any = None, **expected: Any) -> Check:
        """As `notebook_mux.expect`, on these clusters. Waits."""
        return blocking(self._expect(target, expected))

    def plug(self, name: str = "plug", *, namespace: str | None = None, cluster: str | None = None) -> Plug:
        """As `notebook_mux.plug`, on these clusters. Waits."""
        return blocking(self._plug(name, namespace, cluster))
