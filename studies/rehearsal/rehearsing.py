"""A rehearsal from publishing to its measures."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, get_args

from sqlalchemy import Connection, func, not_, or_, select

from crowdloom.studies import identities
from crowdloom.studies.allocation import places_left
from crowdloom.studies.database import Store, new_token
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import OptionError, RehearsalError
from crowdloom.studies.participation import Designs
from crowdloom.studies.posting import newest_design, publish
from crowdloom.studies.rehearsal.browser import Browser
from crowdloom.studies.rehearsal.crowd import Crowd
from crowdloom.studies.rehearsal.described import describe_answers
from crowdloom.studies.rehearsal.measures import measure_labels, measure_skill
from crowdloom.studies.rehearsal.people import Habits, draw_person, draw_submissions
from crowdloom.studies.rehearsal.planned import plan_found
from crowdloom.studies.rehearsal.report import Rehearsal
from crowdloom.studies.rehearsal.serving import serving
from crowdloom.studies.rehearsal.truth import true_label
from crowdloom.studies.rehearsal.visit import Briefing, End, Visit
from crowdloom.studies.rehearsal.working import working
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
from crowdloom.tasks import TASKS

AT_ONCE = 16
"""So many people take part at the same time."""

NAME = "rehearsal-"
"""How the platform ids of simulated people begin."""


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
    running already, with a worker where the task has live steps; without one, both are started for the rehearsal.
    `on_end` is called with how many people are done. The seed fixes the truth and the people; who meets whom when is
    left to the server.

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
        places = sum(places_left(connection, design_id).values())
        batches = connection.scalars(_batches(design_id)).all()
    design = DesignModel.model_validate(values)
    # Nobody sees an item twice, in whatever condition.
    distinct = sum(batches) if design.batches.split_items else max(batches)
    most = min(design.people.submissions_per_participant, distinct)
    truth = {
        item.key: true_label(item.key, item.reference, item.difficulty, design.classes, seed, item.attributes)
        for item in items
    }
    link, run = f"/join/{posting.token}", f"{NAME}{new_token(6)}-"
    pages = 2 + len(design.instructions) + design.batches.size + len(design.batches.repeats) + bool(design.background)
    wanted = draw_submissions(participants, places, most, seed)
    behaviour = TASKS[design.task].behaviour.model_validate(design.rehearsal.behaviour)
    with (
        _site(store, design, address) as (base, check_worker),
        closing(Browser(base, connections=2 * at_once)) as browser,
    ):
        by_token = {item.token: truth[item.key] for item in items}
        briefing = Briefing(design, Designs(store), by_token, habits.restless, check_worker)
        people = [
            Visit(
                draw_person(number, seed, habits, pages * many, behaviour),
                f"{link}?participant={run}{number}",
                briefing,
                browser,
                f"{seed} visit {number}",
                many,
            )
            for number, many in enumerate(wanted)
        ]
        crowd = Crowd(store, design_id, people, several=most > 1)
        crowd.run(at_once, browser.stopping, on_end)

    with store.read() as connection:
        status = study_status(connection, study)
        submissions = connection.execute(_submissions(study).where(_named(run))).all()
        ids = _submissions(study, Submission.id).where(_named(run))
        times = connection.scalars(select(Response.rt_ms).where(Response.submission_id.in_(ids))).all()
        skills = {
            token: visit.person.skill * (1 - visit.person.careless)
            for visit in people
            for token in (*visit.completed, visit.token)
        }
        done = [len(visit.completed) for visit in people if visit.completed]
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
            submissions={
                "people": len(done),
                "completed": sum(done),
                "min": min(done, default=0),
                "median": median(done) if done else 0,
                "max": max(done, default=0),
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
            described=describe_answers(connection, study, version),
            plan=plan_found(connection, study, version) if design.plan else [],
            truth=truth,
            requests=browser.requests,
            wall_s=time.monotonic() - began,
        )


@contextmanager
def _site(store: Store, design: DesignModel, address: str | None) -> Iterator[tuple[str, Callable[[], None]]]:
    """A server's address, and what raises where its worker is gone; both are started unless there is an address."""
    if address is not None:
        yield address, lambda: None
        return
    # The people of a rehearsal are found again by their names, which a key would seal.
    without = (identities.VARIABLE,)
    with ExitStack() as stack:
        also, check = {}, lambda: None
        if TASKS[design.task].live_steps:
            # What steps keep in between is of no use afterwards.
            also["CROWDLOOM_SCRATCH"] = stack.enter_context(TemporaryDirectory(prefix="crowdloom-scratch-"))
            check = stack.enter_context(working(store.url, also, without))
        yield stack.enter_context(serving(store.url, without=without, also=also)), check


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


def _batches(design_id: int) -> Any:
    """How many batches each condition of a design has."""
    return (
        select(func.count(Batch.id))
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
        .group_by(Condition.id)
    )


def _items(design_id: int) -> Any:
    """The items of a design's batches, each once."""
    used = (
        select(BatchItem.item_id)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
    )
    columns = (Item.key, Item.token, Item.reference, Item.difficulty, Item.attributes)
    return select(*columns).where(Item.id.in_(used)).order_by(Item.id)
