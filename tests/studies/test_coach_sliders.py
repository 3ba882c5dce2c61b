"""What the researcher's page shows of a coach at given weights, of networks that never learned."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from crowdloom.models.coach_folder import PreparedCoach, Tradeoff, Weights, prepared_coach
from crowdloom.models.errors import ModelError
from crowdloom.studies.coach_sliders import Typical, look, reachable, stops, typical
from crowdloom.tasks.coach_records import unpacked
from tests.untrained_coach import RANGES, SCALE, write_untrained_coach

OWN = {"classification": 0.123, "efficiency": 4.0, "discriminator": 0.0}


@pytest.fixture
def coach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PreparedCoach:
    """A coach that is there at once."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path))
    write_untrained_coach(tmp_path)
    return prepared_coach("digits")


def test_a_look_is_what_the_coach_says(coach: PreparedCoach) -> None:
    """Pictures, readings and shares belong together; it is whole for the page's script."""
    sample, weights = coach.samples[3], Weights(0.1, 4.0, 0.03)
    seen = look(coach, sample.picture, sample.label, weights)
    proposal = coach.propose(sample.picture, sample.label, weights)
    assert unpacked(seen.picture) == sample.picture
    assert unpacked(seen.proposal) == proposal
    assert seen.probabilities == coach.probabilities(sample.picture)
    assert seen.read == coach.read(sample.picture)
    assert seen.proposal_read == coach.read(proposal)
    differ = sum(abs(one - other) for one, other in zip(sample.picture, proposal, strict=True))
    assert seen.change == pytest.approx(differ / sum(sample.picture))
    assert seen.ink == pytest.approx(sum(proposal) / sum(sample.picture))
    assert seen.words
    assert set(seen.values()) >= {
        "picture",
        "probabilities",
        "read",
        "proposal",
        "proposal_read",
        "words",
        "change",
        "marks",
    }


def test_between_weights_that_were_measured(coach: PreparedCoach) -> None:
    """What was measured is given as it is; between two of them by the logarithm, beyond them nothing."""
    here = coach.tradeoffs[1]
    assert typical(coach, here.weights) == Typical(here.accuracy, here.change, here.ink)
    middle = SCALE * ((0.5 / SCALE + 1) ** 0.5 - 1)  # half way from 0 to 0.5, as the coach is given it
    found = typical(coach, Weights(middle, 0.0, 0.0))
    assert found is not None
    assert (found.accuracy, found.change, found.ink) == pytest.approx((0.945, 0.2, 0.94))
    assert typical(coach, Weights(1.51, 0.0, 0.0)) is None
    assert typical(coach, Weights(0.0, 1.0, 0.0)) is None  # where a corner of the grid is missing


def test_weights_measured_beside_the_grid_leave_no_gap(coach: PreparedCoach) -> None:
    """Around the weights of a design that says nothing, which are measured too, the grid still tells."""
    grid = (Weights(*one) for one in product((0.0, 0.5), (0.0, 8.0), (0.0, 0.1)))
    measured = [Tradeoff(one, one.classification, one.efficiency, 0.9, best=True) for one in grid]
    own = Tradeoff(Weights(0.5, 4.0, 0.03), 0.7, 3.0, 0.8, best=True)
    known = replace(coach, tradeoffs=(*measured, own))
    assert typical(known, own.weights) == Typical(0.7, 3.0, 0.8)
    middle = SCALE * ((8.0 / SCALE + 1) ** 0.5 - 1)  # half way from 0 to 8, as the coach is given it
    found = typical(known, Weights(0.5, middle, 0.02))
    assert found is not None
    assert (found.accuracy, found.change, found.ink) == pytest.approx((0.5, 4.0, 0.9))


def test_the_stops_have_all_known_weights(coach: PreparedCoach) -> None:
    """From 0 to the highest, rising, with those of the coach's figures and of the design among them."""
    found = stops(coach, OWN)
    for name, (lowest, highest) in (RANGES | {"classification": (0.0, 1.0)}).items():  # a design's highest is 1
        assert found[name] == sorted(set(found[name]))
        assert (found[name][0], found[name][-1]) == (lowest, highest)
        assert OWN[name] in found[name]
        assert {getattr(one.weights, name) for one in reachable(coach)} <= set(found[name])
        assert len(found[name]) > 30
        look(coach, coach.samples[0].picture, "0", Weights(**(dict.fromkeys(RANGES, 0.0) | {name: highest})))


def test_weights_that_no_design_can_have_are_not_offered(coach: PreparedCoach) -> None:
    """Though the coach could take them."""
    assert [one.weights.classification for one in coach.tradeoffs] == [0.0, 0.5, 0.0, 1.5]
    assert [one.weights.classification for one in reachable(coach)] == [0.0, 0.5, 0.0]


def test_what_the_coach_cannot_do_is_refused(coach: PreparedCoach) -> None:
    """A weight that it was not trained with, and a class that it does not know."""
    picture = coach.samples[0].picture
    with pytest.raises(ModelError, match="a weight efficiency from 0 to 16, not 33"):
        look(coach, picture, "0", Weights(0.1, 33, 0.0))
    with pytest.raises(ModelError, match="knows no class 'x'"):
        look(coach, picture, "x", Weights(0.1, 4.0, 0.0))
