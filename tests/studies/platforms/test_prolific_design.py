"""What Prolific asks of a design, what it costs, who arrives and how they get back: all of it without a network."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from crowdloom.studies.design_platforms import ProlificOptions
from crowdloom.studies.errors import PlaceError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.prolific import Prolific
from crowdloom.studies.platforms.protocol import Arrival, Ending, Outcome
from tests.prolific.examples import CODES, paid_design
from tests.studies.designs import make_design

WHERE = {"api": "https://api.prolific.com", "app": "https://app.prolific.com"}
ARRIVAL = {"PROLIFIC_PID": "5f" * 12, "STUDY_ID": "6a" * 12, "SESSION_ID": "7b" * 12}


def test_registered_without_loading_any_library() -> None:
    """Loading the platforms loads neither httpx nor boto3."""
    code = (
        "import sys; from crowdloom.studies.platforms import PLATFORMS; "
        "assert 'prolific' in PLATFORMS; "
        "assert not {'httpx', 'boto3'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert PLATFORMS["prolific"].name == "prolific"


def test_arrival_by_the_three_fields() -> None:
    """The ids are those that Prolific filled in."""
    arrival = Prolific().arrive({**ARRIVAL, "batch": "3"}, WHERE)
    assert arrival == Arrival("5f" * 12, "7b" * 12, "6a" * 12)
    assert Prolific().frame_ancestors(WHERE) == ()


@pytest.mark.parametrize("name", list(ARRIVAL))
@pytest.mark.parametrize("value", ["", "{{%PROLIFIC_PID%}}", "a b c d e f", "<script>", "x" * 65, "５５５５５５"])
def test_arrival_without_an_id_is_refused(name: str, value: str) -> None:
    """A field that is missing, not filled in or no id lets nobody in."""
    with pytest.raises(PlaceError, match="open the study there again"):
        Prolific().arrive({**ARRIVAL, name: value}, WHERE)


@pytest.mark.parametrize("outcome", list(CODES))
def test_way_back_is_the_code_of_the_outcome(outcome: Outcome) -> None:
    """However it ended, the participant goes back with the code that says so."""
    ending = Ending(outcome, Arrival("5f" * 12), paid_design(), CODES[outcome])
    way = Prolific().hand_back(ending, WHERE)
    assert way is not None
    assert (way.url, way.fields, way.code) == (
        f"https://app.prolific.com/submissions/complete?cc={CODES[outcome]}",
        {},
        CODES[outcome],
    )


@pytest.mark.parametrize(
    ("account", "vat", "on_rewards", "on_bonuses"),
    [
        ("academic", 0.2, 4_004, 16),  # 10,020 * 0.333 * 1.2 = 4,003.992 and 41 * 0.3996 = 16.3836
        ("corporate", 0.2, 5_146, 21),  # 5,146.272 and 21.0576
        ("academic", 0.0, 3_337, 14),  # 3,336.66 and 13.653
    ],
)
def test_fee_is_exact(account: Any, vat: float, on_rewards: int, on_bonuses: int) -> None:
    """Thirty rewards of 3.34 and a bonus of 0.41, to the cent."""
    design = paid_design("3.34 USD", prolific=ProlificOptions(account=account, vat=vat))
    fee = Prolific().fee([20, 10], 41, design)
    assert (fee.on_rewards, fee.on_bonuses) == (on_rewards, on_bonuses)
    assert account in fee.sentence


def test_fee_is_rounded_half_up() -> None:
    """Half a cent counts as one: 1,250 at 33.3 % is 416.25, and 500 is 166.5."""
    design = paid_design("5.00 USD", prolific=ProlificOptions(vat=0.0))
    fee = Prolific().fee([1], 1_250, design)
    assert (fee.on_rewards, fee.on_bonuses) == (167, 416)
    assert "33.3 %" in fee.sentence


@pytest.mark.parametrize(
    ("reward", "options", "problem"),
    [
        ("0.27 USD", {}, None),
        ("0.26 USD", {}, "8.00 USD an hour, which is 0.27 for 2 minutes, and people.reward is 0.26 USD"),
        ("0.20 GBP", {}, None),
        ("0.19 GBP", {}, "6.00 GBP an hour"),
        ("5.00 EUR", {}, "GBP or USD"),
        ("0.00 USD", {}, "asks for a reward"),
        ("0.60 USD", {"devices": ("mobile", "mobile")}, "names a device twice"),
        ("0.60 USD", {"filters": ({"filter_id": "age"},)}, "selected_values"),
        ("0.60 USD", {"filters": ({"selected_values": ["1"]},)}, "filter_id"),
        ("0.60 USD", {"filters": ({"filter_id": "age", "selected_range": {"lower": 18}},)}, None),
    ],
)
def test_designs_are_checked(reward: str, options: dict[str, Any], problem: str | None) -> None:
    """A design that Prolific would not take is refused in one sentence that says what to write."""
    found = Prolific().check_design(paid_design(reward, prolific=ProlificOptions(**options)))
    assert (found is None) if problem is None else (problem in str(found))


def test_design_without_a_reward_is_refused() -> None:
    """Volunteers are not found on Prolific."""
    assert "asks for a reward" in str(Prolific().check_design(make_design()))
