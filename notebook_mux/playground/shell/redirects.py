"""Where the streams of a command go to and come from (POSIX.1-2017, XCU 2.7)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from notebook_mux.playground.shell.expansion import Fault, text_of
from notebook_mux.playground.shell.inodes import FileFault
from notebook_mux.playground.shell.nodes import Redirect
from notebook_mux.playground.shell.running import Run, Streams
from notebook_mux.playground.shell.streams import Given, Nothing

if TYPE_CHECKING:
    from notebook_mux.playground.shell.interpreter import Shell


async def redirected(shell: Shell, redirects: tuple[Redirect, ...], streams: Streams) -> Streams:
    """The streams of a command.

    Raises:
        Fault: A file cannot be opened.
    """
    if not redirects:
        return streams
    now: dict[int, Any] = {0: streams.stdin, 1: streams.stdout, 2: streams.stderr}
    run = Run(shell.name, [], streams, {}, shell.cwd, shell.container, shell.process, shell.terminal)
    for one in redirects:
        target = await text_of(shell, one.word, streams)
        if one.operator == "<<":
            now[one.stream] = Given(target.encode("utf-8", "surrogateescape"))
        elif one.operator in (">&", "<&"):
            if target == "-":
                now[one.stream] = Nothing()
            elif target.isdigit() and int(target) in now:
                now[one.stream] = now[int(target)]
            else:
                raise Fault(f"{target}: Bad file descriptor")
        else:
            now[one.stream] = _opened(run, one.operator, target)
    return Streams(now[0], now[1], now[2])


def _opened(run: Run, operator: str, target: str) -> Any:
    try:
        if operator == "<":
            return run.open_source(target)
        return run.open_sink(target, append=operator == ">>")
    except FileFault as fault:
        if operator == "<":
            said = "no such file" if fault.number == errno.ENOENT else str(fault)
            raise Fault(f"can't open {target}: {said}") from None
        said = "nonexistent directory" if fault.number == errno.ENOENT else str(fault)
        raise Fault(f"can't create {target}: {said}") from None
