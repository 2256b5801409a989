"""Lines of logs as a pandas DataFrame, typed; pandas is imported when someone asks for a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from notebook_mux.handles.log_lines import LEVEL_BITS, LEVELS, MARK, Batch, fields_of, mark_of
from notebook_mux.printing.dataframe import require_pandas

if TYPE_CHECKING:
    import pandas as pd

PLACES = ("cluster", "namespace", "pod", "container")

COLUMNS = ("time", *PLACES, "level", "text", "mark")

MAX_FIELDS = 200
"""Columns of fields: who writes a log chooses their names, and may choose a new one each time."""

LEFT_OUT = "fields_left_out"
"""In the frame's ``attrs``: how many names of fields are no columns."""


def frame(batch: Batch, sources: Sequence[Mapping[str, Any]], *, fields: bool, marks: bool) -> pd.DataFrame:
    """The lines, by time; see `Logs.df`.

    Args:
        batch: Their columns, in the order of arrival.
        sources: What they are of.
        fields: Whether to have the fields of lines as columns, the `MAX_FIELDS` most frequent ones.
        marks: Whether to have marks too.
    """
    require_pandas()
    import numpy as np
    import pandas as pd

    times, flags = np.array(batch.times, dtype="int64"), np.array(batch.flags, dtype="uint16")
    order = np.argsort(times, kind="stable")
    if not marks:
        order = order[(flags[order] & MARK) == 0]
    of, texts = np.array(batch.sources, dtype="int64")[order], [batch.texts[at] for at in order]
    flags = flags[order]
    data: dict[str, Any] = {"time": pd.to_datetime(pd.Series(times[order]), unit="ns", utc=True)}
    for place in PLACES:
        names = np.array([str(one[place]) for one in sources] or [""], dtype=object)
        data[place] = pd.Series(names[of] if len(of) else [], dtype=object)
    levels = np.minimum(flags & LEVEL_BITS, len(LEVELS) - 1).astype("int64") - 1  # -1 is none
    kind = pd.CategoricalDtype(list(LEVELS[1:]), ordered=True)
    data["level"] = pd.Series(pd.Categorical.from_codes(levels, dtype=kind))
    is_mark = (flags & MARK) != 0
    said = [mark_of(text) if mark else ("", text) for mark, text in zip(is_mark, texts, strict=True)]
    data["text"] = pd.Series([text for _, text in said], dtype=object)
    if marks:
        data["mark"] = pd.Series([mark for mark, _ in said], dtype=object)
    made = pd.DataFrame(data)
    return _with_fields(made, [{} if mark else fields_of(text) for mark, text in said]) if fields else made


def _with_fields(made: pd.DataFrame, rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    counts = Counter(name for row in rows for name in row)
    names = [name for name, _ in counts.most_common(MAX_FIELDS)]
    chosen = set(names)
    columns = {}
    for name in (name for name in counts if name in chosen):  # in the order in which lines have them
        title = f"field_{name}" if name in COLUMNS else name
        columns[title] = _typed([row.get(name) for row in rows])
    with_fields = pd.concat([made, pd.DataFrame(columns, index=made.index)], axis=1)
    if len(counts) > MAX_FIELDS:
        with_fields.attrs[LEFT_OUT] = len(counts) - MAX_FIELDS
    return with_fields


def _typed(values: list[Any]) -> Any:
    """Numbers, booleans or texts where all are; else as they are."""
    import pandas as pd

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and all(-(2**63) <= value < 2**63 for value in values if value is not None):
        return pd.Series(values, dtype="Int64")
    if kinds <= {int, float} and kinds:
        return pd.Series([None if value is None else float(value) for value in values], dtype="Float64")
    if kinds == {bool}:
        return pd.Series(values, dtype="boolean")
    return pd.Series(values, dtype=object)
