"""Chapter 5 and appendix C of the thesis: mixing all images at each step, and making the targets softer.

Plain mixup's alpha: the thesis tunes it for Mix-MaxEnt (10) and for its own loss (0.2), and does not say what mixup
alone has. It has 0.2 here too. Table C.1 varies "whether entropy-weighting is applied", so all else should be equal;
and mixup's numbers there (cross-entropy 1.25, after FGSM 10.5, against 2.25 and 14.5 without mixup in chapter 4) look
like those of a mild mixture, not of the alpha of 1 of H. Zhang et al. (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from crowdloom.models.experiments import chapter4
from crowdloom.models.experiments.experiment import Experiment, Row
from crowdloom.models.experiments.labellings import Extended, Hard, Labelling
from crowdloom.models.settings import Mixing

SETTINGS = replace(chapter4.SETTINGS, network="preact-resnet-34")

KAPPA = 0.7
_MIXUP, _MAXENT = Mixing("mixup", alpha=0.2), Mixing("mix-maxent", alpha=10.0)

_ALGORITHMS: Sequence[tuple[str, Mixing, float | None]] = (
    ("mixup", _MIXUP, None),
    ("Mix-MaxEnt", _MAXENT, None),
    ("Ours (Ent-WC)", _MIXUP, KAPPA),
)
_ENDPOINTS: Sequence[tuple[str, Labelling]] = (("Hard", Hard()), ("Ours (Soft)", Extended()))


def _table(name: str, title: str, rows: Sequence[Row], metrics: Sequence[str], within: str = "") -> Experiment:
    return Experiment(
        name,
        "table",
        title,
        rows,
        trained_on="all",
        evaluated_on=("CIFAR-10H",),
        networks=(SETTINGS.network,),
        seeds=5,
        settings=SETTINGS,
        metrics=metrics,
        within=within,
    )


_METRICS = ("cross_entropy", "fgsm_loss", "calibration_error")
_WITH_CORRUPTIONS = (*_METRICS, "corruption_cross_entropy")

TABLE_5_1 = _table(
    "5.1",
    "Mixup, Mix-MaxEnt, and mixup with the clamped entropy-weighted loss.",
    [Row(name, Hard(), {"Algorithm": name}, mixing=mixing, kappa=kappa) for name, mixing, kappa in _ALGORITHMS],
    _WITH_CORRUPTIONS,
)

TABLE_5_2 = _table(
    "5.2",
    "Mixup and its variants where hard labels are mixed, and where people's soft labels and simulated ones are.",
    [
        Row(f"{name}, {ends}", labels, {"Algorithm": name, "Endpoints": ends}, mixing=mixing, kappa=kappa)
        for name, mixing, kappa in _ALGORITHMS
        for ends, labels in _ENDPOINTS
    ],
    _WITH_CORRUPTIONS,
    within="Algorithm",
)

TABLE_C_1 = _table(
    "C.1",
    "Targets mixed by the generating coefficient, and by a function fitted to people's answers for each pair.",
    [
        Row(
            name if kappa is None else f"{name}, Ent-WC",
            Hard(),
            {"Algorithm": name, "Ent-WC": weighted},
            mixing=_MIXUP,
            by_pair=by_pair,
            kappa=kappa,
        )
        for weighted, kappa in (("No", None), ("Yes", KAPPA))
        for name, by_pair in (("mixup", False), ("τ mixing", True))
    ],
    _METRICS,
)
