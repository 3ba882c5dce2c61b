"""What has to be known to read a table of trained networks: how it is averaged, what failed, is missing, differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crowdloom.analysis.run_metrics import metric_of
from crowdloom.analysis.run_tables import RunTable


def table_notes(table: RunTable) -> list[str]:
    """Sentences to stand below the table; nothing that failed or is missing goes unnamed."""
    return [*_how(table), *_gaps(table)]


LEADS = "Best and second, over the seeds that both have"
LEADS_NOTE = (
    "Better by: the mean difference, with its 95 % interval and p by the paired t-test over seeds; p is not corrected "
    "for several tests."
)
"""What stands above and below a table of `run_leads.leads_frame`."""


def _how(table: RunTable) -> Iterator[str]:
    networks = list(dict.fromkeys(network for row in table.rows for network in table.networks[row]))
    within = f"; within a seed the networks ({', '.join(networks)}) are averaged first" if len(networks) > 1 else ""
    seeds = {len(one.by_seed) for one in table.averages.values()} - {0}
    if seeds == {1}:
        yield f"One seed, so there is no interval{within}."
    elif seeds:
        alone = "; one seed alone has none" if 1 in seeds else ""
        yield f"Mean over seeds ± half its 95 % interval, by Student's t over seeds{alone}{within}."
    if len({frozenset(table.networks[row]) for row in table.rows}) > 1:
        differ = "; ".join(f"{row}: {', '.join(table.networks[row])}" for row in table.rows)
        yield f"Rows have different networks, so that they cannot be compared without more thought: {differ}."
    if table.best:
        group = " and group of rows" if table.grouped else ""
        yield f"Marked is the best of each column in each evaluation{group}, with what is printed alike."


def _gaps(table: RunTable) -> Iterator[str]:
    if table.failed:
        number = len(table.failed)
        said = _grouped((f"{one.row}, {one.network}", one.seed, f" ({one.error.rstrip('.')})") for one in table.failed)
        yield f"{number} {'run' if number == 1 else 'runs'} failed: {said}."
    if table.missing:
        number = len(table.missing)
        said = _grouped((f"{row}, {network}", seed, "") for row, network, seed in table.missing)
        yield f"{number} {'run is' if number == 1 else 'runs are'} missing: {said}."
    if (table.failed or table.missing) and any(len(table.networks[row]) > 1 for row in table.rows):
        yield "A seed that lacks one of a row's networks is left out of that row."
    gone = {(one.row, one.network, one.seed) for one in table.failed} | set(table.missing)
    undefined: dict[str, list[tuple[str, int, str]]] = {}
    for (evaluation, row, metric), one in table.averages.items():
        for seed in one.left_out:
            if not any((row, network, seed) in gone for network in table.networks[row]):
                undefined.setdefault(metric, []).append((f"{row}, {evaluation}", seed, ""))
    for metric, where in undefined.items():
        yield f"{metric_of(metric).heading} is not defined, and left out, for {_grouped(where)}."


def _grouped(runs: Iterable[tuple[str, int, str]]) -> str:
    """Runs with their seeds, those together whose names before and after the seed are the same."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for before, seed, after in runs:
        seeds.setdefault((before, after), []).append(seed)
    return "; ".join(
        f"{before}, {'seed' if len(those) == 1 else 'seeds'} {', '.join(map(str, those))}{after}"
        for (before, after), those in seeds.items()
    )
