"""The module's functions: what a cell calls. Each waits where it must, and can be interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from notebook_mux.errors import InvalidArgument, WrongThread
from notebook_mux.handles import calls
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.objects import Object
from notebook_mux.handles.origins import Paths
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.snapshot import Snapshot
from notebook_mux.handles.stream import Stream
from notebook_mux.handles.waiting import blocking, refuse_here

if TYPE_CHECKING:
    from notebook_mux.handles.demos import Demo
    from notebook_mux.handles.events import Events
    from notebook_mux.printing.listing import Listing
    from notebook_mux.printing.report import Report
    from notebook_mux.widgets.columns import Columns
    from notebook_mux.widgets.status import Status
    from notebook_mux.widgets.table import Table

T = TypeVar("T")


def connect(
    *contexts: str | Mapping[str, str],
    url: str | None = None,
    kubeconfig: Paths = None,
    namespace: str | None = None,
    write: bool | str | Sequence[str] | None = None,
    user_id: str | None = None,
    timeout: float = 30.0,
) -> Manager:
    """Connect to clusters, or get the manager that is connected to them already.

    Contexts are looked for in the arguments, ``NOTEBOOK_MUX_URL``, ``KUBECONFIG``, ``~/.kube/config`` and, inside a
    pod, its service account; the first of these that is there is used.

    Args:
        contexts: Names of contexts, ``"*"`` for all, or ``{"prod": "arn:aws:eks:..."}`` to name them shorter; none is
            the current context.
        url: A gateway's URL, with ``?token=``.
        kubeconfig: A file, or several as kubectl merges them.
        namespace: What is meant where no namespace is given, instead of the contexts' own.
        write: Whether changes are allowed: on all clusters, or on those named. The last call decides. None is no, but
            on a cluster to learn on, such as a class's, where the gateway says that you are meant to.
        user_id: What tells users apart behind a shared multiplexer; kept per user on disk by default.
        timeout: Seconds for connecting and for the first answer of each cluster.

    Returns:
        The manager; a cluster that does not answer is a state of it.

    Raises:
        NoCluster: There is nothing to connect to; it says what was looked at.
        UnknownContext: There is no such context.
        MuxError: No cluster can be used; the most telling of their errors.
    """
    return blocking(calls.connect(contexts, url, kubeconfig, namespace, write, user_id, timeout))


def demo(
    scenario: str = "first-look", *, seed: int = 0, clusters: int = 1, reset: bool = False, env: bool = False
) -> Demo:
    """Connect to the embedded cluster, with nothing needed; it is started if it does not run, and it is writable.

    Args:
        scenario: What goes on in it: ``"first-look"``, ``"rolling-update"`` ..., or the path of a YAML file of one's
            own.
        seed: The same seed gives the same course of things.
        clusters: How many clusters there are.
        reset: Begin the scenario anew.
        env: Set ``KUBECONFIG`` for this kernel, for ``!kubectl``.

    Returns:
        A manager whose clusters' time can be changed: ``demo.speed(10)``, ``pause()``, ``step()``, ``reset()``.

    Raises:
        InvalidArgument: There is no such scenario.
        BadScenario: The file is wrong: with the line, and what was expected there.
        GatewayError: The embedded cluster or the gateway cannot be started.
    """
    return blocking(calls.demo(scenario, seed, clusters, reset, env))


@overload
def get(
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
    kind: str,
    name: str,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Object: ...
def get(
    kind: str,
    name: str | None = None,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
) -> Snapshot | Object:
    """Read objects once: all of a kind, or one by its name.

    Args:
        kind: ``"pods"``, ``"po"``, ``"Pod"``, ``"deployments.apps"``, ``"apps/v1/deployments"``, custom ones too.
        name: One object's name.
        namespace: None is the context's own; a name, several, or ``"*"`` for all.
        cluster: One or several of the manager's clusters; None is all of them.
        selector: Labels, as text (``"app=web"``) or dict.
        field_selector: Fields, as text or dict.

    Raises:
        UnknownKind: No cluster serves it; with near names.
        NotFound: There is no object of that name; with near names.
        Ambiguous: There are two, in two namespaces or clusters.
        MuxError: No cluster answered; the most telling of their errors.
    """
    found: Snapshot | Object = blocking(calls.get(kind, name, namespace, cluster, selector, field_selector))
    return found


def watch(
    kind: str,
    *,
    namespace: Names = None,
    cluster: Names = None,
    selector: Selector = None,
    field_selector: Selector = None,
    timeout: float | None = 10.0,
) -> Stream:
    """Watch objects of a kind; the same arguments give the same stream.

    It returns when each cluster has sent a complete list or failed once; what is not there yet comes by itself.

    Args:
        kind: As for `get`.
        namespace: As for `get`.
        cluster: As for `get`.
        selector: As for `get`.
        field_selector: As for `get`.
        timeout: Seconds to wait at most.

    Raises:
        UnknownKind: No cluster serves it; with near names.
        MuxError: No cluster can be watched so: a selector that is refused, no right, no login.
    """
    return blocking(calls.watch(kind, namespace, cluster, selector, field_selector, timeout))


def table(
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
    """A live table of a stream; the same question and name give the same table, set as the arguments say.

    A row's button, or Enter in it, opens below the rows what `events` and `logs` have of it, live.

    Args:
        what: A kind, as for `watch`, or a stream.
        name: To have another table of the same stream.
        columns: Titles of columns, in this order; None is the server's, as they were arranged last. A column of your
            own is ``"Image:.spec.containers[0].image"``, or a title with a JSONPath or a function of the object, in a
            pair or in a dict, as in ``{"Name": None, "Images": lambda pod: len(pod["spec"]["containers"])}``. It shows
            what is there, as kubectl's ``custom-columns`` do: of a Secret no values, but a container's variables
            where they are asked for, and the notebook keeps that with the table's copy.
        labels: Keys of labels to show as columns.
        wide: Show the server's wide columns too.
        usage: Show CPU and memory in use, of pods and nodes, where a cluster has the metrics API.
        filter: What rows must have: words (``web``), words they must not have (``!test``), ``status=Running``,
            ``cpu>200m``, ``node~^gpu-``, ``-n prod``, ``-l app=web``, ``--faults``; see `notebook_mux.filtering`.
        faults: Show only what is not as it should be.
        sort: A column's title, ``-`` before it for descending; several as in ``"Status,-Age"``.
        group: ``"namespace"``, ``"node"``, ``"owner"``, ``"cluster"`` or ``"label:KEY"``.
        height: Pixels.
        watch: The keyword arguments of `watch`.
    """
    settings = {
        "columns": columns, "labels": labels, "wide": wide, "usage": usage, "filter": filter, "faults": faults,
        "sort": sort, "group": group, "height": height,
    }  # fmt: skip
    return blocking(calls.table(what, name, settings, watch))


def events(target: Any = None, *, warnings: bool = False, namespace: Names = None, cluster: Names = None) -> Events:
    """What happened to a target and to all that belongs to it, live; the same arguments give the same object.

    Of a deployment these are its own events, those of its replica sets and those of its pods: the ones that come later
    join, the ones that have gone stay. Who belongs to it is read from their owners, and told by their names where they
    have gone or may not be read. A cluster keeps events for about an hour. Waits.

    A notebook shows a time line of them beside the pods' states, and a list; beside an event of a pod stands what the
    pod wrote around it, where that is asked for.

    ::

        events = nm.events("deploy/web", warnings=True)
        events.folded[-1]          # the newest, with its count, first and last time
        events.df(folded=True)

    Args:
        target: As for `exec`; also any other kind (``"node/n1"``), an event, or one of a table's ``selected``. None is
            all of the namespace.
        warnings: Whether only warnings are wanted.
        namespace: None is the context's own; a name, several, or ``"*"`` for all.
        cluster: One or several of the manager's clusters; None is all of them.

    Returns:
        A stream of the events, oldest first, with what `watch` gives, and ``folded`` (equal ones are one, with their
        count and span), ``df(folded=True)`` and ``notes`` (what may not be read).

    Raises:
        InvalidArgument: It is no target.
        UnknownKind: No cluster serves such a kind; with near names.
        NotFound: There is no such object, and there are no events of it; with near names.
        MuxError: No cluster's events can be read; the most telling of their errors.
    """
    return blocking(calls.events(target, warnings, namespace, cluster))


def status() -> Status:
    """The status widget of the manager connected last: the socket, the clusters, the streams, the terminals."""
    return blocking(calls.status())


def contexts(kubeconfig: Paths = None) -> Listing:
    """What can be connected to, as a table: contexts, their clusters, servers and users, and how each logs in.

    It reads the files that `connect` would read, in a process of its own: no cluster is asked, no plugin is run, and
    no secret is shown. Works with nothing there too: the table is empty then and says what was looked at. A file that
    cannot be read is a row that says why; the others go on. Waits for the reading.

    Args:
        kubeconfig: As for `connect`; None looks where `connect` looks.

    Returns:
        A table with ``.rows``, ``.columns``, ``.notes``, ``.text`` and ``.df()``. ``Server`` is host and port,
        ``Connected`` the state of a cluster that this kernel is connected to.

    Raises:
        GatewayError: No process can be started on this machine.
    """
    return blocking(calls.contexts(kubeconfig))


def kinds(cluster: Names = None, match: str | None = None) -> Listing:
    """What can be watched in the clusters connected last, as a table: each kind, custom ones too, and what you may.

    The cluster is asked what it serves, and what you may, by access reviews, of which there is a limited number:
    ``List`` and ``Watch`` are ``everywhere``, ``in`` the context's namespace, ``no``, or ``?`` where it is not known.

    Args:
        cluster: One or several of the manager's clusters; None is all of them.
        match: Only kinds that have this in a name, a short name, the kind or the group; ``*`` and ``?`` are wildcards.

    Returns:
        A table with ``.rows``, ``.columns``, ``.notes``, ``.text`` and ``.df()``; kinds that clusters serve alike are
        one row, and ``Clusters`` says which they are.

    Raises:
        UnknownContext: There is no such cluster.
        MuxError: No cluster answered; the most telling of their errors.
    """
    return blocking(calls.kinds(cluster, match))


def doctor(cluster: str | Sequence[str] | None = None, *, kubeconfig: Paths = None) -> Report:
    """Examine what is here: versions, Jupyter's pieces, the gateway, the kubeconfig, and the way to each cluster.

    Of each context it looks at the entry, the server's name, a connection, TLS, the login, the version and whether
    you may list pods. Each step has a time limit of some seconds, and contexts are looked at side by side; it shows
    what it is at. It asks the clusters (exec plugins are run for it), changes nothing there, and works where the
    gateway cannot be started. Of more than 16 contexts only the current one is asked, unless they are named.

    The result can be pasted into a bug report: no secret and no value of a variable is in it, the home folder is
    ``~``, and names of users, of this machine and of the clusters' servers, hosts, addresses and account numbers are
    replaced. Names of contexts and namespaces are kept, as far as none of these is a part of them. Waits.

    Args:
        cluster: Contexts to look at, or clusters that are connected, by name; None is all contexts, or the current one
            if they are many.
        kubeconfig: As for `connect`.

    Returns:
        A report, which is a table too: ``.ok``, ``.rows``, ``.text``, ``.df()``.
    """
    return blocking(calls.doctor(cluster, kubeconfig))


def kubeconfig() -> str:
    """The path of a kubeconfig for kubectl, helm, k9s and the like: to the manager's clusters, through the gateway.

    It has a context for each cluster, by the name that it has here, and a token of the gateway's own: no credential of
    a cluster is in it. The gateway asks with those, and lets changes pass where the manager has ``write``. The file is
    private to this user, keeps its path, and ends with the manager. Waits.

    ::

        !kubectl --kubeconfig {nm.kubeconfig()} get pods
        %kubectl get pods        # which needs none of this

    Raises:
        InvalidArgument: By way of a Headlamp server, or of a gateway behind a proxy.
        MuxError: There is nothing to connect to, or no gateway.
    """
    return blocking(calls.kubeconfig())


def close() -> None:
    """Close the manager connected last, its streams, tables and terminals, and the socket if no other one uses it."""
    blocking(calls.close())


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from a cell or a script that cannot ``await``.

    Inside a running loop, a notebook's, this nests into it by nest_asyncio: the loop's other tasks go on meanwhile.

    Raises:
        WrongThread: The running loop cannot be nested into (uvloop), or this thread must not wait.
        InvalidArgument: It is no coroutine.
    """
    if not asyncio.iscoroutine(coroutine):
        raise InvalidArgument(
            f"{coroutine!r} is no coroutine", todo="call the function: nm.run(main()), not nm.run(main)"
        )
    try:
        refuse_here()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(coroutine)
        _nest(loop)
    except WrongThread:
        coroutine.close()
        raise
    return loop.run_until_complete(coroutine)


def _nest(loop: asyncio.AbstractEventLoop) -> None:
    import nest_asyncio

    try:
        nest_asyncio.apply(loop)
    except (ValueError, RuntimeError) as error:
        kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
        raise WrongThread(
            f"the running event loop ({kind}) cannot be nested into",
            said=str(error),
            todo="write `await` before the coroutine instead of nm.run(...)",
        ) from None
