"""Whose logs are meant: from what a user names to the core's question of them, checked and put into its words."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from notebook_mux import errors
from notebook_mux.handles.entries import Described
from notebook_mux.handles.fetching import EVERYWHERE, fetch_list, fetch_one
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.objects import Object
from notebook_mux.handles.patterns import Regex, text_of, whole
from notebook_mux.handles.questions import Names, checked_namespaces, chosen_contexts
from notebook_mux.handles.selectors import Selector, label_selector
from notebook_mux.handles.server import Server
from notebook_mux.handles.targets import Named, containers_of, named, selector_of
from notebook_mux.handles.telling import most_telling, parted
from notebook_mux.handles.waiting import gather

Since = int | float | timedelta | datetime | str | None

HOW = (
    "write 'web-0', 'pod/web-0', 'deploy/web', 'svc/web' or 'app=web', give an object or a row of pods, "
    "re.compile('web-.*'), or None with selector="
)

UNITS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])")

AHEAD_SECONDS = 60.0
"""How far `since` may lie ahead of this machine's clock: clocks differ."""

SINCE = "give seconds, a timedelta, a datetime, a text such as '10m', '2h30m' or '1d', or '2026-01-31T12:00:00Z'"

SHOWN_PODS = 3
"""Pods whose containers an error names."""

ALL = -1
"""The core's word for a `tail` without an end."""


class Asked(NamedTuple):
    """What was asked for, checked; nothing was looked up yet.

    Attributes:
        named: A kind and a name; None where there is only a pattern or a selector.
        pattern: A regular expression for pods' names; "" for none.
        selector: Of labels; "" for none.
        container: A regular expression for containers' names; "" for a pod's own containers.
        container_words: As it was given.
        since: RFC 3339, whole seconds; "" for the beginning.
        since_words: As it was given: what makes two the same.
        tail: Lines of each container; -1 for all.
        namespaces: As the core takes them.
    """

    contexts: tuple[Context, ...]
    named: Named | None
    pattern: str
    selector: str
    container: str
    container_words: str
    since: str
    since_words: str
    tail: int
    previous: bool
    follow: bool
    include: str
    exclude: str
    max_pods: int
    namespaces: tuple[str, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """Two with the same key ask the same."""
        what = self.named._replace(namespace=None, cluster=None) if self.named is not None else None
        return tuple(self._replace(since="", named=what))


class Wanted(NamedTuple):
    """Whose logs were found to be meant.

    Attributes:
        spec: The core's `LogSpec`, as a tuple.
        key: Two with the same key are the same logs.
        title: In words.
        follow: Whether what comes later is wanted.
        asked: What it was found for.
    """

    spec: tuple[Any, ...]
    key: tuple[Any, ...]
    title: str
    follow: bool
    asked: Asked


def asked(
    identity: Identity,
    target: Any,
    selector: Selector,
    container: Regex,
    since: Since,
    tail: int | None,
    previous: bool,
    follow: bool,
    include: Regex,
    exclude: Regex,
    max_pods: int,
    namespace: Names,
    cluster: Names,
) -> Asked:
    """What was asked for, checked. See `api.logs`.

    Raises:
        InvalidArgument: It cannot be asked for, and why.
        UnknownContext: There is no such cluster.
    """
    labels = label_selector(selector)
    pattern = text_of(target, "the target") if isinstance(target, re.Pattern) else ""
    what: Named | None = None
    if target is None:
        if not labels:
            raise errors.InvalidArgument("nothing says whose logs are meant", todo=HOW)
    elif not pattern:
        if isinstance(target, re.Pattern):
            pattern = ".*"  # an empty expression is found in each name
        else:
            what, labels = _named(target, labels, namespace, cluster)
            namespace, cluster = (what or Named("", "", namespace, cluster))[2:]
            what = what if what is not None and what.kind else None
    at, words = _since(since)
    return Asked(
        tuple(chosen_contexts(identity, cluster)),
        what,
        pattern,
        labels,
        _container(container),
        container if isinstance(container, str) else getattr(container, "pattern", ""),
        at,
        words,
        _tail(tail),
        bool(previous),
        bool(follow) and not previous,  # what has ended does not go on
        text_of(include, "include="),
        text_of(exclude, "exclude="),
        _max_pods(max_pods),
        checked_namespaces(namespace),
    )


def _named(target: Any, labels: str, namespace: Names, cluster: Names) -> tuple[Named, str]:
    """A target taken apart; of a selector the labels, and a name without a kind."""
    try:
        found = _selected(target, namespace, cluster) or named(target, namespace, cluster)
    except errors.BadSelector:
        raise
    except errors.InvalidArgument as error:
        what = error.what.replace("that a program could run in", "that has logs")
        raise errors.InvalidArgument(what, todo=error.todo if "row" in what else HOW) from None
    if found.is_node:
        raise errors.InvalidArgument(
            f"{found.words} is a node, which has no logs that can be asked for",
            todo="its pods have: nm.get('pods', namespace='*', field_selector='spec.nodeName=...')",
        )
    if labels and found.kind:
        raise errors.InvalidArgument(
            f"{found.words} and selector= exclude each other", todo="leave one of them out, or give None for the target"
        )
    if found.kind:
        return found, ""
    return found, ",".join(filter(None, (found.name, labels)))


def _selected(target: Any, namespace: Names, cluster: Names) -> Named | None:
    """A row that a table's ``selected`` has, which says itself where it is; None for anything else."""
    if not isinstance(target, tuple):
        return None
    kind, name, where, which = (getattr(target, field, "") for field in ("kind", "name", "namespace", "cluster"))
    return Named(kind, name, where or namespace, which or cluster) if kind and name else None


def _container(container: Any) -> str:
    if container is not None and not (isinstance(container, str | re.Pattern) and container != ""):
        raise errors.InvalidArgument(
            f"container={container!r} is no container's name", todo="give a name, a pattern such as 'init-.*', or None"
        )
    return whole(container, "container=")


def _tail(tail: Any) -> int:
    if tail is None:
        return ALL
    if isinstance(tail, bool) or not isinstance(tail, int) or tail < 0:
        raise errors.InvalidArgument(
            f"tail={tail!r} is no number of lines", todo="give 0 or more, or None for all that there are"
        )
    return tail


def _max_pods(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise errors.InvalidArgument(f"max_pods={number!r} is no number of pods", todo="give 1 or more")
    return number


# --- since ----------------------------------------------------------------------------------------------------------


def _since(since: Any) -> tuple[str, str]:
    """A moment in whole seconds, as the API server cuts it, and the words that make two the same; "" for none.

    Raises:
        InvalidArgument: It is no moment, or one to come.
    """
    if since is None:
        return "", ""
    now = time.time()
    try:
        moment, words = _moment(since, now)
    except (TypeError, ValueError, OverflowError, OSError):  # the latter: farther away than the machine's clock goes
        moment, words = -1.0, ""
    if not _possible(moment):
        raise errors.InvalidArgument(f"since={since!r} is no time", todo=SINCE)
    if moment > now + AHEAD_SECONDS:
        raise errors.InvalidArgument(f"since={since!r} is still to come", todo="give a time that has been")
    return _stamp(moment), words


def _moment(since: Any, now: float) -> tuple[float, str]:
    """Unix seconds, and the words that make two the same; see `_since`.

    Raises:
        TypeError: Of such a type there are no times.
        ValueError, OverflowError, OSError: It is no time.
    """
    if isinstance(since, str):
        return _of_text(since.strip(), now), since.strip()
    if isinstance(since, datetime):
        moment = since.timestamp()  # one without a time zone is local, as everywhere in Python
        return moment, _stamp(moment) if _possible(moment) else ""
    if isinstance(since, timedelta):
        return now - since.total_seconds(), f"{since.total_seconds():g}s"
    if isinstance(since, int | float) and not isinstance(since, bool):
        return now - since, f"{since:g}s"
    raise TypeError


def _of_text(text: str, now: float) -> float:
    if _DURATION.fullmatch(text):
        return now - sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text))
    return datetime.fromisoformat(text).timestamp()


def _possible(moment: float) -> bool:
    """Whether RFC 3339 can say it; false of what is no number, too."""
    return 0 <= moment < 253_402_300_800  # the year 10000


def _stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(int(moment), UTC):%Y-%m-%dT%H:%M:%SZ}"


# --- looking it up --------------------------------------------------------------------------------------------------


async def wanted(identity: Identity, question: Asked) -> Wanted:
    """Whose logs are meant, looked up where a name says it. A coroutine of `waiting`'s kind.

    Raises:
        NotFound: There is nothing of that name in any cluster; with near names.
        InvalidArgument: It has no pods, or the pod has no such container.
        Ambiguous: There are several workloads of that name.
        MuxError: A cluster failed and no other has it.
    """
    contexts, selector, namespaces = question.contexts, question.selector, question.namespaces
    pods: tuple[str, ...] = ()
    what = _pods_words(question)
    if question.named is not None:
        found = await _owners(identity, question)
        contexts = tuple(context for context, _ in found)
        objects = [one for _, owner in found for one in owner]
        namespaces = _namespaces(question, found)
        if question.named.is_pod or all(one.kind == "Pod" for one in objects):
            pods = (question.named.name,)
            what = f"pod {question.named.name}"
            if objects:
                _check_containers(question, objects)
        else:
            selector = _selector(question.named, objects)
            what = f"{objects[0].kind.lower()} {objects[0].name}"
    clusters = tuple((context.alias, context.ref, context.namespace) for context in contexts)
    core = (pods, question.pattern, selector, question.container)
    rest = (question.tail, question.previous, question.follow, question.include, question.exclude, question.max_pods)
    spec = (identity.connection, clusters, namespaces, *core, question.since, *rest, identity.user)
    key = (clusters, namespaces, *core, question.since_words, *rest, identity.user)
    return Wanted(spec, key, _title(identity, question, contexts, namespaces, what), question.follow, question)


def _pods_words(question: Asked) -> str:
    parts = [f"like {question.pattern}"] if question.pattern else []
    parts += [f"with {question.selector}"] if question.selector else []
    return f"pods {' and '.join(parts)}"


def _title(
    identity: Identity, question: Asked, contexts: tuple[Context, ...], namespaces: tuple[str, ...], what: str
) -> str:
    """What they are of, with the places where there could be others."""
    where = namespaces or tuple(dict.fromkeys(context.namespace for context in contexts))
    title = f"{what} in {'all namespaces' if where == EVERYWHERE else ', '.join(where)}"
    if len(identity.contexts) > 1:
        title += f" of {', '.join(context.alias for context in contexts)}"
    if question.container:
        title += f", container {question.container_words}"
    return f"{title}, previous" if question.previous else title


Found = list[tuple[Context, list[Object]]]
"""What each cluster has of a name: one or, of a pod in several namespaces, none that was read; see `_owners`."""


async def _owners(identity: Identity, question: Asked) -> Found:
    """What is named, in each cluster that has it; and the clusters that cannot say, for they may yet."""
    target = question.named
    assert target is not None
    asking = [
        fetch_one([Server(identity, context)], target.kind, target.name, question.namespaces)
        for context in question.contexts
    ]
    results = await gather(asking)
    found: Found = []
    for context, result in zip(question.contexts, results, strict=True):
        if isinstance(result, errors.Ambiguous) and target.is_pod:
            found.append((context, []))  # to look at, all of them are good
        elif not isinstance(result, Exception):
            found.append((context, [result]))
    if found:
        away: Found = [
            (context, [])
            for context, result in zip(question.contexts, results, strict=True)
            if isinstance(result, errors.Unreachable) and target.is_pod
        ]
        return [*found, *away]
    _, failed = parted((context.alias for context in question.contexts), results)
    others = [(cluster, error) for cluster, error in failed if type(error) is not errors.NotFound]
    raise most_telling(others) if others else failed[0][1]


def _namespaces(question: Asked, found: Found) -> tuple[str, ...]:
    """Where the pods are of what was found."""
    places = [(context, one.namespace) for context, objects in found for one in objects]
    if len(places) == len(found) and len({place for _, place in places}) == 1:
        return (places[0][1],)
    if len(places) < len(found) or all(place == context.namespace for context, place in places):
        return question.namespaces
    return tuple(sorted({place for _, place in places}))


def _selector(target: Named, owners: list[Object]) -> str:
    selectors = {selector_of(owner): owner for owner in owners}
    if "" in selectors:
        owner = selectors[""]
        raise errors.InvalidArgument(
            f"{target.words} selects no pods, so it has no logs",
            cluster=owner.cluster,
            todo=f"name what has pods, or give a pattern for their names: re.compile('^{re.escape(owner.name)}-')",
        )
    if len(selectors) > 1:
        raise errors.Ambiguous(
            f"{target.words} selects pods by other labels in each of {', '.join(one.cluster for one in owners)}",
            todo="give cluster=",
        )
    return next(iter(selectors))


# --- containers -----------------------------------------------------------------------------------------------------


async def no_such_container(identity: Identity, found: Wanted) -> None:
    """Refuse if there are pods and none has such a container. A coroutine of `waiting`'s kind.

    Raises:
        InvalidArgument: With the names there are.
    """
    question = found.asked
    if not question.container:
        return
    _, _, namespaces, _, pattern, selector, *_ = found.spec
    servers = [Server(identity, context) for context in question.contexts]
    try:
        listed = await fetch_list(servers, "pods", namespaces, selector, "", Described("pods", "", ""))
    except errors.MuxError:
        return  # then the state has to say it
    names = re.compile(pattern)
    _check_containers(question, [pod for pod in listed.objects if names.search(pod.name)])


def _check_containers(question: Asked, pods: list[Object]) -> None:
    if not question.container or not pods:
        return
    pattern = re.compile(question.container)
    there: dict[str, None] = {}
    for pod in pods:
        for name, kind in containers_of(pod):
            if pattern.search(name):
                return
            there[name if kind == "container" else f"{name} ({kind})"] = None
    where = ", ".join(f"{pod.namespace}/{pod.name}" for pod in pods[:SHOWN_PODS])
    more = f" and {len(pods) - SHOWN_PODS} more" if len(pods) > SHOWN_PODS else ""
    raise errors.InvalidArgument(
        f"there is no container {question.container_words!r} in pod{'s' if len(pods) > 1 else ''} {where}{more}",
        cluster=pods[0].cluster,
        todo=f"one of: {', '.join(there)}" if there else None,
    )
