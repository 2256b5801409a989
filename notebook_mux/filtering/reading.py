"""From the text of a filter to its words; what cannot be read is told with its place, and nothing is ever raised."""

from __future__ import annotations

import re

from notebook_mux.filtering import regexes, selectors
from notebook_mux.filtering.terms import (
    BLANK,
    Alternative,
    Compared,
    Faults,
    Labels,
    Mistake,
    Parsed,
    Regex,
    Scope,
    Term,
    Text,
)

FLAGS = {
    "-n": "namespace",
    "--namespace": "namespace",
    "--cluster": "cluster",
    "-l": "labels",
    "--selector": "labels",
    "--faults": "faults",
}

_BLANKS = re.compile(f"[{BLANK}]*")
_WORD = re.compile(f"[^{BLANK}]+")
_KEY = re.compile(f'([^{BLANK}=!<>~"]+)(=~|==?|!=|!~|>=|<=|~|>|<)')
_OPERATOR = re.compile(r"=~|==?|!=|!~|>=|<=|~|>|<")
_LONE = re.compile(f"(?:=~|==?|!=|!~|>=|<=|~|>|<)(?=[{BLANK}]|$)")
_FLAG = re.compile(f"(-n|-l|--[A-Za-z][A-Za-z-]*)(?=[{BLANK}=]|$)")
_OPS = {"==": "=", "=~": "~"}
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')

WHICH = {"namespace": "such as -n prod, or -n prod,dev", "cluster": "such as --cluster kind-a"}
LABELS_TODO = "such as -l app=web, or -l 'tier in (a, b),!old'"


def parse(text: str) -> Parsed:
    """Read a filter, whatever it says."""
    reader = _Reader(text)
    reader.read()
    return Parsed(text, tuple(reader.terms), tuple(reader.mistakes))


def last_word(text: str) -> int:
    """Where the last word of a text begins, with the flag before it if it is a flag's value."""
    reader = _Reader(text)
    reader.read()
    return reader.last


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.end = len(text)
        self.terms: list[Term] = []
        self.mistakes: list[Mistake] = []
        self.last = 0
        """Where the last word begins."""

    def read(self) -> None:
        at = self._skip(0)
        while at < self.end:
            at = self._skip(self._word(at))

    # --- parts ----------------------------------------------------------------------------------------------------

    def _skip(self, at: int) -> int:
        found = _BLANKS.match(self.text, at)
        assert found is not None
        return found.end()

    def _word_end(self, at: int) -> int:
        found = _WORD.match(self.text, at)
        return found.end() if found else at

    def _wrong(self, start: int, end: int, what: str, todo: str, is_open: bool = False) -> int:
        self.mistakes.append(Mistake(start, end, what, todo, is_open))
        return end

    def _ends(self, at: int) -> bool:
        """Whether the text ends here: whoever types may go on."""
        return at >= self.end

    # --- words ----------------------------------------------------------------------------------------------------

    def _word(self, at: int) -> int:
        text = self.text
        self.last = at
        flag = _FLAG.match(text, at)
        if flag is not None:
            return self._flag(at, flag[1], flag.end())
        lone = _LONE.match(text, at)
        if lone is not None:
            todo = "write key=value as one word, or the text in quotes"
            return self._wrong(at, lone.end(), f"{lone[0]} has no blanks around it", todo, self._ends(lone.end()))
        negated = text[at] == "!" and self._word_end(at) > at + 1
        start = at + negated
        if text[start] == '"':
            return self._quoted(at, start, negated)
        if text[start] == "/":
            return self._regex(at, start, negated)
        key = _KEY.match(text, start)
        if key is not None:
            return self._compared(at, (start, key.end(1)), key[1], key[2], key.end(), negated)
        end = self._word_end(start)
        self.terms.append(Text((at, end), text[start:end], negated))
        return end

    def _quoted(self, at: int, start: int, negated: bool) -> int:
        found = _QUOTED.match(self.text, start)
        if found is None:
            return self._wrong(start, self.end, 'this " is never closed', 'close it with "', True)
        end = found.end()
        inside = _unescaped(found[1])
        op = _OPERATOR.match(self.text, end)
        if op is not None and inside:
            return self._compared(at, (start, end), inside, op[0], op.end(), negated)
        if not inside:
            return self._wrong(start, end, "nothing between the quotes", "write text there", self._ends(end))
        if self._word_end(end) > end:
            return self._glued(end, "quotes")
        self.terms.append(Text((at, end), inside, negated))
        return end

    def _glued(self, at: int, what: str) -> int:
        end = self._word_end(at)
        return self._wrong(at, end, f"this stands right behind the {what}", "put a blank between")

    def _slashed(self, start: int) -> tuple[int, str] | None:
        """The expression that begins with the / at a place, and where it ends; None where it does not."""
        text, at, inside = self.text, start + 1, False
        while at < self.end:
            char = text[at]
            if char == "\\":
                at += 1
            elif char == "[":
                inside = True
            elif char == "]":
                inside = False
            elif char == "/" and not inside and self._word_end(at + 1) == at + 1:
                return at + 1, text[start + 1 : at]
            at += 1
        return None

    def _regex(self, at: int, start: int, negated: bool) -> int:
        found = self._slashed(start)
        if found is None:
            todo = 'close it with /; a text that begins with / stands in quotes, as in "/var"'
            return self._wrong(start, self.end, "this / is never closed", todo, True)
        end, source = found
        pattern = self._translated(source, start + 1, end, is_open=self._ends(end))
        if pattern is not None:
            self.terms.append(Regex((at, end), source, pattern, negated))
        return end

    def _translated(self, source: str, start: int, end: int, *, is_open: bool) -> regexes.Pattern | None:
        if not source:
            self._wrong(start, end, "an expression is missing", "such as web-[0-9]+", is_open)
            return None
        try:
            return regexes.translated(source)
        except regexes.Wrong as wrong:
            self._wrong(start + wrong.start, start + wrong.end, wrong.what, wrong.todo, is_open)
            return None

    # --- key, operator, value -------------------------------------------------------------------------------------

    def _compared(self, at: int, key_span: tuple[int, int], key: str, op: str, start: int, negated: bool) -> int:
        op = _OPS.get(op, op)
        if op.startswith("!"):
            op, negated = op[1:], not negated
        if op == "=":
            found = self._alternatives(start)
            if found is None:
                return self.end
            end, alternatives, plain = found
            if alternatives:
                value_span = (start, end)
                self.terms.append(
                    Compared((at, end), key, key_span, op, plain, value_span, alternatives, negated=negated)
                )
            return end
        if op == "~":
            return self._matched(at, key_span, key, start, negated)
        found_value = self._value(start)
        if found_value is None:
            return self.end
        end, value = found_value
        if not value:
            todo = f"such as {key}{op}200m, {key}{op}5m or {key}{op}3"
            return self._wrong(start, end, f"{key}{op} what?", todo, self._ends(end))
        self.terms.append(Compared((at, end), key, key_span, op, value, (start, end), negated=negated))
        return end

    def _matched(self, at: int, key_span: tuple[int, int], key: str, start: int, negated: bool) -> int:
        slashed = self._slashed(start) if self.text[start : start + 1] == "/" else None
        if slashed is not None:
            end, source = slashed
            first = start + 1
        else:
            quoted = self.text[start : start + 1] == '"'
            found = self._value(start)
            if found is None:
                return self.end
            end, source = found
            first = start + quoted
        pattern = self._translated(source, first, end, is_open=self._ends(end))
        if pattern is not None:
            self.terms.append(Compared((at, end), key, key_span, "~", source, (start, end), (), pattern, negated))
        return end

    def _value(self, start: int) -> tuple[int, str] | None:
        """A value, quoted or up to a blank, and where it ends; None where its quote is not closed."""
        if self.text[start : start + 1] != '"':
            end = self._word_end(start)
            return end, self.text[start:end]
        found = _QUOTED.match(self.text, start)
        if found is None:
            self._wrong(start, self.end, 'this " is never closed', 'close it with "', True)
            return None
        end = found.end()
        if self._word_end(end) > end:
            return self._glued(end, "quotes"), ""
        return end, _unescaped(found[1])

    def _alternatives(self, start: int) -> tuple[int, tuple[Alternative, ...], str] | None:
        """``a,b*,"c d"``: where they end, the alternatives, and all of it as one text; None without a closing quote.

        There are no alternatives where one is empty beside others: a mistake was told then.
        """
        text, at, end = self.text, start, self._word_end(start)
        alternatives: list[list[str]] = [[""]]
        plain = ""
        empty = at
        quoted = False
        while at < end:
            char = text[at]
            if char == '"':
                found = _QUOTED.match(text, at)
                if found is None:
                    self._wrong(at, self.end, 'this " is never closed', 'close it with "', True)
                    return None
                inside = _unescaped(found[1])
                alternatives[-1][-1] += inside
                plain += inside
                at, quoted = found.end(), True
                end = max(end, self._word_end(at))
                continue
            if char == ",":
                if alternatives[-1] == [""] and not quoted:
                    self._wrong(empty, at + 1, "nothing before this comma", "write a,b without blanks")
                    return end, (), plain
                alternatives.append([""])
                empty, quoted = at + 1, False
            elif char == "*":
                alternatives[-1].append("")
            else:
                alternatives[-1][-1] += char
            plain += char
            at += 1
        if len(alternatives) > 1 and alternatives[-1] == [""] and not quoted:
            self._wrong(empty - 1, at, "nothing behind this comma", "write a,b without blanks", self._ends(at))
            return end, (), plain
        return end, tuple(map(tuple, alternatives)), plain

    # --- flags ----------------------------------------------------------------------------------------------------

    def _flag(self, at: int, word: str, end: int) -> int:
        what = FLAGS.get(word)
        if what is None:
            is_open = self._ends(end) and any(flag.startswith(word) for flag in FLAGS)
            todo = "there are -n, -l, --cluster and --faults; a text stands in quotes"
            self._wrong(at, end, f"there is no flag {word}", todo, is_open)
            return self._word_end(end)
        glued = self.text[end : end + 1] == "="
        if what == "faults":
            if glued:
                return self._wrong(end, self._word_end(end), "--faults takes no value", "leave it out")
            self.terms.append(Faults((at, end)))
            return end
        start = end + 1 if glued else self._skip(end)
        if what == "labels":
            return self._labels(at, end, start)
        return self._scope(at, word, what, end, start, glued)

    def _scope(self, at: int, word: str, what: str, end: int, start: int, glued: bool) -> int:
        if self._ends(start) or (not glued and self.text[start] == "-") or self._word_end(start) == start:
            return self._wrong(at, end, f"which {what}?", WHICH[what], self._ends(start))
        found = self._alternatives(start)
        if found is None:
            return self.end
        end, alternatives, _ = found
        earlier = next((one for one in self.terms if isinstance(one, Scope) and one.what == what), None)
        if earlier is not None:
            self._wrong(at, end, f"{word} stands here twice", f"for one of both write {word} a,b", self._ends(end))
        elif alternatives:
            self.terms.append(Scope((at, end), what, alternatives))
        return end

    def _labels(self, at: int, flag_end: int, start: int) -> int:
        if self._ends(start) or self._word_end(start) == start:
            return self._wrong(at, flag_end, "which labels?", LABELS_TODO, self._ends(start))
        quote = self.text[start]
        if quote in ('"', "'"):
            close = self.text.find(quote, start + 1)
            if close < 0:
                return self._wrong(start, self.end, f"this {quote} is never closed", f"close it with {quote}", True)
            requirements, _, mistake = selectors.read(self.text, start + 1, close, blanks=True)
            end = close + 1
            if mistake is None and self._word_end(end) > end:
                return self._glued(end, "quotes")
        else:
            requirements, end, mistake = selectors.read(self.text, start, self.end, blanks=False)
        if mistake is not None:
            self.mistakes.append(mistake._replace(open=mistake.open and self._ends(max(mistake.end, end))))
            return max(end, self._word_end(end))
        self.terms.append(Labels((at, end), requirements))
        return end
