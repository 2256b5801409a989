"""Folded events as a pandas DataFrame, typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from notebook_mux.ages import human_duration
from notebook_mux.handles.folding import Folded
from notebook_mux.printing.dataframe import require_pandas

if TYPE_CHECKING:
    import pandas as pd

INDEX = ["cluster", "namespace", "object"]


def frame(folded: Sequence[Folded], *, text: bool) -> pd.DataFrame:
    """One row for each.

    Args:
        folded: What happened.
        text: Everything as text: counts as digits, times as ISO 8601, spans as kubectl prints them.

    Raises:
        InvalidArgument: pandas is not installed.
    """
    require_pandas()
    import pandas as pd

    counted: dict[str, Any]
    index = pd.MultiIndex.from_tuples([(one.cluster, one.namespace, one.object) for one in folded], names=INDEX)
    if text:
        data = {
            "Count": [str(one.count) for one in folded],
            "First": [one.first.isoformat() for one in folded],
            "Last": [one.last.isoformat() for one in folded],
            "Over": [human_duration(one.span.total_seconds()) for one in folded],
        }
        counted = {name: pd.Series(values, index=index, dtype="object") for name, values in data.items()}
    else:
        counted = {
            "Count": pd.Series([one.count for one in folded], index=index, dtype="Int64"),
            "First": pd.Series(pd.to_datetime([one.first for one in folded], utc=True), index=index),
            "Last": pd.Series(pd.to_datetime([one.last for one in folded], utc=True), index=index),
            "Over": pd.Series(pd.to_timedelta([one.span for one in folded]), index=index),
        }
    words = {
        "Type": [one.type for one in folded],
        "Reason": [one.reason for one in folded],
        "Message": [one.message for one in folded],
        "Container": [one.container for one in folded],
        "Source": [one.source for one in folded],
        "Owners": [", ".join(one.owners) for one in folded],
    }
    shown = {name: pd.Series(values, index=index, dtype="object") for name, values in words.items()}
    order = ("Type", "Reason", "Count", "First", "Last", "Over", "Message", "Container", "Source", "Owners")
    return pd.DataFrame({name: (shown | counted)[name] for name in order}, index=index)
