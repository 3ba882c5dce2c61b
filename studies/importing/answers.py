"""The tasks whose answers can be imported, and the mapping files that come with the program."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from crowdloom.studies.design_file import parse_toml, read_text
from crowdloom.studies.errors import ImportFileError, OptionError
from crowdloom.studies.importing.mapping import Mapping
from crowdloom.studies.importing.mixing import MixingMapping
from crowdloom.studies.importing.soft_labels import SoftLabelMapping

MAPPINGS: dict[str, type[Mapping]] = {kind.task: kind for kind in (SoftLabelMapping, MixingMapping)}

SHIPPED = {
    "cifar10s": "soft-label",
    "hmix-choose": "mixing-coefficient",
    "hmix-construct": "mixing-coefficient",
    "hmix-infer": "mixing-coefficient",
    "hmix-soft-labels": "soft-label",
}
"""The mapping files in `mappings`, by name, and the task that each is for."""

DEFAULTS = {"soft-label": "cifar10s"}
"""The mapping of a task where none is given."""


def load_mapping(given: str | Path | None, task: str) -> tuple[Mapping, str, str]:
    """A mapping, its text, and what messages call it: from a file, or one that comes with the program.

    A file that is there goes before a name; without either it is the task's own.
    Raises OptionError for a task that cannot be imported and for a name that there is not,
    ImportFileError for a wrong mapping.
    """
    if task not in MAPPINGS:
        raise OptionError(f"--task {task}: answers to this task cannot be imported; there are: {', '.join(MAPPINGS)}")
    mine = ", ".join(name for name, its_task in SHIPPED.items() if its_task == task)
    if given is None and task not in DEFAULTS:
        raise OptionError(f"--task {task} needs --mapping: a file, or one of {mine}")
    wanted = DEFAULTS[task] if given is None else str(given)
    if given is not None and Path(given).exists():
        text, name = read_text(Path(given), "a mapping file", ImportFileError), wanted
    elif wanted not in SHIPPED:
        raise OptionError(
            f"--mapping {wanted}: there is no such file, and no mapping of this name comes with crowdloom; "
            f"for the task {task} there are: {mine}"
        )
    elif SHIPPED[wanted] != task:
        raise OptionError(f"--mapping {wanted} reads answers to the task {SHIPPED[wanted]}, not to --task {task}")
    else:
        name = f"mappings/{wanted}.toml"
        text = (files("crowdloom.studies") / name).read_text(encoding="utf-8")
    return parse_toml(text, name, MAPPINGS[task], ImportFileError), text, name
