"""The model card of a trained network: what it learned from, how, how well it does, and what it is not for."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from crowdloom.models.runs import Run

SHOWN = 50
"""So many classes are named."""
LONG = 200
"""Settings of more characters, such as a function for each pair of classes, are in the record only."""


def model_card(run: Run, metrics: Mapping[str, Mapping[str, float]], record: Mapping[str, Any]) -> str:
    """README.md of a finished run: Markdown, with the block of metadata that model hubs read."""
    return "\n".join([*_metadata(run), *_what(run, record), *_numbers(metrics), *_use(), *_again(run, record)]) + "\n"


def _metadata(run: Run) -> Iterator[str]:
    yield "---"
    yield "library_name: crowdloom"
    yield "pipeline_tag: image-classification"
    yield "license: unknown"
    yield f"tags:\n  - image-classification\n  - human-labels\n  - {run.settings.network}"
    yield "---"
    yield ""


def _what(run: Run, record: Mapping[str, Any]) -> Iterator[str]:
    classes = run.classes
    more = f" and {len(classes) - SHOWN:,} more" if len(classes) > SHOWN else ""
    yield f"# {run.settings.network}, trained on {_plain(run.row)} labels"
    yield ""
    yield (
        f"An image classifier trained by crowdloom {record['code']['crowdloom'] or ''} from random weights with seed "
        f"{run.seed}: `{_plain(run.row)}` of the experiment `{_plain(run.experiment)}`."
    )
    yield ""
    yield "## What it was trained on"
    yield ""
    labels = f"{len(run.pool.labels):,} labels, each a distribution over {len(classes)} classes"
    yield f"- {len(run.index):,} images and {labels}."
    if len(run.pool.labels) > len(run.pool):
        yield "- Of an image with several labels, one is drawn whenever the image is seen."
    yield f"- The classes: {', '.join(_plain(name) for name in classes[:SHOWN])}{more}."
    for name, value in run.origin.items():
        if name not in {"classes", "command"}:
            yield f"- {_plain(name)}: {_plain(value if isinstance(value, str) else json.dumps(value))}"
    yield ""
    yield "## Settings"
    yield ""
    yield "| setting | value |"
    yield "| --- | --- |"
    for name, value in record["run"]["settings"].items():
        text = json.dumps(value)
        yield f"| {name} | {_plain(text) if len(text) <= LONG else 'see record.json'} |"
    yield ""


def _numbers(metrics: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield "## How well it does"
    yield ""
    if not metrics:
        yield "It was not evaluated."
        yield ""
        return
    yield "| evaluated on | metric | value |"
    yield "| --- | --- | ---: |"
    for evaluation, values in metrics.items():
        for metric, value in values.items():
            number = f"{value:.4f}" if math.isfinite(value) else "not defined"
            yield f"| {_plain(evaluation)} | {_plain(metric)} | {number} |"
    yield ""
    yield (
        "Cross-entropy and losses are in nats, and lower is better; so it is with the calibration error. These are the "
        "numbers of one seed: networks of other seeds differ."
    )
    yield ""


def _use() -> Iterator[str]:
    yield "## What it is for, and what not"
    yield ""
    yield (
        "It is for research on learning from human labels: to compare kinds of labels with each other. It was trained "
        "on few, small images, knows no other classes than those above, and gives one of them to any picture. Its "
        "mistakes are not spread evenly, and it has the leanings of the people who labelled and of those who chose the "
        "pictures. Do not let it decide anything about people."
    )
    yield ""
    yield (
        "The licence of a model depends on that of the images and labels it learned from, which is not known here; "
        "look it up before you give the model to others."
    )
    yield ""


def _again(run: Run, record: Mapping[str, Any]) -> Iterator[str]:
    libraries = ", ".join(f"{name} {version}" for name, version in record["libraries"].items() if version)
    command = run.origin.get("command")
    yield "## How to use it, and to make it again"
    yield ""
    yield "```python"
    yield "from pathlib import Path"
    yield "from crowdloom.models.saved_models import load_model"
    yield ""
    yield 'model = load_model(Path("."))'
    yield "outputs = model.network(pixels)  # float [N, channels, height, width] in [0, 1]; before the softmax"
    yield "```"
    yield ""
    if command:
        yield "The command that trained it:"
        yield ""
        yield f"    {command if isinstance(command, str) else shlex.join(str(word) for word in command)}"
        yield ""
    yield (
        f"`record.json` beside this file has all settings, the digests of data and code, and the machine. Libraries: "
        f"{libraries}. Run `{record['run']['digest']}`."
    )


def _plain(text: Any) -> str:
    """Text of others on one line, which ends no table's cell."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("`", "'")
