"""What a shell script is made of, as its parser has read it (POSIX.1-2017, XCU 2.10, and a few of bash's words)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Characters as they stand; quoted ones are no patterns and not split."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$name`` and ``${name}``.

    Args:
        operator: ``""``, ``-``, ``:-``, ``=``, ``:=``, ``+``, ``:+``, ``?``, ``:?``, ``#``, ``##``, ``%``, ``%%``,
            ``length``, ``slice`` (``${x:1:2}``), ``/`` and ``//``.
        argument: What stands behind the operator.
        other: The second one of a slice and of a replacement.
    """

    name: str
    operator: str = ""
    argument: Word = ()
    other: Word | None = None
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Substitution:
    """``$(script)``."""

    script: Script
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """``$((expression))``; its dollars are expanded first."""

    expression: Word
    quoted: bool = False


Part = Text | Parameter | Substitution | Sum
Word = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a stream goes to or comes from.

    Args:
        stream: 0, 1 or 2.
        operator: ``<``, ``>``, ``>>``, ``>&``, ``<&``, ``<<`` (the text itself is the word).
    """

    stream: int
    operator: str
    word: Word


@dataclass(frozen=True, slots=True)
class Simple:
    """A command of words."""

    assignments: tuple[tuple[str, Word], ...] = ()
    words: tuple[Word, ...] = ()
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """``{ script; }``, or in a shell of its own ``( script )``."""

    script: Script
    subshell: bool = False
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class If:
    """``if``: conditions and what they lead to, in order."""

    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None = None
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """``while``; ``until`` if it goes on as long as its condition fails."""

    condition: Script
    body: Script
    until: bool = False
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class For:
    """``for name in words``; without ``in`` over the shell's own arguments."""

    name: str
    words: tuple[Word, ...] | None
    body: Script
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """``case word in``."""

    word: Word
    branches: tuple[tuple[tuple[Word, ...], Script], ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """``name() body``."""

    name: str
    body: Command


Command = Simple | Group | If | Loop | For | Case | Function


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, the output of each the input of the next."""

    commands: tuple[Command, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """Pipelines with ``&&`` and ``||`` between them: each with what stands before it, the first with ``""``."""

    items: tuple[tuple[str, Pipeline], ...]
    background: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """Chains, one after the other."""

    chains: tuple[Chain, ...] = ()
