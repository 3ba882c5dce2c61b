"""Sessions in a latent space, as the long frame alone tells of them."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.latent_answer_figures import improvement_figure
from crowdloom.analysis.latent_summary import latent_summary, latent_tables
from crowdloom.analysis.outcomes import outcome
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, task_frame

TASK = "latent-session"


def frame(*conditions: str) -> pd.DataFrame:
    """In each condition three sessions on digits that improved by 0.1, 0.2 and 0.3, and one on signals by 0.05."""
    rows = []
    for condition in conditions:
        for number, gained in enumerate((0.1, 0.2, 0.3)):
            numbers = {"accuracy_before": 0.5, "accuracy": 0.5 + gained, "macro_f1": 0.5, "interactions": 4}
            numbers |= {"movements": 10 * number, "seconds": 60 * number, "alpha": 0.5}
            rows.append(answered(f"{condition}{number}", "digits", condition=condition, rt_ms=1000 * number, **numbers))
        numbers = {"accuracy_before": 0.6, "accuracy": 0.65, "macro_f1": 0.6}
        rows.append(answered(f"{condition}0", "signals", condition=condition, **numbers))
    return task_frame(TASK, rows)


def test_the_numbers_are_means_over_sessions() -> None:
    """By hand; what an answer does not say does not count."""
    found = latent_summary(frame("A"), item_frame(), CLASSES)
    assert found == pytest.approx(
        {
            "participants": 3,
            "submissions": 3,
            "items": 2,
            "responses_first": 4,
            "responses_repeat": 0,
            "accuracy_before_mean": 0.525,
            "accuracy_mean": (0.6 + 0.7 + 0.8 + 0.65) / 4,
            "macro_f1_mean": 0.525,
            "improvement_mean": 0.1625,
            "interactions_mean": 4,
            "movements_mean": 10,
            "alpha_mean": 0.5,
            "session_minutes_mean": 1,
            "seconds_median": 1,
            "seconds_mean": 1,
        }
    )


def test_scenarios_are_in_the_order_of_the_items() -> None:
    """In the table and in the figure; without a list of them, as they come."""
    items = item_frame({"item": "signals"}, {"item": "hapt"}, {"item": "digits"})
    (table,) = latent_tables(frame("B", "A"), items, CLASSES)
    assert table.frame.index.tolist() == ["signals, A", "signals, B", "digits, A", "digits, B"]
    labels = improvement_figure(frame("A"), items).axes[0].get_xticklabels()
    assert [label.get_text().split("\n")[0] for label in labels] == ["signals", "digits"]


def test_a_row_for_each_scenario_with_its_interval() -> None:
    """0.2 and sd 0.1 over three; one session has none, and the table says why."""
    (table,) = latent_tables(frame("A"), item_frame(), CLASSES)
    assert table.frame.index.tolist() == ["digits", "signals"]
    half = stats.t.ppf(0.975, 2) * 0.1 / 3**0.5
    digits, signals = table.frame.loc["digits"], table.frame.loc["signals"]
    assert (digits["improvement"], digits["low"], digits["high"]) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    assert (signals["n"], signals["improvement"]) == (1, pytest.approx(0.05))
    assert pd.isna(signals["low"])
    assert "value" in signals["problem"]


def test_conditions_have_rows_of_their_own() -> None:
    """Where there are several."""
    (table,) = latent_tables(frame("A", "B"), item_frame(), CLASSES)
    assert table.frame.index.tolist() == ["digits, A", "digits, B", "signals, A", "signals, B"]


def test_a_plan_can_be_about_the_improvement() -> None:
    """As an outcome of each answer."""
    found = outcome(TASK, "improvement", frame("A"), item_frame(), CLASSES)
    assert found.tolist() == pytest.approx([0.1, 0.2, 0.3, 0.05])
