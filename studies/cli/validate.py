"""`crowdloom validate`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import counting


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--without-items", is_flag=True, help="Check the file alone, not the items that it names.")
def command(file: Path, without_items: bool) -> None:
    """Check a design FILE: each problem is named with file, line, field and what was expected."""
    from crowdloom.studies.cli.not_ready import not_ready
    from crowdloom.studies.design_file import located, read_design
    from crowdloom.studies.items import read_items
    from crowdloom.studies.loading import prepare_items
    from crowdloom.studies.media import Spool
    from crowdloom.studies.plan_items import check_plan
    from crowdloom.studies.words import count

    design, source = read_design(file)
    if without_items:
        click.echo(f"{file} is a valid design.")
        return
    with counting("Reading items") as show, located(source, str(file)), Spool() as spool:
        items, dealt, used = prepare_items(design, read_items(design, file.parent), spool, show)
        check_plan(design, used.values())
    wanted = [arm.responses_per_item or design.batches.responses_per_item for arm in design.arms()]
    people = sum(each * len(batches) for each, batches in zip(wanted, dealt, strict=True))
    batches = len({tuple(batch) for batches in dealt for batch in batches})
    line = f"{file} is a valid design: {len(used)} of {items} items in {count(batches, 'batch')}, "
    line += f"{count(people, 'submission')} wanted"
    if design.people.reward is not None:
        total = design.people.reward.model_copy(update={"amount": design.people.reward.amount * people})
        hourly = design.people.reward.model_copy(
            update={"amount": round(design.people.reward.amount * 60 / design.people.minutes)}
        )
        line += f", {total} in rewards ({hourly} an hour)"
    click.echo(line + ".")
    for sentence in not_ready(design):
        click.echo(sentence)
