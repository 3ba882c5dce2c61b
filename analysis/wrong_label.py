"""How often people guess what a classifier wrongly predicted, by condition and by category of error.

Source: H. Shen and T.-H. Huang, *How Useful Are the Machine-Generated Interpretations to General Users? A Human
Evaluation on Guessing the Incorrectly Predicted Labels* (HCOMP 2020), tables 1 and 2. Accuracy is taken over
images, as the mean of each image's share of right guesses, or over responses; both are equal where every image
has as many answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from crowdloom.analysis.frame import FrameError
from crowdloom.tasks.wrong_label import OPTIONS

CHANCE = 1 / len(OPTIONS)
DISTRACTOR_CHANCE = 1 / (len(OPTIONS) - 1)
OVERALL = "Overall"
IMAGES = "#images"

_GIVEN = ("item", "condition", "participant", "submission", "rt_ms", "choice")


def guesses(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The first answers that choose an option, one row each, with what the item says.

    item, condition, participant, submission, rt_ms, choice; prediction; category (None where nobody coded it);
    right, whether the choice is the prediction. Raises FrameError for an item that stands there twice, and for an
    answered one that is not there or whose prediction is none of the classes.
    """
    twice = items["item"][items["item"].duplicated()]
    if len(twice):
        raise FrameError(f"the item {twice.iloc[0]!r} stands twice among the items; give one row for each")
    answers = frame[frame["choice"].notna() & ~frame["is_repeat"].astype(bool)]
    found = answers[list(_GIVEN)].reset_index(drop=True)
    for name in ("prediction", "category"):
        said = dict(zip(items["item"], items[name], strict=True)) if name in items else {}
        values = [None if pd.isna(value) or value == "" else value for value in map(said.get, found["item"])]
        found[name] = pd.Series(values, dtype=object)
    unknown = found["item"][~found["prediction"].isin(list(classes))]
    if len(unknown):
        raise FrameError(f"the item {unknown.iloc[0]!r} was answered, but its prediction is none of the classes")
    return found.assign(right=(found["choice"] == found["prediction"]).astype(bool))


def image_accuracy(answers: pd.DataFrame) -> pd.DataFrame:
    """One row for each image in each condition: condition, item, category, n and accuracy, the share of right ones."""
    groups = answers.groupby(["condition", "item"], sort=True)
    found = pd.DataFrame(
        {
            "category": groups["category"].agg(lambda values: values.iloc[0]).astype(object),
            "n": groups.size(),
            "accuracy": groups["right"].mean(),
        }
    )
    return found.reset_index()


def accuracy_table(answers: pd.DataFrame, over: Literal["images", "responses"] = "images") -> pd.DataFrame:
    """Tables 1 and 2 of the paper: two rows for each condition, its accuracies and how many images (or responses).

    Columns are the categories by name and `Overall`, which also counts what has no category. NaN where a condition
    has nothing in a category.
    """
    if over == "images":
        units = image_accuracy(answers).rename(columns={"accuracy": "value"})
    else:
        units = answers.rename(columns={"right": "value"})
    units = pd.concat([units[units["category"].notna()], units.assign(category=OVERALL)])
    columns = [*sorted(set(units["category"]) - {OVERALL}), OVERALL]
    groups = units.astype({"value": float}).groupby(["condition", "category"])["value"]
    accuracy, counts = (of.unstack().reindex(columns=columns) for of in (groups.mean(), groups.size()))
    counted = IMAGES if over == "images" else "#responses"
    rows, names = [], []
    for condition in accuracy.index:
        rows += [accuracy.loc[condition].to_numpy(), counts.loc[condition].fillna(0).to_numpy()]
        names += [str(condition), f"{counted}, {condition}"]
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(columns))
    return pd.DataFrame(values, index=pd.Index(names, name="condition", dtype=object), columns=columns)


def people_by_condition(answers: pd.DataFrame) -> pd.DataFrame:
    """For each condition: participants, participants who are in another one too, submissions, images, responses,
    and the median and mean seconds of an answer (NaN where no time is known)."""
    conditions = answers.groupby("participant")["condition"].nunique()
    several = answers["participant"].map(conditions) > 1
    groups = answers.assign(
        in_several=answers["participant"].where(several), seconds=answers["rt_ms"].astype(float) / 1000
    ).groupby("condition", sort=True)
    return pd.DataFrame(
        {
            "participants": groups["participant"].nunique(),
            "also elsewhere": groups["in_several"].nunique(),
            "submissions": groups["submission"].nunique(),
            "images": groups["item"].nunique(),
            "responses": groups.size(),
            "median s": groups["seconds"].median(),
            "mean s": groups["seconds"].mean(),
        }
    )


def distractors(answers: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Which classes people are led to: one row for each class that was offered as a distractor, the most chosen first.

    offered and chosen count answers, share is chosen / offered (each distractor of an image would get
    (1 - accuracy) / 4 if people had no preference). Options that an item does not say are not counted.
    """
    said = items.set_index("item").reindex(answers["item"].tolist())
    offered = [said[name].to_numpy(dtype=object) for name in OPTIONS if name in said]
    shown = pd.DataFrame(
        {
            "class": np.concatenate([np.empty(0, dtype=object), *offered]),
            "prediction": np.tile(answers["prediction"].to_numpy(dtype=object), len(offered)),
            "choice": np.tile(answers["choice"].to_numpy(dtype=object), len(offered)),
        }
    )
    shown = shown[shown["class"].notna() & (shown["class"] != "") & (shown["class"] != shown["prediction"])]
    groups = shown.assign(chosen=(shown["class"] == shown["choice"]).astype(int)).groupby("class", sort=True)["chosen"]
    found = pd.DataFrame({"offered": groups.size(), "chosen": groups.sum(), "share": groups.mean()})
    return found.sort_values(["chosen", "share"], ascending=False, kind="stable")


def distractor_agreement(answers: pd.DataFrame) -> float | None:
    """Of all pairs of wrong answers to the same image, in the same condition, the share that chose the same distractor.

    None without pairs. What is shown with an image may tempt to other distractors, so conditions are not mixed.

    0.25 where the four distractors are alike; more where one of them is tempting.
    """
    wrong = answers[~answers["right"]]
    chosen = wrong.groupby(["condition", "item", "choice"]).size()
    answered = wrong.groupby(["condition", "item"]).size()
    pairs = float((answered * (answered - 1)).sum())
    return float((chosen * (chosen - 1)).sum()) / pairs if pairs else None
