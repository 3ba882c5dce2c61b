"""The page of a coach: a drawing, three sliders, what the coach proposes, and what such proposals cost.

GET  .../coach            the page
POST .../coach/propose    a drawing at given weights: {"picture", "read", "proposal", …}, see `coach_sliders.Look`
POST .../coach/typical    what is to be expected at given weights, see `coach_sliders.Typical`; null where nobody knows

A POST is a form with the session's token, `condition` and the three weights; that of a proposal has `asked`, and either
`picture` in base64 or `strokes` as JSON. What is wrong with it is said as {"error": sentence}, with status 422.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from flask import Response, jsonify, render_template, request, url_for
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select

from crowdloom.models.errors import ModelError
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import StudyError
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Design
from crowdloom.studies.web.csrf import csrf_token
from crowdloom.studies.web.researcher_base import Page, blueprint, study_name
from crowdloom.studies.web.stores import current_store
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_options import CoachOptions
from crowdloom.tasks.coach_records import Strokes, packed, unpacked

if TYPE_CHECKING:
    from crowdloom.models.coach_folder import PreparedCoach, Weights

_STROKES = TypeAdapter(Strokes)
_Answer = Response | tuple[Response, int]


@dataclass(frozen=True)
class Setting:
    """A coach with weights as a design has them, and in which of its conditions: none where all have the same."""

    conditions: tuple[str, ...]
    options: CoachOptions

    @property
    def weights(self) -> Weights:
        """What the design says that the coach strives for."""
        from crowdloom.models.coach_folder import Weights

        return Weights(*(getattr(self.options, name) for name in Weights._fields))


@blueprint.get("/study/<token:token>/coach")
def coach_page(token: str) -> Page:
    """Move three weights, and see what the study's coach proposes."""
    from crowdloom.models.coach_folder import prepared_coach

    name, settings = _settings(token)
    setting = _asked_for(settings)
    page = {"name": name, "token": token, "settings": settings, "setting": setting}
    try:
        coach = prepared_coach(setting.options.coach)
    except ModelError as error:
        return render_template("researcher/coach.html", **page, coach=None, missing=str(error))
    return render_template(
        "researcher/coach.html",
        **page,
        coach=coach,
        data=_for_the_script(token, coach, setting),
        strange=_strange(coach, setting),
    )


@blueprint.post("/study/<token:token>/coach/propose")
def coach_proposal(token: str) -> _Answer:
    """What the coach makes of one drawing."""
    from crowdloom.studies.coach_sliders import look

    coach = _coach(token)
    try:
        return jsonify(look(coach, _picture(), request.form.get("asked", ""), _weights()).values())
    except ValueError as error:
        return jsonify(error=_sentence(str(error))), 422


@blueprint.post("/study/<token:token>/coach/typical")
def coach_typical(token: str) -> _Answer:
    """What the coach's figures say of given weights."""
    from crowdloom.studies.coach_sliders import typical

    coach = _coach(token)
    try:
        found = typical(coach, _weights())
    except ValueError as error:
        return jsonify(error=_sentence(str(error))), 422
    return jsonify(None if found is None else asdict(found))


def _settings(token: str) -> tuple[str, list[Setting]]:
    """The study's name, and its coaches with their weights, each once. Raises StudyError where none is coached."""
    with current_store().read() as connection:
        name = study_name(connection, token)
        design_id, _ = newest_design(connection, name)
        design = DesignModel.model_validate(
            connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
        )
    found: dict[tuple[str, Weights], Setting] = {}
    for arm in design.arms():
        options = design.task_options(arm)
        if not isinstance(options, CoachOptions):
            raise StudyError(f"Nobody is coached in {name}: its task is {design.task}.")
        setting = Setting((arm.name,), options)
        same = found.get((options.coach, setting.weights))
        found[options.coach, setting.weights] = Setting((*same.conditions, arm.name), options) if same else setting
    return name, list(found.values())


def _asked_for(settings: Sequence[Setting]) -> Setting:
    """The setting of the condition that the request names, or the first."""
    condition = request.values.get("condition")
    return next((one for one in settings if condition in one.conditions), settings[0])


def _coach(token: str) -> PreparedCoach:
    from crowdloom.models.coach_folder import prepared_coach

    try:
        return prepared_coach(_asked_for(_settings(token)[1]).options.coach)
    except ModelError as error:
        raise StudyError(_sentence(str(error))) from error


def _for_the_script(token: str, coach: PreparedCoach, setting: Setting) -> dict[str, object]:
    from crowdloom.studies.coach_sliders import reachable, stops

    begins = {
        name: min(max(weight, coach.ranges[name][0]), coach.ranges[name][1])
        for name, weight in setting.weights._asdict().items()
    }
    return {
        "propose": url_for(".coach_proposal", token=token),
        "typical": url_for(".coach_typical", token=token),
        "with": {"csrf": csrf_token(), "condition": setting.conditions[0]},
        "coach": coach.name,
        "classes": coach.classes,
        "stops": stops(coach, begins),
        "weights": begins,
        "samples": [
            one._asdict() | {"picture": packed(one.picture), "read": coach.read(one.picture)} for one in coach.samples
        ],
        "tradeoffs": [one._asdict() | {"weights": one.weights._asdict()} for one in reachable(coach)],
    }


def _strange(coach: PreparedCoach, setting: Setting) -> str | None:
    """What is to be said of a design's weights that the coach was not trained with."""
    try:
        coach.check_weights(setting.weights)
    except ModelError as error:
        return f"The design cannot be used as it is: {error}."
    return None


def _picture() -> bytes:
    """The drawing of the form. Raises ValueError for one that cannot be read, or has nothing in it."""
    if "strokes" not in request.form:
        return unpacked(request.form.get("picture", ""))
    try:
        return render(_STROKES.validate_json(request.form["strokes"]))
    except ValidationError as error:
        raise ValueError("This drawing cannot be read; start again, with fewer or shorter strokes.") from error


def _weights() -> Weights:
    from crowdloom.models.coach_folder import Weights

    try:
        return Weights(*(float(request.form.get(name, "")) for name in Weights._fields))
    except ValueError as error:
        raise ValueError("a weight is a number, such as 0.1") from error


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"
