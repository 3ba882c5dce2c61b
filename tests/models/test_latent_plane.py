"""The plane of the class centres, where it is hard to find. That it is a good one: `test_latent_training`."""

from __future__ import annotations

import pytest
import torch

from crowdloom.models.latent_plane import ClassPlane
from tests.models.latent_loops import CLASSES, loop


@pytest.mark.parametrize("classes", [1, 2])
def test_the_plane_of_few_classes(classes: int) -> None:
    """Two classes differ along the first direction or the second, and one leaves one direction as it was by chance."""
    model, _ = loop()
    before = model.projection.weight.clone()
    features = torch.rand(40, model.projection.in_features, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(40) % classes
    features[:, 3] += 2 * labels
    plane = ClassPlane(model, CLASSES)
    plane.add(features, labels)
    plane.finish()
    assert model.projection.weight.isfinite().all()
    if classes == 1:
        assert torch.equal(model.projection.weight[1], before[1])
    else:
        points = model.projection(features)
        centres = torch.stack([points[labels == 0].mean(0), points[labels == 1].mean(0)])
        assert float((torch.cdist(points, centres).argmin(1) == labels).float().mean()) > 0.95


def test_features_that_died_leave_the_projection() -> None:
    """There is no plane where all features are 0."""
    model, _ = loop()
    before = model.projection.weight.clone()
    plane = ClassPlane(model, CLASSES)
    plane.add(torch.zeros(4, model.projection.in_features), torch.arange(4))
    plane.finish()
    assert torch.equal(model.projection.weight, before)


def test_both_directions_show_the_centres_alike() -> None:
    """Centres that lie far apart along one feature and near along another, in noise: none of the two is hidden."""
    model, _ = loop()
    generator = torch.Generator().manual_seed(0)
    features = 0.01 * torch.randn(400, model.projection.in_features, generator=generator)
    labels = torch.arange(400) % 4
    features[:, 3] += 20 * (labels % 2)
    features[:, 8] += labels // 2
    plane = ClassPlane(model, CLASSES)
    for rows in torch.arange(400).split(50):
        plane.add(features[rows], labels[rows])
    plane.finish()
    points = model.projection(features)
    assert points.std(0).tolist() == pytest.approx([10, 10], rel=0.05)
    assert model.projection.weight.abs().argmax(1).tolist() == [3, 8]
