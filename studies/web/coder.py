"""The coders' pages. Their link carries the coder's token; there is no cookie, and nothing of other coders.

/code/<coder>             the next item to code, or the end
/code/<coder>/coded       what this coder has coded, to change it
/code/<coder>/<item>      one item, coded already or not
/code/<coder>/<item>/before.svg, intended.svg, after.svg
                          the drawings of an interaction
/code/<coder>/<item>/voice/<n>
                          what its participant said in it, as recorded the n-th time
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from crowdloom.studies.coding import LONGEST_NOTE, Code, CoderLink, find_coder, find_item, read_codes, save_code
from crowdloom.studies.coding_items import Scheme, read_scheme
from crowdloom.studies.coding_units import CodedItem, Unit
from crowdloom.studies.errors import StudyError
from crowdloom.studies.interaction_view import InteractionView, sound_of, view_interaction
from crowdloom.studies.web.drawings import drawing_of, drawings_at
from crowdloom.studies.web.stores import current_store

blueprint = Blueprint("coder", __name__, url_prefix="/code")
Page = str | Response | tuple[str, int]


class _Work:
    """A coder's own items and codes."""

    def __init__(self, token: str) -> None:
        with current_store().read() as connection:
            self.coder: CoderLink = find_coder(connection, token)
            self.scheme: Scheme = read_scheme(connection, self.coder.study)
            codes = read_codes(connection, self.scheme, self.coder.id)
        mine = {self.scheme.items[position].unit: of_item[self.coder.id] for position, of_item in codes.items()}
        self.items = self.scheme.order_for(self.coder.name)
        self.codes: dict[Unit, Code] = mine
        self.left = [item for item in self.items if item.unit not in mine]

    def page(self, template: str, **more: object) -> str:
        return render_template(
            f"coder/{template}.html",
            coder=self.coder,
            scheme=self.scheme,
            done=len(self.codes),
            total=len(self.items),
            **more,
        )

    def item_page(
        self, item: CodedItem, errors: dict[str, str] | None = None, *, chosen: str | None = None, note: str = ""
    ) -> str:
        """One item: with what this coder said of it, or with what they just sent and could not be saved."""
        code = self.codes.get(item.unit)
        if code is not None and not errors:
            chosen, note = code.category, code.note or ""
        return self.page(
            "item",
            item=self.with_drawings(item),
            view=_view(item),
            earlier=self.earlier(item),
            changes=code is not None,
            chosen=chosen,
            note=note,
            longest=LONGEST_NOTE,
            errors=errors or {},
        )

    def with_drawings(self, item: CodedItem) -> CodedItem:
        """The item; an interaction with its drawings as views."""
        if item.interaction is None:
            return item
        mine = self.coder.token
        return replace(
            item, views=drawings_at(lambda stage: url_for(".drawing", token=mine, item=item.token, stage=stage))
        )

    def earlier(self, item: CodedItem) -> list[tuple[CodedItem, Code | None]]:
        """The interactions of the same session before this one, with what this coder said of them."""
        if item.interaction is None:
            return []
        session = item.interaction.session
        return [
            (one, self.codes.get(one.unit))
            for one in self.items
            if one.interaction is not None and one.interaction.session == session and one.number < item.number
        ]


def _view(item: CodedItem) -> InteractionView | None:
    if item.interaction is None:
        return None
    with current_store().read() as connection:
        return view_interaction(connection, item.interaction, item.id)


@blueprint.get("/<token:token>")
def code(token: str) -> Page:
    """The next item, or that there is none."""
    work = _Work(token)
    return work.item_page(work.left[0]) if work.left else work.page("end")


@blueprint.get("/<token:token>/coded")
def coded(token: str) -> Page:
    """What this coder has coded, to change it."""
    work = _Work(token)
    rows = [(work.with_drawings(item), work.codes[item.unit]) for item in work.items if item.unit in work.codes]
    titles = {category.name: category.title for category in work.scheme.categories}
    return work.page("coded", rows=rows, titles=titles)


@blueprint.get("/<token:token>/<token:item>")
def one(token: str, item: str) -> Page:
    """One item."""
    work = _Work(token)
    return work.item_page(find_item(work.scheme, item))


@blueprint.post("/<token:token>/<token:item>")
def save(token: str, item: str) -> Page:
    """Save a code, and go on to the next item, or back to the list from where a code was changed."""
    work = _Work(token)
    coded_item = find_item(work.scheme, item)
    chosen, note = request.form.get("category", ""), request.form.get("note", "")
    errors = {}
    if chosen not in work.scheme.names:
        errors["category"] = "Choose one category."
    if len(note.strip().replace("\r\n", "\n")) > LONGEST_NOTE:
        errors["note"] = f"Write at most {LONGEST_NOTE:,} characters."
    if errors:
        return work.item_page(coded_item, errors, chosen=chosen, note=note), 422
    with current_store().write() as connection:
        save_code(connection, work.scheme, work.coder, coded_item, chosen, note)
    where = ".coded" if request.form.get("back") == "coded" else ".code"
    return redirect(url_for(where, token=token), 303)


@blueprint.get("/<token:token>/<token:item>/<any(before, intended, after):stage>.svg")
def drawing(token: str, item: str, stage: str) -> Response:
    """A drawing of an interaction."""
    return drawing_of(find_item(_Work(token).scheme, item), stage)


@blueprint.get("/<token:token>/<token:item>/voice/<int:number>")
def voice(token: str, item: str, number: int) -> Response:
    """What a participant said in an interaction."""
    coded_item = find_item(_Work(token).scheme, item)
    with current_store().read() as connection:
        sound = sound_of(connection, coded_item, number)
    if sound is None:
        raise StudyError("Nothing was recorded here, or the participant had it deleted.")
    response: Response = send_file(BytesIO(sound.content), sound.mime, conditional=True, etag=False)
    response.headers["Cache-Control"] = "no-store"  # what is deleted is gone
    return response
