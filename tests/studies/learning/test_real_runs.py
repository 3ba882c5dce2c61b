"""The runs of the thesis' tables on the real crowd study: as many images on each side as the thesis has."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from crowdloom.models.experiments.building import runs_of
from crowdloom.models.experiments.catalogue import EXPERIMENTS
from crowdloom.studies.database import open_store
from crowdloom.studies.importing import import_jspsych
from crowdloom.studies.learning.gather import gather
from crowdloom.studies.learning.given_sets import read_source
from crowdloom.tasks.soft_label import CIFAR10


def test_runs_on_the_real_crowd_study(test_data: Path, tmp_path: Path) -> None:
    """900 images are trained on, 100 are held out anew for each seed, 533 others evaluate; every label can be built."""
    store = open_store(str(tmp_path / "crowd.db"))
    import_jspsych(store, test_data / "cifar10s-raw.csv", task="soft-label", study="cifar10s")
    material = gather(
        store,
        images=read_source(str(test_data / "cifar10-test-subset.npz"), classes=CIFAR10),
        soft_study="cifar10s",
        counts=test_data / "cifar10h-counts.npy",
        split=test_data / "cifar10-split.npz",
    )
    store.close()
    possible = [one for one in EXPERIMENTS.values() if "mixed" not in one.needs]
    assert len(possible) == 13
    for experiment in possible:
        runs = runs_of(experiment, material, seeds=[0, 1])
        assert len(runs) == 2 * len(experiment.rows) * len(experiment.networks)
        for run in runs:
            tried = {one.name: one for one in run.evaluations}
            assert len(tried["CIFAR-10H"].index) == 533
            if experiment.trained_on == "asked and others":
                assert (len(run.index), len(tried["CIFAR-10S"].index)) == (900, 100)
                assert not np.isin(run.index, np.concatenate([one.index for one in run.evaluations])).any()
            elif experiment.trained_on == "asked":
                assert len(run.index) == run.origin["columns"].get("Images", 900)
            else:
                assert len(run.index) == 1000
