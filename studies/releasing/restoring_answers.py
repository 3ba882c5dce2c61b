"""From a release to answers in the store: responses, and the events of background, debriefs and questionnaires."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert

from crowdloom.analysis.frame import FrameError, check_frame
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing import debrief, questionnaires
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.restoring import Restored
from crowdloom.studies.releasing.restoring_people import People
from crowdloom.studies.releasing.restoring_records import check_all_used, check_numbers
from crowdloom.studies.releasing.restoring_sessions import read_session_answers, restore_categories
from crowdloom.studies.releasing.restoring_writings import read_writing_answers
from crowdloom.studies.tables import Event, Response
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack


def restore_answers(
    connection: Connection,
    release: OpenRelease,
    restored: Restored,
    people: People,
    progress: Callable[[int, int], None],
) -> int:
    """Add all responses; how many. Raises ImportFileError for one that the task could not have given."""
    columns = TASKS[release.said.task].columns
    names = [column.name for column in columns]
    done = 0
    whole = read_session_answers(release) | read_writing_answers(release)
    for rows in release.rows("responses"):
        _check(release, rows)
        added = []
        answers = zip(*(rows[name] for name in names), strict=True)
        about = ("submission", "item", "repeat_index", "position", "rt_ms", "answered_s")
        for (submission, item, repeat_index, position, rt_ms, seconds), values in zip(
            zip(*(rows[name] for name in about), strict=True), answers, strict=True
        ):
            given = {name: _plain(value) for name, value in zip(names, values, strict=True)}
            if (key := (submission, item, repeat_index)) in whole:
                given = whole.pop(key)
                check_numbers(release, key, given, values)
            added.append(
                {
                    "submission_id": people.ids[submission],
                    "item_id": restored.items[item],
                    "repeat_index": repeat_index,
                    "position": position,
                    "answer": given,
                    "packed": pack(columns, [v if v is not None else () if c.kind == "classes" else None
                                             for c, v in zip(columns, values, strict=True)],
                                   release.said.classes),
                    "rt_ms": rt_ms,
                    "answered_at": restored.start + timedelta(seconds=seconds or 0),
                }
            )  # fmt: skip
        connection.execute(insert(Response), added)
        done += len(added)
        progress(done, release.said.counts.responses)
    check_all_used(release, whole)
    restore_categories(connection, release, restored, people)
    return done


def _check(release: OpenRelease, rows: dict[str, list[Any]]) -> None:
    """Raise ImportFileError where answers break the contract of the long frame."""
    columns = TASKS[release.said.task].columns
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in rows.items()})
    frame["answered_at"] = pd.Series([pd.NaT] * len(frame), dtype="datetime64[us, UTC]")
    try:
        for name in ("position", "repeat_index"):
            frame[name] = frame[name].astype("int64")
        frame["is_repeat"] = frame["is_repeat"].astype(bool)
        for name in ("rt_ms", *(column.name for column in columns if column.kind == "number")):
            frame[name] = frame[name].astype(float)
        for column in columns:
            if column.kind == "classes":
                frame[column.name] = frame[column.name].map(lambda value: tuple(value or ()))
        check_frame(frame, columns, release.said.classes)
    except (FrameError, TypeError, ValueError) as error:
        raise ImportFileError(f"{release.name}: its answers cannot be used: {error}") from error


def _plain(value: Any) -> Any:
    """As a page would have stored it: whole numbers without decimals."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def restore_events(connection: Connection, release: OpenRelease, restored: Restored, people: People) -> None:
    """Add where each submission comes from, and the answers to all other questions, at its end."""
    events: list[tuple[str, datetime, str, dict[str, Any]]] = []
    said = release.said
    for name in people.ids:
        whence = {"release": said.study, "version": said.version, "submission": name}
        events.append((name, restored.start, "imported", whence))
    for kind in (debrief.BACKGROUND, debrief.KIND):
        events += [(name, people.ended[name], kind, values) for name, values in _debriefs(release, people, kind)]
    events += [(name, people.ended[name], "questionnaire", values) for name, values in _questionnaires(release, people)]
    rows = [
        {"submission_id": people.ids[name], "kind": kind, "values": values, "at": at}
        for name, at, kind, values in events
    ]
    if rows:
        connection.execute(insert(Event), rows)


def _debriefs(release: OpenRelease, people: People, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not release.has(kind):
        return
    for rows in release.rows(kind):
        questions = [name for name in rows if name not in ("submission", "participant")]
        for number, name in enumerate(_known(release, people, rows["submission"])):
            answers = {question: rows[question][number] for question in questions}
            yield name, {question: _plain(answer) for question, answer in answers.items() if answer is not None}


def _questionnaires(release: OpenRelease, people: People) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each questionnaire that somebody answered; scores are computed anew."""
    if not release.has(questionnaires.STEM):
        return
    found: dict[tuple[str, int, str | None], dict[str, Any]] = {}
    for rows in release.rows(questionnaires.STEM):
        for number, name in enumerate(_known(release, people, rows["submission"])):
            if rows["kind"][number] != "item":
                continue
            which = rows["questionnaire"][number]
            after = rows[questionnaires.AFTER.name][number] if questionnaires.AFTER.name in rows else None
            said = {"number": which, "instrument": rows["instrument"][number], "ratings": {}}
            said |= {} if after is None else {"item": after}
            ratings = found.setdefault((name, which, after), said)["ratings"]
            ratings[rows["item"][number]] = _plain(rows["value"][number])
    for (name, *_), said in found.items():
        yield name, said


def _known(release: OpenRelease, people: People, names: list[str]) -> list[str]:
    if strange := [name for name in names if name not in people.ids]:
        raise ImportFileError(f"{release.name}: {strange[0]} answered questions, but is no submission")
    return names
