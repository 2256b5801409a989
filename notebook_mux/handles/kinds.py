"""What can be watched in a manager's clusters, as a table: discovery, and what we may do with each kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import msgspec

from notebook_mux import errors
from notebook_mux.handles.crossing import answered
from notebook_mux.handles.identity import Context, Identity
from notebook_mux.handles.manager import Manager
from notebook_mux.handles.questions import Names, chosen_contexts
from notebook_mux.handles.refusals import OK
from notebook_mux.handles.reviews import ANY, Reviewer, Rules, side_by_side
from notebook_mux.handles.telling import most_telling, parted
from notebook_mux.handles.waiting import deadline_in, gather
from notebook_mux.kernel import holder
from notebook_mux.printing.listing import Listing
from notebook_mux.wire import UNREADABLE

COLUMNS = ("Name", "Short", "API", "Kind", "Namespaced", "List", "Watch", "Type", "Verbs", "Clusters")

MAX_REVIEWS = 200
"""Access reviews for one cluster: twice a plain cluster's kinds that can be watched."""

REVIEWS_SECONDS = 20.0
"""For all of them; what is not known then is a question mark."""

DISCOVERY_SECONDS = 30.0

READING = ("list", "watch")
EVERYWHERE, NOWHERE, UNKNOWN = "everywhere", "no", "?"

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAMES_ONLY = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

BUILT_IN = frozenset(
    ["", "apps", "batch", "autoscaling", "policy", "extensions"]
    + [
        f"{name}.k8s.io"
        for name in (
            *("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization"),
            *("certificates", "coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver"),
            *("networking", "node", "rbac.authorization", "resource", "scheduling", "storage", "storagemigration"),
        )
    ]
)
"""The groups that an API server serves itself (kubernetes v1.37, ``pkg/controlplane`` and its extension servers)."""

Resource = Mapping[str, Any]


class Found(NamedTuple):
    """One kind as one cluster serves it: what the row says of it, and what we may."""

    row: dict[str, Any]
    may: dict[str, str]


async def kinds(manager: Manager, cluster: Names, match: str | None) -> Listing:
    """See `api.kinds`."""
    if match is not None and (not isinstance(match, str) or not match.strip()):
        raise errors.InvalidArgument(f"match={match!r} names nothing", todo="give a part of a name, such as 'pod'")
    manager._check()
    identity = manager._identity
    contexts = chosen_contexts(identity, cluster)
    results = await gather([_of_cluster(identity, context, match) for context in contexts])
    came, failed = parted((context.alias for context in contexts), results)
    if not came:
        raise most_telling(failed)
    rows = _merged(dict(came))
    notes = [f"{name} did not answer: {error.what}." for name, error in failed]
    if any(UNKNOWN in (row["List"], row["Watch"]) for row in rows):
        notes.append(
            "? is not known: the cluster did not say, or there were too many kinds to ask; narrow it by match=."
        )
    if match is not None and not rows:
        notes.append(f"No kind that can be watched has {match!r} in its name; nm.kinds() has all.")
    where = ", ".join(name for name, _ in came)
    return Listing(f"kinds of {where}", COLUMNS if len(contexts) > 1 else COLUMNS[:-1], rows, notes)


async def _of_cluster(identity: Identity, context: Context, match: str | None) -> dict[tuple[str, str], Found]:
    """The kinds by group and name, in the server's order, each in its preferred version."""
    deadline, what = deadline_in(DISCOVERY_SECONDS), f"asking {context.alias} what it serves"
    served: list[Resource] = await answered(
        holder.core().discover, identity.connection, context.ref, True, deadline=deadline, what=what
    )
    chosen: dict[tuple[str, str], Resource] = {}
    for one in served:
        if any(verb in one["verbs"] for verb in READING) and (match is None or _matches(one, match)):
            chosen.setdefault((one["group"], one["name"]), one)
    reviewer = Reviewer(identity, context, budget=MAX_REVIEWS, seconds=REVIEWS_SECONDS)
    custom, allowed = await gather([_custom(identity, context), permissions(reviewer, context, chosen.values())])
    if isinstance(allowed, Exception):
        raise allowed
    names = custom if isinstance(custom, frozenset) else None
    assert isinstance(allowed, dict)
    return {key: Found(_row(one, names), allowed[key]) for key, one in chosen.items()}


async def permissions(
    reviewer: Reviewer, context: Context, resources: Iterable[Resource]
) -> dict[tuple[str, str], dict[str, str]]:
    """For each kind and each of `READING` where it is allowed: ``everywhere``, ``in NAMESPACE``, ``no`` or ``?``."""
    kinds_ = list(resources)
    here = context.namespace
    rules = await reviewer.rules(here)
    asked = [(one, verb) for one in kinds_ for verb in READING if verb in one["verbs"]]
    # More kinds than may be asked for one by one: who may everything need not be asked each.
    all_ = len(asked) > reviewer.left and await reviewer.may(ANY, ANY, ANY, None) is True

    async def one(pair: tuple[Resource, str]) -> str:
        return EVERYWHERE if all_ else await _where(reviewer, rules, pair[0], pair[1], here)

    found: dict[tuple[str, str], dict[str, str]] = {(kind["group"], kind["name"]): {} for kind in kinds_}
    for (kind, verb), where in await side_by_side(asked, one):
        found[kind["group"], kind["name"]][verb] = where
    return found


async def _where(reviewer: Reviewer, rules: Rules, kind: Resource, verb: str, here: str) -> str:
    group, name = kind["group"], kind["name"]
    granted = rules.grant(verb, group, name)
    if not granted and rules.complete:
        return NOWHERE  # what is bound in the whole cluster is in the rules of each namespace
    everywhere = await reviewer.may(verb, group, name, None)
    if everywhere:
        return EVERYWHERE
    if not kind["namespaced"]:
        return UNKNOWN if everywhere is None else NOWHERE
    if granted:
        return f"in {here}"
    in_one = await reviewer.may(verb, group, name, here)
    if in_one is None:
        return UNKNOWN
    return f"in {here}" if in_one else NOWHERE


async def _custom(identity: Identity, context: Context) -> frozenset[str] | None:
    """The names of the cluster's CustomResourceDefinitions; None where they cannot be listed."""
    try:
        status, _, body = await answered(
            holder.core().http,
            identity.connection,
            context.ref,
            "GET",
            CRDS,
            "includeObject=None",
            headers={"Accept": NAMES_ONLY},
            user=identity.user,
            timeout=DISCOVERY_SECONDS,
            what=f"asking {context.alias} for its own kinds",
        )
        content = msgspec.json.decode(body, type=dict[str, Any]) if status in OK else None
    except (errors.MuxError, *UNREADABLE):
        return None
    if content is None:
        return None
    try:
        if "items" in content:  # a server that prints no tables
            return frozenset(item["metadata"]["name"] for item in content["items"] or ())
        return frozenset(str(row["cells"][0]) for row in content.get("rows") or ())
    except (KeyError, IndexError, TypeError):
        return None


def _row(one: Resource, custom: frozenset[str] | None) -> dict[str, Any]:
    group, version = one["group"], one["version"]
    return {
        "Name": one["name"],
        "Short": list(one["short_names"]),
        "API": f"{group}/{version}" if group else version,
        "Kind": one["kind"],
        "Namespaced": one["namespaced"],
        "Type": _type(group, one["name"], custom),
        "Verbs": list(one["verbs"]),
    }


def _type(group: str, name: str, custom: frozenset[str] | None) -> str:
    if group in BUILT_IN:
        return "built in"
    if custom is None:
        return "custom?"
    return "custom" if f"{name}.{group}" in custom else "aggregated"


def _merged(clusters: Mapping[str, Mapping[tuple[str, str], Found]]) -> list[dict[str, Any]]:
    """One row for what several clusters serve alike; permissions that differ are said by cluster."""
    alike: dict[tuple[Any, ...], tuple[dict[str, Any], dict[str, dict[str, str]]]] = {}
    for cluster, found in clusters.items():
        for one in found.values():
            key = tuple(str(value) for value in one.row.values())
            alike.setdefault(key, (one.row, {}))[1][cluster] = one.may
    rows = []
    for row, by_cluster in alike.values():
        where = list(by_cluster)
        rows.append(
            {
                **row,
                "List": _said("list", by_cluster),
                "Watch": _said("watch", by_cluster),
                "Clusters": ["all"] if len(where) == len(clusters) else where,
            }
        )
    return rows


def _said(verb: str, by_cluster: Mapping[str, Mapping[str, str]]) -> str | None:
    words = {cluster: may.get(verb) for cluster, may in by_cluster.items()}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(f"{cluster}: {said or 'not served'}" for cluster, said in words.items())


def _matches(one: Resource, match: str) -> bool:
    wanted = match.strip().lower()
    words: Sequence[str] = [one["name"], one["singular"], one["kind"], one["group"], *one["short_names"]]
    if ANY in wanted or "?" in wanted:
        return any(fnmatchcase(word.lower(), wanted) for word in words)
    return any(wanted in word.lower() for word in words)
