"""Runs each cell of lessons as if it were the first of a new kernel; prints what each ended with, as JSON.

Its arguments are notebooks. None of their cells has an effect, so one process does for all of them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

from tests.notebooks import lessons


def main() -> None:
    from notebook_mux.kernel import holder

    shell = InteractiveShell.instance(colors="NoColor")
    empty, found = dict(shell.user_ns), []
    for path in sys.argv[1:]:
        for cell in lessons.code(lessons.read(Path(path))):
            if lessons.BEGIN in lessons.tags(cell):
                continue
            shell.user_ns.clear()
            shell.user_ns.update(empty)
            error = shell.run_cell(cell.source, store_history=False).error_in_exec
            shown = getattr(error, "_render_traceback_", list)()
            found.append({"path": path, "id": cell.id, "error": type(error).__name__, "shown": shown,
                          "connected": holder.running() is not None})  # fmt: skip
    print(json.dumps(found), file=sys.__stderr__)


if __name__ == "__main__":
    main()
