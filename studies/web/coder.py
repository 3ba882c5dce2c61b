"""The coders' pages. Their link carries the coder's token; there is no cookie, and nothing of other coders.

/code/<coder>             the next item to code, or the end
/code/<coder>/coded       what this coder has coded, to change it
/code/<coder>/<item>      one item, coded already or not
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crowdloom.studies.coding import LONGEST_NOTE, Code, CoderLink, find_coder, find_item, read_codes, save_code
from crowdloom.studies.coding_items import CodedItem, Scheme, read_scheme
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
        mine = {self.scheme.items[position].id: of_item[self.coder.id] for position, of_item in codes.items()}
        self.items = self.scheme.order_for(self.coder.name)
        self.codes: dict[int, Code] = mine
        self.left = [item for item in self.items if item.id not in mine]

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
        code = self.codes.get(item.id)
        if code is not None and not errors:
            chosen, note = code.category, code.note or ""
        return self.page(
            "item",
            item=item,
            changes=code is not None,
            chosen=chosen,
            note=note,
            longest=LONGEST_NOTE,
            errors=errors or {},
        )


@blueprint.get("/<token:token>")
def code(token: str) -> Page:
    """The next item, or that there is none."""
    work = _Work(token)
    return work.item_page(work.left[0]) if work.left else work.page("end")


@blueprint.get("/<token:token>/coded")
def coded(token: str) -> Page:
    """What this coder has coded, to change it."""
    work = _Work(token)
    rows = [(item, work.codes[item.id]) for item in work.items if item.id in work.codes]
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
