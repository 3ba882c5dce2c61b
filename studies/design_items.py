"""What a design says of its items: where the images come from, and how they are enlarged or mixed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from crowdloom.studies.design_types import ClassName, Line, Number, Part, Whole

_WITHOUT_FILES = ("digits", "scenarios", "classes")


class Mixed(Part):
    """Items that are mixed of two images of the source, x = lambda x1 + (1 - lambda) x2, pixel by pixel."""

    pairs: Whole = Field(ge=1)
    """Pairs of images for each pair of classes, drawn at random with the design's seed."""
    coefficients: tuple[tuple[Number, ...], ...] = ()
    """Each pair is mixed once by a lambda of each of these lists, drawn at random where a list has several."""
    keep: tuple[Number, ...] = ()
    """Of these items only those with one of these lambdas; all where it is empty."""
    steps: Whole | None = Field(default=None, ge=3, le=101)
    """Instead of coefficients: each pair is one item with so many mixes, equally far from 0 to 1, for the
    questions that ask for the perceived midpoint."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Mixed:
        if self.steps is None and not self.coefficients:
            raise ValueError("expected coefficients or steps beside pairs")
        if self.steps is not None and self.coefficients:
            raise ValueError("steps: expected either coefficients or steps, got both")
        if any(not chosen for chosen in self.coefficients):
            raise ValueError("coefficients: a list is empty")
        given = [number for chosen in self.coefficients for number in chosen]
        if wrong := [number for number in given if not 0 <= number <= 1 or round(number, 3) != number]:
            raise ValueError(f"coefficients: expected numbers from 0 to 1 with at most 3 decimals, got {wrong[0]}")
        if twice := [number for number in given if given.count(number) > 1]:
            raise ValueError(f"coefficients: {twice[0]:g} stands there twice, and each pair is mixed by it once")
        if strange := [number for number in self.keep if number not in given]:
            raise ValueError(f"keep: {strange[0]} is none of the coefficients")
        return self


class Items(Part):
    """Where the stimuli come from."""

    source: Literal["digits", "folder", "csv", "arrays", "scenarios", "classes", "import"]
    """`digits`: scikit-learn's; `folder`: images below `path`, in one folder per class or all in one;
    `csv`: a table with the columns key, image and optionally reference and difficulty; `arrays`: an .npz
    with `images` and optionally `label`, `index` and `difficulty`; `scenarios`: what live tasks train on, by
    `names`, without pictures; `classes`: the design's classes themselves, to be written;
    `import`: written by `crowdloom import`, whose items came with the answers."""
    path: str | None = None
    """File or folder, relative to the design file."""
    names: tuple[Line, ...] | None = None
    """For `scenarios`: their names, one item each."""
    rounds: Whole | None = Field(default=None, ge=1, le=1000)
    """For `classes`: how often each is asked for; once if left out."""
    only: tuple[ClassName, ...] | None = Field(default=None, min_length=1)
    """For `classes`: those that are asked for; all if left out."""
    counts: str | None = None
    """For `arrays`: an .npy with annotator counts per class, one row for each `index`; the difficulty
    of an item is then the entropy of its row, in nats."""
    sample: Whole | None = Field(default=None, ge=1)
    """How many items to draw, with the design's seed; all where it is absent."""
    image_size: Whole = Field(default=160, ge=0, le=2048)
    """Smaller images are enlarged until the shorter side has so many pixels; 0 shows them as they are."""
    enlarge: Literal["lanczos", "nearest"] = "lanczos"
    """How: smoothly, or each pixel as a square of whole pixels (then it may become a little larger)."""
    mixed: Mixed | None = None
    """Mix the source's images, instead of showing them as they are."""

    @model_validator(mode="after")
    def _path_is_given(self) -> Items:
        if (self.source == "scenarios") != bool(self.names):
            raise ValueError('names: belong to source "scenarios", which needs at least one')
        if self.names and len(set(self.names)) < len(self.names):
            raise ValueError("names: a scenario stands there twice")
        for name in ("rounds", "only"):
            if getattr(self, name) is not None and self.source != "classes":
                raise ValueError(f'{name}: belongs to source "classes", not to "{self.source}"')
        if self.only and len(set(self.only)) < len(self.only):
            raise ValueError("only: a class stands there twice")
        if self.source in _WITHOUT_FILES and (self.path or self.counts):
            raise ValueError(f'source: "{self.source}" takes no path and no counts')
        if self.source in ("scenarios", "classes") and self.mixed:
            raise ValueError(f"mixed: {self.source} have no images that could be mixed")
        if self.source not in _WITHOUT_FILES and not self.path:
            raise ValueError(f'source: "{self.source}" needs a path; add path = "…"')
        if self.counts and self.source != "arrays":
            raise ValueError(f'counts: belong to source "arrays", not to "{self.source}"')
        return self
