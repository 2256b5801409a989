"""The playground's fixtures, for the tests of this folder."""

from __future__ import annotations

from tests.playground import first_look, playground, start_playground, still_look

__all__ = ["first_look", "playground", "start_playground", "still_look"]
