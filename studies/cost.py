"""What a study can cost, before anything is spent: rewards, fees, bonuses, and what people earn by the hour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sqlalchemy import Connection, func, select

from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import PaymentError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Batch, Condition, Design, Place


@dataclass(frozen=True)
class Cost:
    """All amounts in minor units of `currency`.

    `bonuses` is the most that the design's rule can give: who ties with the last winner gets it too, so that is
    everybody. What the design's share comes to without ties is `bonuses_by_share`.
    """

    study: str
    platform: str
    currency: str
    places: int
    reward: int
    """Of one person."""
    rewards: int
    fee_on_rewards: int
    bonuses: int
    bonuses_by_share: int
    fee_on_bonuses: int
    fee_sentence: str
    per_hour: int | None
    """What the reward comes to for the minutes that the design names; None for volunteers."""
    minimum_per_hour: int | None
    """What the platform demands."""
    floor_per_hour: int | None
    """What the design itself wants."""
    cap: int | None
    problem: str | None
    """What keeps the design from being published there at all."""

    @property
    def total(self) -> int:
        """The most that it can cost."""
        return self.rewards + self.fee_on_rewards + self.bonuses + self.fee_on_bonuses

    def money(self, amount: int) -> Money:
        """An amount with its currency."""
        return Money(amount=amount, currency=self.currency)

    def rows(self) -> list[tuple[str, str, str]]:
        """What a table of it says: name, value, meaning."""
        rows = [
            ("rewards", str(self.money(self.rewards)), f"{self.places} places at {self.money(self.reward)}"),
            ("fee on rewards", str(self.money(self.fee_on_rewards)), self.fee_sentence),
            ("bonuses, at most", str(self.money(self.bonuses)), self._bonus_sentence()),
            ("fee on bonuses", str(self.money(self.fee_on_bonuses)), ""),
            ("total, at most", str(self.money(self.total)), self._cap_sentence()),
        ]
        if self.per_hour is not None:
            rows.append(("per hour", str(self.money(self.per_hour)), self._hour_sentence()))
        if self.problem is not None:
            rows.append(("not possible", "", self.problem))
        return rows

    def _bonus_sentence(self) -> str:
        if self.bonuses == self.bonuses_by_share:
            return "if the design's rule gives them all"
        return f"{self.money(self.bonuses_by_share)} by the design's share; more only where people tie"

    def _cap_sentence(self) -> str:
        if self.cap is None:
            return "the design sets no spending_cap"
        return f"{'above' if self.total > self.cap else 'within'} the design's spending_cap of {self.money(self.cap)}"

    def _hour_sentence(self) -> str:
        said = []
        for limit, whose in ((self.minimum_per_hour, "the platform's minimum"), (self.floor_per_hour, "your floor")):
            if limit is not None and self.per_hour is not None:
                word = "below" if self.per_hour < limit else "not below"
                said.append(f"{word} {whose} of {self.money(limit)}")
        return "; ".join(said) or "neither the platform nor the design sets a minimum"


def per_hour(amount: int, minutes: float) -> int:
    """What an amount for so many minutes comes to in an hour, in whole minor units, rounded down.

    >>> per_hour(334, 25)
    801
    """
    return math.floor(Decimal(amount) * 60 / Decimal(str(minutes)))


def study_cost(
    connection: Connection,
    study: str,
    platform: str,
    listings: Sequence[int] | None = None,
    *,
    account: Literal["academic", "corporate"] | None = None,
) -> Cost:
    """What a study's newest version can cost on a platform.

    `listings` are the places of each listing; every place of the design where it is None, dealt as the platform
    would. `account` is Prolific's kind of account, where it is not the design's. Raises StudyError for an unknown
    study.
    """
    design_id, _ = newest_design(connection, study)
    design = DesignModel.model_validate(
        connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
    )
    if account is not None:
        design = design.model_copy(update={"prolific": design.prolific.model_copy(update={"account": account})})
    if listings is None:
        listings = all_places(connection, design_id, per_batch=hands_out_batches(platform, design))
    return cost_of(design, platform, listings)


def cost_of(design: DesignModel, platform: str, listings: Sequence[int]) -> Cost:
    """What a design can cost on a platform with these numbers of places in its listings."""
    people, chosen = design.people, PLATFORMS[platform]
    reward = people.reward.amount if people.reward else 0
    money = people.reward or (design.bonus.amount if design.bonus else None)
    places = sum(listings)
    each = design.bonus.amount.amount if design.bonus else 0
    most = places * each
    by_share = math.ceil(Decimal(str(design.bonus.share)) * places) * each if design.bonus else 0
    fee = chosen.fee(listings, most, design)
    currency = money.currency if money else "USD"
    return Cost(
        study=design.name,
        platform=platform,
        currency=currency,
        places=places,
        reward=reward,
        rewards=reward * places,
        fee_on_rewards=fee.on_rewards,
        bonuses=most,
        bonuses_by_share=by_share,
        fee_on_bonuses=fee.on_bonuses,
        fee_sentence=fee.sentence,
        per_hour=per_hour(reward, people.minutes) if people.reward else None,
        minimum_per_hour=chosen.capabilities.hourly_minimum.get(currency) if people.reward else None,
        floor_per_hour=people.hourly_floor.amount if people.hourly_floor else None,
        cap=people.spending_cap.amount if people.spending_cap else None,
        problem=chosen.check_design(design),
    )


def check_cap(cost: Cost) -> None:
    """Raise PaymentError where a study could cost more than its design's spending cap."""
    if cost.cap is not None and cost.total > cost.cap:
        raise PaymentError(
            f"{cost.study} could cost {cost.money(cost.total)} on {cost.platform}, above the design's "
            f"people.spending_cap of {cost.money(cost.cap)}; nothing was published. Lower the number of responses "
            "or raise the cap"
        )


def hands_out_batches(platform: str, design: DesignModel) -> bool:
    """Whether the platform deals the batches of this design, a listing for each."""
    return PLATFORMS[platform].capabilities.listing_per_batch and design.mturk.delivery != "server"


def all_places(connection: Connection, design_id: int, *, per_batch: bool) -> list[int]:
    """The places of each batch of a design, or their sum."""
    counts = connection.scalars(
        select(func.count())
        .select_from(Place)
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
        .group_by(Batch.id)
        .order_by(Batch.id)
    ).all()
    return list(counts) if per_batch else [sum(counts)]
