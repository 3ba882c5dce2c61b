"""The labels of CIFAR-10S with a small network: what a processor can do with 1,000 images in minutes.

Not of the thesis. Width, epochs and rate were chosen among nine by the accuracy of networks trained on the hard
labels of 800 of the 1,000 images with soft ones, on the hard labels of the other 200, in three to five draws of these.
"""

from __future__ import annotations

from crowdloom.models.experiments.experiment import Experiment, Row
from crowdloom.models.experiments.labellings import Counted, Hard, Random, Soft, Uniform
from crowdloom.models.settings import Settings

EXPERIMENT = Experiment(
    "cifar10s",
    "table",
    "A small network that learns from 900 images alone, by the kind of their labels.",
    [
        Row("Hard Labels", Hard()),
        Row("Random Labels", Random()),
        Row("Uniform Labels", Uniform()),
        Row("CIFAR-10H, aggregated", Counted()),
        Row("CIFAR-10H, de-aggregated", Counted(apart=True)),
        Row("CIFAR-10S (T2, Clamp), aggregated", Soft("T2-clamp")),
        Row("CIFAR-10S (T2, Clamp), de-aggregated", Soft("T2-clamp", apart=True)),
    ],
    trained_on="asked",
    evaluated_on=("CIFAR-10H", "CIFAR-10S"),
    networks=("small-cnn",),
    seeds=10,
    settings=Settings(network="small-cnn", width=16, epochs=60, milestones=(45, 52)),
    metrics=("cross_entropy", "calibration_error", "fgsm_loss", "accuracy"),
    note="Width, epochs and learning rate were chosen by the accuracy of networks trained on the hard labels of some "
    "of the images with soft ones, on the hard labels of the others, so that the choice favours no soft label.",
)
