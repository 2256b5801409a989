"""``sed``: s, y, d, p, q, a, i, c and =, with addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.commands.text import decoded
from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.regex import Match, Regex
from notebook_mux.playground.shell.running import WHOLE_LIMIT, Fail, Run

LINE_LIMIT = 256 * 1024
"""Characters of an edited line."""


@dataclass(slots=True)
class _Edit:
    """One command of a script of ``sed``."""

    name: str
    first: int | str | Regex | None
    last: int | str | Regex | None
    negated: bool
    regex: Regex | None = None
    text: str = ""
    flags: str = ""
    inside: bool = False

    def chosen(self, number: int, is_last: bool, line: str) -> bool:
        """Whether it is for this line."""
        return self._within(number, is_last, line) != self.negated

    def _within(self, number: int, is_last: bool, line: str) -> bool:
        if self.first is None:
            return True
        if self.last is None:
            return _at(self.first, number, is_last, line)
        if self.inside:
            if _at(self.last, number, is_last, line) or (isinstance(self.last, int) and number >= self.last):
                self.inside = False
                return not isinstance(self.last, int) or number <= self.last
            return True
        if _at(self.first, number, is_last, line):
            self.inside = not (isinstance(self.last, int) and number >= self.last)
            return True
        return False


def _at(address: int | str | Regex, number: int, is_last: bool, line: str) -> bool:
    if isinstance(address, Regex):
        return address.search(line) is not None
    return is_last if address == "$" else number == address


class _Edits:
    """Reads a script of ``sed``: s, d, p, q, a, i, c, y, =, with addresses."""

    def __init__(self, text: str, extended: bool):
        self.text = text
        self.at = 0
        self.extended = extended

    def all(self) -> list[_Edit]:
        found = list[_Edit]()
        while True:
            while self.at < len(self.text) and self.text[self.at] in " \t\n;":
                self.at += 1
            if self.at >= len(self.text):
                return found
            found.append(self._one())

    def _address(self) -> int | str | Regex | None:
        if match := re.compile(r"\d{1,9}|\$").match(self.text, self.at):
            self.at = match.end()
            return match[0] if match[0] == "$" else int(match[0])
        if self.text.startswith("/", self.at):
            self.at += 1
            return Regex(self._until("/"), extended=self.extended)
        return None

    def _until(self, end: str) -> str:
        found = list[str]()
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == end:
                return "".join(found)
            if char == "\\" and self.at < len(self.text):
                following = self.text[self.at]
                self.at += 1
                found.append(following if following == end and end != "|" else char + following)
            else:
                found.append(char)
        raise Fail(f"unterminated address or command in '{self.text}'")

    def _one(self) -> _Edit:
        first = self._address()
        last = None
        if first is not None and self.text.startswith(",", self.at):
            self.at += 1
            last = self._address()
        while self.at < len(self.text) and self.text[self.at] in " !":
            self.at += 1
        negated = "!" in self.text[: self.at] and self.text[: self.at].rstrip().endswith("!")
        name = self.text[self.at : self.at + 1]
        self.at += 1
        edit = _Edit(name, first, last, negated)
        if name == "s" or name == "y":
            end = self.text[self.at : self.at + 1]
            if not end or end in "\\\n":
                raise Fail(f"bad option in substitution expression: '{self.text}'")
            self.at += 1
            pattern = self._until(end)
            edit.text = self._until(end)
            match = re.compile(r"[giIpe0-9]*").match(self.text, self.at)
            edit.flags = match[0] if match else ""
            self.at += len(edit.flags)
            if name == "s":
                edit.regex = Regex(pattern, extended=self.extended, ignore_case="i" in edit.flags.lower())
            else:
                edit.flags = pattern
        elif name in ("a", "i", "c"):
            end_of_line = self.text.find("\n", self.at)
            end_of_line = len(self.text) if end_of_line < 0 else end_of_line
            edit.text = self.text[self.at : end_of_line].lstrip().removeprefix("\\").lstrip()
            self.at = end_of_line
        elif name == "" or name not in "dpq=":
            raise Fail(f"unsupported command {name}: the playground's sed knows s, y, d, p, q, a, i, c and =")
        return edit


@command("sed", "edits lines: s/old/new/g, /x/d, 2,3p with -n, -i for files")
async def sed(run: Run) -> int:
    """``sed [-n] [-E] [-i] [-e script] [script] files``."""
    args = ["-i" if re.fullmatch(r"-i\S*", arg) and arg not in ("-in", "-ie") else arg for arg in run.args]
    scripts, run.args = list[str](), args
    while "-e" in run.args[:-1]:
        at = run.args.index("-e")
        scripts.append(run.args[at + 1])
        del run.args[at : at + 2]
    options, names = run.options("nEris", "in-place", "quiet", "regexp-extended")
    if not scripts:
        if not names:
            raise Fail("no script")
        scripts = [names.pop(0)]
    edits = _Edits("\n".join(scripts), "E" in options or "r" in options).all()
    quiet = "n" in options
    if "i" in options or "in-place" in options:
        for name in names:
            try:
                data = run.container.files.read(name, run.cwd)
                found = list[str]()
                await _edit(run, edits, decoded(data).splitlines(), quiet, found.append)
                run.container.files.write(name, "".join(found).encode("utf-8", "surrogateescape"), run.cwd)
            except FileFault as fault:
                await run.complain(f"{name}: {fault}")
        return 0
    rows = list[str]()
    for name in names or ["-"]:
        try:
            source = run.streams.stdin if name == "-" else run.open_source(name)
        except FileFault as fault:
            await run.complain(f"{name}: {fault}")
            continue
        rows += decoded(await run.everything(source)).splitlines()
    shown = list[str]()
    await _edit(run, edits, rows, quiet, shown.append)
    await run.write("".join(shown))
    return 0


async def _edit(run: Run, edits: list[_Edit], rows: list[str], quiet: bool, tell: Callable[[str], None]) -> None:
    size = 0

    def say(text: str) -> None:
        nonlocal size
        size += len(text)
        if size > WHOLE_LIMIT:
            raise Fail("out of memory")
        tell(text)

    for number, line in enumerate(rows, 1):
        await run.spend(0.2 + len(line) / 256)
        deleted, behind, leaves = False, list[str](), False
        for edit in edits:
            chosen = edit.chosen(number, number == len(rows), line)
            for one in (edit.first, edit.last):
                if isinstance(one, Regex):
                    await run.spend(one.owed())
            if not chosen:
                continue
            if edit.name == "d":
                deleted = True
                break
            if edit.name == "s":
                line, changed = _substituted(line, edit)
                assert edit.regex is not None
                await run.spend(edit.regex.owed())
                if changed and "p" in edit.flags:
                    say(f"{line}\n")
            elif edit.name == "y":
                table = dict(zip(edit.flags, edit.text, strict=False))
                line = "".join(table.get(char, char) for char in line)
            elif edit.name == "p":
                say(f"{line}\n")
            elif edit.name == "=":
                say(f"{number}\n")
            elif edit.name == "i":
                say(f"{edit.text}\n")
            elif edit.name == "a":
                behind.append(f"{edit.text}\n")
            elif edit.name == "c":
                say(f"{edit.text}\n")
                deleted = True
                break
            elif edit.name == "q":
                leaves = True
                break
        if not deleted and not quiet:
            say(f"{line}\n")
        for text in behind:
            say(text)
        if leaves:
            return


def _substituted(line: str, edit: _Edit) -> tuple[str, bool]:
    assert edit.regex is not None
    found, at, count, size = list[str](), 0, 0, 0
    wanted = int(re.sub(r"\D", "", edit.flags) or 1)
    while at <= len(line):
        match = edit.regex.search(line, at)
        if match is None:
            break
        count += 1
        found.append(line[at : match.start])
        replaced = count >= wanted if "g" in edit.flags else count == wanted
        found.append(_filled(edit.text, line, match) if replaced else line[match.start : match.end])
        at = match.end
        if match.end == match.start:
            found.append(line[at : at + 1])
            at += 1
        if replaced and "g" not in edit.flags:
            break
        size += sum(map(len, found[-3:]))
        if size > LINE_LIMIT:
            raise Fail("out of memory")
    return "".join(found) + line[at:], count >= wanted


def _filled(text: str, line: str, match: Match) -> str:
    def value(one: re.Match[str]) -> str:
        if one[0] == "&":
            return match.group(line, 0)
        if one[1].isdigit():
            return match.group(line, int(one[1]))
        return {"n": "\n", "t": "\t"}.get(one[1], one[1])

    return re.sub(r"\\(.)|&", value, text, flags=re.DOTALL)
