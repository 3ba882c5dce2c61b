"""What a plan may say, and its hash."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from crowdloom.analysis import outcomes
from crowdloom.analysis.plan import OUTCOMES, Hypothesis, Plan, PlannedExclusions, plan_hash
from crowdloom.tasks import TASKS

GOOD: dict[str, Any] = {
    "name": "H1",
    "claim": "Interpretations lower the accuracy.",
    "outcome": "accuracy",
    "test": "paired",
    "levels": ["Int", "No-Int"],
}


def plan_of(*hypotheses: dict[str, Any], **changes: Any) -> Plan:
    """A plan of these changes of a good hypothesis."""
    given = [GOOD | {"name": f"H{n}"} | one for n, one in enumerate(hypotheses or ({},), 1)]
    return Plan.model_validate({"stopping": "Once all places are filled.", "hypotheses": given, **changes})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"test": "anova"}, "no test is called 'anova'; there are: student, welch"),
        ({"levels": ["Int"]}, "compares two sides; name two different ones"),
        ({"levels": ["Int", "Int"]}, "compares two sides; name two different ones"),
        ({"levels": []}, "compares two sides; name two different ones"),
        ({"against": 0.5}, "against: belongs to a one-sample test, not to paired"),
        ({"unit": "response"}, "single answers have no pairs"),
        ({"test": "one-sample", "levels": []}, "needs the number to compare with"),
        ({"test": "one-sample", "levels": [], "against": 0.5, "by": "reference"}, "by: names no side without levels"),
        ({"by": "reference"}, "unit: no item has two values of reference"),
        ({"test": "pearson", "levels": []}, "needs an attribute of the items that is a number"),
        ({"test": "pearson", "by": "coefficient"}, "has no sides; leave them out"),
        ({"test": "pearson", "by": "coefficient", "levels": [], "unit": "participant"}, "choose item or response"),
        ({"test": "clustered-logit"}, 'say unit = "response"'),
        ({"direction": "lower"}, "Input should be 'less' or 'greater'"),
        ({"name": "H 1"}, "expected letters, digits, - and _ alone"),
        ({"claim": " "}, "at least 1 character"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    """Each rule of a hypothesis has its sentence."""
    with pytest.raises(ValidationError, match=says):
        Hypothesis.model_validate(GOOD | changes)


def test_what_does_not_fit_the_study() -> None:
    """Outcomes and conditions are those of the study."""
    good = Hypothesis.model_validate(GOOD)
    assert good.check_task("wrong-label", ("Int", "No-Int")) is None
    assert "no condition is called 'No-Int'; there are: Int, other" in str(
        good.check_task("wrong-label", ("Int", "other"))
    )
    assert "no outcome 'accuracy'; there are: top1_accuracy" in str(good.check_task("soft-label", ("Int", "No-Int")))
    assert "no outcome 'accuracy'; there are: none" in str(good.check_task("live-check", ()))
    logit = Hypothesis.model_validate(GOOD | {"test": "clustered-logit", "unit": "response", "outcome": "seconds"})
    assert "needs an outcome that is right or wrong" in str(logit.check_task("wrong-label", ("Int", "No-Int")))


def test_names_of_hypotheses_differ() -> None:
    """Two of the same name could not be told apart in a table."""
    with pytest.raises(ValidationError, match="a name stands there twice"):
        plan_of({"name": "H1"}, {"name": "H1"})


def test_a_hash_is_of_what_is_said() -> None:
    """Spelling out a default changes nothing; any other word does."""
    one = plan_hash(plan_of())
    assert plan_hash(plan_of({"unit": "item"}, alpha=0.05, correction="holm")) == one
    assert len({one, plan_hash(plan_of(alpha=0.01)), plan_hash(plan_of({"claim": "They raise it."}))}) == 3
    assert plan_hash(Plan.model_validate(plan_of().model_dump(mode="json"))) == one


def test_a_direction_changes_the_hash_only_where_it_is_said() -> None:
    """Plans that were published before directions could be stated keep theirs."""
    one = plan_hash(plan_of())
    assert one == "350f3b49eb691d6a89581005abc50bfe3a9ba62afa37c9fd8671525db309ead4"
    assert plan_hash(plan_of({"direction": None})) == one
    assert len({one, plan_hash(plan_of({"direction": "less"})), plan_hash(plan_of({"direction": "greater"}))}) == 3


@pytest.mark.parametrize("rule", ["same_answer", "consistency"])
def test_sessions_cannot_be_left_out_for_being_alike(rule: str) -> None:
    """No two of them are the same; other tasks have the rule."""
    rules = PlannedExclusions.model_validate({rule: 0.5})
    assert rules.check_task("soft-label") is None
    assert str(rules.check_task("latent-session")).startswith(f"{rule}: no two answers to the task latent-session")
    assert PlannedExclusions(seconds_per_answer=2.0).check_task("latent-session") is None


def test_every_outcome_is_computed() -> None:
    """What a plan can name is what there are values of, for every task with typed columns."""
    assert {task: set(names) for task, names in OUTCOMES.items()} == {
        task: set(names) for task, names in outcomes._VALUES.items()
    }
    assert set(OUTCOMES) == {name for name, task in TASKS.items() if task.columns}
