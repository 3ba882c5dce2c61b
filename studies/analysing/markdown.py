"""A report's sections as Markdown, for those who read it in an editor or put it into a paper's repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crowdloom.analysis.report import Block, Drawing, Facts, Prose, Section, Tabular


def as_markdown(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The whole text. Figures are those in `figures/`, tables also lie in `tables/`, as files by their stems.

    >>> print(as_markdown("Digits", "study digits", [Section("Gains", [Prose("None.")])]))
    # Digits
    <BLANKLINE>
    study digits
    <BLANKLINE>
    ## Gains
    <BLANKLINE>
    None.
    <BLANKLINE>
    """
    parts = [f"# {title}", lead]
    for section in sections:
        parts += [f"## {section.title}", *(text for block in section.blocks for text in _block(block))]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Prose):
        yield block.text
    elif isinstance(block, Facts):
        yield "\n".join(f"- {name}: {value}{f' ({meaning})' * bool(meaning)}" for name, value, meaning in block.rows)
    elif isinstance(block, Tabular):
        yield f"{block.table.title} ([{block.stem}.csv](tables/{block.stem}.csv))."
        yield _table(block)
        if block.note:
            yield block.note
    elif isinstance(block, Drawing):
        yield f"![{_cell(block.caption)}](figures/{block.stem}.svg)"
        yield f"*{block.caption}*"


def _table(block: Tabular) -> str:
    columns = block.columns()
    rows = [[_cell(cell) for cell in row] for row in zip(*(cells for cells, _ in columns), strict=True)]
    rule = [":--" if words else "--:" for _, words in columns]
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("[", r"\[").replace("]", r"\]")
