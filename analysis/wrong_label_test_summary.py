"""The tests of guessed wrong labels as tables in the paper's form, as tables beside them, and as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from crowdloom.analysis.assumptions import p_words
from crowdloom.analysis.clustered import SUBSTITUTED
from crowdloom.analysis.summary import Table
from crowdloom.analysis.test_result import TestResult
from crowdloom.analysis.wrong_label import IMAGES, OVERALL
from crowdloom.analysis.wrong_label_tests import ColumnTests, ConditionsCompared

ALPHA, STRONG = 0.05, 0.01
"""p below them is marked with * and **."""

FEW_IMAGES = 10
"""Fewer in a condition are too few clusters for a variance that is worth its name."""


def wrong_label_test_tables(comparisons: Sequence[ConditionsCompared]) -> list[Table]:
    """For each two conditions that `compare_all_conditions` gives: the paper's table, tests, effects, regressions."""
    return [
        table
        for compared in comparisons
        for table in (
            published_table(compared),
            tests_table(compared),
            effects_table(compared),
            regression_table(compared),
        )
    ]


def wrong_label_test_sentences(comparisons: Sequence[ConditionsCompared]) -> list[str]:
    """What is to be said beside the tables, for each two conditions."""
    if not comparisons:
        return ["There are no two conditions with answers, so there is nothing to compare."]
    if len(comparisons) == 1:
        return sentences(comparisons[0])
    return [f"{one.first} and {one.second}: {sentence}" for one in comparisons for sentence in sentences(one)]


def published_table(compared: ConditionsCompared) -> Table:
    """Table 1 of the paper, or table 2 where images are paired: accuracies to two places, numbers of images.

    Before the higher of two accuracies stands * where the t-test's own p is below 0.05, and ** below 0.01, without
    correction, as in the paper.
    """
    columns = compared.columns
    accuracies = [{name: _marked(tests, side) for name, tests in columns.items()} for side in (0, 1)]
    counts = [{name: tests.images[side] for name, tests in columns.items()} for side in (0, 1)]
    if compared.is_paired:
        names, rows = [compared.first, compared.second, IMAGES], [*accuracies, counts[0]]
    else:
        names = [compared.first, IMAGES, compared.second, IMAGES]
        rows = [accuracies[0], counts[0], accuracies[1], counts[1]]
    kind = "Paired" if compared.is_paired else "Unpaired"
    frame = pd.DataFrame(rows, columns=list(columns), dtype=object).set_axis(pd.Index(names, dtype=object), axis=0)
    return Table(
        f"Accuracy, the mean over images. {kind} t-test, p uncorrected. *: p < {ALPHA}, **: p < {STRONG}", frame
    )


def tests_table(compared: ConditionsCompared) -> Table:
    """A row for each category and `Overall`: difference of accuracies, t, p, p after Holm, permutation p."""
    tests = sum(column.holm is not None for column in compared.columns.values())
    family = f"over the categories and {OVERALL}" if len(compared.columns) > 1 else f"over {OVERALL} alone"
    return _by_column(
        compared,
        f"{compared.first} less {compared.second}: {'paired' if compared.is_paired else 'unpaired'} t-test over "
        f"images. Holm p: {family}, {tests} test{'' if tests == 1 else 's'}; other p uncorrected",
        lambda tests: {
            "difference": tests.t_test.estimate,
            "low": tests.t_test.low,
            "high": tests.t_test.high,
            "t": tests.t_test.statistic,
            "df": tests.t_test.df,
            "p": tests.t_test.p,
            "Holm p": tests.holm,
            **({} if tests.welch is None else {"Welch p": tests.welch.p}),
            "permutation p": tests.permutation.p,
            "problem": tests.t_test.problem,
        },
    )


def effects_table(compared: ConditionsCompared) -> Table:
    """A row for each category and `Overall`: both standardised effects with 95 % intervals."""
    return _by_column(
        compared,
        "Effect sizes over images, with 95 % intervals",
        lambda tests: (
            {
                name: value
                for effect in tests.effects
                for name, value in (
                    (effect.name, effect.value),
                    (f"{effect.name} low", effect.low),
                    (f"{effect.name} high", effect.high),
                )
            }
            | {"problem": tests.effects[0].problem}
        ),
    )


def regression_table(compared: ConditionsCompared) -> Table:
    """A row for each category and `Overall`: odds ratio and difference of shares of right answers, with p."""
    return _by_column(
        compared,
        f"{compared.first} against {compared.second}: single answers, clustered by participant and image; p "
        "uncorrected",
        lambda tests: {
            "answers": sum(tests.regression.n),
            "odds ratio": tests.regression.effect,
            "OR low": tests.regression.effect_low,
            "OR high": tests.regression.effect_high,
            "OR p": tests.regression.p,
            "difference": tests.difference.estimate,
            "low": tests.difference.low,
            "high": tests.difference.high,
            "p": tests.difference.p,
            "df": tests.regression.df,
            "problem": tests.regression.problem,
        },
    )


def sentences(compared: ConditionsCompared) -> list[str]:
    """Which test and why, what was left out, whether regression and t-test agree, and what both suppose."""
    said = [_choice(compared)]
    if compared.uncoded:
        few = "1 image has" if compared.uncoded == 1 else f"{compared.uncoded} images have"
        said.append(f"{few} no category and count{'s' if compared.uncoded == 1 else ''} in {OVERALL} alone.")
    said.append(agreement(compared))
    said += [_uncertainty(compared, name) for name in (OVERALL, *_apart(compared))]
    said += _few_images(compared)
    for name, tests in compared.columns.items():
        if tests.t_test.problem:
            said.append(f"{name}: no t-test, since {tests.t_test.problem}.")
            continue
        p = tests.permutation.p
        neither = "does not suppose it" if compared.is_paired else "supposes neither"
        beside = "" if p is None else f" The {tests.permutation.name}, which {neither}, gives {p_words(p)}."
        said.append(f"{name}: {tests.assumptions.words}{beside}")
    replaced = [name for name, tests in compared.columns.items() if SUBSTITUTED in tests.regression.name]
    if replaced:
        said.append(
            f"The regression's two-way variance is not positive in {', '.join(replaced)}; "
            "the larger one-way variance takes its place there."
        )
    return said


def _uncertainty(compared: ConditionsCompared, name: str) -> str:
    """The difference of a column with both intervals: p on either side of 0.05 hide how near two estimates are."""
    tests = compared.columns[name]
    return (
        f"{name}: the difference of accuracies, {compared.first} less {compared.second}, is "
        f"{_difference(tests.t_test)} over images and {_difference(tests.difference)} over answers, clustered by "
        "participant and image."
    )


def _difference(found: TestResult) -> str:
    if found.estimate is None:
        return "not known"
    if found.low is None or found.high is None:
        return f"{found.estimate:.3f} (no interval)"
    return f"{found.estimate:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"


def _few_images(compared: ConditionsCompared) -> list[str]:
    """A warning where the regression has a p for few images."""
    few = [
        f"{name} ({tests.images[0]}{'' if compared.is_paired else f' and {tests.images[1]}'})"
        for name, tests in compared.columns.items()
        if min(tests.images) < FEW_IMAGES and tests.regression.p is not None
    ]
    if not few:
        return []
    return [
        f"Fewer than {FEW_IMAGES} images in a condition: {', '.join(few)}. A variance clustered by so few images is "
        "unreliable; take the regression's p and intervals there as a hint at most."
    ]


def agreement(compared: ConditionsCompared) -> str:
    """Whether the clustered regression and the t-test say the same, in all and by category.

    They do where both, or neither, find a difference at 0.05, the same way.
    """
    overall = compared.columns[OVERALL]
    kind = f"{'paired' if compared.is_paired else 'unpaired'} t-test"
    verdicts = {name: _verdicts(tests) for name, tests in compared.columns.items()}
    by_images, by_answers = verdicts.pop(OVERALL)
    if by_images is None or by_answers is None:
        test, problem = (kind, overall.t_test.problem) if by_images is None else (_MODEL, overall.regression.problem)
        said = f"The {_MODEL} and the {kind} cannot be compared: the {test} has no p, since {problem}."
    else:
        ps = [p_words(p) for p in (overall.t_test.p, overall.regression.p) if p is not None]
        said = _SAID[_case(by_images, by_answers)].format(
            model=_MODEL, kind=kind, p=ps[0], q=ps[1], **_directions(compared, by_images or by_answers)
        )
    apart = _apart(compared)
    known = [name for name, both in verdicts.items() if None not in both]
    if known:
        said += (
            f" By category they disagree in {', '.join(apart)}."
            if apart
            else " They agree in each category that has both."
        )
    return said


def _apart(compared: ConditionsCompared) -> list[str]:
    """The categories in which regression and t-test disagree."""
    verdicts = {name: _verdicts(tests) for name, tests in compared.columns.items() if name != OVERALL}
    return [name for name, (one, other) in verdicts.items() if None not in (one, other) and one != other]


_MODEL = "clustered logistic regression"
_SAID = {
    "same": (
        "The {model} agrees with the {kind}: accuracy is {lower} in {first} than in {second} ({p}; regression {q})."
    ),
    "neither": "The {model} agrees with the {kind}: neither finds a difference ({p}; regression {q}).",
    "images": (
        "The {model} disagrees with the {kind}: over images accuracy is {lower} in {first} than in {second} ({p}), "
        "but not beyond what may be due to the people who took part (regression {q})."
    ),
    "answers": (
        "The {model} disagrees with the {kind}: it finds accuracy {lower} in {first} than in {second} ({q}), "
        "the t-test over images does not ({p})."
    ),
    "opposite": (
        "The {model} disagrees with the {kind}: both find a difference, in opposite directions ({p}; regression {q})."
    ),
}


def _case(by_images: int, by_answers: int) -> str:
    if by_images == by_answers:
        return "same" if by_images else "neither"
    if by_images and by_answers:
        return "opposite"
    return "images" if by_images else "answers"


def _directions(compared: ConditionsCompared, sign: int) -> Mapping[str, str]:
    return {"lower": "lower" if sign < 0 else "higher", "first": compared.first, "second": compared.second}


def _verdicts(tests: ColumnTests) -> tuple[int | None, int | None]:
    """Of t-test and regression: -1 or 1 where the first condition is lower or higher, 0 where nothing is found."""
    return _verdict(tests.t_test.p, tests.t_test.estimate), _verdict(tests.regression.p, tests.regression.estimate)


def _verdict(p: float | None, estimate: float | None) -> int | None:
    if p is None or estimate is None:
        return None
    return 0 if p >= ALPHA else (1 if estimate > 0 else -1)


def _choice(compared: ConditionsCompared) -> str:
    if not compared.is_paired:
        shared = {0: "no image was", 1: "only one image was"}.get(
            compared.shared, f"only {compared.shared} of the images were"
        )
        return f"The t-test is unpaired, since {shared} shown in both conditions."
    were = "image was" if compared.shared == 1 else "images were"
    said = f"The t-test is paired, since {compared.shared} {were} shown in both conditions."
    if compared.left_out:
        images = "1 other image" if compared.left_out == 1 else f"{compared.left_out} other images"
        said += f" It leaves out {images}, answered in one condition alone."
    return said


def _marked(tests: ColumnTests, side: int) -> str | None:
    value, other = tests.accuracy[side], tests.accuracy[1 - side]
    if value is None:
        return None
    p = tests.t_test.p
    is_marked = p is not None and other is not None and value > other
    mark = ("**" if p < STRONG else "*" if p < ALPHA else "") if is_marked and p is not None else ""
    return f"{mark}{value:.2f}"


def _by_column(compared: ConditionsCompared, title: str, row: Callable[[ColumnTests], Mapping[str, Any]]) -> Table:
    """A row for each column of the comparison; no column `problem` where there is none."""
    rows: Sequence[Mapping[str, Any]] = [row(tests) for tests in compared.columns.values()]
    frame = pd.DataFrame(rows, dtype=object).set_axis(pd.Index(list(compared.columns), dtype=object), axis=0)
    return Table(title, frame if frame["problem"].notna().any() else frame.drop(columns="problem"))
