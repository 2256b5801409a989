"""What a line says of itself: its level, whether it belongs to the line above, whether it is a JSON object.

Read once, when a line comes, from its first bytes only, by patterns that do not backtrack: a container's output may be
anything. Pure: no clock, no input.
"""

from __future__ import annotations

import re

from notebook_mux.tailing.lines import NS

NONE, TRACE, DEBUG, INFO, WARNING, ERROR, FATAL = range(7)
"""Levels, the lowest three bits of a line's flags."""

LEVEL_BITS = 0b111
CONTINUED = 1 << 3
"""The line belongs to the one above it of the same container."""
MARK = 1 << 4
"""The line is ours and not the container's: a JSON object that says what happened to its log."""
JSON = 1 << 5
"""The line looks like a JSON object."""
CUT = 1 << 6
"""The line was longer than `lines.MAX_LINE`."""

HEAD = 160
"""Bytes in which a level is looked for: it stands before the message, behind a time and a name."""

JSON_HEAD = 2048
"""The same of a JSON object, whose keys come in any order."""

NEAR = NS // 10
"""Nanoseconds between a message and a trace that belongs to it: both are written by one call."""

FAR = 5 * NS
"""Nanoseconds after its first line at which nothing belongs to that any more: a trace is written at once, and even a
thread dump takes no second. A program that indents all it ever says must not be one line, shown where it began."""

_WORDS = {
    **dict.fromkeys((b"trace", b"trc", b"finest", b"finer", b"silly", b"verbose", b"vrb"), TRACE),
    **dict.fromkeys((b"debug", b"dbg", b"fine"), DEBUG),
    **dict.fromkeys((b"info", b"inf", b"information", b"informational", b"notice", b"log", b"success"), INFO),
    **dict.fromkeys((b"warn", b"warning", b"wrn"), WARNING),
    **dict.fromkeys((b"error", b"err", b"severe", b"eror", b"failure", b"exception"), ERROR),
    **dict.fromkeys(
        (b"fatal", b"ftl", b"critical", b"crit", b"panic", b"pnc", b"dpanic", b"emerg", b"emergency", b"alert"), FATAL
    ),
}
"""Of log4j, java.util.logging, slf4j, Python, Go (zap, zerolog, logrus, slog), Node (pino, winston), Serilog, nginx,
syslog; in lower case."""

_LETTERS = {b"T": TRACE, b"D": DEBUG, b"V": DEBUG, b"I": INFO, b"N": INFO, b"W": WARNING, b"E": ERROR, b"F": FATAL}

_CAPITALS = re.compile(
    rb"(?:TRACE|TRC|FINEST|FINER|FINE|VERBOSE|DEBUG|DBG|INFORMATION|INFO|INF|NOTICE|WARNING|WARN|WRN|ERROR|ERR|SEVERE|"
    rb"FATAL|FTL|CRITICAL|CRIT|PANIC|PNC|DPANIC|EMERGENCY|EMERG|ALERT|LOG(?=:)|"
    rb"Trace|Debug|Information|Info|Notice|Warning|Warn|Error|Fatal|Critical)(?![A-Za-z0-9_])"
)
"""A level in capitals stands anywhere in the head; one that begins with a capital counts in brackets or before a colon.
It begins with plain letters, by which the engine skips to where it may stand."""

_SET = re.compile(rb"""(?:level|lvl|severity|loglevel|LEVEL)=["']?([A-Za-z]{3,13})""")
_BRACKETS = re.compile(rb"[\[(<|] {0,4}([a-zA-Z]{3,13}) {0,4}[\])>|:]")
_COLON = re.compile(rb"([a-z]{3,9}): ")
_KLOG = re.compile(rb"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d{1,9} ")
_SYSLOG = re.compile(rb"<(\d{1,3})>")
_JSON_LEVEL = re.compile(
    rb'"(?:level|lvl|severity|loglevel|log_level|logLevel|log\.level|levelname|level_name|Level|LogLevel|@l|@level'
    rb'|severityText|SeverityText|PRIORITY|priority)"\s{0,4}:\s{0,4}(?:"([A-Za-z]{1,13})|(\d{1,3})[,}\s])'
)
_SYSLOG_KEYS = (b'"severity', b'"PRIOR', b'"prior')
_FIRST = (b"Error", b"Warning", b"Warn", b"Fatal", b"Critical")
_ANSI = re.compile(rb"\x1b\[[0-9;:]{0,32}[A-Za-z]")

_BOUND = frozenset(b" \t[](){}<>|:;,=\"'*-/.#!\r")
"""What may stand before a level's word."""

_FATAL_STARTS = (b"panic: ", b"fatal error: ", b"runtime: out of memory")
_TRACEBACK = b"Traceback (most recent call last):"
_ERROR_STARTS = (
    _TRACEBACK,
    b"Exception in thread ",
    b"Exception Group Traceback",
    b"Unhandled exception",
    b"Uncaught ",
)
_ERROR_TYPE = re.compile(
    rb"(?:[A-Za-z_$][\w$]{0,99}[./]){0,12}[A-Za-z_$]?[\w$]{0,99}?(?:Error|Exception)(?:: |$|\r$| \[)"
)
_NODE_FIRST = re.compile(rb"(?:(?:file://)?/[^\s:]{1,140}\.[cm]?[jt]sx?|node:[\w/]{1,100}):\d{1,6}\r?$")
"""Where an uncaught error was thrown, which Node says before it."""
_NODE_END = re.compile(rb"Node\.js v\d")

# How a trace goes on, by what began it.
_PLAIN, _PYTHON, _GO, _JAVA, _NODE = range(5)

_PYTHON_LAST = re.compile(rb"[A-Za-z_][\w.]{0,200}(?:: |$|\r$)")
_PYTHON_MORE = (b"During handling of the above", b"The above exception was the direct", _TRACEBACK)
_JAVA_MORE = (b"Caused by: ", b"Suppressed: ", b"... ", b"at ", b"Wrapped by: ")
_GO_CALL = re.compile(rb"[A-Za-z_][\w./\-~@*()\[\]]{0,400}\(")
_GO_MORE = (b"goroutine ", b"created by ", b"exit status ", b"[signal ", b"panic: ", b"[originating from ", b"main.")
_CLOSERS = (b"}", b"]", b")", b"})", b"},", b"],", b"};", b"});")

_BLANK = (0x20, 0x09)


def level_of(text: bytes) -> int:
    """A line's level by what stands in its head; `NONE` where it names none."""
    head = text[:HEAD]
    if head[:1] == b"{":
        return _json_level(text)
    if 0x1B in head:
        head = _ANSI.sub(b"", text[: 2 * HEAD])[:HEAD]
    if not head:
        return NONE
    if head[0] in b"IWEF" and (found := _KLOG.match(head)) is not None:
        return _LETTERS[found[1]]
    if b"=" in head and (found := _SET.search(head)) is not None:
        return _WORDS.get(found[1].lower(), NONE)
    for found in _CAPITALS.finditer(head):
        at = found.start()
        if at and head[at - 1] not in _BOUND:
            continue
        word = found[0]
        if word.isupper() or (not at and word in _FIRST) or _stands_apart(head, at, found.end()):
            return _WORDS[word.lower()]
    if (level := _bracketed(head)) != NONE:
        return level
    if (found := _COLON.match(head)) is not None:
        return _WORDS.get(found[1], NONE)
    return _by_start(head)


def _stands_apart(head: bytes, start: int, end: int) -> bool:
    """Whether a word is in brackets, or before a colon."""
    return head[end : end + 1] in (b":", b"]", b")", b"|", b">") or head[start - 1 : start] in (b"[", b"(", b"|", b"<")


def _bracketed(head: bytes) -> int:
    if b"[" in head or b"|" in head or b"(" in head or b"<" in head:
        for found in _BRACKETS.finditer(head):
            level = _WORDS.get(found[1].lower(), NONE)
            if level != NONE:
                return level
    return NONE


def _by_start(head: bytes) -> int:
    if head.startswith(_FATAL_STARTS):
        return FATAL
    if head.startswith(_ERROR_STARTS):
        return ERROR
    if head[:1] == b"<" and (found := _SYSLOG.match(head)) is not None:
        return _syslog(int(found[1]) & 7)
    if (b"Error" in head or b"Exception" in head) and _ERROR_TYPE.match(head) is not None:
        return ERROR
    if head[0] in b"/fn" and _NODE_FIRST.match(head) is not None:
        return ERROR
    return NONE


def _syslog(severity: int) -> int:
    """RFC 5424, 6.2.1: 0 emergency, 1 alert, 2 critical, 3 error, 4 warning, 5 notice, 6 informational, 7 debug."""
    return (FATAL, FATAL, FATAL, ERROR, WARNING, INFO, INFO, DEBUG)[severity]


def _json_level(text: bytes) -> int:
    found = _JSON_LEVEL.search(text[:JSON_HEAD])
    if found is None:
        return NONE
    word, number = found[1], found[2]
    if word is not None:
        return _WORDS.get(word.lower(), _LETTERS.get(word.upper(), NONE) if len(word) == 1 else NONE)
    value = int(number)
    if found[0].startswith(_SYSLOG_KEYS) and value < 8:
        return _syslog(value)
    # Pino's and Bunyan's numbers; Python's are the same from 30 on, and one lower below.
    return NONE if value < 10 or value > 69 else (value // 10)


def is_json(text: bytes) -> bool:
    """Whether a line looks like a JSON object: nobody decodes it here."""
    return text[:1] == b"{" and text.rstrip()[-1:] == b"}" and text.lstrip(b"{ ")[:1] in (b'"', b"}")


class Reader:
    """Reads the lines of one container, one after another: whether one belongs to another is in what came before."""

    def __init__(self) -> None:
        self._trace = _PLAIN
        self._level = NONE
        self._stamp = 0
        self._indented = False

    def read(self, stamps: list[int], texts: list[bytes]) -> list[int]:
        """The flags of each line."""
        flags: list[int] = []
        add = flags.append
        for at, text in enumerate(texts):
            first = text[0] if text else 0
            if (first in _SPECIAL or self._trace) and self._continues(text, first, stamps[at]):
                add(self._level | CONTINUED)
                continue
            level = level_of(text)
            self._level, self._stamp, self._indented = level, stamps[at], False
            if first == 0x7B:  # {
                self._trace = _PLAIN
                add(level | JSON if is_json(text) else level)
                continue
            self._trace = _begins(text) if level >= ERROR else _PLAIN
            add(level)
        return flags

    def _continues(self, text: bytes, first: int, stamp: int) -> bool:
        """Whether it belongs to the line above."""
        trace, indented = self._trace, self._indented
        if not self._stamp:
            return False
        if abs(stamp - self._stamp) > FAR:
            self._trace = _PLAIN
            return False
        if first in _BLANK:
            if not text.strip():
                return trace != _PLAIN
            self._indented = True
            return True
        if not text or text == b"\r":
            return trace != _PLAIN
        if first in b"}])":
            return indented and text.rstrip() in _CLOSERS
        if text.startswith(_TRACEBACK):
            if trace == _PYTHON or (self._level >= ERROR and stamp - self._stamp < NEAR):
                self._trace, self._indented = _PYTHON, False
                return True
            return False
        if first in b"CS." and text.startswith(_JAVA_MORE):
            self._trace = _JAVA
            return True
        return trace != _PLAIN and self._goes_on(text, trace, indented)

    def _goes_on(self, text: bytes, trace: int, indented: bool) -> bool:
        """Whether a line that begins at the margin is one of this trace."""
        if trace == _PYTHON:
            if text.startswith(_PYTHON_MORE):
                return True
            if indented and _PYTHON_LAST.match(text) is not None:
                self._indented = False  # the exception itself: the trace ends here, unless another follows
                return True
        elif trace == _GO:
            if text.startswith(_GO_MORE) or (text.rstrip().endswith(b")") and _GO_CALL.match(text) is not None):
                return True
        elif trace == _NODE and (_NODE_END.match(text) is not None or (indented and _ERROR_TYPE.match(text))):
            return True
        self._trace = _PLAIN
        return False


_SPECIAL = frozenset((*_BLANK, *b"}])TCS.", 0))
"""How a line begins that may belong to the one above, whatever that is."""


def _begins(text: bytes) -> int:
    """Which trace begins with this line, if one does."""
    if text.startswith(_TRACEBACK):
        return _PYTHON
    if text.startswith(_FATAL_STARTS) or b"panic" in text[:HEAD]:
        return _GO
    if text.startswith(b"Exception in thread "):
        return _JAVA
    return _NODE
