"""A study of guessed wrong labels in a few numbers, and the tables by condition and category."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from crowdloom.analysis.measures import mean_of
from crowdloom.analysis.summary import MEANINGS as SHARED
from crowdloom.analysis.summary import TIMES, Summary, Table, people_and_answers, seconds_taken
from crowdloom.analysis.wrong_label import (
    CHANCE,
    DISTRACTOR_CHANCE,
    accuracy_table,
    distractor_agreement,
    distractors,
    guesses,
    image_accuracy,
    people_by_condition,
)

MEANINGS = {
    **SHARED,
    **TIMES,
    "participants_in_several": "people who answered in more than one condition",
    "accuracy_by_image": "share of right guesses, as the mean over images (in each condition) of each image's share",
    "accuracy_by_response": "share of first answers that are right: the choice is what the classifier predicted",
    "accuracy_chance": "what choosing at random among five options would give",
    "distractor_agreement": "of two wrong guesses about an image in one condition, how often both are one distractor",
    "distractor_agreement_chance": "what choosing at random among four distractors would give",
}
"""Every key of `wrong_label_summary` with its meaning in a line."""

_SHOWN = 10


def wrong_label_summary(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Summary:
    """The numbers of `MEANINGS` for a frame of the task wrong-label that was checked at the door.

    A number that is not defined is None. Raises FrameError as `guesses` does.
    """
    answers = guesses(frame, items, classes)
    return {
        **people_and_answers(frame),
        **seconds_taken(frame),
        "participants_in_several": int((answers.groupby("participant")["condition"].nunique() > 1).sum()),
        "accuracy_by_image": mean_of(image_accuracy(answers)["accuracy"]),
        "accuracy_by_response": mean_of(answers["right"]),
        "accuracy_chance": CHANCE,
        "distractor_agreement": distractor_agreement(answers),
        "distractor_agreement_chance": DISTRACTOR_CHANCE,
    }


def wrong_label_tables(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> list[Table]:
    """Accuracy by condition and category over images and over responses, people, and the distractors chosen most."""
    answers = guesses(frame, items, classes)
    if not len(answers):
        return []
    tempting = distractors(answers, items)
    return [
        Table("Accuracy by condition and category, the mean of the images' accuracies", accuracy_table(answers)),
        Table("The same as the share of right responses", accuracy_table(answers, "responses")),
        Table("People and time by condition", people_by_condition(answers)),
        Table(f"The {_SHOWN} distractors that were chosen most", tempting[tempting["chosen"] > 0].head(_SHOWN)),
    ]
