"""When a run that is under way is written down, and whether what was written can be gone on from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import monotonic
from typing import Any

from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.run_folder import RunFolder
from crowdloom.models.training_loop import TrainingState

SHARE = 20
"""A checkpoint is written at the end of an epoch once so many times as long has passed as the last one took to write.
So writing takes a twentieth of the time at most, and all but the fastest networks are kept after every epoch."""


class Checkpoints:
    """The checkpoint of one run, in its folder.

    `owner` says all that makes the numbers, as JSON values: the run, the code, the libraries, how the device computes.
    From a checkpoint of another owner would come numbers that nothing can make again, so it is left aside.
    """

    def __init__(self, place: RunFolder, owner: Mapping[str, Any]) -> None:
        self.place, self.owner = place, dict(owner)
        self.seconds = 0.0
        """What the run had taken when its checkpoint was written."""
        self.said: str | None = None
        """How the checkpoint was used, for the record; None where there was none."""
        self._kept_at, self._cost = -math.inf, 0.0

    def restored(self) -> TrainingState | None:
        """The state to go on from; None to begin anew."""
        try:
            kept = self.place.read_state()
            if kept is None:
                return None
            tensors, values = kept
            of = values["of"]
            if differing := [name for name in self.owner if of.get(name) != self.owner[name]]:
                raise ModelError(f"it was written with another {' and '.join(differing)}")
            state = TrainingState.restored(tensors, values["state"])
            self.seconds = float(values["seconds"])
        except (ModelError, KeyError, TypeError, ValueError, AttributeError) as error:
            self.said = f"begun anew, as the checkpoint could not be used: {first_line(error)}"
            return None
        self.said = f"went on after epoch {state.epoch}"
        return state

    def keep(self, state: TrainingState, seconds: float) -> None:
        """At the end of an epoch: writes the state, unless that was done a short time ago. Raises OSError."""
        began = monotonic()
        if began - self._kept_at < SHARE * self._cost:
            return
        values = {"of": self.owner, "seconds": seconds, "state": state.values()}
        self.place.write_state(state.tensors(), values)
        self._kept_at = monotonic()
        self._cost = self._kept_at - began
