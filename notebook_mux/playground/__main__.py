"""``python -m notebook_mux.playground``: an embedded Kubernetes cluster, by hand or started by a kernel."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from notebook_mux.errors import MuxError
from notebook_mux.life import logs, process
from notebook_mux.life.runtime import Tenure
from notebook_mux.playground import scenarios
from notebook_mux.playground.sandbox import modes
from notebook_mux.playground.scenarios import Settings

MAX_CLUSTERS = 50
PODS_VARIABLE = "NOTEBOOK_MUX_PLAYGROUND_PODS"
RATE_VARIABLE = "NOTEBOOK_MUX_PLAYGROUND_RATE"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    known = ", ".join(sorted(scenarios.SCENARIOS))
    made = argparse.ArgumentParser(
        prog="notebook-mux playground",
        description="An embedded Kubernetes cluster on 127.0.0.1. Prints its URL, then the path of its kubeconfig.",
    )
    made.add_argument(
        "--scenario", help=f"one of: {known}, or the path of a file; default: {scenarios.DEFAULT}, or what is kept"
    )
    made.add_argument("--seed", type=int, help="of all that is random (default: 0)")
    made.add_argument("--clusters", type=int, help="how many clusters, each with a context of its own (default: 1)")
    made.add_argument("--state", type=Path, metavar="DIR", help="keep all of it in this folder, and go on with what "
                      "is kept there; keys, tokens and ports too, so that kubeconfigs go on to work")  # fmt: skip
    made.add_argument("--port", type=int, default=0, help="of the first cluster (default: any)")
    made.add_argument("--kubeconfig", type=Path, help="where to write the kubeconfig")
    made.add_argument("--pods", type=int, default=_from_environment(PODS_VARIABLE, 10_000), help="of many-pods")
    made.add_argument("--rate", type=float, default=float(_from_environment(RATE_VARIABLE, 10)),
                      help="changes a second of many-pods")  # fmt: skip
    made.add_argument("--still", action="store_true", help="nothing moves by itself")
    made.add_argument("--shell", choices=modes.SHELLS, default=modes.default(), help="of exec and attach: real "
                      "programs in a sandbox where the system allows it (auto), an error where it does not (sandbox), "
                      f"or the emulation (default: ${modes.VARIABLE}, else auto)")  # fmt: skip
    made.add_argument("--launched", action="store_true", help=argparse.SUPPRESS)
    return made


def _from_environment(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else default


def main(argv: Sequence[str] | None = None) -> int:
    """Run a playground until it is idle or told to end.

    Returns:
        The process's exit code.
    """
    arguments = parser().parse_args(argv)
    defaults: dict[str, Any] = {"scenario": scenarios.DEFAULT, "seed": 0, "clusters": 1}
    asked = {name: getattr(arguments, name) for name in defaults}
    settled = {name: defaults[name] if value is None else value for name, value in asked.items()}
    try:
        if scenarios.is_path(settled["scenario"]):
            settled["scenario"] = scenarios.fingerprint(settled["scenario"])[0]
            if asked["scenario"] is not None:
                asked["scenario"] = settled["scenario"]
        if arguments.launched:
            scenarios.check(settled["scenario"])
        else:
            scenarios.attempt(settled["scenario"], settled["seed"], settled["clusters"])
    except scenarios.UnknownScenario as error:
        print(f"notebook-mux playground: {error}", file=sys.stderr)
        return 2
    except MuxError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return 2
    if not 1 <= settled["clusters"] <= MAX_CLUSTERS:
        print(f"notebook-mux playground: --clusters {arguments.clusters}: 1 to {MAX_CLUSTERS}", file=sys.stderr)
        return 2
    try:
        with _state(arguments.state, asked, defaults) as state:
            return _run(arguments, state.settled if state is not None else settled, state)
    except MuxError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return 1


def _state(path: Path | None, asked: dict[str, Any], defaults: dict[str, Any]) -> AbstractContextManager[Any]:
    if path is None:
        return nullcontext()
    from notebook_mux.playground.state.folder import StateFolder

    return StateFolder(path, asked, defaults)


def _run(arguments: argparse.Namespace, settled: Mapping[str, Any], state: Any) -> int:
    gc.disable()  # until it serves: what a start makes stays, and looking for garbage in it is a tenth of its time
    from notebook_mux.playground.service import Wanted, loop_factory, run

    wanted = Wanted(
        scenario=settled["scenario"],
        seed=settled["seed"],
        clusters=settled["clusters"],
        state=state,
        port=arguments.port,
        kubeconfig=arguments.kubeconfig,
        launched=arguments.launched,
        settings=Settings(pods=arguments.pods, rate=arguments.rate, still=arguments.still),
        shell=arguments.shell,
    )
    if wanted.launched:
        logs.begin(wanted.name)
    process.raise_open_files()
    try:
        with (
            Tenure(wanted.name, register=wanted.launched) as tenure,
            asyncio.Runner(loop_factory=loop_factory()) as runner,
        ):
            runner.run(run(wanted, tenure, lambda line: print(line, flush=True)))
    except MuxError:
        raise
    except OSError as error:
        print(f"notebook-mux playground: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
