"""``python -m notebook_mux``: the command ``notebook-mux``."""

from __future__ import annotations

from notebook_mux.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
