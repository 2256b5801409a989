"""What a page says to its kernel, as types: whatever is not one of these gets an error for its answer.

Every message names its page (one browser tab's copy of a widget) and has an id of the page's own. It gets exactly
one answer, ``{"t": "reply", "page", "id", "ok"}`` with ``error`` where it was refused. An `Ack` is an answer itself,
to a numbered message of the kernel's, and `Items` are a terminal's own words: they get none unless something is wrong.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

MAX_ID = 64
"""Characters of a page's or view's id: a random UUID takes 36."""

MAX_SELECTED = 1000
"""Rows one message may select: more is a selection of everything, which a filter says better."""

MAX_TEXT = 2000
"""Characters of a filter: far above what anyone types."""

MAX_ITEMS = 4096
"""Items of one message: a long paste is 16 KiB an item, within the 256 KiB that a gateway lets wait."""

MAX_SAVED = 1_000_000
"""Characters of a screen that a page may have saved into the notebook: 10,000 lines of a hundred."""

MAX_OLDER = 5000
"""Lines that a page may ask for at once: a hundred screens."""

MAX_PACE = 2.0
"""Seconds between two messages that a slow page may ask for."""

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
Number = Annotated[int, msgspec.Meta(ge=-1)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
Row = tuple[Annotated[int, msgspec.Meta(ge=0)], Annotated[str, msgspec.Meta(max_length=600)]]


class FromPage(msgspec.Struct, tag_field="t", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What all messages have."""

    page: Id
    id: Number


class Here(FromPage, frozen=True, tag="here"):
    """The page's state, said when a widget is first shown, each minute, and whenever it changes.

    Attributes:
        have: Number of the last message taken in order; -1 for none.
        epoch: What that number counts in.
        watching: Whether someone can look: a view is there, the tab is visible (or was within the minute), and
            there was input within half an hour.
        gap: A number was missing: the page wants the whole state again.
    """

    have: Number
    epoch: Annotated[str, msgspec.Meta(max_length=MAX_ID)]
    watching: bool
    gap: bool = False


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


class Look(FromPage, frozen=True, tag="look"):
    """What one view shows below its rows of one of them; ``do`` with ``leave`` closes it.

    Attributes:
        row: As (index of the cluster, uid).
    """

    view: Id
    what: Literal["events", "logs"]
    row: Row


class Set(FromPage, frozen=True, tag="set"):
    """A setting that belongs to the widget and not to one view of it."""

    view: Id
    name: Annotated[str, msgspec.Meta(max_length=MAX_ID)]
    value: bool | Text


class Do(FromPage, frozen=True, tag="do"):
    """A button."""

    view: Id
    what: Annotated[str, msgspec.Meta(max_length=MAX_ID)]


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


Message = Here | Bye | Ack | Select | Look | Set | Do | Items | Ticket | Keep | Around | Older


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
