"""Answers of simulated people without any page: the same people, truths and tasks as in a rehearsal, in a moment.

So a planned analysis can be run on hundreds of whole studies before anybody is asked. Everybody who comes finishes;
who comes again, in which condition and with which items follows the design, as in `studies.allocation`: the batch with
the largest share of open places among those without an item that this person has had.
"""

from __future__ import annotations

import random
from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, select

from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.participation import ItemView, read_options, view_of
from crowdloom.studies.posting import newest_design
from crowdloom.studies.rehearsal.people import SECONDS_SIGMA, Habits, draw_person, draw_submissions
from crowdloom.studies.rehearsal.truth import true_label
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Item
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack, record_fields
from crowdloom.tasks.protocol import Person, Settings, Trial

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class _Batch:
    number: int
    condition: int
    items: Sequence[int]
    wanted: int


class ImaginedStudy:
    """A study of the store whose answers can be imagined again and again, each time with other people."""

    def __init__(self, connection: Connection, study: str) -> None:
        """Read the newest design with its batches and items. Raises StudyError for an unknown study."""
        design_id, _ = newest_design(connection, study)
        values = connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
        self.design = DesignModel.model_validate(values)
        self._task: Any = TASKS[self.design.task]
        self._arms = [arm.name for arm in self.design.arms()]
        self._views: dict[int, ItemView] = {}
        self._keys: dict[int, str] = {}
        self._difficulty: dict[int, float | None] = {}
        self._batches: list[_Batch] = []
        self._options: list[Settings] = []
        self._read(connection, design_id)

    def people(self) -> int:
        """How many come where nobody says it: what the design's rehearsal says, or as many as the places need."""
        places = sum(batch.wanted for batch in self._batches)
        return self.design.rehearsal.people or max(1, -(-places // self._most()))

    def answers(self, seed: int, people: int | None = None, *, alike: bool = False) -> pd.DataFrame:
        """The long frame of one imagined run of the study; see `analysis.frame`.

        With `alike` there is no difference between conditions to be found: everybody is asked as in the first
        one, and where conditions have items of their own, chance deals the batches to the conditions again.
        """
        from crowdloom.analysis.frame import frame_from_records

        task, design = self._task, self.design
        truth = {
            id_: true_label(
                self._keys[id_], view.reference, self._difficulty[id_], design.classes, seed, view.attributes
            )
            for id_, view in self._views.items()
        }
        arm_of = self._arms_of(seed, alike)
        packed: list[bytes] = []
        rows: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
        for number, (person, batch) in enumerate(self._visits(seed, people or self.people(), arm_of)):
            rng = random.Random(f"{seed} imagined {number}")  # noqa: S311 - reproducible on purpose
            order = list(batch.items)
            rng.shuffle(order)
            shown = [(id_, 0) for id_ in order] + [(order[place - 1], 1) for place in design.batches.repeats]
            class_order = rng.sample(design.classes, len(design.classes))
            options = self._options[0 if alike else arm_of[batch.number]]
            for position, (id_, repeat) in enumerate(shown):
                view = self._views[id_]
                trial = Trial(
                    design.classes,
                    class_order,
                    view.image,
                    view.size,
                    view.attributes,
                    view.views,
                    options,
                    seed=f"{seed} {number} {id_}",
                    reference=view.reference,
                )
                answer = task.parse(task.simulate(truth[id_], person.person, trial, rng), trial)
                packed.append(pack(task.columns, task.typed(answer, design.classes), design.classes))
                seconds = max(
                    person.person.seconds * rng.lognormvariate(0, SECONDS_SIGMA), design.trials.minimum_seconds
                )
                values = (
                    self._arms[arm_of[batch.number]],
                    batch.number,
                    self._keys[id_],
                    f"person {person.number}",
                    f"submission {number}",
                    position,
                    repeat,
                    1000 * seconds,
                    view.reference,
                )
                for name, value in zip(_COLUMNS, values, strict=True):
                    rows[name].append(value)
        dtype = np.dtype(record_fields(task.columns, len(design.classes)))
        metadata = {**rows, "study": [design.name] * len(packed), "answered_at": [None] * len(packed)}
        return frame_from_records(np.frombuffer(b"".join(packed), dtype=dtype), metadata, task.columns, design.classes)

    def _arms_of(self, seed: int, alike: bool) -> Mapping[int, int]:
        """The condition of each batch, by its number here."""
        arms = {batch.number: batch.condition for batch in self._batches}
        if alike and self.design.batches.split_items:
            dealt = list(arms.values())
            random.Random(f"{seed} deal").shuffle(dealt)  # noqa: S311 - reproducible on purpose
            arms = dict(zip(arms, dealt, strict=True))
        return arms

    def _most(self) -> int:
        """How often one person can come: nobody sees an item twice, in whatever condition."""
        conditions = 1 if self.design.batches.split_items else len(self._arms)
        return min(self.design.people.submissions_per_participant, max(1, len(self._batches) // conditions))

    def _visits(self, seed: int, people: int, arm_of: Mapping[int, int]) -> list[tuple[_Somebody, _Batch]]:
        """Who takes which batch, until all places are filled or nobody can go on."""
        design = self.design
        behaviour = self._task.behaviour.model_validate(design.rehearsal.behaviour)
        places = _OpenPlaces(self._batches)
        most = self._most()
        wanted = draw_submissions(people, sum(batch.wanted for batch in self._batches), most, seed)
        crowd = [
            _Somebody(number, draw_person(number, seed, _FAITHFUL, 1, behaviour), many)
            for number, many in enumerate(wanted)
        ]
        rng = random.Random(f"{seed} arrivals")  # noqa: S311 - reproducible on purpose
        visits: list[tuple[_Somebody, _Batch]] = []
        going = list(crowd)
        while going and places.by_share:
            rng.shuffle(going)
            stay = []
            for somebody in going:
                batch = self._choose(somebody, places, arm_of, rng)
                if batch is None:
                    continue
                places.take(batch)
                somebody.has_had(batch, arm_of[batch.number])
                visits.append((somebody, batch))
                if len(somebody.batches) < most:
                    stay.append(somebody)
            # Who has done what they had in mind goes on only where nobody else is left.
            eager = [somebody for somebody in stay if len(somebody.batches) < somebody.wanted]
            going = eager or stay
        return visits

    def _choose(
        self, somebody: _Somebody, places: _OpenPlaces, arm_of: Mapping[int, int], rng: random.Random
    ) -> _Batch | None:
        for share in sorted(places.by_share, reverse=True):
            can = [
                batch
                for batch in places.by_share[share]
                if somebody.seen.isdisjoint(batch.items)
                and (not self.design.people.one_condition or somebody.condition in (None, arm_of[batch.number]))
            ]
            if can:
                return rng.choice(can)
        return None

    def _read(self, connection: Connection, design_id: int) -> None:
        batches = connection.execute(
            select(Batch.id, Condition.name)
            .join(Condition, Condition.id == Batch.condition_id)
            .where(Condition.design_id == design_id)
            .order_by(Condition.id, Batch.number)
        ).all()
        options: dict[str, Settings] = {}
        for number, (batch_id, condition) in enumerate(batches):
            items = connection.execute(
                select(Item)
                .join(BatchItem, BatchItem.item_id == Item.id)
                .where(BatchItem.batch_id == batch_id)
                .order_by(BatchItem.position)
            ).all()
            for row in items:
                self._keys[row.id], self._difficulty[row.id] = row.key, row.difficulty
                self._views[row.id] = view_of(row)
            arm = self.design.arms()[self._arms.index(condition)]
            wanted = arm.responses_per_item or self.design.batches.responses_per_item
            self._batches.append(_Batch(number, self._arms.index(condition), [row.id for row in items], wanted))
            options.setdefault(condition, read_options(connection, batch_id))
        self._options = [options[name] for name in self._arms]


class _OpenPlaces:
    """The batches with open places, by the share of their places that are open, each share's in their order."""

    def __init__(self, batches: Sequence[_Batch]) -> None:
        self._left = {batch.number: batch.wanted for batch in batches}
        self.by_share: dict[float, list[_Batch]] = {1.0: list(batches)} if batches else {}

    def take(self, batch: _Batch) -> None:
        before = self._left[batch.number] / batch.wanted
        self.by_share[before].remove(batch)
        if not self.by_share[before]:
            del self.by_share[before]
        self._left[batch.number] -= 1
        if left := self._left[batch.number]:
            insort(self.by_share.setdefault(left / batch.wanted, []), batch, key=attrgetter("number"))


class _Somebody:
    """One simulated person with what they have had."""

    def __init__(self, number: int, person: Person, wanted: int) -> None:
        self.number = number
        self.person = person
        self.wanted = wanted
        self.batches: list[int] = []
        self.seen: set[int] = set()
        self.condition: int | None = None

    def has_had(self, batch: _Batch, condition: int) -> None:
        self.batches.append(batch.number)
        self.seen.update(batch.items)
        self.condition = condition


_COLUMNS = (
    "condition",
    "batch",
    "item",
    "participant",
    "submission",
    "position",
    "repeat_index",
    "rt_ms",
    "reference",
)
_FAITHFUL = Habits(drop_out=0.0)
