"""``echo`` and ``printf``: escapes and forms."""

from __future__ import annotations

import re

from notebook_mux.playground.shell.running import Fail

ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|0?([0-7]{1,3})|(.))", re.DOTALL)
PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "\\": "\\"}
FORM = re.compile(
    r"""
    %(?:%|([-+\ 0\#]*)(\*|\d{1,4})?(?:\.(\*|\d{1,4}))?([sdiouxXcbfeEgG]))
    | \\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))
    | [^%\\]+
    | .
    """,
    re.DOTALL | re.VERBOSE,
)

LIMIT = 1024 * 1024
"""Bytes that are written at once."""

ROUNDS = 10_000
"""How often a form is used again for further words."""


def unescaped(text: str) -> bytes:
    """A text with its backslash escapes as bytes."""
    found, at = bytearray(), 0
    for match in ESCAPE.finditer(text):
        found += text[at : match.start()].encode("utf-8", "surrogateescape")
        if match[1]:
            found.append(int(match[1], 16))
        elif match[2]:
            found.append(int(match[2], 8) & 0xFF)
        else:
            found += PLAIN.get(match[3], "\\" + match[3]).encode("utf-8", "surrogateescape")
        at = match.end()
    return bytes(found + text[at:].encode("utf-8", "surrogateescape"))


def echoed(words: list[str]) -> str:
    """What ``echo`` writes."""
    end, escapes = "\n", False
    while words and re.fullmatch("-[neE]+", words[0]):
        end = "" if "n" in words[0] else end
        escapes = "e" in words[0] or (escapes and "E" not in words[0])
        words = words[1:]
    text = " ".join(words)
    if escapes:
        before, cut, _ = text.partition("\\c")
        return unescaped(before).decode("utf-8", "surrogateescape") + ("" if cut else end)
    return text + end


def printed(words: list[str]) -> bytes:
    """What ``printf`` writes.

    Raises:
        Fail: Its words are no form, or do not fit.
    """
    if not words:
        raise Fail("usage: printf FORMAT [ARG]...", 2)
    form, rest = words[0], list(words[1:])
    found = bytearray()
    for _ in range(ROUNDS):
        before = len(rest)
        for match in FORM.finditer(form):
            found += _element(match, rest)
            if len(found) > LIMIT:
                raise Fail("out of memory")
        if not rest or len(rest) == before:
            break
    return bytes(found)


def _element(match: re.Match[str], rest: list[str]) -> bytes:
    if match[0] == "%%":
        return b"%"
    if match[5]:
        return bytes((int(match[5], 16),))
    if match[6]:
        return bytes((int(match[6], 8) & 0xFF,))
    if match[7]:
        return PLAIN.get(match[7], match[7] if match[7] in "'\"" else match[0]).encode("utf-8", "surrogateescape")
    if not match[4]:
        return match[0].encode("utf-8", "surrogateescape")
    width = (rest.pop(0) if rest else "0") if match[2] == "*" else match[2] or ""
    precision = (rest.pop(0) if rest else "0") if match[3] == "*" else match[3]
    if not re.fullmatch(r"-?\d{0,4}", width) or (precision is not None and not re.fullmatch(r"\d{0,4}", precision)):
        raise Fail("invalid number in a form")
    spec = f"%{match[1]}{width}" + (f".{precision}" if precision is not None else "")
    word, kind = (rest.pop(0) if rest else ""), match[4]
    if kind == "s":
        return (f"{spec}s" % word).encode("utf-8", "surrogateescape")
    if kind == "b":
        return unescaped(word)
    if kind == "c":
        return word[:1].encode("utf-8", "surrogateescape")
    try:
        if kind in "feEgG":
            return (f"{spec}{kind}" % float(word or 0)).encode()
        value = (
            ord(word[1]) if word[:1] in ("'", '"') and len(word) > 1 else int(word or "0", 0 if "x" in word[:3] else 10)
        )
        if kind == "u":
            value, kind = value % 2**64, "d"
        return (f"{spec}{kind}" % value).encode()
    except (ValueError, OverflowError):
        raise Fail(f"invalid number '{word}'") from None
