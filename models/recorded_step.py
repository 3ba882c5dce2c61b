"""A step that a CUDA card plays back: recorded once as a graph, it no longer waits for Python to start its kernels.

Networks for small images take the card less time than Python takes to start their hundreds of kernels, so that without
this neither bfloat16 nor a larger batch makes a step shorter.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Step = Callable[[Tensor], None]
"""One step of a training on the images at these positions, int64 [B] on the device."""

FIRST = 3
"""Steps that are done as usual before one is recorded: libraries set themselves up in them."""


class RecordedStep:
    """A step, done as usual for `FIRST` batches of `size` images and for batches of other sizes, and played back else.

    All that it reads and writes but the positions must stay where it is; `forget` it when a number in it changes. Every
    draw comes from `chance`, which goes on in a playback as it would have.
    """

    def __init__(self, step: Step, size: int, chance: torch.Generator) -> None:
        self._step, self._size, self._chance = step, size, chance
        self._done = 0
        self._positions: Tensor | None = None
        self._play: Callable[[], None] | None = None

    def forget(self) -> None:
        """Record it anew at the next call."""
        self._play = None

    def __call__(self, positions: Tensor) -> None:
        """Do the step."""
        if len(positions) != self._size or self._done < FIRST:
            self._done += len(positions) == self._size
            self._step(positions)
            return
        if self._positions is None:
            self._positions = positions.clone()
        if self._play is None:
            self._play = recorded(self._step, self._positions, self._chance)
        self._positions.copy_(positions)
        self._play()


def recorded(step: Step, positions: Tensor, chance: torch.Generator) -> Callable[[], None]:
    """What does the step again for whatever `positions` holds then; it is not done in recording it."""
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(chance)
    with torch.cuda.graph(graph):
        step(positions)
    return graph.replay
