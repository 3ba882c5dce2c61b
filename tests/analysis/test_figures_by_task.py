"""Figures of every task: what they show, that nothing is cut off, that they are the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from scipy import stats

from crowdloom.analysis.boundaries import fit_boundary
from crowdloom.analysis.boundary_figures import MOST_PAIRS
from crowdloom.analysis.figure_style import WIDTH
from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.figures_by_task import CAPTIONS, FIGURES, TIMES_CAPTIONS, Drawn
from crowdloom.tasks import TASKS
from tests.analysis.coach_frames import CLASSES as DIGITS
from tests.analysis.coach_frames import coach_frame
from tests.analysis.mixed_frames import CLASSES, answered, item_frame, mix, task_frame
from tests.analysis.test_figures import cut_off

pytestmark = pytest.mark.slow

MIXING = "mixing-coefficient"
LONG = "a class with an uncommonly long name, $n$"
RNG = np.random.default_rng(8)


def inferences(classes: tuple[str, ...] = CLASSES, pairs: int = 2) -> Drawn:
    """The figures of 5 mixes of each of some pairs, each answered by 4 people."""
    ends = [(a, b) for n, a in enumerate(classes) for b in classes[n + 1 :]][:pairs]
    items = [
        mix(f"{a}{b}{share}", a, b, share, entropy1=0.6 * (share > 0.5), entropy2=0.6)
        for a, b in ends
        for share in (0.1, 0.25, 0.5, 0.75, 0.9)
    ]
    rows = [
        answered(f"s{person}", item["item"], confidence=50, inferred=round(abs(item["coefficient"] - 0.02 * person), 2))
        for item in items
        for person in range(4)
    ]
    return FIGURES[MIXING](task_frame(MIXING, rows, classes), item_frame(*items), classes)


def midpoints(*starts: float | None) -> Drawn:
    """The figures of one midpoint for each start, 0.3, 0.4 and so on."""
    rows = [
        answered(f"s{number}", "x", midpoint=round(0.3 + 0.1 * number, 1), start=start)
        for number, start in enumerate(starts)
    ]
    return FIGURES[MIXING](task_frame(MIXING, rows), item_frame(mix("x")), CLASSES)


def soft_labels(mixed: bool) -> Drawn:
    """The figures of four soft labels."""
    items = [mix("x", "ant", "bee", 0.25), mix("y", "bee", "cow", 0.5)]
    rows = [
        answered(f"s{n}", item, top1="bee", top1_probability=60 + n, top2="cow", top2_probability=20)
        for item in "xy"
        for n in range(2)
    ]
    frame = task_frame("soft-label", rows)
    return FIGURES["soft-label"](frame, item_frame(*items) if mixed else item_frame({"item": "x"}), CLASSES)


def guessed(
    conditions: tuple[str, ...] = ("int", "no-int"), categories: tuple[str | None, ...] = ("C1", "C2")
) -> Drawn:
    """The figures of guesses: two images a category, one right and one wrong in each condition."""
    items = [
        {"item": f"{category}{n}", "prediction": "bee", "category": category} for category in categories for n in (0, 1)
    ]
    rows = [
        answered(condition, item["item"], choice="bee" if item["item"].endswith("0") else "cow", condition=condition)
        for condition in conditions
        for item in items
    ]
    return FIGURES["wrong-label"](task_frame("wrong-label", rows), item_frame(*items), CLASSES)


def sessions(*scenarios: str) -> Drawn:
    """The figures of two sessions in each of these scenarios."""
    rows = [
        answered(f"s{n}", name, accuracy_before=0.7, accuracy=0.7 + 0.05 * n) for name in scenarios for n in range(2)
    ]
    return FIGURES["latent-session"](task_frame("latent-session", rows), item_frame(), CLASSES)


def writings(people: int) -> Drawn:
    """The figures of people who wrote with a coach, or of every second of them without."""
    return FIGURES["coach"](coach_frame(people, rounds=1), item_frame(), DIGITS)


def axes_of(figure: Figure) -> Axes:
    """The only axes of a figure."""
    (axes,) = figure.axes
    return axes


def texts(axes: Axes) -> list[str]:
    """The texts of its legend and in it."""
    legend = axes.get_legend()
    return [text.get_text() for text in [*(legend.get_texts() if legend else ()), *axes.texts]]


ALL = [
    inferences(),
    inferences((LONG, LONG + "!", "c"), 3),
    inferences(CLASSES, 1),
    midpoints(0.1, 0.9),
    midpoints(None, 0.1, 0.9),
    midpoints(None),
    soft_labels(mixed=True),
    guessed(),
    guessed((LONG, "_b", "c"), (None,)),
    guessed(("int",), (LONG, "C2", None)),
    sessions("digits"),
    sessions(LONG, LONG + "!", "_c"),
    writings(8),
]


@pytest.mark.parametrize("number", range(len(ALL)))
def test_nothing_is_cut_off_at_the_width_of_a_column(number: int) -> None:
    """Every figure of every task has the width of a column, and holds all that is drawn."""
    assert ALL[number].figures
    for stem, figure in ALL[number].figures.items():
        assert figure.get_figwidth() == WIDTH, stem
        assert not cut_off(figure), stem


def test_every_task_has_figures() -> None:
    """No task is forgotten."""
    assert set(FIGURES) == set(TASKS)


def test_captions_say_what_every_bar_is() -> None:
    """A figure with error bars says what they are, of means or medians as drawn; one without says nothing of bars."""
    drawn = {stem: figure for one in ALL for stem, figure in one.figures.items()}
    assert set(drawn) == set(CAPTIONS)
    for stem, figure in drawn.items():
        bars = [one for axes in figure.axes for one in axes.containers if isinstance(one, ErrorbarContainer)]
        kinds = {"quartiles": "median", "standard error": "mean"}
        said = [name for words, name in kinds.items() if f"bars {words}" in CAPTIONS[stem].replace("one ", "")]
        if stem == "accuracy":
            assert "Bars are 95 % t intervals over images, which do not see" in CAPTIONS[stem]
        elif stem.startswith("coach-"):
            assert bool(bars) == ("means over people with 95 % t intervals" in CAPTIONS[stem]), stem
        else:
            assert [one.get_label().split(",")[0].split()[0] for one in bars] == said, stem
    assert set(TIMES_CAPTIONS) == set(TASKS)
    assert all("Bars are 95 % bootstrap intervals over people." in said for said in TIMES_CAPTIONS.values())
    assert TIMES_CAPTIONS["soft-label"].endswith("differences are not effects of asking for it.")


def test_bars_of_means_are_standard_errors_and_those_of_medians_quartiles() -> None:
    """As their captions say: over the answers at each coefficient."""
    (mean,) = axes_of(soft_labels(mixed=True).figures["elsewhere-mass"]).containers
    masses = np.array([axes_of(soft_labels(mixed=True).figures["elsewhere-mass"]).collections[0].get_offsets()])[0]
    at = masses[np.abs(masses[:, 0] - 0.25) < 0.05, 1]
    low, high = mean.lines[2][0].get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((at.mean() - stats.sem(at), at.mean() + stats.sem(at)))
    (median,) = axes_of(inferences().figures["inferred"]).containers
    bounds = median.lines[2][0].get_segments()[2][:, 1]
    assert bounds == pytest.approx(np.quantile([0.5, 0.48, 0.46, 0.44] * 2, [0.25, 0.75]))


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_same_answers_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    """Drawn and saved twice, also dots that are spread at random are where they were."""
    for name in ("one", "two"):
        for drawn in (inferences(), guessed(), soft_labels(mixed=True)):
            for stem, figure in drawn.figures.items():
                save_figure(figure, tmp_path / f"{name} {stem}.{suffix}")
    ones = sorted(tmp_path.glob("one *"))
    assert len(ones) == 5 + 1 + 3
    for path in ones:
        assert path.read_bytes() == path.with_name(path.name.replace("one", "two")).read_bytes()


def test_inferences_stand_beside_their_coefficients() -> None:
    """Every first answer is a dot, medians are at their coefficients, and the line is the identity."""
    axes = axes_of(inferences().figures["inferred"])
    (dots,) = (found for found in axes.collections if len(found.get_offsets()) == 40)
    assert np.abs(np.sort(dots.get_offsets()[:, 0]) - np.repeat([0.1, 0.25, 0.5, 0.75, 0.9], 8)).max() < 0.02
    identity, medians = axes.lines[0], axes.containers[0].lines[0]
    assert identity.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert medians.get_xdata().tolist() == [0.1, 0.25, 0.5, 0.75, 0.9]
    assert medians.get_ydata()[2] == pytest.approx(0.47)
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [".1", ".25", ".5", ".75", ".9"]


def test_the_boundary_that_bends_most_is_shown_with_its_numbers() -> None:
    """Of a straight pair and a steep one it is the steep one; the curve is the fitted function."""
    shares = (0.1, 0.5, 0.9)
    items = [mix(f"{a}{s}", a, b, s) for a, b in (("ant", "bee"), ("cow", "dog")) for s in shares]
    answers = {"ant": (0.1, 0.5, 0.9), "cow": (0.02, 0.4, 0.99)}
    rows = [answered("s", f"{a}{s}", inferred=h) for a in answers for s, h in zip(shares, answers[a], strict=True)]
    drawn = FIGURES[MIXING](task_frame(MIXING, rows), item_frame(*items), CLASSES)
    axes = axes_of(drawn.figures["boundary"])
    fitted = fit_boundary(np.array(shares), np.array(answers["cow"]))
    assert f"cow–dog\n$k$ = {fitted.slope:.1f}, $m$ = {fitted.midpoint:.2f}, $n$ = 3" in texts(axes)
    curve = max(axes.lines, key=lambda line: len(line.get_xdata()))
    assert curve.get_ydata().tolist() == pytest.approx(fitted.at(curve.get_xdata()).tolist())
    assert "share of cow" in axes.get_xlabel()
    assert drawn.undrawn == {
        "confidence": "nobody gave a confidence in an inferred coefficient",
        "confidence-by-entropy": "no item that was answered with a confidence has the entropies of both its endpoints",
        "midpoints": "nobody was asked for a midpoint",
    }


def test_all_boundaries_have_a_small_figure_or_the_most_answered_have() -> None:
    """One for each pair; of very many the most answered, and that is said."""
    assert len(inferences(pairs=6).figures["boundaries"].axes) == 6
    classes = tuple(f"c{number:02}" for number in range(13))
    many = inferences(classes, 70).figures["boundaries"]
    assert len(many.axes) == MOST_PAIRS
    assert any(text.get_text() == f"the {MOST_PAIRS} of 70 pairs with the most answers" for text in many.texts)


def test_confidence_by_entropy_counts_each_group() -> None:
    """Of 40 answers those above 0.5 have both endpoints high; the others have one high and one low."""
    axes = axes_of(inferences().figures["confidence-by-entropy"])
    said = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert said == [r"both high $H \geq 0.5$ $n$ = 16", "mixed $n$ = 24", r"both low $H \leq 0.1$ $n$ = 0"]


def test_midpoints_are_shares_of_each_start() -> None:
    """Bars of each series sum to one; constructions from two starts, and choices, are told apart."""
    axes = axes_of(midpoints(None, 0.1, 0.9, 0.9).figures["midpoints"])
    assert texts(axes) == ["chosen ($n$ = 1)", "begun at .1 ($n$ = 1)", "begun at .9 ($n$ = 2)"]
    assert [sum(bar.get_height() for bar in series) for series in axes.containers] == pytest.approx([1, 1, 1])
    assert texts(axes_of(midpoints(None, None).figures["midpoints"])) == ["$n$ = 2"]


def test_masses_of_soft_labels() -> None:
    """Two points a response on the endpoints, one elsewhere; plain images have the entropy figure alone."""
    drawn = soft_labels(mixed=True)
    sizes = {stem: len(axes_of(drawn.figures[stem]).collections[0].get_offsets()) for stem in list(drawn.figures)[1:]}
    assert sizes == {"endpoint-mass": 8, "elsewhere-mass": 4}
    plain = soft_labels(mixed=False)
    assert list(plain.figures) == ["entropy"]
    assert plain.undrawn == dict.fromkeys(("endpoint-mass", "elsewhere-mass"), "no item is mixed of two images")


def test_accuracy_with_intervals_across_images() -> None:
    """Images with 1 and 0 have the mean 0.5 and an interval of Student's t, which is cut at 0 and 1."""
    axes = axes_of(guessed().figures["accuracy"])
    assert texts(axes) == ["int", "no-int", "chance"]
    assert texts(axes_of(guessed(("_b", "c$")).figures["accuracy"])) == [" _b", r"c\$", "chance"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["C1\n2", "C2\n2", "Overall\n4"]
    for condition in axes.containers:
        points, _, (bars,) = condition.lines
        assert points.get_ydata().tolist() == [0.5, 0.5, 0.5]
        heights = [(low, high) for (_, low), (_, high) in bars.get_segments()]
        # with four images: 0.5 +- 3.182 * sqrt(1/3)/2, which is cut, too
        assert heights == [(0, 1)] * 3
    many = FIGURES["wrong-label"](
        task_frame(
            "wrong-label",
            [
                answered(f"s{n}", item, choice="bee" if n < right else "cow")
                for item, right in _RIGHT
                for n in range(10)
            ],
        ),
        item_frame(*({"item": item, "prediction": "bee"} for item, _ in _RIGHT)),
        CLASSES,
    )
    _, _, (bars,) = axes_of(many.figures["accuracy"]).containers[0].lines
    half = 3.182446 * np.std([0.5, 0.6, 0.6, 0.7], ddof=1) / 2
    assert bars.get_segments()[0][:, 1].tolist() == pytest.approx([0.6 - half, 0.6 + half])


def test_sessions_are_joined_from_before_to_after() -> None:
    """One line for each session, and one for their mean, in percent."""
    axes = axes_of(sessions("digits", "signals").figures["improvement"])
    first = [line.get_ydata() for line in axes.lines[:3]]
    assert np.array(first) == pytest.approx(np.array([[70, 70], [70, 75], [70, 72.5]]))
    assert [text.get_text() for text in axes.get_xticklabels()] == ["digits\nn = 2", "signals\nn = 2"]


_RIGHT = (("w", 5), ("x", 6), ("y", 6), ("z", 7))


@pytest.mark.parametrize("task", FIGURES)
def test_without_answers_every_figure_says_why_it_is_not_there(task: str) -> None:
    """Nothing is drawn, and each reason is a sentence."""
    drawn = FIGURES[task](task_frame(task, []), item_frame(mix("x")), CLASSES)
    assert not drawn.figures
    assert all(len(why.split()) > 3 for why in drawn.undrawn.values())


def test_single_answers_are_drawn_without_spread() -> None:
    """One response, one coefficient, one image: what can be drawn is, the rest says why."""
    items = item_frame(mix("x", "ant", "bee", 0.5, entropy1=0, entropy2=0))
    one: dict[str, Any] = {"inferred": 0.5, "confidence": 50}
    drawn = FIGURES[MIXING](task_frame(MIXING, [answered("s", "x", **one)]), items, CLASSES)
    assert set(drawn.undrawn) == {"boundary", "midpoints"}
    frames: dict[str, pd.DataFrame] = {
        "soft-label": task_frame("soft-label", [answered("s", "x", top1="ant", top1_probability=50)]),
        "wrong-label": task_frame("wrong-label", [answered("s", "x", choice="bee")]),
    }
    figures = list(drawn.figures.values())
    for task, frame in frames.items():
        found = FIGURES[task](frame, items.assign(prediction="bee"), CLASSES)
        assert not found.undrawn
        figures += found.figures.values()
    assert not any(cut_off(figure) for figure in figures)


def test_too_many_conditions_are_not_drawn() -> None:
    """Colours and markers end at five."""
    drawn = guessed(tuple("abcdef"))
    assert drawn.undrawn == {"accuracy": "6 conditions are too many for one figure; it can tell 5 apart"}
