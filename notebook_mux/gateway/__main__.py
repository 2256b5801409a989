"""The gateway as a program: ``python -m notebook_mux.gateway``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

from notebook_mux.errors import GatewayError, InvalidArgument, MuxError
from notebook_mux.gateway import users
from notebook_mux.gateway.houses import Houses
from notebook_mux.gateway.server import LOOPBACK, Gateway
from notebook_mux.gateway.shared import Shared
from notebook_mux.life import logs, process
from notebook_mux.life.idle import IdleEnd
from notebook_mux.life.name import ServiceName
from notebook_mux.life.redact import redact
from notebook_mux.life.runtime import Tenure
from notebook_mux.wire.messages import Source

FAILED = 1
MAX_PORT = 65535

log = logging.getLogger("notebook_mux.gateway")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a gateway until it is stopped or, if it was launched, idle.

    Args:
        argv: The arguments; None takes the process's.

    Returns:
        0, or 1 if it could not be started.
    """
    arguments = _parser().parse_args(argv)
    name = ServiceName("gateway")
    if arguments.launched:
        logs.begin(name)
    else:
        _log_here()
    process.raise_open_files()
    try:
        with Tenure(name, register=arguments.launched or arguments.register) as tenure:
            _run(_serve(tenure, arguments))
    except MuxError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:  # on Windows, where a loop has no handlers of signals
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="notebook-mux gateway",
        description="Run a gateway here. Its first line of output is its URL with the token.",
    )
    parser.add_argument(
        "--kubeconfig", action="append", metavar="FILE", help="serve the contexts of these files (default: kubectl's)"
    )
    parser.add_argument("--port", type=_port, default=0, help="default: any that is free")
    parser.add_argument("--write", action="store_true", help="let clients change clusters that they ask to change")
    parser.add_argument("--register", action="store_true", help="let this user's kernels find it")
    parser.add_argument("--base-path", default="", metavar="PATH", help="what a proxy puts before all paths")
    parser.add_argument("--headlamp", metavar="FOLDER", help="serve Headlamp's front end too, built in this folder")
    parser.add_argument(
        "--users", type=Path, metavar="FILE", help="serve the users of this CSV file, each with a token, a kubeconfig "
        "and a right of their own, and kept apart (see gateway/users.py); SIGHUP reads it again",
    )  # fmt: skip
    parser.add_argument("--host", default=LOOPBACK, help="with --users: the name or address by which they reach it")
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="of the host, with its key, PEM: serve https")
    # By a class, which ends it by closing its standard input, however it ends itself.
    parser.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--launched", action="store_true", help=argparse.SUPPRESS)  # by a kernel, see life.launcher
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= MAX_PORT:
        raise ValueError
    return port


async def _serve(tenure: Tenure, arguments: argparse.Namespace) -> None:
    launched = arguments.launched
    people = users.read(arguments.users) if arguments.users else None
    # Launched by the kernel of this very user, it takes that kernel's paths and environment, and the manager's
    # `write` decides. Run by hand, whoever has its URL uses what it was started with.
    shared = Shared(
        instance=tenure.instance,
        own=None if launched else Source(kubeconfig=_absolute(arguments.kubeconfig), env=dict(os.environ)),
        write=launched or arguments.write,
    )
    if people is not None:
        _refuse_beside_users(arguments)
        assert shared.own is not None
        shared.own = Source(kubeconfig=[], env=shared.own.env)  # whoever runs it may look after it, and is no user
    houses = Houses(shared) if people is not None else None
    gateway = Gateway(
        shared,
        tenure.token,
        tenure.answer,
        base_path=arguments.base_path,
        frontend=Path(arguments.headlamp) if arguments.headlamp else None,
        houses=houses,
    )
    end = IdleEnd(
        tenure,
        busy=lambda: shared.wanted or not launched,
        close_door=lambda: gateway.open_door(False),
        open_door=lambda: gateway.open_door(True),
    )
    shared.stop = end.ask
    for kept in (shared.programs, shared.terminals, shared.forwards):
        kept.touched = end.touch
    shared.touched = end.touch
    try:
        port = await gateway.start(arguments.port, arguments.host, _tls(arguments.certificate))
    except OSError as error:
        raise GatewayError(
            f"the gateway cannot listen on port {arguments.port} of {arguments.host}",
            said=error.strerror or str(error),
            todo="choose another --port" if arguments.host == LOOPBACK else "choose another --port or --host",
        ) from error
    if houses is not None:
        known = houses
        gateway.read_users = lambda: known.apply(users.read(arguments.users))
        known.apply(people or ())
    with end.signals(), _read_again(gateway.read_users), _ending_with(end.ask if arguments.until_eof else None):
        tenure.publish(port)
        if not launched:
            print(f"{gateway.url}?token={tenure.token}", flush=True)
        log.info("the gateway %s serves on port %d", tenure.instance, port)
        reason = await end.wait()
        log.info("the gateway ends: %s", reason)
        await gateway.close(reason)


def _refuse_beside_users(arguments: argparse.Namespace) -> None:
    for name in ("kubeconfig", "write", "register", "headlamp"):
        if getattr(arguments, name):
            raise InvalidArgument(
                f"--{name} says what one user gets, and --users what each of several gets",
                todo=f"leave out --{name}; kubeconfig and write are columns of the users' file",
            )


def _tls(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, password=_no_password)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidArgument(
            f"the certificate in {certificate} cannot be used",
            said=error.strerror or str(error),
            todo="give one file in PEM with the certificate, its chain and its key, without a password",
        ) from None
    return context


def _no_password() -> str:
    raise PermissionError("the key is encrypted")


@contextlib.contextmanager
def _read_again(read: Callable[[], None] | None) -> Iterator[None]:
    """While this lasts, SIGHUP lets in who is in the file now, and nobody else; one that is wrong changes nothing."""
    number = getattr(signal, "SIGHUP", None)  # not on Windows
    if read is None or number is None:
        yield
        return
    ask = read

    def again() -> None:
        try:
            ask()
        except MuxError as error:
            log.error("nothing is changed: %s", " ".join(error.lines()))

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(number, again)
    try:
        yield
    finally:
        loop.remove_signal_handler(number)


@contextlib.contextmanager
def _ending_with(end: Callable[[str], None] | None) -> Iterator[None]:
    """While this lasts, the end of standard input is the gateway's: whoever started it has gone, however it went."""
    if end is None:
        yield
        return
    ask, loop = end, asyncio.get_running_loop()

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(ask, "its starter has gone")

    threading.Thread(target=wait, name="standard input", daemon=True).start()
    yield


def _absolute(paths: list[str] | None) -> list[str] | None:
    return [os.path.abspath(path) for path in paths] if paths else None


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where it is to be had: it takes 0.6 of the CPU for paced events and a quarter of the memory."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)


class _Redacted(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def _log_here() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacted(logs.FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


if __name__ == "__main__":
    raise SystemExit(main())
