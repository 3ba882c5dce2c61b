"""From a release to people in the store: participants, their submissions, places and exclusions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select, update

from crowdloom.studies.database import new_token
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.importing.shared import add_participants
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.restoring import Restored
from crowdloom.studies.releasing.submissions import STANDINGS
from crowdloom.studies.tables import Exclusion, Place, Submission

_AT_A_TIME = 2_000
_STATES = ("started", "left", "failed_check")
_WITH_PLACE = ("accepted", "copy", "excluded")


@dataclass(frozen=True)
class People:
    """The submissions by their names in the release: ids, and when each began and ended."""

    ids: dict[str, int]
    ended: dict[str, datetime]
    participants: int


def restore_people(connection: Connection, release: OpenRelease, restored: Restored, study: str) -> People:
    """Add everybody. Raises ImportFileError where the tables do not fit each other."""
    said = release.table("submissions")
    names: list[str] = said["submission"]
    _check(release, said)
    participants, _ = add_participants(connection, study, said["participant"], restored.start)
    orders = _orders(release, restored, names)
    attempts: Counter[tuple[int, int]] = Counter()
    ended: dict[str, datetime] = {}
    ids: dict[str, int] = {}
    for start in range(0, len(names), _AT_A_TIME):
        rows = []
        for number in range(start, min(start + _AT_A_TIME, len(names))):
            one = {column: values[number] for column, values in said.items()}
            key = one["version"], one["condition"], one["batch"]
            if key not in restored.batches:
                raise ImportFileError(f"{release.name}: a submission has the batch {key}, which no design has")
            posting = restored.postings[one["version"], bool(one["simulated"])]
            participant = participants[one["participant"]]
            attempts[posting, participant] += 1
            ended[one["submission"]] = restored.start + timedelta(seconds=one["seconds"] or 0)
            rows.append(
                _submission(one, restored, orders(number), ended[one["submission"]])
                | {
                    "posting_id": posting,
                    "participant_id": participant,
                    "batch_id": restored.batches[key],
                    "attempt": attempts[posting, participant],
                }
            )
        connection.execute(insert(Submission), rows)
        tokens = {row["token"]: name for row, name in zip(rows, names[start : start + _AT_A_TIME], strict=True)}
        added = (
            select(Submission.token, Submission.id)
            .where(Submission.posting_id.in_(restored.postings.values()))
            .order_by(Submission.id.desc())
            .limit(len(rows))
        )
        ids.update({tokens[row.token]: row.id for row in connection.execute(added)})
    _mark(connection, said, ids, restored)
    _add_never(connection, release, restored, study, participants)
    return People(ids, ended, len(set(said["participant"])))


def _check(release: OpenRelease, said: dict[str, list[Any]]) -> None:
    names = said["submission"]
    if not names:
        raise ImportFileError(f"{release.name}: it has no submissions")
    if len(set(names)) < len(names):
        raise ImportFileError(f"{release.name}: a submission stands in its table twice")
    if strange := set(said["standing"]) - set(STANDINGS):
        raise ImportFileError(
            f"{release.name}: a submission has the standing {min(map(str, strange))!r}, which there is not"
        )
    if strange := {one for one in said["copy_of"] if one is not None} - set(names):
        raise ImportFileError(f"{release.name}: a submission is a copy of {min(strange)}, which is not there")


def _orders(release: OpenRelease, restored: Restored, names: list[str]) -> Any:
    """What gives, for the position of a submission, the items that it answered in their order, as the store has them.

    Raises ImportFileError for an answer of nobody, to nothing, or given twice.
    """
    position = {name: number for number, name in enumerate(names)}
    parts: list[Any] = [np.empty((0, 3), dtype=np.int64)]
    for rows in release.rows("responses"):
        for column, there in (("submission", position), ("item", restored.items)):
            if strange := [name for name in set(rows[column]) if name not in there]:
                raise ImportFileError(
                    f"{release.name}: an answer is of the {column} {strange[0]!r}, which is not there"
                )
        parts.append(
            np.array(
                [
                    [position[name] for name in rows["submission"]],
                    [restored.items[name] for name in rows["item"]],
                    rows["repeat_index"],
                ],
                dtype=np.int64,
            ).T
        )
    answers = np.concatenate(parts)
    if len(np.unique(answers, axis=0)) < len(answers):
        raise ImportFileError(f"{release.name}: an answer stands in its table twice")
    if (np.diff(answers[:, 0]) < 0).any():
        raise ImportFileError(f"{release.name}: its answers do not stand in the order of its submissions")

    def order(number: int) -> list[list[int]]:
        first, last = np.searchsorted(answers[:, 0], (number, number + 1))
        found: list[list[int]] = answers[first:last, 1:].tolist()
        return found

    return order


def _submission(one: dict[str, Any], restored: Restored, order: list[list[int]], ended: datetime) -> dict[str, Any]:
    standing, complete = one["standing"], bool(one["complete"])
    return {
        "token": new_token(24),
        "pseudonym": new_token(),
        "state": standing if standing in _STATES else "completed" if complete else "started",
        "surplus": standing == "surplus",
        "item_order": order,
        "class_order": one["class_order"] or [],
        "checks_failed": one["checks_failed"] or 0,
        "stage": "done" if complete else "trials",
        "started_at": restored.start,
        "completed_at": ended if complete else None,
        "review": "rejected" if standing == "rejected" else None,
    }


def _mark(connection: Connection, said: dict[str, list[Any]], ids: dict[str, int], restored: Restored) -> None:
    """Places, exclusions, and what is a copy of what."""
    taken: Counter[int] = Counter()
    places, exclusions = [], []
    for name, standing, complete, reason, *key in _columns(
        said, "submission", "standing", "complete", "exclusion", "version", "condition", "batch"
    ):
        if complete and standing in _WITH_PLACE:
            batch = restored.batches[key[0], key[1], key[2]]
            place = {"batch_id": batch, "number": taken[batch], "state": "filled", "submission_id": ids[name]}
            taken[batch] += 1
            places.append(place)
        if standing == "excluded":
            why = reason or "The release does not say why."
            exclusions.append({"submission_id": ids[name], "reason": why, "created_at": restored.start})
    for table, rows in ((Place, places), (Exclusion, exclusions)):
        if rows:
            connection.execute(insert(table), rows)
    for name, original in _columns(said, "submission", "copy_of"):
        if original is not None:
            changed = update(Submission).where(Submission.id == ids[name])
            connection.execute(changed.values(copy_of=ids[original]))


def _columns(said: dict[str, list[Any]], *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(said[name] for name in names), strict=True)


def _add_never(
    connection: Connection, release: OpenRelease, restored: Restored, study: str, others: Container[str]
) -> None:
    """Whoever came and got no batch: so many people of whom nothing else is known."""
    states = [state for state, number in release.said.counts.never.items() for _ in range(number)]
    if not states:
        return
    posting = max(restored.postings.items())[1]  # of the newest version that people took part in
    names = list(islice((f"never-{n}" for n in count() if f"never-{n}" not in others), len(states)))
    participants, _ = add_participants(connection, study, names, restored.start)
    rows: list[dict[str, Any]] = [
        {
            "token": new_token(24),
            "pseudonym": new_token(),
            "posting_id": posting,
            "participant_id": participants[name],
            "batch_id": None,
            "attempt": 1,
            "state": state,
            "item_order": [],
            "class_order": [],
            "stage": "instructions",
            "started_at": restored.start,
        }
        for name, state in zip(names, states, strict=True)
    ]
    connection.execute(insert(Submission), rows)
