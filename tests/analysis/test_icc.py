"""Intraclass correlations against pingouin, and against variances put into simulated answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.icc import ONE_WAY, TWO_WAY, complete_blocks, one_way, two_way

THEIRS = {"ICC(1)": "ICC(1,1)", "ICC(2,1)": "ICC(A,1)", "ICC(3,1)": "ICC(C,1)"} | {
    "ICC(1,k)": "ICC(1,k)",
    "ICC(2,k)": "ICC(A,k)",
    "ICC(3,k)": "ICC(C,k)",
}


def answers(seed: int, items: int, people: int, deviations: tuple[float, float, float] = (1.0, 0.7, 0.5)) -> Floats:
    """[items, people] with these standard deviations of items, people and what is left."""
    rng = np.random.default_rng(seed)
    item, person, rest = deviations
    return (
        5
        + item * rng.normal(size=(items, 1))
        + person * rng.normal(size=(1, people))
        + rest * rng.normal(size=(items, people))
    )


def all_six(table: Floats, weights: Floats | None = None) -> dict[str, Floats]:
    """Of one complete block."""
    weights = np.ones((1, len(table))) if weights is None else weights
    means = table.mean(axis=1)
    squares = ((table - means[:, np.newaxis]) ** 2).sum(axis=1)
    sizes = np.full(len(table), float(table.shape[1]))
    return one_way(sizes, means, squares, weights) | two_way([(table - table.mean())[np.newaxis]], weights)


@pytest.mark.parametrize(("items", "people"), [(3, 2), (8, 4), (30, 6)])
def test_of_one_block_all_six_are_pingouins(items: int, people: int) -> None:
    """The same numbers from the same answers."""
    table = answers(1, items, people)
    long = pd.DataFrame(table).reset_index(names="item").melt(id_vars="item", var_name="person")
    theirs = pingouin.intraclass_corr(long, "item", "person", "value").set_index("Type")["ICC"]
    found = all_six(table)
    assert set(found) == {*ONE_WAY, *TWO_WAY}
    for name, value in found.items():
        assert value[0] == pytest.approx(theirs[THEIRS[name]], abs=1e-10), name


def test_a_resample_is_that_of_the_items_that_were_drawn() -> None:
    """An item with weight 2 counts as two."""
    table, weights = answers(2, 6, 3), np.array([2.0, 0.0, 1.0, 1.0, 2.0, 0.0])
    repeated = all_six(np.repeat(table, weights.astype(int), axis=0))
    for name, value in all_six(table, weights[np.newaxis]).items():
        assert value[0] == pytest.approx(repeated[name][0], abs=1e-10)


def test_different_numbers_of_answers() -> None:
    """ICC(1) of items with 2 to 5 answers, from sums of squares worked out in a loop."""
    rng = np.random.default_rng(4)
    groups = [
        rng.normal(mean, 1, size) for mean, size in zip(rng.normal(0, 1, 12), rng.integers(2, 6, 12), strict=True)
    ]
    everything = np.concatenate(groups)
    n, total = len(groups), len(everything)
    between = sum(len(g) * (g.mean() - everything.mean()) ** 2 for g in groups) / (n - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (total - n)
    k = (total - sum(len(g) ** 2 for g in groups) / total) / (n - 1)
    found = one_way(
        np.array([float(len(g)) for g in groups]),
        np.array([g.mean() for g in groups]),
        np.array([((g - g.mean()) ** 2).sum() for g in groups]),
        np.ones((1, n)),
    )
    assert found["ICC(1)"][0] == pytest.approx((between - within) / (between + (k - 1) * within))
    assert found["ICC(1,k)"][0] == pytest.approx((between - within) / between)


def test_blocks_with_their_own_people_give_the_variances_put_in() -> None:
    """Sixty batches of 20 items and 4 or 6 people: r 1, c 0.49, e 0.25."""
    blocks: dict[int, list[Floats]] = {4: [], 6: []}
    for seed in range(60):
        people = 4 if seed % 2 else 6
        table = answers(seed, 20, people)
        blocks[people].append(table - table.mean())
    stacked = [np.stack(some) for some in blocks.values()]
    found = two_way(stacked, np.ones((1, 1200)))
    assert found["ICC(2,1)"][0] == pytest.approx(1 / 1.74, abs=0.04)
    assert found["ICC(3,1)"][0] == pytest.approx(1 / 1.25, abs=0.02)
    one = answers(9, 5, 3)
    twice = two_way([np.stack([one - one.mean()] * 2)], np.ones((1, 10)))
    for name, value in two_way([(one - one.mean())[np.newaxis]], np.ones((1, 5))).items():
        assert twice[name][0] == pytest.approx(value[0])


def test_blocks_are_made_of_what_all_answered() -> None:
    """An item that somebody left out does not count, nor a block with one person."""
    rows = [(0, 0, 0, 1.0), (0, 0, 1, 2.0), (0, 1, 0, 3.0), (0, 1, 1, 5.0), (0, 2, 0, 9.0), (0, 2, 1, np.nan)]
    rows += [(1, 0, 7, 1.0), (1, 1, 7, 2.0)]
    block, item, person, value = (np.array(column) for column in zip(*rows, strict=True))
    (found,) = complete_blocks(block.astype(int), item.astype(int), person.astype(int), value)
    assert found.tolist() == [[[1 - 2.75, 2 - 2.75], [3 - 2.75, 5 - 2.75]]]


def test_what_is_undefined_is_nan() -> None:
    """Answers that never differ share out no variance."""
    assert all(np.isnan(value).all() for value in all_six(np.full((4, 3), 2.0)).values())
