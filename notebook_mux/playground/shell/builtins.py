"""What a shell does itself: ``cd``, ``export``, ``read``, ``test``, ``exit`` and their like."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable

from notebook_mux.playground.shell import conditions
from notebook_mux.playground.shell.arithmetic import SumFault, evaluate
from notebook_mux.playground.shell.commands.printing import echoed, printed
from notebook_mux.playground.shell.expansion import Fault
from notebook_mux.playground.shell.inodes import FileFault, Folder
from notebook_mux.playground.shell.interpreter import Shell
from notebook_mux.playground.shell.leaving import Break, Leave, Return
from notebook_mux.playground.shell.parser import SyntaxFault, parse
from notebook_mux.playground.shell.processes import finished
from notebook_mux.playground.shell.running import Fail, Streams

Builtin = Callable[[Shell, list[str], Streams], Awaitable[int]]

BUILTINS: dict[str, Builtin] = {}
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def builtin(*names: str) -> Callable[[Builtin], Builtin]:
    """Give a builtin its names."""

    def register(function: Builtin) -> Builtin:
        for name in names:
            BUILTINS[name] = function
        return function

    return register


async def write(streams: Streams, text: str) -> None:
    """Write to stdout."""
    await streams.stdout.write(text.encode("utf-8", "surrogateescape"))


def number(words: list[str], default: int) -> int:
    """The number that a builtin was given.

    Raises:
        Fault: It is none.
    """
    if not words:
        return default
    if not words[0].lstrip("-").isdigit() or len(words[0]) > 18:
        raise Fault(f"Illegal number: {words[0]}")
    return int(words[0])


@builtin("cd")
async def cd(shell: Shell, words: list[str], streams: Streams) -> int:
    """``cd [folder]``, ``cd -``."""
    words = [word for word in words if word not in ("-L", "-P", "--")]
    target = words[0] if words else shell.get("HOME", "/")
    shows = target == "-"
    if shows:
        target = shell.get("OLDPWD", shell.cwd)
    try:
        place = shell.container.files.there(target or ".", shell.cwd)
        if not isinstance(place.node, Folder):
            raise FileFault(20)
        shell.container.files.check(place.node, 1)
    except FileFault as fault:
        said = f"cd: {target}: {fault}" if shell.is_bash else f"cd: can't cd to {target}: {fault}"
        await shell.say(said, streams)
        return 1 if shell.is_bash else 2
    shell.variables["OLDPWD"], shell.cwd = shell.cwd, place.path
    if shows:
        await write(streams, f"{place.path}\n")
    return 0


@builtin("pwd")
async def pwd(shell: Shell, words: list[str], streams: Streams) -> int:
    """``pwd``."""
    await write(streams, f"{shell.cwd}\n")
    return 0


@builtin("echo")
async def echo(shell: Shell, words: list[str], streams: Streams) -> int:
    """``echo [-n] [-e] words``."""
    await write(streams, echoed(words))
    return 0


@builtin("printf")
async def printf(shell: Shell, words: list[str], streams: Streams) -> int:
    """``printf form words``."""
    try:
        await streams.stdout.write(printed(words))
    except Fail as fail:
        await shell.say(f"printf: {fail.message}", streams)
        return 1
    return 0


@builtin(":", "true")
async def nothing(shell: Shell, words: list[str], streams: Streams) -> int:
    """``:``."""
    return 0


@builtin("false")
async def false(shell: Shell, words: list[str], streams: Streams) -> int:
    """``false``."""
    return 1


@builtin("exit")
async def leave(shell: Shell, words: list[str], streams: Streams) -> int:
    """``exit [code]``."""
    raise Leave(number(words, shell.status) % 256)


@builtin("return")
async def come_back(shell: Shell, words: list[str], streams: Streams) -> int:
    """``return [code]``."""
    raise Return(number(words, shell.status) % 256)


@builtin("break")
async def stop(shell: Shell, words: list[str], streams: Streams) -> int:
    """``break [levels]``."""
    raise Break(number(words, 1), False)


@builtin("continue")
async def go_on(shell: Shell, words: list[str], streams: Streams) -> int:
    """``continue [levels]``."""
    raise Break(number(words, 1), True)


@builtin("export", "readonly")
async def export(shell: Shell, words: list[str], streams: Streams) -> int:
    """``export name[=value]``."""
    if not words or words == ["-p"]:
        for name in sorted(shell.exported):
            if name in shell.variables:
                await write(streams, f"export {name}='{shell.variables[name]}'\n")
    for word in words:
        name, is_set, value = word.partition("=")
        if word == "-p":
            continue
        if not NAME.fullmatch(name):
            raise Fault(f"export: {name}: bad variable name")
        if is_set:
            shell.set(name, value)
        shell.exported.add(name)
    return 0


@builtin("local")
async def local(shell: Shell, words: list[str], streams: Streams) -> int:
    """``local name[=value]``."""
    if not shell.local:
        raise Fault("local: not in a function")
    for word in words:
        name, is_set, value = word.partition("=")
        shell.local[-1].setdefault(name, shell.variables.get(name))
        if is_set:
            shell.set(name, value)
    return 0


@builtin("unset")
async def unset(shell: Shell, words: list[str], streams: Streams) -> int:
    """``unset name``."""
    for word in words:
        shell.variables.pop(word, None)
        shell.exported.discard(word)
        shell.functions.pop(word, None)
    return 0


@builtin("set")
async def set_(shell: Shell, words: list[str], streams: Streams) -> int:
    """``set [-efux] [-- args]``."""
    if not words:
        for name in sorted(shell.variables):
            await write(streams, f"{name}='{shell.variables[name]}'\n")
        return 0
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            shell.args = words
            return 0
        if word in ("-o", "+o"):
            long = {"errexit": "e", "nounset": "u", "xtrace": "x", "noglob": "f"}.get(words.pop(0) if words else "")
            if long:
                shell.options[long] = word == "-o"
        elif word[:1] in ("-", "+") and len(word) > 1:
            for flag in word[1:]:
                if flag == "o":
                    words.insert(0, "-o")
                elif flag in shell.options:
                    shell.options[flag] = word[0] == "-"
        else:
            shell.args = [word, *words]
            return 0
    return 0


@builtin("shift")
async def shift(shell: Shell, words: list[str], streams: Streams) -> int:
    """``shift [number]``."""
    count = number(words, 1)
    if count > len(shell.args):
        return 1
    shell.args = shell.args[count:]
    return 0


@builtin("read")
async def read(shell: Shell, words: list[str], streams: Streams) -> int:
    """``read [-r] [-p prompt] names``."""
    raw, names, words = False, list[str](), list(words)
    while words:
        word = words.pop(0)
        if word in ("-p", "-t", "-n", "-d", "-s"):
            value = words.pop(0) if word != "-s" and words else ""
            if word == "-p":
                await streams.stderr.write(value.encode("utf-8", "surrogateescape"))
        elif word == "-r":
            raw = True
        else:
            names.append(word)
    line = (await streams.stdin.read_line()).decode("utf-8", "surrogateescape")
    ended = line.endswith("\n")
    text = line.rstrip("\n")
    if not raw:
        text = re.sub(r"\\(.)", r"\1", text)
    names = names or ["REPLY"]
    separators = shell.get("IFS", " \t\n")
    blanks = "".join(char for char in separators if char in " \t\n")
    rest = text.strip(blanks) if blanks else text
    for name in names[:-1]:
        match = re.match(f"([^{re.escape(separators)}]*)[{re.escape(separators)}]?", rest) if separators else None
        shell.set(name, match[1] if match else rest)
        rest = rest[match.end() :].lstrip(blanks) if match else ""
    shell.set(names[-1], rest)
    return 0 if ended else 1


@builtin("eval")
async def eval_(shell: Shell, words: list[str], streams: Streams) -> int:
    """``eval words``."""
    return await _within(shell, " ".join(words), streams)


@builtin(".", "source")
async def source(shell: Shell, words: list[str], streams: Streams) -> int:
    """``. file``."""
    if not words:
        return 2
    try:
        text = shell.container.files.read(words[0], shell.cwd).decode("utf-8", "surrogateescape")
    except FileFault as fault:
        await shell.say(f".: {words[0]}: {fault}", streams)
        return 1
    try:
        return await _within(shell, text, streams)
    except Return as end:
        return end.code


async def _within(shell: Shell, text: str, streams: Streams) -> int:
    """Run a text in the shell itself.

    Raises:
        Fault: It is none, or there are too many within each other.
    """
    from notebook_mux.playground.shell.interpreter import DEPTH

    if shell.depth >= DEPTH:
        raise Fault("too many evaluations within evaluations")
    try:
        script = parse(text)
    except SyntaxFault as fault:
        raise Fault(f"syntax error: {fault}") from None
    shell.depth += 1
    shell.status = 0
    try:
        await shell.script(script, streams)
    finally:
        shell.depth -= 1
    return shell.status


@builtin("exec")
async def exec_(shell: Shell, words: list[str], streams: Streams) -> int:
    """``exec program words``."""
    if not words:
        return 0
    raise Leave(await shell.run_program(words, shell.environment, streams))


@builtin("command")
async def command(shell: Shell, words: list[str], streams: Streams) -> int:
    """``command -v name``, ``command program words``."""
    if words[:1] in (["-v"], ["-V"]):
        return await _kinds(shell, words[1:], streams, paths=True)
    if not words:
        return 0
    if words[0] in BUILTINS:
        return await BUILTINS[words[0]](shell, words[1:], streams)
    return await shell.run_program(words, shell.environment, streams)


@builtin("type")
async def type_(shell: Shell, words: list[str], streams: Streams) -> int:
    """``type name``."""
    return await _kinds(shell, words, streams, paths=False)


async def _kinds(shell: Shell, names: list[str], streams: Streams, *, paths: bool) -> int:
    status = 0
    for name in names:
        path = shell.container.path_of(name, shell.get("PATH"), shell.cwd)
        if name in shell.functions:
            said = name if paths else f"{name} is a function"
        elif name in BUILTINS:
            said = name if paths else f"{name} is a shell builtin"
        elif path:
            said = path if paths else f"{name} is {path}"
        else:
            status = 127
            if not paths:
                await shell.say(f"{name}: not found", streams)
            continue
        await write(streams, f"{said}\n")
    return status


@builtin("test", "[")
async def test(shell: Shell, words: list[str], streams: Streams) -> int:
    """``test expression``, ``[ expression ]``."""
    if words[-1:] == ["]"]:
        words = words[:-1]
    try:
        return int(not conditions.holds(words, shell.container.files, shell.cwd, shell.terminal, streams))
    except conditions.NoCondition as fault:
        await shell.say(str(fault), streams)
        return 2


@builtin("[[")
async def bash_test(shell: Shell, words: list[str], streams: Streams) -> int:
    """``[[ ]]`` of bash: ``[[ expression ]]``; its patterns have to be quoted here."""
    words = [{"&&": "-a", "||": "-o", "==": "="}.get(word, word) for word in words if word != "]]"]
    return await test(shell, words, streams)


@builtin("let")
async def let(shell: Shell, words: list[str], streams: Streams) -> int:
    """``let expression``."""
    value = 0
    for word in words:
        try:
            value = evaluate(word, shell.get, shell.set)
        except SumFault as fault:
            raise Fault(str(fault)) from None
    return int(value == 0)


@builtin("wait")
async def wait(shell: Shell, words: list[str], streams: Streams) -> int:
    """``wait [pids]``."""
    status = 0
    for job in list(shell.jobs):
        if not words or str(job.pid) in words:
            status = await finished(job)
    return status if words else 0


@builtin("jobs")
async def jobs(shell: Shell, words: list[str], streams: Streams) -> int:
    """``jobs``."""
    for at, job in enumerate(shell.jobs, 1):
        if job.task is not None and not job.task.done():
            await write(streams, f"[{at}]  Running                 {' '.join(job.words)}\n")
    return 0


@builtin("kill")
async def kill(shell: Shell, words: list[str], streams: Streams) -> int:
    """``kill [-signal] pids``."""
    number_, words, status = int(signal.SIGTERM), list(words), 0
    if words[:1] == ["-l"]:
        await write(streams, " ".join(one.name.removeprefix("SIG") for one in signal.Signals) + "\n")
        return 0
    if words and words[0].startswith("-"):
        word = words.pop(0)[1:]
        if word == "s" and words:
            word = words.pop(0)
        found = next((int(one) for one in signal.Signals if one.name in (word.upper(), f"SIG{word.upper()}")), None)
        if word.isdigit() and int(word) < 65:
            found = int(word)
        if found is None:
            raise Fault(f"kill: invalid signal number or name: {word}")
        number_ = found
    for word in words:
        job = shell.jobs[int(word[1:]) - 1] if re.fullmatch(r"%\d{1,4}", word) and 0 < int(word[1:]) <= len(
            shell.jobs) else None  # fmt: skip
        pid = job.pid if job else int(word) if re.fullmatch(r"-?\d{1,9}", word) else None
        if pid is None:
            await shell.say(f"kill: invalid number '{word}'", streams)
            status = 1
        elif not shell.container.signal(pid, number_):
            await shell.say(f"kill: can't kill pid {pid}: No such process", streams)
            status = 1
    await asyncio.sleep(0)
    return status


@builtin("trap")
async def trap(shell: Shell, words: list[str], streams: Streams) -> int:
    """``trap action EXIT``; actions for signals are taken, and never called."""
    if not words:
        for name, action in shell.traps.items():
            await write(streams, f"trap -- '{action}' {name}\n")
        return 0
    for name in words[1:]:
        if words[0] == "-":
            shell.traps.pop(name, None)
        else:
            shell.traps["EXIT" if name == "0" else name.removeprefix("SIG")] = words[0]
    return 0


@builtin("alias")
async def alias(shell: Shell, words: list[str], streams: Streams) -> int:
    """``alias name=words``."""
    for word in words:
        name, is_set, value = word.partition("=")
        if is_set and len(shell.aliases) < 500:
            shell.aliases[name] = value
    for name in sorted(shell.aliases) if not words else ():
        await write(streams, f"{name}='{shell.aliases[name]}'\n")
    return 0


@builtin("unalias")
async def unalias(shell: Shell, words: list[str], streams: Streams) -> int:
    """``unalias name``."""
    for word in words:
        shell.aliases.pop(word, None)
    return 0


@builtin("umask", "ulimit", "hash", "times", "history", "shopt", "declare", "typeset")
async def accepted(shell: Shell, words: list[str], streams: Streams) -> int:
    """What scripts say at their beginning and what has no meaning here; ``declare x=1`` sets."""
    for word in words:
        name, is_set, value = word.partition("=")
        if is_set and NAME.fullmatch(name):
            shell.set(name, value)
    return 0
