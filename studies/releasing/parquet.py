"""Parquet files that are the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

ROWS_IN_A_GROUP = 50_000
_MADE_BY = b"crowdloom"
_TAIL = 8  # the length of the footer, and "PAR1"


class ParquetFile:
    """A file that rows are added to, in groups of `ROWS_IN_A_GROUP` however they come; use it in a `with`."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._path, self._schema = path, schema
        # Without `store_schema` there is nothing in it but the format's own types, which every reader knows.
        self._writer = pq.ParquetWriter(path, schema, version="2.6", compression="snappy", store_schema=False)
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> ParquetFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None:
            self._flush(at_least=1)
        self._writer.close()
        if error is None:
            _sign(self._path)

    def add(self, columns: Sequence[pa.Array]) -> None:
        """Add rows, given as one array for each column."""
        self._waiting.append(pa.Table.from_arrays(list(columns), schema=self._schema))
        self._flush(at_least=ROWS_IN_A_GROUP)

    def _flush(self, at_least: int) -> None:
        if sum(part.num_rows for part in self._waiting) < at_least:
            return
        rows = pa.concat_tables(self._waiting)
        start = 0
        while rows.num_rows - start >= at_least:
            group = rows.slice(start, ROWS_IN_A_GROUP).combine_chunks()
            self._writer.write_table(group, row_group_size=ROWS_IN_A_GROUP)
            start += group.num_rows
        rest = rows.slice(start)
        self._waiting = [rest.combine_chunks()] if rest.num_rows else []


def _sign(path: Path) -> None:
    """Name us as who wrote a file, in the place of the library with its version, which would change its bytes."""
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(size - _TAIL)
        length = int.from_bytes(file.read(4), "little")
        file.seek(size - _TAIL - length)
        footer = file.read(length)
        made_by = pq.read_metadata(path).created_by.encode()
        # Thrift's compact protocol writes a text as its length, in one byte below 128, and the text itself.
        before, found, after = footer.rpartition(bytes([len(made_by)]) + made_by)
        if not found:
            return
        signed = before + bytes([len(_MADE_BY)]) + _MADE_BY + after
        file.seek(size - _TAIL - length)
        file.write(signed + len(signed).to_bytes(4, "little") + b"PAR1")
        file.truncate()
