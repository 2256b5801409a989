"""What a person looks for in an object, as plain data that a page draws: sections of items, tables and cards.

A *cell* is a text, or a mapping with ``text`` and what it means: ``tone`` (``good warn bad done``), ``since`` (Unix
seconds, for the ``{}`` in the text), ``ref`` (the object it names, without its cluster), ``mono`` (code). A *value* is
a cell or a list of them. A Secret's values are never in any of it, only their names and sizes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from notebook_mux.ages import parse_time
from notebook_mux.handles.entries import unique_titles
from notebook_mux.printing import cells as rows_cells, tones

Json = Mapping[str, Any]
Cell = str | dict[str, Any]
Value = Cell | list[Cell]
Section = dict[str, Any]
Item = tuple[str, Value]

SHOWN_TEXT = 4000
"""Characters of one key of a ConfigMap: two screens; the YAML has all."""

SHOWN_KEYS = 200
"""Keys of one object: a mebibyte of small ones is thousands."""

PLAIN_ITEMS = 40
"""Fields of a custom resource's spec or status."""

PLAIN_TEXT = 300
"""Characters of a field that is itself an object."""

ENDED = frozenset(["PodCompleted", "JobSuspended"])
"""Reasons with which a condition that is False is as it should be."""

ORDER = ("Ready", "Available", "Complete", "Failed")
"""Conditions that come first."""


def cell(text: Any, tone: str = "", **more: Any) -> Cell:
    """A cell; what is left out or empty does not burden the message."""
    extra = {key: value for key, value in more.items() if value not in (None, "", False)}
    if tone:
        extra["tone"] = tone
    shown = "" if text is None else str(text)
    return {"text": shown, **extra} if extra else shown


def code(text: Any) -> Cell:
    """Words of a program."""
    return cell(text, mono=text not in ("", None))


def moment(value: Any, template: str = "{} ago") -> Cell:
    """A time of the API's as an age that goes on; "" for none."""
    since = parse_time(value) if isinstance(value, str) else None
    return "" if since is None else cell(template, since=since)


def ref(kind: str, name: Any, namespace: str = "", text: str = "") -> Cell:
    """An object to jump to; "" for none.

    Args:
        kind: As ``Pod`` or ``Deployment.apps``.
        name: Its name.
        namespace: Its namespace; "" for what is in none.
        text: What is shown; its name by default.
    """
    if not isinstance(name, str) or not name:
        return ""
    return {"text": text or name, "ref": {"kind": kind, "namespace": namespace, "name": name}}


def word(kind: str, api: str) -> str:
    """A kind with its group, as ``Deployment.apps``."""
    return qualified(kind, api.rpartition("/")[0])


def qualified(kind: str, group: str) -> str:
    """The same of a group; the core one has no name."""
    return f"{kind}.{group}" if group else kind


def part(content: Any, *keys: str) -> dict[str, Any]:
    """An object within an object; empty where it is not there, or is none."""
    for key in keys:
        content = content.get(key) if isinstance(content, Mapping) else None
    return content if isinstance(content, dict) else {}


def listed(content: Any, key: str) -> list[dict[str, Any]]:
    """A list of objects in an object; empty where it is not there."""
    found = content.get(key) if isinstance(content, Mapping) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


class Printer:
    """What the server's own columns say of objects of one kind.

    Args:
        columns: The server's; wide ones are left out.
        resource: The kind, as discovery has it.
        skewed: Whether the server's clock does not go as ours.
        without: Titles that are left out.
    """

    def __init__(
        self,
        columns: Sequence[dict[str, Any]],
        resource: dict[str, Any] | None,
        *,
        skewed: bool,
        without: Sequence[str],
    ) -> None:
        self._columns = rows_cells.effective(columns)
        self._resource, self._skewed = resource, skewed
        self._going = rows_cells.going(columns, resource)
        self._all = unique_titles(self._columns)
        wide = [bool(one.get("priority")) for one in self._columns]
        self._places = [at for at, title in enumerate(self._all) if not wide[at] and title not in without]

    @property
    def titles(self) -> list[str]:
        """Of the columns."""
        return [self._all[at] for at in self._places]

    def cells(self, record: Any) -> list[Cell]:
        """A record's, with their tones."""
        found, alive = rows_cells.live(self._columns, self._resource, record, skewed=self._skewed, where=self._going)
        kind, titles, shown = tones.key_of(self._resource), self._all, []
        for at in self._places:
            beside = tones.partner(kind, titles[at])
            state = found[titles.index(beside)] if beside in titles else ""
            tone, meaning = tones.look(kind, titles[at], found[at], state)
            since, template = alive.get(at, (None, ""))
            shown.append(cell(template or rows_cells.text(found[at]), tone, since=since, title=meaning))
        return shown


def namespace_of(content: Json) -> str:
    """The namespace that an object is in; "" for none."""
    return str(part(content, "metadata").get("namespace") or "")


def seconds(value: Any) -> str:
    """A number of seconds, in words; "" for none."""
    return "" if value is None else f"{value}s"


def items(title: str, *pairs: tuple[str, Any]) -> list[Section]:
    """A section of labels and values, without those that have none; no section where nothing is left."""
    shown = [(label, _value(value)) for label, value in pairs if value not in (None, "", [], {})]
    return [{"title": title, "items": shown}] if shown else []


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Value]], note: str = "") -> list[Section]:
    """A section with a table, without columns that have nothing in them; none where it has no rows."""
    shown = [list(row) for row in rows]
    if not shown:
        return []
    filled = [at for at in range(len(columns)) if any(row[at] not in ("", []) for row in shown)]
    columns = [columns[at] for at in filled]
    shown = [[row[at] for at in filled] for row in shown]
    return [{"title": title, "columns": list(columns), "rows": shown, **({"note": note} if note else {})}]


def pairs_of(mapping: Any) -> list[tuple[str, str]]:
    """Labels or annotations, as they are ordered."""
    if not isinstance(mapping, Mapping):
        return []
    return [(str(key), str(value)) for key, value in mapping.items()]


def labels_value(mapping: Any) -> list[Cell]:
    """Labels as ``key=value``."""
    return [code(f"{key}={value}") for key, value in pairs_of(mapping)]


def selector_value(selector: Any) -> list[Cell]:
    """A LabelSelector, or the plain map of a Service."""
    if not isinstance(selector, Mapping):
        return []
    if not {"matchLabels", "matchExpressions"} & selector.keys():
        return labels_value(selector)
    shown = labels_value(selector.get("matchLabels"))
    for one in listed(selector, "matchExpressions"):
        values = ", ".join(map(str, one.get("values") or ()))
        shown.append(code(f"{one.get('key')} {one.get('operator')}{f' ({values})' if values else ''}"))
    return shown


def quantities(mapping: Any) -> str:
    """Resources in one line, as ``cpu 100m, memory 64Mi``."""
    return ", ".join(f"{key} {value}" for key, value in pairs_of(mapping))


def condition_tone(kind: str, status: str, reason: str = "") -> str:
    """What a condition means: its type says whether True is good."""
    return "done" if status == "False" and reason in ENDED else tones.condition(kind, status)


def conditions(content: Json) -> list[Section]:
    """The conditions of any kind of object, the telling ones first."""
    found = [one for one in listed(part(content, "status"), "conditions") if one.get("type")]
    found.sort(key=lambda one: ORDER.index(one["type"]) if one["type"] in ORDER else len(ORDER))
    rows = []
    for one in found:
        kind, status, reason = str(one["type"]), str(one.get("status") or ""), str(one.get("reason") or "")
        tone = condition_tone(kind, status, reason)
        since = moment(one.get("lastTransitionTime") or one.get("lastUpdateTime"), "{}")
        rows.append([kind, cell(status, tone), reason, str(one.get("message") or ""), since])
    return table("Conditions", ("Type", "Status", "Reason", "Message", "Since"), rows)


def size_of(value: str) -> int:
    """Bytes of a value in base64, without decoding more than is needed."""
    text = value.rstrip("=")
    return len(text) * 3 // 4


def secret_keys(content: Json) -> list[Section]:
    """A Secret's keys, with the sizes of their values and nothing else of them."""
    data = content.get("data")
    names = sorted(data.items()) if isinstance(data, Mapping) else []
    keys = [{"name": str(key), "size": size_of(str(value)), "secret": True} for key, value in names[:SHOWN_KEYS]]
    more = {"note": f"{len(names) - SHOWN_KEYS} more are in the YAML"} if len(names) > SHOWN_KEYS else {}
    return [{"title": "Keys", "keys": keys, **more}] if keys else []


def config_keys(content: Json) -> list[Section]:
    """A ConfigMap's keys and what is in them."""
    keys: list[dict[str, Any]] = []
    for key, value in sorted(pairs_of(content.get("data"))):
        cut = {"cut": len(value) - SHOWN_TEXT} if len(value) > SHOWN_TEXT else {}
        keys.append({"name": key, "size": len(value.encode()), "text": value[:SHOWN_TEXT], **cut})
    keys += [{"name": key, "size": size_of(value)} for key, value in sorted(pairs_of(content.get("binaryData")))]
    more = {"note": f"{len(keys) - SHOWN_KEYS} more are in the YAML"} if len(keys) > SHOWN_KEYS else {}
    return [{"title": "Keys", "keys": keys[:SHOWN_KEYS], **more}] if keys else []


def secret_value(content: Json, key: str) -> tuple[str, bool]:
    """One value of a Secret, for whoever asked for that very one: the text, and whether it is text.

    Raises:
        KeyError: There is no such key.
    """
    value = str(part(content, "data")[key])
    try:
        decoded = base64.b64decode(value, validate=True)
        return decoded.decode("utf-8"), True
    except (binascii.Error, UnicodeDecodeError):
        return value, False


def plain(content: Json) -> list[Section]:
    """What is said of a kind that nothing is known of: the fields of its spec and status."""
    sections: list[Section] = []
    for key, title in (("spec", "Spec"), ("status", "Status")):
        fields = [(name, value) for name, value in part(content, key).items() if name != "conditions"]
        sections += items(title, *((name, _plain(value)) for name, value in fields[:PLAIN_ITEMS]))
    known = {"apiVersion", "kind", "metadata", "spec", "status"}
    sections += items("Fields", *((name, _plain(value)) for name, value in content.items() if name not in known))
    return sections


def _plain(value: Any) -> Cell:
    if isinstance(value, str):
        return value[:PLAIN_TEXT]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list):
        text = msgspec.json.encode(value).decode()
        return code(text if len(text) <= PLAIN_TEXT else f"{text[:PLAIN_TEXT]}…")
    return "" if value is None else str(value)


def _value(value: Any) -> Value:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return [one if isinstance(one, dict) else str(one) for one in value]
    return str(value)


Facts = Callable[[Json], list[Section]]
"""From an object to what is said of its kind."""
