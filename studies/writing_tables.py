"""The writings of a study as tables to export: those of a release, by the store's own names of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from crowdloom.studies.reading import Scope
from crowdloom.studies.reading_writings import Heard, writings_of
from crowdloom.studies.session_records import REPLACED
from crowdloom.studies.writing_records import each_answer
from crowdloom.tasks.coach_records import Writing
from crowdloom.tasks.coach_rows import attempt_rows, point_rows, writing_row

if TYPE_CHECKING:
    import pandas as pd

_ROWS: Mapping[str, Callable[[Writing], Iterable[Mapping[str, Any]]]] = {
    "writings": lambda record: [writing_row(record)],
    "writing-attempts": attempt_rows,
    "writing-points": point_rows,
}
_WHOSE = ("study", "condition", "participant", "submission", "item", "repeat_index")
_AS_JSON = ("strokes", "probabilities", "proposal_probabilities")


def read_writing_table(
    connection: Connection, study: str, name: str, scope: Scope = "accepted", version: int | None = None
) -> tuple[pd.DataFrame, Sequence[str]]:
    """One of the tables writings, writing-attempts and writing-points, and what is to be told of them, a sentence each.

    `tasks.coach_rows` says what is in them; lists are JSON. Raises StudyError as `read_writings` does.
    """
    import json

    import pandas as pd

    heard = Heard()
    columns: dict[str, list[Any]] = {}
    for one in each_answer(connection, writings_of(connection, study, scope, version)):
        heard.hear(one)
        if one.written is None:
            continue
        whose = {column: getattr(one.written, column) for column in _WHOSE}
        for row in _ROWS[name](one.written.writing):
            whole = {**whose, **row} | ({REPLACED: one.written.replaced} if name == "writings" else {})
            for column, value in whole.items():
                is_list = column in _AS_JSON and value is not None
                columns.setdefault(column, []).append(json.dumps(value) if is_list else value)
    return pd.DataFrame(columns), list(heard.sentences())
