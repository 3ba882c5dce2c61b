"""What a study of the task `coach` says, as sections of a report: changes, adoption, learning, transfer, drawings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from crowdloom.analysis import coach_learning as learning
from crowdloom.analysis.assumptions import p_words
from crowdloom.analysis.coach_course_figures import LEARNING, TRANSFER, learning_figure, transfer_figure
from crowdloom.analysis.coach_measure_figures import CAPTIONS, measure_figures
from crowdloom.analysis.coach_result_tables import compared_table, regressions_table, trends_table
from crowdloom.analysis.coach_tests import (
    Compared,
    before_and_after,
    between_people,
    paired,
    person_means,
    regressions,
    unpaired,
    within_people,
)
from crowdloom.analysis.coach_transfer import Transfer, transfer
from crowdloom.analysis.coach_trials import ARMS, BOTH, Measure, coachable, trials
from crowdloom.analysis.coach_words import change_sentences
from crowdloom.analysis.correlation_tests import spearman
from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.report import Block, Drawing, Prose, Section, Tabular
from crowdloom.analysis.summary import Table
from crowdloom.analysis.tests import one_sample_t


@dataclass(frozen=True)
class Material:
    """All that is told of a study's writings."""

    frame: pd.DataFrame
    """The long frame, in which the server's own records count; see `frame`."""
    never_coached: Collection[str]
    attempts: pd.DataFrame
    """A row for each drawing of which there is a record; see `coach_attempts`."""
    notes: Sequence[str] = ()
    """What could not be used, or is not as its page sent it; a sentence each."""
    nobody: str = ""
    """Why no answer counts where none does, a clause."""

    def trials(self) -> pd.DataFrame:
        """See `coach_trials`."""
        return trials(self.frame, self.never_coached)


SIMILARITY = Measure("similarity", "similarity of the second drawing to the first", "0 to 1")
SENTENCED = ("recognised", "confidence")
"""The measures that are told in sentences, too."""


def measure_section(material: Material) -> Section:
    """A figure for each measure, of the trials of classes that can be coached."""
    found = coachable(material.trials())
    section = Section("Measures")
    for stem, draw in measure_figures(found).items():
        _draw(section.blocks, draw, stem, CAPTIONS[stem])
    return section


def writing_sections(material: Material) -> list[Section]:
    """The sections; all of them exploratory."""
    notes: list[Block] = [Prose(note) for note in material.notes]
    if not len(material.frame):
        return [Section("Coaching", [Prose(nothing_counts(material)), *notes], True)]
    found = material.trials()
    sections = [
        Section("What coaching changed", [*notes, *_changes(found)], True),
        Section("How much of the proposals was adopted", list(_adoption(coachable(found))), True),
        Section("Learning over trials", list(_learning(found)), True),
        Section("Transfer to classes never coached", list(_transfer(found)), True),
        Section("How people wrote", list(_drawings(material.attempts)), True),
    ]
    return [section for section in sections if section.blocks]


def nothing_counts(material: Material) -> str:
    """A sentence for where no answer counts."""
    return f"No answer counts{f': {material.nobody}' if material.nobody else ', so there is nothing to tell'}."


def main_sentences(found: pd.DataFrame) -> list[str]:
    """What coaching changed in what the recogniser read, in sentences."""
    return _told(_comparisons(found))


def _told(comparisons: Sequence[tuple[str, list[Compared]]]) -> list[str]:
    told = (
        sentence
        for who, compared in comparisons
        for one in compared
        if one.measure.name in SENTENCED
        for sentence in change_sentences(one, who)
    )
    return list(dict.fromkeys(told))


def _comparisons(found: pd.DataFrame) -> list[tuple[str, list[Compared]]]:
    """Whose trials are compared, in words, with the comparison; empty where nobody is there to compare with."""
    own = coachable(found)
    people = own.groupby("arm")["participant"].nunique()
    listed = []
    if all(arm in people for arm in ARMS):
        who = f"Between {people[ARMS[0]]} coached and {people[ARMS[1]]} control people"
        listed.append((who, between_people(found)))
    if BOTH in people:
        sides = own[own["arm"] == BOTH].groupby("participant")["coached"].nunique()
        listed.append((f"Within {_people(int((sides == 2).sum()))}, coached trials and others", within_people(found)))
    return listed


def _changes(found: pd.DataFrame) -> Iterator[Block]:
    comparisons = _comparisons(found)
    if not comparisons:
        yield Prose(
            "All that counts was coached, or nothing was. What the coach changes cannot be told from what writing a "
            "second time changes."
        )
    yield from (Prose(sentence) for sentence in _told(comparisons))
    for who, compared in comparisons:
        stem = "between-people" if who.startswith("Between") else "within-people"
        title = f"{who}: second attempt less first"
        yield compared_table(title, compared, "coached", "control", f"coaching-{stem}")
    for coached, name in ((True, "coached"), (False, "uncoached")):
        own = coachable(found)
        if (own["coached"] == coached).any():
            title = f"Second and first attempts of the same people in {name} trials"
            note = "Who writes again may be read better without any coach: these differences alone are not its doing."
            listed = before_and_after(found, coached=coached)
            yield compared_table(title, listed, "second", "first", f"coaching-attempts-{name}", note)
    if comparisons:
        yield regressions_table(regressions(found), "coaching-trials")


def _adoption(found: pd.DataFrame) -> Iterator[Block]:
    sides = []
    if (found["arm"] == BOTH).any():
        own = found[found["arm"] == BOTH]
        sides.append(("within-people", paired(SIMILARITY, own, "similarity", own["coached"])))
    if all((found["arm"] == arm).any() for arm in ARMS):
        arms = [person_means(found[found["arm"] == arm], "similarity") for arm in ARMS]
        sides.append(("between-people", unpaired(SIMILARITY, *arms)))
    for stem, one in sides:
        title = f"Similarity, {stem.replace('-', ' ')}"
        yield compared_table(title, [one], "coached", "control", f"similarity-{stem}")
    means = found[found["adopted"].notna()].groupby("participant")[["adopted", "confidence_change"]].mean()
    if not len(means):
        return
    test = one_sample_t(means["adopted"])
    reach = "" if test.low is None or test.high is None else f", 95 % t interval {test.low:.2f} to {test.high:.2f}"
    together = spearman(means["adopted"], means["confidence_change"])
    said = (
        f"{_people(len(means))} adopted on average {means['adopted'].mean():.2f} of what was proposed{reach}. It is "
        "the change that they made, projected on the change that was proposed: 1 is all of it, 0 none, below 0 the "
        "other way, and above 1 more than all. "
    )
    if together.estimate is not None and together.p is not None:
        said += (
            f"Over people it goes with the change of the asked class's probability by Spearman's rho "
            f"{together.estimate:.2f} ({p_words(together.p)}); who adopts more may write differently in other ways."
        )
    yield Prose(said.strip())


def _learning(found: pd.DataFrame) -> Iterator[Block]:
    own = coachable(found)
    yield Prose(
        "Of every trial the first attempt counts, which was written before any proposal in it. People may get better "
        "by practice alone: what coaching adds can be seen only beside people or trials without a coach."
    )
    title = f"First attempts over the order of trials, slopes of people with {learning.FEWEST} trials or more"
    yield trends_table(title, learning.trends(found), "learning-trends")
    if all((own["arm"] == arm).any() for arm in ARMS):
        title = f"Slopes per {learning.PER} trials, between coached and control people"
        yield compared_table(title, learning.trends_compared(own), "coached", "control", "learning-slopes")
    if (found["class_times"] > 0).any():
        for stem, side, listed in (
            ("between-people", "coached and control people", learning.again_between(found)),
            ("within-people", "classes coached in between and others of the same people", learning.again_within(found)),
        ):
            if any(one.test.estimate is not None for one in listed):
                title = f"A class again: first attempt less the person's very first one at it, {side}"
                yield compared_table(title, listed, "coached", "control", f"learning-again-{stem}")
    if earlier := learning.earlier_coaching(found):
        title = (
            "First attempts per ten earlier coached trials, a trend over the order held constant for each person; "
            "weighted by how little earlier coaching followed from the order, jackknife over people"
        )
        yield trends_table(title, earlier, "learning-earlier-coaching")
    blocks: list[Block] = []
    _draw(blocks, lambda: learning_figure(found), "coach-learning", LEARNING)
    yield from blocks


def _transfer(found: pd.DataFrame) -> Iterator[Block]:
    if not found["never_coached"].any():
        return
    said = transfer(found)
    classes = ", ".join(said.classes)
    yield Prose(
        f"First attempts at {classes or 'classes'} that nobody is coached at, after at least one trial of another "
        f"class: {said.trials:,} by {_people(sum(said.people) + _number(found, BOTH))}."
    )
    if all(said.people):
        yield from _transfer_tables(said)
    else:
        yield Prose(
            "Coached and control people did not both write these classes, so that what carries over cannot be told "
            "from what practice does."
        )
    if said.both:
        title = "Classes never coached, people coached in some trials: slope over trials of other classes before"
        yield trends_table(title, said.both, "transfer-trends")
    blocks: list[Block] = []
    _draw(blocks, lambda: transfer_figure(found), "coach-transfer", TRANSFER)
    yield from blocks


def _transfer_tables(said: Transfer) -> Iterator[Block]:
    title = "Classes never coached, first attempts of coached and control people"
    yield compared_table(title, said.compared, "coached", "control", "transfer-people")
    if any(one.test.estimate is not None for one in said.trends):
        title = f"Classes never coached, slope per {learning.PER} trials of other classes before"
        yield compared_table(title, said.trends, "coached", "control", "transfer-slopes")
    else:
        yield Prose(
            f"Too few people wrote these classes {learning.FEWEST} times or more to compare how they went on with them."
        )
    if said.regression is not None:
        yield regressions_table([said.regression], "transfer-trials")


def _drawings(attempts: pd.DataFrame) -> Iterator[Block]:
    """Nothing where there is no record of any drawing."""
    if not len(attempts):
        return
    rows = []
    names = []
    for attempt, own in attempts.groupby("attempt", sort=True):
        names.append("first" if attempt == 1 else "second")
        rows.append(
            {
                "drawings": len(own),
                "chosen": int(own["chosen"].sum()),
                **{f"by {device}": int((own["device"] == device).sum()) for device in ("mouse", "pen", "touch")},
                "strokes": own["strokes"].mean(),
                "points": own["points"].mean(),
                "seconds": own["shown_seconds"].mean(),
                "undone": own["undone"].mean(),
            }
        )
    table = Table(
        "Drawings by attempt: how many, how many of them chosen among given ones, by which device the others were "
        "made, and means of their strokes, points, seconds from the canvas shown to done, and strokes undone",
        pd.DataFrame(rows, index=pd.Index(names, name="attempt", dtype=object)),
    )
    yield Tabular(table, "drawings")
    if chosen := int(attempts["chosen"].sum()):
        yield Prose(
            f"{chosen:,} of {len(attempts):,} drawings were chosen among given ones and not written: they count in all "
            "measures but the writing time, which they do not have."
        )


def _number(found: pd.DataFrame, arm: str) -> int:
    return int(found.loc[(found["arm"] == arm) & found["never_coached"], "participant"].nunique())


def _people(n: int) -> str:
    return f"{n:,} {'person' if n == 1 else 'people'}"


def _draw(blocks: list[Block], draw: Callable[[], Figure], stem: str, caption: str) -> None:
    try:
        blocks.append(Drawing(draw(), stem, caption))
    except NothingToDrawError as error:
        blocks.append(Prose(f"Not drawn: {stem}, since {error}."))
