"""The interactions of sessions in a latent space, as frames: what was asked, what the network did, by which strategy.

Both frames begin with the columns of `latent_frames.WHOSE` and `interaction`. Columns that begin with `asked_` are from
the picture shown to the person's arrangement, those with `done_` from the picture shown to what training made of it.

    interactions   epoch (at which the picture was shown), epochs (trained after it), alpha, seconds, without_person,
                   movements and moves_KIND (how many, undone ones included), wrong_before, wrong_after (of the points
                   shown), accuracy_before, accuracy_after, the three metrics asked and done (means over classes),
                   extent, followed_centres, followed_spreads, followed_separation, moved, tighter, farther, approach,
                   strategy (both by rule), strategy_code (by people; None where not coded)
    by class       class, the three metrics asked and done, accuracy_before, accuracy_after

See `latent_metrics` and `latent_strategies` for what they mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import pandas as pd

from crowdloom.analysis.kappa import Kappa, coder_agreement
from crowdloom.analysis.latent_frames import WHOSE, Session, interactions_of
from crowdloom.analysis.latent_metrics import METRICS, change, followed, geometry
from crowdloom.analysis.latent_strategies import TITLES, Labelled, labels
from crowdloom.analysis.summary import Table
from crowdloom.tasks.latent_records import Interaction, MovementKind
from crowdloom.tasks.latent_rows import interaction_rows

KINDS: tuple[str, ...] = get_args(MovementKind)

Codes = Mapping[tuple[str, str, int], str]
"""By submission, item and number of the interaction, what people called the strategy."""

_NUMBERS = (
    *(f"{kind}_{metric}" for kind in ("asked", "done") for metric in METRICS),
    "extent",
    *(f"followed_{name}" for name in ("centres", "spreads", "separation")),
    *("moved", "tighter", "farther"),
)


def interactions(sessions: Sequence[Session], codes: Codes | None = None) -> pd.DataFrame:
    """A row for each interaction; `codes` may name strategies by their names or their titles."""
    names = {title: name for name, title in TITLES.items()}
    rows: list[dict[str, Any]] = []
    for session in sessions:
        done = session.record.interactions
        for one, label, facts in zip(done, labels(done), interaction_rows(session.record), strict=True):
            code = (codes or {}).get((session.submission, session.item, one.number))
            rows.append(session.whose | facts | _row(one, label) | {"strategy_code": names.get(code or "", code)})
    counts = [f"moves_{kind}" for kind in KINDS]
    columns = [
        *WHOSE,
        *("interaction", "epoch", "epochs", "alpha", "seconds", "without_person", "movements"),
        *counts,
        *("wrong_before", "wrong_after", "accuracy_before", "accuracy_after"),
        *_NUMBERS,
        *("approach", "strategy", "strategy_code"),
    ]
    floats = ("alpha", "seconds", "accuracy_before", "accuracy_after", *_NUMBERS)
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    whole = ("seed", "interaction", "epoch", "epochs", "movements", *counts, "wrong_before", "wrong_after")
    return frame.astype(dict.fromkeys(floats, float) | dict.fromkeys(whole, int) | {"without_person": bool})


def _row(one: Interaction, label: Labelled) -> dict[str, Any]:
    """What is computed of an interaction."""
    kinds = Counter(movement.kind for movement in one.movements)
    asked, done = change(one.before, one.intended).overall(), change(one.before, one.after).overall()
    whole = followed(one.before, one.intended, one.after)
    return {
        **{f"moves_{kind}": kinds[kind] for kind in KINDS},  # type: ignore[index]
        **{f"asked_{name}": value for name, value in asked.items()},
        **{f"done_{name}": value for name, value in done.items()},
        "extent": geometry(one.before).extent,
        "followed_centres": whole.centres,
        "followed_spreads": whole.spreads,
        "followed_separation": whole.separation,
        **{name: getattr(label.effects, name, None) for name in ("moved", "tighter", "farther")},
        "approach": label.approach,
        "strategy": label.strategy,
    }


def by_class(sessions: Sequence[Session]) -> pd.DataFrame:
    """A row for each class of each interaction."""
    numbers = (*_NUMBERS[: 2 * len(METRICS)], "accuracy_before", "accuracy_after")
    frame = pd.DataFrame(list(_class_rows(sessions)), columns=[*WHOSE, "interaction", "class", *numbers])
    return frame.astype(dict.fromkeys(numbers, float))


def _class_rows(sessions: Sequence[Session]) -> Iterator[dict[str, Any]]:
    for session, one in interactions_of(sessions):
        asked, done = change(one.before, one.intended), change(one.before, one.after)
        for number, name in enumerate(session.record.classes):
            yield {
                **session.whose,
                "interaction": one.number,
                "class": name,
                **{f"asked_{metric}": getattr(asked, metric)[number] for metric in METRICS},
                **{f"done_{metric}": getattr(done, metric)[number] for metric in METRICS},
                "accuracy_before": one.class_accuracy_before[number],
                "accuracy_after": one.class_accuracy_after[number],
            }


def rule_and_people(frame: pd.DataFrame) -> Kappa:
    """Cohen's kappa of the rule's strategies with those that people coded, over interactions that have both.

    `frame` is one of `interactions`.
    """
    both = frame[frame["strategy"].notna() & frame["strategy_code"].notna()]
    keys = both["submission"] + " " + both["scenario"] + " " + both["interaction"].astype(str)
    codes = [
        pd.DataFrame({"item": keys, "coder": who, "category": both[name]})
        for who, name in (("rule", "strategy"), ("people", "strategy_code"))
    ]
    return coder_agreement(pd.concat(codes)).overall


def changes_table(frame: pd.DataFrame) -> Table:
    """The mean metrics of each scenario's interactions by number, asked and done, as shares of the pictures' extents.

    How far the network followed is a median: of those who asked for next to nothing the share may be anything.
    `frame` is one of `interactions`; those without a person do not count.
    """
    own = frame[~frame["without_person"].astype(bool)]
    # Scenarios as they come, so that all tables and figures have them in one order.
    order = {scenario: number for number, scenario in enumerate(dict.fromkeys(own["scenario"]))}
    groups = sorted(own.groupby(["scenario", "interaction"]), key=lambda group: (order[group[0][0]], group[0][1]))
    columns = ["n", *_TITLES.values(), "followed centres", "followed spreads"]
    rows: dict[str, list[float]] = {}
    for (scenario, number), some in groups:
        follows = [float(some[f"followed_{name}"].median()) for name in ("centres", "spreads")]
        for kind in ("asked", "done"):
            means = [_unnoised(float((some[f"{kind}_{metric}"] / some["extent"]).mean())) for metric in METRICS]
            shares = follows if kind == "done" else [float("nan")] * 2
            rows[f"{scenario} {number}, {kind}"] = [len(some), *means, *shares]
    found = pd.DataFrame.from_dict(rows, orient="index", columns=columns).astype({"n": int})
    return Table(
        "What people asked for in each interaction, and what the network did in the epochs after: means over sessions "
        "of centre movement, spread change and separation change, as shares of the picture's extent; and medians of "
        "how far the network followed, that is, went the way that was asked (1 all of it). It moves without a person, "
        "too",
        found.rename_axis("scenario and interaction"),
    )


def _unnoised(share: float) -> float:
    """0.0 for what rounding leaves, as where classes are only moved and no spread changes."""
    return round(share, 9) + 0.0


_TITLES = dict(zip(METRICS, ("centres", "spreads", "separation"), strict=True))
