"""What the sessions of a study in a latent space say, as sections of a report: gains, changes, strategies, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.latent_figures import Pictures, by_scenario, interaction_figure, learning_figure
from crowdloom.analysis.latent_frames import Baselines, Session, curves
from crowdloom.analysis.latent_gains import (
    FEW,
    ScenarioGain,
    gains,
    gains_table,
    scenario_gains,
    steps,
    steps_table,
    strategies_table,
)
from crowdloom.analysis.latent_interactions import Codes, changes_table, interactions, rule_and_people
from crowdloom.analysis.latent_strategies import LEAST, MOVED
from crowdloom.analysis.questionnaire_figures import scales_figure, tlx_figure
from crowdloom.analysis.questionnaires import questionnaire_tables
from crowdloom.analysis.report import Block, Drawing, Prose, Section, Tabular
from crowdloom.analysis.summary import Table


@dataclass(frozen=True)
class Shown:
    """One interaction that is shown in pictures."""

    session: Session
    number: int
    pictures: Pictures


@dataclass(frozen=True)
class Material:
    """All that is told of a study's sessions."""

    sessions: Sequence[Session]
    baselines: Baselines
    questionnaires: pd.DataFrame | None = None
    """See `questionnaires`, with the column `after_item`."""
    codes: Codes = field(default_factory=dict)
    shown: Sequence[Shown] = ()
    notes: Sequence[str] = ()
    """What could not be used, or is not there; a sentence each."""
    items: Sequence[str] = ()
    """The keys of the study's items; all tables and figures have its scenarios in this order."""
    nobody: str = ""
    """Why no session counts where none does, a clause; empty where the notes say it."""

    def ordered(self) -> list[Session]:
        """The sessions, those of one item after those of another, in the order of `items`; others as they come."""
        keys = dict.fromkeys([*self.items, *(one.item for one in self.sessions)])
        place = {key: number for number, key in enumerate(keys)}
        return sorted(self.sessions, key=lambda one: place[one.item])


def session_sections(material: Material) -> list[Section]:
    """The sections; all of them exploratory."""
    notes: list[Block] = [Prose(note) for note in material.notes]
    if not material.sessions:
        return [Section("Sessions", [Prose(nothing_counts(material)), *notes], True)]
    sessions = material.ordered()
    lines, asked = curves(sessions, material.baselines), interactions(sessions, material.codes)
    changed = steps(asked, lines)
    listed = scenario_gains(gains(lines))
    learning: list[Block] = []
    if material.baselines:
        learning = [
            Tabular(gains_table(listed), "gains"),
            *(Prose(sentence) for one in listed for sentence in gain_sentences(one)),
            Tabular(steps_table(changed), "steps"),
        ]
    learning.append(Drawing(learning_figure(lines, asked), "learning", LEARNING))
    sections = [
        Section("Sessions and the same training without a person", [*notes, *learning], True),
        Section("What people asked for, and what the network did", [Tabular(changes_table(asked), "changes")], True),
        Section("Strategies", list(_strategies(changed, asked)), True),
        Section("Interactions in pictures", list(_pictures(material, asked)), True),
        Section("Questionnaires by scenario", list(_questionnaires(material)), True),
    ]
    return [section for section in sections if section.blocks]


def nothing_counts(material: Material) -> str:
    """A sentence for where no session counts."""
    why = f": {material.nobody}" if material.nobody else ", so there is nothing to tell"
    return f"No session counts{why}."


LEARNING = (
    "Validation accuracy by epoch: the sessions with the highest and the lowest final accuracy, the range of all "
    "sessions, and the mean of the same trainings without a person. The y axis shows what happened after the "
    "pretraining. Best and worst were chosen by what they reached, so that they lie apart also where people change "
    "nothing."
)


def gain_sentences(one: ScenarioGain) -> list[str]:
    """What the gain of a scenario says, and how little, in sentences."""
    test = one.accuracy.test
    if test.estimate is None:
        return [f"{one.name}: {_sessions(one.sessions)} with a baseline; that is too few to say how sure a gain is."]
    said = [
        f"{one.name}: over {_sessions(one.sessions)} the final accuracy was {_points(test.estimate)} "
        f"{'above' if test.estimate >= 0 else 'below'} that without a person"
    ]
    if test.low is None or test.high is None:
        said[0] += f"; there is no interval, since {test.problem}."
    else:
        said[0] += f", 95 % interval {100 * test.low:+.1f} to {100 * test.high:+.1f}. "
        said[0] += (
            "The interval has 0 in it: that people change anything is not shown."
            if test.low <= 0 <= test.high
            else f"The interval lies {'above' if test.low > 0 else 'below'} 0."
        )
    if one.sessions < FEW:
        said.append(
            f"{_sessions(one.sessions).capitalize()} are few: whether gains are normal, as the interval supposes, "
            "cannot be seen."
        )
    if one.seeds < one.sessions:
        said.append(
            f"{_sessions(one.sessions).capitalize()} have {one.seeds} different seeds between them, so that they are "
            "not independent and the interval is too narrow."
        )
    return said


def _strategies(changed: pd.DataFrame, asked: pd.DataFrame) -> Iterator[Block]:
    yield Prose(
        "The rule compares the arrangement with the picture that was shown. Increase compactness: classes got smaller, "
        f"on average by at least {100 * LEAST:.0f} % of the picture's extent. Maximise distance, merge similar "
        "classes: the nearest other centre got farther, or nearer, by as much. The largest of these counts. Keep the "
        f"arrangement: none of them, and centres moved by less than {100 * MOVED:.0f} %. Change strategy: the opposite "
        "of the last interaction's. The thresholds are this project's."
    )
    yield Tabular(strategies_table(changed), "strategies")
    coded = asked["strategy_code"].notna()
    if not coded.any():
        return
    kappa = rule_and_people(asked)
    without = int((coded & asked["strategy"].isna()).sum())
    words = f"Of the interactions that people coded, {kappa.items} have a strategy by rule, too; {without} have none. "
    if kappa.value is None:
        yield Prose(words + (kappa.problem or ""))
        return
    reach = "" if kappa.low is None else f" (95 % interval {kappa.low:.2f} to {kappa.high:.2f})"
    share = 100 * (kappa.observed or 0.0)
    yield Prose(
        f"{words}Rule and people agree on {share:.0f} %; Cohen's kappa is {kappa.value:.2f}{reach}, which is called "
        f"{kappa.words}."
    )


def _pictures(material: Material, asked: pd.DataFrame) -> Iterator[Block]:
    arranged = dict.fromkeys(asked.loc[~asked["without_person"].astype(bool), "scenario"])
    if missing := [name for name in arranged if name not in {one.session.record.scenario for one in material.shown}]:
        yield Prose(
            f"There is no figure of an interaction in {', '.join(missing)} (figure 4 of the paper): where each point "
            "lay is known only to the database whose workers trained the sessions, and no release has it."
        )
    place = {key: number for number, key in enumerate(one.item for one in material.ordered())}
    for one in sorted(material.shown, key=lambda one: place[one.session.item]):
        record = one.session.record
        trained = record.interactions[one.number - 1]
        before, after = (
            100 * record.curve[epoch - 1].accuracy for epoch in (trained.epoch, trained.epoch + trained.epochs)
        )
        caption = (
            f"{record.scenario}, {one.session.submission}, interaction {one.number}: before, as the person arranged "
            f"it, and after {trained.epochs} epochs. The validation accuracy went from {before:.1f} % to {after:.1f} "
            "%. Crosses are class centres, a black border marks points that the network took for another class. Of "
            "the interactions whose pictures are kept, the accuracy rose most after this one."
        )
        try:
            yield Drawing(interaction_figure(one.pictures), f"interaction-{one.session.item}", caption)
        except NothingToDrawError as error:
            yield Prose(f"Not drawn: an interaction in {record.scenario}, since {error}.")


def _questionnaires(material: Material) -> Iterator[Block]:
    frame = material.questionnaires
    if frame is None or "after_item" not in frame or not frame["after_item"].notna().any():
        return
    found = by_scenario(frame, [one.item for one in material.ordered()])
    for number, table in enumerate(questionnaire_tables(found), 1):
        title = table.title.replace("by condition", "by scenario")
        yield Tabular(Table(title, table.frame), f"by-scenario-{number}")
    for instrument, draw, what in (
        ("nasa-tlx", tlx_figure, "Raw NASA-TLX, 0 to 20 on each subscale"),
        ("scales", scales_figure, "The study's own statements, 0 to 100"),
    ):
        for number in sorted(set(found.loc[found["instrument"] == instrument, "questionnaire"])):
            caption = f"{what}, after each scenario: ratings, quartiles and means."
            try:
                yield Drawing(draw(found, number), f"{instrument}-{number}", caption)
            except NothingToDrawError as error:
                yield Prose(f"Not drawn: {instrument}, since {error}.")


def by_rise(asked: pd.DataFrame) -> pd.DataFrame:
    """The rows of `interactions` that a person made, those first after which the accuracy rose most."""
    own = asked[~asked["without_person"].astype(bool)]
    rise = own["accuracy_before"] - own["accuracy_after"]
    return own.loc[rise.sort_values(kind="stable").index]


def _sessions(n: int) -> str:
    return f"{n} session{'s' * (n != 1)}"


def _points(share: float) -> str:
    return f"{abs(100 * share):.1f} percentage points"
