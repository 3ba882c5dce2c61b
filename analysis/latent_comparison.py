"""Strategies in a latent space against the same training without a person, over seeds, as a table.

Every strategy was followed in a session for each seed. A session's gain is its score after the last epoch less that of
the training without a person that has the same seed and began with the same network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.files import whole_file
from crowdloom.analysis.latent_comparison_figure import comparison_figure
from crowdloom.analysis.latent_frames import Session, curves
from crowdloom.analysis.latent_gains import ScenarioGain, gains, scenario_gains
from crowdloom.analysis.latent_metrics import followed, geometry
from crowdloom.analysis.latent_report import gain_sentences
from crowdloom.analysis.measures import mean_of, median_of
from crowdloom.analysis.run_averages import half_interval
from crowdloom.analysis.summary import NOTHING
from crowdloom.tasks.latent_records import BASELINE, SessionRecord, Shape

"""What stands in the place of a strategy where nobody asked for anything."""

Records = Mapping[tuple[str, int], SessionRecord]
"""By strategy, or `BASELINE`, and the number of the seed: sessions on one scenario; all have the same seeds."""

PARTS = ("centres", "spreads")
PICTURE = ("size", "spread")
_WHEN = {"asked": "asked", "became": "first", "alone": "alone"}
FILES = ("table.md", "table.csv", "curves.csv", "figure.svg", "figure.png")


def write_comparison(records: Records, folder: Path) -> list[str]:
    """Writes `FILES` into a folder and gives the lines of table.md. Raises OSError where the disk refuses."""
    table, lines = comparison_table(records), comparison_curves(records)
    said = comparison_lines(table, strategy_gains(records))
    with whole_file(folder / "table.md") as part:
        part.write_text("\n".join(said) + "\n", encoding="utf-8")
    for name, frame in (("table.csv", table), ("curves.csv", lines)):
        with whole_file(folder / name) as part:
            frame.to_csv(part, index=False)
    figure = comparison_figure(lines, [one.epoch for one in _any(records).interactions], BASELINE)
    for name in ("figure.svg", "figure.png"):
        save_figure(figure, folder / name)
    return said


def comparison_curves(records: Records) -> pd.DataFrame:
    """A row for each epoch of each session, the pretraining's too: scenario, strategy, seed (from 0) and the scores."""
    rows = [
        {"scenario": record.scenario, "strategy": strategy, "seed": seed, **one.model_dump()}
        for (strategy, seed), record in records.items()
        for one in record.curve
    ]
    frame = pd.DataFrame(rows).sort_values(["seed", "epoch"], kind="stable")
    order = pd.Categorical(frame["strategy"], strategies_of(records))
    return frame.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def strategies_of(records: Records) -> list[str]:
    """As they were given, the baseline first."""
    return list(dict.fromkeys((BASELINE, *(strategy for strategy, _ in records))))


def strategy_gains(records: Records) -> dict[str, ScenarioGain]:
    """What each strategy gained over the baseline, paired by seed; see `ScenarioGain`."""
    alone = {(record.scenario, record.seed): record.curve for (name, _), record in records.items() if name == BASELINE}
    found = {}
    for strategy in strategies_of(records)[1:]:
        sessions = [
            Session("comparison", strategy, f"seed {seed}", f"{strategy}-{seed}", record.scenario, record)
            for (name, seed), record in records.items()
            if name == strategy
        ]
        (gain,) = scenario_gains(gains(curves(sessions, alone)))
        found[strategy] = replace(gain, condition=strategy)
    return found


def comparison_table(records: Records) -> pd.DataFrame:
    """A row for the baseline and each strategy.

    scenario, strategy, seeds
    accuracy, macro_f1      mean over seeds after the last epoch; _half: half of its 95 % t interval
    gain_accuracy, …        mean gain; _low, _high: its 95 % t interval, from the paired t-test over seeds
    followed_centres, …     how far the network went the way that was asked (see `latent_metrics.Followed`), the median
                            over the interactions of all seeds
    first_centres, …        the same in the first interaction, mean over seeds
    alone_centres, …        how far the network without a person went that way in the same epochs: in the first
                            interaction both begin with the same picture, so that first less alone is what the person
                            brought about
    size_asked, _first, _alone      how many times as large the picture (its extent) was meant to become in the first
                                    interaction, became, and became without a person; means over seeds
    spread_asked, _first, _alone    the same of the spread of classes as a share of the extent, which does not change
                                    where a network makes all of the picture larger or smaller
    """
    found = strategy_gains(records)
    rows = []
    for strategy in strategies_of(records):
        of = {seed: record for (name, seed), record in records.items() if name == strategy}
        row: dict[str, Any] = {"scenario": _any(records).scenario, "strategy": strategy, "seeds": len(of)}
        for score in ("accuracy", "macro_f1"):
            values = np.array([getattr(record.curve[-1], score) for record in of.values()])
            row |= {score: mean_of(values), f"{score}_half": half_interval(values)}
        if strategy != BASELINE:
            for score in ("accuracy", "macro_f1"):
                test = getattr(found[strategy], score).test
                row |= {f"gain_{score}": test.estimate, f"gain_{score}_low": test.low, f"gain_{score}_high": test.high}
            alone = {seed: records[BASELINE, seed] for seed in of}
            row |= _followed(of, alone) | _pictures(of, alone)
        rows.append(row)
    frame = pd.DataFrame(rows)
    return frame.astype({name: float for name in frame if name not in ("scenario", "strategy", "seeds")})


def _followed(of: Mapping[int, SessionRecord], alone: Mapping[int, SessionRecord]) -> dict[str, float | None]:
    every = [followed(one.before, one.intended, one.after) for record in of.values() for one in record.interactions]
    first = {seed: record.interactions[0] for seed, record in of.items()}
    own = [followed(one.before, one.intended, one.after) for one in first.values()]
    without = [followed(one.before, one.intended, alone[seed].interactions[0].after) for seed, one in first.items()]
    row: dict[str, float | None] = {}
    for part in PARTS:
        row[f"followed_{part}"] = median_of(_numbers(every, part))
        row[f"first_{part}"] = mean_of(_numbers(own, part))
        row[f"alone_{part}"] = mean_of(_numbers(without, part))
    return row


def _pictures(of: Mapping[int, SessionRecord], alone: Mapping[int, SessionRecord]) -> dict[str, float | None]:
    firsts = [(record.interactions[0], alone[seed].interactions[0].after) for seed, record in of.items()]
    row: dict[str, float | None] = {}
    for when, pairs in (
        ("asked", [(one.before, one.intended) for one, _ in firsts]),
        ("first", [(one.before, one.after) for one, _ in firsts]),
        ("alone", [(one.before, without) for one, without in firsts]),
    ):
        found = np.array([_size_and_spread(after) / _size_and_spread(before) for before, after in pairs])
        row |= {f"{name}_{when}": mean_of(found[:, place]) for place, name in enumerate(PICTURE)}
    return row


def _size_and_spread(shape: Shape) -> Floats:
    """The extent of a picture, and the mean spread of its classes as a share of it; NaN where nothing is shown."""
    of = geometry(shape)
    extent = np.nan if not of.extent else of.extent
    return np.array([extent, np.nan if (spread := mean_of(of.spreads)) is None else spread / extent])


def _numbers(found: Sequence[object], part: str) -> np.ndarray:
    return np.array([np.nan if (value := getattr(one, part)) is None else value for one in found])


def comparison_lines(table: pd.DataFrame, found: Mapping[str, ScenarioGain]) -> list[str]:
    """The table as Markdown, with what it says and how little; scores and gains in per cent and percentage points."""
    rows = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    own = [row for row in rows if row["strategy"] != BASELINE]
    return [
        *_markdown(
            ["scenario", "strategy", "seeds", "accuracy (%)", "macro-F1 (%)", "gain in accuracy", "gain in macro-F1"],
            [
                [row["scenario"], row["strategy"], str(row["seeds"])]
                + [_mean(row, score) for score in ("accuracy", "macro_f1")]
                + [_gain(row, score) for score in ("gain_accuracy", "gain_macro_f1")]
                for row in rows
            ],
        ),
        "",
        "After the last epoch: mean over seeds ± half of its 95 % t interval; gains over the same training without a "
        "person in percentage points, paired by seed, with 95 % t intervals.",
        "",
        *dict.fromkeys(f"- {sentence}" for one in found.values() for sentence in gain_sentences(one)),
        "- Simulated people know the classes of all points and nothing else: what they gain says nothing of what real "
        "people would.",
        "",
        *_markdown(
            ["strategy", *(f"{part}, {when}" for part in PARTS for when in ("all", "first", "first alone"))],
            [
                [row["strategy"]]
                + [_share(row[f"{when}_{part}"]) for part in PARTS for when in ("followed", "first", "alone")]
                for row in own
            ],
        ),
        "",
        "How far the network followed, that is, went the way that was asked, 1 all of it: the median over all "
        "interactions; the mean over seeds in the first interaction; and in the same epochs of the network without a "
        "person, which began with the same picture. What the person brought about is the difference of the last two.",
        "",
        *_markdown(
            ["strategy", *(f"{part}, {when}" for part in ("size", "relative spread") for when in _WHEN)],
            [
                [row["strategy"]] + [_share(row[f"{name}_{when}"]) for name in PICTURE for when in _WHEN.values()]
                for row in own
            ],
        ),
        "",
        "How many times as large the picture became in the first interaction, and the spread of classes as a share of "
        "it: as asked, as it became, and without a person. A network that makes the whole picture larger or smaller "
        "lowers the human loss, too, and tells no classes apart by it; then the relative spread stays.",
    ]


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table; columns of words are those whose heading names what a row is of."""
    rule = [":--" if head in ("scenario", "strategy") else "--:" for head in heads]
    return [f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows)]


def _mean(row: Mapping[str, Any], score: str) -> str:
    half = row[f"{score}_half"]
    return f"{100 * row[score]:.1f}" + ("" if np.isnan(half) else f" ± {100 * half:.1f}")


def _gain(row: Mapping[str, Any], name: str) -> str:
    estimate, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if np.isnan(estimate):
        return NOTHING
    return f"{100 * estimate:+.1f}" + ("" if np.isnan(low) else f" ({100 * low:+.1f} to {100 * high:+.1f})")


def _share(value: float) -> str:
    return NOTHING if np.isnan(value) else f"{value:.2f}"


def _any(records: Records) -> SessionRecord:
    return next(iter(records.values()))
