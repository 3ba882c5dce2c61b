"""Design files: every mistake is named with file, line, field and what was expected.

One long file: a table of all the mistakes that a design can have, each with its line.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from crowdloom.studies.catalogue import find_design
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import line_numbers, located, parse_design, read_design
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import DesignError, ItemError

LINES = '''\
# A study.
name = "pets"
title = "Which animal is it?"
task = "soft-label"
classes = [
  "cat", "dog",   # the usual
  "frog",
]
consent = """
[items]
size = 3 is not a setting here, nor is
[[batches.mix]]
"""
instructions = ["one", \'\'\'two
name = "three"\'\'\']

[items]
source = "digits"

[batches]
size = 5
responses_per_item = 2
repeats = [1]

[people]
minutes = 2
hold_minutes = 5
reward = "1.00 USD"
'''.splitlines()
"""The lines of a good design; tests replace one or add some after the last, which is line 28."""


def said(old: str, new: str) -> list[str]:
    """The messages about the design in which `new` stands in place of the line `old` (or at the end)."""
    lines = list(LINES)
    if old:
        lines[max(n for n, line in enumerate(lines) if line == old)] = new
    else:
        lines.append(new)
    with pytest.raises(DesignError) as caught:
        parse_design("\n".join(lines) + "\n", "study.toml")
    return str(caught.value).splitlines()


def test_a_good_design_is_read(tmp_path: Path) -> None:
    """The design and its text come back, also with Windows' line ends and byte order mark."""
    path = tmp_path / "study.toml"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(LINES).encode())
    design, source = read_design(path)
    assert design.classes == ("cat", "dog", "frog")
    assert design.people.reward == Money(amount=100, currency="USD")
    assert source == "\n".join(LINES)
    assert Design.model_validate(design.dump()) == design


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size = 5", "size = 0", "21: batches.size: expected a number of at least 1, got 0"),
        ("size = 5", 'size = "5"', "21: batches.size: expected a whole number, got '5'"),
        ("size = 5", "size = 5.5", "21: batches.size: expected a whole number, got 5.5"),
        ("size = 5", "size = true", "21: batches.size: expected a whole number, got true"),
        ("size = 5", "size = 2024-01-01", "21: batches.size: expected a whole number"),
        ("size = 5", "", "20: batches.size: is missing; add it"),
        ("responses_per_item = 2", "responses_per_item = 1000000", "22: batches.responses_per_item: expected a number"),
        ("repeats = [1]", "repeats = [9]", "23: batches.repeats: position 9 is not between 1 and the batch size 5"),
        ("repeats = [1]", "repeats = [1, 1]", "23: batches.repeats: a position stands there twice"),
        ("repeats = [1]", "repeats = 1", "23: batches.repeats: expected a list in [brackets], got 1"),
        ("repeats = [1]", 'repeats = [1, "x"]', "23: batches.repeats.2: expected a whole number, got 'x'"),
        ("minutes = 2", "minutes = 6", "27: people.hold_minutes: expected at least minutes (6), got 5"),
        ("hold_minutes = 5", "", "25: people.hold_minutes: is missing; add it"),
        ("[people]", "[peeple]", "1: people: is missing; add it"),
        ('name = "pets"', 'name = "My pets!"', "2: name: expected lower-case letters, digits, - and _ alone, got"),
        ('name = "pets"', "name = 7", "2: name: expected a text in quotes, got 7"),
        ('title = "Which animal is it?"', 'title = "  "', "3: title: expected a text that is not empty"),
        ('task = "soft-label"', 'task = "hard"', "4: task: no task is called 'hard'; there are: "),
        ('  "frog",', '  "cat",', "5: classes: a class stands there twice"),
        ('  "frog",', '  "no-alternative",', "5: classes: no class can be called 'no-alternative'"),
        ('  "frog",', "  3,", "5: classes.3: expected a text in quotes, got 3"),
        (
            '  "frog",',
            '  "sea\\nfrog",',
            r"5: classes.3: expected one line without control characters, got 'sea\nfrog'",
        ),
        ('  "frog",', '  "sea\\u007ffrog",', "5: classes.3: expected one line without control characters, got"),
        ('  "frog",', '  "sea\\u2028frog",', "5: classes.3: expected one line without control characters, got"),
        ('  "frog",', '  "participant",', "5: classes.3: 'participant' is a column of exported labels"),
        ('  "frog",', '  "repeat_index",', "5: classes.3: 'repeat_index' is a column of exported labels"),
        ('  "frog",', '  "frog|toad",', "5: classes.3: 'frog|toad' has a |, which separates classes in exports"),
        ('  "frog",', '  ["frog"],', "5: classes.3: expected a text in quotes"),
        ('source = "digits"', 'source = "cloud"', "18: items.source: expected 'digits', 'folder', 'csv', 'arrays'"),
        ('source = "digits"', 'source = "folder"', '18: items.source: "folder" needs a path; add path = "…"'),
        ('source = "digits"', 'source = "digits"\npath = "x"', '18: items.source: "digits" takes no path'),
        ('source = "digits"', 'source = "csv"\npath = "x"\ncounts = "y"', "20: items.counts: belong to source "),
        (
            'source = "digits"',
            'source = "digits"\nimage_size = -1',
            "19: items.image_size: expected a number of at least",
        ),
    ],
)
def test_a_wrong_line_is_named(old: str, new: str, message: str) -> None:
    """The first message names the line of the field, the field and what was expected there."""
    assert said(old, new)[0].startswith(f"study.toml:{message}")


@pytest.mark.parametrize(
    "written", ['"1 dollar"', '"-1.00 USD"', '"1.00 usd"', '"1e3 USD"', '"1.00"', '"USD"', "1.0", "true", '"١ USD"']
)
def test_wrong_money_is_named(written: str) -> None:
    """An amount without a currency, a sum in words, a negative one: each shows how it is written."""
    (message,) = said('reward = "1.00 USD"', f"reward = {written}")
    assert message.startswith('study.toml:28: people.reward: expected an amount with its currency, such as "3.34 USD"')


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1.005 USD", "USD has 2 decimal places, got 1.005"),
        ("100.5 JPY", "JPY has 0 decimal places, got 100.5"),
        ("100.5 RWF", "RWF has 0 decimal places, got 100.5"),
        ("1.0005 KWD", "KWD has 3 decimal places, got 1.0005"),
        (f"1.{'0' * 40}1 USD", f"USD has 2 decimal places, got 1.{'0' * 40}1"),
        ("99999999999 USD", "expected an amount of at most 2147483647 minor units"),
    ],
)
def test_money_that_does_not_exist_is_named(written: str, message: str) -> None:
    """Fractions of the smallest coin, and more than the store holds."""
    assert said('reward = "1.00 USD"', f'reward = "{written}"')[0].startswith(
        f"study.toml:28: people.reward: {message}"
    )


@pytest.mark.parametrize(
    ("added", "messages"),
    [
        (
            "[[batches.mix]]\ncount = 3\nabove = 0.2\n[[batches.mix]]\ncount = 1\nat_most = 0.1",
            ["29: batches.mix: the counts add up to 4, not to size 5"],
        ),
        ("[[batches.mix]]\ncount = 5", ["29: batches.mix.1: expected above or at_most, or both, beside count"]),
        (
            "[[batches.mix]]\ncount = 4\nabove = 0.2\n\n# easy\n[[batches.mix]]\ncount = 1\nat_mots = 0.1",
            ["36: batches.mix.2.at_mots: is not a field here; check its spelling or take it out"],
        ),
        (
            "[[batches.mix]]\ncount = 5\nabove = 2\nat_most = 1",
            ["31: batches.mix.1.above: expected a number below at_"],
        ),
        ("[[batches.mix]]\ncount = 5\nabove = nan", ["31: batches.mix.1.above: expected a finite number, got nan"]),
        (
            '[bonus]\nrule = "best"\namount = "1.00 EUR"\nshare = 2',
            [
                "30: bonus.rule: expected 'agreement', got 'best'",
                "32: bonus.share: expected a number of at most 1.0, got 2",
            ],
        ),
        (
            '[bonus]\nrule = "agreement"\namount = "1.00 EUR"\nshare = 0.5',
            ["29: bonus: expected the reward's currency USD"],
        ),
        ('[conditions]\nname = "a"', ["29: conditions: expected a list in [brackets]"]),
        ('[[conditions]]\nname = "a b"', ["30: conditions.1.name: expected letters, digits, - and _ alone, got 'a b'"]),
        ('[[conditions]]\nname = "a"\n[[conditions]]\nname = "a"', ["29: conditions: a name stands there twice"]),
        (
            '[[debrief]]\nquestion = "Hard?"\n[[debrief]]\nqestion = "Long?"',
            ["31: debrief.2.question: is missing", "32: debrief.2.qestion: is not a field here"],
        ),
        (
            '[comprehension]\nattempts = 0\n[[comprehension.questions]]\nquestion = "?"\noptions = ["x"]\ncorrect = "x"'
            '\n[[comprehension.questions]]\nquestion = "?"\noptions = ["x", "y"]\ncorrect = "z"',
            [
                "30: comprehension.attempts: expected a number of at least 1, got 0",
                "33: comprehension.questions.1.options: expected a list of at least 2",
                "38: comprehension.questions.2.correct: 'z' is not one of the options",
            ],
        ),
        ('[eligibility]\nstatements = "I am an adult"', ["30: eligibility.statements: expected a list in [brackets]"]),
        (
            '[eligibility]\nstatements = ["I am an adult.", "I see\\r\\nwell."]',
            ["30: eligibility.statements.2: expected one line without control characters"],
        ),
        (
            '[[debrief]]\nquestion = "Hard?"\noptions = ["Yes", "No,\\nnever"]',
            ["31: debrief.1.options.2: expected one line without control characters"],
        ),
        (
            '[comprehension]\n[[comprehension.questions]]\nquestion = "?"\noptions = ["x", "y\\tz"]\ncorrect = "x"',
            ["32: comprehension.questions.1.options.2: expected one line without control characters"],
        ),
        (
            '[[debrief]]\nquestion = "Hard?"\n[[debrief]]\nquestion = " Hard? "',
            ["29: debrief: the question 'Hard?' stands there twice"],
        ),
    ],
)
def test_wrong_tables_are_named(added: str, messages: list[str]) -> None:
    """In arrays of tables the element is counted from 1, and every mistake gets a line of its own."""
    found = said("", added)
    assert len(found) == len(messages), found
    for line, message in zip(found, messages, strict=True):
        assert line.startswith(f"study.toml:{message}")


TASK = 'task = "soft-label"'
MIXING = 'task = "mixing-coefficient"'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", "[options]\ncombine = true", "30: options.combine: is not a field here; there are: combined"),
        ("", "[options]\ncombined = 1", "30: options.combined: expected true or false, got 1"),
        ("", '[options]\n\ncombined = "yes"', "31: options.combined: expected true or false, got 'yes'"),
        (
            TASK,
            f'{MIXING}\noptions.question = "guess"',
            "5: options.question: expected 'infer', 'choose' or 'construct', got 'guess'",
        ),
        (TASK, f"{MIXING}\noptions = 3", "5: options: expected a table, got 3"),
        (
            "",
            '[[conditions]]\nname = "a"\n[conditions.options]\ncombined = true\nx = 2',
            "33: conditions.1.options.x: is not a field here; there are: combined",
        ),
        (
            "",
            '[[conditions]]\nname = "a"\n[[conditions]]\nname = "b"\noptions = { combined = 2 }',
            "33: conditions.2.options.combined: expected true or false, got 2",
        ),
        ("", "[rehearsal]\npeople = 0", "30: rehearsal.people: expected a number of at least 1, got 0"),
        (
            "",
            "[rehearsal.behaviour]\nelsewhere = 2",
            "30: rehearsal.behaviour.elsewhere: expected a number of at most 1.0, got 2",
        ),
        (
            "",
            "[rehearsal.behaviour]\nspeed = 2",
            "30: rehearsal.behaviour.speed: is not a field here; there are: elsewhere",
        ),
        (
            TASK,
            f'{MIXING}\nrehearsal.behaviour.slope = "steep"',
            "5: rehearsal.behaviour.slope: expected a number, got 'steep'",
        ),
        (
            TASK,
            f"{MIXING}\nrehearsal.behaviour.slope = nan",
            "5: rehearsal.behaviour.slope: expected a finite number, got nan",
        ),
        ("", "[items.mixed]\nsteps = 3", "29: items.mixed.pairs: is missing; add it"),
        ("", "[items.mixed]\npairs = 0\nsteps = 3", "30: items.mixed.pairs: expected a number of at least 1, got 0"),
        ("", "[items.mixed]\npairs = 1", "29: items.mixed: expected coefficients or steps beside pairs"),
        (
            "",
            "[items.mixed]\npairs = 1\nsteps = 3\ncoefficients = [[0.5]]",
            "31: items.mixed.steps: expected either coefficients or steps, got both",
        ),
        ("", "[items.mixed]\npairs = 1\nsteps = 2", "31: items.mixed.steps: expected a number of at least 3, got 2"),
        (
            "",
            "[items.mixed]\npairs = 1\ncoefficients = [0.5]",
            "31: items.mixed.coefficients.1: expected a list in [brackets], got 0.5",
        ),
        (
            "",
            '[items.mixed]\npairs = 1\ncoefficients = [[0.5], ["half"]]',
            "31: items.mixed.coefficients.2.1: expected a number, got 'half'",
        ),
        ("", "[items.mixed]\npairs = 1\ncoefficients = [[0.5], []]", "31: items.mixed.coefficients: a list is empty"),
        *(
            (
                "",
                f"[items.mixed]\npairs = 1\ncoefficients = [[{number}]]",
                f"31: items.mixed.coefficients: expected numbers from 0 to 1 with at most 3 decimals, got {number}",
            )
            for number in (1.5, -0.1, 0.1234)
        ),
        (
            "",
            "[items.mixed]\npairs = 1\ncoefficients = [[0.1, 0.5], [0.5]]",
            "31: items.mixed.coefficients: 0.5 stands there twice, and each pair is mixed by it once",
        ),
        (
            "",
            "[items.mixed]\npairs = 1\ncoefficients = [[0.5]]\nkeep = [0.4]",
            "32: items.mixed.keep: 0.4 is none of the coefficients",
        ),
        (
            'source = "digits"',
            'source = "digits"\nenlarge = "sharp"',
            "19: items.enlarge: expected 'lanczos' or 'nearest', got 'sharp'",
        ),
        (
            "repeats = [1]",
            "even = true\nmix = [{ count = 5, above = 0.1 }]",
            "23: batches.even: with a mix all batches have the same size anyway; leave it out",
        ),
        (
            "repeats = [1]",
            "split_items = true",
            "23: batches.split_items: only several conditions can share the items; add [[conditions]]",
        ),
        (
            "minutes = 2",
            "minutes = 2\none_condition = true",
            "27: people.one_condition: there is only one condition; add [[conditions]] or leave it out",
        ),
        (
            "",
            "[trials]\nminimum_seconds = -1",
            "30: trials.minimum_seconds: expected a number of at least 0.0, got -1",
        ),
    ],
)
def test_what_is_wrong_with_mixes_and_options_is_named(old: str, new: str, message: str) -> None:
    """What a design says to its task, how images are mixed, and who gets which: one message with line and field."""
    assert said(old, new) == [f"study.toml:{message}"]


def test_what_a_task_is_told_comes_back_from_the_store() -> None:
    """Options, behaviour and mixes make the same design again; a condition's options stand over the design's."""
    told = """
[options]
combined = true
[[conditions]]
name = "told"
[[conditions]]
name = "untold"
options = { combined = false }
[rehearsal]
people = 12
behaviour = { elsewhere = 1 }
[items.mixed]
pairs = 2
coefficients = [[0.5], [0, 1]]
"""
    design = parse_design("\n".join(LINES) + told, "study.toml")
    assert Design.model_validate(design.dump()) == design
    assert [design.task_options(arm).combined for arm in design.arms()] == [True, False]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[items]",
            'items.source = "digits"\nitems.sample = 0\n[people.x]',
            "18: items.sample: expected a number of at",
        ),
        (
            "repeats = [1]",
            "mix = [{ count = 5, above = 2, at_most = 1 }]",
            "23: batches.mix.1.above: expected a number",
        ),
        ("repeats = [1]", "mix = [\n  { count = 5, above = 0 },\n  { count = 1, abov = 1 },\n]", "23: batches.mix.2"),
        ('source = "digits"', '"source" = 3', "18: items.source: expected 'digits'"),
    ],
)
def test_other_ways_to_write_toml_are_named(old: str, new: str, message: str) -> None:
    """Dotted keys, quoted keys and inline tables are told by the line on which they begin."""
    assert any(line.startswith(f"study.toml:{message}") for line in said(old, new)), said(old, new)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('title = "Which animal is it?"', 'title = "Which', 3),
        ('title = "Which animal is it?"', 'name = "again"', 3),
        ("repeats = [1]", "repeats = [1", 25),
        ("[items]", "[items", 17),
        ('consent = """', 'consent = "', 9),
        ("hold_minutes = 5", "hold_minutes = 5 minutes", 27),
    ],
)
def test_a_broken_toml_is_named(old: str, new: str, line: int) -> None:
    """What is no TOML at all is told by the line on which the reader stumbled."""
    (message,) = said(old, new)
    assert message.startswith(f"study.toml:{line}: not valid TOML: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read (No such file or directory); give the path of a design file"), (b"\xff\xfe", "not UTF-8")],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A path that leads nowhere, and a file in another encoding."""
    path = tmp_path / "study.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DesignError) as caught:
        read_design(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_nested_arrays_of_tables_have_their_lines() -> None:
    """A table below an element of an array counts to that element."""
    source = "[[a]]\n[a.b]\nc = 1\n[[a.d]]\n[[a.d]]\ne = 2\n[[a]]\n[a.b]\nc = 3\n[[a.d]]\n"
    lines = line_numbers(source)
    paths = [("a", 0, "b", "c"), ("a", 0, "d", 1, "e"), ("a", 1, "b", "c"), ("a", 1, "d", 0)]
    assert [lines[path] for path in paths] == [3, 6, 9, 10]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DesignError("batches.repeats: too far"), "study.toml:23: batches.repeats: too far"),
        (DesignError("items.sample: too many"), "study.toml:17: items.sample: too many"),
        (ItemError("items.path: x is not a folder"), "study.toml:17: items.path: x is not a folder"),
        (ItemError("/some/file.png: is not an image"), "/some/file.png: is not an image"),
        (ItemError("broken"), "broken"),
    ],
)
def test_what_items_reveal_is_located(error: DesignError | ItemError, message: str) -> None:
    """A message that begins with a field gets its file and line; another one stays as it is."""
    with pytest.raises(type(error)) as caught, located("\n".join(LINES), "study.toml"):
        raise error
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("written", "amount", "shown"),
    [
        ("3.3 USD", 330, "3.30 USD"),
        (" 12 EUR ", 1200, "12.00 EUR"),
        ("0.05 GBP", 5, "0.05 GBP"),
        ("0.000 EUR", 0, "0.00 EUR"),
        ("500 JPY", 500, "500 JPY"),
        ("500.00 XPF", 500, "500 XPF"),
        ("1.5 KWD", 1500, "1.500 KWD"),
        ("0.005 TND", 5, "0.005 TND"),
    ],
)
def test_money_is_shown_as_it_is_written(written: str, amount: int, shown: str) -> None:
    """As many digits as the currency has minor units: none, two or three."""
    money = Money.read(written)
    assert (money.amount, str(money)) == (amount, shown)
    assert Money.read(shown) == money


def test_money_is_kept_in_minor_units() -> None:
    """What the store holds is a number and a currency, and it makes the same design again."""
    bonus = '[bonus]\nrule = "agreement"\namount = "0.41 USD"\nshare = 0.5\n'
    design = parse_design("\n".join(LINES) + "\n" + bonus, "study.toml")
    values = design.dump()
    assert values["people"]["reward"] == {"amount": 100, "currency": "USD"}
    assert values["bonus"]["amount"] == {"amount": 41, "currency": "USD"}
    assert Design.model_validate(values) == design


@pytest.mark.parametrize(("amount", "expected"), [(-1, "at least 0"), (2**31, "at most 2147483647")])
def test_minor_units_are_checked_too(amount: int, expected: str) -> None:
    """A table in place of the text is held to the same limits."""
    (message,) = said('reward = "1.00 USD"', f'reward = {{ amount = {amount}, currency = "USD" }}')
    assert message == f"study.toml:28: people.reward.amount: expected a number of {expected}, got {amount}"


def test_a_bonus_needs_soft_labels() -> None:
    """What could never be computed is not promised."""
    values = read_design(find_design("wrong-label"))[0].dump()
    bonus = {"rule": "agreement", "amount": {"amount": 10, "currency": "USD"}, "share": 0.5}
    with pytest.raises(
        ValidationError, match="agreement compares soft labels, which the task wrong-label does not ask"
    ):
        Design.model_validate(values | {"bonus": bonus})
