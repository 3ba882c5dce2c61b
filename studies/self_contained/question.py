"""The document: consent, instructions, every trial, last questions, and the script that leads through them.

A batch of 28 soft-label trials written out in full would have 170,000 bytes. Its trials differ in their image
alone, so each form of trial stands there once, and the script puts in what differs. Without the script
nothing could be handed in anyway: only it can read where the marketplace wants the answers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.participation import Designs, ItemView
from crowdloom.studies.platforms.mturk_questions import html_question
from crowdloom.studies.prose import TEMPLATES, prose
from crowdloom.studies.self_contained.images import address_of, check_public
from crowdloom.studies.self_contained.questionnaires import questionnaires, required_items, sliders
from crowdloom.studies.self_contained.styles import used_styles
from crowdloom.studies.tables import BatchItem
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import AnswerError, Settings, Trial, View

_IMAGE = "image"  # stands for every address while trials are compared
_MARKS = tuple(chr(0xE000 + number) for number in range(32))  # stand for an item's words; no text has these signs


def question_for_batch(store: Store, design: Design, batch_id: int, where: Mapping[str, Any]) -> str:
    """The document for one batch in the store, for the marketplace at `where`.

    Raises PlatformRefusedError where it is larger than MTurk takes, StoreError where its images lie in a
    bucket that does not let everybody read them (the first one is tried).
    """
    items = batch_items(store, batch_id)
    if first := next((item.image for item in items if item.image), None):
        check_public(store, first)
    return build_question(
        design,
        items,
        images=lambda path: address_of(store, path),
        submit_to=where["submit_to"],
        instructions=Designs(store).instructions(batch_id),
        options=Designs(store).options(batch_id),
    )


def batch_items(store: Store, batch_id: int) -> list[ItemView]:
    """The items of a batch in the design's order, which is that of their trials in the document."""
    items = Designs(store).items(batch_id)
    with store.read() as connection:
        order = select(BatchItem.item_id).where(BatchItem.batch_id == batch_id).order_by(BatchItem.position)
        return [items[item_id] for item_id in connection.scalars(order)]


def build_question(
    design: Design,
    items: Sequence[ItemView],
    *,
    images: Callable[[str], str],
    submit_to: Sequence[str],
    instructions: Sequence[str] | None = None,
    options: Settings | None = None,
) -> str:
    """The document for these items.

    `images` gives the address under which a browser finds an item's image, `submit_to` are the origins to
    which answers may go, `instructions` the pages of a condition that has its own, `options` the task's in
    this condition (the design's, if they are not given). Raises PlatformRefusedError where it is larger than
    MTurk takes, with the advice to host its images on S3.
    """
    env = _environment()
    pages = design.instructions if instructions is None else instructions
    templates: dict[str, int] = {}  # each form of trial once
    required: dict[str, dict[str, str]] = {}
    trials = []
    for item in items:
        trial = trial_of(design, item, design.classes, options, images)
        html = env.get_template(TASKS[design.task].template).render(trial=trial, design=design, values={}, errors={})
        form, words = _without_words(_squeezed(html), trial)
        number = templates.setdefault(form, len(templates))
        required[f"trial-{number}"] = _missing(design.task, trial)
        image = images(item.image) if item.image else None
        trials.append({"template": number, "image": image, "size": item.size, "words": words})
    required["debrief"] = {
        f"question-{number}": "Please answer this question."
        for number, question in enumerate(design.debrief)
        if question.required
    }
    required |= required_items(design)
    check = design.comprehension
    required["check"] = {
        f"question-{number}": "Choose one of the answers." for number in range(len(check.questions) if check else 0)
    }
    study = {
        "question": question_digest(design, items),
        "classes": design.classes,
        "trials": trials,
        "repeats": design.batches.repeats,
        "instructions": len(pages),
        "correct": [question.correct for question in check.questions] if check else None,
        "attempts": check.attempts if check else 0,
        "minimum_ms": round(1000 * design.trials.minimum_seconds),
        "debrief": bool(design.debrief),
        "required": required,
        "submit_to": list(submit_to),
    }
    if design.questionnaires:
        study["sliders"] = sliders(design)
    page = env.get_template("page.html").render(
        design=design,
        instructions=pages,
        trials=[Markup(html) for html in templates],  # noqa: S704 - from our own templates, which escape
        questionnaires=questionnaires(design),
        study=study,
        script=Markup(_script(design, templates)),  # noqa: S704 - our own files
        css="@CSS@",
        values={},
        errors={},
    )
    styles = "".join((TEMPLATES / name).read_text() for name in ("static/app.css", "self_contained/page.css"))
    document = _squeezed(page).replace("<style>\n@CSS@", f"<style>{used_styles(styles, page)}", 1)
    html_question(document, design.mturk.frame_height)  # refuses what is too large
    return document


def trial_of(
    design: Design,
    item: ItemView,
    class_order: Sequence[str],
    options: Settings | None = None,
    images: Callable[[str], str] | None = None,
) -> Trial:
    """An item as the document shows it; what its page shuffles, it shuffles alike for everybody.

    Its image is put in by the script; its further pictures stand in the page, at the addresses that `images` gives.
    """
    return Trial(
        design.classes,
        class_order,
        item.image and _IMAGE,
        item.size,
        item.attributes,
        {name: View(images(view.image) if images else view.image, view.size) for name, view in item.views.items()},
        options or design.task_options(design.arms()[0]),
        seed=item.token,
        reference=item.reference,
    )


def question_digest(design: Design, items: Sequence[ItemView]) -> str:
    """By what an answer is known to belong to this question: its items, in their order, and its classes."""
    said = json.dumps([design.name, design.task, design.classes, [item.token for item in items]])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _without_words(html: str, trial: Trial) -> tuple[str, list[str]]:
    """The trial with a mark for each text that its item says of itself, and these texts, as HTML writes them.

    So trials that differ in such words alone, such as the two classes of a mix, stand in the document once.
    The script puts the words back; with them in place of the marks the HTML is the same to the last character.
    """
    values = (trial.reference, *trial.attributes.values())
    said = {str(escape(value)) for value in values if isinstance(value, str) and value}
    if not said or any(mark in html for mark in _MARKS):
        return html, []
    longest_first = "|".join(re.escape(word) for word in sorted(said, key=len, reverse=True))
    words = re.compile(rf"(?<![\w<&/#-])(?:{longest_first})(?![\w-])")  # neither a tag's name nor within &amp; or &#39;
    used = list(dict.fromkeys(words.findall(html)))  # in the page's order: the item's could tell what no page may show
    if len(used) > len(_MARKS):
        return html, []
    marks = dict(zip(used, _MARKS, strict=False))
    return words.sub(lambda found: marks[found[0]], html), used


def _missing(task: str, trial: Trial) -> dict[str, str]:
    """What the task says of an answer in which nothing is filled in: the fields that are required."""
    try:
        TASKS[task].parse({}, trial)
    except AnswerError as error:
        return error.errors
    return {}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # The first folder has a trial.html of its own, from which a task's page takes its questions alone.
    folders = [TEMPLATES / "self_contained", TEMPLATES]
    env = Environment(loader=FileSystemLoader(folders), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters["prose"] = prose
    env.globals["scripted"] = True  # a picture's larger copy gets its address from the script, so it stands there once
    return env


def _script(design: Design, trials: Iterable[str]) -> str:
    """The page's script with the clock and the elements that our server's pages have, and the answers' own rules.

    An element `<percent-slider>` in a trial is defined by `static/percent-slider.js`.
    """
    used = {"percent-slider"} if any(sliders(design).values()) else set()
    elements = sorted(used.union(re.findall(r"<([a-z]+-[a-z-]+)", "".join(trials))))
    rules = TEMPLATES / PurePosixPath(TASKS[design.task].template).with_suffix(".check.js")
    own = rules.read_text() if rules.is_file() else "const checkAnswer = () => ({});\n"
    if design.questionnaires:
        own += (TEMPLATES / "questionnaires.check.js").read_text()
    static = [(TEMPLATES / "static" / f"{name}.js").read_text() for name in ("timing", *elements)]
    page = (TEMPLATES / "self_contained" / "page.js").read_text()
    script = "\n".join((*static, own, page)).replace("export function", "function")
    lines = re.sub(r"/\*\*.*?\*/", "", script, flags=re.DOTALL).splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and not line.strip().startswith("//"))


def _squeezed(html: str) -> str:
    """Without indentation and empty lines, which matter in none of our templates."""
    return re.sub(r"\s*\n\s*", "\n", html).strip()
