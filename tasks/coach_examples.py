"""Two trials of the task `coach` with their answers: one that was coached, and one of the control."""

from __future__ import annotations

from functools import lru_cache

from crowdloom.tasks.coach_coaching import COACHING
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_options import CoachOptions
from crowdloom.tasks.coach_records import Attempt, Drawing, Proposal, Reading, Strokes, Writing, packed
from crowdloom.tasks.protocol import Answer, Trial

_CLASSES = tuple("0123456789")
_COACH = "digits:0f1e2d3c4b5a6978"

# A 4 that is nearly closed at the top; what is proposed, which is open; and what was then written.
_CLOSED: Strokes = [
    [(0.58, 0.2, 810), (0.44, 0.33, 930), (0.36, 0.5, 1060), (0.5, 0.53, 1180), (0.63, 0.49, 1290)],
    [(0.62, 0.19, 1620), (0.61, 0.5, 1840), (0.6, 0.83, 2090)],
]
_WIDE: Strokes = [
    [(0.36, 0.2, 0), (0.32, 0.4, 200), (0.3, 0.52, 320), (0.5, 0.53, 500), (0.74, 0.5, 700)],
    [(0.62, 0.24, 1000), (0.61, 0.5, 1200), (0.6, 0.83, 1500)],
]
_OPEN: Strokes = [
    [(0.42, 0.2, 1240), (0.36, 0.36, 1390), (0.32, 0.51, 1510), (0.5, 0.53, 1650), (0.7, 0.5, 1790)],
    [(0.62, 0.22, 2200), (0.61, 0.5, 2430), (0.6, 0.83, 2680)],
]
_SEVEN: Strokes = [[(0.3, 0.22, 0), (0.5, 0.2, 150), (0.7, 0.21, 290), (0.6, 0.45, 460), (0.5, 0.8, 700)]]
_SEVEN_BARRED: Strokes = [
    [(0.3, 0.22, 640), (0.5, 0.2, 790), (0.7, 0.21, 910), (0.55, 0.5, 1150), (0.52, 0.8, 1370)],
    [(0.42, 0.52, 1700), (0.68, 0.49, 1880)],
]


def _sure(**of: float) -> list[float]:
    """Probabilities of digits, such as _4=0.3; what is not named has 0."""
    return [of.get(f"_{name}", 0.0) for name in _CLASSES]


@lru_cache(maxsize=1)
def examples() -> tuple[tuple[Trial, Answer], ...]:
    """The trials and answers; pictures are rendered when they are first asked for."""
    coached = Writing(
        asked="4",
        coached=True,
        coach=_COACH,
        attempts=[
            Attempt(
                drawing=Drawing(strokes=_CLOSED, device="pen", seconds=3.4, undone=1),
                reading=Reading(picture=packed(render(_CLOSED)), read="9", probabilities=_sure(_4=0.31, _9=0.69)),
                proposal=Proposal(
                    picture=packed(render(_WIDE)),
                    read="4",
                    probabilities=_sure(_4=0.97, _9=0.02, _1=0.01),
                    words="Leave out the line at the top, and draw the bar in the middle further to the right.",
                ),
            ),
            Attempt(
                drawing=Drawing(strokes=_OPEN, device="pen", seconds=3.9),
                reading=Reading(picture=packed(render(_OPEN)), read="4", probabilities=_sure(_4=0.92, _9=0.08)),
            ),
        ],
        looks=3,
    )
    control = Writing(
        asked="7",
        coached=False,
        coach=_COACH,
        attempts=[
            Attempt(
                drawing=Drawing(strokes=_SEVEN_BARRED, device="mouse", seconds=2.6),
                reading=Reading(
                    picture=packed(render(_SEVEN_BARRED)), read="2", probabilities=_sure(_2=0.55, _7=0.35, _3=0.1)
                ),
            ),
            Attempt(
                drawing=Drawing(strokes=_SEVEN, device="keyboard", given=4, seconds=12.5),
                reading=Reading(picture=packed(render(_SEVEN)), read="7", probabilities=_sure(_7=0.9, _1=0.1)),
            ),
        ],
    )
    return (
        (_trial("4", CoachOptions(reads="at-pen-up", never_coached=("7",)), "one"), _answer(coached)),
        (_trial("7", CoachOptions(coaching="by-item"), "two", {COACHING: "control"}), _answer(control)),
    )


def _trial(asked: str, options: CoachOptions, seed: str, said: dict[str, str] | None = None) -> Trial:
    attributes = {"round": 1} | (said or {})
    return Trial(
        classes=_CLASSES, class_order=_CLASSES, attributes=attributes, options=options, seed=seed, reference=asked
    )


def _answer(writing: Writing) -> Answer:
    return {"writing": writing.model_dump(mode="json")}
