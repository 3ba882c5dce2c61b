"""What a session is compared with: the same network, trained with the same seed and without a person."""

from __future__ import annotations

import json

from crowdloom.analysis.files import whole_file
from crowdloom.models.latent_cache import Prepared, Progress
from crowdloom.models.latent_evaluation import Evaluation
from crowdloom.models.latent_kept import baseline_file, kept_baseline
from crowdloom.models.latent_pretraining import unheard
from crowdloom.models.latent_training import train_epochs
from crowdloom.tasks.latent_records import Epoch


def baseline(scene: Prepared, seed: int, epochs: int, progress: Progress = unheard) -> list[Epoch]:
    """How well the network does after each epoch, those of the pretraining and `epochs` more, without a person.

    `seed` is a session's (`SessionRecord.seed`). It learns from the cross-entropy alone; the scale, which no person
    sees here, changes nothing else. Trained once and kept in the scenario's folder. `progress` is told how far it is,
    and what it raises ends it. Raises TrainingError where the loss is not finite.
    """
    done = len(scene.curve)
    if (kept := kept_baseline(scene.folder, seed, done + epochs)) is not None:
        return kept

    def on_step(epoch: int, step: int, steps: int) -> None:
        progress((epoch - 1 - done + step / steps) / epochs, f"without a person: epoch {epoch} of {done + epochs}")

    def on_epoch(evaluation: Evaluation) -> None:
        curve.append(evaluation.record)

    curve = list(scene.curve)
    model, optimizer = scene.model()
    train_epochs(
        model,
        optimizer,
        scene.data,
        classes=len(scene.scenario.classes),
        first_epoch=done + 1,
        epochs=epochs,
        seed=seed,
        batch=scene.scenario.batch,
        on_step=on_step,
        on_epoch=on_epoch,
    )
    file = baseline_file(scene.folder, seed)
    file.parent.mkdir(exist_ok=True)
    with whole_file(file) as part:
        part.write_text(json.dumps([one.model_dump() for one in curve]), encoding="utf-8")
    return curve
