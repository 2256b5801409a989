"""``notebook-mux class STUDENTS.txt``: a class in the foreground; or the one that runs, asked to read it again."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from notebook_mux import errors
from notebook_mux.classroom import students
from notebook_mux.cli import table
from notebook_mux.errors import GatewayError, InvalidArgument, MuxError
from notebook_mux.life import ask, process, redact
from notebook_mux.life.name import ServiceName
from notebook_mux.life.runtime import Entry, Tenure, read

FAILED = 1
LOOPBACK = "127.0.0.1"
FOLDER = "notebook-mux-class"
MAX_PORT = 65535
EVERYWHERE = ("0.0.0.0", "::", "*")  # noqa: S104 - refused below

ASK_SECONDS = 300.0
"""For a class that runs to do what it is asked: five hundred namespaces take half a minute, a namespace that is reset
may take one."""

Json = dict[str, Any]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="notebook-mux class",
        description="Run a class: an embedded cluster with a namespace, a quota and a link for each student, and one "
        "gateway for all. Run the same again to enrol who was added to the list and revoke who was taken out.",
    )
    made.add_argument("students", type=Path, metavar="STUDENTS.txt", help="one name a line; # begins a comment")
    made.add_argument("--scenario", help="build this lesson into each namespace, with answers of each one's own")
    made.add_argument("--seed", type=int, help="of the class; each student's comes from it and the name (default: 0)")
    made.add_argument("--dir", type=Path, default=Path(FOLDER), metavar="OUT",
                      help=f"what is handed out and kept (default: ./{FOLDER})")  # fmt: skip
    made.add_argument("--state", type=Path, metavar="DIR", help="where the cluster is kept (default: OUT/state)")
    made.add_argument("--port", type=_port, help="of the gateway (default: any, and the same next time)")
    made.add_argument("--host", default=LOOPBACK, help="the name or address by which notebooks reach this machine "
                      "(default: 127.0.0.1, which is right for a Hub on it)")  # fmt: skip
    made.add_argument("--certificate", type=Path, metavar="FILE", help="of the host, with its key, PEM: for https")
    made.add_argument("--reset", action="append", default=[], metavar="NAME",
                      help="let this student's namespace begin anew")  # fmt: skip
    return made


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port <= MAX_PORT:
        raise ValueError
    return port


_port.__name__ = "port"  # argparse says "invalid port value"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a class until it is told to end, or have the one that runs read its list again.

    Returns:
        0, or 1 after an error that is said on standard error.
    """
    arguments = parser().parse_args(argv)
    path = arguments.dir.expanduser().absolute()
    try:
        students.read(arguments.students)
        _check(arguments)
        name = ServiceName("class", str(path))
        running = read(name.runtime_file())
        if running is not None and ask.proves(running):
            print(_shown(_again(running, arguments)))
            return 0
        return _run(arguments, path, name)
    except MuxError as error:
        print("\n".join(error.lines()), file=sys.stderr)
    except OSError as error:
        print(f"notebook-mux class: {error}", file=sys.stderr)
    except KeyboardInterrupt:  # on Windows, where a loop has no handlers of signals
        return 0
    return FAILED


def _check(arguments: argparse.Namespace) -> None:
    from notebook_mux.playground import scenarios

    if arguments.scenario is not None:
        file = None
        with contextlib.suppress(scenarios.UnknownScenario):
            scenarios.check(arguments.scenario)
            file = scenarios.file_of(arguments.scenario)
        if file is None:
            known = ", ".join(sorted(name for name in scenarios.SCENARIOS if scenarios.file_of(name) is not None))
            raise InvalidArgument(
                f"there is no scenario {arguments.scenario!r} that can be built into a namespace",
                todo=f"one of: {known}; or a file of your own",
            )
        if scenarios.is_path(arguments.scenario):
            arguments.scenario = str(file.absolute())
    if arguments.host in EVERYWHERE:
        raise InvalidArgument(
            f"--host {arguments.host} is no address to reach this machine by",
            todo="give the name or address that the notebooks' machines know it by",
        )
    if arguments.certificate is not None and not arguments.certificate.is_file():
        raise InvalidArgument(f"there is no file {arguments.certificate}", todo="correct --certificate")
    if arguments.host not in (LOOPBACK, "localhost") and arguments.certificate is None:
        print(
            f"Warning: notebooks reach {arguments.host} without encryption. Whoever is on the way (a shared Wi-Fi) can"
            " read the links' tokens and use them until the names are taken out of the list.\n"
            "  next: give --certificate, or leave --host out and let the notebooks run on this machine",
            file=sys.stderr,
        )


def _run(arguments: argparse.Namespace, path: Path, name: ServiceName) -> int:
    from notebook_mux.classroom.book import STATE, Book

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacted("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    process.raise_open_files()
    with Tenure(name) as tenure:
        asked = {"scenario": arguments.scenario, "seed": arguments.seed, "port": arguments.port}
        book = Book(path, asked, {"scenario": "", "seed": 0, "port": 0})
        from notebook_mux.classroom.service import Wanted, run  # takes a second, and the folder may be none
        from notebook_mux.playground.service import loop_factory

        wanted = Wanted(
            arguments.students.absolute(),
            (arguments.state.expanduser().absolute() if arguments.state else path / STATE),
            arguments.host,
            arguments.certificate,
            tuple(arguments.reset),
        )

        def began(status: Json) -> None:
            _tell(_shown(status))
            _tell(f"Ctrl-C ends it. After a change of {arguments.students}: the same command again, or kill -HUP"
                  f" {os.getpid()}.")  # fmt: skip

        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run(wanted, book, tenure, _tell, began))
    return 0


def _again(running: Entry, arguments: argparse.Namespace) -> Json:
    """Have the class that runs read its list."""
    asked = {name: getattr(arguments, name) for name in ("host", "scenario", "seed", "port", "reset")}
    asked["names"] = str(arguments.students.absolute())
    headers = {"Authorization": f"Bearer {running.token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(LOOPBACK, running.port, timeout=ASK_SECONDS)
    try:
        connection.request("POST", "/class", json.dumps(asked), headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise GatewayError(
            "the class that runs does not answer", said=str(error), todo="notebook-mux stop class, and start it again"
        ) from None
    finally:
        connection.close()
    if answer.status != 200:
        raise errors.from_code(said["code"], said["fields"])
    return dict(said)


def _shown(status: Json) -> str:
    folder = Path(status["folder"])
    rows = [
        {
            "STUDENT": one["name"],
            "NAMESPACE": one["namespace"],
            "CONNECTED": str(one["clients"] or "-"),
            "TERMINALS": str(one["terminals"] or "-"),
            "LAST SEEN": time.strftime("%Y-%m-%d %H:%M", time.localtime(one["last"])) if one["last"] else "-",
            "LINK IN": f"students/{one['namespace']}/link",
        }
        for one in status["students"]
    ]
    there, lesson = sum(bool(one["clients"]) for one in status["students"]), status["scenario"]
    return "\n".join(
        [
            f"A class of {len(rows)} in {folder}, {there} of them connected; the gateway is {status['gateway']}",
            f"Scenario {lesson}, seed {status['seed']}." if lesson else "Empty namespaces.",
            table(rows),
            f"Hand out the links in {folder / 'class.csv'}; yours is in {folder / 'teacher' / 'link'}.",
        ]
    )


class _Redacted(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact.redact(super().format(record))


def _tell(line: str) -> None:
    print(line, flush=True)  # whoever started this may read it from a pipe


if __name__ == "__main__":
    sys.exit(main())
