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
        def _logs(self, *arguments: Any) -> Coroutine[Any, Any, Logs]: ...

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
        columns: Sequence[str] | None = None,
        wide: bool = False,
        filter: str = "",  # noqa: A002 - the contract's word
        sort: str | None = None,
        height: int = 400,
        **watch: Any,
    ) -> Table:
        """As `notebook_mux.table`, on these clusters. Waits."""
        settings = {"columns": columns, "wide": wide, "filter": filter, "sort": sort, "height": height}
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
