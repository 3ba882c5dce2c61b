"""`crowdloom rehearse`."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

import click

from crowdloom.studies.cli.options import opened, progress
from crowdloom.studies.cli.training_options import require_training

if TYPE_CHECKING:
    from crowdloom.studies.design import Design
    from crowdloom.studies.rehearsal import Rehearsal
    from crowdloom.studies.rehearsal.described import Described


PEOPLE = 50
"""How many come where neither the command nor the design says it."""

_MOST_ROWS = 12
"""Of a table of what the answers say; longer ones are in the JSON."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--participants", type=int, help="How many simulated people come, at most: what the design says, or 50.")
@click.option("--seed", default=0, show_default=True, help="Fixes the people and the true labels.")
@click.option("--drop-out", default=0.1, show_default=True, help="The share of people who leave before the end.")
@click.option("--careless", default=0.05, show_default=True, help="The share of people who often do not look.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the true label of each item.")
@click.option("--database", metavar="URL", help="Keep it in this database, instead of a temporary one.")
def command(
    file: Path,
    participants: int | None,
    seed: int,
    drop_out: float,
    careless: float,
    as_json: bool,
    database: str | None,
) -> None:
    """Let simulated people take the study of the design FILE, and see how far its labels fall from the truth.

    They read the real pages and post real forms, many at once, from a real server. All of it happens in
    a temporary database, unless you name one. Where the files with the design's items are not there, made-up
    items take their place, and where a scenario or a coach is not prepared, those that need no data.
    """
    from crowdloom.studies.design_file import located, read_design
    from crowdloom.studies.loading import load_design
    from crowdloom.studies.rehearsal import Habits, missing, rehearse, stand_ins, with_a_coach

    design, source = read_design(file)
    people = participants if participants is not None else design.rehearsal.people or PEOPLE
    habits = Habits(drop_out=drop_out, careless=careless)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with (
            TemporaryDirectory(prefix="crowdloom-") as folder,
            opened(database or f"{folder}/rehearsal.db", create=True) as store,
        ):
            with located(source, str(file)):
                absent = missing(design, file.parent)
                scenario = _unprepared(design)
                design, coach = with_a_coach(design)
                made_up = stand_ins(design) if absent or scenario else None
                load_design(store, design, source, file.parent, items=made_up)
            if absent and made_up is not None:
                click.echo(f"{absent} is not here: {len(made_up):,} made-up items take its place.", err=as_json)
            elif scenario:
                click.echo(
                    f"The scenario {scenario} is not prepared here: scenarios that need no data take the place of all.",
                    err=as_json,
                )
            elif coach:
                click.echo(f"The coach {coach} is not prepared here: the coach digits takes its place.", err=as_json)
            with progress("People", people) as bar:
                rehearsal = rehearse(
                    store,
                    design.name,
                    participants=people,
                    seed=seed,
                    habits=habits,
                    on_end=lambda done: bar.update(done - bar.pos),
                )
    except KeyboardInterrupt:
        stays = f"what was answered stays in {database}" if database else "its temporary database is removed"
        click.echo(f"The rehearsal was stopped before its end; its server is ended and {stays}.", err=True)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)
    if as_json:
        click.echo(json.dumps(rehearsal.record() | {"made_up": len(made_up or ())}, indent=2))
    else:
        _print(rehearsal)
        if database:
            click.echo(
                f"The simulated answers are now in {database} under {design.name!r}, and their places are taken: "
                "collect real answers elsewhere."
            )


def _unprepared(design: Design) -> str | None:
    """A scenario in which nobody could train here."""
    from crowdloom.studies.rehearsal import unprepared
    from crowdloom.tasks import TASKS

    if design.items.source != "scenarios" or not TASKS[design.task].live_steps:
        return None
    require_training()
    return unprepared(design)


def _interrupt(number: int, frame: object) -> NoReturn:
    """End on SIGTERM as on Ctrl-C, so that no server is left behind."""
    raise KeyboardInterrupt


def _print(rehearsal: Rehearsal) -> None:
    people, places = rehearsal.people, rehearsal.places
    dropped = people["left"] + people["vanished"]
    of_them = "of them" if rehearsal.submissions["max"] <= 1 else "of them left none unfinished"
    rows = [
        ("arrived", people["arrived"], "simulated people who opened the link"),
        ("completed", people["completed"], f"{of_them}; {people['surplus']} surplus, after their place was given away"),
        ("dropped out", dropped, f"{people['left']} by the page's button; {people['came_back']} came back once more"),
        ("refused", people["refused"], "did not consent"),
        ("failed the check", people["failed_check"], "did not pass the comprehension check"),
        ("turned away", people["turned_away"], "found no place"),
        *_submissions(rehearsal),
        ("places filled", f"{places['filled']}/{places['wanted']}", "submissions that count"),
        ("responses", rehearsal.responses, "answers, repeats and those of drop-outs included"),
        ("per item", _range(rehearsal.accepted), "accepted first responses"),
        ("seconds", _number(rehearsal.seconds_per_answer, 1), "per answer, median, as simulated"),
    ]
    if labels := rehearsal.labels:
        rows += [
            ("mean soft label", f"{labels.soft:.3f}", "total variation from the truth, mean T2-clamp label"),
            ("majority class", f"{labels.majority:.3f}", "the same for the hard label of most people"),
            ("uniform", f"{labels.uniform:.3f}", "the same for a label that knows nothing"),
            ("entropy", _number(labels.entropy_correlation, 2), "rank correlation of labels' and true entropy"),
            ("skill", _number(rehearsal.skill_correlation, 2), "rank correlation of agreement and true skill"),
        ]
    for name, value, meaning in rows:
        click.echo(f"{name:17} {value:>8}  {meaning}")
    click.echo(f"{rehearsal.requests} requests in {rehearsal.wall_s:.0f} s.")
    if rehearsal.described is not None:
        _print_described(rehearsal.described)
    if rehearsal.plan:
        click.echo("\nThe plan, carried out on these answers (`crowdloom plan` says how often it finds what is there):")
    for one in rehearsal.plan:
        click.echo(f"{one.name}: {one.claim}\n  {one.sentence}")
    click.echo(f"\n{rehearsal.sentence()}")


def _print_described(described: Described) -> None:
    """As `crowdloom describe` does, but for long tables."""
    from crowdloom.analysis.describe import describe_rows

    click.echo()
    for name, value, meaning in describe_rows(described.summary):
        click.echo(f"{name:31} {value:>9}  {meaning}")
    for table in described.tables:
        rows = len(table.frame)
        click.echo(f"\n{table.title}\n{table.lines() if rows <= _MOST_ROWS else f'{rows} rows, which --json prints'}")


def _submissions(rehearsal: Rehearsal) -> list[tuple[str, float, str]]:
    """How many submissions people made, where anybody made several."""
    said = rehearsal.submissions
    if said["max"] <= 1:
        return []
    by = "1 person" if said["people"] == 1 else f"{said['people']:g} people"
    each = f"{said['min']:g} to {said['max']:g} each, median {said['median']:g}"
    return [("submissions", said["completed"], f"completed, by {by}: {each}")]


def _range(accepted: dict[str, int]) -> str:
    least, most = accepted["min"], accepted["max"]
    return str(least) if least == most else f"{least}-{most}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
