"""The H2AI coach: what reads drawings, and what proposes better ones, for whoever trains or uses them in Python.

A recogniser reads a drawing. A coach, a convolutional autoencoder that is told the class asked for, proposes a drawing
that is like it, is read as that class, takes little ink and looks like a real one; the weights of these losses are
`Alphas`. Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020).

Five coaches of one setting are trained as one stack:

>>> import torch
>>> data = coach_data("digits").first(16, test=4)
>>> reader = train_classifier(data, seed=0, epochs=1)
>>> coaches, state = train_coaches(data, reader, Alphas(classification=0.1), seeds=range(5), epochs=1)
>>> pictures = torch.from_numpy(data.test_images)[:, None].expand(-1, 5, -1, -1) / 255
>>> coaches(pictures, torch.from_numpy(data.test_labels)[:, None].expand(-1, 5)).shape
torch.Size([4, 5, 28, 28])

`coach_table` trains all settings of the paper's Table 1. Of a coach that was prepared by `crowdloom coach prepare`,
`coach_folder.prepared_coach` proposes without PyTorch.
"""

from __future__ import annotations

from crowdloom.models.coach_data import CoachData, coach_data, default_data
from crowdloom.models.coach_loss import UNIT, Alphas
from crowdloom.models.coach_networks import Classifier, Coach, Discriminator, single, stack
from crowdloom.models.coach_training import CoachState, new_coaches, train_classifier, train_coaches

__all__ = [
    "UNIT",
    "Alphas",
    "Classifier",
    "Coach",
    "CoachData",
    "CoachState",
    "Discriminator",
    "coach_data",
    "default_data",
    "new_coaches",
    "single",
    "stack",
    "train_classifier",
    "train_coaches",
]
