"""The magics' names in IPython. Light: what they do is imported when one is used."""

from __future__ import annotations

from typing import Any

NAME = "kubectl"


def register(shell: Any) -> None:
    """Give a shell of IPython's the magics; harmless where it has them."""
    from IPython.core.magic import needs_local_scope, no_var_expand

    # Its own expansion would take `{{...}}` of a Go template for an escaped brace.
    shell.register_magic_function(no_var_expand(needs_local_scope(_kubectl)), "line_cell", NAME)


def _kubectl(line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
    """Run kubectl on the clusters that this notebook is connected to.

    %kubectl get pods -n shop           shown as a table, and kept: pods = %kubectl get pods
    %kubectl logs -f deploy/web         shown as it comes, until it ends or the cell is interrupted
    %%kubectl apply -f -                the cell's lines are what it reads
    %kubectl --no-raise-error get x     a failure is shown and is no error of the cell
    %kubectl get pods;                  shown nowhere

    Of the line, $name and {expression} are replaced by what Python has for them; nothing of the cell is.
    """
    from notebook_mux.magics.kubectl import run

    return run(line, cell, local_ns or {})
