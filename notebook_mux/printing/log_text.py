"""Lines of logs for people who have no live view: as text for a terminal or a file, and as HTML for a saved notebook.

Whatever a container writes is harmless here: escape codes are taken out, what cannot be seen or turns the direction of
writing is shown as a mark, all is escaped, and what looks like a secret is masked unless asked otherwise.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from notebook_mux.handles.log_lines import NANOSECONDS, Line
from notebook_mux.printing.masking import masked_lines, masker as masking

MAX_LINES = 200
"""Lines of a copy: a notebook is read by people, and each copy is kept in the file."""

MAX_LENGTH = 1000
"""Characters of one line of a copy."""

LOOKED_AT = 64 * 1024
"""Characters of one line of a copy that are looked at: a secret over the edge of what is shown is masked whole."""

PALETTE = ("#2079de", "#bc600f", "#148b4f", "#a157d5", "#108693", "#cf4094", "#688317", "#7268e4")
"""Of pods and containers. Each is 4.3:1 on white and on #111: a saved copy does not know where it is read."""

BAD, ODD = "#e23636", "#9e7108"
"""Of errors and of warnings; as `PALETTE`."""

LEVEL_STYLES = {
    "trace": "opacity:.7",
    "debug": "opacity:.7",
    "warning": f"color:{ODD}",
    "error": f"color:{BAD}",
    "fatal": f"color:{BAD};font-weight:600",
}

_LABEL = "color:{}"
_QUIET = "opacity:.7"
_MARKED = "font-style:italic;opacity:.8"

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC: titles, links, and what they carry
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]?"
)
"""Escape sequences of ECMA-48, whole or cut off."""

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if code != 0x09} | {0x7F: "\u2421"}
"""Control characters as Unicode's pictures of them; a tab stays one."""

_UNSEEN = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f"
    r"\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"  # joiners, bidirectional controls
    r"\ud800-\udfff\U000e0000-\U000e007f]"  # halves of characters; tags
)

Source = tuple[str, str, str, str]
"""Cluster, namespace, pod, container."""


def shown(text: str, most: int | None = None) -> str:
    """A line as it can be shown anywhere: no escape codes, nothing invisible, of at most so many characters."""
    text = _UNSEEN.sub(_mark, without_escapes(text))
    if most is not None and len(text) > most:
        return f"{text[:most]}… and {len(text) - most:,} more characters"
    return text


def without_escapes(text: str) -> str:
    """A line without the codes that drive a terminal."""
    return _ESCAPES.sub("", text) if "\x1b" in text or "\x9b" in text else text


def _mark(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _PICTURES.get(code) or f"<U+{code:04X}>"


def source_of(line: Line) -> Source:
    """What a line is of."""
    return line.cluster, line.namespace, line.pod, line.container


def masker(masked: bool) -> Callable[[Line], str]:
    """A function that gives the text of one line after another, as it came or masked.

    What is masked is without codes that drive a terminal: they may stand within what is to be found.
    """
    if not masked:
        return lambda line: line.text
    mask = masking()
    return lambda line: mask(_run_of(line), without_escapes(line.text))


def _run_of(line: Line) -> tuple[Source, bool]:
    """What a key that is printed over several lines goes on in: no mark ends it, and marks have servers' words."""
    return source_of(line), bool(line.mark)


def plain(lines: Sequence[Line], *, masked: bool = True) -> Iterator[str]:
    """All of the lines as text: time in UTC with all its digits, what it is of, text."""
    label, mask = labels(lines), masker(masked)
    for line in lines:
        yield f"{line.stamp} {label(line)}{_said(line, shown(mask(line)))}"


def _said(line: Line, words: str) -> str:
    return f"--- {words} ---" if line.mark else words


def labels(lines: Iterable[Line]) -> Callable[[Line], str]:
    """A function that says what a line is of, with a blank behind it: the pod, and what else tells lines apart."""
    sources = {source_of(line) for line in lines}
    several = [len({one[at] for one in sources if one[2]}) > 1 for at in range(4)]
    parts = [several[0], several[1], True, several[3]]

    def label(line: Line) -> str:
        words = "/".join(one for one, wanted in zip(source_of(line), parts, strict=True) if wanted and one)
        return f"{words} " if words else ""

    return label


# --- the copy in a notebook -----------------------------------------------------------------------------------------


def copied(lines: Sequence[Line], *, masked: bool) -> list[tuple[Line, str]]:
    """The last lines with their texts as a copy shows them."""
    last = lines[-MAX_LINES:]
    texts = [without_escapes(line.text[:LOOKED_AT]) for line in last]
    if masked:
        texts = masked_lines((_run_of(line), text) for line, text in zip(last, texts, strict=True))
    return [(line, shown(text, MAX_LENGTH)) for line, text in zip(last, texts, strict=True)]


def text(lines: Sequence[Line], *, now: float, masked: bool = True) -> str:
    """The last lines for a terminal: local time, what each is of, text."""
    found = copied(lines, masked=masked)
    clock, label = _clock(found, now), labels(line for line, _ in found)
    return "\n".join(f"{clock(line)} {label(line)}{_said(line, words)}" for line, words in found)


def html(lines: Sequence[Line], *, now: float, sources: Sequence[Mapping[str, Any]] = (), masked: bool = True) -> str:
    """The last lines as HTML, all escaped; no script, and no style that the cleaning of a notebook would take.

    Args:
        lines: By time.
        now: Unix seconds.
        sources: The core's, for the colours that the live view has.
        masked: Whether what looks like a secret is masked.
    """
    found = copied(lines, masked=masked)
    clock, label = _clock(found, now), labels(line for line, _ in found)
    color = _colors(sources)
    rows = []
    for line, words in found:
        style = _MARKED if line.mark else LEVEL_STYLES.get(line.level, "")
        said = escape(_said(line, words))
        name = f'<span style="color:{color(line)}">{escape(label(line))}</span>' if label(line) else ""
        rows.append(
            f'<span style="{_QUIET}">{escape(clock(line))} </span>{name}'
            + (f'<span style="{style}">{said}</span>' if style else said)
        )
    return "\n".join(rows)


def _colors(sources: Sequence[Mapping[str, Any]]) -> Callable[[Line], str]:
    known: dict[Source, int] = {}
    for one in sources:
        place = (one["cluster"], one["namespace"], one["pod"], one["container"])
        known.setdefault(place, int(one.get("color", len(known))))

    def color(line: Line) -> str:
        number = known.setdefault(source_of(line), len(known))
        return PALETTE[number % len(PALETTE)]

    return color


def _clock(found: Sequence[tuple[Line, str]], now: float) -> Callable[[Line], str]:
    """Local time to the millisecond, with the date where it is not all of today."""
    days = {time.localtime(line.ns // NANOSECONDS)[:3] for line, _ in found}
    pattern = "%H:%M:%S" if days <= {time.localtime(now)[:3]} else "%Y-%m-%d %H:%M:%S"

    def clock(line: Line) -> str:
        seconds, rest = divmod(line.ns, NANOSECONDS)
        return f"{time.strftime(pattern, time.localtime(seconds))}.{rest // 1_000_000:03d}"

    return clock
