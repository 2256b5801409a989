"""What a terminal's output has set and a piece of it that is not kept any more took along: modes, colours, the screen.

Sans-IO. Fed with what is dropped, in order and cut anywhere; `Modes.restore` are the bytes that set the same in a
terminal that has not seen them. (ECMA-48; XTerm Control Sequences; DEC VT510 manual.)
"""

from __future__ import annotations

import re
from typing import Final

DEFAULTS: Final = {1: False, 6: False, 7: True, 12: False, 25: True, 45: False, 1004: False, 2004: False}
"""Private modes that are on or off, and how a terminal begins: cursor keys, origin, wrap, blinking and visible cursor,
reverse wrap, focus, bracketed paste."""

MOUSE: Final = frozenset({9, 1000, 1002, 1003})
"""What is told of the mouse; one at a time."""

ENCODINGS: Final = frozenset({1005, 1006, 1015, 1016})
"""How it is told; one at a time."""

SCREENS: Final = frozenset({47, 1047, 1049})
"""Names of the alternate screen; the last one saves the cursor too, as 1048 does."""

WITH_CURSOR: Final = frozenset({1048, 1049})
ORIGIN: Final = 6
KEYPAD: Final = 66
ANSI: Final = {4: False, 20: False}
"""Modes that are not private: insert, new line."""

CHARSETS: Final = ("B", "B", "B", "B")

_STARTS = re.compile(rb"[\x1b\x0e\x0f]")
_CONTROL = re.compile(rb"\x1b\[([<=>?]?)([0-9;:]{0,256})([ -/]{0,4})([@-~])")
_STRING = re.compile(
    rb"\x1b(?:\][^\x07\x18\x1a\x1b]*(?:\x07|\x18|\x1a|\x1b\\)|[PX^_][^\x18\x1a\x1b]*(?:\x18|\x1a|\x1b\\))"
)
_ESCAPE = re.compile(rb"\x1b([ -/]{0,4})([0-OQ-WYZ\\`-~])")
_BEGUN = re.compile(rb"\x1b(?:\[[<=>?]?[0-9;:]{0,256}[ -/]{0,4}|[ -/]{0,4})\Z")
_BEGUN_STRING = re.compile(rb"\x1b([\]PX^_])[^\x07\x18\x1a\x1b]*(\x1b?)\Z")

_SGR_SETS: Final = {
    **dict(enumerate(("bold", "dim", "italic", "line", "blink", "blink", "inverse", "hidden", "strike"), 1)),
    **dict.fromkeys((*range(30, 39), *range(90, 98)), "fore"),
    **dict.fromkeys((*range(40, 49), *range(100, 108)), "back"),
    21: "line",
    53: "over",
    58: "line colour",
}
_SGR_ENDS: Final = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("line",),
    25: ("blink",),
    27: ("inverse",),
    28: ("hidden",),
    29: ("strike",),
    39: ("fore",),
    49: ("back",),
    55: ("over",),
    59: ("line colour",),
}
_COLOURS: Final = frozenset({38, 48, 58})


class Modes:
    """See the module. Begins as a terminal does that has just been switched on."""

    def __init__(self) -> None:
        self._pending = b""
        self._reset()

    def _reset(self) -> None:
        self._private = dict(DEFAULTS)
        self._ansi = dict(ANSI)
        self._mouse = self._encoding = 0
        self._alternate = False
        self._keypad = False
        self._style = "0"
        self._region = ""
        self._charsets = list(CHARSETS)
        self._shifted = False
        self._pen: dict[str, str] = {}
        self._saved: tuple[dict[str, str], list[str], bool] = ({}, list(CHARSETS), False)

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""
        data = self._pending + data
        self._pending = b""
        at = 0
        while (start := _STARTS.search(data, at)) is not None:
            at = start.start()
            if data[at] != 0x1B:
                self._shifted = data[at] == 0x0E
                at += 1
            elif (found := _CONTROL.match(data, at)) is not None:
                self._control(*(part.decode("ascii") for part in found.groups()))
                at = found.end()
            elif (found := _STRING.match(data, at)) is not None:
                at = found.end()
            elif (found := _ESCAPE.match(data, at)) is not None:
                self._escape(found[1].decode("ascii"), found[2].decode("ascii"))
                at = found.end()
            elif (found := _BEGUN_STRING.match(data, at)) is not None:
                # What it says is of no account; where it ends is.
                self._pending = b"\x1b" + found[1] + found[2]
                return
            elif _BEGUN.match(data, at) is not None:
                self._pending = data[at:]
                return
            else:
                at += 1

    def restore(self) -> str:
        """What sets, in a terminal in any state, what the bytes so far have set; and the beginning of a sequence."""
        private = {**self._private, KEYPAD: self._keypad}
        # The plain name of the alternate screen leaves it without moving the cursor.
        # Some of the modes send the cursor home: it is brought back, or a view that goes on writes over its screen.
        text = ["\x1b[?1049h" if self._alternate else "\x1b[?47l", "\x1b7"]
        off = [*(mode for mode, on in private.items() if not on), *sorted(MOUSE | ENCODINGS)]
        text.append(f"\x1b[?{';'.join(map(str, off))}l")
        on = [*(mode for mode, is_on in private.items() if is_on and mode != ORIGIN), self._mouse, self._encoding]
        if any(on):
            text.append(f"\x1b[?{';'.join(str(mode) for mode in on if mode)}h")
        text += [f"\x1b[{mode}{'h' if is_on else 'l'}" for mode, is_on in self._ansi.items()]
        text.append(f"\x1b[{self._style} q")
        text += [f"\x1b[{self._region}r", "\x1b8"]
        if private[ORIGIN]:
            text.append(f"\x1b[?{ORIGIN}h")
        text += [f"\x1b{slot}{name}" for slot, name in zip("()*+", self._charsets, strict=True)]
        text.append("\x0e" if self._shifted else "\x0f")
        text.append(f"\x1b[{';'.join(['0', *self._pen.values()])}m")
        text.append(self._begun())
        return "".join(text)

    def _begun(self) -> str:
        if self._pending[1:2] in (b"P", b"X", b"^", b"_"):
            return "\x1b_" + self._pending[2:].decode("ascii")  # swallowed to its end, whatever it was
        return self._pending.decode("ascii")

    # --- what comes in ------------------------------------------------------------------------------------------------

    def _control(self, prefix: str, parameters: str, between: str, final: str) -> None:
        if final in "hl" and not between and prefix in ("", "?"):
            for mode in _numbers(parameters):
                if prefix:
                    self._set_private(mode, final == "h")
                elif mode in self._ansi:
                    self._ansi[mode] = final == "h"
        elif final == "m" and not between and not prefix:
            self._draw(parameters)
        elif final == "r" and not between and not prefix:
            self._region = parameters if re.fullmatch(r"\d{0,5}(?:;\d{0,5})?", parameters) else ""
        elif final == "q" and between == " " and not prefix:
            self._style = parameters if re.fullmatch(r"[0-6]", parameters) else "0"
        elif final == "p" and between == "!" and not prefix:
            alternate, mouse, encoding, private = self._alternate, self._mouse, self._encoding, self._private
            self._reset()
            self._alternate, self._mouse, self._encoding = alternate, mouse, encoding
            self._private = {**private, 1: False, 6: False, 7: True, 25: True}
        elif final in "su" and not (between or prefix or parameters):
            self._cursor(final == "s")

    def _set_private(self, mode: int, on: bool) -> None:
        if mode in MOUSE:
            self._mouse = mode if on else 0
        elif mode in ENCODINGS:
            self._encoding = mode if on else 0
        elif mode == KEYPAD:
            self._keypad = on
        elif mode in DEFAULTS:
            self._private[mode] = on
        if mode in WITH_CURSOR:
            self._cursor(on)
        if mode in SCREENS:
            self._alternate = on

    def _cursor(self, save: bool) -> None:
        """Save or restore what goes with the cursor (DECSC)."""
        if save:
            self._saved = dict(self._pen), list(self._charsets), self._private[ORIGIN]
        else:
            pen, charsets, self._private[ORIGIN] = self._saved
            self._pen, self._charsets = dict(pen), list(charsets)

    def _escape(self, between: str, final: str) -> None:
        if between in ("(", ")", "*", "+"):
            self._charsets["()*+".index(between)] = final
        elif between:
            return
        elif final in "=>":
            self._keypad = final == "="
        elif final in "78":
            self._cursor(final == "7")
        elif final == "c":
            self._reset()

    def _draw(self, parameters: str) -> None:
        """Select graphic rendition: a colour has its own parameters behind it, by ``:`` or by ``;``."""
        codes = iter(parameters.split(";"))
        for text in codes:
            code = int(text.partition(":")[0] or 0)
            if code in _COLOURS and ":" not in text:
                kind = next(codes, "")
                text = ";".join([text, kind, *(next(codes, "") for _ in range({"5": 1, "2": 3}.get(kind, 0)))])
            if code == 0:
                self._pen.clear()
            elif code == 4 and text == "4:0":
                self._pen.pop("line", None)
            elif code in _SGR_SETS:
                self._pen[_SGR_SETS[code]] = text
            for name in _SGR_ENDS.get(code, ()):
                self._pen.pop(name, None)


def _numbers(parameters: str) -> list[int]:
    return [int(text) for text in parameters.split(";") if text.isdigit()]
