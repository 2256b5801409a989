"""Values of JSON in the words of Go, which errors of the real server quote."""

from __future__ import annotations

from typing import Any


def go_text(value: Any) -> str:
    """As Go prints a value (``%v`` of package fmt)."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_text(one) for one in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)
