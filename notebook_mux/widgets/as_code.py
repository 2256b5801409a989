"""A table's view as code: the cell that makes it, and kubectl's command for what kubectl can do of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from notebook_mux.errors import NoCluster
from notebook_mux.handles import origins
from notebook_mux.printing import cells as printing
from notebook_mux.widgets import heads
from notebook_mux.widgets.as_filter import Said, said
from notebook_mux.widgets.columns import label_titles
from notebook_mux.widgets.order import sort_titles

if TYPE_CHECKING:
    from notebook_mux.widgets.table import Table

LINE = 100
"""Characters of a call that stays on one line."""

HEIGHT = 400
"""Pixels of a table whose cell does not say them."""

PATHS = {
    "": {"Name": ".metadata.name", "Namespace": ".metadata.namespace"},
    "pods": {"IP": ".status.podIP", "Node": ".spec.nodeName", "Restarts": ".status.containerStatuses[0].restartCount"},
    "deployments": {"Up-to-date": ".status.updatedReplicas", "Available": ".status.availableReplicas"},
    "replicasets": {"Desired": ".spec.replicas", "Current": ".status.replicas", "Ready": ".status.readyReplicas"},
    "daemonsets": {"Desired": ".status.desiredNumberScheduled", "Ready": ".status.numberReady"},
    "services": {"Type": ".spec.type", "Cluster-IP": ".spec.clusterIP"},
    "nodes": {"Version": ".status.nodeInfo.kubeletVersion"},
    "events": {"Last Seen": ".lastTimestamp", "Type": ".type", "Reason": ".reason", "Message": ".message"},
    "persistentvolumeclaims": {"Status": ".status.phase", "Volume": ".spec.volumeName"},
    "persistentvolumes": {"Status": ".status.phase", "Capacity": ".spec.capacity.storage"},
    "namespaces": {"Status": ".status.phase"},
}
"""Where the server has columns from, for kubectl's ``--sort-by`` and ``custom-columns``; "" is of every kind."""

CREATED = ".metadata.creationTimestamp"


# --- Python -----------------------------------------------------------------------------------------------------------


def python(table: Table, *, sort: str | None = None) -> str:
    """The cell that makes a table's view.

    Args:
        table: Whose.
        sort: By what one view of it is sorted; None is the table's own.
    """
    stream, manager = table.stream, table._manager
    remarks: list[str] = []
    arguments = [*_question(stream, manager), *_settings(table, sort, remarks)]
    lines = ["import notebook_mux as nm", ""]
    lines += _connecting(manager)
    what = _text(stream._source.spec[2]) if manager is not None else "stream"
    lines.append(_call("nm.table", [what, *arguments]))
    return "\n".join([*lines, *(f"# {_line(remark)}" for remark in remarks)])


def _question(stream: Any, manager: Any) -> list[str]:
    if manager is None:
        return []
    _, clusters, _, namespaces, selector, field_selector, _ = stream._source.spec
    names = [alias for alias, *_ in clusters]
    usable = {context.alias for context in manager._identity.contexts if context.ref}
    given = {
        "namespace": _names(namespaces),
        "cluster": "" if set(names) >= usable else _names(names),
        "selector": _text(selector) if selector else "",
        "field_selector": _text(field_selector) if field_selector else "",
    }
    return [f"{name}={value}" for name, value in given.items() if value]


def _settings(table: Table, sort: str | None, remarks: list[str]) -> list[str]:
    columns = _columns(table, remarks)
    sort = table.sort if sort is None else sort
    given = {
        "name": _text(table.name) if table.name else "",
        "columns": columns,
        "labels": f"[{', '.join(map(_text, table.labels))}]" if table.labels else "",
        "wide": "True" if table.wide and not columns else "",
        "usage": "True" if table.usage else "",
        "filter": _text(table.filter) if table.filter else "",
        "faults": "True" if table.faults else "",
        "sort": _text(sort) if sort else "",
        "group": _text(table.group) if table.group else "",
        "height": str(table.height) if table.height != HEIGHT else "",
    }
    return [f"{name}={value}" for name, value in given.items() if value]


def _columns(table: Table, remarks: list[str]) -> str:
    """The columns as they stand, where that is not as the server has them; "" where it is."""
    titles = _asked(table)
    if titles is None:
        return ""
    own = {wish.title: wish for wish in table._wishes or () if wish.own}
    parts = []
    for title in titles:
        wish = own.get(title)
        if wish is not None and wish.function is not None:
            name = getattr(wish.function, "__name__", "")
            by = f", {name}" if name.isidentifier() else ""
            remarks.append(f"the column {title} is made by a function{by}: add it to columns=")
        elif wish is not None and ":" not in title:
            parts.append(_text(f"{title}:{wish.path}"))
        else:
            parts.append(f"({_text(title)}, {_text(wish.path)})" if wish is not None else _text(title))
    return f"[{', '.join(parts)}]"


def _asked(table: Table) -> list[str] | None:
    """The titles that have to be named; None for those that are there by themselves.

    Labels and usage come by settings of their own, as long as nobody arranged their columns.
    """
    view = table.stream._view()
    if table._titles(view) != table._base_titles(view, table._all_columns(view)):
        return table.columns
    return [wish.title for wish in table._wishes] if table._wishes is not None else None


def _connecting(manager: Any) -> list[str]:
    """What connects to the same clusters, where the module's own functions would ask others."""
    if manager is None or manager._is_default:
        return []
    identity = manager._identity
    if identity.demo is not None:
        scenario, seed = identity.demo
        parts = [_text(scenario), *([f"seed={seed}"] if seed else [])]
        parts += [f"clusters={len(identity.contexts)}"] if len(identity.contexts) > 1 else []
        return [_call("nm.demo", parts)]
    if identity.endpoint[0] == "url":
        return ["# of another gateway: nm.connect(url=...) first"]  # its URL has a token in it
    aliases = {context.alias: context.name for context in identity.contexts if context.alias != context.name}
    named = [name for name in identity.names or () if name not in aliases.values()]
    parts = [_text(name) for name in named]
    if aliases:
        parts.append("{" + ", ".join(f"{_text(alias)}: {_text(name)}" for alias, name in aliases.items()) + "}")
    files = _own_files(identity)
    parts += [f"kubeconfig={_names(files)}"] if files else []
    may = sorted(manager._may_write())
    parts += [f"write={'True' if len(may) == len(identity.contexts) else _names(may)}"] if may else []
    return [_call("nm.connect", parts)]


def _own_files(identity: Any) -> list[str]:
    """The kubeconfig files of a manager, where they are not those that kubectl reads by itself."""
    files = list(identity.source.get("kubeconfig") or ())
    try:
        usual = origins.find(None, None).source.get("kubeconfig")
    except NoCluster:
        usual = None
    return [] if files == usual else files


def _call(name: str, arguments: Sequence[str]) -> str:
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= LINE:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in arguments), ")"])


def _names(names: Iterable[str]) -> str:
    """One name as a text, several as a list, none as ""."""
    found = list(names)
    return _text(found[0]) if len(found) == 1 else f"[{', '.join(map(_text, found))}]" if found else ""


def _text(value: str) -> str:
    """A text as Python reads it, in double quotes."""
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in quoted)


# --- kubectl ----------------------------------------------------------------------------------------------------------


def kubectl(table: Table, *, sort: str | None = None) -> str:
    """The commands that print what a table shows, one for each cluster and namespace, and remarks.

    Args:
        table: Whose.
        sort: By what one view of it is sorted; None is the table's own.
    """
    stream, manager = table.stream, table._manager
    if manager is None:
        return "# this stream is of no cluster"
    _, clusters, kind, namespaces, selector, field_selector, _ = stream._source.spec
    view = stream._view()
    resource = next((state.resource for state in view.states.values() if state.resource), None)
    filtered = said(table.filter, [*("Cluster", "Namespace"), *_titles(view)], resource)
    remarks = list(filtered.remarks)
    if table.faults:
        remarks.append("only what is not as it should be")
    if table.group:
        remarks.append(f"grouped by {table.group}")
    words = ["get", _word(kind, resource)]
    labels = ",".join(filter(None, (selector, *filtered.labels)))
    fields = ",".join(filter(None, (field_selector, *filtered.fields)))
    rest = [*(["-l", labels] if labels else []), *(["--field-selector", fields] if fields else [])]
    rest += [
        *_printed(table, view, resource, remarks),
        *_sorted(table.sort if sort is None else sort, resource, remarks),
    ]
    lines = []
    for context, namespace in _places(manager, clusters, namespaces, resource, filtered):
        lines.append(shlex.join(["kubectl", *words, *namespace, *rest, *context]))
    if table.usage and resource is not None and resource["name"] in ("pods", "nodes"):
        for context, namespace in _places(manager, clusters, namespaces, resource, filtered):
            top = shlex.join(["kubectl", "top", resource["name"], *namespace, *context])
            lines.append(f"# CPU and memory: {_line(top)}")
    if not lines:
        lines = ["# the filter leaves none of the clusters and namespaces that are asked"]
    return "\n".join([*lines, *(f"# kubectl cannot: {_line(remark)}" for remark in remarks)])


def _places(
    manager: Any, clusters: Sequence[tuple[str, str, str]], namespaces: Sequence[str], resource: Any, filtered: Said
) -> list[tuple[list[str], list[str]]]:
    """For each command its arguments for the cluster and for the namespace."""
    contexts = {context.alias: context for context in manager._identity.contexts}
    files = _own_files(manager._identity)
    path = [f"--kubeconfig={files[0]}"] if len(files) == 1 else []
    namespaced = resource is None or bool(resource["namespaced"])
    found: list[tuple[list[str], list[str]]] = []
    for alias, _, default in clusters:
        if filtered.clusters is not None and alias.lower() not in filtered.clusters:
            continue
        known = contexts[alias]
        in_pod = not manager._identity.source.get("kubeconfig") and manager._identity.endpoint[0] != "url"
        context = [] if in_pod else ["--context", known.name, *path]
        asked = list(namespaces) or [default]
        if filtered.namespaces is not None:
            asked = (
                list(filtered.namespaces) if asked == ["*"] else [name for name in asked if name in filtered.namespaces]
            )
        if not namespaced:
            found.append((context, []))
        else:
            found += [(context, ["-A"] if name == "*" else ["-n", name]) for name in asked]
    return found


def _word(kind: str, resource: Any) -> str:
    """The kind as kubectl takes it."""
    if resource is None:
        return kind
    if "/" not in kind and "." not in kind:
        return str(resource["name"])
    return ".".join(
        filter(None, (resource["name"], resource["version"] if resource["group"] else "", resource["group"]))
    )


def _titles(view: Any) -> list[str]:
    return [str(column["name"]) for column in printing.effective(view.columns)]


def _paths(resource: Any) -> dict[str, str]:
    return PATHS[""] | PATHS.get(resource["name"] if resource is not None else "", {})


def _printed(table: Table, view: Any, resource: Any, remarks: list[str]) -> list[str]:
    """``-o wide``, labels as columns, or columns of one's own."""
    titles = _asked(table)
    if not any(wish.own for wish in table._wishes or ()):
        if titles is not None:
            remarks.append(f"these columns in this order: {', '.join(titles)}")
        wide = table.wide and table._wishes is None
        return [*(["-o", "wide"] if wide else []), *(["-L", ",".join(table.labels)] if table.labels else [])]
    own = {wish.title: wish for wish in table._wishes or () if wish.own}
    labels = zip(label_titles(table.labels, _titles(view)), table.labels, strict=True)
    escaped = {title: ".metadata.labels." + key.replace(".", r"\.") for title, key in labels}
    paths = _paths(resource) | {"Age": CREATED} | escaped
    elsewhere = {"Cluster", *(column.title for column in table._all_columns(view) if column.source == "usage")}
    columns = []
    for title in dict.fromkeys([*heads.lead_titles(view), *table.columns]):
        if title in elsewhere:  # each cluster has a command of its own, and usage is another command's
            continue
        path = own[title].path if title in own else paths.get(title, "")
        if path and not set(title) & set(":, ") and "," not in path:
            columns.append(f"{title.upper()}:{_bare(path)}")
        else:
            remarks.append(f"the column {title}")
    return ["-o", f"custom-columns={','.join(columns)}"] if columns else []


def _bare(path: str) -> str:
    """A JSONPath without braces and root, as ``custom-columns`` takes it."""
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1].strip()
    text = text.removeprefix("$")
    return text if text[:1] in (".", "[") else f".{text}"


def _sorted(sort: str | None, resource: Any, remarks: list[str]) -> list[str]:
    wanted = sort_titles(sort)
    if not wanted:
        return []
    (title, descending), *more = wanted
    # an age is the larger the earlier the time is
    path, reverse = (CREATED, not descending) if title == "Age" else (_paths(resource).get(title, ""), descending)
    if not path:
        remarks.append(f"sorted by {title}")
        return []
    if reverse:
        remarks.append(f"sorted by {title} {'descending' if descending else 'ascending'}: it has the other order")
    if more:
        remarks.append(f"then sorted by {', '.join(title for title, _ in more)}")
    return [f"--sort-by={path}"]


def _line(text: str) -> str:
    """One line: a remark must not become a command."""
    return "".join(char if char.isprintable() else " " for char in text)
