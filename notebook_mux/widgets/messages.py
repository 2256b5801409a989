"""What a page says to its kernel, as types: whatever is not one of these gets an error for its answer.

Every message names its page (one browser tab's copy of a widget) and has an id of the page's own. It gets exactly
one answer, ``{"t": "reply", "page", "id", "ok"}`` with ``error`` where it was refused. An `Ack` is an answer itself,
to a numbered message of the kernel's, and `Items` are a terminal's own words: they get none unless something is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from notebook_mux.widgets.layouts import Titles, Widths

MAX_ID = 64
"""Characters of a page's or view's id: a random UUID takes 36."""

MAX_SELECTED = 1000
"""Rows one message may select: more is a selection of everything, which a filter says better."""

MAX_PLACES = 500
"""Rows that one view has on its screen: several screens of the smallest."""

MAX_PICKED = 200
"""Namespaces or clusters chosen at once: each is a watch of its own."""

MAX_TEXT = 2000
"""Characters of a filter: far above what anyone types."""

MAX_YAML = 4_000_000
"""Characters of an edited object: an API server takes 3 MiB, and keeps 1.5."""

MAX_ITEMS = 4096
"""Items of one message: a long paste is 16 KiB an item, within the 256 KiB that a gateway lets wait."""

MAX_SAVED = 1_000_000
"""Characters of a screen that a page may have saved into the notebook: 10,000 lines of a hundred."""

MAX_OLDER = 5000
"""Lines that a page may ask for at once: a hundred screens."""

MAX_NAME = 600
"""Characters of a name: twice what any of Kubernetes' has."""

MAX_PACE = 2.0
"""Seconds between two messages that a slow page may ask for."""

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
Number = Annotated[int, msgspec.Meta(ge=-1)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=MAX_PICKED)]
Yaml = Annotated[str, msgspec.Meta(max_length=MAX_YAML)]
Row = tuple[Annotated[int, msgspec.Meta(ge=0)], Annotated[str, msgspec.Meta(max_length=600)]]


class FromPage(msgspec.Struct, tag_field="t", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What all messages have."""

    page: Id
    id: Number


class Places(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What a view of a table has on its screen: these places of all rows in its order.

    Attributes:
        sort: As in ``Status,-Age``.
        first: From 0.
        last: The one behind the last.
    """

    view: Id
    sort: Text
    first: Annotated[int, msgspec.Meta(ge=0)]
    last: Annotated[int, msgspec.Meta(ge=0)]

    def __post_init__(self) -> None:
        if not 0 <= self.last - self.first <= MAX_PLACES:
            raise ValueError(f"at most {MAX_PLACES} places")


class Here(FromPage, frozen=True, tag="here"):
    """The page's state, said when a widget is first shown, each minute, and whenever it changes.

    Attributes:
        have: Number of the last message taken in order; -1 for none.
        epoch: What that number counts in.
        watching: Whether someone can look: a view is there, the tab is visible (or was within the minute), and
            there was input within half an hour.
        gap: A number was missing: the page wants the whole state again.
        places: Where a page comes back and has missed what went on: the rows that it would have first.
    """

    have: Number
    epoch: Annotated[str, msgspec.Meta(max_length=MAX_ID)]
    watching: bool
    gap: bool = False
    places: Places | None = None


class Bye(FromPage, frozen=True, tag="bye"):
    """The page closes, or dropped its copy of the widget."""


class Ack(FromPage, frozen=True, tag="ack"):
    """All messages up to this number are taken in and drawn.

    Attributes:
        pace: Seconds that the page would like between two messages, so as to stay free for its user.
    """

    n: Number
    pace: Annotated[float, msgspec.Meta(ge=0, le=MAX_PACE)] = 0.0


class Select(FromPage, frozen=True, tag="select"):
    """The rows selected in one view, as (index of the cluster, uid)."""

    view: Id
    rows: Annotated[tuple[Row, ...], msgspec.Meta(max_length=MAX_SELECTED)]


class Ref(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An object by its name: ``kind`` as ``Pod`` or ``Deployment.apps``, ``namespace`` "" for what is in none."""

    cluster: Name
    namespace: Name
    name: Name
    kind: Name


class Look(FromPage, frozen=True, tag="look"):
    """What one view shows below its rows of one object; ``do`` with ``leave`` closes it.

    Attributes:
        row: As (index of the cluster, uid).
        ref: Where there is no such row, or it has gone.
    """

    view: Id
    what: Literal["details", "yaml", "events", "logs", "shell"]
    row: Row | None = None
    ref: Ref | None = None


class Change(FromPage, frozen=True, tag="change"):
    """A change of objects: what it would be, or (with the token of that answer) that it be done.

    Attributes:
        what: Which.
        stage: ``ask`` is answered with what it would change and a token, ``do`` with what was done.
        rows: As (index of the cluster, uid).
        ref: Where there is no such row.
        replicas: For ``scale``; None asks how many there are.
        cascade: For ``delete``: what becomes of what the object owns.
        grace: For ``delete``: seconds; None is the object's own.
        text: For ``apply``: the edited YAML.
        base: For ``apply``: the YAML that the edit began with.
        over: For ``apply``: where somebody else has changed the same since, it is to be as edited.
        token: For ``do``.
    """

    view: Id
    what: Literal["scale", "restart", "delete", "apply"]
    stage: Literal["ask", "do"]
    rows: Annotated[tuple[Row, ...], msgspec.Meta(max_length=MAX_SELECTED)] = ()
    ref: Ref | None = None
    replicas: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    cascade: Literal["background", "foreground", "orphan"] = "background"
    grace: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    text: Yaml = ""
    base: Yaml = ""
    over: bool = False
    token: Annotated[str, msgspec.Meta(max_length=MAX_ID)] = ""


class Reveal(FromPage, frozen=True, tag="reveal"):
    """The value of one key of a Secret, which its user wants to see."""

    view: Id
    key: Name


class Set(FromPage, frozen=True, tag="set"):
    """A setting that belongs to the widget and not to one view of it."""

    view: Id
    name: Annotated[str, msgspec.Meta(max_length=MAX_ID)]
    value: bool | Text


class Arrange(FromPage, frozen=True, tag="layout"):
    """How one view's user arranged the columns; see `layouts.Layout`.

    Attributes:
        kind: Of what the columns are, as in the table's question: it may have another by now.
        sort: By what that view is sorted, as in `Table.sort`: a saved copy follows it.
    """

    view: Id
    kind: Name = ""
    order: Titles = ()
    hidden: Titles = ()
    widths: Widths = {}
    sort: Text | None = None


class Pick(FromPage, frozen=True, tag="pick"):
    """What a table shows, chosen in one view; what is not said stays as it is.

    Attributes:
        namespaces: None of them: each context's own; ``*``: all.
        clusters: None: all of the manager's.
    """

    view: Id
    kind: Name = ""
    namespaces: Names | msgspec.UnsetType = msgspec.UNSET
    clusters: Names | msgspec.UnsetType | None = msgspec.UNSET


class Choices(FromPage, frozen=True, tag="choices"):
    """What there is to choose from."""

    view: Id
    what: Literal["kinds", "namespaces", "clusters"]


class Code(FromPage, frozen=True, tag="code"):
    """The cell and the command that make one view.

    Attributes:
        sort: By what that view is sorted, as in `Table.sort`.
    """

    view: Id
    sort: Text = ""


class Do(FromPage, frozen=True, tag="do"):
    """A button.

    Attributes:
        sort: By what the view is sorted, for a copy of it.
    """

    view: Id
    what: Annotated[str, msgspec.Meta(max_length=MAX_ID)]
    sort: Text | None = None


class Items(FromPage, frozen=True, tag="terminal"):
    """What one view of a terminal says to its gateway, in order.

    Attributes:
        view: The view's id, the same as in its items.
        items: Control messages as JSON; frames as their places in the message's buffers.
        ask: Whether an answer is wanted: by it the page knows that it is heard.
    """

    view: Id
    items: Annotated[
        tuple[Text | Annotated[int, msgspec.Meta(ge=0, lt=MAX_ITEMS)], ...], msgspec.Meta(max_length=MAX_ITEMS)
    ]
    ask: bool = False


class Ticket(FromPage, frozen=True, tag="ticket"):
    """The page would like a WebSocket of its own to the terminal; `origin` is the page's."""

    view: Id
    origin: Text


class Keep(FromPage, frozen=True, tag="keep"):
    """What a terminal's view shows, to be saved in the notebook: its user asked for that."""

    view: Id
    text: Annotated[str, msgspec.Meta(max_length=MAX_SAVED)]


class Around(FromPage, frozen=True, tag="around"):
    """What a pod wrote around one event of it.

    Attributes:
        key: The event's row, as (index of the cluster, key).
    """

    view: Id
    key: tuple[Annotated[int, msgspec.Meta(ge=0)], Id]


class Older(FromPage, frozen=True, tag="older"):
    """Lines of logs before number `before`, which a page has: those next to it, `most` at most."""

    view: Id
    before: Annotated[int, msgspec.Meta(ge=0)]
    most: Annotated[int, msgspec.Meta(ge=1, le=MAX_OLDER)]


Message = (
    Here
    | Bye
    | Ack
    | Select
    | Look
    | Change
    | Reveal
    | Set
    | Arrange
    | Pick
    | Choices
    | Code
    | Do
    | Items
    | Ticket
    | Keep
    | Around
    | Older
)


def parse(content: Any) -> Message:
    """The message in a custom message's content.

    Raises:
        ValueError: It is none of ours; says what is wrong with it, without repeating it.
    """
    try:
        message: Message = msgspec.convert(content, Message)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    return message


def answer_to(content: Any) -> tuple[str, int]:
    """Page and id to answer, also where the message is malformed; ("", -1) where it says neither."""
    page, number = "", -1
    if isinstance(content, dict):
        if isinstance(content.get("page"), str):
            page = content["page"][:MAX_ID]
        if isinstance(content.get("id"), int) and not isinstance(content["id"], bool):
            number = content["id"]
    return page, number
