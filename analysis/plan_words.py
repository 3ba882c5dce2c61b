"""A plan in words, as pages, commands and reports show it: all that it freezes."""

from __future__ import annotations

from crowdloom.analysis.plan import OUTCOMES, TESTS, Hypothesis, Plan, PlannedExclusions

_OVER = {"item": "means of items", "participant": "means of people", "response": "single answers"}
_CORRECTION = {"holm": "Holm's correction over {}", "bonferroni": "Bonferroni's correction over {}"}


def claim_words(hypothesis: Hypothesis) -> str:
    """The name and the claim, which ends with a full stop if it has no end of its own."""
    end = "" if hypothesis.claim[-1] in ".!?…" else "."
    return f"{hypothesis.name}: {hypothesis.claim}{end}"


def hypothesis_words(hypothesis: Hypothesis, task: str) -> str:
    """What is compared how, and by which test.

    >>> said = {"name": "H1", "claim": "It rises.", "outcome": "seconds", "test": "pearson", "by": "difficulty"}
    >>> print(hypothesis_words(Hypothesis.model_validate(said | {"direction": "greater"}), "soft-label"))
    Outcome: time taken for the answer (s), means of items. Compared: with the items' difficulty, the correlation \
expected to be greater than 0. Test: Pearson's correlation with a number of the items.
    """
    return f"{compared_words(hypothesis, task)} Test: {TESTS[hypothesis.test].meaning}."


def compared_words(hypothesis: Hypothesis, task: str) -> str:
    """The outcome with its unit, what it is compared with, the direction, and which items count."""
    outcome = OUTCOMES[task][hypothesis.outcome]
    said = f"Outcome: {outcome.meaning} ({outcome.unit}), {_OVER[hypothesis.unit]}. Compared: {_sides(hypothesis)}."
    if hypothesis.where:
        alike = " and ".join(f"whose {name} is {level}" for name, level in hypothesis.where.items())
        said += f" Only items {alike}."
    return said


def exclusion_words(rules: PlannedExclusions) -> str:
    """What the rules leave out."""
    said = []
    if rules.comprehension is not None:
        said.append(f"more than {_counted(rules.comprehension, 'failed comprehension check')}")
    if rules.attention:
        said.append("failed attention checks")
    if rules.seconds_per_answer is not None:
        said.append(f"a median below {rules.seconds_per_answer:g} s per answer")
    if rules.same_answer is not None:
        said.append(f"more than {rules.same_answer:.0%} equal answers")
    if rules.consistency is not None:
        said.append(f"repeats that agree by less than {rules.consistency:g}")
    return "; ".join(said) or "nothing"


def correction_words(plan: Plan) -> str:
    """How p values are corrected, over how many, and what counts as found."""
    words = _CORRECTION.get(plan.correction, "{} without a correction")
    return f"{words.format(_counted(len(plan.hypotheses), 'p value'))}; alpha is {plan.alpha:g}"


def _sides(hypothesis: Hypothesis) -> str:
    expected = f"expected to be {hypothesis.direction}" if hypothesis.direction else ""
    if TESTS[hypothesis.test].needs == "a number":
        return f"with the items' {hypothesis.by}" + (f", the correlation {expected} than 0" if expected else "")
    sides = [_side(hypothesis.by, level) for level in hypothesis.levels] or ["all answers"]
    if hypothesis.against is not None:
        sides.append(f"the number {hypothesis.against:g}")
    return " with ".join(sides) + (f", {expected}" if expected else "")


def _side(by: str, level: str) -> str:
    return f"the condition {level}" if by == "condition" else f"items whose {by} is {level}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
