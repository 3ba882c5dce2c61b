"""The figures of a study's answers, whatever the task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd
from matplotlib.figure import Figure

from crowdloom.analysis.boundary_figures import boundaries_figure, boundary_figure
from crowdloom.analysis.coach_measure_figures import CAPTIONS as COACH_CAPTIONS
from crowdloom.analysis.coach_measure_figures import measure_figures
from crowdloom.analysis.coach_trials import coachable, never_coached_by, trials
from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.figures import entropy_figure
from crowdloom.analysis.item_means import item_means
from crowdloom.analysis.labels import entropy
from crowdloom.analysis.latent_answer_figures import improvement_figure
from crowdloom.analysis.midpoint_figures import midpoint_figure
from crowdloom.analysis.mixed_label_figures import elsewhere_figure, endpoint_mass_figure
from crowdloom.analysis.mixed_labels import endpoint_masses
from crowdloom.analysis.mixing import mixed_items, mixed_responses
from crowdloom.analysis.mixing_figures import confidence_figure, entropy_confidence_figure, inferred_figure
from crowdloom.analysis.wrong_label import guesses
from crowdloom.analysis.wrong_label_figures import accuracy_figure


@dataclass(frozen=True)
class Drawn:
    """Figures by the stem of their file, and for those that could not be drawn why, in a sentence."""

    figures: Mapping[str, Figure]
    undrawn: Mapping[str, str]


def soft_label_figures(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Drawn:
    """entropy, of the items' mean labels; of mixed items endpoint-mass and elsewhere-mass."""

    @cache
    def masses() -> pd.DataFrame:
        if not len(mixed_items(items, classes)):
            raise NothingToDrawError("no item is mixed of two images")
        return endpoint_masses(frame, items, classes)

    return _draw(
        {
            "entropy": lambda: entropy_figure(entropy(item_means(frame, classes)[1])),
            "endpoint-mass": lambda: endpoint_mass_figure(masses()),
            "elsewhere-mass": lambda: elsewhere_figure(masses()),
        }
    )


def mixing_figures(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Drawn:
    """inferred, boundary, boundaries, confidence, confidence-by-entropy and midpoints, as far as they were asked."""
    responses = mixed_responses(frame, items, classes)
    return _draw(
        {
            "inferred": lambda: inferred_figure(responses),
            "boundary": lambda: boundary_figure(responses),
            "boundaries": lambda: boundaries_figure(responses),
            "confidence": lambda: confidence_figure(responses),
            "confidence-by-entropy": lambda: entropy_confidence_figure(responses),
            "midpoints": lambda: midpoint_figure(responses),
        }
    )


def wrong_label_figures(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Drawn:
    """accuracy, by category and condition."""
    answers = guesses(frame, items, classes)
    return _draw({"accuracy": lambda: accuracy_figure(answers)})


def latent_figures(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Drawn:
    """improvement, of each session by scenario."""
    return _draw({"improvement": lambda: improvement_figure(frame, items)})


def coach_figures(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Drawn:
    """One for each measure, `coach-recognised` and so on, of classes that can be coached."""
    return _draw(measure_figures(coachable(trials(frame, never_coached_by(items)))))


FIGURES: dict[str, Callable[[pd.DataFrame, pd.DataFrame, Sequence[str]], Drawn]] = {
    "soft-label": soft_label_figures,
    "mixing-coefficient": mixing_figures,
    "wrong-label": wrong_label_figures,
    "latent-session": latent_figures,
    "coach": coach_figures,
}
"""For each task, what draws its frame, with the frame of items and the classes.

All raise FrameError where an item lacks what its answers need."""

_ERRORS = (
    "Dots are single answers; squares are means, their bars one standard error over answers, which does not see that "
    "people answer several."
)
_QUARTILES = "Black dots are medians, their bars quartiles of the answers: how these spread, not how sure a median is."

CAPTIONS = {
    "entropy": "Entropy of the items' mean labels (T2-clamp, gamma 0.1), in nats; the line is the median.",
    "endpoint-mass": (
        f"Mass that people put on an endpoint, by its share of the mix; each answer is there for both. {_ERRORS}"
    ),
    "elsewhere-mass": f"Mass that people put on classes that are not mixed in, by the coefficient. {_ERRORS}",
    "inferred": f"Inferred coefficients, by the coefficient that the image was mixed with. {_QUARTILES}",
    "boundary": (
        "The category boundary that bends most, of one pair of classes: inferred coefficients with a fitted logistic "
        f"curve, drawn without an interval. {_QUARTILES}"
    ),
    "boundaries": "The fitted logistic curve of each pair of classes over its answers, drawn without intervals.",
    "confidence": f"Confidence, by the coefficient that the image was mixed with. {_ERRORS} Dashes are medians.",
    "confidence-by-entropy": (
        "Confidence, by the entropy of both endpoints' labels. Boxes are quartiles of the answers, whiskers reach 1.5 "
        "times a box's length beyond it at most: how answers spread, not how sure a median or mean is."
    ),
    "midpoints": "The mix that people take for half and half: shares of the answers and, as triangles, means.",
    "accuracy": (
        "Share of right guesses, by category of error and by condition: means over images. Bars are 95 % t intervals "
        "over images, which do not see that people answer several."
    ),
    "improvement": (
        "Validation accuracy of each session before the first interaction and after the last epoch, by scenario; "
        "squares are means. A network improves without a person, too."
    ),
    **COACH_CAPTIONS,
}
"""What each figure shows, and what its bars are, by the stem of its file."""

_TIMES = "Seconds per answer, by what the answer tells. Bars are 95 % bootstrap intervals over people."
TIMES_CAPTIONS = {
    "soft-label": f"{_TIMES} People choose what they tell, so differences are not effects of asking for it.",
    "mixing-coefficient": _TIMES,
    "wrong-label": "Seconds per answer, by condition. Bars are 95 % bootstrap intervals over people.",
    "latent-session": (
        "Seconds per session, training and waiting included, by scenario. "
        "Bars are 95 % bootstrap intervals over people."
    ),
    "coach": (
        "Seconds per trial, both attempts and looking at what was read included, with and without a proposal. "
        "Bars are 95 % bootstrap intervals over people."
    ),
}
"""The same of `times_figures.times_figure`, for each task."""


def _draw(wanted: Mapping[str, Callable[[], Figure]]) -> Drawn:
    figures: dict[str, Figure] = {}
    undrawn: dict[str, str] = {}
    for stem, draw in wanted.items():
        try:
            figures[stem] = draw()
        except NothingToDrawError as error:
            undrawn[stem] = str(error)
    return Drawn(figures, undrawn)
