"""The page of power: what a study would find, at which cost, simulated while the researcher waits."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from flask import render_template, request
from sqlalchemy import select

from crowdloom.analysis.plan import TESTS
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import CrowdloomError, DesignError, OptionError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Design
from crowdloom.studies.web.researcher_base import PLATFORM_NAMES, Page, blueprint, study_name
from crowdloom.studies.web.stores import current_store

if TYPE_CHECKING:
    from crowdloom.studies.power import PowerReport
    from crowdloom.studies.power_numbers import Setting
    from crowdloom.studies.power_setting import Planned

MOST_SIMULATIONS = 1000
FEWEST_SIMULATIONS = 50
"""So few give intervals of at most 28 points; where even they take too long, the command is named."""

_MORE = ("unit", "participant-sd", "item-sd", "responses", "simulations")
"""The fields that most people leave as they are; the page shows them once asked, or once they are filled."""

_ANSWERS = 20_000_000
"""Simulated answers of the whole curve that take some two seconds; what is needed may take as many again."""
_DEALT = 4_000_000
"""People times batches that are dealt in about a second, where people come again."""


@dataclass(frozen=True)
class Asked:
    """A form that could be read, and what it came to."""

    report: PowerReport
    fewer: bool
    """Whether fewer studies were simulated than asked for, since they are large."""

    @property
    def image(self) -> str:
        """The curve as SVG, in an address of its own: no second request simulates it again."""
        from crowdloom.analysis.figures import save_figure
        from crowdloom.studies.power_words import figure_of

        with TemporaryDirectory(prefix="crowdloom-") as folder:
            path = Path(folder) / "power.svg"
            save_figure(figure_of(self.report), path)
            written = base64.b64encode(path.read_bytes()).decode("ascii")
        return f"data:image/svg+xml;base64,{written}"


@blueprint.get("/study/<token:token>/power")
def power(token: str) -> Page:
    """Ask for an effect, and see how likely the study would find it."""
    from crowdloom.studies.power_setting import planned, stored_items

    with current_store().read() as connection:
        name = study_name(connection, token)
        design_id, version = newest_design(connection, name)
        design = DesignModel.model_validate(
            connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
        )
        items = stored_items(connection, name)
    names = [arm.name for arm in design.arms()]
    form, errors, compared, asked, refusal = request.args, {}, None, None, None
    try:
        sides = (form.get("first", ""), form.get("second", "")) if "first" in form else None
        compared = planned(design, sides or (None if len(names) <= 2 else (names[0], names[1])))
    except DesignError:
        refusal = "The study has one condition, and power is that of a difference between two."
    except OptionError as error:
        errors["first"] = _sentence(error)
        compared = planned(design, (names[0], names[1]))
    if compared is not None and "effect" in form and not errors:
        try:
            asked = _simulated(design, items, compared, form)
        except CrowdloomError as error:
            errors[_field(error)] = _sentence(error)
    page = render_template(
        "researcher/power.html",
        name=name,
        token=token,
        version=version,
        design=design,
        names=names,
        compared=compared,
        refusal=refusal,
        tests={test: TESTS[test].meaning for test in _tests()},
        platforms={platform: PLATFORM_NAMES[platform] for platform in PLATFORMS},
        units={"item": "items", "participant": "participants", "response": "single responses"},
        same=lambda values: {value: value for value in values},
        most=MOST_SIMULATIONS,
        form=form,
        more=_is_open(form, errors, compared),
        errors=errors,
        asked=asked,
        words=_words(asked.report) if asked else None,
    )
    return (page, 422) if errors else page


def _is_open(form: Mapping[str, str], errors: Mapping[str, str], compared: Planned | None) -> bool:
    """Whether the page shows the fields of `_MORE` unasked: one is filled otherwise than it came, or wrong."""
    came = {"unit": compared.unit if compared else "", "simulations": str(MOST_SIMULATIONS)}
    return any(field in errors or form.get(field, "") not in ("", came.get(field)) for field in _MORE)


def _tests() -> tuple[str, ...]:
    from crowdloom.analysis.power_tests import POWER_TESTS

    return POWER_TESTS


def _simulated(design: DesignModel, items: int, compared: Planned, form: Mapping[str, str]) -> Asked:
    from crowdloom.studies.power import around, power_report
    from crowdloom.studies.power_setting import read_effect, setting_of

    numbers = {name: _number(form, name) for name in ("spread", "participant-sd", "item-sd")}
    effect = read_effect(
        form["effect"],
        numbers["spread"],
        numbers["participant-sd"],
        numbers["item-sd"],
        where_from="fill in their spread below",
    )
    written = form.get("simulations", "").strip() or str(MOST_SIMULATIONS)
    simulations = int(written) if re.fullmatch(r"[0-9]{1,5}", written) else 0
    if not 1 <= simulations <= MOST_SIMULATIONS:
        raise OptionError(f"--simulations: expected a whole number from 1 to {MOST_SIMULATIONS:,}")
    platform = form.get("on", "link")
    if platform not in PLATFORMS:
        raise OptionError(f"--on: there is no platform {platform!r}")
    setting = setting_of(
        design,
        items,
        compared,
        effect,
        test=form.get("test"),
        unit=form.get("unit"),
        simulations=simulations,
        platform=platform,
    )
    responses = _responses(form.get("responses", "")) or around(design.batches.responses_per_item)
    allowed = _allowed(setting, responses)
    report = power_report(
        setting.with_simulations(min(simulations, allowed)), responses, most_answers=_ANSWERS // allowed
    )
    return Asked(report, allowed < simulations)


def _allowed(setting: Setting, responses: list[int]) -> int:
    """How many simulations of these sizes take no longer than somebody waits. Raises OptionError for too few."""
    from crowdloom.studies.power_numbers import asked_of

    sizes = [asked_of(setting, number, setting.items) for number in responses]
    allowed = _ANSWERS // max(sum(size.responses for size in sizes), 1)
    dealt = sum(size.people * size.wanted.size for size in sizes if not size.alone)
    if allowed < FEWEST_SIMULATIONS or dealt > _DEALT:
        raise OptionError(
            "--responses: studies of this size take longer to simulate than a page can wait; run crowdloom power"
        )
    return allowed


def _words(report: PowerReport) -> dict[str, Any]:
    from crowdloom.studies.power_words import percent, result_sentences, setting_sentences

    return {"about": setting_sentences(report.setting), "said": result_sentences(report), "percent": percent}


def _number(form: Mapping[str, str], name: str) -> float | None:
    written = form.get(name, "").strip()
    if not written:
        return None
    if not re.fullmatch(r"(\d+\.?\d*|\.\d+)", written, re.ASCII):
        raise OptionError(f"--{name}: expected a number such as 0.5, got {written!r}")
    return float(written)


def _responses(written: str) -> list[int]:
    parts = [part.strip() for part in written.split(",") if part.strip()]
    if wrong := [part for part in parts if not re.fullmatch(r"[0-9]{1,5}", part)]:
        raise OptionError(f"--responses: expected whole numbers such as 3,5,7, got {wrong[0]!r}")
    return [int(part) for part in parts]


def _field(error: CrowdloomError) -> str:
    """The field that an error is about: the command's options have the same names."""
    found = re.match(r"--([a-z-]+):", str(error))
    return found[1] if found else "test"


def _sentence(error: CrowdloomError) -> str:
    said = re.sub(r"^--[a-z-]+: ", "", str(error))
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('.') else '.'}"
