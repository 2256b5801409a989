"""A small evaluator of the Common Expression Language (https://github.com/google/cel-spec), for validation rules.

`syntax` reads an expression, `types` finds names and fields that there are not, `evaluate` computes, `functions` are
what can be called. It has the language itself, its macros, texts, lists, times, optional values and sets; of the
libraries of Kubernetes it has none of URLs, addresses, quantities and versions: what calls these is known as not
evaluated (`Unsupported`), and whoever compiles it has to say so.
"""

from __future__ import annotations

from notebook_mux.playground.crds.cel.evaluating import evaluate
from notebook_mux.playground.crds.cel.syntax import parse
from notebook_mux.playground.crds.cel.values import CelError, SyntaxProblem, Unsupported

__all__ = ["CelError", "SyntaxProblem", "Unsupported", "evaluate", "parse"]
