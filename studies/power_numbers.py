"""The numbers of a design, as it stands and as it would be of another size: people, batches, submissions, listings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from crowdloom.analysis.elicited import Ints
from crowdloom.analysis.power import Trial
from crowdloom.analysis.power_people import Asked
from crowdloom.studies.batches import deal_to_conditions
from crowdloom.studies.cost import hands_out_batches
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import DesignError


@dataclass(frozen=True)
class Setting:
    """A design with its number of items, the two conditions that are compared, and how."""

    design: DesignModel
    items: int
    sides: tuple[str, str]
    trial: Trial
    platform: str = "link"
    people: int | None = None
    """How many take part in the design as it stands; else what its rehearsal says; else as few as can do it."""

    def with_simulations(self, number: int) -> Setting:
        """The same with so many simulations."""
        return replace(self, trial=replace(self.trial, simulations=number))

    @property
    def step(self) -> int:
        """How many items make one batch in every condition that has batches of its own."""
        batches = self.design.batches
        return batches.size * (len(self.design.arms()) if batches.split_items else 1)


def asked_of(setting: Setting, responses: int, items: int) -> Asked:
    """The numbers of the design, were so many responses wanted for each item, of so many items.

    A condition with a number of its own keeps its share of the design's. Where people may come again, each makes as
    many submissions, on average, as in the design as it stands. Raises DesignError where the items cannot be dealt.
    """
    people = setting.design.people
    sizes, wanted = _wanted(setting, responses, items)
    asked = Asked(sizes, wanted, int(wanted.sum()), people.submissions_per_participant, people.one_condition)
    if asked.most == 1:
        return asked
    number = fewest = _fewest(asked)
    if stated := setting.people or setting.design.rehearsal.people:
        own = _wanted(setting, setting.design.batches.responses_per_item, setting.items)[1].sum()
        number = min(max(round(stated * asked.places / int(own)), fewest), asked.places)
    return replace(asked, people=number)


def _wanted(setting: Setting, responses: int, items: int) -> tuple[Ints, Ints]:
    """Of each batch its size [B], and the submissions wanted in each condition [C, B], the compared two first."""
    design = setting.design
    batches = design.batches.model_copy(update={"mix": (), "repeats": ()})  # which change no batch's size
    if design.batches.mix and items % batches.size:
        raise DesignError(f"batches.mix: {items} items are no whole number of batches of {batches.size}")
    arms = sorted(design.arms(), key=lambda arm: arm.name not in setting.sides)
    arms[:2] = sorted(arms[:2], key=lambda arm: setting.sides.index(arm.name))
    dealt = deal_to_conditions([None] * items, batches, design.seed, None, len(arms))
    of_condition = [[len(batch) for batch in share] for share in dealt]
    share = len(of_condition[0])
    wanted: Ints = np.zeros((len(arms), share * len(arms) if batches.split_items else share), dtype=np.intp)
    for number, arm in enumerate(arms):
        own = arm.responses_per_item or batches.responses_per_item
        start = number * share if batches.split_items else 0
        wanted[number, start : start + share] = math.ceil(own * responses / batches.responses_per_item)
    sizes = [size for part in of_condition for size in part] if batches.split_items else of_condition[0]
    return np.array(sizes, dtype=np.intp), wanted


def _fewest(asked: Asked) -> int:
    """As few people as can fill the places: nobody has an item twice, or more submissions than the design allows."""
    of_a_condition = [
        max(int(row.max()), math.ceil(int(row.sum()) / min(asked.most, int((row > 0).sum())))) for row in asked.wanted
    ]
    if asked.one_condition:
        return sum(of_a_condition)
    each = min(asked.most, len(asked.sizes))
    return max(int(asked.wanted.sum(axis=0).max()), math.ceil(asked.places / each))


def listings(design: DesignModel, platform: str, asked: Asked) -> list[int]:
    """The places of each listing, as the platform would have them."""
    if not hands_out_batches(platform, design):
        return [asked.places]
    return [int(places) for places in asked.wanted.ravel() if places]
