"""People who take a study without pages: the steps that the pages call, one by one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from crowdloom.studies.database import Store, now
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.participation import Designs, answer_check, finish_instructions, read_progress, save_answer
from crowdloom.studies.posted import find_postings
from crowdloom.studies.posting import publish
from crowdloom.studies.steering import close
from crowdloom.studies.tables import BatchItem, Event, Item, Place, Submission
from tests.studies.designs import load, make_design, make_images

ANSWER = {"top1": "cat", "top1_probability": 80, "top2": None, "top2_probability": None, "impossible": ["frog"]}


class Study:
    """A study that is loaded and published by the direct link; `items` are so many images, or what the design says."""

    def __init__(self, store: Store, folder: Path, items: int | dict[str, Any] = 4, **changes: Any) -> None:
        self.store = store
        self.folder = folder
        if isinstance(items, int):
            make_images(folder, items)
        else:
            changes |= {"items": items}
        self.design: Design = make_design(**changes)
        load(store, folder, self.design)
        with store.write() as connection:
            self.posting = publish(connection, self.design.name, "link").token

    def arrive(self, person: str) -> str:
        """Consent, read the instructions, pass the check; the token of the submission."""
        with self.store.write() as connection:
            token = join(connection, find_entry(connection, self.posting), person)
            finish_instructions(connection, read_progress(connection, token), self.design)
            questions = self.design.comprehension.questions if self.design.comprehension else ()
            right = [question.correct for question in questions]
            answer_check(connection, read_progress(connection, token), self.design, right)
            return token

    def answer(self, token: str, count: int | None = None) -> None:
        """Answer the next `count` trials, or all that are left."""
        designs = Designs(self.store)
        with self.store.write() as connection:
            progress = read_progress(connection, token)
            end = len(progress.item_order) if count is None else progress.answered + count
            for position in range(progress.answered, end):
                progress = read_progress(connection, token)
                save_answer(connection, designs, progress, position, ANSWER, rt_ms=1000, timing=None)

    def close(self) -> None:
        """Close it to new people, as the command does."""
        close_all(self.store, self.design.name)

    def let_time_pass(self, *tokens: str) -> None:
        """The time is over for which these submissions' places are kept; without tokens, everybody's."""
        with self.store.write() as connection:
            ids = select(Submission.id).where(Submission.token.in_(tokens)) if tokens else select(Submission.id)
            connection.execute(
                update(Place)
                .where(Place.state == "held", Place.submission_id.in_(ids))
                .values(held_until=now() - timedelta(seconds=1))
            )

    def place(self, token: str) -> str | None:
        """The state of the place that a submission has, if it has one."""
        return self._scalar(
            select(Place.state).join(Submission, Submission.id == Place.submission_id).where(Submission.token == token)
        )

    def submission(self, token: str) -> Any:
        """A submission's row."""
        with self.store.read() as connection:
            return connection.execute(select(Submission.__table__).where(Submission.token == token)).one()

    def items(self, token: str) -> set[str]:
        """The keys of the items of a submission's batch."""
        with self.store.read() as connection:
            return set(
                connection.scalars(
                    select(Item.key)
                    .join(BatchItem, BatchItem.item_id == Item.id)
                    .join(Submission, Submission.batch_id == BatchItem.batch_id)
                    .where(Submission.token == token)
                )
            )

    def events(self, token: str) -> list[tuple[str, dict[str, Any]]]:
        """Kind and values of a submission's events, in their order."""
        with self.store.read() as connection:
            rows = connection.execute(
                select(Event.kind, Event.values)
                .join(Submission, Submission.id == Event.submission_id)
                .where(Submission.token == token)
                .order_by(Event.id)
            )
            return [(row.kind, row.values) for row in rows]

    def freed(self, token: str) -> list[str]:
        """Why a submission lost its place, each time."""
        return [values["reason"] for kind, values in self.events(token) if kind == "place_freed"]

    def _scalar(self, query: Any) -> Any:
        with self.store.read() as connection:
            return connection.execute(query).scalar()


def close_all(store: Store, study: str) -> None:
    """Close every posting of a study."""
    with store.read() as connection:
        postings = find_postings(connection, study)
    for posted in postings:
        close(store, posted)
