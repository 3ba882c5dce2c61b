"""The catalogue: each ready study has the numbers of its paper, and the table shows them."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from crowdloom.models.latent_scenarios import scenario
from crowdloom.studies.catalogue import entries, find_design
from crowdloom.studies.cli.catalogue import command
from crowdloom.studies.design import Condition, Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import OptionError
from crowdloom.studies.rehearsal import stand_ins
from crowdloom.tasks import TASKS
from crowdloom.tasks.latent_people import STRATEGIES

ON_PROLIFIC = ("I live in the United States.", "English is my first language.", "I am 18 or older.")


def design_of(name: str) -> Design:
    """A design of the catalogue."""
    return read_design(find_design(name))[0]


def test_there_is_a_design_for_each_task_and_each_published_study() -> None:
    """Tasks first; a study's name is that of its file."""
    found = [(entry.kind, entry.name) for entry in entries()]
    tasks = sorted(TASKS)
    studies = ["cifar10s", "coach-between", "coach-demo", "coach-within", "digits", "hill", "hill-demo"]
    studies += ["mixed-soft-labels", "mixing-coefficients", "wrong-label-1", "wrong-label-2"]
    assert found == [("task", name) for name in tasks] + [("study", name) for name in studies]
    for entry in entries():
        assert entry.kind == "task" or entry.design.name == entry.name
        assert entry.summary


def test_the_table_shows_items_people_and_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the designs themselves; a mixed design without a sample is counted."""
    monkeypatch.setenv("COLUMNS", "200")
    rows = CliRunner().invoke(command, []).output.splitlines()
    for name, numbers in {
        "cifar10s": ["1000", "248", "3.34", "USD"],
        "coach-between": ["20", "80", "1.50", "USD"],
        "coach-within": ["40", "40", "1.50", "USD"],
        "hill": ["2", "14"],
        "mixing-coefficients": ["810", "33", "2.67", "USD"],
        "mixed-soft-labels": ["100", "8", "3.34", "USD"],
        "wrong-label-1": ["200", "45", "0.05", "USD"],
        "wrong-label-2": ["200", "105", "0.05", "USD"],
    }.items():
        (row,) = [row.split() for row in rows if row.split()[0] == name]
        assert row[1 : 2 + len(numbers)] == ["study", *numbers]


@pytest.mark.parametrize("name", ["nothing", "../designs/cifar10s", ""])
def test_only_what_it_has_can_be_found(name: str) -> None:
    """The names there are stand in the message."""
    with pytest.raises(OptionError, match=r"the catalogue has no .*; there are: .*wrong-label-2"):
        find_design(name)
    assert find_design("cifar10s").is_file()


def test_cifar10s() -> None:
    """Thesis, section 3.2: 1,000 images at 160 pixels, 27 screens, 3 easy images in each batch, 8 to 9 USD an hour."""
    design = design_of("cifar10s")
    assert (design.items.sample, design.items.image_size, design.items.enlarge) == (1000, 160, "lanczos")
    assert (design.batches.size, design.batches.repeats, design.batches.responses_per_item) == (25, (6, 11), 6)
    assert [(part.count, part.at_most, part.above) for part in design.batches.mix] == [(3, 0.1, None), (22, None, 0.25)]
    assert design.rehearsal.people == 248
    check_prolific(design)


def test_mixing_coefficients() -> None:
    """Thesis, section 4.2.1: 45 x 6 x 3 mixes, 59 or 60 screens, repeats of the 15th and 20th, at least two people."""
    design = design_of("mixing-coefficients")
    mixed = design.items.mixed
    assert mixed is not None
    assert (mixed.pairs, mixed.coefficients, mixed.keep) == (6, ((0.5,), (0.1, 0.25), (0.75, 0.9)), ())
    assert design.options == {"question": "infer"}
    assert design.items.enlarge == "nearest"
    batches = design.batches
    assert (batches.size, batches.even, batches.repeats, batches.responses_per_item) == (58, True, (15, 20), 2)
    assert design.rehearsal.people == 33
    check_prolific(design)


def test_mixed_soft_labels() -> None:
    """Thesis, section 5.1.1: 100 of the same mixes, of three coefficients, judged by 8 people who are told so."""
    design, whole = design_of("mixed-soft-labels"), design_of("mixing-coefficients")
    mixed, all_mixes = design.items.mixed, whole.items.mixed
    assert mixed is not None
    assert all_mixes is not None
    assert (design.seed, mixed.pairs, mixed.coefficients) == (whole.seed, all_mixes.pairs, all_mixes.coefficients)
    assert (design.items.path, design.items.counts) == (whole.items.path, whole.items.counts)
    assert mixed.keep == (0.25, 0.5, 0.75)
    assert design.items.sample == 100
    assert design.task_options(design.arms()[0]).model_dump() == {"combined": True}
    places = design.items.sample // design.batches.size * design.batches.responses_per_item
    assert (places, design.rehearsal.people) == (8, 8)
    assert design.rehearsal.behaviour == {"elsewhere": 0.383}
    check_prolific(design)


def test_mixed_soft_labels_are_of_the_stimuli_of_mixing_coefficients() -> None:
    """The same keys with the same pictures."""
    of_all = {item.key: item.image and item.image() for item in stand_ins(design_of("mixing-coefficients"))}
    some = {item.key: item.image and item.image() for item in stand_ins(design_of("mixed-soft-labels"))}
    assert 100 <= len(some) < len(of_all)
    assert some.items() <= of_all.items()


TABLE_1 = {
    "with_interpretations": {"C1": 0.77, "C2": 0.83, "C3": 0.71, "C4": 0.54, "C5": 0.71, "overall": 0.73},
    "images_with": {"C1": 29, "C2": 23, "C3": 28, "C4": 15, "C5": 5},
    "without_interpretations": {"C1": 0.76, "C2": 0.77, "C3": 0.87, "C4": 0.75, "C5": 0.78, "overall": 0.81},
    "images_without": {"C1": 25, "C2": 10, "C3": 47, "C4": 12, "C5": 6},
}
TABLE_2 = {
    "with_interpretations": {"C1": 0.57, "C2": 0.74, "C3": 0.66, "C4": 0.41, "C5": 0.67, "overall": 0.63},
    "images_with": {"C1": 44, "C2": 20, "C3": 112, "C4": 18, "C5": 6},
    "without_interpretations": {"C1": 0.52, "C2": 0.71, "C3": 0.84, "C4": 0.59, "C5": 0.77, "overall": 0.73},
    "images_without": {"C1": 44, "C2": 20, "C3": 112, "C4": 18, "C5": 6},
}


@pytest.mark.parametrize(
    ("name", "people", "each", "split", "one_condition", "table"),
    [("wrong-label-1", 45, 9, True, False, TABLE_1), ("wrong-label-2", 105, 5, False, True, TABLE_2)],
)
def test_wrong_label(
    name: str, people: int, each: int, split: bool, one_condition: bool, table: dict[str, dict[str, float]]
) -> None:
    """Both experiments: 200 images, HITs of one image for 0.05 USD, four qualifications, and the paper's tables."""
    design = design_of(name)
    batches, pay = design.batches, design.people
    assert (design.items.sample, batches.size, batches.responses_per_item, batches.split_items) == (200, 1, each, split)
    assert (pay.one_condition, design.rehearsal.people) == (one_condition, people)
    assert pay.submissions_per_participant >= (200 if split else 100)  # nothing limits how many a worker does
    assert str(pay.reward) == "0.05 USD"
    shown = {arm.name: design.task_options(arm).model_dump()["interpretations"] for arm in design.arms()}
    assert shown == {"Int": True, "No-Int": False}
    wanted = design.mturk.qualifications
    assert (wanted.locale, wanted.approval_percent, wanted.approved_hits, wanted.adult) == (("US",), 98, 3000, True)
    assert design.mturk.delivery == "batches"
    assert design.rehearsal.behaviour == table
    assert design.coding is not None
    assert [category.name for category in design.coding.categories] == ["C1", "C2", "C3", "C4", "C5"]


TABLE_OF_QUESTIONS = (
    "The system supported me in finding an optimal ML model.",
    "The system distracted me during my task.",
    "The system allowed me to understand the effectiveness of my model.",
    "The system biased me.",
    "I trust my model to perform.",
    "I fully understand the visualization of my model.",
    "The system made me understand the weaknesses of my model.",
)


def test_hill() -> None:
    """Section 4.1: two scenarios in counter-balanced order, four interactions, all within an hour; then table 1."""
    design = design_of("hill")
    options: Any = design.task_options(design.arms()[0])
    assert (design.items.names, design.batches.size, design.batches.order) == (
        ("cifar10", "pamap2"),
        2,
        "counterbalanced",
    )
    assert (options.interactions, options.epochs, options.alpha, options.scale_weight) == (4, 5, 0.5, 0.1)
    assert options.think_aloud
    assert design.people.minutes == 60
    assert 2 * options.minutes < design.people.minutes
    assert design.batches.responses_per_item == design.rehearsal.people == 14
    assert [question.kind for question in design.background] == ["number", "options", "scale"]
    assert [(one.instrument, one.after) for one in design.questionnaires] == [
        ("umux-lite", "item"),
        ("nasa-tlx", "item"),
        ("scales", "item"),
    ]
    assert design.questionnaires[2].statements == TABLE_OF_QUESTIONS
    assert all(not question.options for question in design.debrief)
    assert design.coding is not None
    assert design.coding.unit == "interaction"
    assert tuple(category.name for category in design.coding.categories) == STRATEGIES


@pytest.mark.parametrize("name", ["hill", "hill-demo", "latent-session"])
def test_the_classes_are_those_of_the_scenarios(name: str) -> None:
    """In their order, each once."""
    design = design_of(name)
    classes = dict.fromkeys(one for of in design.items.names or () for one in scenario(of).classes)
    assert design.classes == tuple(classes)


def test_coach() -> None:
    """Section 6's study, between and within persons: all digits twice, the same texts, at 9 USD an hour."""
    between, within = design_of("coach-between"), design_of("coach-within")
    for design in (between, within):
        assert (design.items.source, design.items.rounds, design.batches.size) == ("classes", 2, 20)
        assert design.people.reward is not None
        assert design.people.reward.amount * 60 / design.people.minutes == 900
        assert design.comprehension is not None
        assert design.plan is not None
        assert {hypothesis.unit for hypothesis in design.plan.hypotheses} <= {"participant", "response"}
    assert between.consent == within.consent
    sides = {arm.name: design_options(between, arm) for arm in between.arms()}
    assert all(options["coaching"] == name for name, options in sides.items())
    assert set(sides) == {"coached", "control"}
    assert {options["never_coached"] for options in sides.values()} == {("3", "8")}
    assert between.people.one_condition
    assert between.rehearsal.people == 2 * between.batches.responses_per_item
    assert (within.batches.versions, design_options(within, within.arms()[0])["coaching"]) == ("coaching", "by-item")
    assert within.rehearsal.people == 2 * within.batches.responses_per_item


def design_options(design: Design, arm: Condition) -> dict[str, Any]:
    """The options of the task in a condition."""
    return design.task_options(arm).model_dump()


def check_prolific(design: Design) -> None:
    """People in the United States with English as their first language, at 8 USD an hour, 9 with the bonus at most."""
    assert design.eligibility.statements == ON_PROLIFIC
    assert design.prolific.description
    assert design.people.reward is not None
    hours = design.people.minutes / 60
    assert 8 <= design.people.reward.amount / 100 / hours < 8.1
    if design.bonus is not None:
        assert (design.people.reward.amount + design.bonus.amount.amount) / 100 / hours <= 9


def test_what_a_design_needs_beside_it_stands_at_its_top() -> None:
    """The comment names each file that the design names."""
    for entry in entries():
        said = entry.design.items
        top = entry.path.read_text(encoding="utf-8").partition("\nname = ")[0]
        if entry.kind == "study" and said.path:
            assert all(path in top for path in (said.path, said.counts) if path), entry.name
        for name in said.names or ():
            assert scenario(name).needs_data == (f"hill prepare {name} --data" in top), entry.name
