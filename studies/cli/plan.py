"""`crowdloom plan`."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from crowdloom.studies.cli.options import opened, progress


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--runs", default=100, show_default=True, help="Imagined studies with the effect, and as many without.")
@click.option("--participants", type=int, help="How many people come: what the design's rehearsal says, or enough.")
@click.option("--seed", default=0, show_default=True, help="Fixes the people, their answers and the true labels.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: Path, runs: int, participants: int | None, seed: int, as_json: bool) -> None:
    """Try the plan of the design FILE: how often it finds what is there, and how often what is not.

    The answers are those of simulated people who behave as [rehearsal.behaviour] states, without any page and
    without drop-outs. Where the files with the design's items are not there, made-up items take their place.
    """
    from crowdloom.analysis.plan import plan_hash
    from crowdloom.analysis.plan_words import claim_words, correction_words, exclusion_words, hypothesis_words
    from crowdloom.studies.analysing.rehearsed import try_plan
    from crowdloom.studies.design_file import located, read_design
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.loading import load_design
    from crowdloom.studies.reading_items import read_items
    from crowdloom.studies.rehearsal import missing, stand_ins
    from crowdloom.studies.rehearsal.imagined import ImaginedStudy

    if runs < 1:
        raise OptionError(f"--runs {runs}: at least one is needed")
    if participants is not None and participants < 1:
        raise OptionError(f"--participants {participants}: at least one is needed")
    design, source = read_design(file)
    plan = design.plan
    if plan is None:
        raise OptionError(f"{file} has no plan; add [plan] with its hypotheses")
    with TemporaryDirectory(prefix="crowdloom-") as folder, opened(f"{folder}/plan.db", create=True) as store:
        with located(source, str(file)):
            absent = missing(design, file.parent)
            load_design(store, design, source, file.parent, items=stand_ins(design) if absent else None)
        if absent:
            click.echo(f"{absent} is not here: made-up items take its place.", err=as_json)
        with store.read() as connection:
            study, items = ImaginedStudy(connection, design.name), read_items(connection, design.name)
        with progress("Runs", 2 * runs) as bar:
            tried = try_plan(
                study,
                items,
                runs=runs,
                seed=seed,
                people=participants,
                on_run=lambda done: bar.update(done - bar.pos),
            )
    if as_json:
        rows = [
            vars(one)
            | {
                "found_share": one.found / runs,
                "found_without_share": None if one.found_without is None else one.found_without / runs,
                "too_often": one.too_often(plan.alpha),
            }
            for one in tried
        ]
        click.echo(json.dumps({"plan": plan_hash(plan), "runs": runs, "seed": seed, "hypotheses": rows}, indent=2))
        return
    click.echo(f"plan {plan_hash(plan)}\nstopping: {plan.stopping}")
    click.echo(f"correction: {correction_words(plan)}\nleft out: {exclusion_words(plan.exclusions)}\n")
    for hypothesis, one in zip(plan.hypotheses, tried, strict=True):
        click.echo(f"{claim_words(hypothesis)}\n  {hypothesis_words(hypothesis, design.task)}")
        click.echo(f"  found in {one.found} of {runs} studies with the stated behaviour ({one.interval(one.found)})")
        if one.found_without is None:
            click.echo("  not tried without it: from a comparison with a number nothing can be taken out")
        else:
            without = one.interval(one.found_without)
            click.echo(f"  found in {one.found_without} of {runs} studies without it ({without})")
        if one.too_often(plan.alpha):
            click.echo(f"  ! that is more often than alpha, {plan.alpha:g}, allows: this test does not fit the design")
        if one.untested:
            click.echo(f"  could not be tested in {one.untested}: {one.problem}")
