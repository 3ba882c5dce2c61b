"""Frames that commands write, as CSV or Parquet by the name of the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crowdloom.studies.cli.options import check_folder
from crowdloom.studies.words import count

if TYPE_CHECKING:
    import pandas as pd


def check_name(path: Path, option: str) -> None:
    """Raise OptionError unless the file can be written there, and its name says how."""
    from crowdloom.studies.errors import OptionError

    check_folder(path, option)
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise OptionError(f"{option} {path}: its name must end in .csv or .parquet")


def check_draws(intervals: Path | None, samples: int | None, seed: int | None) -> None:
    """Raise OptionError where it is said how to draw, and no intervals are asked for."""
    from crowdloom.studies.errors import OptionError

    if intervals is None and (samples, seed) != (None, None):
        raise OptionError("--samples and --seed belong to --intervals; give it, or leave them out")


def intervals_sentence(frame: pd.DataFrame, noun: str, path: Path) -> str:
    """Of how many items intervals were written; `frame` has columns item or task first, and low."""
    has = frame.groupby(frame.columns[0], observed=True, sort=False)["low"].first().notna()
    with_one, number = int(has.sum()), len(has)
    if with_one == number:
        return f"Wrote the 95 % intervals of {count(number, noun)} to {path}."
    have = "has" if with_one == 1 else "have"
    return (
        f"Wrote the 95 % intervals to {path}: {with_one:,} of {count(number, noun)} {have} one; for those "
        "that one person answered, low and high are empty."
    )


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write the columns, without the index; the file appears whole."""
    from crowdloom.analysis.files import whole_file

    with whole_file(path) as part:
        if path.suffix.lower() == ".parquet":
            frame.to_parquet(part, index=False)
        else:
            frame.to_csv(part, index=False, lineterminator="\n")
