"""How a network is trained: everything but the data, as plain values that can be written down and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Mixing:
    """What is done with pairs of examples.

    policy      `none`; `mixup`: a network sees mixed examples only; `mix-maxent`: cross-entropy on the original
                examples and, on mixed ones, the negative entropy of the prediction as a loss
    alpha       lambda_f, one for each batch, comes from Beta(alpha, alpha)
    slopes, midpoints   of `mixup`: [K][K], of the logistic function by which lambda_f becomes lambda_g for each pair of
                classes; without them lambda_g is lambda_f
    """

    policy: Literal["none", "mixup", "mix-maxent"] = "none"
    alpha: float = 1.0
    slopes: Sequence[Sequence[float]] | None = None
    midpoints: Sequence[Sequence[float]] | None = None


@dataclass(frozen=True)
class Settings:
    """How a network is trained; the defaults are chapter 3's.

    Sources: A. Uma et al., *A Case for Soft Loss Functions* (HCOMP 2020), whom K. M. Collins (MPhil thesis, Cambridge,
    2022) follows in section 3.3; H. Zhang et al., *mixup* (2017) for chapters 4 and 5. The thesis' text says that the
    rate falls by 1e-4; its code divides by ten, and so does this.

    width       the network's narrowest layer, in channels; None for its own (16 for ResNet-34A, 64 for the others)
    rate        learning rate of SGD with momentum; times `drop` at the beginning of each of the epochs `milestones`,
                counted from 0
    clip        the norm to which the gradient is clipped
    augment     a fresh random crop (4 pixels of padding) and flip of every image in every epoch
    kappa       of the clamped entropy-weighted loss: its lower bound; None for plain cross-entropy
    """

    network: str = "resnet-34a"
    width: int | None = None
    epochs: int = 65
    milestones: tuple[int, ...] = (50, 55)
    rate: float = 0.1
    drop: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-4
    batch: int = 32
    clip: float | None = 1.0
    augment: bool = True
    mixing: Mixing = field(default_factory=Mixing)
    kappa: float | None = None

    def milestones_in(self, epochs: int) -> tuple[int, ...]:
        """The milestones of a training of so many epochs, after the same shares of them.

        >>> Settings().milestones_in(13), Settings().milestones_in(2)
        ((10, 11), (1,))
        """
        return tuple(sorted({milestone * epochs // self.epochs for milestone in self.milestones}))

    def as_json(self) -> dict[str, Any]:
        """As plain values, for records and digests."""
        return asdict(self)
