"""What coaches make of pictures that they did not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor

from crowdloom.analysis.coach_table import MEASURES
from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_loss import change, effort
from crowdloom.models.coach_networks import Classifier, Coach
from crowdloom.models.coach_training import computing

AT_A_TIME = 64
"""Pictures that a stack is tried on at once."""


def tried(coach: Coach, classifier: Classifier, data: CoachData) -> dict[str, list[float]]:
    """What each network of a stack makes of the test pictures, a number for each: `MEASURES`."""
    networks = coach.networks
    device = next(coach.parameters()).device
    reader = deepcopy(classifier).to(device)
    right, changes, efforts = (torch.zeros(networks, dtype=torch.float64) for _ in range(3))
    drawn = 0.0
    with computing(device.type).in_use(), torch.inference_mode():
        for pictures, labels in _parts(data, device):
            many = pictures[:, None].expand(-1, networks, -1, -1)
            asked = labels[:, None].expand(-1, networks)
            proposals = coach(many, asked)
            read = reader(proposals.reshape(-1, 1, *pictures.shape[1:])).argmax(1).view(-1, networks)
            right += (read == asked).sum(0).cpu()
            changes += change(many, proposals).cpu().sum(0, dtype=torch.float64)
            efforts += effort(proposals).cpu().sum(0, dtype=torch.float64)
            drawn += effort(many[:, :1]).cpu().sum(dtype=torch.float64).item()
    n = len(data.test_images)
    numbers = (right / n, changes / n, efforts / n, changes / drawn, efforts / drawn)
    return {name: values.tolist() for name, values in zip(MEASURES, numbers, strict=True)}


def accuracy_on_originals(classifier: Classifier, data: CoachData) -> float:
    """The share of the test pictures, as they were drawn, that are read as what they are."""
    device = next(classifier.parameters()).device
    with computing(device.type).in_use(), torch.inference_mode():
        right = [(classifier(pictures[:, None]).argmax(1) == labels).sum() for pictures, labels in _parts(data, device)]
    return float(sum(right)) / len(data.test_images)


def _parts(data: CoachData, device: torch.device) -> Sequence[tuple[Tensor, Tensor]]:
    pictures = torch.from_numpy(data.test_images).split(AT_A_TIME)
    labels = torch.from_numpy(data.test_labels).split(AT_A_TIME)
    return [
        (one.to(device, torch.float32) / 255, asked.to(device)) for one, asked in zip(pictures, labels, strict=True)
    ]
