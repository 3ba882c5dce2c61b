"""A rehearsal from publishing to its measures."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from statistics import median
from typing import Any, get_args

from sqlalchemy import Connection, not_, or_, select

from crowdloom.studies import identities
from crowdloom.studies.database import Store, new_token
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import OptionError, RehearsalError
from crowdloom.studies.posting import newest_design, publish
from crowdloom.studies.rehearsal.browser import Browser
from crowdloom.studies.rehearsal.crowd import Crowd
from crowdloom.studies.rehearsal.measures import LabelMeasures, measure_labels, measure_skill
from crowdloom.studies.rehearsal.people import Habits, draw_person
from crowdloom.studies.rehearsal.serving import serving
from crowdloom.studies.rehearsal.truth import true_label
from crowdloom.studies.rehearsal.visit import Briefing, End, Visit
from crowdloom.studies.status import study_status
from crowdloom.studies.tables import (
    Batch,
    BatchItem,
    Condition,
    Design,
    Item,
    Participant,
    Posting,
    Response,
    Study,
    Submission,
)

AT_ONCE = 16
"""So many people take part at the same time."""

NAME = "rehearsal-"
"""How the platform ids of simulated people begin."""


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal came to."""

    study: str
    seed: int
    link: str
    """Where the people came in, without the server's address."""
    people: dict[str, int]
    """How many `arrived`; how it ended for them: `completed`, `refused`, `left`, `vanished`, `failed_check`,
    `turned_away`; how many of the completed were `surplus`, and how many `came_back` after dropping out."""
    places: dict[str, int]
    """Of the study as it stands now: `filled`, and `wanted` in all."""
    responses: int
    """Answers that the people of this rehearsal gave, repeats included."""
    accepted: dict[str, int]
    """The fewest (`min`) and the most (`max`) accepted first responses of an item."""
    seconds_per_answer: float | None
    """Median of what the simulated people's pages measured; None where nobody answered."""
    labels: LabelMeasures | None
    """How far labels are from the truth; None for a task without soft labels, or where nothing was accepted."""
    skill_correlation: float | None
    """Spearman's, of people's agreement with the others and their true skill; None where it cannot be said."""
    truth: dict[str, dict[str, float]]
    """The true label of each item, by its key."""
    requests: int
    wall_s: float

    @property
    def full(self) -> bool:
        """Whether every place is filled."""
        return self.places["filled"] == self.places["wanted"]

    def sentence(self) -> str:
        """What this design would give, in words."""
        filled, wanted = self.places["filled"], self.places["wanted"]
        arrived = self.people["arrived"] - self.people["turned_away"]
        if self.full:
            given = f"{arrived} people like these fill all {wanted} places of this design"
        else:
            given = f"{arrived} people like these fill {filled} of the {wanted} places of this design"
            if filled:
                given += f"; it takes about {math.ceil(arrived * wanted / filled)} of them to fill all"
        labels = "" if self.labels is None else f" {self.labels.sentence()}"
        return f"{given}.{labels} Real people err together more than simulated ones do, so expect no better than this."


def rehearse(
    store: Store,
    study: str,
    *,
    participants: int,
    seed: int = 0,
    habits: Habits | None = None,
    at_once: int = AT_ONCE,
    address: str | None = None,
    on_end: Callable[[int], None] = lambda done: None,
) -> Rehearsal:
    """Let simulated people take a study that is in the store, over HTTP, until it is full or all have come.

    It is published by the direct link, which stays open. `address` is a server of this store that is
    running already; without one, one is started for the rehearsal. `on_end` is called with how many
    people are done. The seed fixes the truth and the people; who meets whom when is left to the server.

    Raises OptionError for shares that are none, and RehearsalError where real people have taken part
    (their answers must not be mixed with simulated ones) or where the server's answers are wrong.
    """
    habits = habits or Habits()
    _check(habits, participants)
    began = time.monotonic()
    with store.write() as connection:
        design_id, version = newest_design(connection, study)
        _refuse_real_people(connection, study)
        posting = publish(connection, study, "link", simulated=True)
        values = connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
        items = connection.execute(_items(design_id)).all()
    design = DesignModel.model_validate(values)
    truth = {item.key: true_label(item.key, item.reference, item.difficulty, design.classes, seed) for item in items}
    # Two items with the same picture cannot be told apart: the first one's truth is true of both.
    by_image = {f"/media/{item.shown}": truth[item.key] for item in reversed(items)}
    truth = {item.key: by_image[f"/media/{item.shown}"] for item in items}

    link, run = f"/join/{posting.token}", f"{NAME}{new_token(6)}-"
    pages = 2 + len(design.instructions) + design.batches.size + len(design.batches.repeats)
    with (
        # The people of a rehearsal are found again by their names, which a key would seal.
        serving(store.url, without=(identities.VARIABLE,)) if address is None else nullcontext(address) as base,
        closing(Browser(base, connections=2 * at_once)) as browser,
    ):
        briefing = Briefing(design, by_image, habits.restless)
        people = [
            Visit(
                draw_person(number, seed, habits, pages),
                f"{link}?participant={run}{number}",
                briefing,
                browser,
                f"{seed} visit {number}",
            )
            for number in range(participants)
        ]
        crowd = Crowd(store, design_id, people)
        crowd.run(at_once, browser.stopping, on_end)

    with store.read() as connection:
        status = study_status(connection, study)
        submissions = connection.execute(_submissions(study).where(_named(run))).all()
        ids = _submissions(study, Submission.id).where(_named(run))
        times = connection.scalars(select(Response.rt_ms).where(Response.submission_id.in_(ids))).all()
        skills = {visit.token: visit.person.skill * (1 - visit.person.careless) for visit in people}
        known = {row.pseudonym: skills[row.token] for row in submissions if row.token in skills}
        return Rehearsal(
            study=study,
            seed=seed,
            link=link,
            people={
                "arrived": crowd.arrived,
                **dict.fromkeys(get_args(End), 0),
                **Counter(crowd.ends.values()),
                "surplus": sum(row.surplus for row in submissions),
                "came_back": crowd.came_back,
            },
            places={
                "filled": status.places("filled"),
                "wanted": sum(status.places(state) for state in ("open", "held", "overdue", "filled")),
            },
            responses=len(times),
            accepted={"min": status.accepted_min, "max": status.accepted_max},
            seconds_per_answer=median(time or 0 for time in times) / 1000 if times else None,
            labels=measure_labels(connection, study, version, truth),
            skill_correlation=measure_skill(connection, study, version, known),
            truth=truth,
            requests=browser.requests,
            wall_s=time.monotonic() - began,
        )


def _check(habits: Habits, participants: int) -> None:
    if participants < 1:
        raise OptionError(f"--participants {participants}: at least one is needed")
    for name in ("drop_out", "careless", "restless"):
        if not 0 <= getattr(habits, name) < 1:
            raise OptionError(f"--{name.replace('_', '-')} {getattr(habits, name)}: give a share from 0 to below 1")


def _refuse_real_people(connection: Connection, study: str) -> None:
    real = or_(Participant.platform_id.is_(None), not_(_named(NAME)))
    if connection.execute(_submissions(study).where(real).limit(1)).first() is not None:
        raise RehearsalError(
            f"real people have taken part in {study!r} in this database, and simulated answers must not be mixed "
            "with theirs; rehearse it in a database of its own"
        )


def _named(prefix: str) -> Any:
    return Participant.platform_id.startswith(prefix, autoescape=True)


def _submissions(study: str, *columns: Any) -> Any:
    return (
        select(*columns or (Submission.token, Submission.pseudonym, Submission.surplus))
        .join(Participant, Participant.id == Submission.participant_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
    )


def _items(design_id: int) -> Any:
    """The items of a design's batches, each once."""
    used = (
        select(BatchItem.item_id)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
    )
    return select(Item.key, Item.shown, Item.reference, Item.difficulty).where(Item.id.in_(used)).order_by(Item.id)
