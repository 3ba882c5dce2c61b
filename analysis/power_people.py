"""Who would answer what: the numbers of a design, and the answers that they lead to, for simulations of power."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Bools, Ints

SUBMISSIONS_SIGMA = 1.0
"""Where people may come again, the numbers of submissions that they make are log-normal with this sigma, as in a
rehearsal: a few people do many."""

_TIE = 1e-6  # below any difference between two shares of open places


@dataclass(frozen=True)
class Asked:
    """What a design asks for, in numbers; C conditions, B batches of items."""

    sizes: Ints
    """[B] How many items each batch has; every item stands in one batch."""
    wanted: Ints
    """[C, B] How many submissions are wanted of each batch in each condition; 0 where a condition has other items."""
    people: int
    """How many people take part; more come where these cannot fill all places."""
    most: int = 1
    """How many submissions one person may make, each with other items."""
    one_condition: bool = False
    """Whether a person stays in the condition of their first submission."""

    @property
    def items(self) -> int:
        """Distinct items."""
        return int(self.sizes.sum())

    @property
    def places(self) -> int:
        """Submissions wanted."""
        return int(self.wanted.sum())

    @property
    def responses(self) -> int:
        """First answers, in all conditions."""
        return int((self.wanted * self.sizes).sum())

    @property
    def shared(self) -> bool:
        """Whether the first two conditions show the same items."""
        return bool((self.wanted[:2] > 0).all())

    @property
    def alone(self) -> bool:
        """Whether everybody makes one submission."""
        return self.most == 1 or self.people >= self.places


@dataclass(frozen=True)
class Answers:
    """N answers, without what they say."""

    participant: Ints
    """[N] From 0."""
    item: Ints
    """[N] From 0."""
    condition: Ints
    """[N] Position of the condition."""

    def of_two(self) -> Answers:
        """The answers in the first two conditions, with participants and items numbered anew from 0 without gaps."""
        kept = self.condition < 2
        participant, item = (np.unique(of[kept], return_inverse=True)[1] for of in (self.participant, self.item))
        return Answers(participant.astype(np.intp), item.astype(np.intp), self.condition[kept])


def draw_answers(asked: Asked, rng: np.random.Generator) -> Answers:
    """The answers of a study in which every place is filled.

    Who may come once makes one submission. Where people may come again, each has a number of submissions in mind
    (see SUBMISSIONS_SIGMA), comes in random order, and gets, as the study itself deals them, the batches with the
    largest share of open places among those whose items they have not had. Places that are then left go to those who
    may do more, and to new people at last.

    >>> asked = Asked(np.array([1, 1]), np.array([[2, 2], [2, 2]]), people=4, most=2, one_condition=True)
    >>> answers = draw_answers(asked, np.random.default_rng(1))
    >>> len(answers.item), len(np.unique(answers.participant)), np.bincount(answers.item).tolist()
    (8, 4, [4, 4])
    """
    condition, batch = (of.repeat(asked.wanted.ravel()) for of in _cells(asked))
    person = np.arange(len(batch))
    if not asked.alone:
        person, condition, batch = _come_again(asked, rng)
    each = asked.sizes[batch]
    starts = np.cumsum(asked.sizes) - asked.sizes
    within = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    return Answers(person.repeat(each), starts[batch].repeat(each) + within, condition.repeat(each))


def _cells(asked: Asked) -> tuple[Ints, Ints]:
    """Condition and batch of each cell of `wanted`, row by row."""
    conditions, batches = np.indices(asked.wanted.shape)
    return conditions.ravel().astype(np.intp), batches.ravel().astype(np.intp)


def _come_again(asked: Asked, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Person, condition and batch of each submission."""
    weights = rng.lognormal(0, SUBMISSIONS_SIGMA, asked.people)
    most = min(asked.most, len(asked.sizes))
    in_mind = np.clip(np.rint(weights * asked.places / weights.sum()), 1, most).astype(np.intp)
    desk = _Desk(asked, rng)
    for person, number in enumerate(in_mind.tolist()):
        desk.come(person, number)
    for person in rng.permutation(asked.people).tolist():
        if not desk.open.any():
            break
        desk.come(person, most - int(desk.had(person).sum()))
    newcomer = asked.people
    while desk.open.any():
        desk.come(newcomer, most)
        newcomer += 1
    people, conditions, batches = (np.concatenate(parts) for parts in zip(*desk.taken, strict=True))
    return people, conditions, batches


class _Desk:
    """Deals batches to people, one person after another."""

    def __init__(self, asked: Asked, rng: np.random.Generator) -> None:
        self.open = asked.wanted.copy()
        self.taken: list[tuple[Ints, Ints, Ints]] = []
        self._per_place = 1 / np.maximum(asked.wanted, 1)
        self._totals = asked.wanted.sum(axis=1)
        self._one_condition = asked.one_condition
        self._rng = rng
        self._had: dict[int, Bools] = {}
        self._stays: dict[int, int] = {}

    def had(self, person: int) -> Bools:
        """[B] Which batches a person has had, in whatever condition: their items are the same."""
        if person not in self._had:
            self._had[person] = np.zeros(self.open.shape[1], dtype=np.bool_)
        return self._had[person]

    def come(self, person: int, number: int) -> None:
        """Give a person so many batches, or as many as there are for them."""
        share = self.open * self._per_place
        if self._one_condition:
            share[np.arange(len(share)) != self._condition(person)] = 0
        share[:, self.had(person)] = 0
        share += (share > 0) * _TIE * self._rng.random(share.shape)
        best = share.max(axis=0)
        number = min(number, int((best > 0).sum()))
        if number < 1:
            return
        batches: Ints = np.argpartition(-best, number - 1)[:number].astype(np.intp)
        conditions: Ints = share.argmax(axis=0)[batches].astype(np.intp)
        self.open[conditions, batches] -= 1
        self.had(person)[batches] = True
        self.taken.append((np.full(number, person, dtype=np.intp), conditions, batches))

    def _condition(self, person: int) -> int:
        """The condition with the largest share of open places when they first come."""
        if person not in self._stays:
            share: npt.NDArray[np.float64] = self.open.sum(axis=1) / self._totals
            self._stays[person] = int(np.argmax(share + (share > 0) * _TIE * self._rng.random(len(share))))
        return self._stays[person]
