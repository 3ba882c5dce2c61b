"""A table of other people's answers, one row each, read from CSV or Parquet: the columns that are asked for, as codes.

Everything is text, so that a label may be "NA", "None" or "01". Blanks around a cell are none of it, and a cell of
nothing but blanks is empty. A whole number that a Parquet file keeps as 3.0 is 3. The separator of a CSV file is the
comma, semicolon or tab by which its first line has the columns asked for. Files that end in .gz, .bz2 or .zst are
unpacked on the way.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

_TEXT = pa.dictionary(pa.int32(), pa.string())
_HEADER_BYTES = 1 << 20
_PACKED = {".gz", ".bz2", ".zst"}


def read_answers(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """These columns as categories of text, missing where a cell is empty, a row for each row of the file.

    Raises ValueError, in a sentence with the file's name, where it is no such table or lacks a column; OSError where
    it cannot be opened.
    """
    wanted = list(dict.fromkeys(columns))
    suffixes = [suffix.lower() for suffix in path.suffixes]
    with path.open("rb"):  # as the system says it, where it cannot be opened
        pass
    try:
        table = _read_parquet(path, wanted) if suffixes[-1:] == [".parquet"] else _read_csv(path, wanted)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is no table that can be read: {str(error).splitlines()[0]}") from error
    return pd.DataFrame({name: _categories(table.column(name)) for name in wanted})


def _read_csv(path: Path, wanted: Sequence[str]) -> pa.Table:
    separator = _separator(path, wanted)
    try:
        return pa_csv.read_csv(
            str(path),
            parse_options=pa_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, _TEXT),
                auto_dict_encode=False,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if "columns, got" in str(error) and (ragged := _ragged(path, separator)):
            raise ValueError(ragged) from error
        raise


def _ragged(path: Path, separator: str) -> str | None:
    """A sentence about the first row with more or fewer cells than the first line; Arrow does not say where it is."""
    with _opened(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=separator)
        try:
            wanted, line = len(next(reader)), reader.line_num + 1
            for row in reader:
                if len(row) not in (0, wanted):
                    cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                    return (
                        f"{path}, line {line}: the row has {cells}, and the first line has {wanted}; mend it, and put "
                        "cells with a separator or line break in double quotes"
                    )
                line = reader.line_num + 1
        except (csv.Error, UnicodeDecodeError):  # then Arrow's words are all there is
            pass
    return None


def _opened(path: Path) -> pa.NativeFile:
    return pa.input_stream(str(path), compression="detect" if path.suffix.lower() in _PACKED else None)


def _separator(path: Path, wanted: Sequence[str]) -> str:
    """The separator by which the first line names every column wanted, once."""
    with _opened(path) as stream:
        start = stream.read(_HEADER_BYTES)
    try:
        text = start.decode("utf-8-sig", errors="strict" if len(start) < _HEADER_BYTES else "ignore")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not written in UTF-8; save it as UTF-8 first") from error
    if not text.strip():
        raise ValueError(f"{path} is empty; it must begin with a line that names its columns")
    headers = {separator: next(csv.reader(io.StringIO(text, newline=""), delimiter=separator)) for separator in ",;\t"}
    separator = max(headers, key=lambda each: len(set(wanted) & set(headers[each])))
    _check_columns(path, wanted, headers[separator])
    return separator


def _read_parquet(path: Path, wanted: Sequence[str]) -> pa.Table:
    with pq.ParquetFile(path) as file:
        _check_columns(path, wanted, file.schema_arrow.names)
        return file.read(columns=list(wanted))


def _check_columns(path: Path, wanted: Sequence[str], found: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(
            f"{path} has no column {', '.join(map(repr, missing))}; its columns are {', '.join(map(repr, found))}"
        )
    twice = [name for name in wanted if list(found).count(name) > 1]
    if twice:
        raise ValueError(f"{path} has two columns {twice[0]!r}; rename one of them")


def _categories(column: pa.ChunkedArray) -> pd.Series:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        whole = pc.equal(column, pc.round(column))
        if pc.all(whole, min_count=0).as_py():
            column = column.cast(pa.int64())
    if not pa.types.is_dictionary(column.type):
        try:
            column = column.cast(pa.string()).dictionary_encode()
        except pa.ArrowNotImplementedError as error:
            raise ValueError(f"a column holds {column.type}, which is neither text nor number") from error
    codes = column.unify_dictionaries().combine_chunks()
    written = [name.strip() for name in codes.dictionary.cast(pa.string()).to_pylist()]
    place, names = pd.factorize(np.array(written, dtype=object))  # of texts that differ in their blanks alone, one
    place = np.append(place, -1)  # what is missing has the code -1, and keeps it
    found = place[codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    series = pd.Series(pd.Categorical.from_codes(found, pd.Index(names, dtype=object)))
    return series.cat.remove_categories([name for name in names if not name])
