"""Two trials of the task `latent-session` with their answers: one as the paper has it, and one whose time was over."""

from __future__ import annotations

from typing import Any

from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.protocol import Answer, Trial

_CLASSES = ("resting", "walking", "waving")


def _shape(*centres: tuple[float, float], spreads: tuple[float, ...]) -> dict[str, Any]:
    return {"centres": [list(centre) for centre in centres], "spreads": list(spreads)}


def _moved(at_ms: float, kind: str, **values: Any) -> dict[str, Any]:
    unset = {"label": None, "point": None, "points": 0, "dx": 0.0, "dy": 0.0, "factor": None}
    return {"at_ms": at_ms, "kind": kind} | unset | values


def _curve(*accuracies: float) -> list[dict[str, Any]]:
    return [
        {"epoch": epoch, "accuracy": accuracy, "macro_f1": round(accuracy - 0.02, 3)}
        for epoch, accuracy in enumerate(accuracies, 1)
    ]


_FIRST = _shape((-0.9, 0.2), (0.4, 0.5), (0.6, -0.7), spreads=(0.5, 0.6, 0.7))
_TIGHT = _shape((-0.9, 0.2), (0.4, 0.5), (0.6, -0.7), spreads=(0.5, 0.3, 0.7))
_SECOND = _shape((-1.0, 0.2), (0.5, 0.6), (0.6, -0.8), spreads=(0.5, 0.45, 0.7))
_APART = _shape((-1.0, 0.2), (0.5, 1.1), (0.6, -0.8), spreads=(0.5, 0.45, 0.7))
_THIRD = _shape((-1.1, 0.2), (0.5, 0.9), (0.7, -0.9), spreads=(0.45, 0.4, 0.65))

_ONE: dict[str, Any] = {
    "number": 1,
    "epoch": 3,
    "epochs": 1,
    "alpha": 0.5,
    "seconds": 41.5,
    "movements": [
        _moved(5200.0, "point", label=1, point=4, points=1, dx=-0.2, dy=0.1),
        _moved(9800.0, "undo"),
        _moved(21700.0, "spread", label=1, points=40, factor=0.5),
    ],
    "before": _FIRST,
    "intended": _TIGHT,
    "after": _SECOND,
    "class_accuracy_before": [0.8, 0.7, 0.6],
    "class_accuracy_after": [0.8, 0.8, 0.6],
    "wrong_before": 36,
    "wrong_after": 32,
    "without_person": False,
}
_TWO: dict[str, Any] = {
    "number": 2,
    "epoch": 4,
    "epochs": 1,
    "alpha": 0.7,
    "seconds": 20.0,
    "movements": [_moved(8000.0, "centre", label=1, points=40, dx=0.0, dy=0.5)],
    "before": _SECOND,
    "intended": _APART,
    "after": _THIRD,
    "class_accuracy_before": [0.8, 0.8, 0.6],
    "class_accuracy_after": [0.85, 0.8, 0.66],
    "wrong_before": 32,
    "wrong_after": 27,
    "without_person": False,
}
_NOBODY = _TWO | {"movements": [], "seconds": 0.0, "alpha": 0.0, "intended": _SECOND, "without_person": True}
_SESSION: dict[str, Any] = {
    "scenario": "signals",
    "classes": list(_CLASSES),
    "seed": 1204319,
    "points": 120,
    "scale": "learned",
    "pretraining": 3,
    "curve": _curve(0.5, 0.62, 0.7, 0.73, 0.77),
    "interactions": [_ONE, _TWO],
}

EXAMPLES: tuple[tuple[Trial, Answer], ...] = (
    (
        Trial(
            classes=_CLASSES,
            class_order=_CLASSES,
            attributes={"scenario": "signals"},
            options=LatentOptions(interactions=2, epochs=1, points=120),
            seed="one",
        ),
        {"session": _SESSION, "strategy": "I pulled the points of each class closer to its centre."},
    ),
    (
        Trial(
            classes=_CLASSES,
            class_order=_CLASSES[::-1],
            attributes={"scenario": "signals"},
            options=LatentOptions(
                interactions=2, epochs=1, points=120, choose_epochs=True, choose_alpha=False, think_aloud=True
            ),
            seed="two",
        ),
        {"session": _SESSION | {"interactions": [_ONE, _NOBODY]}, "strategy": ""},
    ),
)
