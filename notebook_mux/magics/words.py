"""The words of a kubectl command line: its variables, its verb, the flags that matter here. Pure functions."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notebook_mux.errors import InvalidArgument

NO_RAISE = "--no-raise-error"
"""As IPython's own ``%%bash`` has it."""

SHORT = {
    "A": "all-namespaces", "L": "label-columns", "R": "recursive", "c": "container", "f": "filename", "h": "help",
    "i": "stdin", "k": "kustomize", "l": "selector", "n": "namespace", "o": "output", "p": "patch", "q": "quiet",
    "r": "replicas", "s": "server", "t": "tty", "v": "v", "w": "watch",
}  # fmt: skip
"""kubectl's flags of one letter, where they mean the same for all verbs that take them."""

OF_LOGS = {"f": "follow", "p": "previous"}
"""Those that mean something else for ``logs``."""

VALUED = frozenset({
    "L", "c", "f", "k", "l", "n", "o", "p", "r", "s", "v", "annotations", "as", "as-group", "as-uid",
    "as-user-extra", "cache-dir", "certificate-authority", "client-certificate", "client-key", "cluster",
    "container", "context", "field-manager", "field-selector", "filename", "for", "from-env-file", "from-file",
    "from-literal", "image", "image-pull-policy", "kubeconfig", "kuberc", "kustomize", "label-columns", "labels",
    "limits", "log-flush-frequency", "max-log-requests", "namespace", "output", "overrides", "password", "patch",
    "pod-running-timeout", "port", "profile", "profile-output", "raw", "replicas", "requests", "request-timeout",
    "restart", "selector", "server", "since", "since-time", "sort-by", "subresource", "tail", "target", "template",
    "timeout", "tls-server-name", "to-revision", "token", "type", "user", "username", "vmodule",
})  # fmt: skip
"""Flags whose value may be the next word."""

_VARIABLE = re.compile(r"\{\{.*?\}\}|\{([^{}]*)\}|\$\$|\$([A-Za-z_]\w*)", re.DOTALL)
_BEGINS_A_NAME = re.compile(r"\s*[A-Za-z_(\[]")


@dataclass(frozen=True)
class Words:
    """A command line, read.

    Attributes:
        all: What kubectl gets.
        verb: Such as ``get``; "" where there is none.
        names: The words behind the verb that are no flags and no flags' values.
        flags: By their long names all values; of a flag without one ``"true"``.
        program: The words behind ``--``.
        raises: Whether a failure is an error of the cell.
        shows: Whether the result is shown; a semicolon at the end says no.
    """

    all: tuple[str, ...]
    verb: str = ""
    names: tuple[str, ...] = ()
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    program: tuple[str, ...] = ()
    raises: bool = True
    shows: bool = True

    @property
    def text(self) -> str:
        """The command as a person writes it."""
        return shlex.join(("kubectl", *self.all))

    def has(self, name: str) -> bool:
        """Whether a flag is there and is not set to false."""
        return self.flags.get(name, ("false",))[-1] != "false"

    def value(self, name: str) -> str:
        """A flag's last value, "" where it is not there."""
        return self.flags.get(name, ("",))[-1]

    def with_input(self) -> Words:
        """The same, reading its input where it would read a file."""
        flags = {**self.flags, "filename": ("-",)}
        return Words((*self.all, "-f", "-"), self.verb, self.names, flags, self.program, self.raises, self.shows)


def read(line: str) -> Words:
    """Read a line. No shell has a word with it: quotes are the only thing that it knows of one.

    Raises:
        InvalidArgument: A quote is not closed.
    """
    text = line.strip()
    shows = not text.endswith(";")
    try:
        words = shlex.split(text.removesuffix(";"))
    except ValueError as error:
        raise InvalidArgument(f"the line {text!r} cannot be read", said=str(error), todo="close the quote") from None
    end = words.index("--") if "--" in words else len(words)
    raises = NO_RAISE not in words[:end]
    own = [word for word in words[:end] if word != NO_RAISE]
    names, flags = _sorted_out(own)
    return Words((*own, *words[end:]), names[0] if names else "", tuple(names[1:]),
                 flags, tuple(words[end + 1 :]), raises, shows)  # fmt: skip


def expanded(line: str, names: Mapping[str, Any]) -> str:
    """The line with its variables replaced, as IPython does for other magics.

    What is no expression of these names stays as it is: JSONPath and Go templates have braces too.

    Args:
        line: As it was written.
        names: What the cell knows.
    """

    def found(match: re.Match[str]) -> str:
        whole, expression, name = match[0], match[1], match[2]
        if whole == "$$":
            return "$"
        if name is not None:
            return str(names[name]) if name in names else whole
        if expression is None or not _BEGINS_A_NAME.match(expression):
            return whole
        try:
            ast.parse(expression.strip(), mode="eval")
            return str(eval(expression.strip(), {}, dict(names)))  # noqa: S307 - the user's own, as a cell is
        except Exception:  # noqa: BLE001 - it is none of ours
            return whole

    return _VARIABLE.sub(found, line)


def _sorted_out(words: Sequence[str]) -> tuple[list[str], dict[str, tuple[str, ...]]]:
    """The words that are no flags, and the flags."""
    names: list[str] = []
    flags: dict[str, tuple[str, ...]] = {}
    rest = list(words)

    def keep(name: str, value: str) -> None:
        flags[name] = (*flags.get(name, ()), value)

    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            name, is_set, value = word[2:].partition("=")
            name = name.replace("_", "-")  # kubectl takes either (component-base, ``WordSepNormalizeFunc``)
            if not is_set:
                # A flag behind one is no value of it: some have a value with one verb and none with another (--raw).
                value = rest.pop(0) if name in VALUED and rest and not rest[0].startswith("--") else "true"
            keep(name, value)
        elif word.startswith("-") and word != "-":
            _letters(word[1:], rest, OF_LOGS if names[:1] == ["logs"] else {}, keep)
        else:
            names.append(word)
    return names, flags


def _letters(letters: str, rest: list[str], others: Mapping[str, str], keep: Any) -> None:
    """Flags of one letter, which may stand together; the value of the last may stand with it."""
    while letters:
        letter, letters = letters[0], letters[1:]
        name = others.get(letter) or SHORT.get(letter, letter)
        if letters.startswith("="):
            keep(name, letters[1:])
            return
        if letter in VALUED and letter not in others:
            keep(name, letters or (rest.pop(0) if rest else ""))
            return
        keep(name, "true")
