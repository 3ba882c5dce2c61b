"""A real ImageNet classifier on real photographs: what it says, and what the interpreters see in it."""

from __future__ import annotations

import torch

from crowdloom.models.gradients import last_convolution
from crowdloom.models.interpreters import extremal_perturbations, fast_copy, grad_cam, smooth_grad
from crowdloom.models.packing import PackedConvolution
from tests.models.photographs import imagenet_classifier, lite0, photographs


def test_it_knows_what_it_sees() -> None:
    """A cat is a cat, a cup of coffee an espresso, a rocket a missile; for astronauts it has no class."""
    classifier, pictures = imagenet_classifier(), photographs()
    said = classifier.predict(list(pictures.values())).argmax(1)
    names = dict(zip(pictures, (classifier.classes[number] for number in said), strict=True))
    assert names["cat"] in ("tabby", "tiger cat", "Egyptian cat")
    assert names["coffee"] in ("espresso", "cup", "coffee mug")
    assert names["rocket"] in ("missile", "projectile")


def test_its_fast_copy_gives_its_gradients() -> None:
    """Its convolutions pad as TensorFlow's do, which torch's own cannot; they are packed all the same."""
    network = lite0().eval()
    image = imagenet_classifier().prepare([photographs()["coffee"]])
    fast = fast_copy(network, image)
    assert any(isinstance(module, PackedConvolution) for module in fast.modules())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in fast.modules())
    found = []
    for module in (network, fast):
        given = image.clone().requires_grad_()
        found.append(torch.autograd.grad(module(given)[0, 967], given)[0].flatten())
    assert torch.corrcoef(torch.stack(found))[0, 1] > 0.999


def test_the_interpreters_look_at_the_coffee() -> None:
    """For the class espresso, more of each map lies on the cup than its share of the image."""
    classifier = imagenet_classifier()
    image, target = classifier.prepare([photographs()["coffee"]]), torch.tensor([967])
    assert classifier.classes[967] == "espresso"
    assert isinstance(last_convolution(classifier.network, image), torch.nn.BatchNorm2d | torch.nn.ReLU6)
    cup = torch.zeros(224, 224, dtype=torch.bool)
    cup[20:150, 35:175] = True
    share = cup.float().mean()
    maps = {
        "gradcam": grad_cam(classifier.network, image, target)[0, 0],
        "smoothgrad": smooth_grad(classifier.network, image, target, samples=10).amax(1)[0],
        "masks": extremal_perturbations(classifier.network, image, target, areas=(0.2,), iterations=60).masks[0, 0, 0],
    }
    for name, found in maps.items():
        assert found[cup].sum() / found.sum() > 1.05 * share, name
