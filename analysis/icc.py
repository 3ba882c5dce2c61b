"""Intraclass correlations: how far numbers that people give tell items apart.

K. O. McGraw and S. P. Wong, *Forming inferences about some intraclass correlation coefficients* (Psychological
Methods 1, 1996); names as in P. E. Shrout and J. L. Fleiss (Psychological Bulletin 86, 1979). With the variances of
items (r), people (c) and what is left (e):

    ICC(1)    r / (r + w), where w is everything that differs within an item: people may differ from item to item
    ICC(2,1)  r / (r + c + e): the same people see all items, and should give the same numbers
    ICC(3,1)  r / (r + e): the same people, and what each of them always adds does not count

and ICC(1,k), ICC(2,k), ICC(3,k) are those of the mean of k people, in which w, c and e are divided by k.

The variances come from the mean squares of an analysis of variance. Where items have different numbers of answers, k in
ICC(1) is (N - sum m^2 / N) / (items - 1), which makes r unbiased. In ICC(2) and ICC(3) each block (a batch with its
people) is complete, and the sums of squares and their degrees of freedom are added up over blocks; of one block they
are the papers' own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Floats, Ints

ONE_WAY = ("ICC(1)", "ICC(1,k)")
TWO_WAY = ("ICC(2,1)", "ICC(3,1)", "ICC(2,k)", "ICC(3,k)")


def one_way(sizes: Floats, means: Floats, squares: Floats, weights: Floats) -> dict[str, Floats]:
    """`ONE_WAY`, [B] each, of B resamples in which each item stands `weights` [B, I] times.

    Of every item the number of its answers (at least two), their mean, and the sum of their squares about it, [I].
    NaN where a coefficient is not defined.
    """
    items, answers = weights.sum(axis=1), weights @ sizes
    with np.errstate(divide="ignore", invalid="ignore"):
        grand = weights @ (sizes * means) / answers
        between = (weights @ (sizes * means**2) - answers * grand**2) / (items - 1)
        within = weights @ squares / (answers - items)
        per_item = (answers - weights @ sizes**2 / answers) / (items - 1)
        item = (between - within) / per_item
        return {
            "ICC(1)": _defined(item, item + within),
            "ICC(1,k)": _defined(item, item + within / per_item),
        }


def two_way(blocks: Sequence[Floats], weights: Floats) -> dict[str, Floats]:
    """`TWO_WAY`, [B] each, of B resamples in which each item stands `weights` [B, I] times.

    `blocks` are those of `complete_blocks`, with I items in all, in the order of the weights. NaN where a coefficient
    is not defined.
    """
    squares, freedom, coefficient = (np.zeros((rows, len(weights))) for rows in (3, 3, 2))
    start = 0
    for block in blocks:
        blocks_here, items_here, people = block.shape
        w = weights[:, start : start + blocks_here * items_here].reshape(len(weights), blocks_here, items_here)
        start += blocks_here * items_here
        items = w.sum(axis=2)  # [B, blocks]
        row = block.mean(axis=2)
        column = np.matmul(w.transpose(1, 0, 2), block).transpose(1, 0, 2) / np.maximum(items, 1)[..., np.newaxis]
        grand = column.mean(axis=2)
        of_items = people * (np.einsum("bgi,gi->bg", w, row**2) - items * grand**2)
        of_people = items * (np.sum(column**2, axis=2) - people * grand**2)
        left = np.einsum("bgi,gi->bg", w, np.sum((block - row[..., np.newaxis]) ** 2, axis=2)) - of_people
        of_rows, of_columns = np.maximum(items - 1, 0), (items > 0) * (people - 1)
        squares += np.stack([of_items, of_people, left]).sum(axis=2)
        freedom += np.stack([of_rows, of_columns, of_rows * (people - 1)]).sum(axis=2)
        coefficient += np.stack([of_rows * people, of_columns * items]).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        items_mean, people_mean, error = squares / freedom
        per_item, per_person = coefficient[0] / freedom[0], coefficient[1] / freedom[1]
        item, person = (items_mean - error) / per_item, (people_mean - error) / per_person
        return {
            "ICC(2,1)": _defined(item, item + person + error),
            "ICC(3,1)": _defined(item, item + error),
            "ICC(2,k)": _defined(item, item + (person + error) / per_item),
            "ICC(3,k)": _defined(item, item + error / per_item),
        }


def complete_blocks(block: Ints, item: Ints, person: Ints, value: npt.ArrayLike) -> list[Floats]:
    """The values of the items that all people of a block answered, less the block's mean: [blocks, items, people].

    There is one array for each number of items and people that blocks have. All four arguments are [N]; an answer of
    NaN is none, and somebody without an answer in a block is none of its people. Blocks with fewer than two people or
    complete items are left out.
    """
    given = np.asarray(value, dtype=np.float64)
    known = ~np.isnan(given)
    block, item, person, given = block[known], item[known], person[known], given[known]
    order = np.argsort(block, kind="stable")
    found = defaultdict(list)
    for rows in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
        items, row = np.unique(item[rows], return_inverse=True)
        people, column = np.unique(person[rows], return_inverse=True)
        table = np.full((len(items), len(people)), np.nan)
        table[row, column] = given[rows]
        table = table[~np.isnan(table).any(axis=1)]
        if min(table.shape) > 1:
            found[table.shape].append(table - table.mean())
    return [np.stack(alike) for alike in found.values()]


def _defined(part: Floats, whole: Floats) -> Floats:
    """part / whole; NaN where there is no variance to be a part of."""
    share = np.full(len(part), np.nan)
    np.divide(part, whole, out=share, where=np.isfinite(part) & (np.abs(whole) > 1e-12 * np.abs(part)) & (whole > 0))
    return share
