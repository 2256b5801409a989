"""The gateway as a program: ``python -m notebook_mux.gateway``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from notebook_mux.errors import GatewayError, MuxError
from notebook_mux.gateway.server import Gateway
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
        description="Run a gateway here, on 127.0.0.1. Its first line of output is its URL with the token.",
    )
    parser.add_argument(
        "--kubeconfig", action="append", metavar="FILE", help="serve the contexts of these files (default: kubectl's)"
    )
    parser.add_argument("--port", type=_port, default=0, help="default: any that is free")
    parser.add_argument("--write", action="store_true", help="let clients change clusters that they ask to change")
    parser.add_argument("--register", action="store_true", help="let this user's kernels find it")
    parser.add_argument("--base-path", default="", metavar="PATH", help="what a proxy puts before all paths")
    parser.add_argument("--headlamp", metavar="FOLDER", help="serve Headlamp's front end too, built in this folder")
    parser.add_argument("--launched", action="store_true", help=argparse.SUPPRESS)  # by a kernel, see life.launcher
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= MAX_PORT:
        raise ValueError
    return port


async def _serve(tenure: Tenure, arguments: argparse.Namespace) -> None:
    launched = arguments.launched
    # Launched by the kernel of this very user, it takes that kernel's paths and environment, and the manager's
    # `write` decides. Run by hand, whoever has its URL uses what it was started with.
    shared = Shared(
        instance=tenure.instance,
        own=None if launched else Source(kubeconfig=_absolute(arguments.kubeconfig), env=dict(os.environ)),
        write=launched or arguments.write,
    )
    gateway = Gateway(
        shared,
        tenure.token,
        tenure.answer,
        base_path=arguments.base_path,
        frontend=Path(arguments.headlamp) if arguments.headlamp else None,
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
        port = await gateway.start(arguments.port)
    except OSError as error:
        raise GatewayError(
            f"the gateway cannot listen on port {arguments.port}", said=error.strerror, todo="choose another --port"
        ) from error
    with end.signals():
        tenure.publish(port)
        if not launched:
            print(f"{gateway.url}?token={tenure.token}", flush=True)
        log.info("the gateway %s serves on port %d", tenure.instance, port)
        reason = await end.wait()
        log.info("the gateway ends: %s", reason)
        await gateway.close(reason)


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
