"""The playground's fixtures, for the tests of this folder."""

from __future__ import annotations

from tests.controlplane.sides import place, side
from tests.playground import first_look, playground, start_playground, still_look

__all__ = ["first_look", "place", "playground", "side", "start_playground", "still_look"]
