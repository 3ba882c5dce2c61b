"""The table and the figure of strategies against the training without a person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.figure_style import BLUE, GREEN, ORANGE, RED
from crowdloom.analysis.latent_comparison import (
    BASELINE,
    FILES,
    Records,
    comparison_curves,
    comparison_table,
    write_comparison,
)
from crowdloom.analysis.latent_comparison_figure import comparison_figure
from crowdloom.tasks.latent_records import Epoch, SessionRecord
from tests.analysis.latent_sessions import arranged, baseline_of, session, shape_of
from tests.analysis.test_figures import cut_off

GAINS = {"compactness": (0.02, 0.03, 0.01, 0.04), "distance": (-0.03, 0.01, -0.02, 0.028)}


def records(seeds: int = 4) -> Records:
    """Two strategies and the baseline, with these gains by seed."""
    found: dict[tuple[str, int], SessionRecord] = {}
    for seed in range(seeds):
        alone = session(seed, (), without_person=4).record
        found[BASELINE, seed] = alone.model_copy(update={"curve": baseline_of("digits", seed, 45)})
        for strategy, gains in GAINS.items():
            found[strategy, seed] = session(seed, [strategy] * 4, gain=gains[seed]).record
    return found


def test_gains_are_paired_by_seed() -> None:
    """Mean and interval are those of a t-test of the differences; the baseline has no gain."""
    table = comparison_table(records()).set_index("strategy")
    assert list(table.index) == [BASELINE, "compactness", "distance"]
    assert table["seeds"].tolist() == [4, 4, 4]
    for strategy, gains in GAINS.items():
        interval = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
        row = table.loc[strategy]
        for score in ("accuracy", "macro_f1"):
            assert row[f"gain_{score}"] == pytest.approx(np.mean(gains))
            assert (row[f"gain_{score}_low"], row[f"gain_{score}_high"]) == pytest.approx(tuple(interval))
    assert np.isnan(table.loc[BASELINE, "gain_accuracy"])
    ends = [baseline_of("digits", seed, 45)[-1].accuracy for seed in range(4)]
    assert table.loc[BASELINE, "accuracy"] == pytest.approx(np.mean(ends))
    half = stats.t.ppf(0.975, 3) * np.std(ends, ddof=1) / 2
    assert table.loc[BASELINE, "accuracy_half"] == pytest.approx(half)


def test_how_far_the_network_followed() -> None:
    """Half of all that was asked for; alone, in the first interaction, as far as the baseline's network went."""
    given = dict(records())
    for seed in range(4):
        alone = given[BASELINE, seed]
        first = alone.interactions[0]
        tighter = arranged(first.before, "compactness", 0.05)  # a tenth of what is asked for
        moved = first.model_copy(update={"after": tighter})
        given[BASELINE, seed] = alone.model_copy(update={"interactions": [moved, *alone.interactions[1:]]})
    table = comparison_table(given).set_index("strategy")
    assert table.loc["compactness", ["followed_spreads", "first_spreads"]].tolist() == pytest.approx([0.5, 0.5])
    assert table.loc["compactness", "alone_spreads"] == pytest.approx(0.1)
    assert table.loc["distance", ["followed_centres", "alone_centres"]].tolist() == pytest.approx([0.5, 0.0])
    assert np.isnan(table.loc["distance", "followed_spreads"])  # nobody asked for any


def test_a_picture_that_only_grows_is_told_from_one_that_changes() -> None:
    """Its size becomes another, and the spread of its classes as a share of it does not."""
    given = dict(records())
    for seed in range(4):
        alone, own = given[BASELINE, seed].interactions, given["compactness", seed].interactions
        before = own[0].before
        assert alone[0].before == before
        grown = shape_of(3 * np.array(before.centres), 3 * np.array(before.spreads, dtype=float))
        tight = shape_of(np.array(before.centres), 0.5 * np.array(before.spreads, dtype=float))
        for key, first, rest in ((BASELINE, before, alone), ("compactness", grown, own)):
            changed = rest[0].model_copy(update={"after": first, "intended": tight if key != BASELINE else before})
            given[key, seed] = given[key, seed].model_copy(update={"interactions": [changed, *rest[1:]]})
    row = comparison_table(given).set_index("strategy").loc["compactness"]
    assert row[["size_first", "spread_first", "size_alone", "spread_alone"]].tolist() == pytest.approx([3, 1, 1, 1])
    assert row["size_asked"] < 1
    assert row["size_asked"] * row["spread_asked"] == pytest.approx(0.5, abs=0.01)


def test_all_files_are_written(tmp_path: Path) -> None:
    """They say the same; the table says how much, how sure and that few seeds are few."""
    lines = write_comparison(records(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(FILES)
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert text.splitlines() == lines
    assert "| digits | compactness | 4 | " in text
    assert "| +2.5 (+0.4 to +4.6) | +2.5 (+0.4 to +4.6) |" in text
    assert "digits, distance: over 4 sessions the final accuracy was 0.3 percentage points below" in text
    assert text.count("4 sessions are few") == 1
    table = pd.read_csv(tmp_path / "table.csv")
    assert table["gain_accuracy"].tolist()[1:] == pytest.approx([0.025, -0.003])
    curves = pd.read_csv(tmp_path / "curves.csv")
    assert list(curves) == ["scenario", "strategy", "seed", "epoch", "accuracy", "macro_f1"]
    assert len(curves) == 3 * 4 * 45


def test_curves_stand_by_strategy_and_seed() -> None:
    """In the order in which strategies were given, the baseline first."""
    curves = comparison_curves(records(2))
    assert list(dict.fromkeys(curves["strategy"])) == [BASELINE, "compactness", "distance"]
    one = curves[(curves["strategy"] == "distance") & (curves["seed"] == 1)]
    assert one["epoch"].tolist() == list(range(1, 46))
    last: Epoch = records(2)["distance", 1].curve[-1]
    assert one["accuracy"].iloc[-1] == last.accuracy


def test_the_figure_shows_means_and_gains() -> None:
    """Above all curves from the first interaction on, below what they gained at each epoch; nothing is cut off."""
    curves = comparison_curves(records())
    figure = comparison_figure(curves, [25, 30, 35, 40], BASELINE)
    above, below = figure.axes
    drawn = {line.get_color(): line for line in above.lines if len(line.get_xdata()) > 2}
    assert drawn[BLUE].get_xdata().tolist() == list(range(25, 46))
    mean = curves[curves["epoch"] == 45].groupby("strategy")["accuracy"].mean() * 100
    ends = [drawn[colour].get_ydata()[-1] for colour in (BLUE, ORANGE, GREEN)]
    assert ends == pytest.approx([mean[name] for name in (BASELINE, "compactness", "distance")])
    assert [line.get_xdata()[0] for line in above.lines if line.get_color() == RED] == [25, 30, 35, 40]
    gained = [bars.lines[0].get_ydata() for bars in below.containers]
    assert [gain[-1] for gain in gained] == pytest.approx([2.5, -0.3])
    assert [len(gain) for gain in gained] == [20, 20]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "Increase compactness",
        "Maximise distance",
        "baseline",
        "interaction",
    ]
    assert not cut_off(figure)


def test_one_seed_has_no_interval(tmp_path: Path) -> None:
    """Scores stand there; what one seed gained says nothing of how sure that is."""
    lines = write_comparison(records(1), tmp_path)
    row = next(line for line in lines if line.startswith("| digits | distance"))
    assert row.endswith("| – | – |")
    assert "±" not in row
    assert any("too few to say how sure a gain is" in line for line in lines)
