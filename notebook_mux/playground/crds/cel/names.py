"""Names of fields in an expression: CEL has no dots, dashes and slashes in names, and keywords of its own."""

from __future__ import annotations

ESCAPES = {"__underscores__": "__", "__dot__": ".", "__dash__": "-", "__slash__": "/"}
KEYWORDS = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let",
    "loop", "package", "namespace", "return",
})  # fmt: skip


def unescaped(name: str) -> str:
    """The field that a name in an expression means."""
    if name.startswith("__") and name.endswith("__") and name[2:-2] in KEYWORDS:
        return name[2:-2]
    for escape, text in ESCAPES.items():
        name = name.replace(escape, text)
    return name


def escaped(field: str) -> str | None:
    """The name of a field in an expression; None for one that has none."""
    if field in KEYWORDS:
        return f"__{field}__"
    name = field.replace("__", "__underscores__").replace(".", "__dot__").replace("-", "__dash__").replace(
        "/", "__slash__")  # fmt: skip
    return name if name.isidentifier() and name.isascii() else None
