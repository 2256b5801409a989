"""Runs a script: lists, pipelines, loops, functions, redirects (POSIX.1-2017, XCU 2.9)."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from notebook_mux.playground.shell import patterns, redirects
from notebook_mux.playground.shell.expansion import WORD_LIMIT, Fault, fields_of, pattern_of, text_of
from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.leaving import Break, Leave, Return
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
    Script,
    Simple,
)
from notebook_mux.playground.shell.parser import SyntaxFault, parse
from notebook_mux.playground.shell.patterns import TooCostly
from notebook_mux.playground.shell.processes import NoProcesses, Process, finished
from notebook_mux.playground.shell.running import Run, Streams
from notebook_mux.playground.shell.streams import BrokenPipe, Collected, Nothing, Pipe

if TYPE_CHECKING:
    from notebook_mux.playground.shell.container import Container
    from notebook_mux.playground.shell.terminal import Terminal

DEPTH = 24
"""Of shells within shells, and of functions within functions: each takes a dozen frames of Python's thousand."""

OUTPUT_LIMIT = 1024 * 1024
"""Bytes of a command substitution."""

VARIABLES = 5_000
BACKGROUND = 64
"""Jobs in the background of one shell."""

SIGPIPE = 141
NOT_FOUND = 127
NOT_EXECUTABLE = 126


class Shell:
    """A shell.

    Args:
        container: Where it runs.
        process: What it is there.
        name: What it was called: ``sh``, ``bash``, a script's name.
        args: ``$1`` and so on.
        cwd: Its folder.
        environment: Its variables, all exported.
        terminal: That controls it.
    """

    def __init__(
        self,
        container: Container,
        process: Process,
        *,
        name: str = "sh",
        args: Iterable[str] = (),
        cwd: str = "/",
        environment: dict[str, str] | None = None,
        terminal: Terminal | None = None,
    ):
        self.container = container
        self.process = process
        self.name = name
        self.args = list(args)
        self.cwd = cwd
        self.terminal = terminal
        self.variables = dict(environment or {})
        self.exported = set(self.variables)
        self.fixed = set[str]()
        self.functions: dict[str, Function] = {}
        self.aliases: dict[str, str] = {}
        self.traps: dict[str, str] = {}
        self.options = dict.fromkeys("efux", False)
        self.status = 0
        self.last_job = ""
        self.jobs: list[Process] = []
        self.is_bash = name.rpartition("/")[2] == "bash"
        self.interactive = False
        self.depth = 0
        self.local: list[dict[str, str | None]] = []
        self.substituted = False
        """Whether a word of the command had a substitution: its status is that of an assignment."""
        self._checked = 0
        """Whether what runs is a condition, whose failure is none."""

    # -------------------------------------------------------------------------------------------- variables

    def value(self, name: str) -> str | None:
        """A parameter's value; None if it is not set."""
        special: dict[str, Callable[[], str]] = {
            "?": lambda: str(self.status),
            "$": lambda: str(self.process.pid),
            "!": lambda: self.last_job,
            "#": lambda: str(len(self.args)),
            "@": lambda: " ".join(self.args),
            "*": lambda: " ".join(self.args),
            "-": lambda: "".join(flag for flag, on in self.options.items() if on) + ("i" if self.interactive else ""),
            "0": lambda: self.name,
            "PPID": lambda: str(self.process.parent),
            "RANDOM": lambda: str(self.container.cluster.random.randint(0, 32767)),
        }
        if name in special:
            return special[name]()
        if name.isdigit():
            index = int(name)
            return self.args[index - 1] if 0 < index <= len(self.args) else None
        if name == "PWD":
            return self.cwd
        return self.variables.get(name)

    def get(self, name: str, default: str = "") -> str:
        """A parameter's value, or another."""
        value = self.value(name)
        return default if value is None else value

    def set(self, name: str, value: str) -> None:
        """Give a variable a value.

        Raises:
            Fault: It may not have one.
        """
        if name in self.fixed:
            raise Fault(f"{name}: is read only")
        if len(value) > WORD_LIMIT or (name not in self.variables and len(self.variables) >= VARIABLES):
            raise Fault("out of memory: the playground keeps no more variables")
        self.variables[name] = value

    @property
    def environment(self) -> dict[str, str]:
        """What programs get."""
        found = {name: self.variables[name] for name in self.variables if name in self.exported}
        return {**found, "PWD": self.cwd}

    def fork(self) -> Shell:
        """A shell of its own that begins as this one stands.

        Raises:
            Fault: There are too many within each other.
        """
        if self.depth >= DEPTH:
            raise Fault("too many shells within shells")
        other = Shell(self.container, self.process, name=self.name, args=self.args, cwd=self.cwd,
                      terminal=self.terminal)  # fmt: skip
        other.variables, other.exported, other.fixed = dict(self.variables), set(self.exported), set(self.fixed)
        other.functions, other.options, other.status = dict(self.functions), dict(self.options), self.status
        other.aliases = dict(self.aliases)
        other.depth, other.is_bash, other._checked = self.depth + 1, self.is_bash, self._checked
        return other

    # ------------------------------------------------------------------------------------------------ running

    async def say(self, message: str, streams: Streams) -> None:
        """A fault, with the shell's name before it."""
        line = "line 1: " if self.is_bash and not self.interactive else ""
        await streams.stderr.write(f"{self.name}: {line}{message}\n".encode("utf-8", "surrogateescape"))

    async def run_text(self, text: str, streams: Streams) -> int:
        """Run a script to its end; its exit code.

        What a script says with ``exit`` is its exit code too.
        """
        try:
            try:
                script = parse(text)
            except (SyntaxFault, RecursionError) as fault:
                words = str(fault) if isinstance(fault, SyntaxFault) else "too many commands within commands"
                await self.say(f"syntax error: {words}", streams)
                self.status = 2
                return await self.leave(streams)
            await self.script(script, streams)
        except Leave as end:
            self.status = end.code
        except (Return, Break):
            pass
        except Fault as fault:
            await self.say(str(fault), streams)
            self.status = 2
        except RecursionError:
            await self.say("too many commands within commands", streams)
            self.status = 2
        except BrokenPipe:
            self.status = SIGPIPE
        return await self.leave(streams)

    async def leave(self, streams: Streams) -> int:
        """What is to be done at the end; the exit code."""
        action = self.traps.pop("EXIT", "")
        if action:
            status = self.status
            self.status = await self.fork().run_text(action, streams)
            self.status = status
        return self.status

    async def script(self, script: Script, streams: Streams) -> None:
        """Run a script's chains."""
        for chain in script.chains:
            await self._chain(chain, streams)

    async def checked(self, script: Script, streams: Streams) -> bool:
        """Whether a condition holds."""
        self._checked += 1
        try:
            await self.script(script, streams)
        finally:
            self._checked -= 1
        return self.status == 0

    async def output_of(self, script: Script, streams: Streams) -> str:
        """What a script writes: a command substitution."""
        collected = Collected(OUTPUT_LIMIT)
        shell = self.fork()
        self.status = await shell.as_its_own(script, Streams(streams.stdin, collected, streams.stderr))
        self.substituted = True
        return collected.data.decode("utf-8", "surrogateescape").replace("\0", "")

    async def as_its_own(self, script: Script, streams: Streams) -> int:
        """Run a script as a subshell does; its exit code."""
        await self.ended(self.script(script, streams), streams)
        return await self.leave(streams)

    async def ended(self, work: Coroutine[Any, Any, None], streams: Streams) -> None:
        """Some work to its end, however it ends; its status is the shell's."""
        try:
            await work
        except Leave as end:
            self.status = end.code
        except (Return, Break):
            pass
        except Fault as fault:
            await self.say(str(fault), streams)
            self.status = 2
        except BrokenPipe:
            self.status = SIGPIPE

    async def _chain(self, chain: Chain, streams: Streams) -> None:
        if chain.background:
            await self._background(chain, streams)
            return
        last = len(chain.items) - 1
        for at, (before, pipeline) in enumerate(chain.items):
            if before and (self.status == 0) != (before == "&&"):
                continue
            self._checked += at < last
            try:
                await self._pipeline(pipeline, streams)
            finally:
                self._checked -= at < last
            if self.status and self.options["e"] and not self._checked and at == last and not pipeline.negated:
                raise Leave(self.status)

    async def _background(self, chain: Chain, streams: Streams) -> None:
        self.jobs = [job for job in self.jobs if job.task is not None and not job.task.done()]
        if len(self.jobs) >= BACKGROUND:
            raise Fault("can't fork: Resource temporarily unavailable")
        shell = self.fork()
        quiet = Streams(Nothing(), streams.stdout, streams.stderr)
        script = Script((Chain(chain.items),))
        try:
            process = self.container.processes.new(
                (self.name,), parent=self.process.pid, user=self.container.files.uid, started=self.container.now(),
                terminal=self.process.terminal,
            )  # fmt: skip
        except NoProcesses:
            raise Fault("can't fork: Resource temporarily unavailable") from None
        shell.process = process
        self.container.processes.start(process, shell.as_its_own(script, quiet))
        self.jobs.append(process)
        self.last_job = str(process.pid)
        self.status = 0
        if self.interactive:
            await streams.stderr.write(f"[{len(self.jobs)}] {process.pid}\n".encode())

    async def _pipeline(self, pipeline: Pipeline, streams: Streams) -> None:
        if len(pipeline.commands) == 1:
            self._checked += pipeline.negated
            try:
                await self.command(pipeline.commands[0], streams)
            finally:
                self._checked -= pipeline.negated
        else:
            self.status = await self._stages(pipeline.commands, streams)
        if pipeline.negated:
            self.status = int(self.status == 0)

    async def _stages(self, commands: tuple[Command, ...], streams: Streams) -> int:
        tasks = list[asyncio.Task[int]]()
        before: Pipe | None = None
        shells = [self.fork() for _ in commands]
        for at, command in enumerate(commands):
            after = Pipe() if at < len(commands) - 1 else None
            own = Streams(before or streams.stdin, after or streams.stdout, streams.stderr)
            tasks.append(asyncio.create_task(_stage(shells[at], command, own, before, after)))
            before = after
        try:
            codes = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return codes[-1]

    # ---------------------------------------------------------------------------------------------- commands

    async def command(self, command: Command, streams: Streams) -> None:
        """Run a command; its status is the shell's."""
        await self.container.effort.spend()
        if isinstance(command, Function):
            self.functions[command.name] = command
            self.status = 0
            return
        if isinstance(command, Simple):
            await self._simple(command, streams)
            return
        try:
            redirected = await redirects.redirected(self, command.redirects, streams)
        except Fault as fault:
            await self.say(str(fault), streams)
            self.status = 1
            return
        await self._compound(command, redirected)

    async def _compound(self, command: Group | If | Loop | For | Case, streams: Streams) -> None:
        match command:
            case Group(subshell=True):
                self.status = await self.fork().as_its_own(command.script, streams)
            case Group():
                await self.script(command.script, streams)
            case If():
                for condition, body in command.branches:
                    if await self.checked(condition, streams):
                        await self.script(body, streams)
                        return
                self.status = 0
                if command.otherwise is not None:
                    await self.script(command.otherwise, streams)
            case Loop():
                status = 0
                while await self.checked(command.condition, streams) != command.until:
                    if not await self._body(command.body, streams):
                        break
                    status = self.status
                    await self.container.effort.spend()
                self.status = status
            case For():
                words = self.args if command.words is None else await fields_of(self, command.words, streams)
                self.status = 0
                for word in list(words):
                    self.set(command.name, word)
                    if not await self._body(command.body, streams):
                        break
                    await self.container.effort.spend()
            case Case():
                await self._case(command, streams)

    async def _body(self, body: Script, streams: Streams) -> bool:
        """Once through a loop's body; whether it goes on."""
        try:
            await self.script(body, streams)
        except Break as way:
            if way.levels > 1:
                raise Break(way.levels - 1, way.goes_on) from None
            self.status = 0
            return way.goes_on
        return True

    async def _case(self, command: Case, streams: Streams) -> None:
        word = await text_of(self, command.word, streams)
        self.status = 0
        for choices, body in command.branches:
            for choice in choices:
                pattern = await pattern_of(self, choice, streams)
                await self.container.effort.spend(patterns.units(word, pattern))
                if patterns.fits(word, pattern):
                    await self.script(body, streams)
                    return

    async def _simple(self, command: Simple, streams: Streams) -> None:
        self.substituted = False
        try:
            words = await fields_of(self, command.words, streams)
            values = {name: await text_of(self, word, streams) for name, word in command.assignments}
            redirected = await redirects.redirected(self, command.redirects, streams)
            if self.options["x"]:
                shown = [*(f"{name}={value}" for name, value in values.items()), *words]
                await streams.stderr.write(("+ " + " ".join(shown) + "\n").encode("utf-8", "surrogateescape"))
            if not words:
                for name, value in values.items():
                    self.set(name, value)
                self.status = self.status if self.substituted else 0
                return
            await self._invoke(words, values, redirected)
        except (Fault, TooCostly) as fault:
            await self.say(str(fault), streams)
            self.status = 1
            if not self.interactive and isinstance(fault, Fault) and "parameter not set" in str(fault):
                raise Leave(2) from None
        except FileFault as fault:
            await self.say(f"write error: {fault}", streams)
            self.status = 1

    async def _invoke(self, words: list[str], values: dict[str, str], streams: Streams) -> None:
        from notebook_mux.playground.shell.builtins import BUILTINS

        name = words[0]
        if name in self.aliases and name not in self.functions:
            words = [*self.aliases[name].split(), *words[1:]]
            name = words[0]
        if name in self.functions or name in BUILTINS:
            before = {one: self.variables.get(one) for one in values}
            for one, value in values.items():
                self.set(one, value)
            try:
                if name in self.functions:
                    await self._function(self.functions[name], words[1:], streams)
                else:
                    self.status = await BUILTINS[name](self, words[1:], streams)
            finally:
                if name not in ("export", "readonly", ":", "eval", ".", "exec"):
                    self._restore(before)
            return
        self.status = await self.run_program(words, {**self.environment, **values}, streams)

    def _restore(self, before: dict[str, str | None]) -> None:
        for name, value in before.items():
            if value is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = value

    async def _function(self, function: Function, args: list[str], streams: Streams) -> None:
        if self.depth >= DEPTH:
            raise Fault("too many functions within functions")
        outer, self.args = self.args, args
        self.depth += 1
        self.local.append({})
        try:
            await self.command(function.body, streams)
        except Return as end:
            self.status = end.code
        finally:
            self._restore(self.local.pop())
            self.depth -= 1
            self.args = outer

    async def run_program(self, words: list[str], environment: dict[str, str], streams: Streams) -> int:
        """Run a program of the container; its exit code."""
        name = words[0]
        try:
            work = self.container.program(name, environment.get("PATH", ""), self.cwd)
        except FileFault as fault:
            if fault.number == errno.ENOENT:
                said = "command not found" if self.is_bash else "not found"
                if not self.is_bash or "/" not in name:
                    await self.say(f"{name}: {said}", streams)
                else:
                    await self.say(f"{name}: {fault}", streams)
                return NOT_FOUND
            await self.say(f"{name}: {fault}", streams)
            return NOT_EXECUTABLE
        try:
            process = self.container.processes.new(
                tuple(words), parent=self.process.pid, user=self.container.files.uid, started=self.container.now(),
                terminal=self.process.terminal,
            )  # fmt: skip
        except NoProcesses:
            raise Fault("can't fork: Resource temporarily unavailable") from None
        run = Run(name, words[1:], streams, environment, self.cwd, self.container, process, self.terminal)
        if self.depth >= DEPTH:
            raise Fault("too many shells within shells")
        run.depth = self.depth + 1
        process.environment = environment
        self.container.processes.start(process, work(run))
        return await finished(process)


async def _stage(shell: Shell, command: Command, streams: Streams, before: Pipe | None, after: Pipe | None) -> int:
    """One command of a pipeline, in a shell of its own."""
    try:
        await shell.ended(shell.command(command, streams), streams)
    finally:
        if after is not None:
            after.end()
        if before is not None:
            before.close()
    return shell.status
