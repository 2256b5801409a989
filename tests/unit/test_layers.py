"""The data's way, as imports: no module imports one that stands further down the stream towards the user."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "notebook_mux"

# Towards the user. A module may import from its own layer and from those above it in this list.
LAYERS = [
    "errors _version forksafe listening yamls",
    "life urls",
    "wire ages clocks",
    "filtering",
    "kube printers",
    "remote",
    "forwards",
    "tailing",
    "headlamp",
    "kernel",
    "progress waiting jsonpath selectors",
    "kin lifelines",
    "folding",
    "crossing moments cells conditions objects origins entries patterns log_lines masking lineage amounts tone_rules",
    "tones",
    "rows facts pod_facts network_facts kind_facts",
    "differences",
    "shown dataframe listing report check outcome lists refusals telling log_text",
    "event_frame",
    "checking",
    "log_frame log_files",
    "readers snapshot held log_standing",
    "source log_source log_following",
    "family",
    "event_source",
    "changes dispatch",
    "stream",
    "holders fetching",
    "identity playgrounds",
    "questions server reviews notices cutting metrics",
    "advice targets ports log_around",
    "starting rights sweeping log_targets",
    "programs terminals debugging node_shells changing",
    "shells",
    "widgets",
    "kubeconfigs",
    "functions managers manager demos events forward logs expecting plugs",
    "contexts kinds doctor",
    "calls",
    "magics",
    "api api_changes api_containers api_checks aio",
    "lessons",
]

# The gateway, the checks and the playground are processes of their own. They share with the kernel's side only what is
# pure; the checks look at clusters as the gateway does, with its own modules.
PROCESSES = {
    "gateway": set(),
    "playground": set(),
    "checks": {"gateway"},
    "classroom": {"gateway", "playground", "cli"},
}
SHARED = {"errors", "_version", "life", "urls", "wire", "kube", "printers", "remote", "forwards", "tailing", "ages",
          "clocks", "jsonpath", "listening", "yamls"}  # fmt: skip

# What a person calls may start anything.
ENTRANCES = {"__init__", "__main__", "cli"}

# Folders whose modules each have a place of their own in the stream.
OPEN_FOLDERS = {"handles", "printing"}

# `Manager` is made by its registry and asks it; the widgets know the manager's type only to say it.
TYPES_ONLY = "TYPE_CHECKING"


def layer_of() -> dict[str, int]:
    return {name: at for at, names in enumerate(LAYERS) for name in names.split()}


def modules() -> list[Path]:
    return sorted(
        path
        for path in (ROOT / PACKAGE).rglob("*.py")
        if "node_modules" not in path.parts and "frontend" not in path.parts
    )


def room(parts: Sequence[str]) -> str:
    """The module or subpackage right below the package; in the folders of the user's side, the module itself.

    Where both have one name it is that with its folder: ``handles.logs`` is another room than ``logs``.
    """
    if parts[0] not in OPEN_FOLDERS or len(parts) == 1:
        return parts[0]
    return ".".join(parts[:2]) if (ROOT / PACKAGE / parts[1]).exists() else parts[1]


def room_of(dotted: str) -> str:
    """The room of a module by its dotted name."""
    return room(dotted.removeprefix(f"{PACKAGE}.").split("."))


def rooms_from(node: ast.ImportFrom) -> set[str]:
    """``from notebook_mux.handles import stream`` names modules, ``from notebook_mux.kernel import holder`` a room."""
    assert node.module is not None
    folder = node.module.removeprefix(f"{PACKAGE}.")
    if folder in OPEN_FOLDERS:
        return {room((folder, alias.name)) for alias in node.names}
    return {room_of(node.module)}


def imported(path: Path) -> set[str]:
    """The rooms of the package that a module imports, at its top or inside functions; for types only are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and TYPES_ONLY in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {room_of(a.name) for a in node.names if a.name.startswith(f"{PACKAGE}.")}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{path}: a relative import"
            if node.module == PACKAGE:
                found |= {a.name for a in node.names}
            elif node.module.startswith(f"{PACKAGE}."):
                found |= rooms_from(node)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT / PACKAGE)))
def test_no_import_runs_against_the_stream(path: Path) -> None:
    layers = layer_of()
    own = room(path.relative_to(ROOT / PACKAGE).with_suffix("").parts)
    if own in ENTRANCES:
        return
    others = imported(path) - {own, PACKAGE}
    if own in PROCESSES:
        assert others <= SHARED | PROCESSES[own]
        return
    assert own in layers, f"{own} has no place in the stream: add it to LAYERS"
    for other in others - {"playground"} if own == "playgrounds" else others:
        assert layers[other] <= layers[own], f"{own} imports {other}, which is further down"


def test_the_wire_is_sans_io() -> None:
    refused = {"asyncio", "aiohttp", "websockets", "socket", "threading", "ssl"}
    own = ROOT / PACKAGE
    headlamps = [own / "headlamp" / f"{name}.py" for name in ("client", "config", "cookies")]
    for path in (*(own / "wire").glob("*.py"), *(own / "printers").glob("*.py"), *headlamps):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.partition(".")[0] for name in names} & refused, path


def test_rooms_are_small() -> None:
    sizes = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in modules())
    assert sizes[-1] <= 500


def test_no_package_gives_a_submodules_name_to_something_else():
    """Whoever imports the submodule anew would put it in the other's place."""
    for path in modules():
        if path.name != "__init__.py":
            continue
        inside = {one.stem for one in path.parent.iterdir() if one.suffix == ".py" or one.is_dir()}
        made = {one.name for one in ast.parse(path.read_text()).body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}  # fmt: skip
        assert not made & inside, path
