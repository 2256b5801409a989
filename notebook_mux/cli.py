"""The command ``notebook-mux``.

Nothing heavy is imported before the command is known: ``status`` answers at once.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

from notebook_mux._version import __version__
from notebook_mux.errors import MuxError

__all__ = ["main"]

FAILED = 1
INTERRUPTED = 130
"""128 and SIGINT's number, as shells say it."""

CLEAR_LINE = "\r\x1b[K"

KINDS = ("gateway", "playground", "class")

ROOMS = {"class": "classroom"}
"""Where a service is that is not called as its folder: ``class`` is a word of Python's own."""

COUNTS = ("clients", "streams", "upstreams")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments after the command's own name; None takes the process's.

    Returns:
        An exit code: 0, 1 after an error that is said on standard error, 2 for wrong arguments, 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        if given and given[0] in KINDS:  # they have their own arguments, and their own --help
            return _service(given[0], given[1:])
        arguments = _parser().parse_args(given)
        command: Callable[[argparse.Namespace], int] = arguments.command
        return command(arguments)
    except MuxError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # `notebook-mux status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="notebook-mux", description="Live Kubernetes clusters in Jupyter notebooks, over one socket."
    )
    parser.add_argument("--version", action="version", version=f"notebook-mux {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="JupyterLab with the first notebook, on an embedded cluster")
    demo.add_argument("--no-browser", action="store_true", help="open no browser (or NOTEBOOK_MUX_NO_BROWSER=1)")
    demo.add_argument("--port", type=_port, help="JupyterLab's port")
    demo.add_argument("--folder", type=Path, default=None, help="working folder (default: ./notebook-mux-demo)")
    demo.set_defaults(command=_demo)

    for kind, what in (
        ("gateway", "run a gateway here; its first line is its URL"),
        ("playground", "run an embedded cluster here"),
        ("class", "run a class here: a namespace and a link for each student of a list"),
    ):
        commands.add_parser(kind, help=what, add_help=False)

    status = commands.add_parser("status", help="the gateways and playgrounds that run for you on this machine")
    status.add_argument("--json", action="store_true", help="as data")
    status.set_defaults(command=_status)

    doctor = commands.add_parser("doctor", help="what is here, what answers and what is missing, for a bug report too")
    doctor.add_argument("contexts", nargs="*", metavar="CONTEXT", help="look at these (default: all, if not too many)")
    doctor.add_argument(
        "--kubeconfig", action="append", metavar="FILE", help="look into these files (default: kubectl's)"
    )
    doctor.add_argument("--json", action="store_true", help="as data")
    doctor.set_defaults(command=_doctor)

    stop = commands.add_parser("stop", help="end them, and clean up after those that died")
    stop.add_argument("kind", nargs="?", choices=KINDS, help="only these (default: all)")
    stop.set_defaults(command=_stop)
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError
    return port


_port.__name__ = "port"  # argparse says "invalid port value"


def _service(kind: str, argv: list[str]) -> int:
    run: Callable[[list[str]], int | None] = importlib.import_module(
        f"notebook_mux.{ROOMS.get(kind, kind)}.__main__"
    ).main
    return run(argv) or 0


def _demo(arguments: argparse.Namespace) -> int:
    from notebook_mux.life import lab

    def terminated(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    for number in ("SIGTERM", "SIGHUP"):  # JupyterLab must not outlive this process
        if hasattr(signal, number):
            signal.signal(getattr(signal, number), terminated)
    folder = (arguments.folder or Path(lab.FOLDER)).expanduser().absolute()
    browser = not (arguments.no_browser or lab.no_browser())
    return lab.run(folder, tell=_tell, browser=browser, port=arguments.port)


def _tell(line: str) -> None:
    print(line, flush=True)  # whoever started this may read it from a pipe


def _status(arguments: argparse.Namespace) -> int:
    from notebook_mux.life import services

    rows = [_row(service, services.status_of(service)) for service in services.listing()]
    if arguments.json:
        print(json.dumps(rows, indent=1))
    elif not rows:
        print("Nothing runs. A notebook starts its gateway by itself; by hand: notebook-mux gateway")
    else:
        print(table([_shown(row) for row in rows]))
    return 0


def _row(service: Any, said: dict[str, Any]) -> dict[str, Any]:
    entry = service.entry
    row: dict[str, Any] = {"service": service.kind, "state": service.state}
    if entry is not None:
        row |= {"variant": entry.key.get("variant", ""), "pid": entry.pid, "version": entry.version}
        row |= {"port": entry.port, "since": entry.since}
    for count in COUNTS:
        value = said.get(count)
        if value is not None:
            row[count] = len(value) if isinstance(value, (list, dict)) else value
    return row


def _shown(row: dict[str, Any]) -> dict[str, str]:
    service = f"{row['service']} {row['variant']}" if row.get("variant") else row["service"]
    shown = {"SERVICE": service, "STATE": row["state"]}
    shown |= {title: str(row.get(title.lower(), "-")) for title in ("PID", "VERSION", "PORT")}
    since = row.get("since")
    shown["SINCE"] = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(since)) if since else "-"
    return shown | {count.upper(): str(row.get(count, "-")) for count in COUNTS}


def table(rows: list[dict[str, str]]) -> str:
    """Rows of text below their titles."""
    widths = {title: max(len(title), *(len(row[title]) for row in rows)) for title in rows[0]}
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths.values(), strict=True)).rstrip()
        for line in lines
    )


def _doctor(arguments: argparse.Namespace) -> int:
    from notebook_mux.handles import doctor
    from notebook_mux.handles.waiting import blocking
    from notebook_mux.printing import report

    paint = report.inked if _has_colours(sys.stdout) else report.plain

    def tell(rows: list[dict[str, Any]]) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(CLEAR_LINE)  # of the words that say what it is at
            sys.stderr.flush()
        _write("\n".join(report.lines(rows, paint)))

    found = blocking(doctor.doctor(arguments.contexts or None, arguments.kubeconfig, None if arguments.json else tell))
    if arguments.json:
        print(json.dumps(found.rows, indent=1))
    else:
        _write("\n".join(["", *found.notes, report.verdict(found.rows).capitalize() + "."]))
    return 0 if found.ok else FAILED


def _has_colours(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write(text: str) -> None:
    """Print, also where the terminal has not all characters."""
    from notebook_mux.printing.report import PLAIN_MARKS

    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(PLAIN_MARKS)
    _tell(text.encode(encoding, "replace").decode(encoding))


def _stop(arguments: argparse.Namespace) -> int:
    from notebook_mux.life import services

    found = services.listing(arguments.kind)
    outcomes = services.stop(found)
    for service in found:
        print(_told(service, outcomes[service.path]))
    if not found:
        print("Nothing runs.")
    return FAILED if any(_is_failure(service, outcomes[service.path]) for service in found) else 0


def _is_failure(service: Any, outcome: str) -> bool:
    return bool(outcome == "left" and service.state != "elsewhere")


def _told(service: Any, outcome: str) -> str:
    process = f" (process {service.entry.pid})" if service.entry else ""
    if outcome != "left":
        said = {
            "stopped": "ended",
            "killed": "did not end when asked and was killed",
            "cleaned": "had died; its files are removed",
        }
        return f"The {service.kind}{process} {said[outcome]}."
    if service.state == "elsewhere":
        host = service.entry.key.get("host", "") if service.entry else ""
        return f"The {service.kind}{process} is of another machine or container ({host}) and was left alone."
    if service.state == "starting":
        return f"The {service.kind} is just starting or ending; try again."
    return f"The {service.kind}{process} could not be ended."
