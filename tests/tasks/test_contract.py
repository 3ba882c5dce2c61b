"""What every registered task fulfils, one test for each clause of the contract."""

from __future__ import annotations

import importlib
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lxml.html
import numpy as np
import pytest
from flask import Flask, render_template

from crowdloom.studies.database import Store
from crowdloom.studies.prose import TEMPLATES
from crowdloom.studies.web import create_app
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack, record_fields
from crowdloom.tasks.protocol import AnswerError, Person, Trial
from tests.studies.designs import make_design

PEOPLE = [
    Person(),
    Person(skill=0, careless=1),
    Person(skill=1, calibration=0.3),
    Person(skill=0.5, calibration=3, careless=0.5),
]

pytestmark = pytest.mark.parametrize(
    ("task", "example"),
    [
        pytest.param(task, example, id=f"{name}-{number}")
        for name, task in TASKS.items()
        for number, example in enumerate(task.examples)
    ],
)
"""Every clause holds for every form that a task's question can take."""


@pytest.fixture
def app(sqlite_store: Store) -> Flask:
    """The real app, with its real templates."""
    return create_app(sqlite_store)


def page(
    app: Flask, task: Any, trial: Trial, values: Mapping[str, Sequence[str]], errors: Mapping[str, str]
) -> lxml.html.HtmlElement:
    """The task's page with these values in its form and these errors beside them."""
    with app.test_request_context("/take/x"):
        html = render_template(
            task.template,
            design=make_design(),
            base="/take/x",
            trial=trial,
            trial_id="item.0",
            number=2,
            total=5,
            values=values,
            errors=errors,
            next_image=None,
            shown_at="2024-01-01T00:00:00+00:00",
        )
    return lxml.html.document_fromstring(html)


def fields(document: lxml.html.HtmlElement) -> dict[str, list[str]]:
    """What the page's form would post if it were sent as it is."""
    (form,) = [form for form in document.forms if form.get("action") == "/take/x/answer"]
    posted: dict[str, list[str]] = {}
    for name, value in form.form_values():
        posted.setdefault(name, []).append(value)
    return {name: values for name, values in posted.items() if name not in ("trial", "shown_at", "timing")}


def chosen(document: lxml.html.HtmlElement) -> dict[str, list[str]]:
    """What of it a participant has chosen or typed: not what the page says of itself in hidden fields."""
    hidden = set(document.xpath("//form//input[@type='hidden']/@name"))
    return without_empty({name: values for name, values in fields(document).items() if name not in hidden})


def without_empty(form: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """A form without its empty fields, with its values in one order."""
    return {name: sorted(values) for name, values in form.items() if any(values)}


def test_its_name_and_its_page_have_the_stem_of_its_module(task: Any, example: Any) -> None:
    """`soft-label` lives in `tasks/soft_label.py` and shows `templates/tasks/soft_label.html`."""
    stem = type(task).__module__.rpartition(".")[2]
    assert TASKS[task.name] is task
    assert task.name == stem.replace("_", "-")
    assert task.template == f"tasks/{stem}.html"
    assert (TEMPLATES / task.template).is_file()
    assert importlib.import_module(type(task).__module__).__doc__
    assert task.summary.endswith(".")
    assert "\n" not in task.summary


def test_its_example_is_json(task: Any, example: Any) -> None:
    """The example's answer is what the store keeps: JSON that comes back as it went."""
    trial, answer = example
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    assert sorted(trial.class_order) == sorted(trial.classes)
    assert task.check_classes(trial.classes) is None
    assert task.check_item(trial) is None


def test_a_good_form_is_the_inverse_of_its_answer(task: Any, example: Any) -> None:
    """`parse` reads from `form` the answer that it was made of."""
    trial, answer = example
    assert task.parse(task.form(answer), trial) == answer


def test_its_page_posts_the_example(task: Any, example: Any, app: Flask) -> None:
    """The page, filled in with the example, posts a form that parses to the example."""
    trial, answer = example
    document = page(app, task, trial, task.form(answer), {})
    posted = fields(document)
    assert without_empty(posted) == without_empty(task.form(answer))
    assert task.parse(posted, trial) == answer
    images = [image.get("src") for image in document.xpath("//img[@data-stimulus]")]
    assert images == ([trial.image] if trial.image else [])
    assert trial.image is None or document.xpath("//img[@data-stimulus]")[0].get("alt")


def test_its_page_starts_empty(task: Any, example: Any, app: Flask) -> None:
    """Nothing is chosen for the participant beforehand."""
    trial, _ = example
    assert chosen(page(app, task, trial, {}, {})) == {}


def test_every_control_has_a_name_and_a_label(task: Any, example: Any, app: Flask) -> None:
    """Whoever hears the page is told what each control is."""
    trial, answer = example
    document = page(app, task, trial, task.form(answer), {})
    ids = [element.get("id") for element in document.xpath("//*[@id]")]
    assert len(ids) == len(set(ids))
    controls = document.xpath("//form//*[self::input[not(@type='hidden')] or self::select or self::textarea]")
    assert controls or task.live_steps  # the page of a live task may make its own, of which the form knows nothing
    for control in controls:
        wraps = control.xpath("ancestor::label")
        points = document.xpath("//label[@for=$id]", id=control.get("id") or "")
        assert control.get("name")
        assert any(label.text_content().strip() for label in [*wraps, *points]), control.get("name")


def test_an_empty_form_is_refused_beside_its_fields(task: Any, example: Any, app: Flask) -> None:
    """Each error is a sentence that stands by a control of its field, which refers to it."""
    trial, _ = example
    with pytest.raises(AnswerError) as caught:
        task.parse({}, trial)
    errors = caught.value.errors
    assert errors
    document = page(app, task, trial, {}, errors)
    for field, sentence in errors.items():
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        (shown,) = document.xpath("//*[@id=$id]", id=f"{field}-error")
        assert shown.text_content() == sentence
        around = shown.getparent()
        assert around.xpath(".//*[@name=$name]", name=field), f"{field}: no control beside the sentence"
        described = around.xpath("descendant-or-self::*[@aria-describedby]")
        assert any(f"{field}-error" in element.get("aria-describedby").split() for element in described)
        (link,) = document.xpath("//*[@data-summary]//a[@href=$href]", href=f"#{field}")
        assert link.text_content() == sentence
        assert document.xpath("//*[@id=$id]", id=field)


def test_an_error_keeps_everything_typed(task: Any, example: Any, app: Flask) -> None:
    """With every field in error the page still shows all that was typed."""
    trial, answer = example
    form = task.form(answer)
    document = page(app, task, trial, form, dict.fromkeys(form, "This is not right."))
    assert without_empty(fields(document)) == without_empty(form)


def test_strange_forms_are_answered_or_refused(task: Any, example: Any, app: Flask) -> None:
    """Whatever stands in a field, `parse` gives an answer that can be stored or one sentence for each field."""
    trial, answer = example
    strange = ["", " ", "\x00", "'\"<script>alert(1)</script>", "💥" * 50, "9" * 100_000, "nan", "-1", "\ud800"]
    for name in task.form(answer):
        for value in strange:
            errors: Mapping[str, str] = {}
            try:
                parsed = task.parse(task.form(answer) | {name: [value]}, trial)
            except AnswerError as error:
                errors = error.errors
            else:
                assert pack(task.columns, task.typed(parsed, trial.classes), trial.classes)
                assert json.dumps(parsed, allow_nan=False)
                continue
            assert name in errors
            assert all(len(sentence) < 300 for sentence in errors.values())
            shown = page(app, task, trial, {name: [value.replace("\ud800", "?")]}, errors)
            assert not shown.xpath("//script[contains(., 'alert')]")


@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_a_simulated_participant_answers(task: Any, example: Any, person: Person) -> None:
    """Whatever their habits, what they post parses, and posts itself again."""
    trial, _ = example
    truth = dict.fromkeys(trial.classes[:2], 0.5)
    rng = random.Random(1)
    for _ in range(50):
        answer = task.parse(task.simulate(truth, person, trial, rng), trial)
        assert task.parse(task.form(answer), trial) == answer


def test_a_simulated_participant_is_reproducible(task: Any, example: Any) -> None:
    """All chance comes from the generator that is handed in."""
    trial, _ = example
    truth = {trial.classes[0]: 1.0}
    one, two = (task.simulate(truth, Person(skill=0.5), trial, random.Random(4)) for _ in range(2))
    assert one == two


def test_its_columns_are_declared(task: Any, example: Any) -> None:
    """Names are unique, can be columns of a frame, and are the frame's alone; each says what it means."""
    names = [column.name for column in task.columns]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)
    taken = {"study", "condition", "batch", "item", "participant", "submission", "position", "is_repeat", "rt_ms"}
    assert not taken & set(names)
    assert all(column.meaning for column in task.columns)


def test_its_columns_are_packed_and_read_again(task: Any, example: Any) -> None:
    """The record that the store keeps holds just the typed values of the answer."""
    trial, answer = example
    values = task.typed(answer, trial.classes)
    record = np.frombuffer(
        pack(task.columns, values, trial.classes), np.dtype(record_fields(task.columns, len(trial.classes)))
    )
    assert record.shape == (1,)
    for column, value in zip(task.columns, values, strict=True):
        found = record[column.name][0]
        if column.kind == "class":
            assert (None if found < 0 else trial.classes[found]) == value
        elif column.kind == "number":
            assert (None if np.isnan(found) else found) == value
        else:
            bits = np.unpackbits(found, count=len(trial.classes)).astype(bool)
            assert [name for name, ticked in zip(trial.classes, bits, strict=True) if ticked] == list(value)


def test_its_live_steps_say_where_they_run(task: Any, example: Any) -> None:
    """A step has a time limit and a place, and models that pydantic knows."""
    for step in task.live_steps.values():
        assert step.time_limit_s > 0
        assert step.where in ("inline", "worker")
        assert step.input.model_json_schema()
        assert step.output.model_json_schema()


def test_its_module_is_in_the_folder(task: Any, example: Any) -> None:
    """No task comes from elsewhere."""
    file = importlib.import_module(type(task).__module__).__file__
    assert file is not None
    assert Path(file).resolve().parent == TEMPLATES.parent / "tasks"
