"""What the commands that prepare something say while they do, when they are stopped, and when it cannot be done."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

_STEPS = 1000


@contextmanager
def preparing(name: str, folder: Path) -> Iterator[Callable[[float, str], None]]:
    """A bar for the preparation of `name`, which is told the share that is done and what is being done.

    On Ctrl-C it says that what was done stays in `folder`, and exits with 130. What the models refuse is an
    OptionError.
    """
    from crowdloom.models.errors import ArgumentError, ModelError
    from crowdloom.studies.errors import OptionError

    try:
        with click.progressbar(
            length=_STEPS,
            label=f"Preparing {name}",
            file=sys.stderr,
            hidden=not sys.stderr.isatty(),
            show_pos=False,
            item_show_func=lambda said: said,
        ) as bar:
            yield lambda share, said: bar.update(max(0, round(_STEPS * share) - bar.pos), said)
    except KeyboardInterrupt:
        click.echo(f"\nStopped; what is done stays in {folder}, and the same command goes on from there.", err=True)
        sys.exit(130)
    except ArgumentError as error:
        raise OptionError(f"--{error.argument}: {error}") from error
    except ModelError as error:
        raise OptionError(str(error)) from error
