"""Mass on what was mixed and elsewhere, by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.mixed_labels import (
    elsewhere_by_coefficient,
    endpoint_masses,
    endpoint_points,
    item_masses,
    mass_correlations,
)
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, mix, task_frame

ITEMS = item_frame(mix("x", "ant", "bee", "0.75"), mix("y", "cow", "ant", 0.25), {"item": "plain", "reference": "ant"})


def said(
    submission: str, item: str, top1: str, p1: float, top2: str | None = None, p2: float | None = None
) -> Mapping[str, Any]:
    """A soft label with nothing ticked as impossible."""
    return answered(submission, item, top1=top1, top1_probability=p1, top2=top2, top2_probability=p2)


def masses(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """Their masses."""
    return endpoint_masses(task_frame("soft-label", rows), ITEMS, CLASSES)


ROWS = (
    said("s", "x", "ant", 80, "bee", 20),  # sums to 100: 0.72 and 0.18, and 0.1 on the other two
    said("t", "x", "bee", 60),  # 0.4 on three: 0.4/3 on ant, 0.6 on bee
    said("s", "y", "dog", 50, "cow", 30),  # 0.2 on two: 0.1 on ant; 0.3 on cow
    said("s", "plain", "ant", 90),
)


def test_masses_of_responses_and_of_items() -> None:
    """endpoint1 is what the item says; the rest is elsewhere; items without endpoints are left out."""
    found = masses(*ROWS)
    assert found["mass1"].tolist() == pytest.approx([0.72, 0.4 / 3, 0.3])
    assert found["mass2"].tolist() == pytest.approx([0.18, 0.6, 0.1])
    assert found["elsewhere"].tolist() == pytest.approx([0.1, 0.8 / 3, 0.6])
    items = item_masses(found).set_index("item")
    assert items.loc["x", ["mass1", "elsewhere"]].tolist() == pytest.approx([(0.72 + 0.4 / 3) / 2, (0.1 + 0.8 / 3) / 2])
    assert items["n"].to_dict() == {"x": 2, "y": 1}


def test_a_repeat_and_an_answer_without_a_label_do_not_count() -> None:
    """Only first answers that give a label are masses."""
    again = {**ROWS[0], "repeat": 1}
    assert len(masses(ROWS[0], again, answered("t", "y"))) == 1


def test_both_correlations() -> None:
    """Two points a response or one, by scipy; the first does not change when endpoints change places."""
    found = masses(*ROWS)
    both = stats.pearsonr([0.75, 0.75, 0.25, 0.25, 0.25, 0.75], [0.72, 0.4 / 3, 0.3, 0.18, 0.6, 0.1]).statistic
    one = stats.pearsonr([0.75, 0.75, 0.25], [0.72, 0.4 / 3, 0.3]).statistic
    r = mass_correlations(found)
    assert (r["both endpoints"], r["endpoint1"]) == (pytest.approx(both), pytest.approx(one))
    turned = found.assign(mass1=found["mass2"], mass2=found["mass1"], lambda_f=1 - found["lambda_f"])
    assert mass_correlations(turned)["both endpoints"] == pytest.approx(both)
    assert mass_correlations(found.iloc[:1]) == {"both endpoints": None, "endpoint1": None}


def test_mass_elsewhere_by_coefficient() -> None:
    """At 0.75 0.1 and 0.8/3, at 0.25 0.6."""
    found = elsewhere_by_coefficient(masses(*ROWS))
    assert found["n"].to_dict() == {0.25: 1, 0.75: 2}
    assert found["mean"].tolist() == pytest.approx([0.6, (0.1 + 0.8 / 3) / 2])
    assert found.loc[0.75, "se"] == pytest.approx(np.std([0.1, 0.8 / 3], ddof=1) / math.sqrt(2))


def test_people_who_see_the_mix_as_it_is_correlate_fully() -> None:
    """Labels equal to mixup's are a correlation of 1 and nothing elsewhere."""
    items = item_frame(*(mix(f"i{n}", "ant", "bee", share) for n, share in enumerate((0.25, 0.5, 0.6, 0.75))))
    rows = [
        {**said("s", f"i{n}", "ant", 100 * share, "bee", 100 * (1 - share)), "impossible": ("cow", "dog")}
        for n, share in enumerate((0.25, 0.5, 0.6, 0.75))
    ]
    found = endpoint_masses(task_frame("soft-label", rows), items, CLASSES)
    assert mass_correlations(found) == {"both endpoints": pytest.approx(1), "endpoint1": pytest.approx(1)}
    assert found["elsewhere"].tolist() == pytest.approx([0] * 4)
    assert endpoint_points(found)["coefficient"].tolist() == [0.25, 0.5, 0.6, 0.75, 0.75, 0.5, 0.4, 0.25]


def test_nothing_is_a_frame_without_rows() -> None:
    """Without answers everything is empty or None."""
    found = masses()
    assert (len(found), len(item_masses(found)), len(elsewhere_by_coefficient(found))) == (0, 0, 0)
    assert mass_correlations(found) == {"both endpoints": None, "endpoint1": None}
