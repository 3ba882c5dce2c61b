"""What a simulation of power is about: which conditions, which test, which effect, with which variances."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

from sqlalchemy import Connection, func, select

from crowdloom.analysis.plan import OUTCOMES, TESTS, Hypothesis, Unit
from crowdloom.analysis.power import SIMULATIONS, Trial
from crowdloom.studies.dealing import deal_items
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import DesignError, OptionError, StudyError
from crowdloom.studies.posting import newest_design
from crowdloom.studies.power_numbers import Setting
from crowdloom.studies.tables import Batch, BatchItem, Condition

if TYPE_CHECKING:
    from crowdloom.analysis.power_outcome import Effect
    from crowdloom.analysis.variances import Variances


@dataclass(frozen=True)
class Planned:
    """How two conditions are compared: as the design's plan says, or as the papers compared them."""

    sides: tuple[str, str]
    test: str
    unit: Unit
    alpha: float
    by: str
    """Why, in a sentence."""


def planned(design: DesignModel, sides: tuple[str, str] | None = None) -> Planned:
    """The comparison of the first hypothesis of the design's plan that is about two conditions.

    One about all items goes before one about some of them. Without such a hypothesis it is a paired t-test over items
    where both conditions show the same items, and Student's unpaired one where they do not. Raises DesignError for a
    design of one condition, and OptionError for conditions that it does not have, or where it is to be said which of
    several are compared.
    """
    names = [arm.name for arm in design.arms()]
    if len(names) < 2:
        within = design.batches.versions is not None
        instead = "for versions within people, `crowdloom plan` imagines studies" if within else "add [[conditions]]"
        raise DesignError(f"{design.name} has one condition, and power is that of a difference between two; {instead}")
    for name in sides or ():
        if name not in names:
            raise OptionError(f"--conditions: no condition is called {name!r}; there are: {', '.join(names)}")
    if sides is not None and sides[0] == sides[1]:
        raise OptionError(f"--conditions: name two different ones of {', '.join(names)}")
    alpha = design.plan.alpha if design.plan else 0.05
    hypothesis = _hypothesis(design, sides)
    if hypothesis is not None:
        first, second = sides or hypothesis.levels
        by = f"From the plan’s hypothesis {hypothesis.name}"
        by += ", which is about some of the items: power is that of all." if hypothesis.where else "."
        return Planned((first, second), hypothesis.test, hypothesis.unit, alpha, by)
    if sides is None and len(names) > 2:
        raise OptionError(
            f"--conditions: say which two of {', '.join(names)} are compared, as in {names[0]},{names[1]}"
        )
    split = design.batches.split_items
    by = "Unpaired, since each condition has items of its own."
    if not split:
        by = "Paired, since both conditions show the same items."
    return Planned(sides or (names[0], names[1]), "student" if split else "paired", "item", alpha, by)


def _hypothesis(design: DesignModel, sides: tuple[str, str] | None) -> Hypothesis | None:
    fitting = [
        hypothesis
        for hypothesis in (design.plan.hypotheses if design.plan else ())
        if hypothesis.by == "condition" and len(hypothesis.levels) == 2
        if TESTS[hypothesis.test].needs != "one side" and sides in (None, hypothesis.levels)
    ]
    return min(fitting, key=lambda hypothesis: bool(hypothesis.where), default=None)


def setting_of(
    design: DesignModel,
    items: int,
    compared: Planned,
    effect: Effect,
    *,
    test: str | None = None,
    unit: str | None = None,
    alpha: float | None = None,
    simulations: int = SIMULATIONS,
    seed: int = 0,
    platform: str = "link",
    people: int | None = None,
) -> Setting:
    """The planned comparison, but for what is given otherwise. Raises OptionError for what cannot be simulated."""
    if people is not None and design.people.submissions_per_participant == 1:
        raise OptionError("--people: everybody makes one submission in this design, so their number follows from it")
    test = test or compared.test
    chosen = unit or (compared.unit if test == compared.test else "item")
    if chosen not in get_args(Unit):
        raise OptionError(f"--unit: expected one of {', '.join(get_args(Unit))}, got {chosen!r}")
    try:
        trial = Trial(effect, test, cast(Unit, chosen), compared.alpha if alpha is None else alpha, simulations, seed)
    except ValueError as error:
        raise OptionError(str(error)) from error
    return Setting(design, items, compared.sides, trial, platform, people)


def count_items(design: DesignModel, folder: Path) -> int:
    """How many items of a design file are dealt; relative paths start at `folder`.

    Where the files of the items are not there, what the design samples or mixes is counted. Raises OptionError where
    that says nothing, and DesignError or ItemError as reading and dealing do.
    """
    from crowdloom.studies.items import read_items
    from crowdloom.studies.rehearsal.stand_ins import missing, stand_ins

    absent = missing(design, folder)
    if absent is None:
        items = read_items(design, folder)
    elif design.items.sample is not None and not design.items.mixed:
        return design.items.sample
    elif design.items.mixed is not None:
        items = stand_ins(design)
    else:
        raise OptionError(
            f"{absent} is not here and the design draws no sample, so nobody knows how many items there are; say it "
            "with items.sample in the design"
        )
    dealt = deal_items(design, items)
    return len({position for batches in dealt for batch in batches for position in batch})


def stored_items(connection: Connection, study: str) -> int:
    """How many items the batches of a study's newest version have. Raises StudyError for an unknown study."""
    design_id, _ = newest_design(connection, study)
    return connection.execute(
        select(func.count(BatchItem.item_id.distinct()))
        .join(Batch, Batch.id == BatchItem.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
    ).scalar_one()


def read_effect(
    written: str,
    spread: float | None = None,
    participant_sd: float | None = None,
    item_sd: float | None = None,
    like: Callable[[bool], Variances] | None = None,
    where_from: str = "give --spread, or --like with a study that has answers of this kind",
) -> Effect:
    """The effect that is written as two shares, `0.63,0.73`, or as a difference of means, `0.05`, with its spread.

    `like` gives the variances of an earlier study, told whether the outcome is right or wrong; those that are given
    go before. `where_from` says what to do where a spread is missing. Raises OptionError for anything else, also for
    a spread of shares.
    """
    from crowdloom.analysis.power_outcome import ITEM_SD, PARTICIPANT_SD, Means, Proportions

    numbers = [_number(part) for part in written.split(",")]
    if len(numbers) > 2 or None in numbers:
        raise OptionError(
            f"--effect: expected two shares such as 0.63,0.73, or a difference of means such as 0.05, got {written!r}"
        )
    first, *second = (number for number in numbers if number is not None)
    if second and spread is not None:
        raise OptionError("--spread: belongs to a difference of means; two shares have no spread, so leave it out")
    variances = like(bool(second)) if like is not None else None
    if variances is not None:
        participant_sd = variances.participant_sd if participant_sd is None else participant_sd
        item_sd = variances.item_sd if item_sd is None else item_sd
        spread = variances.spread if spread is None else spread
    try:
        if second:
            participant_sd, item_sd = (
                default if given is None else given
                for given, default in ((participant_sd, PARTICIPANT_SD), (item_sd, ITEM_SD))
            )
            return Proportions(first, second[0], participant_sd, item_sd)
        if spread is None:
            raise OptionError(
                f"--effect: a difference of means needs the standard deviation of single answers; {where_from}"
            )
        return Means(first, spread, participant_sd, item_sd)
    except ValueError as error:
        raise OptionError(f"--effect: {error}") from error


def _number(written: str) -> float | None:
    return float(written) if re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", written, re.ASCII) else None


def variances_of_study(
    connection: Connection, study: str, right_or_wrong: bool, outcome: str | None = None
) -> Variances:
    """How much people and items differ in the accepted first answers of a study (see `analysis.variances`).

    `outcome` is one of its task's; it need not be said where only one is of this kind. Raises StudyError for an
    unknown study or answers that say nothing, OptionError for an outcome of another kind.
    """
    from crowdloom.analysis.frame import FrameError
    from crowdloom.analysis.outcomes import outcome as outcome_of
    from crowdloom.analysis.variances import estimate_variances
    from crowdloom.studies.reading import find_answers, read_frame
    from crowdloom.studies.reading_items import read_items

    answers = find_answers(connection, study)
    there = OUTCOMES.get(answers.task, {})
    fitting = [name for name, words in there.items() if words.right_or_wrong == right_or_wrong]
    kind = "right or wrong" if right_or_wrong else "a number"
    if outcome is None and len(fitting) == 1:
        outcome = fitting[0]
    if outcome not in fitting:
        said = "say which outcome" if outcome is None else f"{outcome!r} is no outcome of {study} that is {kind}"
        raise OptionError(f"--outcome: {said}; there are: {', '.join(fitting) or 'none'}")
    try:
        frame = read_frame(connection, study)
        frame = frame[~frame["is_repeat"].astype(bool)]
        values = outcome_of(answers.task, outcome, frame, read_items(connection, study), answers.classes)
        return estimate_variances(
            values, frame["participant"], frame["item"], frame["condition"], right_or_wrong=right_or_wrong
        )
    except (FrameError, ValueError) as error:
        raise StudyError(f"--like {study}: {error}") from error
