"""One interaction of a session: the network is trained towards an arrangement, and what came of it is written down."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent import LatentModel, Targets, targets_of
from crowdloom.models.latent_cache import Prepared
from crowdloom.models.latent_evaluation import Evaluation, shown
from crowdloom.models.latent_refusals import DAMAGED
from crowdloom.models.latent_session_files import Plan, Session, SessionFolder
from crowdloom.models.latent_training import LatentState, train_epochs
from crowdloom.models.live import Context, Refused
from crowdloom.models.run_folder import read_tensors, write_tensors
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_records import (
    LARGEST,
    Before,
    Draft,
    Epoch,
    Interaction,
    SessionState,
    Shape,
)

NOT_FINITE = (
    "The training came to numbers that are not finite, so the network was put back to what it was before; "
    "change the arrangement or lower alpha, and train again."
)
NOT_FINITE_ALONE = (
    "The training without an arrangement came to numbers that are not finite; please tell the researcher."
)

DIGITS = 6
"""Of the coordinates that are shown."""


@dataclass(frozen=True)
class Work:
    """What trainings of one job have in common; `first` and `last` are the epochs before the job and at its end."""

    folder: SessionFolder
    scene: Prepared
    options: LatentOptions
    context: Context
    first: int
    last: int

    def train(self, session: Session, plan: Plan) -> Session:
        """Train one interaction from where it stopped, and write down what came of it.

        Raises Refused before anything is trained where the session's files are damaged, and for numbers that are not
        finite.
        """
        now, data = session.state, self.scene.data
        model, optimizer = self.scene.model(self.options.scale)
        examples = self.folder.read_shown(len(now.x))
        state = self._put_back(now, plan, model, optimizer)
        plan.epochs_done = state.epoch - now.epoch
        curve, evaluations, first_step_at = list(state.curve), list[Evaluation](), list[float]()
        targets = None if plan.given.rest else _targets(plan.given.x, plan.given.y, now)

        def on_step(epoch: int, step: int, steps: int) -> None:
            if not first_step_at:  # what is written now need not keep the participant waiting
                first_step_at.append(time.time())
                self._note(plan)
            share = (epoch - 1 - self.first + step / steps) / (self.last - self.first)
            self.context.progress(share, _words(epoch, self.last, curve[-1]))

        def on_epoch(evaluation: Evaluation) -> None:
            curve.append(evaluation.record)
            evaluations[:] = [evaluation]
            plan.epochs_done = len(curve) - now.epoch
            if plan.epochs_done < plan.epochs:
                values = {"plan": plan.digest}
                write_state(self.folder.partial, LatentState.of(model, optimizer, curve), values)
                self.folder.write_plan(plan)

        try:
            train_epochs(
                model,
                optimizer,
                data,
                classes=len(now.classes),
                first_epoch=len(curve) + 1,
                epochs=plan.epochs - (len(curve) - now.epoch),
                seed=now.record.seed,
                targets=targets,
                alpha=plan.given.alpha,
                scale_weight=self.options.scale_weight,
                batch=self.scene.scenario.batch,
                on_step=on_step,
                on_part=self.context.check,
                on_epoch=on_epoch,
            )
            points, predictions = placed(model, self.scene, examples)
        except TrainingError as error:
            self._note(plan)
            self.folder.drop_plan()
            raise Refused(NOT_FINITE_ALONE if plan.given.rest else NOT_FINITE) from error
        trained = _trained(session, plan, points, predictions, curve, evaluations[-1], first_step_at[0])
        write_state(self.folder.checkpoint(trained.state.number), LatentState.of(model, optimizer, curve))
        self.folder.write(trained)
        self.folder.drop_plan()
        return trained

    def _put_back(self, now: SessionState, plan: Plan, model: LatentModel, optimizer: torch.optim.Adam) -> LatentState:
        """The network as it is after the plan's last whole epoch, or as it was where the interaction began."""
        with suppress(ModelError):  # there is none, or it is damaged: that costs its epochs alone
            tensors, values = read_tensors(self.folder.partial)
            if values.get("plan") == plan.digest:
                state = LatentState.restored(tensors, values)
                state.put_into(model, optimizer)
                return state
        try:
            state = LatentState.restored(*read_tensors(self.folder.checkpoint(now.number)))
            state.put_into(model, optimizer)
        except ModelError as error:
            raise Refused(DAMAGED) from error
        return state

    def _note(self, plan: Plan) -> None:
        """Keep what is being trained, for a page that comes back in the middle of it or after it was given up."""
        given = plan.given
        if not given.rest:
            draft = Draft(x=given.x, y=given.y, alpha=given.alpha, movements=given.movements)
            self.folder.write_draft(given.number, draft)
        self.folder.write_plan(plan)


def _trained(
    session: Session,
    plan: Plan,
    points: tuple[list[float], list[float]],
    predictions: list[int],
    curve: Sequence[Epoch],
    evaluation: Evaluation,
    first_step_at: float,
) -> Session:
    """The session after an interaction."""
    old, given = session.state, plan.given
    intended = (old.x, old.y) if given.rest else (given.x, given.y)
    interaction = Interaction(
        number=old.number,
        epoch=old.epoch,
        epochs=plan.epochs,
        alpha=0.0 if given.rest else given.alpha,
        seconds=given.seconds,
        movements=given.movements,
        before=_shape(old.x, old.y, old),
        intended=_shape(*intended, old),
        after=_shape(*points, old),
        class_accuracy_before=old.class_accuracy,
        class_accuracy_after=evaluation.class_accuracy,
        wrong_before=_wrong(old.predictions, old.labels),
        wrong_after=_wrong(predictions, old.labels),
        without_person=given.rest,
    )
    interactions = [*old.record.interactions, interaction]
    before = Before(
        x=old.x,
        y=old.y,
        intended_x=intended[0],
        intended_y=intended[1],
        predictions=old.predictions,
        class_accuracy=old.class_accuracy,
        confusion=old.confusion,
    )
    state = old.model_copy(
        update={
            "number": old.number + 1,
            "epoch": len(curve),
            "epochs": len(curve) + (old.interactions - old.number) * old.epochs_each,
            "x": points[0],
            "y": points[1],
            "predictions": predictions,
            "class_accuracy": evaluation.class_accuracy,
            "confusion": evaluation.confusion,
            "before": before,
            "first_step_at": first_step_at,
            "record": old.record.model_copy(update={"curve": list(curve), "interactions": interactions}),
        }
    )
    return session.model_copy(update={"state": state, "shown_at": time.time(), "last": plan.digest})


def placed(
    model: LatentModel, scene: Prepared, examples: npt.NDArray[np.int64]
) -> tuple[tuple[list[float], list[float]], list[int]]:
    """Where the points lie that are shown, x and y, and what the network takes them for.

    Raises TrainingError for coordinates that are not finite or lie too far out.
    """
    points, predictions = shown(model, scene.data.x[torch.from_numpy(examples)])
    if not np.abs(points).max() <= LARGEST:
        raise TrainingError("the points lie farther out than can be shown")
    x, y = ([float(f"{value:.{DIGITS}g}") for value in column] for column in points.T.tolist())
    return (x, y), predictions.tolist()


def _targets(x: Sequence[float], y: Sequence[float], state: SessionState) -> Targets:
    points = torch.tensor([x, y], dtype=torch.float64).T
    return targets_of(points, torch.tensor(state.labels), len(state.classes))


def _shape(x: Sequence[float], y: Sequence[float], state: SessionState) -> Shape:
    centres, spreads = (part.tolist() for part in _targets(x, y, state))
    there = [spread == spread for spread in spreads]  # noqa: PLR0124 - NaN where a class has no points
    return Shape(
        centres=[tuple(centre) if here else None for centre, here in zip(centres, there, strict=True)],
        spreads=[spread if here else None for spread, here in zip(spreads, there, strict=True)],
    )


def _wrong(predictions: Sequence[int], labels: Sequence[int]) -> int:
    return sum(predicted != label for predicted, label in zip(predictions, labels, strict=True))


def _words(epoch: int, last: int, reached: Epoch) -> str:
    """What a participant reads while the network is trained."""
    return (
        f"epoch {epoch} of {last} · accuracy {100 * reached.accuracy:.1f} % · macro-F1 {100 * reached.macro_f1:.1f} %"
    )


def write_state(path: Path, state: LatentState, values: Mapping[str, Any] = MappingProxyType({})) -> None:
    """A checkpoint, with further plain values."""
    write_tensors(path, state.tensors(), state.values() | dict(values))
