"""Frames as files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from crowdloom.studies.errors import OptionError
from crowdloom.studies.exporting import export_frame


def test_a_column_of_texts_and_numbers_becomes_texts_in_parquet(tmp_path: Path) -> None:
    """An item's attribute may have been a number in one version of a design and a text in another."""
    frame = pd.DataFrame(
        {"item": ["a", "b", "c"], "said": pd.Series([0.25, "0.5", None], dtype=object), "n": [1, 2, 3]}
    )
    export_frame(frame, tmp_path / "items.parquet")
    read = pd.read_parquet(tmp_path / "items.parquet")
    assert read["said"].tolist()[:2] == ["0.25", "0.5"]
    assert read["said"].isna().tolist() == [False, False, True]
    assert read["n"].tolist() == [1, 2, 3]


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """Nothing is written, and the sentence says what can be."""
    with pytest.raises(OptionError, match=r"ends in \.csv or \.parquet"):
        export_frame(pd.DataFrame({"a": [1]}), tmp_path / "items.xlsx")
    assert not list(tmp_path.iterdir())
