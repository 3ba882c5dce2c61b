"""Publishing a study, and asking for more places: what it costs stands beside the button."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from sqlalchemy import Connection, func, select

from crowdloom.studies import platform_jobs
from crowdloom.studies.adding_places import TopUp, plan_places, want_more
from crowdloom.studies.cost import Cost, cost_of, study_cost
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
    """A posting that may get more places, what it lacks by what was last heard, and what these can cost."""

    posted: Posted
    plans: list[TopUp]
    cost: Cost

    @property
    def lists(self) -> bool:
        """Whether its platform is to be asked for places at all."""
        return PLATFORMS[self.posted.platform].capabilities.identifies


@blueprint.get("/study/<token:token>/places")
def places(token: str) -> Page:
    """How many more people a study needs on each platform, and what they can cost."""
    with current_store().read() as connection:
        name = study_name(connection, token)
        lacks = [
            Lack(one, plans, cost_of(one.design, one.platform, [plan.after - plan.before for plan in plans]))
            for one in _open(connection, name)
            for plans in [plan_places(connection, one)]
        ]
        wanted = _wanted(connection, lacks[0].posted.design_id) if lacks else None
    return render_template("researcher/places.html", name=name, token=token, lacks=lacks, wanted=wanted, errors={})


def _open(connection: Connection, name: str) -> list[Posted]:
    return [one for one in find_postings(connection, name) if one.state in ("open", "paused")]


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
def raise_places(token: str) -> Page:
    """Raise the responses wanted for each item, in the store; the platforms are asked by the next button."""
    written = request.form.get("responses", "").strip()
    if not re.fullmatch(r"[0-9]{1,5}", written) or not 1 <= int(written) <= MOST_RESPONSES:
        raise OptionError(f"“{written}” is no number of responses from 1 to {MOST_RESPONSES}. Nothing was changed.")
    with current_store().write() as connection:
        chosen = _open(connection, study_name(connection, token))
        if not chosen:
            raise OptionError("The study is not open anywhere; publish it first. Nothing was changed.")
        want_more(connection, chosen[0], int(written))
    return redirect(url_for(".places", token=token), 303)


@blueprint.post("/study/<token:token>/places/add")
def add_places(token: str) -> Page:
    """Ask a platform for the places that are lacking, for the amount that stood on the button at most."""
    return carry_out(platform_jobs.AddPlaces(study=token, posting=request.form.get("posting", ""), expected=amount()))
