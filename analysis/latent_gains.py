"""What sessions in a latent space gained over the same training without a person, paired by scenario and seed.

The frames are those of `latent_frames.curves` and `latent_interactions.interactions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crowdloom.analysis.latent_frames import WHOSE
from crowdloom.analysis.latent_strategies import TITLES
from crowdloom.analysis.paired import PairedDifference, paired_difference
from crowdloom.analysis.summary import Table
from crowdloom.tasks.latent_records import BASELINE

FEW = 10
"""Sessions, below which nobody can see whether their gains are anything like normal, as t intervals suppose."""

SCORES = ("accuracy", "macro_f1")
_SESSION = ["submission", "scenario"]


def gains(curves: pd.DataFrame) -> pd.DataFrame:
    """A row for each session: its scores after its last epoch beside its baseline's after the same epoch.

    Columns: `WHOSE`, epoch, and of accuracy and macro_f1 the person's, baseline_ and gain_ (person less baseline; NaN
    where the baseline is not known that far).
    """
    last = curves[curves["source"] == "person"].groupby(_SESSION, sort=False).tail(1).drop(columns="source")
    alone = curves.loc[curves["source"] == BASELINE, [*_SESSION, "epoch", *SCORES]]
    found = last.merge(alone, how="left", on=[*_SESSION, "epoch"], suffixes=("", "_alone"))
    for score in SCORES:
        found[f"baseline_{score}"] = found.pop(f"{score}_alone")
        found[f"gain_{score}"] = found[score] - found[f"baseline_{score}"]
    return found.reset_index(drop=True)


@dataclass(frozen=True)
class ScenarioGain:
    """The gains of one scenario's sessions (of one condition, where there are several)."""

    scenario: str
    condition: str | None
    sessions: int
    """That have a baseline."""
    people: int
    seeds: int
    """Different ones among these: where they are fewer, sessions share baselines and are not independent."""
    accuracy: PairedDifference
    macro_f1: PairedDifference
    best: pd.Series | None
    """The row of `gains` with the highest accuracy, and below that with the lowest; None without any session."""
    worst: pd.Series | None

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.scenario if self.condition is None else f"{self.scenario}, {self.condition}"


def scenario_gains(found: pd.DataFrame) -> list[ScenarioGain]:
    """The gains by scenario, and for each condition where there are several. `found` is what `gains` gives.

    Each has the mean gain with a 95 % t interval, from the paired t-test over sessions.
    """
    several = found["condition"].nunique() > 1
    keys = ["scenario", "condition"] if several else ["scenario"]
    listed = []
    for names, rows in found.groupby(keys, sort=False):
        known = rows[rows["baseline_accuracy"].notna()]
        best, worst = best_and_worst(rows)
        listed.append(
            ScenarioGain(
                scenario=str(names[0]),
                condition=str(names[1]) if several else None,
                sessions=len(known),
                people=known["participant"].nunique(),
                seeds=known["seed"].nunique(),
                accuracy=paired_difference("accuracy", rows["accuracy"], rows["baseline_accuracy"]),
                macro_f1=paired_difference("macro-F1", rows["macro_f1"], rows["baseline_macro_f1"]),
                best=best,
                worst=worst,
            )
        )
    return listed


def best_and_worst(rows: pd.DataFrame) -> tuple[pd.Series | None, pd.Series | None]:
    """Of one scenario's rows of `gains` those with the highest and the lowest final accuracy; of equals by macro-F1."""
    if not len(rows):
        return None, None
    ranked = rows.sort_values(["accuracy", "macro_f1", "submission"], kind="stable")
    return ranked.iloc[-1], ranked.iloc[0]


def gains_table(listed: Sequence[ScenarioGain]) -> Table:
    """The mean gain of each scenario with its interval, and those of the best and the worst participant."""
    rows = []
    for one in listed:
        for score, of in (("accuracy", one.accuracy), ("macro_f1", one.macro_f1)):
            rows.append(
                {
                    "of": of.of,
                    "n": one.sessions,
                    "person": of.first,
                    "baseline": of.second,
                    "gain": of.test.estimate,
                    "low": of.test.low,
                    "high": of.test.high,
                    "p": of.test.p,
                    "best": _gain_of(one.best, score),
                    "worst": _gain_of(one.worst, score),
                    "problem": of.test.problem,
                }
            )
    names = ["of", "n", "person", "baseline", "gain", "low", "high", "p", "best", "worst", "problem"]
    frame = pd.DataFrame(rows, columns=names, index=pd.Index(_twice(listed), name="scenario", dtype=object))
    return Table(
        "Gain over the same training without a person, paired by seed; 95 % t intervals over sessions. Best and worst: "
        "the gains of the sessions with the highest and the lowest final accuracy",
        frame.astype(dict.fromkeys(names[2:-1], float)),
    )


def steps(interactions: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """What each interaction changed: a row for each with accuracy_change, baseline_change and gain.

    The changes are those of the validation accuracy over the epochs trained after the interaction; gain is their
    difference. Beside them stand `WHOSE`, interaction, approach and strategy. Where nobody arranged anything
    (`without_person`) there is no row.
    """
    asked = interactions[~interactions["without_person"].astype(bool)]
    alone = curves[curves["source"] == BASELINE].set_index([*_SESSION, "epoch"])["accuracy"]

    def baseline_at(epochs: pd.Series) -> np.ndarray:
        keys = pd.MultiIndex.from_arrays([asked["submission"], asked["scenario"], epochs])
        return alone.reindex(keys).to_numpy(dtype=np.float64)

    found = asked[[*WHOSE, "interaction", "approach", "strategy"]].assign(
        accuracy_change=asked["accuracy_after"] - asked["accuracy_before"],
        baseline_change=baseline_at(asked["epoch"] + asked["epochs"]) - baseline_at(asked["epoch"]),
    )
    return found.assign(gain=found["accuracy_change"] - found["baseline_change"]).reset_index(drop=True)


def steps_table(found: pd.DataFrame) -> Table:
    """What each interaction changed, by scenario and number; `found` is what `steps` gives."""
    names, compared = [], []
    for scenario, own in found.groupby("scenario", sort=False):
        for number, rows in own.groupby("interaction", sort=True):
            names.append(f"{scenario}, interaction {number}")
            compared.append((len(rows), paired_difference("", rows["accuracy_change"], rows["baseline_change"])))
    frame = pd.DataFrame(
        {
            "n": [n for n, _ in compared],
            "person": [one.first for _, one in compared],
            "baseline": [one.second for _, one in compared],
            **{
                title: pd.Series([getattr(one.test, name) for _, one in compared], dtype=float).tolist()
                for title, name in (("gain", "estimate"), ("low", "low"), ("high", "high"))
            },
            "problem": [one.test.problem for _, one in compared],
        },
        index=pd.Index(names, name="after", dtype=object),
    )
    return Table(
        "Change of the validation accuracy in the epochs after each interaction, beside the baseline's in the same "
        "epochs; gain is their difference, with 95 % t intervals over sessions",
        frame.astype(dict.fromkeys(("person", "baseline"), float)),
    )


def strategies_table(found: pd.DataFrame) -> Table:
    """How often the rule saw each strategy, and the mean change of accuracy after it; `found` is what `steps` gives.

    No interval: the interactions of one session are not independent, and people chose their strategies.
    """
    rows = {title: found[found["strategy"] == name] for name, title in TITLES.items()}
    rows["none that the rule knows"] = found[found["strategy"].isna()]
    return Table(
        "Strategies by rule: interactions, people who used it, and mean change of the validation accuracy after it. "
        "People chose them, and one person's interactions hang together: differences are no effects of a strategy",
        pd.DataFrame(
            {
                "interactions": [len(some) for some in rows.values()],
                "people": [some["participant"].nunique() for some in rows.values()],
                "accuracy change": [some["accuracy_change"].mean() for some in rows.values()],
                "gain": [some["gain"].mean() for some in rows.values()],
            },
            index=pd.Index(list(rows), name="strategy", dtype=object),
        ),
    )


def _gain_of(row: pd.Series | None, score: str) -> float | None:
    return None if row is None else float(row[f"gain_{score}"])


def _twice(listed: Sequence[ScenarioGain]) -> list[str]:
    return [one.name for one in listed for _ in range(2)]
