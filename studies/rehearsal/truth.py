"""The true label distribution that a rehearsal gives each item, so that one can see how far labels fall from it.

For an item with the reference class r and the entropy H (its difficulty, in nats), with K classes:

    p(c) = exp(-b (1 - u(r, c))) / Z,    u(r, r) = 1,

where u(r, c) = u(c, r), drawn once for each pair of classes and uniform in [0, 0.9], says how easily
the two are confused, and b >= 0 is the one number that makes -sum p ln p = H. Such a b exists for
every H in (0, ln K], because the entropy falls strictly from ln K to 0 as b grows. So easy items peak
on their reference, and hard ones share their mass with the same few classes every time.

An item without a difficulty gets H = ln K x Beta(1, 4), one without a reference but with a difficulty
a random r, and one without both a Dirichlet(0.3, ..., 0.3) draw. All draws depend on the seed and on
the item's key only.

Of two kinds of items the attributes say it themselves: one that was mixed has its two endpoints in the
shares of the mix (the half of each where the item has all mixes), and one whose wrong prediction is to
be guessed among options has that prediction.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

MOST_CONFUSED = 0.9
CONCENTRATION = 0.3


def true_label(
    key: str,
    reference: str | None,
    difficulty: float | None,
    classes: Sequence[str],
    seed: int,
    attributes: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """The true distribution over `classes` of the item called `key`; see the module for the formula.

    A difficulty outside [0, ln K] is moved to the nearer end. Attributes may be text, as a table has them.

    >>> label = true_label("a", "cat", 0.5, ["bird", "cat", "dog"], seed=1)
    >>> max(label, key=label.get), round(entropy(label.values()), 6)
    ('cat', 0.5)
    >>> mixed = {"endpoint1": "dog", "endpoint2": "cat", "coefficient": "0.75"}
    >>> true_label("b", None, None, ["bird", "cat", "dog"], 1, mixed)
    {'bird': 0.0, 'cat': 0.25, 'dog': 0.75}
    """
    stated = _stated(attributes or {})
    if stated and set(stated) <= set(classes):
        return {name: stated.get(name, 0.0) for name in classes}
    rng = random.Random(f"{seed} truth of {key}")  # noqa: S311 - reproducible on purpose
    if reference is None and difficulty is None:
        weights = [rng.gammavariate(CONCENTRATION, 1) for _ in classes]
        return {name: weight / sum(weights) for name, weight in zip(classes, weights, strict=True)}
    most = math.log(len(classes))
    wanted = most * rng.betavariate(1, 4) if difficulty is None else min(max(difficulty, 0.0), most)
    peak = reference if reference is not None else rng.choice(classes)
    distances = [1 - _confusion(peak, name, seed) for name in classes]
    return dict(zip(classes, _with_entropy(wanted, distances), strict=True))


def _stated(attributes: Mapping[str, Any]) -> dict[str, float]:
    """What the attributes say the item shows; empty for most items."""
    if "endpoint1" in attributes and "endpoint2" in attributes:
        share = float(attributes.get("coefficient", 0.5))
        return {attributes["endpoint1"]: share, attributes["endpoint2"]: 1 - share}
    if "prediction" in attributes and "option1" in attributes:
        return {attributes["prediction"]: 1.0}
    return {}


def _confusion(one: str, other: str, seed: int) -> float:
    """u of the formula."""
    if one == other:
        return 1.0
    pair = " ".join(sorted((one, other)))
    return random.Random(f"{seed} confusion of {pair}").uniform(0, MOST_CONFUSED)  # noqa: S311


def _with_entropy(wanted: float, distances: Sequence[float]) -> list[float]:
    """The member of the family with that entropy, by bisection on b."""
    low, high = 0.0, 1.0
    while high < 1e6 and entropy(_member(high, distances)) > wanted:  # 1e6: all mass on the peak
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        if entropy(_member(middle, distances)) > wanted:
            low = middle
        else:
            high = middle
    return _member(high, distances)


def _member(b: float, distances: Sequence[float]) -> list[float]:
    weights = [math.exp(-b * distance) for distance in distances]
    total = sum(weights)
    return [weight / total for weight in weights]


def entropy(shares: Sequence[float]) -> float:
    """In nats, with 0 ln 0 = 0."""
    return -sum(share * math.log(share) for share in shares if share > 0)
