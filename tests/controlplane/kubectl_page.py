"""``python -m tests.controlplane.kubectl_page``: run all lines on both sides and write the page of what they show.

Differences that nobody has justified are printed; a justified line that is ``sometimes`` may be the same too.
``--page`` writes the page from what was measured before.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.controlplane.kubectl_cases import AGAIN, names
from tests.controlplane.kubectl_sides import Pair, compared
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane

Json = dict[str, Any]

DATA = Path(__file__).with_name("kubectl_verdicts.json")
PAGE = Path(__file__).resolve().parents[2] / "notebook_mux/playground/KUBECTL.md"

HEAD = """# kubectl on the playground

Each line is run by a stock kubectl 1.37.2 on the playground and on a real control plane of the same version (etcd,
kube-apiserver, controller-manager, scheduler; [kwok](https://kwok.sigs.k8s.io/) plays the node). Exit code, standard
output and standard error are compared after what two servers choose for themselves is taken out: uids, addresses,
times, ages, versions, generated ends of names, widths of columns.

This page is written by `python -m tests.controlplane.kubectl_page`; `tests/controlplane/test_kubectl_comparison.py`
fails on a difference that is not in it, and on one in it that is gone.

"""


def read() -> Json:
    """What was measured, and what is justified."""
    data: Json = json.loads(DATA.read_text(encoding="utf-8"))
    return data


def verdicts(pairs: dict[str, Pair]) -> Json:
    """What the data file says of a run: exit codes of both, and whether the output is the same."""
    return {name: [pair.ours.code, pair.real.code, pair.same_output] for name, pair in pairs.items()}


def page(data: Json) -> str:
    """The page."""
    measured, justified = data["measured"], data["justified"]
    same = sum(ours == real and output for ours, real, output in measured.values())
    lines = [HEAD + f"{len(measured)} lines; {same} are the same on both.\n"]
    lines.append("| `kubectl ...` | exit code | output | difference | why |\n| --- | --- | --- | --- | --- |")
    for name in names():
        ours, real, output = measured[name]
        told = justified.get(name, {"difference": "", "why": ""})
        code = f"{ours}" if ours == real else f"{ours}, really {real}"
        why = data["reasons"].get(told["why"], told["why"])
        shown = "differs at times" if told.get("sometimes") else "same" if output else "differs"
        lines.append(f"| {_code(name)} | {code} | {shown} | {told['difference']} | {why} |")
    return "\n".join(lines) + "\n"


def _code(name: str) -> str:
    line, _, again = name.partition(AGAIN)
    shown = line.replace("|", "\\|").replace("`", "'")
    return f"`{shown}`" + (f" (time {again})" if again else "")


def main() -> int:
    """The command. Exit code 1 if something differs and is not justified."""
    parser = argparse.ArgumentParser(prog="python -m tests.controlplane.kubectl_page", description=__doc__)
    parser.add_argument("--page", action="store_true", help="only write the page, of what was measured before")
    parser.add_argument("--differences", type=Path, metavar="FILE", help="write all differences there")
    given = parser.parse_args()
    data = read()
    unjustified = 0
    if not given.page:
        with tempfile.TemporaryDirectory(prefix="nm-kubectl-") as name:
            folder = Path(name)
            plane = ControlPlane(folder / "plane", nodes=1)
            playground = RunningPlayground(folder)
            try:
                pairs = compared(playground.kubeconfig, plane.up().kubeconfig, folder)
            finally:
                playground.close()
                plane.down()
        data["measured"] = verdicts(pairs)
        data["justified"] = {name: data["justified"][name] for name in names() if name in data["justified"]}
        told: list[str] = []
        for line, pair in pairs.items():
            told_of = data["justified"].get(line, {})
            known = bool(told_of)
            if pair.same == known and not told_of.get("sometimes"):
                unjustified += 1
                print(f"{'GONE' if known else 'NOT JUSTIFIED'}: {line}", flush=True)
            if not pair.same:
                told.append(f"## {line}\n{pair.difference()}\n")
        if given.differences:
            given.differences.write_text("\n".join(told))
        DATA.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(data), encoding="utf-8")
    return 1 if unjustified else 0


if __name__ == "__main__":
    sys.exit(main())
