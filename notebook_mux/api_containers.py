"""Those of the module's functions that go into containers; see `api`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from notebook_mux.handles import calls
from notebook_mux.handles.log_targets import Since
from notebook_mux.handles.patterns import Regex
from notebook_mux.handles.programs import Command, Completed, Input
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.waiting import blocking

if TYPE_CHECKING:
    from notebook_mux.handles.forward import Forward
    from notebook_mux.handles.logs import Logs
    from notebook_mux.widgets.terminal import Terminal


@overload
def exec(  # noqa: A001 - the contract's word
    target: Any,
    command: Command,
    *,
    container: str | None = None,
    stdin: Input = None,
    text: Literal[False] = False,
    check: bool = False,
    timeout: float | None = 30.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Completed[bytes]: ...
@overload
def exec(  # noqa: A001 - the contract's word
    target: Any,
    command: Command,
    *,
    container: str | None = None,
    stdin: Input = None,
    text: Literal[True],
    check: bool = False,
    timeout: float | None = 30.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Completed[str]: ...
@overload
def exec(  # noqa: A001 - the contract's word
    target: Any,
    command: Command,
    *,
    container: str | None = None,
    stdin: Input = None,
    text: bool,
    check: bool = False,
    timeout: float | None = 30.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Completed[bytes] | Completed[str]: ...
def exec(  # noqa: A001 - the contract's word
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
) -> Completed[bytes] | Completed[str]:
    """Run a program in a container and wait for its end; needs ``write`` on that cluster.

    A program is never started twice. After a lost connection it is joined again, and its output is whole; where nobody
    can tell what became of it, `OutcomeUnknown` says so. At the time limit, and when the cell is interrupted, the
    connection to the program is closed, which ends it where the container's runtime does that. Waits.

    Args:
        target: ``"web-0"``, ``"pod/web-0"``, ``"deploy/web"``, ``"svc/web"``, ``"app=web"``, a dict of labels, an
            object, or a row of pods. Of several pods a ready one is taken; the result says which.
        command: The program and its arguments; a text is split as a shell splits it, and no shell runs it.
        container: Of the pod, init and ephemeral ones included; None is the pod's default.
        stdin: What it reads, to its end; None is nothing. Needs Kubernetes 1.30 or later.
        text: Whether stdout and stderr are text (UTF-8) and not bytes.
        check: Whether another exit code than 0 is an error.
        timeout: Seconds for the program; None is no limit.
        namespace: None is the context's own.
        cluster: One or several of the manager's clusters to look in; None is all of them.

    Returns:
        The program's ``args``, ``stdout``, ``stderr``, ``returncode`` and ``pod``.

    Raises:
        WriteRefused: The cluster is connected to look only.
        Forbidden: You may not run programs there; it names the missing right.
        NotFound: There is no such target, no ready pod of it, or no such command in the container.
        Ambiguous: There are two of that name, in two namespaces or clusters.
        InvalidArgument: There is no such container, or what was asked cannot be asked.
        TimedOut: It did not end in time; its ``stdout`` and ``stderr`` are what had come by then.
        ProgramFailed: `check`, and its exit code is not 0.
        OutcomeUnknown: It may have run; nobody can tell.
    """
    found: Completed[bytes] | Completed[str] = blocking(
        calls.exec_(target, command, container, stdin, text, check, timeout, namespace, cluster)
    )
    return found


def shell(
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
    """A terminal in a container; the same arguments give the same terminal, with its program and its screen.

    The gateway keeps it: a cell that is run again, a reload of the page or of the modules, a second view and a restart
    of the kernel all find the same process. It ends by its program's own end, by ``close()`` of it or `close`, or when
    for ten minutes neither a kernel nor a page was there. What does not survive is said: the end of the gateway or of
    the API server's stream makes its state ``lost``, and nothing is started anew unless asked for. A terminal of a
    workload stays in the pod that was picked, also when that has gone; after ``close()`` a pod is picked anew. Needs
    ``write`` on that cluster. Waits until the program runs.

    What it shows is not saved with the notebook, and nothing runs when a saved notebook is opened. Where there are no
    widgets, as in IPython in a terminal, it says how it stands; use `exec` for a program's output there.

    Args:
        target: ``"web-0"``, ``"pod/web-0"``, ``"deploy/web"``, ``"svc/web"``, ``"app=web"``, a dict of labels, an
            object, or a row of pods. Of several pods a ready one is taken; its name is shown. ``"node/n1"`` is a shell
            on a node, in a pod made for it (the node's files are under ``/host``), which is deleted with the terminal.
        command: The program and its arguments; a text is split as a shell splits it. None is a shell: bash, sh,
            powershell or cmd, the first that is there, those of the pod's operating system before the others.
        container: Of the pod, init and ephemeral ones included; None is the pod's default. With `image`: whose
            processes it sees.
        image: Of a debug container beside the others, for pods without a shell; it stays in the pod's list when it has
            ended. On a node: the image of the pod that is made.
        attach: Show the container's own program instead of starting one, with the terminal and the input that its
            spec gives it; without ``stdin: true`` there, it can only be looked at.
        name: To have another terminal of the same target.
        namespace: None is the context's own.
        cluster: One or several of the manager's clusters to look in; None is all of them.

    Returns:
        A widget, with ``state``, ``returncode``, ``pod``, ``container``, ``cluster``, ``words``, ``again()``,
        ``record(path)`` and ``close()``; ``session.others`` are terminals that an earlier kernel of this notebook has
        left, for ``session.take()``.

    Raises:
        WriteRefused: The cluster is connected to look only.
        Forbidden: You may not run programs there; it names the missing right.
        NotFound: There is no such target, no ready pod of it, or no shell or such command in the container.
        Ambiguous: There are two of that name, in two namespaces or clusters.
        InvalidArgument: There is no such container, the pod has ended, or what was asked cannot be asked.
        ServerError: The program could not be started; with the server's words.
    """
    return blocking(calls.shell(target, command, container, image, attach, name, namespace, cluster))


def port_forward(target: Any, port: int | str, *, namespace: Names = None, cluster: Names = None) -> Forward:
    """Forward a pod's port to a port of this machine; needs ``write`` on that cluster.

    The same target and port give the same forward, on the same port, also after a lost network and (not through a
    Headlamp server) a restart of the kernel.
    Each connection to it is one of its own to the pod. It listens on 127.0.0.1 only, where whatever runs on this
    machine can connect. TCP only; the protocol has no half close: the pod is not told that a client sends no more.
    Waits.

    ::

        with nm.port_forward("svc/web", 80) as web:
            print(urllib.request.urlopen(web.url).read())

    Args:
        target: As for `exec`. Of a service or workload a ready pod is taken, and another one once that has gone.
        port: The service's port for a service, else the pod's: a number, or its name.
        namespace: None is the context's own.
        cluster: One or several of the manager's clusters to look in; None is all of them.

    Returns:
        A forward: ``.url``, ``.host``, ``.port``, ``.pod``, ``.state``, ``.connections``, ``.bytes``, ``.error``,
        ``.close()``. It is a context manager, and a notebook shows it as a widget.

    Raises:
        WriteRefused: The cluster is connected to look only.
        Forbidden: You may not forward ports there; it names the missing right.
        NotFound: There is no such target, or no ready pod of it.
        Ambiguous: There are two of that name, in two namespaces or clusters.
        InvalidArgument: There is no such port, it is no TCP port, or the gateway is on another machine.
    """
    return blocking(calls.port_forward(target, port, namespace, cluster))


def logs(
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
    """Follow the logs of containers, merged by their time; the same arguments give the same logs, with their lines.

    Nothing is lost and nothing comes twice, through lost connections, restarts of containers and ends of the gateway;
    what cannot be had any more, because the node has thrown it away, is said with the time it is missing for. Pods that
    come later join, those that end stay. It returns when each container has sent its first lines or said why not, after
    ten seconds at most; what is not there yet comes by itself. At most 200,000 lines and 64 MiB are kept, the newest.

    ::

        logs = nm.logs("deploy/web", since="10m")
        logs.wait("listening on")
        logs.df(fields=True)
        async for line in logs: ...

    Args:
        target: ``"web-0"``, ``"pod/web-0"``, ``"deploy/web"``, ``"svc/web"`` or another kind that selects pods, an
            object, a row of pods or of a table's ``selected``; ``"app=web"`` or a dict of labels; a compiled regular
            expression, which is searched for in pods' names; or None with `selector`.
        selector: Labels, as text or dict: of the pods, where the target is None or a regular expression.
        container: A name, or a regular expression for whole names; a compiled one is searched for in them. Init and
            ephemeral containers are meant too. None is all containers but those, as kubectl's ``--all-containers``.
        since: Lines from then on: seconds ago, a timedelta, a datetime (local where it has no time zone), a text such
            as ``"10m"``, ``"2h30m"``, ``"1d"``, or an RFC 3339 time; the server takes whole seconds. None is from the
            beginning. It counts from the first of the calls that are the same.
        tail: Lines of each container to begin with; None is all: with `since` too no more than these are read.
        previous: The log of the container before its last restart. Nothing follows it.
        follow: Whether to go on with what comes.
        include: Only lines in which this regular expression, a text or a compiled one, is found. Of a line its first
            16 KiB are looked at; less, with a mark that says so, where the expression takes too long.
        exclude: No lines in which this one is found.
        max_pods: How many pods are read at most; ``left_out`` names the others.
        namespace: None is the context's own; a name, several, or ``"*"`` for all.
        cluster: One or several of the manager's clusters; None is all of them.

    Returns:
        Logs: ``.lines``, ``.df(fields=True)``, ``async for``, ``.follow()``, ``.wait("regex")``, ``.sources``,
        ``.state``, ``.dropped``, ``.text()``, ``.save(path)``, ``.close()``. A notebook shows them as a widget; its
        copy, texts and files have ``<masked>`` for what looks like a secret, unless ``.masked`` is set to False.

    Raises:
        NotFound: There is nothing of that name; with near names. Without following, there is no such pod.
        InvalidArgument: What was asked cannot be asked; there is no such container, with the names there are; a
            regular expression is none, with the place.
        Ambiguous: There are several workloads of that name.
        Forbidden: You may not list these pods.
        MuxError: No cluster can be asked so.
    """
    chosen = (selector, container, since, tail, previous, follow, include, exclude, max_pods)
    return blocking(calls.logs(target, *chosen, namespace, cluster))
