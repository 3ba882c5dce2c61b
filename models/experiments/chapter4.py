"""Chapter 4 of the thesis: learning from what people see in mixed images.

All images that are trained on keep their hard labels, and a finite set of mixes joins them, labelled in one way or
another (section 4.3). Networks are trained as in H. Zhang et al., *mixup* (2017), without augmentation; batch size and
clipping stay those of chapter 3, where the thesis says nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

from crowdloom.models.experiments.experiment import Experiment, Row
from crowdloom.models.experiments.labellings import Inferred, OfMixup, Random, Uniform
from crowdloom.models.settings import Settings

SETTINGS = Settings(network="preact-resnet-18", epochs=200, milestones=(100, 150), augment=False)

_MIXUP = Row("mixup Labels", OfMixup())
_AGGREGATED = Row("Ours (Agg, mean λh)", Inferred())
_SEPARATE = Row("Ours (Sep, λh)", Inferred(apart=True))


def _table(name: str, title: str, rows: Sequence[Row]) -> Experiment:
    return Experiment(
        name,
        "table",
        title,
        rows,
        trained_on="all and mixes",
        evaluated_on=("CIFAR-10H",),
        networks=(SETTINGS.network,),
        seeds=5,
        settings=SETTINGS,
        metrics=("cross_entropy", "calibration_error", "fgsm_loss"),
    )


TABLE_4_1 = _table(
    "4.1",
    "Mixed images labelled by people's mean inferred coefficient, against mixup's, uniform and random labels.",
    [
        Row("Regular (No Aug)", None),
        Row("+ Uniform Labels", Uniform()),
        Row("+ Random Labels", Random()),
        Row("+ mixup Labels", OfMixup()),
        _AGGREGATED,
    ],
)

TABLE_4_2 = _table(
    "4.2",
    "Mixed images labelled by each person's inferred coefficient apart, against their mean.",
    [_MIXUP, _AGGREGATED, _SEPARATE],
)

TABLE_4_3 = _table(
    "4.3",
    "Mixed images labelled by people's inferred coefficients, smoothed by how sure they were.",
    [
        _MIXUP,
        _AGGREGATED,
        _SEPARATE,
        Row("Ours (Agg, mean λh with mean ω)", Inferred(confidence=True)),
        Row("Ours (Sep, λh with ω)", Inferred(apart=True, confidence=True)),
    ],
)
