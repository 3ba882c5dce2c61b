"""A study of mixing coefficients in a few numbers: what people infer, how sure they are, how far they repeat it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crowdloom.analysis.boundaries import boundaries, boundary_table, fit_boundary
from crowdloom.analysis.coefficients import by_coefficient, deviation_by_item, deviation_by_pair, inferred
from crowdloom.analysis.confidence import (
    HIGH,
    LOW,
    by_entropy,
    compare_groups,
    comparison_table,
    confidence_by_coefficient,
)
from crowdloom.analysis.consistency import consistency
from crowdloom.analysis.measures import correlation, deviation_of, mean_of, median_of
from crowdloom.analysis.midpoints import HALF, anchoring, by_pair, by_start, midpoints
from crowdloom.analysis.mixing import ENTROPIES, mixed_responses, oriented
from crowdloom.analysis.summary import MEANINGS as SHARED
from crowdloom.analysis.summary import TIMES, Summary, Table, people_and_answers, seconds_taken


def _repeat_meanings(name: str, what: str) -> dict[str, str]:
    chance = "the same, with the first answers of the same submission to all its other items"
    return {
        f"repeat_{name}_mean": f"mean difference, without sign, between the {what} of a repeat and of its first answer",
        f"repeat_{name}_mean_chance": chance,
        f"repeat_{name}_median": "the median of these differences",
        f"repeat_{name}_median_chance": chance,
        f"repeat_{name}_r": f"Pearson r between the {what} of repeats and of their first answers",
        f"repeat_{name}_r_chance": chance,
    }


INFERRED_MEANINGS = {
    "inferred_correlation": "Pearson r between lambda_f, with which images were mixed, and the inferred lambda_h",
    "deviation_mean": "mean |lambda_h - lambda_f| of first answers",
    "deviation_median": "median |lambda_h - lambda_f| of first answers",
    "item_deviation_mean": "mean over items of |mean lambda_h - lambda_f|",
    "boundary_slope": "slope k of the logistic function through all first answers; see the table of boundaries",
    "boundary_slope_se": "its standard error, if answers were independent",
    "boundary_midpoint": "midpoint m of that function, where half and half is seen",
    "boundary_midpoint_se": "its standard error, if answers were independent",
    "confidence_mean": "mean confidence in first answers, 0 to 100",
    "confidence_median": "median confidence in first answers",
    "confidence_at_half": "mean confidence where lambda_f is 0.5",
    "confidence_both_high": f"mean confidence where both endpoints have an entropy of at least {HIGH} nats",
    "confidence_both_low": f"mean confidence where both have one of at most {LOW} nats",
    "confidence_p": "p of the Mann-Whitney test between these two, over responses",
    "deviation_both_high": f"mean |lambda_h - lambda_f| where both endpoints have an entropy of at least {HIGH} nats",
    "deviation_both_low": f"mean |lambda_h - lambda_f| where both have one of at most {LOW} nats",
    "deviation_p": "p of the Mann-Whitney test between these two, over responses",
    **_repeat_meanings("inferred", "inferred coefficients"),
    **_repeat_meanings("confidence", "confidences"),
}
MIDPOINT_MEANINGS = {
    "midpoint_mean": "mean lambda_f that was taken for half and half, over first answers",
    "midpoint_sd": "standard deviation of it",
    "midpoint_median": "median of it",
    "midpoint_at_half": "share of first answers that take 0.5 for half and half",
    "midpoint_anchoring": "mean midpoint of constructions begun above 0.5, less that of those begun below",
    **_repeat_meanings("midpoint", "midpoints"),
}
MEANINGS = {**SHARED, **TIMES, **INFERRED_MEANINGS, **MIDPOINT_MEANINGS}
"""Every key of `mixing_summary` with its meaning in a line."""


def mixing_summary(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Summary:
    """The numbers of `MEANINGS` for a frame of the task mixing-coefficient that was checked at the door.

    Of the questions, infer or midpoint, the keys of one that nobody was asked are left out where somebody
    was asked the other. A number that is not defined is None. Raises FrameError as `mixed_responses` does.
    """
    responses = mixed_responses(frame, items, classes)
    asked = {name: bool(responses[name].notna().any()) for name in ("lambda_h", "midpoint")}
    summary = {**people_and_answers(frame), **seconds_taken(frame)}
    if asked["lambda_h"] or not asked["midpoint"]:
        summary |= _inferred(responses)
    if asked["midpoint"] or not asked["lambda_h"]:
        summary |= _midpoints(responses)
    return summary


def mixing_tables(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> list[Table]:
    """Inferences by coefficient, pair and item, boundaries, confidence and midpoints, as far as they were asked."""
    responses = mixed_responses(frame, items, classes)
    tables = []
    if responses["lambda_h"].notna().any():
        most = deviation_by_item(responses).head(10)
        tables += [
            Table("Inferred lambda_h by generating lambda_f", by_coefficient(responses)),
            Table("|lambda_h - lambda_f| by pair of classes", deviation_by_pair(responses)),
            Table("The 10 items that people would relabel most, |mean lambda_h - lambda_f|", most),
            Table("Category boundaries, 1 / (1 + exp(-k (lambda - m)))", boundary_table(boundaries(responses))),
            Table("Confidence (0 to 100) by lambda_f", confidence_by_coefficient(responses)),
        ]
        if responses[list(ENTROPIES)].notna().all(axis=1).any():
            groups = f"both high: H >= {HIGH}, both low: H <= {LOW} nats"
            tables += [
                Table(f"Confidence by the endpoints' entropy ({groups})", by_entropy(responses, "confidence")),
                Table(
                    f"|lambda_h - lambda_f| by the endpoints' entropy ({groups})", by_entropy(responses, "deviation")
                ),
                Table("Both high against both low, two-sided Mann-Whitney U test", comparison_table(responses)),
            ]
    if responses["midpoint"].notna().any():
        tables += [Table("Midpoints by pair of classes", by_pair(responses))]
        if responses["start"].notna().any():
            tables += [Table("Midpoints by the mix that a construction began with", by_start(responses))]
    return tables


def _inferred(responses: pd.DataFrame) -> Summary:
    answers = inferred(responses)
    whole = fit_boundary(oriented(answers, "lambda_f"), oriented(answers, "lambda_h"))
    groups = {name: compare_groups(responses, name) for name in ("confidence", "deviation")}
    return {
        "inferred_correlation": correlation(answers["lambda_f"], answers["lambda_h"]),
        "deviation_mean": mean_of(answers["deviation"]),
        "deviation_median": median_of(answers["deviation"]),
        "item_deviation_mean": mean_of(deviation_by_item(responses)["of_mean"]),
        "boundary_slope": whole.slope,
        "boundary_slope_se": whole.slope_error,
        "boundary_midpoint": whole.midpoint,
        "boundary_midpoint_se": whole.midpoint_error,
        "confidence_mean": mean_of(answers["confidence"]),
        "confidence_median": median_of(answers["confidence"]),
        "confidence_at_half": mean_of(answers["confidence"][np.isclose(answers["lambda_f"], HALF)]),
        **{
            f"{name}_{field}": value
            for name, found in groups.items()
            for field, value in (("both_high", found.mean_high), ("both_low", found.mean_low), ("p", found.p))
        },
        **_repeats(responses, "lambda_h", "inferred"),
        **_repeats(responses, "confidence", "confidence"),
    }


def _midpoints(responses: pd.DataFrame) -> Summary:
    answers = midpoints(responses)
    return {
        "midpoint_mean": mean_of(answers["midpoint"]),
        "midpoint_sd": deviation_of(answers["midpoint"]),
        "midpoint_median": median_of(answers["midpoint"]),
        "midpoint_at_half": mean_of(answers["at_half"]),
        "midpoint_anchoring": anchoring(responses),
        **_repeats(responses, "midpoint", "midpoint"),
    }


def _repeats(responses: pd.DataFrame, value: str, name: str) -> Summary:
    found = consistency(responses, value)
    return {
        f"repeat_{name}_mean": found.difference_mean,
        f"repeat_{name}_mean_chance": found.chance_mean,
        f"repeat_{name}_median": found.difference_median,
        f"repeat_{name}_median_chance": found.chance_median,
        f"repeat_{name}_r": found.correlation,
        f"repeat_{name}_r_chance": found.chance_correlation,
    }
