"""Reads shell scripts (POSIX.1-2017, XCU 2.10): pipes, lists, loops, conditions, functions, here-documents."""

from __future__ import annotations

import re

from notebook_mux.playground.shell import words
from notebook_mux.playground.shell.nodes import (
    Case,
    Chain,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirect,
    Script,
    Simple,
    Text,
    Word,
)
from notebook_mux.playground.shell.words import Incomplete, SyntaxFault

__all__ = ["Incomplete", "SyntaxFault", "parse"]

LIMIT = 128 * 1024
"""Characters of a script: what Linux allows one argument (MAX_ARG_STRLEN)."""

DEPTH = 40
"""Of commands within commands."""

OPERATORS = ("&&", "||", ";;", "|", "&", ";", "(", ")", "\n")
REDIRECT = re.compile(r"([0-9]?)(&>>|&>|<<<|<<-|<<|>>|>&|<&|>\||<>|<|>)")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
FUNCTION = re.compile(r"([A-Za-z_:.][\w:.-]*)[ \t]*\([ \t]*\)", re.ASCII)
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
RESERVED = re.compile(r"(if|then|else|elif|fi|while|until|for|in|do|done|case|esac|function|\{|\}|!)(?=[\s;&|()<>]|$)")
CLOSING = frozenset({"then", "else", "elif", "fi", "do", "done", "esac", "}"})


def parse(text: str) -> Script:
    """A script as a tree.

    Raises:
        Incomplete: It ends in the middle of something.
        SyntaxFault: It is none.
    """
    if len(text) > LIMIT:
        raise SyntaxFault("argument list too long")
    parser = Parser(text)
    script = parser.script(())
    if parser.at < len(parser.text):
        raise SyntaxFault(f'unexpected "{parser.operator() or parser.reserved() or parser.text[parser.at]}"')
    if parser.awaited:
        raise Incomplete("end of file in a here-document")
    return script


class Parser:
    """One pass over a text. Its words are read by `words`, which calls it back for what stands in ``$( )``."""

    def __init__(self, text: str, at: int = 0, depth: int = 0):
        self.text = text
        self.at = at
        self.depth = depth
        self.awaited: list[tuple[str, bool, bool, list[Redirect | None]]] = []
        """Here-documents whose text begins on the next line: end, tabs go, expands, and where it is put."""

    # ------------------------------------------------------------------------------------------ its tokens

    def blanks(self) -> None:
        """Pass over blanks, comments and joined lines."""
        while self.at < len(self.text):
            if self.text[self.at] in " \t\r":
                self.at += 1
            elif self.text.startswith("\\\n", self.at):
                self.at += 2
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def operator(self) -> str:
        """The operator that comes next, which stays; empty if it is none."""
        self.blanks()
        return next((one for one in OPERATORS if self.text.startswith(one, self.at)), "")

    def take(self, token: str) -> bool:
        """Pass over an operator if it comes next."""
        if self.operator() != token:
            return False
        self.at += len(token)
        if token == "\n":
            self._documents()
        return True

    def newlines(self) -> None:
        """Pass over empty lines."""
        while self.take("\n"):
            pass

    def reserved(self) -> str:
        """The reserved word that comes next, which stays."""
        self.blanks()
        match = RESERVED.match(self.text, self.at)
        return match[1] if match else ""

    def expect(self, word: str) -> None:
        """Pass over a reserved word.

        Raises:
            SyntaxFault: Something else comes.
        """
        self.newlines()
        if self.reserved() != word:
            self._unexpected()
        self.at += len(word)

    def _unexpected(self) -> None:
        self.blanks()
        if self.at >= len(self.text):
            raise Incomplete("unexpected end of file")
        found = self.operator() or self.reserved() or self.text[self.at]
        raise SyntaxFault("unexpected newline" if found == "\n" else f'unexpected "{found}"')

    # --------------------------------------------------------------------------------------------- commands

    def script(self, ends: tuple[str, ...]) -> Script:
        """Commands up to an end (a reserved word, ``)`` or ``;;``), which stays, or to the end of the text."""
        if self.depth > DEPTH:
            raise SyntaxFault("too many commands within commands")
        self.depth += 1
        chains = list[Chain]()
        while True:
            self.newlines()
            if self.at >= len(self.text):
                if ends:
                    raise Incomplete("unexpected end of file")
                break
            found = self.operator() or self.reserved()
            if found in ends:
                break
            if found in CLOSING or found in (")", ";;", ";", "&", "|", "&&", "||"):
                if found == ")" and not ends:
                    break
                self._unexpected()
            chains.append(self._chain())
        self.depth -= 1
        return Script(tuple(chains))

    def _chain(self) -> Chain:
        items = [("", self._pipeline())]
        while (found := self.operator()) in ("&&", "||"):
            self.take(found)
            self.newlines()
            items.append((found, self._pipeline()))
        if self.take("&"):
            return Chain(tuple(items), background=True)
        if not self.take(";") and self.operator() not in ("\n", ")", ";;", "") and not self.reserved():
            self._unexpected()
        return Chain(tuple(items))

    def _pipeline(self) -> Pipeline:
        negated = self.reserved() == "!"
        if negated:
            self.at += 1
        commands = [self._command()]
        while self.take("|"):
            self.newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        found = self.operator()
        if found == "(":
            self.take("(")
            script = self.script((")",))
            self.take(")")
            return Group(script, True, self._redirects())
        if found:
            self._unexpected()
        if match := FUNCTION.match(self.text, self.at):
            self.at = match.end()
            self.newlines()
            return Function(match[1], self._command())
        self.depth += 1
        try:
            return self._compound(self.reserved())
        finally:
            self.depth -= 1

    def _compound(self, word: str) -> Command:
        if word not in ("{", "if", "while", "until", "for", "case", "function"):
            return self._simple()
        self.at += len(word)
        if word == "{":
            script = self.script(("}",))
            self.expect("}")
            return Group(script, False, self._redirects())
        if word == "if":
            return self._if()
        if word in ("while", "until"):
            condition = self.script(("do",))
            return Loop(condition, self._body(), word == "until", self._redirects())
        if word == "for":
            return self._for()
        if word == "case":
            return self._case()
        self.blanks()
        name = NAME.match(self.text, self.at)
        if name is None:
            self._unexpected()
            raise AssertionError
        self.at = name.end()
        if self.take("("):
            self.take(")")
        self.newlines()
        return Function(name[0], self._command())

    def _body(self) -> Script:
        self.expect("do")
        body = self.script(("done",))
        self.expect("done")
        return body

    def _if(self) -> If:
        branches, otherwise = list[tuple[Script, Script]](), None
        while True:
            condition = self.script(("then",))
            self.expect("then")
            branches.append((condition, self.script(("elif", "else", "fi"))))
            word = self.reserved()
            self.at += len(word)
            if word == "else":
                otherwise = self.script(("fi",))
                self.expect("fi")
            if word != "elif":
                return If(tuple(branches), otherwise, self._redirects())

    def _for(self) -> For:
        self.blanks()
        name = NAME.match(self.text, self.at)
        if name is None:
            self._unexpected()
            raise AssertionError
        self.at = name.end()
        self.newlines()
        given: list[Word] | None = None
        if self.reserved() == "in":
            self.at += 2
            given = []
            while (word := self.word()) is not None:
                given.append(word)
        self.take(";")
        body = self._body()
        return For(name[0], None if given is None else tuple(given), body, self._redirects())

    def _case(self) -> Case:
        word = self.word()
        if word is None:
            self._unexpected()
            raise AssertionError
        self.expect("in")
        branches = list[tuple[tuple[Word, ...], Script]]()
        while True:
            self.newlines()
            if self.reserved() == "esac":
                self.at += 4
                return Case(word, tuple(branches), self._redirects())
            self.take("(")
            patterns = list[Word]()
            while not self.take(")"):
                pattern = self.word()
                if pattern is None:
                    self._unexpected()
                    raise AssertionError
                patterns.append(pattern)
                self.take("|")
            branches.append((tuple(patterns), self.script((";;", "esac"))))
            self.take(";;")

    def _simple(self) -> Simple:
        assignments, found, redirects = list[tuple[str, Word]](), list[Word](), list[Redirect | None]()
        while True:
            self.blanks()
            if self._redirect(redirects):
                continue
            match = ASSIGNMENT.match(self.text, self.at)
            if match and not found:
                self.at = match.end()
                value = self.word(adjacent=True)
                assignments.append((match[0][:-1], value or ()))
                continue
            word = self.word()
            if word is None:
                break
            found.append(word)
        if not (assignments or found or redirects):
            self._unexpected()
        return Simple(tuple(assignments), tuple(found), self._settled(redirects))

    def word(self, *, adjacent: bool = False) -> Word | None:
        """The next word; None if none comes. An adjacent one has to begin right here."""
        if not adjacent:
            self.blanks()
        return words.word(self)

    # -------------------------------------------------------------------------------------------- redirects

    def _redirects(self) -> tuple[Redirect, ...]:
        found = list[Redirect | None]()
        while self._redirect(found):
            pass
        return self._settled(found)

    def _settled(self, found: list[Redirect | None]) -> tuple[Redirect, ...]:
        """Redirects; those of here-documents have their text only now if the line ends here."""
        if any(where is found for *_, where in self.awaited):
            save = self.at
            end = self._end_of_line()
            if end < 0:
                raise Incomplete("end of file in a here-document")
            self.at = end
            self._documents()
            # What is left of this line is read first, then what follows the documents.
            self.text = self.text[: end + 1] + self.text[self.at :]
            self.at = save
        return tuple(one for one in found if one is not None)

    def _end_of_line(self) -> int:
        """Where this line ends: a newline outside of quotes, as far as is seen."""
        quote, at = "", self.at
        while at < len(self.text):
            char = self.text[at]
            if char == "\\" and quote != "'":
                at += 1
            elif quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char == "\n":
                return at
            at += 1
        return -1

    def _redirect(self, found: list[Redirect | None]) -> bool:
        self.blanks()
        match = REDIRECT.match(self.text, self.at)
        if match is None:
            return False
        operator = match[2]
        self.at = match.end()
        self.blanks()
        begin = self.at
        word = self.word()
        if word is None:
            self._unexpected()
            raise AssertionError
        stream = int(match[1]) if match[1] else 0 if operator.startswith("<") else 1
        if operator in ("<<", "<<-"):
            raw = self.text[begin : self.at]
            quoted = any(char in raw for char in "'\"\\")
            found.append(None)
            self.awaited.append((re.sub(r"""['"\\]""", "", raw), operator == "<<-", not quoted, found))
        elif operator == "<<<":
            found.append(Redirect(0, "<<", (*word, Text("\n", True))))
        elif operator in ("&>", "&>>"):
            found += [Redirect(1, operator[1:], word), Redirect(2, ">&", (Text("1"),))]
        else:
            found.append(Redirect(stream, {">|": ">", "<>": "<"}.get(operator, operator), word))
        return True

    def _documents(self) -> None:
        """Read the here-documents that begin on this line, whose newline has been passed or comes next."""
        if not self.awaited:
            return
        if self.text.startswith("\n", self.at):
            self.at += 1
        for end, tabs, expands, found in self.awaited:
            lines = list[str]()
            while True:
                if self.at >= len(self.text):
                    raise Incomplete("end of file in a here-document")
                line, newline, _ = self.text[self.at :].partition("\n")
                self.at += len(line) + len(newline)
                line = line.lstrip("\t") if tabs else line
                if line == end:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            word = words.document(body, self.depth) if expands else (Text(body, True),)
            found[found.index(None)] = Redirect(0, "<<", word)
        self.awaited.clear()
