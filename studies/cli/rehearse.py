"""`crowdloom rehearse`."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

import click

from crowdloom.studies.cli.options import opened, progress

if TYPE_CHECKING:
    from crowdloom.studies.rehearsal import Rehearsal


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--participants", default=50, show_default=True, help="How many simulated people come, at most.")
@click.option("--seed", default=0, show_default=True, help="Fixes the people and the true labels.")
@click.option("--drop-out", default=0.1, show_default=True, help="The share of people who leave before the end.")
@click.option("--careless", default=0.05, show_default=True, help="The share of people who often do not look.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the true label of each item.")
@click.option("--database", metavar="URL", help="Keep it in this database, instead of a temporary one.")
def command(
    file: Path,
    participants: int,
    seed: int,
    drop_out: float,
    careless: float,
    as_json: bool,
    database: str | None,
) -> None:
    """Let simulated people take the study of the design FILE, and see how far its labels fall from the truth.

    They read the real pages and post real forms, many at once, from a real server. All of it happens in
    a temporary database, unless you name one.
    """
    from crowdloom.studies.design_file import located, read_design
    from crowdloom.studies.loading import load_design
    from crowdloom.studies.rehearsal import Habits, rehearse

    design, source = read_design(file)
    habits = Habits(drop_out=drop_out, careless=careless)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with (
            TemporaryDirectory(prefix="crowdloom-") as folder,
            opened(database or f"{folder}/rehearsal.db", create=True) as store,
        ):
            with located(source, str(file)):
                load_design(store, design, source, file.parent)
            with progress("People", participants) as bar:
                rehearsal = rehearse(
                    store,
                    design.name,
                    participants=participants,
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
        click.echo(json.dumps(asdict(rehearsal), indent=2))
    else:
        _print(rehearsal)
        if database:
            click.echo(
                f"The simulated answers are now in {database} under {design.name!r}, and their places are taken: "
                "collect real answers elsewhere."
            )


def _interrupt(number: int, frame: object) -> NoReturn:
    """End on SIGTERM as on Ctrl-C, so that no server is left behind."""
    raise KeyboardInterrupt


def _print(rehearsal: Rehearsal) -> None:
    people, places = rehearsal.people, rehearsal.places
    dropped = people["left"] + people["vanished"]
    rows = [
        ("arrived", people["arrived"], "simulated people who opened the link"),
        ("completed", people["completed"], f"of them; {people['surplus']} surplus, after their place was given away"),
        ("dropped out", dropped, f"{people['left']} by the page's button; {people['came_back']} came back once more"),
        ("refused", people["refused"], "did not consent"),
        ("failed the check", people["failed_check"], "did not pass the comprehension check"),
        ("turned away", people["turned_away"], "found no place"),
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
        ]
    rows.append(("skill", _number(rehearsal.skill_correlation, 2), "rank correlation of agreement and true skill"))
    for name, value, meaning in rows:
        click.echo(f"{name:17} {value:>8}  {meaning}")
    click.echo(f"{rehearsal.requests} requests in {rehearsal.wall_s:.0f} s.")
    click.echo(f"\n{rehearsal.sentence()}")


def _range(accepted: dict[str, int]) -> str:
    least, most = accepted["min"], accepted["max"]
    return str(least) if least == most else f"{least}-{most}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
