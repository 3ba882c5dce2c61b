"""What a design says, as pydantic models: the meaning, default and limits of every field."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    StringConstraints,
    field_validator,
    model_validator,
)

from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import BETWEEN_CLASSES, LABEL_COLUMNS


def _one_line(text: str) -> str:
    # Browsers post a line break in their own way, so such an option would never be the one that is posted.
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in text):
        raise ValueError(f"expected one line without control characters, got {text!r}")
    return text


def _fit_for_export(name: str) -> str:
    if name in LABEL_COLUMNS:
        raise ValueError(f"{name!r} is a column of exported labels; give the class another name")
    if BETWEEN_CLASSES in name:
        raise ValueError(f"{name!r} has a {BETWEEN_CLASSES}, which separates classes in exports; write it otherwise")
    return name


Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), AllowInfNan(False)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Line = Annotated[Text, AfterValidator(_one_line)]
ClassName = Annotated[Line, StringConstraints(max_length=200), AfterValidator(_fit_for_export)]
MOST_RESPONSES = 10_000
_MOST_MONEY = 2**31 - 1  # what the store holds
_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Of the currencies (ISO 4217) whose minor unit is not a hundredth."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Money(_Part):
    """An amount in minor units (cents) of a currency; a design writes it as "3.34 USD".

    >>> Money.read("3.34 USD")
    Money(amount=334, currency='USD')
    """

    amount: Whole = Field(ge=0, le=_MOST_MONEY)
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @staticmethod
    def read(written: object) -> Money:
        """Read "3.34 USD". Raises ValueError with what was expected."""
        match = re.fullmatch(r"\s*([0-9]+)(\.[0-9]+)?\s*([A-Z]{3})\s*", written) if isinstance(written, str) else None
        if match is None:
            raise ValueError(f'expected an amount with its currency, such as "3.34 USD", got {written!r}')
        whole, fraction, currency = match[1], (match[2] or "").strip(".").rstrip("0"), match[3]
        digits = _minor_digits(currency)
        if len(fraction) > digits:
            raise ValueError(f"{currency} has {digits} decimal places, got {whole}{match[2]}")
        minor = (whole + fraction.ljust(digits, "0")).lstrip("0")
        if len(minor) > len(str(_MOST_MONEY)) or int(minor or 0) > _MOST_MONEY:
            raise ValueError(f"expected an amount of at most {_MOST_MONEY} minor units, got {minor}")
        return Money(amount=int(minor or 0), currency=currency)

    def __str__(self) -> str:
        return f"{Decimal(self.amount).scaleb(-_minor_digits(self.currency)):f} {self.currency}"


def _minor_digits(currency: str) -> int:
    return _MINOR_DIGITS.get(currency, 2)


def _amount(written: object) -> object:
    """As a design writes it, or as the store holds it, which the fields of `Money` check."""
    return written if isinstance(written, Money | dict) else Money.read(written)


Amount = Annotated[Money, BeforeValidator(_amount)]


class Items(_Part):
    """Where the stimuli come from."""

    source: Literal["digits", "folder", "csv", "arrays", "import"]
    """`digits`: scikit-learn's; `folder`: images below `path`, in one folder per class or all in one;
    `csv`: a table with the columns key, image and optionally reference and difficulty; `arrays`: an .npz
    with `images` and optionally `label`, `index` and `difficulty`; `import`: written by
    `crowdloom import`, whose items came with the answers."""
    path: str | None = None
    """File or folder, relative to the design file."""
    counts: str | None = None
    """For `arrays`: an .npy with annotator counts per class, one row for each `index`; the difficulty
    of an item is then the entropy of its row, in nats."""
    sample: Whole | None = Field(default=None, ge=1)
    """How many items to draw, with the design's seed; all where it is absent."""
    image_size: Whole = Field(default=160, ge=0, le=2048)
    """Smaller images are enlarged (Lanczos) until the shorter side has so many pixels; 0 shows them as they are."""

    @model_validator(mode="after")
    def _path_is_given(self) -> Items:
        if self.source == "digits" and (self.path or self.counts):
            raise ValueError('source: "digits" takes no path and no counts')
        if self.source != "digits" and not self.path:
            raise ValueError(f'source: "{self.source}" needs a path; add path = "…"')
        if self.counts and self.source != "arrays":
            raise ValueError(f'counts: belong to source "arrays", not to "{self.source}"')
        return self


class Mix(_Part):
    """So many items of each batch lie in this range of difficulty."""

    count: Whole = Field(ge=1)
    above: Number | None = None
    """Difficulty greater than this."""
    at_most: Number | None = None
    """Difficulty not greater than this."""

    @model_validator(mode="after")
    def _a_range(self) -> Mix:
        if self.above is None and self.at_most is None:
            raise ValueError("expected above or at_most, or both, beside count")
        if self.above is not None and self.at_most is not None and self.above >= self.at_most:
            raise ValueError(f"above: expected a number below at_most ({self.at_most}), got {self.above}")
        return self

    def holds(self, difficulty: float | None) -> bool:
        """Whether an item of this difficulty belongs to this part."""
        if difficulty is None:
            return False
        return (self.above is None or difficulty > self.above) and (self.at_most is None or difficulty <= self.at_most)


class Batches(_Part):
    """How items are dealt to participants."""

    size: Whole = Field(ge=1)
    """Distinct items in a batch. The last batch may be smaller, unless a mix is asked for."""
    responses_per_item: Whole = Field(ge=1, le=MOST_RESPONSES)
    """First responses wanted per item (in each condition): the places of a batch."""
    repeats: tuple[Whole, ...] = ()
    """Positions, counted from 1, of the items that are shown again at the end."""
    mix: tuple[Mix, ...] = ()
    """Which difficulties a batch combines; the counts add up to `size`."""

    @model_validator(mode="after")
    def _fits(self) -> Batches:
        for position in self.repeats:
            if not 1 <= position <= self.size:
                raise ValueError(f"repeats: position {position} is not between 1 and the batch size {self.size}")
        if len(set(self.repeats)) < len(self.repeats):
            raise ValueError("repeats: a position stands there twice")
        if self.mix and sum(part.count for part in self.mix) != self.size:
            raise ValueError(f"mix: the counts add up to {sum(p.count for p in self.mix)}, not to size {self.size}")
        return self


class People(_Part):
    """Who takes part, for how long and for what."""

    minutes: Whole = Field(ge=1)
    """What the consent page says it takes."""
    hold_minutes: Whole = Field(ge=1, le=60 * 24 * 365)
    """How long a place is kept for somebody who has begun."""
    reward: Amount | None = None
    """What everybody who completes is paid; absent for volunteers."""
    submissions_per_participant: Whole = Field(default=1, ge=1)
    """How often one person may take the study, with other items each time."""

    @model_validator(mode="after")
    def _time_enough(self) -> People:
        if self.hold_minutes < self.minutes:
            raise ValueError(f"hold_minutes: expected at least minutes ({self.minutes}), got {self.hold_minutes}")
        return self


class Eligibility(_Part):
    """Who may take part; checked on our server, whatever a platform checks before."""

    statements: tuple[Line, ...] = ()
    """Each must be ticked on the consent page."""
    exclude_studies: tuple[Text, ...] = ()
    """People who began one of these studies are turned away; publishing needs them all in the store."""


class Bonus(_Part):
    """A bonus beyond the reward, promised on the consent page."""

    rule: Literal["agreement"]
    """`agreement`: to those whose answers best match the other annotators'."""
    amount: Amount
    share: Number = Field(gt=0, le=1)
    """Which share of the people gets it."""


class Question(_Part):
    """A question with its possible answers."""

    question: Text
    options: tuple[Line, ...] = Field(min_length=2)
    correct: Text

    @model_validator(mode="after")
    def _correct_is_an_option(self) -> Question:
        if self.correct not in self.options:
            raise ValueError(f"correct: {self.correct!r} is not one of the options")
        return self


class Comprehension(_Part):
    """Questions after the instructions; a wrong answer sends back to them."""

    attempts: Whole = Field(default=3, ge=1)
    """How often the check may be tried before the participation ends."""
    questions: tuple[Question, ...] = Field(min_length=1)


class DebriefQuestion(_Part):
    """A question after the last trial; free text where it has no options."""

    question: Text
    options: tuple[Line, ...] = ()
    required: StrictBool = False


class Condition(_Part):
    """An arm of the study; its own instructions and number of responses, where they differ."""

    name: str = Field(max_length=100)
    instructions: tuple[Text, ...] = ()
    responses_per_item: Whole | None = Field(default=None, ge=1, le=MOST_RESPONSES)

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
            raise ValueError(f"expected letters, digits, - and _ alone, got {value!r}")
        return value


class Design(_Part):
    """One study's design, as its TOML file says it."""

    name: str = Field(max_length=100)
    """The study's name, in lower case: letters, digits, - and _."""
    title: Text
    """What participants see."""
    task: str
    seed: Whole = 0
    """Fixes the sample of items and the batches."""
    classes: tuple[ClassName, ...] = Field(min_length=1, max_length=2**15 - 1)
    """In the order in which labels count them."""
    consent: Text
    instructions: tuple[Text, ...] = Field(min_length=1)
    """One text for each page."""
    thanks: Text = "Thank you for taking part."
    """The completion page."""
    contact: Text | None = None
    """Whom a participant can write to."""
    items: Items
    batches: Batches
    people: People
    eligibility: Eligibility = Eligibility()
    bonus: Bonus | None = None
    comprehension: Comprehension | None = None
    debrief: tuple[DebriefQuestion, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
            raise ValueError(f"expected lower-case letters, digits, - and _ alone, got {value!r}")
        return value

    @field_validator("task")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in TASKS:
            raise ValueError(f"no task is called {value!r}; there are: {', '.join(sorted(TASKS))}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Design:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: a class stands there twice")
        if problem := TASKS[self.task].check_classes(self.classes):
            raise ValueError(f"classes: {problem}")
        names = [condition.name for condition in self.conditions]
        if len(set(names)) < len(names):
            raise ValueError("conditions: a name stands there twice")
        asked = [question.question for question in self.debrief]
        if twice := [question for question in asked if asked.count(question) > 1]:
            raise ValueError(f"debrief: the question {twice[0]!r} stands there twice")  # answers are kept by question
        if self.bonus and self.people.reward and self.bonus.amount.currency != self.people.reward.currency:
            raise ValueError(f"bonus: expected the reward's currency {self.people.reward.currency}")
        return self

    def arms(self) -> tuple[Condition, ...]:
        """The conditions; a design without any has one, called `default`."""
        return self.conditions or (Condition(name="default"),)

    def dump(self) -> dict[str, Any]:
        """The design as JSON, from which `Design.model_validate` makes it again."""
        return self.model_dump(mode="json", exclude_none=True)
