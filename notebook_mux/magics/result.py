"""What a kubectl gave: text as it came, rows where it is a table, data where it is JSON or YAML."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from notebook_mux.errors import InvalidArgument, KubectlFailed
from notebook_mux.magics import kinds, looks, tables

if TYPE_CHECKING:
    import pandas as pd

    from notebook_mux.magics.words import Words


class KubectlResult:
    """The result of ``%kubectl`` and ``%%kubectl``; a value, which waits for nothing. Any thread may read it.

    ::

        pods = %kubectl get pods
        pods.rows[0]["STATUS"]
        pods.df()
        web = %kubectl get deploy web -o yaml
        web.data["spec"]["replicas"]

    Attributes:
        command: The command as a person writes it.
        text: All that it wrote, as it came.
        stderr: The same of what it wrote to standard error.
        returncode: Its exit code; 0 where an interrupt ended what goes on until then.
    """

    def __init__(
        self, words: Words, text: str, stderr: str, returncode: int, *, context: str = "", was_shown: bool = False,
        notes: tuple[str, ...] = (), todo: str = "",
    ) -> None:  # fmt: skip
        self.command = words.text
        self.text = text
        self.stderr = stderr
        self.returncode = returncode
        self._kind = kinds.kind_of(words)
        self._failed = kinds.is_failure(words, returncode, text)
        self._look = looks.Look(self.command, context, self._kind, notes, todo, time.time())
        self._hidden = was_shown or not words.shows

    @cached_property
    def tables(self) -> list[tables.Table]:
        """Its tables, each with ``.columns`` and ``.rows``: ``get all`` prints one for each kind. May be none."""
        return tables.read(self.text) if self._kind == kinds.TABLE else []

    @property
    def columns(self) -> list[str]:
        """The titles as kubectl prints them (``NAME``), of all tables."""
        return list(dict.fromkeys(title for table in self.tables for title in table.columns))

    @property
    def rows(self) -> list[dict[str, str]]:
        """A dict a line, of all tables: the titles to the cells, as kubectl prints them."""
        return [dict(row) for table in self.tables for row in table.rows]

    def df(self) -> pd.DataFrame:
        """The rows as a pandas DataFrame; a column of nothing but whole numbers has them as numbers.

        Raises:
            InvalidArgument: pandas is not installed.
        """
        from notebook_mux.printing.dataframe import require_pandas

        require_pandas()
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=self.columns)
        for title in self.columns:
            if len(frame) and all(isinstance(cell, str) and cell.isdecimal() for cell in frame[title]):
                frame[title] = frame[title].astype("int64")
        return frame

    @cached_property
    def data(self) -> Any:
        """The output of ``-o json`` or ``-o yaml``, read: a dict, or a list where there are several documents.

        Raises:
            InvalidArgument: It is neither.
        """
        if self._kind == kinds.JSON:
            return _documents(_json_documents(self.text))
        if self._kind == kinds.YAML:
            return _documents(list(yaml.load_all(self.text, Loader=_Loader)))
        raise InvalidArgument(
            f"the output of {self.command!r} is no JSON or YAML", todo="add -o yaml; .rows has a table's lines"
        )

    def check_returncode(self) -> None:
        """Raise if the command failed.

        Raises:
            KubectlFailed: With kubectl's words; its ``result`` is this.
        """
        if self._failed:
            said = self.stderr or self.text
            error = KubectlFailed(f"{self.command} failed (exit code {self.returncode})", said=said.strip() or None,
                                  todo=self._look.todo or None)  # fmt: skip
            error.result = self
            raise error

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, str]]:
        return iter(self.rows)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self._look.text(self.text, self.stderr, self._failed)

    def _ipython_display_(self) -> None:
        """Show nothing, once, where that was asked for or all was shown as it came."""
        if self._hidden:
            self._hidden = False
            return
        raise NotImplementedError  # IPython takes the next way to show it

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        html = self._look.html(self.tables, self.text, self.stderr, self._failed)
        return {"text/plain": repr(self), "text/html": html}

    def _without_failure(self) -> dict[str, str]:
        """What came besides a failure, to be shown before it is raised."""
        look = replace(self._look, notes=(), todo="")
        return {
            "text/plain": look.text(self.text, "", False),
            "text/html": look.html(self.tables, self.text, "", False),
        }


class _Loader(yaml.SafeLoader):
    """YAML as kubectl writes it; a time without quotes stays text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
    for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _json_documents(text: str) -> list[Any]:
    decoder, found, at = json.JSONDecoder(), [], 0
    while rest := text[at:].lstrip():
        document, length = decoder.raw_decode(rest)
        found.append(document)
        at = len(text) - len(rest) + length
    return found


def _documents(found: list[Any]) -> Any:
    return found[0] if len(found) == 1 else found
