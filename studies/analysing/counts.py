"""How many annotators of another study chose each class, beside a study's items."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy.typing as npt

from crowdloom.analysis.mixing import with_entropies
from crowdloom.analysis.reference_comparison import counts_of_items
from crowdloom.studies.analysing.material import Material


def with_counts(material: Material, counts: npt.NDArray[Any]) -> tuple[Material, npt.NDArray[Any] | None]:
    """The study with what the counts [rows, K] say of its mixed items; and the counts, where its items are not mixed.

    Raises ValueError, in one sentence, for counts that do not fit the items, or that nothing would be done with.
    """
    if "source1" in material.items or "source2" in material.items:
        return replace(material, items=with_entropies(material.items, counts)), None
    if material.design.task != "soft-label":
        raise ValueError(f"the items of {material.study} are not mixed of images, so the counts have no use")
    counts_of_items([str(name) for name in material.frame["item"].unique()], counts, len(material.classes))
    return material, counts
