"""Tables as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crowdloom.analysis.files import whole_file
from crowdloom.studies.errors import OptionError
from crowdloom.tasks.columns import BETWEEN_CLASSES

if TYPE_CHECKING:
    import pandas as pd


def export_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV or Parquet, by the suffix; the file appears only when it is complete.

    In CSV a set of classes is joined by `|`, and times are ISO 8601 with their zone. Raises
    OptionError for another suffix and OSError where the disk refuses.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise OptionError(f"--out {path}: write to a file that ends in .csv or .parquet")
    with whole_file(path) as part:
        if suffix == ".parquet":
            frame.apply(_of_one_type).to_parquet(part, index=False)
            return
        flat = frame.copy()
        for name in flat.columns:
            if any(isinstance(value, tuple) for value in flat[name]):
                flat[name] = flat[name].map(BETWEEN_CLASSES.join)
        for name in flat.select_dtypes("datetimetz").columns:
            flat[name] = flat[name].map(lambda time: time.isoformat(), na_action="ignore").astype(object)
        flat.to_csv(part, index=False)


def _of_one_type(column: pd.Series) -> pd.Series:
    """The column; as texts where texts and other values stand in it, as Parquet has one type for all of them."""
    if column.dtype != object:
        return column
    types = {type(value) for value in column if value is not None}
    return column.map(str, na_action="ignore") if str in types and len(types) > 1 else column
