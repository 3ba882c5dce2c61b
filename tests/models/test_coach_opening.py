"""The step that prepares a coach: one that needs no data, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdloom.models.coach_folder import prepared_coach
from crowdloom.models.coach_opening import begin
from crowdloom.models.coach_steps import NOT_READY, read, state
from crowdloom.models.live import Context, Refused
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_options import CoachOptions
from crowdloom.tasks.coach_records import Drawing, Nothing, ReadInput, Strokes
from crowdloom.tasks.protocol import Trial

DIGITS = tuple("0123456789")
SEVEN: Strokes = [[(0.3, 0.2, 100.0), (0.7, 0.2, 300.0), (0.5, 0.8, 700.0)]]


def page(folder: Path, coach: str) -> Context:
    """The context of a trial that asks for a 7."""
    trial = Trial(classes=DIGITS, class_order=DIGITS, options=CoachOptions(coach=coach), seed="ann", reference="7")
    return Context(folder, "ann", trial=trial, trial_id="a.0")


@pytest.mark.slow
def test_the_digits_prepare_themselves(coaches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the trial can begin, and a seven is read as one."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(coaches))
    context = page(tmp_path, "digits")
    opened = begin(Nothing(), context)
    assert opened.ready
    assert opened == state(Nothing(), context) == begin(Nothing(), context)
    drawing = Drawing(strokes=SEVEN, device="mouse", seconds=2)
    said = read(ReadInput(attempt=1, drawing=drawing, done=True), context)
    assert said.reading.read == "7"
    assert said.proposal is not None
    assert said.proposal.read == "7"
    right = [prepared_coach("digits").read(render(one)) == "7" for one in prepared_coach("digits").drawings("7")]
    assert sum(right) > 0.7 * len(right)


def test_others_have_to_be_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The participant reads that it is our fault, the researcher's log has the command."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path / "coaches"))
    for name in ("mnist", "birds", "no name"):
        with pytest.raises(Refused, match=NOT_READY) as refused:
            begin(Nothing(), page(tmp_path, name))
        cause = str(refused.value.__cause__)
        assert f"run: crowdloom coach prepare {name}" in cause or "names no coach" in cause
    assert not list((tmp_path / "coaches").glob("*"))
