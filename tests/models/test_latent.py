"""The model of the latent loop: where points lie, what the scale does, and which networks are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from crowdloom.models.errors import ModelError
from crowdloom.models.latent import LatentModel, check_network, new_model
from crowdloom.models.latent_networks import DigitsNetwork
from tests.models.latent_loops import CLASSES, digits, loop


def test_points_have_the_features_mean_and_deviation() -> None:
    """All their numbers together, and the projection is a linear layer of the features."""
    model, _ = loop()
    model.eval()
    logits, points, features = model(digits().x[:64])
    assert logits.shape == (64, CLASSES)
    assert points.shape == (64, 2)
    assert points.mean().item() == pytest.approx(features.mean().item(), abs=1e-6)
    assert points.std().item() == pytest.approx(features.std().item(), rel=1e-5)
    by_hand = features @ model.projection.weight.T + model.projection.bias
    by_hand = (by_hand - by_hand.mean()) / by_hand.std() * features.std() + features.mean()
    assert torch.allclose(points, by_hand, atol=1e-5)


def test_a_learned_scale_multiplies_the_points() -> None:
    """It begins at 1, and the human part of the loss can change it."""
    model, _ = loop()
    model.eval()
    x = digits().x[:64]
    before = model(x)[1]
    assert model.scale.item() == 1
    with torch.no_grad():
        model.scale.fill_(2)
    after = model(x)[1]
    assert torch.equal(after, 2 * before)
    after.square().sum().backward()
    assert model.scale.grad is not None


def test_the_published_scale_multiplies_nothing() -> None:
    """It begins at 10, and the points are those of a learned scale of 1."""
    x = digits().x[:64]
    published, learned = loop(scale="as-published")[0].eval(), loop()[0].eval()
    assert published.scale.item() == 10
    assert torch.equal(published(x)[1], learned(x)[1])
    learned.use_scale("as-published")
    assert (learned.scale.item(), learned.scaling) == (10, "as-published")


def test_the_projection_is_not_trained_but_lets_gradients_through() -> None:
    """The network's weights are moved by where the points lie; the projection's are not."""
    model, _ = loop()
    model(digits().x[:64])[1].square().sum().backward()
    assert model.projection.weight.grad is None
    assert all(parameter.grad is not None for parameter in model.network.latent.parameters())  # type: ignore[union-attr]


def test_weights_come_from_the_seed_alone() -> None:
    """Whatever the process drew before, and what it draws next is as if nothing had been."""
    torch.manual_seed(1)
    first = loop(seed=3)[0].state_dict()
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(drawn, torch.rand(1))
    torch.rand(5)
    second = loop(seed=3)[0].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["projection.weight"], loop(seed=4)[0].projection.weight)


def test_a_network_with_batch_norm_is_left_as_it_was() -> None:
    """The check changes no running mean and no mode, and finds how many features there are."""

    class Normed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.head = nn.BatchNorm1d(6), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            features = self.norm(x)
            return self.head(features), features

    network = Normed()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert check_network(network, torch.randn(4, 6), 3) == 6
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


class Gives(nn.Module):
    """A network that gives whatever a function makes of logits and features."""

    def __init__(self, made: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        self.body, self.head, self.made = nn.Linear(4, 5), nn.Linear(5, 3), made

    def forward(self, x: Tensor) -> object:
        """Not always what it should be."""
        features = self.body(x)
        return self.made(self.head(features), features)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda logits, features: logits, r"the forward of Gives gives one tensor \[2, 3\]"),
        (lambda logits, features: (logits, features, features), "gives 3 values: tensor"),
        (lambda logits, features: {"logits": logits}, "gives a dict"),
        (lambda logits, features: (features, logits), r"of 2 examples; Gives gives 2 values: tensor \[2, 5\]"),
        (lambda logits, features: (logits, features[:1]), r"tensor \[1, 5\]"),
        (lambda logits, features: (logits, features[:, :, None]), r"tensor \[2, 5, 1\]"),
        (lambda logits, features: (logits, features[:, :0]), "no features"),
        (lambda logits, features: (logits, features.detach()), "do not detach"),
        (lambda logits, features: (logits.argmax(1), features), "of 2 examples"),
    ],
)
def test_a_network_without_the_interface_is_refused(made: Callable[[Tensor, Tensor], object], said: str) -> None:
    """In one sentence that says what it gives and what is needed."""
    with pytest.raises(ModelError, match=said) as refused:
        new_model(lambda: Gives(made), torch.zeros(2, 4), 3, seed=0)
    assert "\n" not in str(refused.value)


def test_what_cannot_be_called_is_refused() -> None:
    """No module, and a module that takes other input: its own error is part of the sentence."""
    with pytest.raises(ModelError, match=r"builtin_function_or_method is no torch\.nn\.Module"):
        check_network(len, torch.zeros(2, 4), 3)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"DigitsNetwork cannot compute a batch of shape \[2, 4\] \("):
        check_network(DigitsNetwork(), torch.zeros(2, 4), 10)


def test_projected_numbers_that_are_all_alike_stay_numbers() -> None:
    """A network whose features died does not make the display, or a gradient, no number."""
    model = LatentModel(Gives(lambda logits, features: (logits, features * 0)), 5)
    model.projection.bias.data.zero_()
    _, points, _ = model(torch.zeros(2, 4))
    points.sum().backward()
    assert not points.any()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in model.parameters())
