"""Shells, and programs that run other programs: ``sh``, ``env``, ``xargs``, ``timeout``, ``time``, ``watch``."""

from __future__ import annotations

import re

from notebook_mux.playground.shell.builtins import BUILTINS
from notebook_mux.playground.shell.commands import registry
from notebook_mux.playground.shell.commands.printing import echoed, printed
from notebook_mux.playground.shell.commands.registry import command
from notebook_mux.playground.shell.expansion import Fault
from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.interactive import interact
from notebook_mux.playground.shell.interpreter import DEPTH, Shell
from notebook_mux.playground.shell.leaving import Break, Leave, Return
from notebook_mux.playground.shell.parser import Incomplete, SyntaxFault, parse
from notebook_mux.playground.shell.running import Fail, Run, Streams
from notebook_mux.playground.shell.streams import Given, Nothing

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
TIMED_OUT = 143
BATCH = 5_000
"""Words that ``xargs`` gives to one program."""


def shell_of(run: Run, name: str, args: list[str]) -> Shell:
    """A shell for a program that is one.

    Raises:
        Fail: There are too many within each other.
    """
    if run.depth >= DEPTH:
        raise Fail("too many shells within shells", 2)
    shell = Shell(run.container, run.process, name=name, args=args, cwd=run.cwd, environment=run.environment,
                  terminal=run.terminal)  # fmt: skip
    shell.depth = run.depth
    return shell


@command("sh", "a shell: lists, pipes, redirects, loops, functions, here-documents")
async def sh(run: Run) -> int:
    """``sh [-c text] [file] [args]``."""
    args, options, text = list(run.args), "", None
    while args and args[0][:1] in ("-", "+") and len(args[0]) > 1:
        word = args.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            continue  # bash's --login, --norc
        options += word[1:]
        if "o" in word[1:] and args:
            args.pop(0)
    if "c" in options:
        if not args:
            raise Fail("-c requires an argument", 2)
        text, *args = args
    shell = shell_of(run, args[0] if text is not None and args else run.name, args[1:] if text is not None else args)
    shell.is_bash = run.name.rpartition("/")[2] == "bash"
    for flag in "eux":
        shell.options[flag] = flag in options
    if text is not None:
        return await shell.run_text(text, run.streams)
    if args and "s" not in options:
        try:
            text = run.container.files.read(args[0], run.cwd).decode("utf-8", "surrogateescape")
        except FileFault as fault:
            await run.complain(f"can't open '{args[0]}': {fault}", 2)
            return 127 if fault.number == 2 else 126
        shell.name, shell.args = args[0], args[1:]
        return await shell.run_text(text, run.streams)
    if run.terminal is not None and run.streams.stdin is run.terminal:
        return await interact(shell, run.terminal, run.streams)
    return await _from_input(shell, run.streams)


registry.COMMANDS["bash"] = sh
registry.COMMANDS["ash"] = sh


async def _from_input(shell: Shell, streams: Streams) -> int:
    """Run what is written to the shell's input, command by command as it comes."""
    text = ""
    while True:
        line = (await streams.stdin.read_line()).decode("utf-8", "surrogateescape")
        text += line
        if not text.strip() and line:
            text = ""
            continue
        if line:
            try:
                parse(text)
            except Incomplete:
                continue
            except (SyntaxFault, RecursionError):
                pass
        if text.strip():
            try:
                await _run_lines(shell, text, streams)
            except Leave as end:
                shell.status = end.code
                break
        if not line:
            break
        text = ""
    return await shell.leave(streams)


async def _run_lines(shell: Shell, text: str, streams: Streams) -> None:
    """Run some lines in the shell itself.

    Raises:
        Leave: They say ``exit``.
    """
    try:
        await shell.script(parse(text), streams)
    except (SyntaxFault, RecursionError) as fault:
        await shell.say(f"syntax error: {fault}", streams)
        raise Leave(2) from None
    except Fault as fault:
        await shell.say(str(fault), streams)
        shell.status = 2
    except (Return, Break):
        pass


async def launched(run: Run, words: list[str], environment: dict[str, str], streams: Streams | None = None) -> int:
    """Run another program; its exit code."""
    shell = shell_of(run, run.name, [])
    shell.cwd = run.cwd
    if words[0] in BUILTINS and not run.container.path_of(words[0], environment.get("PATH", ""), run.cwd):
        return await BUILTINS[words[0]](shell, words[1:], streams or run.streams)
    return await shell.run_program(words, environment, streams or run.streams)


@command("env", "variables; runs a program with others")
async def env(run: Run) -> int:
    """``env [-i] [name=value] [program]``."""
    args, environment = list(run.args), dict(run.environment)
    while args and args[0].startswith("-"):
        flag = args.pop(0)
        if flag in ("-i", "-"):
            environment = {}
        elif flag == "-u" and args:
            environment.pop(args.pop(0), None)
        else:
            raise Fail(f"unrecognized option: {flag.lstrip('-')}")
    while args and re.match(r"[A-Za-z_]\w*=", args[0]):
        name, _, value = args.pop(0).partition("=")
        environment[name] = value
    if args:
        return await launched(run, args, environment)
    await run.write("".join(f"{name}={value}\n" for name, value in environment.items()))
    return 0


@command("printenv", "variables")
async def printenv(run: Run) -> int:
    """``printenv [names]``."""
    if not run.args:
        await run.write("".join(f"{name}={value}\n" for name, value in run.environment.items()))
    for name in run.args:
        if name in run.environment:
            await run.write(f"{run.environment[name]}\n")
        else:
            run.code = 1
    return 0


@command("echo", "words")
async def echo(run: Run) -> int:
    """``echo [-n] [-e] words``."""
    await run.write(echoed(run.args))
    return 0


@command("printf", "words in a form")
async def printf(run: Run) -> int:
    """``printf form words``."""
    await run.write(printed(run.args))
    return 0


def _builtin(name: str) -> None:
    async def as_program(run: Run) -> int:
        shell = shell_of(run, run.name, [])
        return await BUILTINS[name](shell, run.args, run.streams)

    command(name, "")(as_program)


for _name in ("true", "false", "pwd", "test", "[", "kill"):
    _builtin(_name)


def seconds_of(text: str) -> float:
    """A time such as ``5``, ``0.5``, ``2m``.

    Raises:
        Fail: It is none.
    """
    if text in ("inf", "infinity"):
        return float("inf")
    match = re.fullmatch(r"(\d{0,12}\.?\d{0,9})([smhd]?)", text)
    if not match or not any(char.isdigit() for char in match[1]):
        raise Fail(f"invalid number '{text}'")
    return float(match[1]) * UNITS[match[2]]


@command("sleep", "waits: 5, 0.5, 2m, infinity")
async def sleep(run: Run) -> int:
    """``sleep times``."""
    if not run.args:
        raise Fail("missing operand")
    seconds = sum(seconds_of(word) for word in run.args)
    while seconds > 0:
        step = min(seconds, 3600.0)
        await run.container.sleep(step)
        seconds -= step
    return 0


@command("timeout", "ends a program that takes too long")
async def timeout_(run: Run) -> int:
    """``timeout seconds program``."""
    options, words = [], list(run.args)
    while words and words[0].startswith("-"):
        options.append(words.pop(0))
        if options[-1] in ("-s", "-k") and words:
            words.pop(0)
    if len(words) < 2:
        raise Fail("missing operand", 125)
    seconds = seconds_of(words[0])
    try:
        async with run.container.cluster.agenda.timeout(seconds):
            return await launched(run, words[1:], run.environment)
    except TimeoutError:
        return TIMED_OUT


@command("xargs", "a program with words from its input")
async def xargs(run: Run) -> int:
    """``xargs [-n number] [-I name] [-0] program``."""
    args, count, placeholder, separator = list(run.args), BATCH, "", ""
    while args and args[0].startswith("-") and len(args[0]) > 1:
        flag = args.pop(0)
        if flag[1] in "nILP":
            value = flag[2:] or (args.pop(0) if args else "")
            if flag[1] == "n":
                count = max(1, run.whole(value))
            elif flag[1] == "I":
                placeholder = value
        elif flag == "-0":
            separator = "\0"
        elif flag not in ("-r", "-t"):
            raise Fail(f"unrecognized option: {flag.lstrip('-')}")
    text = (await run.everything(run.streams.stdin)).decode("utf-8", "surrogateescape")
    words = text.split("\n" if placeholder else separator or None)
    words = [word.strip() if placeholder else word for word in words if word.strip()]
    program = args or ["echo"]
    quiet = Streams(Nothing(), run.streams.stdout, run.streams.stderr)
    batches = (
        [[word] for word in words] if placeholder else [words[at : at + count] for at in range(0, len(words), count)]
    )
    for batch in batches:
        given = [one.replace(placeholder, batch[0]) for one in program] if placeholder else program + batch
        code = await launched(run, given, run.environment, quiet)
        run.code = 123 if code else run.code
    return 0


@command("time", "how long a program takes")
async def time_(run: Run) -> int:
    """``time program``."""
    begin = run.container.now()
    code = await launched(run, run.args, run.environment) if run.args else 0
    took = run.container.now() - begin
    said = f"real\t{int(took // 60)}m {took % 60:.2f}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n"
    await run.streams.stderr.write(said.encode())
    return code


@command("watch", "a program again and again, until Ctrl-C")
async def watch(run: Run) -> int:
    """``watch [-n seconds] program``."""
    args, seconds = list(run.args), 2.0
    while args and args[0].startswith("-"):
        flag = args.pop(0)
        if flag.startswith("-n"):
            seconds = max(0.5, seconds_of(flag[2:] or (args.pop(0) if args else "2")))
    if not args:
        raise Fail("missing operand")
    while True:
        await run.write(f"\x1b[H\x1b[JEvery {seconds:.1f}s: {' '.join(args)}\n\n")
        shell = shell_of(run, "sh", [])
        await shell.run_text(" ".join(args), Streams(Given(b""), run.streams.stdout, run.streams.stderr))
        await run.container.sleep(seconds)


@command("nohup", "runs a program")
async def nohup(run: Run) -> int:
    """``nohup program``."""
    return await launched(run, run.args, run.environment) if run.args else 125


@command("chroot", "a shell in another root, such as a node's at /host")
async def chroot(run: Run) -> int:
    """``chroot folder [program]``."""
    import copy

    from notebook_mux.playground.shell.files import Files
    from notebook_mux.playground.shell.inodes import Folder, Mount

    if not run.args:
        raise Fail("missing operand", 125)
    place = run.container.files.there(run.args[0], run.cwd)
    if not isinstance(place.node, Folder):
        raise Fail(f"can't change root directory to '{run.args[0]}': Not a directory")
    before, old = place.path.rstrip("/"), run.container.files
    mounts = {"/": Mount(place.node, place.mount.source, place.mount.kind, place.mount.read_only, place.mount.space)}
    mounts |= {path[len(before) :]: mount for path, mount in old.mounts.items() if path.startswith(f"{before}/")}
    inside = copy.copy(run.container)
    inside.files = Files(mounts, old.space, old.now, old.uid, old.gid, old.groups)
    words = run.args[1:] or [run.environment.get("SHELL") or "sh"]
    other = Run(run.name, [], run.streams, run.environment, "/", inside, run.process, run.terminal, run.depth + 1)
    return await launched(other, words, run.environment)
