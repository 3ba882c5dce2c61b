"""Coding as the researcher sees it: who has coded how much, how well coders agree, and deciding where they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import flash, redirect, render_template, request, session, url_for

from crowdloom.studies.coding import LONGEST_NAME, CoderLink, add_coder, adjudicate, find_item, person_name
from crowdloom.studies.coding_items import read_scheme
from crowdloom.studies.coding_overview import ItemCodes, kappa_sentence, read_overview
from crowdloom.studies.errors import OptionError
from crowdloom.studies.web.drawings import drawing_of, drawings_at
from crowdloom.studies.web.researcher_base import Page, blueprint, page_of, study_name
from crowdloom.studies.web.stores import current_store

SHOWN: dict[str, Callable[[ItemCodes], bool]] = {
    "open": lambda row: row.is_open,
    "decided": lambda row: row.decision is not None,
    "all": lambda row: bool(row.codes),
}
ROWS = 20


@blueprint.get("/study/<token:token>/coding")
def coding(token: str) -> Page:
    """Progress, agreement, and the items on which coders differ."""
    return _page(token)


def _page(token: str, *, errors: dict[str, str] | None = None, added: CoderLink | None = None) -> Page:
    with current_store().read() as connection:
        overview = read_overview(connection, study_name(connection, token))
    shown = request.args.get("show", "open")
    shown = shown if shown in SHOWN else "open"
    here, number, pages = page_of([row for row in overview.items if SHOWN[shown](row)], ROWS)
    here = [_with_drawings(token, row) for row in here]
    page = render_template(
        "researcher/coding.html",
        name=overview.scheme.study,
        token=token,
        overview=overview,
        agreement=overview.agreement(),
        sentence=partial(kappa_sentence, noun=overview.scheme.unit),
        titles={category.name: category.title for category in overview.scheme.categories},
        rows=here,
        shown=shown,
        counts={key: sum(map(wanted, overview.items)) for key, wanted in SHOWN.items()},
        number=number,
        pages=pages,
        added=added,
        longest_name=LONGEST_NAME,
        decided_by=request.form.get("decided-by") or session.get("decided_by", ""),
        errors=errors or {},
        form=request.form,
    )
    return (page, 422) if errors else page


def _with_drawings(token: str, row: ItemCodes) -> ItemCodes:
    if row.item.interaction is None:
        return row
    views = drawings_at(lambda stage: url_for(".draw_coded", token=token, item=row.item.token, stage=stage))
    return replace(row, item=replace(row.item, views=views))


@blueprint.get("/study/<token:token>/coding/items/<token:item>/<any(before, intended, after):stage>.svg")
def draw_coded(token: str, item: str, stage: str) -> Page:
    """A drawing of an interaction."""
    with current_store().read() as connection:
        scheme = read_scheme(connection, study_name(connection, token))
    return drawing_of(find_item(scheme, item), stage)


@blueprint.post("/study/<token:token>/coding/coders")
def add_to_coders(token: str) -> Page:
    """Add a coder, and show their personal link; the same name again shows the same link."""
    try:
        with current_store().write() as connection:
            added = add_coder(connection, study_name(connection, token), request.form.get("coder", ""))
    except OptionError as error:
        return _page(token, errors={"coder": str(error)})
    return _page(token, added=added)


@blueprint.post("/study/<token:token>/coding/items/<token:item>")
def decide_category(token: str, item: str) -> Page:
    """Decide the category of an item."""
    category, written = request.form.get("category", ""), request.form.get("decided-by", "")
    with current_store().read() as connection:
        scheme = read_scheme(connection, study_name(connection, token))
    coded = find_item(scheme, item)
    errors = {}
    if category not in scheme.names:
        errors[f"category-{item}"] = f"Choose the category of {coded.key}."
    try:
        session["decided_by"] = person_name(written, "who decides")
    except OptionError as error:
        errors[f"decided-by-{item}"] = str(error)
    if errors:
        return _page(token, errors=errors)
    with current_store().write() as connection:
        adjudicate(connection, scheme, coded, category, written)
    flash(f"{coded.key} is {category}, decided by {session['decided_by']}.")
    back = url_for(
        ".coding", token=token, show=request.args.get("show"), page=request.args.get("page"), _anchor="items"
    )
    return redirect(back, 303)
