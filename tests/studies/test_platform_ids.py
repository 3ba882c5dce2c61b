"""What a platform calls a person stands in one table only; everything else knows a random pseudonym."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import LargeBinary, String, cast, select

from crowdloom.studies.database import Store
from crowdloom.studies.exporting import export_frame
from crowdloom.studies.reading import read_frame
from crowdloom.studies.tables import Participant, Submission, Table
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import answer, begin, complete, open_small, trial_id

WHO = "worker-A1B2C3"


def columns_with(store: Store, needle: str) -> set[str]:
    """Every column of any table whose value, as text or as bytes, holds `needle` somewhere."""
    found = set()
    with store.read() as connection:
        for table in Table.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, LargeBinary):
                    values = [bytes(value) for value in connection.scalars(select(column)) if value]
                    hit = any(needle.encode() in value for value in values)
                else:
                    hit = any(needle in value for value in connection.scalars(select(cast(column, String))) if value)
                if hit:
                    found.add(f"{table.name}.{column.name}")
    return found


def test_a_platform_id_stands_in_one_column(store: Store, tmp_path: Path) -> None:
    """After taking part, refusing, leaving, second answers and broken forms the id is in `participant` alone."""
    posting = open_small(store, tmp_path)
    client = create_app(store).test_client()
    taken = complete(client, posting, WHO)
    client.get(f"/join/{posting}?participant={WHO}")
    client.post(f"/join/{posting}", data={"participant": f"{WHO}-no", "decision": "refuse"})
    base = begin(client, posting, f"{WHO}-left")
    first = trial_id(client, base)
    answer(client, base)
    answer(client, base, trial=first, top1_probability="20")
    answer(client, base, top1_probability=WHO)
    client.post(f"{base}/leave")
    assert columns_with(store, WHO) == {"participant.platform_id"}

    with store.read() as connection:
        people = connection.execute(select(Participant.platform_id, Participant.pseudonym)).all()
        tokens = connection.scalars(select(Submission.token)).all()
        frame = read_frame(connection, "small", "all")
    assert {row.platform_id for row in people} == {WHO, f"{WHO}-no", f"{WHO}-left"}
    out = tmp_path / "answers.csv"
    export_frame(frame, out)
    exported = out.read_text()
    assert any(row.pseudonym in exported for row in people)
    assert WHO not in exported
    # a token opens somebody's pages, so it is never handed out either
    assert not any(token in exported for token in tokens)
    assert WHO not in taken


def test_the_scan_finds_what_is_there(sqlite_store: Store, tmp_path: Path) -> None:
    """The scan sees text, JSON and bytes: the design's title, its values and its pictures."""
    open_small(sqlite_store, tmp_path)
    assert columns_with(sqlite_store, "What digit is this?") == {"design.source", "design.values"}
    assert columns_with(sqlite_store, "IHDR") == {"media.content"}
