"""The Common Expression Language (https://github.com/google/cel-spec), for validation rules.

`syntax` reads an expression, `checker` finds what is wrong with it by `declared` overloads, `evaluating` computes,
`functions` are what can be called: CEL's own, its extensions for texts, lists, sets, optional values and comprehensions
of two variables, and Kubernetes' libraries for URLs, addresses, networks, quantities, versions and formats. What a rule
may cost is not estimated: a computation has a limit of its own.
"""

from __future__ import annotations

from notebook_mux.playground.crds.cel.checker import check
from notebook_mux.playground.crds.cel.evaluating import evaluate
from notebook_mux.playground.crds.cel.syntax import parse
from notebook_mux.playground.crds.cel.values import CelError, SyntaxProblem

__all__ = ["CelError", "SyntaxProblem", "check", "evaluate", "parse"]
