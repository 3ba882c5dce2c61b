"""From the tables of records in a release to the answers that they were, whatever the task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.session_records import REPLACED
from crowdloom.tasks import TASKS

Key = tuple[str, str, int]
"""Submission and item by their names in the release, and which repeat it is."""
Row = dict[str, Any]
_CALLED = {"latent-session": "session", "coach": "writing"}
"""What the record of a task's answer is called."""


def read_records(
    release: OpenRelease, stem: str, beside: Sequence[str], answer: Callable[..., dict[str, Any]]
) -> dict[Key, dict[str, Any]]:
    """The answers that have a record; empty where the release has no such tables.

    `answer` makes one of its row in the table `stem` and of its rows in each of the tables `beside` it. Raises
    ImportFileError for rows of which it cannot, and says why.
    """
    if not release.has(stem):
        return {}
    parts = [_by_answer(release, one) for one in beside]
    whole = _by_answer(release, stem)
    if strange := set().union(*parts) - set(whole):
        raise ImportFileError(
            f"{release.name}: {_named(release, min(strange, key=str))} is not in {stem}, but in a table beside it"
        )
    found = {}
    for key, rows in whole.items():
        try:
            if len(rows) > 1:
                raise ValueError(f"it stands in {stem} twice")
            found[key] = answer(rows[0], *(part.get(key, ()) for part in parts))
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(map(str, problem["loc"]))
            raise _unusable(release, key, f"{where}: {problem['msg']}") from error
        except KeyError as error:
            raise _unusable(release, key, f"a row of {error} is missing, or has no meaning") from error
        except (ValueError, TypeError) as error:
            raise _unusable(release, key, str(error)) from error
        if rows[0][REPLACED]:
            found[key][REPLACED] = True
    return found


def check_numbers(release: OpenRelease, key: Key, answer: Mapping[str, Any], values: Sequence[Any]) -> None:
    """Raise ImportFileError where the numbers of an answer in `responses` are not those of its record.

    They may be others where the page sent another one than the server had.
    """
    task = TASKS[release.said.task]
    if not answer.get(REPLACED) and task.typed(dict(answer), release.said.classes) != tuple(values):
        raise _unusable(release, key, "the numbers in responses are those of another one")


def check_all_used(release: OpenRelease, left: Mapping[Key, Any]) -> None:
    """Raise ImportFileError where a record is of no answer."""
    if left:
        raise ImportFileError(f"{release.name}: {_named(release, min(left, key=str))} is of no answer in responses")


def each_row(release: OpenRelease, stem: str) -> Iterator[Row]:
    """The rows of a table, one by one."""
    for columns in release.rows(stem):
        for values in zip(*columns.values(), strict=True):
            yield dict(zip(columns, values, strict=True))


def _by_answer(release: OpenRelease, stem: str) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in each_row(release, stem):
        found[row["submission"], row["item"], row["repeat_index"]].append(row)
    return dict(found)


def _unusable(release: OpenRelease, key: Key, why: str) -> ImportFileError:
    return ImportFileError(f"{release.name}: {_named(release, key)} cannot be used: {why}")


def _named(release: OpenRelease, key: Key) -> str:
    return f"the {_CALLED[release.said.task]} of {key[0]} in {key[1]}"
