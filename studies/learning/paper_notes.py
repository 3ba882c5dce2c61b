"""What stands below a table or figure: what is not as in the thesis, where data came from, how it was trained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crowdloom.analysis.run_metrics import metric_of
from crowdloom.analysis.run_tables import RunTable
from crowdloom.models.experiments.catalogue import OWN
from crowdloom.models.experiments.experiment import Row
from crowdloom.models.experiments.labellings import GAMMA, Extended, Soft
from crowdloom.models.experiments.material import Material
from crowdloom.models.settings import Settings
from crowdloom.studies.learning.given_material import Given
from crowdloom.studies.learning.paper_tables import Made, Planned, Way
from crowdloom.studies.words import count

TRAINED_ON = {"asked and others": 7000, "asked": 900, "all": 7000, "all and mixes": 7810}
EVALUATED_ON = {"CIFAR-10H": 3000, "CIFAR-10S": 100}
"""How many images the thesis has."""
_PARTS = {
    "images": "Images",
    "counts": "CIFAR-10H",
    "soft": "CIFAR-10S",
    "mixed": "Mixes",
    "split": "Split",
    "similarity": "Similarity of classes",
    "reduced": "Reduced",
}


@dataclass(frozen=True)
class About:
    """What a call was given, and the command that makes its tables again."""

    material: Material
    given: Given
    way: Way
    command: str


def notes(made: Made, table: RunTable, about: About) -> list[tuple[str, list[str]]]:
    """Sentences by heading."""
    planned = made.planned
    differs = "Note" if planned.experiment.name in OWN else "Not as in the thesis"
    return [
        (differs, list(_differences(planned, about))),
        ("Data", list(_data(planned, about))),
        ("Metrics", list(_metrics(table))),
        ("Training", list(_training(planned))),
        ("Computed", list(_computed(made))),
    ]


def _differences(planned: Planned, about: About) -> Iterator[str]:
    """Whatever makes this another table than the thesis'."""
    experiment, runs = planned.experiment, planned.runs
    if experiment.note:
        yield experiment.note
    if not about.given.anything:
        yield "People are simulated, and images are scikit-learn's digits: that it runs is all that this shows."
    if about.way.reduced:
        widths = sorted({run.settings.width or 0 for run in runs})
        yield (
            f"The reduced setting, to see that everything runs: few images, networks {_listed(widths)} channels wide "
            "at their narrowest. Its numbers say nothing about labels."
        )
    epochs = sorted({run.settings.epochs for run in runs})
    if epochs != [experiment.settings.epochs]:
        yield f"{_listed(epochs)} instead of {experiment.settings.epochs} epochs."
    seeds = len({run.seed for run in runs})
    if seeds != experiment.seeds:
        yield f"{count(seeds, 'seed')} instead of {experiment.seeds}."
    networks = list(dict.fromkeys(run.settings.network for run in runs))
    if networks != list(experiment.networks):
        yield f"{_listed(networks)} instead of {_listed(experiment.networks)}."
    if experiment.name in OWN:
        return
    most = max(len(run.index) for run in runs)
    if most != TRAINED_ON[experiment.trained_on]:
        yield f"{most:,} instead of {TRAINED_ON[experiment.trained_on]:,} images are trained on."
    trained = {run.row: len(run.index) for run in runs}
    scaled = {row.images: trained[row.name] for row in experiment.rows if row.images is not None}
    if any(wanted != found for wanted, found in scaled.items()):
        yield f"Rows of {_listed(scaled)} images have {_listed(scaled.values())}."
    for one in runs[0].evaluations:
        if len(one.index) != EVALUATED_ON[one.name]:
            yield f"{len(one.index):,} instead of {EVALUATED_ON[one.name]:,} images are evaluated on for {one.name}."
    if "corruption_cross_entropy" in experiment.metrics and about.material.corrupted is None:
        yield (
            "Images are corrupted here, as CIFAR-10-C's authors do but without frost, which needs photographs; "
            "--corrupted takes their files."
        )


def _data(planned: Planned, about: About) -> Iterator[str]:
    experiment, runs = planned.experiment, planned.runs
    needs = {"images", "split", "reduced", *experiment.needs}
    if any(_by_similarity(row.labels) for row in experiment.rows):
        needs.add("similarity")
    for part, name in _PARTS.items():
        if part in needs and part in about.material.origins:
            yield f"{name}: {about.material.origins[part]}"
    sizes = sorted({len(run.index) for run in runs})
    yield f"Trained on {_listed(f'{size:,}' for size in sizes)} images."
    for one in runs[0].evaluations:
        yield (
            f"Evaluated on {one.name}: {count(len(one.index), 'image')}, calibration in bins of {one.bin} predictions."
        )
    if any(isinstance(row.labels, Soft | Extended) for row in experiment.rows):
        yield f"Where an answer left none of the mass for classes that it left possible, clamp spreads {GAMMA:g} of it."


def _by_similarity(labels: object) -> bool:
    return isinstance(labels, Extended) or (isinstance(labels, Soft) and labels.variety.endswith("semantic"))


def _metrics(table: RunTable) -> Iterator[str]:
    for name in table.metrics:
        metric = metric_of(name)
        yield f"{metric.heading}: {metric.meaning}" + (f"; {metric.better} is better." if metric.better else ".")


def _training(planned: Planned) -> Iterator[str]:
    experiment, runs = planned.experiment, planned.runs
    yield from dict.fromkeys(_settings(run.settings) for run in runs)
    yield from dict.fromkeys(_mixing(row) for row in experiment.rows if row.mixing.policy != "none")
    borrowed = next((pairs for run in runs if (pairs := run.origin.get("boundary_of_all_pairs"))), None)
    if borrowed:
        yield f"Too few answers for a boundary of their own, so they have that of all: {_listed(borrowed)}."
    yield f"Seeds {_listed(sorted({run.seed for run in runs}))}."


def _mixing(row: Row) -> str:
    """How pairs of examples are mixed."""
    name, alpha = row.columns.get("Algorithm", row.name), f"{row.mixing.alpha:g}"
    by = "; targets mixed by the boundary of each pair of classes" if row.by_pair else ""
    weighted = f"; loss weighted by entropy and clamped, kappa {row.kappa:g}" if row.kappa is not None else ""
    return f"{name}: {row.mixing.policy} with coefficients from Beta({alpha}, {alpha}){by}{weighted}."


def _settings(one: Settings) -> str:
    """
    >>> _settings(Settings(network="vgg-11"))
    'vgg-11: 65 epochs of SGD in batches of 32, momentum 0.9, weight decay 0.0001, learning rate 0.1, times 0.1 after \
50 epochs, times 0.1 after 55 epochs, gradients clipped to norm 1; a fresh crop and flip of each image in each epoch.'
    """
    wide = "" if one.width is None else f", {one.width} channels wide at its narrowest"
    falls = "".join(f", times {one.drop:g} after {count(milestone, 'epoch')}" for milestone in one.milestones)
    clipped = f", gradients clipped to norm {one.clip:g}" if one.clip is not None else ""
    fresh = "a fresh crop and flip of each image in each epoch" if one.augment else "no augmentation"
    return (
        f"{one.network}{wide}: {count(one.epochs, 'epoch')} of SGD in batches of {one.batch}, momentum "
        f"{one.momentum:g}, weight decay {one.weight_decay:g}, learning rate {one.rate:g}{falls}{clipped}; {fresh}."
    )


def _computed(made: Made) -> Iterator[str]:
    """With what, from the runs' records; each different thing once."""
    records = [one.record for one in made.swept.results]
    yield from dict.fromkeys(_device(record) for record in records if "computing" in record)
    yield from dict.fromkeys(_versions(record) for record in records if "code" in record)
    if made.planned.study is not None:
        yield f"In the store, with the study {made.planned.study}, as {made.planned.stored_as}."


def _device(record: Mapping[str, Any]) -> str:
    how = record["computing"]
    numbers = "bfloat16 in convolutions and linear layers" if how["bf16"] else "float32"
    layout = ", channels last" if how["channels_last"] else ""
    return f"On {how['device']}, in {numbers}{layout}, {count(how['threads'], 'thread')} a run."


def _versions(record: Mapping[str, Any]) -> str:
    code = record["code"]
    commit = f" (commit {code['commit'][:10]})" if code.get("commit") else ""
    libraries = _listed(f"{name} {version}" for name, version in record["libraries"].items() if version)
    return f"With crowdloom {code['crowdloom']}{commit}, {libraries}."


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)
