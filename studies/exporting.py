"""The long frame as a file."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from crowdloom.studies.errors import OptionError

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
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        if suffix == ".csv":
            flat = frame.copy()
            for name in flat.columns:
                if any(isinstance(value, tuple) for value in flat[name]):
                    flat[name] = flat[name].map("|".join)
            flat["answered_at"] = flat["answered_at"].map(lambda time: time.isoformat())
            flat.to_csv(part, index=False)
        else:
            frame.to_parquet(part, index=False)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
