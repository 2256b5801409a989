"""``find`` and other questions of paths: ``basename``, ``dirname``; ``expr``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

from notebook_mux.playground.shell.arithmetic import SumFault, evaluate
from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.commands.shells import launched
from notebook_mux.playground.shell.expansion import Fault
from notebook_mux.playground.shell.files import Place
from notebook_mux.playground.shell.inodes import FileFault, Folder, Node
from notebook_mux.playground.shell.patterns import fits, units
from notebook_mux.playground.shell.regex import Regex
from notebook_mux.playground.shell.running import Fail, Run

DEPTH = 64
"""Folders within folders that are searched."""


async def walked(run: Run, path: str, depth: int = DEPTH) -> AsyncIterator[tuple[str, Place, int]]:
    """All that is at and below a path, folders before what is in them: as it is called, where it is, how deep.

    Raises:
        FileFault: Nothing is at the path.
    """
    stack = [(path, run.container.files.there(path, run.cwd, follow=False), 0)]
    while stack:
        name, place, level = stack.pop()
        await run.spend(0.2)
        yield name, place, level
        if not isinstance(place.node, Folder) or level >= depth:
            continue
        if not run.container.files.may(place.node, 5):
            await run.complain(f"{name}: Permission denied")
            continue
        for entry, node in sorted(run.container.files.entries(place), reverse=True):
            full = f"{'' if place.path == '/' else place.path}/{entry}"
            mount = run.container.files.mounts.get(full, place.mount)
            stack.append((f"{name.rstrip('/')}/{entry}", Place(full, place.node, node, mount), level + 1))


@command("find", "files: -name '*.conf' -type f -maxdepth 2 -size +1k -exec ... ;")
async def find(run: Run) -> int:
    """``find paths tests``."""
    paths, rest = list[str](), list(run.args)
    while rest and not rest[0].startswith(("-", "!", "(")):
        paths.append(rest.pop(0))
    patterns = " ".join(rest)
    tests, action, depth, deletes = _tests(run, rest)
    for path in paths or ["."]:
        removed = list[Place]()
        try:
            async for name, place, level in walked(run, path, depth):
                assert place.node is not None
                await run.spend(units(name, patterns))
                if not all(test(name, place.node, level) for test in tests):
                    continue
                if deletes:
                    removed.append(place)
                elif action:
                    words = [word.replace("{}", name) for word in action]
                    try:
                        await launched(run, words, run.environment)
                    except Fault as fault:
                        raise Fail(str(fault)) from None
                else:
                    await run.write(f"{name}\n")
        except FileFault as fault:
            await run.complain(f"{path}: {fault}")
        for place in reversed(removed):
            if not (isinstance(place.node, Folder) and place.node.names()):
                run.container.files.remove(place)
    return 0


Test = Callable[[str, Node, int], bool]


def _tests(run: Run, words: list[str]) -> tuple[list[Test], list[str], int, bool]:
    """The tests, the program of ``-exec``, how deep, and whether what is found goes."""
    tests, action, depth, deletes, negated = list[Test](), list[str](), DEPTH, False, False
    while words:
        word = words.pop(0)
        if word in ("!", "-not"):
            negated = True
            continue
        if word in ("-print", "-a", "-mount", "-xdev"):
            continue
        if word == "-delete":
            deletes = True
            continue
        if word == "-exec":
            while words and words[0] not in (";", "+"):
                action.append(words.pop(0))
            words = words[1:]
            continue
        if not words and word != "-empty":
            raise Fail(f"unrecognized: {word}")
        value = words.pop(0) if word != "-empty" else ""
        if word in ("-maxdepth", "-mindepth"):
            number = run.whole(value)
            depth = min(depth, number) if word == "-maxdepth" else depth
            if word == "-mindepth":
                tests.append(_deep(number))
            continue
        test = _test(word, value, run.container.now())
        tests.append(_not(test) if negated else test)
        negated = False
    return tests, action, depth, deletes


def _deep(least: int) -> Test:
    return lambda _, __, level: level >= least


def _not(test: Test) -> Test:
    return lambda name, node, level: not test(name, node, level)


def _last(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2] or "/"


def _test(word: str, value: str, now: float) -> Test:
    if word in ("-name", "-iname"):
        folded = word == "-iname"
        return lambda name, _, __: fits(
            _last(name).lower() if folded else _last(name), value.lower() if folded else value
        )
    if word == "-path":
        return lambda name, _, __: fits(name, value)
    if word == "-type":
        kinds = {"f": "-", "d": "d", "l": "l", "c": "c"}
        return lambda _, node, __: node.kind == kinds.get(value)
    if word == "-empty":
        return lambda _, node, __: not node.names() if isinstance(node, Folder) else node.size == 0
    match = re.fullmatch(r"([+-]?)(\d{1,9})([ckMG]?)", value)
    if word in ("-size", "-mmin", "-mtime") and match:
        scale = {"c": 1, "k": 1024, "M": 1024**2, "G": 1024**3}.get(match[3], 512)
        sign, amount = match[1], int(match[2])

        def compared(_: str, node: Node, __: int) -> bool:
            unit = {"-mmin": 60, "-mtime": 86_400}.get(word)
            measured = int((now - node.mtime) // unit) if unit else -(-node.size // scale)
            return measured > amount if sign == "+" else measured < amount if sign == "-" else measured == amount

        return compared
    raise Fail(f"unrecognized: {word}")


@command("basename", "a path's last part")
async def basename(run: Run) -> int:
    """``basename path [ending]``."""
    if not run.args:
        raise Fail("missing operand")
    name = run.args[0].rstrip("/").rpartition("/")[2] or "/"
    if len(run.args) > 1 and name != run.args[1]:
        name = name.removesuffix(run.args[1])
    await run.write(f"{name}\n")
    return 0


@command("dirname", "a path without its last part")
async def dirname(run: Run) -> int:
    """``dirname path``."""
    if not run.args:
        raise Fail("missing operand")
    before, slash, _ = run.args[0].rstrip("/").rpartition("/")
    await run.write(f"{before or (slash or '.')}\n")
    return 0


@command("expr", "sums and comparisons of words")
async def expr(run: Run) -> int:
    """``expr 1 + 2``, ``expr a = b``, ``expr length x``."""
    match run.args:
        case ["length", text]:
            value = str(len(text))
        case [text, ":", pattern]:
            match = Regex(f"^{pattern}").search(text)
            value = "0" if match is None else match.group(text, 1) if "\\(" in pattern else str(match.end)
        case [left, ("=" | "!="), right]:
            value = str(int((left == right) == (run.args[1] == "=")))
        case _:
            try:
                value = str(evaluate(" ".join(run.args), lambda _: "0", lambda *_: None))
            except SumFault:
                raise Fail("syntax error", 2) from None
    await run.write(f"{value}\n")
    return int(value in ("", "0"))
