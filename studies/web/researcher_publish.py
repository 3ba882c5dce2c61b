"""Publishing a study, and asking for more places: what it costs stands beside the button."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy import Connection, func, select

from crowdloom.analysis import plan_words
from crowdloom.analysis.plan import plan_hash
from crowdloom.studies import platform_jobs
from crowdloom.studies.adding_places import TopUp, cost_of_plans, plan_places, want_more
from crowdloom.studies.cost import Cost, check_cap, study_cost
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import CrowdloomError, OptionError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import Posted, find_postings
from crowdloom.studies.posting import newest_design
from crowdloom.studies.publishing import preview_cost
from crowdloom.studies.tables import Batch, Condition, Design, Place
from crowdloom.studies.web.researcher_base import Page, amount, blueprint, carry_out, study_name
from crowdloom.studies.web.stores import current_store

MOST_RESPONSES = 10_000


@dataclass(frozen=True)
class Choice:
    """A platform as the page offers it."""

    name: str
    problem: str | None
    """What keeps this design from being published there."""
    state: str | None
    """Of the newest version's posting there, unless that is closed."""


@blueprint.get("/study/<token:token>/publish")
def publish(token: str) -> Page:
    """Choose a platform, see what it can cost, and publish."""
    with current_store().read() as connection:
        name = study_name(connection, token)
        design_id, version = newest_design(connection, name)
        design = _design(connection, design_id)
        there = [one for one in find_postings(connection, name) if one.state != "closed"]
        choices = [_choice(platform, design, design_id, there) for platform in PLATFORMS]
        if design.items.source == "import":
            choices = []
        chosen = next((one for one in choices if one.name == request.args.get("on", "link")), None)
        cost, refusal = None, None
        if chosen is not None and chosen.problem is None:
            cost, refusal = _cost(connection, name, chosen.name)
    return render_template(
        "researcher/publish.html",
        name=name,
        token=token,
        version=version,
        design=design,
        plan_hash=plan_hash(design.plan) if design.plan else None,
        plan_words=plan_words,
        choices=choices,
        chosen=chosen,
        cost=cost,
        refusal=refusal,
        capabilities=PLATFORMS[chosen.name].capabilities if chosen else None,
        address=request.host_url.rstrip("/"),
        older=[one for one in there if one.version < version],
    )


def _design(connection: Connection, design_id: int) -> DesignModel:
    return DesignModel.model_validate(
        connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
    )


def _choice(platform: str, design: DesignModel, design_id: int, there: list[Posted]) -> Choice:
    state = next((one.state for one in there if one.platform == platform and one.design_id == design_id), None)
    return Choice(platform, PLATFORMS[platform].check_design(design), state)


def _cost(connection: Connection, study: str, platform: str) -> tuple[Cost, str | None]:
    """What the open places can cost, and the sentence that forbids it where there is one."""
    try:
        return preview_cost(connection, study, platform), None
    except CrowdloomError as error:
        return study_cost(connection, study, platform), str(error)


@blueprint.post("/study/<token:token>/publish")
def do_publish(token: str) -> Page:
    """Publish, for the amount that stood on the button."""
    platform, address = request.form.get("on", ""), request.form.get("address", "").strip()
    if platform not in PLATFORMS:
        raise OptionError(f"There is no platform {platform!r}.")
    if not re.fullmatch(r"https?://[^\s/?#@]+[^\s?#@]*", address):
        raise OptionError(
            f"“{address}” is no address at which participants reach this server; write it as https://HOST. "
            "Nothing was published."
        )
    draft = request.form.get("draft") == "yes"
    return carry_out(
        platform_jobs.Publish(study=token, platform=platform, address=address, expected=amount(), draft=draft)
    )


@dataclass(frozen=True)
class Lack:
    """A posting that may get more places, what would be added there, and what that can cost."""

    posted: Posted
    plans: list[TopUp]
    cost: Cost
    refusal: str | None
    """The sentence about the design's spending cap, where it is above that."""

    @property
    def lists(self) -> bool:
        """Whether its platform is to be asked for places at all."""
        return PLATFORMS[self.posted.platform].capabilities.identifies

    @property
    def reopens(self) -> bool:
        """Whether something is opened again there that is closed."""
        return any(plan.is_closed for plan in self.plans)


@blueprint.get("/study/<token:token>/places")
def places(token: str) -> Page:
    """How many more people a study needs on each platform, and what they can cost; also for more of each item."""
    responses, error = _responses(request.args.get("responses", "").strip())
    with current_store().write() as connection:
        name = study_name(connection, token)
        chosen = [one for one in find_postings(connection, name) if one.state in ("open", "paused")]
        wanted = _wanted(connection, chosen[0].design_id) if chosen else 0
        trial = connection.begin_nested()  # only tried: the button writes it down
        try:
            if responses is not None and chosen:
                want_more(connection, chosen[0], responses)
            lacks = [_lack(connection, one) for one in chosen]
        finally:
            trial.rollback()
    return render_template(
        "researcher/places.html",
        name=name,
        token=token,
        lacks=lacks,
        wanted=wanted,
        responses=responses,
        written=request.args.get("responses", ""),
        errors={"responses": error} if error else {},
    )


def _responses(written: str) -> tuple[int | None, str | None]:
    """The number of responses that somebody wants for each item, or what is wrong with it."""
    if not written:
        return None, None
    if re.fullmatch(r"[0-9]{1,5}", written) and 1 <= int(written) <= MOST_RESPONSES:
        return int(written), None
    return None, f"Write a number from 1 to {MOST_RESPONSES:,}; nothing was changed."


def _lack(connection: Connection, posted: Posted) -> Lack:
    plans = plan_places(connection, posted) if PLATFORMS[posted.platform].capabilities.identifies else []
    more, whole = cost_of_plans(connection, posted, plans)
    refusal = None
    try:
        check_cap(whole)
    except CrowdloomError as error:
        refusal = str(error)
    return Lack(posted, plans, more, refusal)


def _wanted(connection: Connection, design_id: int) -> int:
    """The fewest places of a batch, which is how often each of its items is to be answered."""
    counts = connection.scalars(
        select(func.count(Place.id))
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
        .group_by(Batch.id)
    ).all()
    return min(counts, default=0)


@blueprint.post("/study/<token:token>/places")
def add_places(token: str) -> Page:
    """Add the places that are lacking, for the amount that stood on the button at most."""
    responses, error = _responses(request.form.get("responses", ""))
    if error is not None:
        raise OptionError(error)
    return carry_out(
        platform_jobs.AddPlaces(
            study=token, posting=request.form.get("posting", ""), expected=amount(), responses=responses
        )
    )
