"""A shell that somebody types at: greeting, prompt, history, completion, Ctrl-C."""

from __future__ import annotations

import asyncio
import signal

from notebook_mux.playground.shell import patterns
from notebook_mux.playground.shell.builtins import BUILTINS
from notebook_mux.playground.shell.editor import Editor, Key
from notebook_mux.playground.shell.expansion import Fault, globbed
from notebook_mux.playground.shell.inodes import FileFault, Folder
from notebook_mux.playground.shell.interpreter import Shell
from notebook_mux.playground.shell.leaving import Break, Leave, Return
from notebook_mux.playground.shell.parser import Incomplete, SyntaxFault, parse
from notebook_mux.playground.shell.patterns import TooCostly
from notebook_mux.playground.shell.processes import BY_SIGNAL
from notebook_mux.playground.shell.running import Streams
from notebook_mux.playground.shell.streams import BrokenPipe
from notebook_mux.playground.shell.terminal import Terminal

GREETING = """\
This is notebook_mux's playground: an emulation of a shell, not a real container. Files are
in memory and go with the container, and nothing runs on your machine. Type help for more.
"""

BECAUSE = "There is no real shell here: {why}.\n"

HISTORY = 500
"""Lines that are kept."""

INTERRUPTED = BY_SIGNAL + signal.SIGINT


async def interact(shell: Shell, terminal: Terminal, streams: Streams) -> int:
    """Let somebody type until they leave; the exit code."""
    shell.interactive = True
    history = list[str]()
    why = shell.container.emulated_because
    await terminal.write(f"{GREETING}{BECAUSE.format(why=why) if why else ''}".encode())
    while True:
        text = await _typed(shell, terminal, history)
        if text is None:
            await terminal.write(b"exit\n" if shell.is_bash else b"\n")
            break
        if not text.strip():
            continue
        history.append(text)
        del history[:-HISTORY]
        try:
            await _foreground(shell, text, terminal, streams)
        except Leave as end:
            if shell.is_bash:
                await terminal.write(b"exit\n")
            shell.status = end.code
            break
    return await shell.leave(streams)


async def _typed(shell: Shell, terminal: Terminal, history: list[str]) -> str | None:
    """What is typed next, with further lines as long as it is incomplete; None at the end."""
    text = ""
    while True:
        prompt = shell.get("PS2", "> ") if text else prompt_of(shell)
        editor = Editor(prompt, history, lambda before: completed(shell, before), lambda: terminal.columns)
        edited = await terminal.edit(editor)
        if edited.key is Key.END:
            return None if not text else ""
        if edited.key is Key.INTERRUPT:
            shell.status = INTERRUPTED
            return ""
        text += edited.text
        try:
            parse(text)
        except Incomplete:
            text += "\n"
            continue
        except (SyntaxFault, RecursionError):
            pass  # is said when it is run
        return text


async def _foreground(shell: Shell, text: str, terminal: Terminal, streams: Streams) -> None:
    """Run a line; Ctrl-C ends what it has begun."""
    try:
        script = parse(text)
    except (SyntaxFault, RecursionError) as fault:
        await shell.say(f"syntax error: {fault}", streams)
        shell.status = 2
        return
    task = asyncio.create_task(shell.script(script, streams))
    interrupted = False

    def on_signal(number: int) -> None:
        nonlocal interrupted
        interrupted = True
        task.cancel()

    before, terminal.on_signal = terminal.on_signal, on_signal
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if not interrupted or not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not interrupted:
                raise
        shell.status = INTERRUPTED
    except (Return, Break):
        pass
    except (Fault, TooCostly) as fault:
        await shell.say(str(fault), streams)
        shell.status = 2
    except BrokenPipe:
        shell.status = BY_SIGNAL + signal.SIGPIPE
    except RecursionError:
        await shell.say("too many commands within commands", streams)
        shell.status = 2
    finally:
        terminal.on_signal = before


def prompt_of(shell: Shell) -> str:
    """``/ #`` of a busybox, ``root@pod:/#`` of bash; what ``PS1`` says, if somebody has set it."""
    own = shell.value("PS1")
    root = shell.container.files.uid == 0
    home = shell.get("HOME", "/")
    where = "~" + shell.cwd[len(home) :] if home != "/" and (shell.cwd + "/").startswith(home + "/") else shell.cwd
    user = "root" if root else str(shell.container.files.uid)
    mark = "#" if root else "$"
    if own is None:
        return f"{user}@{shell.container.hostname}:{where}{mark} " if shell.is_bash else f"{where} {mark} "
    for escape, value in (("\\u", user), ("\\h", shell.container.hostname), ("\\w", where),
                          ("\\W", where.rpartition("/")[2] or "/"), ("\\$", mark), ("\\n", "\n")):  # fmt: skip
        own = own.replace(escape, value)
    return own


def completed(shell: Shell, before: str) -> tuple[str, list[str]]:
    """What the tab key adds to a line: a program's name at its beginning, else a file's."""
    word = before[max(before.rfind(char) for char in " \t;|&<>()=") + 1 :]
    first = not before[: len(before) - len(word)].rstrip() or before[: len(before) - len(word)].rstrip()[-1] in ";|&("
    if first and "/" not in word:
        names = sorted({*BUILTINS, *shell.functions, *shell.container.program_names(shell.get("PATH"))})
        found = [name for name in names if name.startswith(word)]
        ends = " "
    else:
        try:
            found = globbed(shell, patterns.escaped(word) + "*") if word else globbed(shell, "*")
        except (Fault, TooCostly):
            return "", []
        ends = " "
        if len(found) == 1 and _is_folder(shell, found[0]):
            ends = "/"
    if not found:
        return "", []
    common = _common(found)
    added = common[len(word) :] + (ends if len(found) == 1 else "")
    return added, [one.rstrip("/").rpartition("/")[2] for one in found]


def _common(names: list[str]) -> str:
    """How all names begin."""
    first, last = min(names), max(names)
    size = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:size]


def _is_folder(shell: Shell, path: str) -> bool:
    try:
        return isinstance(shell.container.files.node(path, shell.cwd), Folder)
    except FileFault:
        return False
