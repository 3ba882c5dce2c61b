"""Studies that went oddly: each has a report that says so, and no number that is none."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.tables import Batch, Condition, Submission
from tests.studies import test_importing_files as plain
from tests.studies import test_importing_mixed as mixes
from tests.studies.analysing.odd import KINDS, Odd, plan_of
from tests.studies.cli.test_commands import call

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("error")]

Changes = dict[str, Any]
RULES = {"seconds_per_answer": 100.0, "same_answer": 0.5, "consistency": 0.5}

NO_NUMBER = re.compile(r"(?<![\w-])[-+]?(nan|NaN|NAN|inf|Inf|Infinity|infinity|None|NaT|<NA>|&lt;NA&gt;)(?!\w)")


def rules_of(kind: str) -> dict[str, float]:
    """The rules that a kind can have: of two sessions or drawings nobody can say whether they are the same."""
    return {"seconds_per_answer": RULES["seconds_per_answer"]} if kind in ("session", "writing") else RULES


def nobody(store: Store, name: str, kind: str, plan: Changes) -> None:
    """Published, with every rule of exclusion where there is a plan, and nobody came."""
    if plan:
        checks = {"checks": {"easy_at_most": 0.2, "easy_right": 1}} if kind == "soft" else {}
        rules = rules_of(kind) | {"attention": bool(checks)}
        plan = {"plan": plan_of(KINDS[kind], **rules), **checks}
    Odd(store, name, kind, **plan)


def unpublished(store: Store, name: str, kind: str, plan: Changes) -> None:
    """Loaded alone."""
    Odd(store, name, kind, published=False, **plan)


def began(store: Store, name: str, kind: str, plan: Changes) -> None:
    """One person began, and gave one answer."""
    Odd(store, name, kind, **plan).come("ann", trials=1)


def one_answer(store: Store, name: str, kind: str, plan: Changes) -> None:
    """One answer that counts."""
    Odd(store, name, kind, **plan, batches={"size": 1, "responses_per_item": 1}).come("ann")


def one_participant(store: Store, name: str, kind: str, plan: Changes) -> None:
    """One person, who came once."""
    Odd(store, name, kind, **plan).come("ann")


def one_class(store: Store, name: str, kind: str, plan: Changes) -> None:
    """All items have one reference, and everybody chose it."""
    alike = KINDS[kind].task == "soft-label"
    Odd(store, name, kind, **plan, alike=alike).come("ann", "ben", "cem", "dan", same=True)


def identical(store: Store, name: str, kind: str, plan: Changes) -> None:
    """Everybody said the same of every item, in the same time."""
    Odd(store, name, kind, **plan).come("ann", "ben", "cem", "dan", same=True)


def one_condition(store: Store, name: str, kind: str, plan: Changes) -> None:
    """Only one of two conditions has answers."""
    conditions = [{"name": "plain"}, {"name": "shown"}]
    study = Odd(store, name, kind, **plan, conditions=conditions)
    tokens = study.come("ann", "ben", "cem", "dan")
    with store.read() as connection:
        shown = connection.scalars(
            select(Submission.token)
            .join(Batch, Batch.id == Submission.batch_id)
            .join(Condition, Condition.id == Batch.condition_id)
            .where(Condition.name == "shown", Submission.token.in_(tokens))
        ).all()
    study.exclude(shown, "the page was broken")


def by_hand(store: Store, name: str, kind: str, plan: Changes) -> None:
    """Everybody is excluded by hand."""
    study = Odd(store, name, kind, **plan)
    study.exclude(study.come("ann", "ben"), "a child clicked")


def by_rules(store: Store, name: str, kind: str, plan: Changes) -> None:
    """The plan's rules leave nobody."""
    Odd(store, name, kind, plan=plan_of(KINDS[kind], **rules_of(kind))).come("ann", "ben")


def bare(store: Store, name: str, kind: str, plan: Changes) -> None:
    """Items without a reference, difficulty or any attribute that the task can do without."""
    Odd(store, name, kind, **plan, bare=True).come("ann", "ben", "cem")


def unanswered(store: Store, name: str, kind: str, plan: Changes) -> None:
    """Questionnaires and a debrief that nobody answered."""
    asked = {
        "questionnaires": [{"instrument": "umux-lite", "system": "the page"}, {"instrument": "nasa-tlx"}],
        "debrief": [{"question": "How hard was it?", "options": ["easy", "hard"]}, {"question": "Anything else?"}],
    }
    Odd(store, name, kind, **plan, **asked).come("ann", "ben")


EMPTY = (nobody, unpublished, began, by_hand, by_rules)
ALL, SOME, MOST = tuple(KINDS), ("soft", "wrong"), ("soft", "infer", "construct", "wrong")
ODDITIES: dict[Callable[[Store, str, str, Changes], None], tuple[str, ...]] = {
    nobody: ALL,
    unpublished: SOME,
    began: SOME,
    one_answer: ALL,
    one_participant: MOST,
    one_class: ("soft",),
    identical: ALL,
    one_condition: ("soft", "infer", "wrong"),
    by_hand: ALL,
    by_rules: ALL,
    bare: MOST,
    unanswered: ("soft",),
}
WITHOUT_PLAN = (nobody, one_answer, identical, by_hand)
"""Nothing but the plan's own section differs where there is none."""
CASES = [
    pytest.param(oddity, kind, planned, id=f"{oddity.__name__}-{kind}{'' if planned else '-unplanned'}")
    for oddity, kinds in ODDITIES.items()
    for kind in kinds
    for planned in ((True, False) if oddity in WITHOUT_PLAN and kind in SOME else (True,))
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all of these studies."""
    store = open_store(str(tmp_path_factory.mktemp("odd") / "store.db"))
    yield store
    store.close()


def no_number(text: str) -> list[str]:
    """Where a text has a number that is none, with what stands around it."""
    return [text[max(0, found.start() - 60) : found.end() + 30] for found in NO_NUMBER.finditer(text)]


def test_what_is_no_number_is_seen() -> None:
    """In tables, paths and sentences; words that only begin like it are words."""
    for text in ("mean,nan", ">NaN<", "M 1 nan", 'width="inf"', "-inf", "of None.", "1,<NA>", "NaT"):
        assert len(no_number(text)) == 1
    assert no_number("infer, nano, information, fill: none, Nonesuch, ant-nan") == []


def words(html: str) -> str:
    """The text of a page."""
    text = re.sub(r"<(style|svg).*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def report_of(store: Store, name: str, folder: Path) -> str:
    """The words of a study's report; nothing that was printed or written has a number that is none."""
    out = folder / "report.html"
    printed = call("analyse", name, "--out", str(out), "--samples", "20", "--database", store.url).output
    assert no_number(printed) == []
    written = sorted(path for path in folder.rglob("*.*") if path.is_file())
    assert len(written) > 1
    found = {path.name: no_number(path.read_text(encoding="utf-8")) for path in written}
    assert {name: some for name, some in found.items() if some} == {}
    return words(out.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("oddity", "kind", "planned"), CASES)
def test_a_report_says_what_there_is(
    shared: Store, tmp_path: Path, oddity: Callable[..., None], kind: str, planned: bool
) -> None:
    """Words instead of numbers that are none, in the page, its tables and its figures."""
    name = f"{kind}-{oddity.__name__}-{planned}".replace("_", "-").lower()
    oddity(shared, name, kind, {"plan": plan_of(KINDS[kind])} if planned else {})
    said = report_of(shared, name, tmp_path)
    assert ("nothing to describe" in said) == (oddity in EMPTY)
    assert (tmp_path / "report" / "tables" / "plan.csv").exists() == planned
    assert ("filled in" in said) == (oddity is unanswered)
    if planned and oddity in (*EMPTY, one_answer):
        assert said.count("It could not be tested") == len(plan_of(KINDS[kind])["hypotheses"])


@pytest.mark.parametrize(
    ("kind", "answers"), [("soft", 1), ("mixed-soft", 1), ("infer", 1), ("infer", 2), ("choose", 1), ("construct", 1)]
)
def test_an_import(shared: Store, tmp_path: Path, kind: str, answers: int) -> None:
    """One session of somebody else's file, with one answer and its repeat, or with two."""
    name = f"imported-{kind}-{answers}"
    raw = tmp_path / "raw.csv"
    pairs = [("Airplane_2589_Cat_6202", "0.3"), ("Frog_2865_Horse_7935", "1.0")][:answers]
    sliders = [(mixes.A, 100, 100), (mixes.B, 0, 95)][:answers]
    soft = [
        mixes.base("ann", 3 + number, "survey-html-form", 2)
        | mixes.mixed(image)
        | {"task": "spec_conf", "response": json.dumps(plain.GOOD)}
        for number, (image, *_) in enumerate(sliders)
    ]
    task = "soft-label" if kind.endswith("soft") else "mixing-coefficient"
    text, mapping = {
        "soft": (plain.text(plain.session("ann", "12"[:answers])), "cifar10s"),
        "mixed-soft": (mixes.text(soft, mixes.SOFT), "hmix-soft-labels"),
        "infer": (mixes.text(mixes.infer("ann", sliders), mixes.INFER), "hmix-infer"),
        "choose": (mixes.text(mixes.choose("ann", pairs), mixes.CHOOSE), "hmix-choose"),
        "construct": (mixes.text(mixes.construct("ann", pairs, "0.1"), mixes.CONSTRUCT), "hmix-construct"),
    }[kind]
    raw.write_text(text, encoding="utf-8")
    database = ("--database", shared.url)
    call("import", "jspsych", str(raw), "--task", task, "--study", name, "--mapping", mapping, *database)
    raw.unlink()
    assert f"{name}: " in report_of(shared, name, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("oddity", [nobody, one_answer, identical])
def test_describe_and_figures(shared: Store, tmp_path: Path, oddity: Callable[..., None], kind: str) -> None:
    """The commands that the report is made of say the same by themselves, in lines, JSON and files."""
    name, database = f"{kind}-{oddity.__name__}-told".replace("_", "-"), ("--database", shared.url)
    oddity(shared, name, kind, {})
    lines, told = (call("describe", name, *json_too, *database).output for json_too in ((), ("--json",)))
    assert no_number(lines) == []
    assert "NaN" not in told
    figures = call("figures", name, "--out", str(tmp_path / "figures"), "--format", "svg", *database).output
    drawn = sorted(path.name for path in tmp_path.rglob("*.svg"))
    assert no_number("".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.svg"))) == []
    assert sorted(re.findall(r"(\S+\.svg)\.$", figures, re.MULTILINE)) == [
        str(tmp_path / "figures" / one) for one in drawn
    ]
    for table in ("answers", "items", "questionnaires", "debrief", "events"):
        call("export", name, "--out", str(tmp_path / f"{table}.csv"), "--table", table, *database)
        assert no_number((tmp_path / f"{table}.csv").read_text(encoding="utf-8")) == []
    with (tmp_path / "answers.csv").open(encoding="utf-8", newline="") as file:
        firsts = [row for row in csv.DictReader(file) if row["is_repeat"] == "False"]
    assert json.loads(told)["responses_first"] == len(firsts)
    assert (oddity is nobody) == (not firsts)
