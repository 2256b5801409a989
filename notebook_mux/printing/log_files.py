"""Lines of logs as a file: text, or an object a line."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from notebook_mux.handles.log_lines import Line
from notebook_mux.printing import log_text

JSON_ENDINGS = (".json", ".jsonl", ".ndjson")

PREFIX = ".notebook-mux-"
"""Of the file that is written before it takes the other's place."""


def write(target: Path, lines: Sequence[Line], *, masked: bool) -> None:
    """Write lines into a file: whole, or it stays as it was.

    What logs say may be secret, so the file is its owner's alone from the first byte on.

    Raises:
        OSError: It cannot be written.
    """
    rows: Iterable[str]
    if target.suffix.lower() in JSON_ENDINGS:
        mask = log_text.masker(masked)
        rows = (json.dumps(_plain(line, mask(line)), ensure_ascii=False) for line in lines)
    else:
        rows = log_text.plain(lines, masked=masked)
    # a new file of an unforeseen name: nobody can have put a link there, and two threads write two
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=PREFIX)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(row + "\n")
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _plain(line: Line, text: str) -> dict[str, Any]:
    named = {name: getattr(line, name) for name in ("cluster", "namespace", "pod", "container", "level")}
    return {"time": line.stamp, **named, "text": text, **({"mark": line.mark} if line.mark else {})}
