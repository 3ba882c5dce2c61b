"""What a design says of its batches: how items are dealt to participants, and in which order they come."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool, model_validator

from crowdloom.studies.design_types import Line, Number, Part, Whole

MOST_RESPONSES = 10_000


class Mix(Part):
    """So many items of each batch lie in this range of difficulty."""

    count: Whole = Field(ge=1)
    above: Number | None = None
    """Difficulty greater than this."""
    at_most: Number | None = None
    """Difficulty not greater than this."""

    @model_validator(mode="after")
    def _a_range(self) -> Mix:
        if self.above is None and self.at_most is None:
            raise ValueError("expected above or at_most, or both, beside count")
        if self.above is not None and self.at_most is not None and self.above >= self.at_most:
            raise ValueError(f"above: expected a number below at_most ({self.at_most}), got {self.above}")
        return self

    def holds(self, difficulty: float | None) -> bool:
        """Whether an item of this difficulty belongs to this part."""
        if difficulty is None:
            return False
        return (self.above is None or difficulty > self.above) and (self.at_most is None or difficulty <= self.at_most)


class Batches(Part):
    """How items are dealt to participants."""

    size: Whole = Field(ge=1)
    """Distinct items in a batch. The last batch may be smaller, unless a mix is asked for."""
    responses_per_item: Whole = Field(ge=1, le=MOST_RESPONSES)
    """First responses wanted per item (in each condition): the places of a batch."""
    repeats: tuple[Whole, ...] = ()
    """Positions, counted from 1, of the items that are shown again at the end."""
    mix: tuple[Mix, ...] = ()
    """Which difficulties a batch combines; the counts add up to `size`."""
    even: StrictBool = False
    """Batches as equal as can be, none larger than `size`, instead of full ones and a smaller last one."""
    order: Literal["random", "counterbalanced"] = "random"
    """`random`: each participant has an order of their own; `counterbalanced`: the orders of a batch are used equally
    often, all of them for up to four items, else those of a Williams design."""
    versions: Line | None = None
    """An attribute of the items that says in which version each is there: each participant then has every item of a
    batch in one version, as many in the one as in the other, and each item is in each version for equally many."""
    split_items: StrictBool = False
    """Each condition has items of its own, an equal share of all, instead of all items."""

    @model_validator(mode="after")
    def _fits(self) -> Batches:
        for position in self.repeats:
            if not 1 <= position <= self.size:
                raise ValueError(f"repeats: position {position} is not between 1 and the batch size {self.size}")
        if len(set(self.repeats)) < len(self.repeats):
            raise ValueError("repeats: a position stands there twice")
        if self.order == "counterbalanced" and self.repeats:
            raise ValueError("order: a counterbalanced order has each item once; leave out repeats")
        if self.mix and self.even:
            raise ValueError("even: with a mix all batches have the same size anyway; leave it out")
        if self.mix and sum(part.count for part in self.mix) != self.size:
            raise ValueError(f"mix: the counts add up to {sum(p.count for p in self.mix)}, not to size {self.size}")
        return self
