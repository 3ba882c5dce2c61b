"""A worker's step process on a Ray cluster: an actor with one processor, on whichever node has one free.

The actor keeps the process in which the steps run (`step_process`), so that a step on another node is cancelled, killed
and held to its limits as one at home is, and so that the process ends with its actor, its node or its worker. All nodes
must see the scratch folder and the scenarios' folder under the same path, as all workers must.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from crowdloom.studies.step import News, Order
from crowdloom.studies.step_process import StepProcess

ANSWER_S = 10.0
"""An actor that does not answer for so long is given up, before the lease ends and its job is another's."""

_LOST = "its actor was lost"


class StepActor:
    """As `StepProcess`, on a cluster: one step at a time. `environment` is what its steps find in `os.environ`."""

    def __init__(self, ray: Any, environment: Mapping[str, str]) -> None:
        self._ray, self._environment = ray, dict(environment)
        self._make = ray.remote(_Host).options(num_cpus=1)
        self._actor: Any = None
        self._answer: Any = None  # what it was asked for last, until it is heard
        self._asked_at = 0.0
        self._there = False

    def ready(self) -> bool:
        """Whether a step can begin, which needs a free processor. Never waits; the first call asks for one."""
        if self._actor is None:
            self._actor = self._make.remote(self._environment)
            self._ask("ready")
        elif not self._there and self._answered(0):
            try:
                self._there = self._take()
            except self._ray.exceptions.RayError:
                self.close()
        return self._there

    def start(self, order: Order) -> None:
        """Begin a step. Raises OSError where the actor is not there any more."""
        try:
            if self._actor is None:
                raise OSError(_LOST)
            self._ray.get(self._actor.start.remote(order), timeout=ANSWER_S)
        except self._ray.exceptions.RayError as error:
            self.close()
            raise OSError(f"{_LOST} ({type(error).__name__})") from error

    def news(self, timeout_s: float) -> News | None:
        """The next that is heard of the step; None if nothing is in that time."""
        if self._actor is None:
            return News("died", text=_LOST)
        if self._answer is None:
            self._ask("news", timeout_s)
        if not self._answered(timeout_s):
            if time.monotonic() - self._asked_at <= ANSWER_S:
                return None
            self.close()
            return News("died", text="its actor did not answer")
        try:
            heard: News | None = self._take()
        except self._ray.exceptions.RayError as error:
            self.close()
            return News("died", text=f"{_LOST} ({type(error).__name__})")
        return heard

    def cancel(self) -> None:
        """Ask the step to end at its next `progress`."""
        if self._actor is not None:
            self._actor.cancel.remote()

    def kill(self) -> None:
        """End the step's process now, whatever it does; the actor stays."""
        if self._actor is None:
            return
        self._answer = None
        try:
            self._ray.get(self._actor.kill.remote(), timeout=ANSWER_S)
        except self._ray.exceptions.RayError:
            self.close()

    def close(self) -> None:
        """End the actor, and its process with it; its processor is free."""
        if self._actor is not None:
            self._ray.kill(self._actor)
        self._actor = self._answer = None
        self._there = False

    def _ask(self, method: str, *given: Any) -> None:
        self._answer, self._asked_at = getattr(self._actor, method).remote(*given), time.monotonic()

    def _answered(self, timeout_s: float) -> bool:
        return bool(self._ray.wait([self._answer], timeout=timeout_s)[0])

    def _take(self) -> Any:
        answer, self._answer = self._answer, None
        return self._ray.get(answer)


class _Host(StepProcess):
    """The actor's side."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        super().__init__()
