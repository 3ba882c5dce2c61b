"""`crowdloom release`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crowdloom.studies.cli.options import check_folder, counting, database_option, opened


@click.command()
@click.argument("study")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER",
    help="The folder to write; a zip of it appears beside it. A release of STUDY that is there is replaced.",
)
@click.option(
    "--licence",
    "--license",
    metavar="SPDX",
    help="Such as CC-BY-4.0 or CC0-1.0; needed for the first version; later the same one unless you say another.",
)
@click.option(
    "--free-text",
    is_flag=True,
    default=None,
    help="Include what people typed in the debrief and about their strategy, and the reasons of exclusions, without "
    "e-mail addresses, IP addresses and ids. Read it first.",
)
@click.option(
    "--images",
    type=click.Choice(["reference", "include"]),
    help="Refer to the images by their SHA-256 (also if not given), or include them. Make sure that you may.",
)
@click.option(
    "--creator",
    "creators",
    multiple=True,
    metavar="NAME",
    help="Whom to cite: 'Family, Given' for a person, anything else for a group; may be given again.",
)
@click.option("--version", "design", type=int, help="Only this version of the design; else all of them together.")
@click.option("--release-version", "number", type=int, metavar="N", help="Build this version of the release again.")
@database_option
def command(
    study: str,
    out: Path,
    licence: str | None,
    free_text: bool | None,
    images: str | None,
    creators: tuple[str, ...],
    design: int | None,
    number: int | None,
    database: str | None,
) -> None:
    """Write STUDY as a versioned, anonymised data set that other people's tools load.

    The same content is the same version, with the same bytes; changed content, or other options, make a new version
    with new pseudonyms. Everybody's answers are in it with their standing, excluded ones too.
    """
    from crowdloom.studies.releasing.licences import find_licence
    from crowdloom.studies.releasing.options import Options, check_options
    from crowdloom.studies.releasing.releasing import release_study
    from crowdloom.studies.words import count

    check_folder(out)
    said: dict[str, Any] = {
        "licence": licence and find_licence(licence).spdx,
        "free_text": free_text,
        "images": images,
        "creators": creators or None,
        "design": design,
    }
    given = {name: value for name, value in said.items() if value is not None}
    check_options(creators)
    options = Options(**given) if licence is not None and number is None else None
    with opened(database) as store, counting("Writing") as show:
        released = release_study(store, study, out, options, number=number, given=given, progress=show)
    counts = released.built.about.counts
    if released.replaced is not None and released.replaced != f"version {released.version}":
        old = released.replaced.removeprefix("version ")
        click.echo(
            f"Version {old}, which was in {out}, is replaced; --release-version {old} builds it again only from a "
            "store as it was."
        )
    click.echo(
        f"Wrote version {released.version} of {study} ({'new' if released.is_new else 'the same as before'}) to {out} "
        f"and {released.archive}: {count(counts.responses, 'response')}, "
        f"{count(sum(counts.submissions.values()), 'submission')}, {released.built.about.options.licence}."
    )
    if released.otherwise:
        names = ", ".join(released.otherwise[:3])
        click.echo(
            f"{count(len(released.otherwise), 'file')} ({names}) say the same as before in other bytes, since the "
            "software that writes them has changed."
        )
    excluded = counts.submissions.get("excluded", 0)
    if excluded and not released.built.about.options.free_text:
        click.echo(
            f"{count(excluded, 'exclusion')} by hand {'stands' if excluded == 1 else 'stand'} in it without a reason, "
            "since reasons are free text; --free-text includes them."
        )
    if released.built.about.labels.problem:
        click.echo(f"There are no label sets in it: {released.built.about.labels.problem}.")
