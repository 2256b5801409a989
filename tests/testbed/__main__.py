"""A real Kubernetes control plane on loopback, from the command line.

    python -m tests.testbed up DIR [--nodes 3] [--apiserver-arg=--flag=value ...]
    python -m tests.testbed kubectl DIR get nodes
    python -m tests.testbed stop|cont|kill|start DIR PART
    python -m tests.testbed down DIR
    python -m tests.testbed build

`up` writes DIR/admin.kubeconfig, prints its path, and returns when the nodes are Ready. What can be done with it is in
CONTRIBUTING.md, "A real API server".
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.testbed import build
from tests.testbed.control_plane import ControlPlane, Failed
from tests.testbed.parts import PARTS

FAULTS = ("stop", "cont", "kill", "start")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.testbed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up")
    up.add_argument("folder", type=Path)
    up.add_argument("--nodes", type=int, default=3)
    up.add_argument("--apiserver-arg", action="append", default=[])
    commands.add_parser("down").add_argument("folder", type=Path)
    for name in FAULTS:
        fault = commands.add_parser(name)
        fault.add_argument("folder", type=Path)
        fault.add_argument("part", choices=PARTS)
    kubectl = commands.add_parser("kubectl", prefix_chars="\0")
    kubectl.add_argument("folder", type=Path)
    kubectl.add_argument("words", nargs=argparse.REMAINDER)
    commands.add_parser("build")
    options = parser.parse_args()
    try:
        run(options)
    except (Failed, OSError) as error:
        sys.exit(str(error))


def run(options: argparse.Namespace) -> None:
    if options.command == "build":
        build.build()
    elif options.command == "up":
        args = tuple(options.apiserver_arg)
        plane = ControlPlane(options.folder, nodes=options.nodes, apiserver_args=args, ends_with_us=False)
        print(plane.up().kubeconfig)
    elif options.command == "kubectl":
        print(ControlPlane.attach(options.folder).kubectl(*options.words), end="")
    elif options.command == "down":
        ControlPlane.attach(options.folder).down()
    else:
        getattr(ControlPlane.attach(options.folder), options.command)(options.part)


if __name__ == "__main__":
    main()
