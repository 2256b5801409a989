"""`exec`: a program in a container, from the right to run it to its exit code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from notebook_mux import errors
from notebook_mux.handles.crossing import crossed, told
from notebook_mux.handles.identity import Identity
from notebook_mux.handles.questions import Names, chosen_contexts
from notebook_mux.handles.rights import may_run, may_write
from notebook_mux.handles.targets import Place, find, named
from notebook_mux.handles.waiting import Wait
from notebook_mux.kernel import holder
from notebook_mux.wire.remotecommand import Ended, Outcome, Text, outcome

if TYPE_CHECKING:
    from notebook_mux.handles.manager import Manager

Command = str | Sequence[str]
Input = str | bytes | bytearray | memoryview | None

SHOWN_STDERR = 500
"""Characters of a program's last words that an error has."""

MISSING = ("executable file not found", "no such file or directory")
"""What container runtimes say of a command that is not there."""

_UNSENT = re.compile("[\0\ud800-\udfff]")

S = TypeVar("S", bytes, str)


@dataclass(frozen=True)
class Completed(Generic[S]):
    """A program that has ended, as `subprocess.CompletedProcess` has it.

    Attributes:
        args: Its words.
        stdout: What it wrote; text where that was asked for.
        stderr: The same.
        returncode: Its exit code, 0 to 255.
        pod: The pod that it ran in.
    """

    args: tuple[str, ...]
    stdout: S
    stderr: S
    returncode: int
    pod: str

    def check_returncode(self) -> None:
        """Raise if the exit code is not 0.

        Raises:
            ProgramFailed: With the last of what it wrote to stderr; its ``completed`` is this.
        """
        if self.returncode == 0:
            return
        words = self.stderr if isinstance(self.stderr, str) else self.stderr.decode(errors="replace")
        error = errors.ProgramFailed(
            f"{self.args[0]} in pod {self.pod} ended with exit code {self.returncode}",
            said=words.strip()[-SHOWN_STDERR:] or None,
        )
        error.completed = self
        raise error


async def run(
    manager: Manager,
    target: Any,
    command: Command,
    container: str | None,
    stdin: Input,
    text: bool,
    check: bool,
    timeout: float | None,
    namespace: Names,
    cluster: Names,
) -> Completed[Any]:
    """See `api.exec`. A coroutine of `waiting`'s kind."""
    args, given = words_of(command), bytes_of(stdin)
    if timeout is not None and not timeout > 0:
        raise errors.InvalidArgument(f"timeout={timeout!r} leaves no time", todo="give seconds, or None for no limit")
    identity = manager._identity
    wanted = named(target, namespace, cluster)
    may_write(manager, chosen_contexts(identity, wanted.cluster))
    place = await find(identity, wanted, container)
    may_write(manager, [place.context])
    await may_run(identity, place)
    try:
        status, stdout, stderr = await _answer(identity, place, args, given, timeout)
    except errors.TimedOut as error:
        if text and error.stdout is not None:
            error.stdout, error.stderr = (Text().feed(part, last=True) for part in (error.stdout, error.stderr))
        raise
    result = _result(outcome(status), place, args)
    completed: Completed[Any] = Completed(args, stdout, stderr, result, place.pod.name)
    if text:
        words = [Text().feed(output, last=True) for output in (stdout, stderr)]
        completed = Completed(args, words[0], words[1], result, place.pod.name)
    if check:
        completed.check_returncode()
    return completed


def words_of(command: Any) -> tuple[str, ...]:
    """A command's words; a text is split as a shell splits it, and no shell runs it.

    Raises:
        InvalidArgument: There are none, or one cannot be sent.
    """
    try:
        words = tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)
    except (ValueError, TypeError) as error:
        raise errors.InvalidArgument(f"{command!r} is no command", said=str(error)) from None
    if not words or not all(isinstance(word, str) for word in words) or not words[0]:
        raise errors.InvalidArgument(f"{command!r} is no command", todo="write 'ls -l' or ['sh', '-c', 'ls *.log']")
    if any(_UNSENT.search(word) for word in words):
        raise errors.InvalidArgument("a word of a command cannot have a NUL or half a character in it")
    return words


def bytes_of(stdin: Any) -> bytes | None:
    """Input as bytes, a text in UTF-8.

    Raises:
        InvalidArgument: It is neither.
    """
    if stdin is None:
        return None
    if isinstance(stdin, str):
        return stdin.encode()
    if isinstance(stdin, bytes | bytearray | memoryview):
        return bytes(stdin)
    raise errors.InvalidArgument(
        f"stdin= is text or bytes, not {type(stdin).__name__}", todo="for a file give its content: path.read_bytes()"
    )


async def _answer(
    identity: Identity, place: Place, args: tuple[str, ...], stdin: bytes | None, timeout: float | None
) -> tuple[bytes, bytes, bytes]:
    pod = place.pod
    path = f"/api/v1/namespaces/{quote(pod.namespace, safe='')}/pods/{quote(pod.name, safe='')}/exec"
    flags = [("container", place.container), ("stdout", "true"), ("stderr", "true")]
    flags += [("stdin", "true")] if stdin is not None else []
    query = urlencode([*flags, *(("command", word) for word in args)], quote_via=quote)
    future = told(
        holder.core().exec,
        identity.connection,
        place.context.ref,
        path,
        query,
        scope=identity.scope,
        stdin=stdin,
        timeout=timeout,
    )
    try:
        found: tuple[bytes, bytes, bytes] = await Wait(
            future, what=f"running {args[0]} in {place.words} of {place.context.alias}"
        )
    except Exception as error:  # noqa: BLE001 - of the core's generation, so not known by class
        raise _placed(_with_output(crossed(error), error), place) from None
    finally:
        future.cancel()  # whoever does not wait any more, wants the program to end
    return found


def _with_output(error: BaseException, failure: Any) -> BaseException:
    if isinstance(error, errors.TimedOut) and error is not failure:
        error.stdout, error.stderr = failure.fields.get("stdout"), failure.fields.get("stderr")
    return error


def _placed(error: BaseException, place: Place) -> BaseException:
    if isinstance(error, errors.MuxError):
        error.cluster = place.context.alias
        if place.pod.name not in error.what:
            error.what += f" ({place.words})"
    return error


def _result(ended: Outcome, place: Place, args: tuple[str, ...]) -> int:
    """The exit code.

    Raises:
        NotFound: There is no such command in the container.
        ServerError: The program could not be started for another reason.
    """
    if ended.how is Ended.EXITED:
        return ended.code
    if any(words in ended.message for words in MISSING):
        raise errors.NotFound(
            f"{args[0]!r} cannot be run in {place.words}",
            cluster=place.context.alias,
            said=ended.message,
            todo="see what the image has; another container= may have it",
        )
    raise errors.ServerError(
        f"{args[0]!r} could not be run in {place.words}", cluster=place.context.alias, said=ended.message or None
    )
