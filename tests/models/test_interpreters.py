"""Extremal perturbations, Grad-CAM and SmoothGrad: what they find, and that batches and references agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from captum.attr import LayerAttribution, LayerGradCam, NoiseTunnel, Saliency
from torch import Tensor, nn

from crowdloom.models.errors import ModelError
from crowdloom.models.gradients import draw_noise, heat, last_convolution, normed
from crowdloom.models.interpreters import extremal_perturbations, grad_cam, smooth_grad
from crowdloom.models.networks import SmallCNN
from crowdloom.models.perturbations import blurred
from crowdloom.models.training import train_small_cnn


class Corner(nn.Module):
    """Class 0 is fine structure in the upper left quarter, class 1 in the lower right one."""

    def forward(self, images: Tensor) -> Tensor:
        steps = (images[:, :, 1:, 1:] - images[:, :, :-1, :-1]).abs().mean(1)
        half = steps.shape[1] // 2
        return 20 * torch.stack([steps[:, :half, :half].mean((1, 2)), steps[:, half:, half:].mean((1, 2))], 1)


@pytest.fixture
def network() -> nn.Module:
    """A small network with a batch norm."""
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    )
    made(torch.randn(16, 3, 32, 32))
    return made.eval()


def test_masks_lie_where_the_class_is_seen() -> None:
    """Each class's mask of an eighth of the image lies in its own quarter."""
    torch.manual_seed(0)
    image = torch.rand(1, 3, 64, 64).round()
    found = extremal_perturbations(
        Corner(), image.repeat(2, 1, 1, 1), torch.tensor([0, 1]), areas=(0.125,), iterations=300
    )
    first, second = found.masks[:, 0, 0]
    # every other time the network sees the image mirrored, so that a quarter and its mirror image both count
    assert first[:32].sum() > 0.8 * first.sum()
    assert second[32:].sum() > 0.8 * second.sum()


def test_areas_are_reached(network: nn.Module) -> None:
    """Masks show the shares that were asked for, and nearly nothing in between of shown and hidden."""
    torch.manual_seed(0)
    found = extremal_perturbations(network, torch.randn(1, 3, 56, 56), torch.tensor([2]), iterations=500)
    torch.testing.assert_close(found.areas, torch.tensor([[0.2, 0.4, 0.5]]), atol=0.03, rtol=0)
    torch.testing.assert_close(found.areas, found.masks.mean((2, 3, 4)))


@pytest.mark.parametrize("reward", ["simple", "contrastive"])
def test_a_batch_of_images_is_the_same_as_one_by_one(network: nn.Module, reward: str) -> None:
    """Masks of images that share the network's batch do not depend on each other."""
    torch.manual_seed(0)
    images, targets = torch.randn(3, 3, 32, 32), torch.tensor([0, 3, 1])
    together = extremal_perturbations(network, images, targets, iterations=20, reward=reward)  # type: ignore[arg-type]
    for number in range(3):
        alone = extremal_perturbations(
            network,
            images[number : number + 1],
            targets[number : number + 1],
            iterations=20,
            reward=reward,  # type: ignore[arg-type]
        )
        torch.testing.assert_close(together.masks[number], alone.masks[0], atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(together.rewards[number], alone.rewards[0], atol=1e-4, rtol=1e-3)


def test_the_contrastive_reward_is_the_lead_over_the_other_classes(network: nn.Module) -> None:
    """It is the difference of the class's output to the highest of the others."""
    torch.manual_seed(0)
    image, target = torch.randn(1, 3, 32, 32), torch.tensor([1])
    found = extremal_perturbations(network, image, target, areas=(0.5,), iterations=1, reward="contrastive")
    simple = extremal_perturbations(network, image, target, areas=(0.5,), iterations=1)
    assert found.rewards.item() <= simple.rewards.item() - network(image.flip(3))[0, [0, 2, 3]].max().item() + 0.1


def test_a_search_can_be_followed_and_stopped(network: nn.Module) -> None:
    """What the callback raises ends the search."""
    seen = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extremal_perturbations(network, torch.randn(1, 3, 32, 32), torch.tensor([0]), iterations=10, progress=stop)
    assert seen == [(1, 10), (2, 10), (3, 10)]


def test_blurring_keeps_a_plain_middle() -> None:
    """A Gaussian's weights sum to 1, and fall off with the distance."""
    images = torch.zeros(1, 2, 41, 41)
    images[0, 0, 20, 20] = 1
    found = blurred(images, 2.0)
    assert found.sum().item() == pytest.approx(1, abs=1e-4)
    assert (found[0, 0, 20, 22] / found[0, 0, 20, 20]).item() == pytest.approx(torch.exp(torch.tensor(-0.5)).item())
    assert torch.equal(blurred(images, 0), images)


def test_grad_cam_is_captums_on_the_last_convolution(network: nn.Module) -> None:
    """The layer is found; the map is Captum's, enlarged to the image."""
    images, targets = torch.randn(2, 3, 32, 32), torch.tensor([1, 3])
    assert last_convolution(network, images) is network[4]  # the activation that follows the convolution
    expected = LayerAttribution.interpolate(
        LayerGradCam(network, network[4]).attribute(images, target=targets, relu_attributions=True),
        (32, 32),
        "bilinear",
    )
    torch.testing.assert_close(grad_cam(network, images, targets), expected.detach())
    assert grad_cam(network, images, targets, layer="0").shape == (2, 1, 32, 32)


def test_the_last_layer_has_its_norm_and_activation() -> None:
    """Alone it would say nothing of where 0 is; what is called twice, or sees something else, is no part of it."""
    resnet = torchvision.models.resnet18().eval()
    assert last_convolution(resnet, torch.randn(1, 3, 32, 32)) is resnet.get_submodule("layer4.1.bn2")
    small = SmallCNN(channels=1, classes=3).eval()
    assert isinstance(last_convolution(small, torch.randn(1, 1, 8, 8)), nn.ReLU)
    squeezed = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.ReLU(), nn.Flatten())
    assert last_convolution(squeezed, torch.randn(1, 1, 8, 8)) is squeezed[0]


def test_maps_of_a_network_with_norms_are_not_empty() -> None:
    """In hardly any image nothing speaks for the class that a trained network sees in it."""
    images = list(np.random.default_rng(0).integers(0, 256, (60, 8, 8), dtype=np.uint8))
    labels = np.array([int(image[:4].mean() > image[4:].mean()) for image in images])
    classifier = train_small_cnn(images, labels, ("above", "below"), epochs=8)
    seen = torch.as_tensor(classifier.predict(images).argmax(axis=1))
    maps = grad_cam(classifier.network, classifier.prepare(images), seen)
    assert (maps.amax((1, 2, 3)) > 0).float().mean() > 0.9


def test_grad_cam_needs_a_convolution() -> None:
    """A network without one, and a layer that is not there, are named."""
    with pytest.raises(ModelError, match="no convolution"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.zeros(1, 3, 2, 2), torch.tensor([0]))
    with pytest.raises(ModelError, match="no layer 'middle'"):
        grad_cam(nn.Conv2d(3, 2, 3), torch.zeros(1, 3, 8, 8), torch.tensor([0]), layer="middle")


def test_smooth_grad_is_captums_for_the_same_noise(network: nn.Module) -> None:
    """Saliency at the same noisy images, averaged, is the same map."""
    images, targets = torch.randn(2, 3, 16, 16), torch.tensor([1, 3])
    noise = draw_noise(images, samples=12, seed=3)
    ours = smooth_grad(network, images, targets, deviation=0.5, noise=noise)
    noisy = (images[:, None] + 0.5 * noise).flatten(0, 1)
    saliency = Saliency(network).attribute(noisy, target=targets.repeat_interleave(12))
    torch.testing.assert_close(ours, saliency.view(2, 12, 3, 16, 16).mean(1), rtol=1e-3, atol=1e-6)


def test_smooth_grad_has_the_expectation_of_captums_noise_tunnel(network: nn.Module) -> None:
    """With many samples, the two agree though their noise differs."""
    torch.manual_seed(0)
    image, target = torch.randn(1, 3, 16, 16), torch.tensor([1])
    ours = smooth_grad(network, image, target, samples=2000, deviation=1.0)
    reference = NoiseTunnel(Saliency(network)).attribute(image, nt_samples=2000, stdevs=1.0, target=1)
    torch.testing.assert_close(ours.mean(), reference.mean(), rtol=0.02, atol=0)
    assert torch.corrcoef(torch.stack([ours.flatten(), reference.flatten()]))[0, 1] > 0.98


def test_smooth_grad_is_the_same_for_the_same_seed(network: nn.Module) -> None:
    """The seed fixes the noise, whatever was drawn before, and each image has the map it has alone."""
    images, targets = torch.randn(2, 3, 16, 16), torch.tensor([0, 1])
    first = smooth_grad(network, images, targets, samples=5, seed=1)
    torch.rand(3)
    torch.testing.assert_close(smooth_grad(network, images[1:], targets[1:], samples=5, seed=1)[0], first[1])
    assert not torch.allclose(first, smooth_grad(network, images, targets, samples=5, seed=2))


def test_maps_for_the_eye_run_from_0_to_1() -> None:
    """Also where there is nothing to see."""
    maps = heat(torch.rand(2, 3, 20, 20) * 5)
    assert maps.max() == 1
    assert maps.min() >= 0
    assert normed(torch.tensor([[[[0.0, 2.0], [1.0, 4.0]]]])).flatten().tolist() == [0, 0.5, 0.25, 1]
    assert not normed(torch.zeros(1, 1, 2, 2)).any()
