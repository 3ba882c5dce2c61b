"""Who gets the promised bonus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from crowdloom.analysis.agreement import agreement_with_others
from crowdloom.studies import bonuses
from crowdloom.studies.bonuses import bonuses_due, owe_bonuses
from crowdloom.studies.cli.bonus import command as bonus_command
from crowdloom.studies.cli.pay import command as pay_command
from crowdloom.studies.cost import study_cost
from crowdloom.studies.database import Store
from crowdloom.studies.errors import StudyError
from crowdloom.studies.ledger import spent
from crowdloom.studies.reading import Origin
from crowdloom.studies.review import approve_passing
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import DESIGN, answer, begin, open_small, trial_id

BONUS = (
    DESIGN.replace("sample = 6", "sample = 3").replace("responses_per_item = 2", "responses_per_item = 4")
    + '[bonus]\nrule = "agreement"\namount = "0.41 USD"\nshare = 0.5\n'
)


def test_agreement_equals_the_slow_way() -> None:
    """The vectorised agreement is what comparing each label with the others' mean gives."""
    rng = np.random.default_rng(1)
    labels = rng.dirichlet(np.ones(4), 60)
    item, submission = rng.integers(0, 8, 60), rng.integers(0, 12, 60)
    expected = []
    for one in range(12):
        values = []
        for mine in np.flatnonzero(submission == one):
            others = (item == item[mine]) & (np.arange(60) != mine)
            if others.any():
                values.append(1 - np.abs(labels[mine] - labels[others].mean(axis=0)).sum() / 2)
        expected.append(np.mean(values) if values else np.nan)
    np.testing.assert_allclose(agreement_with_others(labels, item, submission, 12), expected)


def test_those_who_match_the_others_get_it(store: Store, tmp_path: Path) -> None:
    """Of four people, one of whom says something else, the better half gets the bonus, ties included."""
    client = create_app(store).test_client()
    posting = open_small(store, tmp_path, BONUS)
    for name, top1 in (("ann", "3"), ("ben", "3"), ("cem", "3"), ("dee", "8")):
        base = begin(client, posting, name)
        while trial_id(client, base):
            answer(client, base, top1=top1)
    with store.read() as connection:
        due = bonuses_due(connection, "small")
    assert [str(row.bonus) if row.bonus else None for row in due] == ["0.41 USD"] * 3 + [None]
    assert due[-1].agreement is not None
    assert due[-1].agreement < 0.5 < (due[0].agreement or 0)


@pytest.mark.parametrize(("share", "people", "paid"), [(0.07, 100, 7), (0.14, 50, 7), (0.55, 100, 55), (0.5, 3, 2)])
def test_a_share_is_rounded_up_exactly(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, people: int, paid: int
) -> None:
    """7 % of a hundred people are seven, whatever binary fractions make of it."""
    open_small(sqlite_store, tmp_path, BONUS.replace("share = 0.5", f"share = {share}"))
    monkeypatch.setattr(
        bonuses,
        "read_submissions",
        lambda *_: [Origin(f"s{n}", "p", "default", 0, 1, "accepted", "link") for n in range(people)],
    )
    monkeypatch.setattr(bonuses, "agreement_with_others", lambda *_: np.linspace(0, 1, people))
    with sqlite_store.read() as connection:
        assert sum(row.bonus is not None for row in bonuses_due(connection, "small")) == paid


def test_a_lone_answer_cannot_be_judged(sqlite_store: Store, tmp_path: Path) -> None:
    """With one person there is nobody to agree with, and a design without a bonus says so."""
    client = create_app(sqlite_store).test_client()
    base = begin(client, open_small(sqlite_store, tmp_path, BONUS), "ann")
    while trial_id(client, base):
        answer(client, base)
    with sqlite_store.read() as connection:
        assert [(row.agreement, row.bonus) for row in bonuses_due(connection, "small")] == [(None, None)]
    open_small(sqlite_store, tmp_path)
    with sqlite_store.read() as connection, pytest.raises(StudyError, match="promises no bonus"):
        bonuses_due(connection, "small")


def test_the_most_that_bonuses_can_come_to_counts_ties(sqlite_store: Store, tmp_path: Path) -> None:
    """Everybody who answers alike gets it, and the cost that was shown before is not exceeded."""
    client = create_app(sqlite_store).test_client()
    posting = open_small(sqlite_store, tmp_path, BONUS)
    for name in ("ann", "ben", "cem", "dee"):
        base = begin(client, posting, name)
        while trial_id(client, base):
            answer(client, base)
    with sqlite_store.write() as connection:
        cost = study_cost(connection, "small", "link")
        assert owe_bonuses(connection, "small") == 4
        _, extra = spent(connection, 1)
    assert (cost.bonuses, cost.bonuses_by_share, extra) == (164, 82, 164)
    assert ("bonuses, at most", "1.64 USD", "0.82 USD by the design's share; more only where people tie") in cost.rows()


def test_a_bonus_never_stands_in_the_way_of_a_reward(sqlite_store: Store, tmp_path: Path) -> None:
    """Writing bonuses that would leave too little for rewards is refused; rewards are paid whatever the cap."""
    design = BONUS.replace("[people]", '[people]\nspending_cap = "6.50 USD"')
    client = create_app(sqlite_store).test_client()
    posting = open_small(sqlite_store, tmp_path, design)
    for name in ("ann", "ben", "cem", "dee"):
        base = begin(client, posting, name)
        while trial_id(client, base):
            answer(client, base)
    options = ["--database", sqlite_store.url, "--yes"]
    refused = CliRunner().invoke(bonus_command, ["small", "--pay", *options])
    assert "could cost 7.64 USD" in str(refused.exception)
    with sqlite_store.write() as connection:
        assert spent(connection, 1) == (0, 0)
        approve_passing(connection, "small")
    paid = CliRunner().invoke(pay_command, ["small", "--by-hand", *options])
    assert paid.output == "small on link: 4 payments recorded as paid.\n"
