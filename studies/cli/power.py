"""`crowdloom power`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import check_folder, counting, database_option, opened
from crowdloom.studies.errors import OptionError
from crowdloom.studies.platforms import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from crowdloom.analysis.variances import Variances
    from crowdloom.studies.power import PowerReport
    from crowdloom.studies.power_numbers import Setting


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--effect",
    required=True,
    metavar="P1,P2|DIFFERENCE",
    help="Shares of right answers in both conditions, such as 0.63,0.73; or a difference of means, with --spread.",
)
@click.option("--spread", type=float, help="Of a number: the standard deviation of single answers.")
@click.option(
    "--participant-sd",
    type=float,
    help="Standard deviation between people: in log-odds for shares, else in the outcome's unit.",
)
@click.option("--item-sd", type=float, help="The same between items.")
@click.option("--like", metavar="STUDY", help="Take these from the answers of a study in the store.")
@click.option("--outcome", metavar="NAME", help="With --like: which outcome of its task.")
@click.option(
    "--test", metavar="NAME", help="A test of two conditions, by its name in a plan: the plan's, or a t-test."
)
@click.option(
    "--unit",
    type=click.Choice(["item", "participant", "response"]),
    help="Whose means are compared: the plan's, or items.",
)
@click.option("--conditions", metavar="A,B", help="Which two are compared: the plan's, or the only two.")
@click.option("--responses", metavar="N,N,…", help="Responses per item to try, beside the design's own number.")
@click.option("--items", metavar="N,N,…", help="Numbers of items to try, beside the design's own.")
@click.option(
    "--people",
    type=click.IntRange(min=1),
    help="Who takes part in the design as it stands, where people may come again.",
)
@click.option("--alpha", type=float, help="The level of the test: the plan's, or 0.05.")
@click.option("--simulations", default=1000, show_default=True, help="Studies to simulate for each point.")
@click.option("--seed", default=0, show_default=True, help="Fixes the simulated studies.")
@click.option(
    "--on",
    "platform",
    type=click.Choice(sorted(PLATFORMS)),
    default="link",
    show_default=True,
    help="Whose fees the cost includes.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw the curve: .svg, .pdf or .png."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are in minor units.")
@database_option
def command(
    file: Path,
    effect: str,
    spread: float | None,
    participant_sd: float | None,
    item_sd: float | None,
    like: str | None,
    outcome: str | None,
    test: str | None,
    unit: str | None,
    conditions: str | None,
    responses: str | None,
    items: str | None,
    people: int | None,
    alpha: float | None,
    simulations: int,
    seed: int,
    platform: str,
    out: Path | None,
    as_json: bool,
    database: str | None,
) -> None:
    """Say how likely the study of the design FILE would find an effect, what that costs, and what would be needed.

    Studies like it are simulated, with people and items that differ, and tested as planned; the same without any
    effect say how often the test would find one that is not there. Nothing is published and nothing is stored.
    """
    from crowdloom.studies.design_file import located, read_design
    from crowdloom.studies.power_setting import count_items, planned, read_effect, setting_of
    from crowdloom.studies.power_words import power_record, power_table, result_sentences, setting_sentences

    if out is not None:
        check_folder(out)
        if out.suffix.lower() not in (".svg", ".pdf", ".png"):
            raise OptionError(f"--out {out}: a figure is drawn as .svg, .pdf or .png; end the name in one of them")
    if like is None and outcome is not None:
        raise OptionError("--outcome: belongs to --like; give both or neither")
    sizes = _numbers("--responses", responses), _numbers("--items", items)
    design, source = read_design(file)
    sides = _pair(conditions)
    compared = planned(design, sides)
    wanted = read_effect(effect, spread, participant_sd, item_sd, _like(like, outcome, database))
    with located(source, str(file)):
        number = count_items(design, file.parent)
        setting = setting_of(
            design,
            number,
            compared,
            wanted,
            test=test,
            unit=unit,
            alpha=alpha,
            simulations=simulations,
            seed=seed,
            platform=platform,
            people=people,
        )
        report = _simulate(setting, *sizes)
    if out is not None:
        _draw(report, out)
    if as_json:
        click.echo(json.dumps(power_record(report), indent=2, ensure_ascii=False, allow_nan=False))
        return
    for sentence in setting_sentences(setting):
        click.echo(sentence)
    table = power_table(report)
    click.echo(f"\n{table.title}\n{table.lines()}\n")
    for sentence in result_sentences(report):
        click.echo(sentence)
    if out is not None:
        click.echo(f"Wrote {out}.")


def _simulate(setting: Setting, responses: list[int], items: list[int]) -> PowerReport:
    from crowdloom.studies.power import power_report

    with counting("Simulated studies") as show:
        try:
            return power_report(setting, responses, items, show)
        except KeyboardInterrupt:
            click.echo("\nThe simulation was stopped before its end; nothing was written.", err=True)
            sys.exit(130)


def _draw(report: PowerReport, out: Path) -> None:
    from crowdloom.analysis.figures import save_figure
    from crowdloom.studies.power_words import figure_of

    save_figure(figure_of(report), out)


def _like(study: str | None, outcome: str | None, database: str | None) -> Callable[[bool], Variances] | None:
    """What reads the variances of a study in the store, where one is named."""
    if study is None:
        return None

    def read(right_or_wrong: bool) -> Variances:
        from crowdloom.studies.power_setting import variances_of_study

        with opened(database) as store, store.read() as connection:
            return variances_of_study(connection, study, right_or_wrong, outcome)

    return read


def _numbers(option: str, written: str | None) -> list[int]:
    """Whole numbers with commas between them."""
    parts = [part.strip() for part in written.split(",")] if written is not None else []
    if wrong := [part for part in parts if not (part.isascii() and part.isdecimal())]:
        raise OptionError(f"{option}: expected whole numbers such as 3,5,7, got {wrong[0]!r}")
    return [int(part) for part in parts]


def _pair(written: str | None) -> tuple[str, str] | None:
    if written is None:
        return None
    parts = [part.strip() for part in written.split(",")]
    if len(parts) != 2:
        raise OptionError(f"--conditions: expected two names with a comma between them, got {written!r}")
    return parts[0], parts[1]
