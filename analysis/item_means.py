"""The mean label of every item of a soft-label study, as its descriptions, figures and comparisons have it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crowdloom.analysis.elicited import Elicited, Floats
from crowdloom.analysis.labels import build_labels, mean_by_item, parse_variety


def item_means(frame: pd.DataFrame, classes: Sequence[str]) -> tuple[list[str], Floats]:
    """The keys of the items with a label and their mean labels [I, K]: T2-clamp, gamma 0.1, first answers.

    The frame has been checked at the door; the items stand in its order.
    """
    first = frame[~frame["is_repeat"].astype(bool)]
    item, keys = pd.factorize(first["item"])
    labels, kept = build_labels(Elicited.from_frame(first, classes), parse_variety("T2-clamp"), gamma=0.1)
    means, number = mean_by_item(labels, kept, item.astype(np.intp), len(keys))
    return [str(key) for key, some in zip(keys, number > 0, strict=True) if some], means[number > 0]
