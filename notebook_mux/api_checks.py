"""Those of the module's functions that check something: a cluster, and this toolkit itself; see `api`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from notebook_mux.handles import calls
from notebook_mux.handles.questions import Names
from notebook_mux.handles.selectors import Selector
from notebook_mux.handles.waiting import blocking

if TYPE_CHECKING:
    from notebook_mux.handles.plugs.plug import Plug
    from notebook_mux.printing.check import Check


def expect(
    target: Any = None,
    *,
    ready: int | bool | None = None,
    count: int | None = None,
    exists: bool | None = None,
    image: str | None = None,
    condition: str | None = None,
    field: str | None = None,
    equals: Any = ...,
    endpoints: int | None = None,
    answers: bool | int | str | re.Pattern[str] | None = None,
    port: int | str | None = None,
    path: str = "/",
    can: str | Sequence[str] = (),
    cannot: str | Sequence[str] = (),
    that: Callable[..., Any] | None = None,
    value: Any = ...,
    sha: str | None = None,
    name: str | None = None,
    hints: str | Sequence[str] = (),
    selector: Selector = None,
    timeout: float | None = 60.0,
    namespace: Names = None,
    cluster: Names = None,
) -> Check:
    """Check that something is so, or comes to be so within the time; waits, and shows what it waits for.

    All that one call expects must hold at once. What is watched is waited for by its watch, so it ends at the change
    that makes it true. A target that is not there yet is waited for too.

    ::

        nm.expect("deploy/web", ready=3, image="nginx:1.27")
        nm.expect("pods", selector="app=web", count=3)
        nm.expect("svc/web", endpoints=3, answers="Welcome to nginx")
        nm.expect("sa/reader", can=["list pods"], cannot=["delete pods"])
        nm.expect("node/n1", condition="Ready=Unknown")
        nm.expect("cm/settings", field="data.colour", equals="green")
        nm.expect(value=answer, equals=lambda: len(nm.get("nodes")), name="how many nodes", hints=["nm.get('nodes')"])

    Args:
        target: One object, as for `events` (``"deploy/web"``, an object, a row); all of a kind (``"pods"``, perhaps
            with `selector`), pods by their labels (``"app=web"``); for rights also ``"user/jane"`` and
            ``"group/devs"``. Where several of one name are found, each of them must be as expected.
        ready: How many pods of a workload are ready, of as many as it asks for; of a list, how many of its objects.
            True is all of them (or the one object), False none.
        count: How many objects of a list are there, those that are being deleted not counted.
        exists: Whether it is there; True if nothing else is expected, False waits until it has gone.
        image: An image of one of its containers, rolled out to all its pods where it is a workload.
        condition: A condition of its status, such as ``"Available"`` or ``"Ready=False"``.
        field: A field as JSONPath, such as ``"status.readyReplicas"``; with `equals`, else it must be there.
        equals: The value of `field`, or the right answer for `value`; a function is called to find it, and then it is
            never shown. Numbers, texts (case and blanks do not count), lists, sets and dicts.
        endpoints: How many ready addresses a service has.
        answers: What a service or a pod answers over HTTP, asked by way of the API server: a text in it, a compiled
            pattern, a status such as 200, or True for any that is no failure. The cluster must be writable.
        port: Of `answers`; None where there is but one.
        path: Of `answers`.
        can: What an account (or, without a target, you) may: ``"list pods"``, ``"get pods/log"``,
            ``"delete deployments web"``, ``"list pods in kube-system"`` (``in *``: in all namespaces).
        cannot: What it may not.
        that: A function of the object, or of the list of objects, or of nothing without a target, that returns whether
            it is so; an ``assert`` in it says what is wrong.
        value: An answer, which is compared at once with `equals` or `sha`; ``None`` and ``...`` are no answer yet.
        sha: The right answer's hash, so that the notebook does not give it away: at least 8 digits of the SHA-256 of
            its text in small letters.
        name: What is shown in place of the target.
        hints: Shown one by one, one more at each failure of the same check in this kernel.
        selector: Labels, for a list.
        timeout: Seconds; 0 looks once, None waits for ever.
        namespace: None is the context's own; a name, several, or ``"*"`` for all.
        cluster: One or several of the manager's clusters; None is all of them.

    Returns:
        What was seen, shown as a green line: ``.ok .seen .took .text``; it is true.

    Raises:
        ExpectationFailed: It did not come to be so: what was seen, the warnings that may explain it, and a hint. It is
            an AssertionError too, which is what nbgrader takes for a failed test.
        InvalidArgument: The arguments cannot be meant so.
        UnknownKind: No cluster serves such a kind; with near names.
        MuxError: It cannot be looked at.
    """
    return blocking(
        calls.expect(
            target,
            ready=ready,
            count=count,
            exists=exists,
            image=image,
            condition=condition,
            field=field,
            equals=equals,
            endpoints=endpoints,
            answers=answers,
            port=port,
            path=path,
            can=can,
            cannot=cannot,
            that=that,
            value=value,
            sha=sha,
            name=name,
            hints=hints,
            selector=selector,
            timeout=timeout,
            namespace=namespace,
            cluster=cluster,
        )
    )


def plug(name: str = "plug", *, namespace: str | None = None, cluster: str | None = None) -> Plug:
    """Pull the plug, and see that nothing is lost and nothing comes twice; on the embedded cluster. Waits.

    A pod of the embedded cluster counts ten times a second into its log, and the cluster raises a config map's number
    twice a second. Both come over the notebook's one socket, and each number is accounted for. A notebook shows buttons
    that cut the socket, kill the gateway and restart the kernel, and the account beside them. After a restart, run the
    cell again: the account goes on. The same arguments give the same object.

    ::

        plug = nm.plug()
        plug.cut()
        plug.kill_gateway()
        plug.lost, plug.repeated, plug.longest_gap
        plug.df()

    Args:
        name: Of the pod and the config map, which are made where they are not there.
        namespace: Where; None is the context's own.
        cluster: One of the manager's clusters; None is the first.

    Returns:
        The account, with ``cut()`` and ``kill_gateway()``; ``.lost .repeated .received .longest_gap .cuts .rows``,
        ``.df()`` and ``.text``.

    Raises:
        InvalidArgument: The cluster is not the embedded one.
        WriteRefused: The manager may not write there.
        MuxError: It cannot be read or written.
    """
    return blocking(calls.plug(name, namespace, cluster))
