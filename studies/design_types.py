"""The types of a design's fields: texts, numbers, money."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AllowInfNan,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    ValidationError,
)

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
_MOST_MONEY = 2**31 - 1  # what the store holds
_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Of the currencies (ISO 4217) whose minor unit is not a hundredth."""


class Part(BaseModel):
    """A table of a design: no unknown field, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Money(Part):
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


_EXPECTED = {
    "missing": "is missing; add it",
    "extra_forbidden": "is not a field here; check its spelling or take it out",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "bool_type": "expected true or false",
    "string_type": "expected a text in quotes",
    "string_too_short": "expected a text that is not empty",
    "string_too_long": "expected at most {max_length} characters",
    "tuple_type": "expected a list in [brackets]",
    "list_type": "expected a list in [brackets]",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "literal_error": "expected {expected}",
    "too_short": "expected a list of at least {min_length}",
    "too_long": "expected a list of at most {max_length}",
    "greater_than": "expected a number above {gt}",
    "greater_than_equal": "expected a number of at least {ge}",
    "less_than_equal": "expected a number of at most {le}",
}
"""What pydantic's errors are called here."""


def in_our_words(problem: Any) -> str:
    """One of pydantic's errors as what was expected, and what was given instead."""
    if problem["type"] not in _EXPECTED:
        return str(problem["msg"].removeprefix("Value error, "))
    expected = _EXPECTED[problem["type"]].format(**problem.get("ctx", {}))
    got = problem.get("input")
    if not isinstance(got, str | int | float) or problem["type"] == "extra_forbidden":
        return expected
    return f"{expected}, got {str(got).lower() if isinstance(got, bool) else repr(got)}"


def check_settings(model: type[BaseModel], given: dict[str, object], where: str) -> None:
    """Check what a design says to its task. Raises ValueError that names the field, such as `options.question: …`."""
    try:
        model.model_validate(given, strict=True)  # 1 and "yes" are not true
    except ValidationError as error:
        problem = error.errors()[0]
        said = in_our_words(problem)
        if problem["type"] == "extra_forbidden":
            known = ", ".join(model.model_fields) or "none"
            said = f"is not a field here; there are: {known}"
        field = ".".join(str(part) for part in (where, *problem["loc"]))
        raise ValueError(f"{field}: {said}") from error
