"""A plan tried out before anybody is asked: how often it finds what was put in, and what was not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crowdloom.analysis.leaving_out import leave_out
from crowdloom.analysis.plan import Plan
from crowdloom.analysis.planned import carry_out
from crowdloom.analysis.power import rate
from crowdloom.studies.analysing.material import attention
from crowdloom.studies.errors import OptionError
from crowdloom.studies.rehearsal.imagined import ImaginedStudy

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tried:
    """How a hypothesis fared in a number of imagined runs of the study."""

    name: str
    runs: int
    found: int
    """Runs in which its test found it, with people who behave as the design's rehearsal states."""
    found_without: int | None
    """The same where there was nothing to find: everybody asked alike, or the items' attributes shuffled. None for a
    one-sample test, from which nothing can be taken out."""
    untested: int
    """Runs in which it could not be tested."""
    problem: str | None
    """Why, at first."""

    def bounds(self, found: int) -> tuple[float, float]:
        """The 95 % interval (Wilson) of the share of runs."""
        share = rate(found, self.runs)
        return share.low, share.high

    def interval(self, found: int) -> str:
        """The share of runs with its interval, in words."""
        low, high = self.bounds(found)
        return f"{found / self.runs:.0%}, {low:.0%} to {high:.0%}"

    def too_often(self, alpha: float) -> bool:
        """Whether what is not there is found more often than alpha allows, beyond chance."""
        return self.found_without is not None and self.bounds(self.found_without)[0] > alpha


def try_plan(
    study: ImaginedStudy,
    items: pd.DataFrame,
    *,
    runs: int,
    seed: int,
    people: int | None = None,
    on_run: Callable[[int], None] = lambda done: None,
) -> list[Tried]:
    """Carry out the plan of a design on `runs` imagined studies with its effect, and on as many without.

    Everybody finishes, so the plan's rules about attention, speed, equal answers and consistency apply, and those
    about the comprehension check do not. `on_run` is called with how many of the 2 x `runs` are done. Raises
    OptionError for a design without a plan.
    """
    plan = study.design.plan
    if plan is None:
        raise OptionError(f"{study.design.name} has no plan; add [plan] with its hypotheses to the design")
    found = np.zeros((2, len(plan.hypotheses)), dtype=np.intp)
    untested = np.zeros(len(plan.hypotheses), dtype=np.intp)
    problems: list[str | None] = [None] * len(plan.hypotheses)
    for run in range(2 * runs):
        alike = run % 2 == 1
        frame = study.answers(seed + run // 2, people, alike=alike)
        asked, shown = _without(plan, items, seed + run) if alike else (plan, items)
        results = carry_out(asked, study.design.task, _kept(study, frame, items), shown, study.design.classes)
        for number, tested in enumerate(results):
            found[int(alike), number] += tested.found is True
            if not alike and tested.found is None:
                untested[number] += 1
                problems[number] = problems[number] or tested.result.problem
        on_run(run + 1)
    return [
        Tried(
            hypothesis.name,
            runs,
            int(found[0, n]),
            None if hypothesis.against is not None else int(found[1, n]),
            int(untested[n]),
            problems[n],
        )
        for n, hypothesis in enumerate(plan.hypotheses)
    ]


def _kept(study: ImaginedStudy, frame: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The answers that the plan's rules leave in."""
    about = frame.drop_duplicates("submission")[["submission", "participant", "condition"]].reset_index(drop=True)
    about["standing"], about["checks_failed"] = "accepted", 0
    about["attention"] = attention(study.design, frame, items, about["submission"])
    assert study.design.plan is not None
    told = leave_out(frame, about, study.design.task, study.design.plan.exclusions)
    return frame[frame["submission"].isin(told["submission"][told["reason"].isna()])]


def _without(plan: Plan, items: pd.DataFrame, seed: int) -> tuple[Plan, pd.DataFrame]:
    """The plan and the items with what tells items apart dealt to them anew; the outcomes stay as they are."""
    rng = np.random.default_rng(seed)
    shuffled, hypotheses = items.copy(), []
    for hypothesis in plan.hypotheses:
        if hypothesis.by != "condition" and hypothesis.by in items:
            name = f"{hypothesis.by}, shuffled"
            shuffled[name] = items[hypothesis.by].to_numpy()[rng.permutation(len(items))]
            hypotheses.append(hypothesis.model_copy(update={"by": name}))
        else:
            hypotheses.append(hypothesis)
    return plan.model_copy(update={"hypotheses": tuple(hypotheses)}), shuffled
