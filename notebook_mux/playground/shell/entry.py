"""Which containers' own programs are emulated: shells, and what is made of programs that are known here.

What a story tells (`stories.commands`) stays with it: it costs nothing while nobody looks. What is neither runs for
ever and says little.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from notebook_mux.playground.shell import images
from notebook_mux.playground.shell.commands.names import BUILTIN_NAMES, NAMES
from notebook_mux.playground.shell.nodes import Case, For, Function, Group, If, Loop, Script, Simple, Text, Word
from notebook_mux.playground.shell.parser import SyntaxFault, parse
from notebook_mux.playground.stories.commands import SHELLS, script_of

Json = dict[str, Any]


def words_of(container: Json) -> tuple[str, ...]:
    """The words of a container's own program."""
    command, args = tuple(container.get("command") or ()), tuple(container.get("args") or ())
    return _words(command, args, container.get("image", ""))


@lru_cache(maxsize=512)
def _words(command: tuple[str, ...], args: tuple[str, ...], image_name: str) -> tuple[str, ...]:
    image = images.of(image_name)
    if command:
        return command + args
    if image.on_term is None and args:
        return args  # an image without an entrypoint
    return image.command + args


def is_emulated(container: Json) -> bool:
    """Whether a container's own program is run by the emulation."""
    return _is_emulated(words_of(container), container.get("image", ""), _told(container))


def is_known(words: list[str], image: str) -> bool:
    """Whether a command that is run in a container of an image has only programs that are emulated."""
    return _is_emulated(tuple(words), image, False)


def is_shell(container: Json) -> bool:
    """Whether it is a shell that reads what it does from its input: it ends at once where it has none."""
    words = words_of(container)
    return is_emulated(container) and words[0].rpartition("/")[2] in SHELLS and len(words) == 1


def _told(container: Json) -> bool:
    return script_of(container) is not None


@lru_cache(maxsize=512)
def _is_emulated(words: tuple[str, ...], image: str, told: bool) -> bool:
    if told or not words or images.of(image).family == "none":
        return False
    name = words[0].rpartition("/")[2]
    if name in SHELLS:
        at = next((at for at, word in enumerate(words[1:], 1) if not word.startswith("-")), 0)
        runs_text = len(words) > 2 and words[1].startswith("-") and "c" in words[1]
        if len(words) == 1 or not at:
            return True
        return runs_text and _is_known(words[2])
    return name in NAMES


def _is_known(text: str) -> bool:
    """Whether a script has only commands that are known here."""
    try:
        script = parse(text)
    except (SyntaxFault, RecursionError):
        return False
    found, functions = set[str](), set[str]()
    _collect(script, found, functions)
    return bool(found) and found <= NAMES | BUILTIN_NAMES | functions


def _collect(script: Script, found: set[str], functions: set[str]) -> None:
    commands = [one for chain in script.chains for _, pipeline in chain.items for one in pipeline.commands]
    while commands:
        match commands.pop():
            case Simple(words=words) if words:
                found.add(_plain(words[0]))
            case Group(script=inner):
                _collect(inner, found, functions)
            case If(branches=branches, otherwise=otherwise):
                for condition, body in branches:
                    _collect(condition, found, functions)
                    _collect(body, found, functions)
                if otherwise is not None:
                    _collect(otherwise, found, functions)
            case Loop(condition=condition, body=body):
                _collect(condition, found, functions)
                _collect(body, found, functions)
            case For(body=body):
                _collect(body, found, functions)
            case Case(branches=choices):
                for _, body in choices:
                    _collect(body, found, functions)
            case Function(name=name, body=inner):
                functions.add(name)
                commands.append(inner)


def _plain(word: Word) -> str:
    """A word without expansions, its path left out; what is no name where it has some."""
    if not all(isinstance(part, Text) for part in word):
        return "$"
    return "".join(part.text for part in word if isinstance(part, Text)).rpartition("/")[2]
