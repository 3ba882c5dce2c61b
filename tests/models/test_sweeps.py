"""What a sweep decides before it begins."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from crowdloom.models import precision
from crowdloom.models.errors import ModelError
from crowdloom.models.runs import digest_of
from crowdloom.models.sweeps import _shared_images, workers_for


def test_as_many_runs_at_once_as_there_are_processors() -> None:
    """Fewer where each has several threads, or where there are fewer runs; as many as asked for."""
    processors = len(os.sched_getaffinity(0))
    assert workers_for(1000, None, 1, "cpu") == processors
    assert workers_for(1000, None, processors, "cpu") == 1
    assert workers_for(1, None, 1, "cpu") == 1
    assert workers_for(1000, 7, 1, "cpu") == 7


def test_one_run_at_a_time_on_a_graphics_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several would only take turns there, unless somebody asks for them."""
    monkeypatch.setattr(precision, "_best_device", lambda: "cuda")
    monkeypatch.setattr(precision, "_kind", lambda name: name)
    assert workers_for(1000, None, 1) == 1
    assert workers_for(1000, 3, 1) == 3


def test_a_device_that_is_not_there_is_refused() -> None:
    """Before anything is begun."""
    with pytest.raises(ModelError, match="there is no device 'nowhere' here"):
        workers_for(10, None, 1, "nowhere")


@pytest.mark.parametrize("damaged", [b"", b"PK\x03\x04", b"\x80\x04N.", b"\x93NUMPY\x01"])
def test_a_damaged_file_of_shared_images_is_written_anew(damaged: bytes, tmp_path: Path) -> None:
    """Whatever has become of it: empty, another kind of file, or torn."""
    images = np.arange(192, dtype=np.uint8).reshape(4, 3, 4, 4)
    path = _shared_images(images, digest_of(images), tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damaged)
    assert _shared_images(images, digest_of(images), tmp_path) == path
    assert path.read_bytes() == whole
