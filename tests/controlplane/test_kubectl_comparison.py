"""A stock kubectl on the playground and on the real control plane: what is not the same is listed, with its reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.controlplane.kubectl_cases import names
from tests.controlplane.kubectl_page import PAGE, page, read, verdicts
from tests.controlplane.kubectl_sides import Pair, compared
from tests.playground import RunningPlayground
from tests.testbed.control_plane import ControlPlane

MOMENTS = 2
"""Runs of all lines, if they are needed: what is a matter of the moment differs in one and not in the next."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_difference_is_justified_and_still_there(
    control_plane_with: Callable[..., ControlPlane], tmp_path_factory: pytest.TempPathFactory
):
    wrong: dict[str, str] | None = None
    for moment in range(MOMENTS):
        folder = tmp_path_factory.mktemp("kubectl")
        playground = RunningPlayground(folder)
        try:
            plane = control_plane_with(nodes=1, number=moment)  # in one that was used all would be there already
            found = unknown(compared(playground.kubeconfig, plane.kubeconfig, folder))
        finally:
            playground.close()
        wrong = found if wrong is None else {name: text for name, text in found.items() if name in wrong}
        if not wrong:
            return
    assert not wrong, "\n\n".join(f"kubectl {name}\n{text}" for name, text in (wrong or {}).items())


def unknown(pairs: dict[str, Pair]) -> dict[str, str]:
    """Lines that are not as the data file has them, with what is not so."""
    data = read()
    justified, known = data["justified"], data["measured"]
    sometimes = {name for name, told in justified.items() if told.get("sometimes")}  # a matter of the moment
    found: dict[str, str] = {}
    for name, verdict in verdicts(pairs).items():
        pair = pairs[name]
        if not pair.same and name not in justified:
            found[name] = pair.difference()
        elif pair.same and name in justified and name not in sometimes:
            found[name] = "is the same now: take it out of kubectl_verdicts.json"
        elif verdict != known[name] and name not in sometimes:
            found[name] = "run python -m tests.controlplane.kubectl_page"
    return found


def test_the_page_says_what_was_measured():
    data = read()
    assert list(data["measured"]) == names()
    for name, (ours, real, output) in data["measured"].items():
        told = data["justified"].get(name)
        if not (told or {}).get("sometimes"):
            assert (told is None) == (ours == real and output), name
        assert told is None or (told["difference"] and told["why"]), name
    assert PAGE.read_text(encoding="utf-8") == page(data), "run python -m tests.controlplane.kubectl_page --page"
