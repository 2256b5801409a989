"""What a container's command would print, and how long it takes: ``echo``, ``date``, ``sleep``, ``seq`` and loops.

It is an estimate of a few well-known commands, not a shell: a script with anything else in it is not understood at all.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from notebook_mux.playground.stories.program import Program, Said, Scene, spaced
from notebook_mux.playground.stories.syntax import (
    DOLLAR,
    Command,
    For,
    Listing,
    Loop,
    NotUnderstood,
    Word,
    parse,
    word_of,
)

Json = dict[str, Any]

SHELLS = frozenset({"sh", "bash", "ash", "dash"})
WITHOUT_ENTRYPOINT = frozenset({"busybox", "alpine", "debian", "ubuntu", "bash", "fedora"})
"""Images in which the arguments alone are the command."""

COMMAND_S = 0.001
"""What each command takes: a loop without a sleep comes to its limit and not to nothing."""

STEPS = 50_000
"""Commands that are followed, then the program says nothing more: three a second for four hours and a half."""

FINITE_STEPS = 5_000
"""Commands in which a script has to come to its end to be one that ends."""

WORD_LIMIT = 64 * 1024
"""Characters of a word, and of a number's digits: a script may double what it has."""

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
EXPANSION = re.compile(
    r"\$\(\((?P<sum>.*?)\)\)(?!\))|\$\((?P<command>[^()]*)\)|\$(?P<name>[A-Za-z_]\w*|\{[A-Za-z_]\w*\})", re.DOTALL
)
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: lambda a, b: int(a / b),
    ast.Mod: lambda a, b: a - b * int(a / b),
}
TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "-eq": lambda a, b: int(a) == int(b),
    "-ne": lambda a, b: int(a) != int(b),
    "-lt": lambda a, b: int(a) < int(b),
    "-le": lambda a, b: int(a) <= int(b),
    "-gt": lambda a, b: int(a) > int(b),
    "-ge": lambda a, b: int(a) >= int(b),
}


class _Exit(Exception):
    def __init__(self, code: int):
        self.code = code


class _ForEver(Exception):
    """It goes on, and says nothing more."""


def script_of(container: Json) -> Listing | None:
    """The command of a container as a tree; None if it has none, or one that is not understood."""
    words = list(container.get("command") or ())
    if words or image_name(container.get("image", "")) in WITHOUT_ENTRYPOINT:
        words += container.get("args") or ()
    return _script(tuple(words)) if words else None


@lru_cache(maxsize=512)
def _script(words: tuple[str, ...]) -> Listing | None:
    try:
        if words[0].rpartition("/")[2] in SHELLS and len(words) > 2 and re.fullmatch(r"-[eux]*c", words[1]):
            found = parse(words[2])
        else:
            found = Listing(((";", Command(tuple(word_of(one) for one in words))),))
        known(found)
    except (NotUnderstood, RecursionError):
        return None
    return found


@lru_cache(maxsize=1024)
def image_name(image: str) -> str:
    """``nginx`` of ``docker.io/library/nginx:1.29``."""
    return image.rpartition("/")[2].partition("@")[0].partition(":")[0]


def outcome(container: Json) -> tuple[float, int] | None:
    """Seconds until a container's command ends, and its exit code; None if it does not, or is not understood."""
    script = script_of(container)
    if script is None or endless(script):
        return None
    run = Execution(script, Scene({"metadata": {"name": ""}}, container, 0, 0.0, None, ""), FINITE_STEPS)
    for _ in run:
        pass
    return None if run.code is None else (run.seconds, run.code)


def endless(script: Listing) -> bool:
    """Whether it is seen without running it that a script never ends: ``while true`` without an ``exit``."""
    for _, item in script.items:
        if isinstance(item, Loop) and not _mentions(item.body, "exit"):
            first = item.condition.items[0][1] if item.condition.items else None
            name = _plain(first.words[0]) if isinstance(first, Command) and first.words else ""
            if len(item.condition.items) == 1 and name in (("true", ":") if item.wanted else ("false",)):
                return True
    return False


def _mentions(script: Listing, name: str) -> bool:
    return any(
        (isinstance(item, Command) and bool(item.words) and _plain(item.words[0]) == name)
        or (isinstance(item, Loop | For) and _mentions(item.body, name))
        for _, item in script.items
    )


def known(script: Listing) -> None:
    """Refuse what has a command that is not known.

    Raises:
        NotUnderstood: It has.
    """
    for _, item in script.items:
        if isinstance(item, Command):
            name = _plain(item.words[0]) if item.words else ""
            if name not in COMMANDS and not ASSIGNMENT.match(name):
                raise NotUnderstood(name)
            for word in item.words:
                _check_expansions(word)
        else:
            known(item.body)
            if isinstance(item, Loop):
                known(item.condition)


def _check_expansions(word: Word) -> None:
    for text, expands in word:
        for match in EXPANSION.finditer(text) if expands else ():
            if match["command"] is not None and match["command"].split()[:1] not in (["date"], ["hostname"], ["seq"]):
                raise NotUnderstood(match[0])
        if expands and "$" in EXPANSION.sub("", text).removesuffix("$"):
            raise NotUnderstood(text)  # $?, ${a:-b} and all the others


def _plain(word: Word) -> str:
    return "".join(text for text, _ in word)


class Spoken(Program):
    """A command that is understood."""

    def __init__(self, scene: Scene, script: Listing):
        super().__init__(scene)
        self._script = script

    def begins(self) -> Iterator[Said]:
        """What it prints."""
        return iter(Execution(self._script, self.scene, STEPS))


class Execution:
    """One run of a script: its lines, and when.

    Attributes:
        seconds: How far it is.
        code: Its exit code once it has ended; None if it goes on for ever, or for longer than is followed.
    """

    def __init__(self, script: Listing, scene: Scene, steps: int):
        self.seconds = 0.0
        self.code: int | None = None
        self._script = script
        self._scene = scene
        self._steps = steps
        self._unfinished = ""
        self._status = 0
        environment = {one["name"]: one.get("value", "") for one in scene.container.get("env") or ()}
        self._variables: dict[str, str] = {"HOSTNAME": scene.name, **environment}

    def __iter__(self) -> Iterator[Said]:
        try:
            yield from self._list(self._script)
            self.code = self._status
        except _Exit as end:
            self.code = end.code
        except _ForEver:
            return
        if self._unfinished:
            yield self.seconds, self._unfinished

    def _list(self, script: Listing) -> Iterator[Said]:
        for before, item in script.items:
            if before != ";" and (self._status == 0) != (before == "&&"):
                continue
            if isinstance(item, Command):
                yield from self._command(item)
            elif isinstance(item, For):
                for value in " ".join(map(self._expanded, item.words)).split():
                    self._variables[item.name] = value
                    yield from self._list(item.body)
            else:
                while True:
                    yield from self._list(item.condition)
                    if (self._status == 0) != item.wanted:
                        break
                    yield from self._list(item.body)
                self._status = 0

    def _command(self, command: Command) -> Iterator[Said]:
        self._steps -= 1
        if self._steps < 0:
            raise _ForEver
        self.seconds += COMMAND_S
        name = _plain(command.words[0])
        try:
            words = [self._expanded(word) for word in command.words]
            if match := ASSIGNMENT.match(name):
                self._variables[match[1]] = words[0].partition("=")[2]
                return
            said, self._status = COMMANDS[words[0]](self, words[1:])
        except (ValueError, ArithmeticError):
            said, self._status = f"sh: {name}: bad number\n", 2
        *lines, self._unfinished = (self._unfinished + said)[-WORD_LIMIT:].split("\n")
        for line in lines:
            yield self.seconds, line

    def _expanded(self, word: Word) -> str:
        text = "".join(EXPANSION.sub(self._value, part) if expands else part for part, expands in word)
        return text.replace(DOLLAR, "$")[:WORD_LIMIT]

    def _value(self, match: re.Match[str]) -> str:
        if match["name"]:
            return self._variables.get(match["name"].strip("{}"), "")
        if match["sum"] is not None:
            return str(self._sum(match["sum"]))
        name, *words = match["command"].replace('"', "").replace("'", "").split()
        return COMMANDS[name](self, words)[0].rstrip("\n")

    def _sum(self, text: str) -> int:
        try:
            return self._number(ast.parse(text.replace("$", "").replace("/", "//").strip(), mode="eval").body)
        except (SyntaxError, ValueError, ArithmeticError, RecursionError):
            return 0

    def _number(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int(value)):
                return value
            case ast.Name(id=name):
                return int(self._variables.get(name) or 0)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._number(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                found = OPERATORS[type(op)](self._number(left), self._number(right))
                return (found + 2**63) % 2**64 - 2**63  # as a shell counts
        raise ValueError(node)

    # ---------------------------------------------------------------------------------------- its commands

    def echo(self, words: Sequence[str]) -> tuple[str, int]:
        """``echo [-n] [-e] words``."""
        words, end = list(words), "\n"
        while words and words[0] in ("-n", "-e", "-ne", "-en"):
            end = "" if "n" in words[0] else end
            words.pop(0)
        return " ".join(words).replace("\\n", "\n").replace("\\t", "\t") + end, 0

    def printf(self, words: Sequence[str]) -> tuple[str, int]:
        """``printf form words``, with ``%s`` and ``%d``."""
        form, rest = (words[0] if words else ""), list(words[1:])
        said = re.sub(r"%[-0-9]*[sd]", lambda _: rest.pop(0) if rest else "", form)
        return said.replace("%%", "%").replace("\\n", "\n").replace("\\t", "\t"), 0

    def date(self, words: Sequence[str]) -> tuple[str, int]:
        """``date [-u] [+form]``."""
        at = self._scene.started + self.seconds
        form = next((one[1:] for one in words if one.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
        form = (
            form.replace("%s", str(int(at)))
            .replace("%N", f"{int(at % 1 * 1e9):09d}")
            .replace("%e", f"{int(spaced(at, '%d')):2}")
        )
        return spaced(at, form) + "\n", 0

    def sleep(self, words: Sequence[str]) -> tuple[str, int]:
        """``sleep 5``, ``sleep 2m``, ``sleep infinity``."""
        if "infinity" in words or "inf" in words:
            raise _ForEver
        for word in words:
            match = re.fullmatch(r"(\d*\.?\d+)([smhd]?)", word)
            if match is None:
                return f"sleep: invalid number '{word}'\n", 1
            self.seconds += float(match[1]) * UNITS[match[2]]
        return "", 0

    def seq(self, words: Sequence[str]) -> tuple[str, int]:
        """``seq [first [step]] last``."""
        numbers = [int(one) for one in words]
        first, step = (numbers[0] if len(numbers) > 1 else 1), (numbers[1] if len(numbers) > 2 else 1)
        steps = range(first, numbers[-1] + (1 if step > 0 else -1), step) if numbers else range(0)
        return "".join(f"{one}\n" for one in steps[:FINITE_STEPS]), 0

    def test(self, words: Sequence[str]) -> tuple[str, int]:
        """``[ a -lt b ]``, ``[ a = b ]``, ``[ -n a ]``, ``[ -z a ]``."""
        match [one for one in words if one != "]"]:
            case [left, test, right] if test in TESTS:
                return "", 0 if TESTS[test](left, right) else 1
            case ["-n", text] | [text]:
                return "", 0 if text else 1
            case ["-z", text]:
                return "", 1 if text else 0
        return "", 2

    def exit(self, words: Sequence[str]) -> tuple[str, int]:
        """``exit [code]``."""
        raise _Exit(int(words[0]) % 256 if words else self._status)

    def tail(self, words: Sequence[str]) -> tuple[str, int]:
        """``tail -f /dev/null``, which many containers wait with."""
        raise _ForEver


COMMANDS: Mapping[str, Callable[[Execution, Sequence[str]], tuple[str, int]]] = {
    "echo": Execution.echo,
    "printf": Execution.printf,
    "date": Execution.date,
    "sleep": Execution.sleep,
    "seq": Execution.seq,
    "test": Execution.test,
    "[": Execution.test,
    "exit": Execution.exit,
    "tail": Execution.tail,
    "hostname": lambda run, _: (run._scene.name + "\n", 0),
    "true": lambda *_: ("", 0),
    ":": lambda *_: ("", 0),
    "set": lambda *_: ("", 0),
    "false": lambda *_: ("", 1),
}
"""What is understood."""
