"""How a cluster's clock is read from its answers, whatever they say."""

from __future__ import annotations

import pytest

from notebook_mux import clocks
from notebook_mux.ages import utc

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    "said",
    ["nan;1", "inf;1", "1e300;1", "-1;1", "1;nan", "1;1e308", "1;-1", "x;y", "1", ";", "١;1e9", "9" * 400 + ";1"],
)
def test_what_is_no_time_of_anybody_s_leaves_the_clock_as_it_was(said: str):
    known = clocks.Clock(NOW - 500.0, NOW, 2.0)
    assert clocks.heard({clocks.HEADER: said}, NOW, NOW, known) == known


def test_a_clock_that_is_believed_has_a_date_for_years():
    for said in (f"{NOW + 50};10", "0;0", f"{clocks.LATEST - 1};{clocks.FASTEST}"):
        found = clocks.heard({clocks.HEADER: said}, NOW, NOW, clocks.OURS)
        assert found != clocks.OURS
        assert utc(found.now(NOW + 86_400.0)).year < 9999
    assert clocks.heard({clocks.HEADER: f"{NOW + 0.1};1"}, NOW, NOW, clocks.OURS) == clocks.OURS
