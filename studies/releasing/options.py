"""What a release is made by, beside the study itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from crowdloom.studies.errors import OptionError
from crowdloom.studies.releasing.licences import Licence, find_licence

Images = Literal["reference", "include"]


@dataclass(frozen=True)
class Options:
    """They stand in the store beside the version; others make another version."""

    licence: str
    free_text: bool = False
    """Whether the debrief answers that people typed are in it, and what they wrote about their strategy."""
    images: Images = "reference"
    """`include`: the pictures are files of the release; `reference`: their SHA-256 stands there alone."""
    creators: tuple[str, ...] = ()
    design: int | None = None
    """Only this version of the study's design; else all of them together."""

    @property
    def terms(self) -> Licence:
        """The licence. Raises OptionError for an unknown one."""
        return find_licence(self.licence)

    def dump(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"creators": list(self.creators)}

    @classmethod
    def load(cls, said: dict[str, Any]) -> Options:
        """From what `dump` gives."""
        return cls(**{**said, "creators": tuple(said["creators"])})

    def differences(self, given: dict[str, Any]) -> list[str]:
        """The names of what is given and not as it is here."""
        mine = {field.name: getattr(self, field.name) for field in fields(self)}
        return [name for name, value in mine.items() if given.get(name, value) != value]


def check_options(creators: tuple[str, ...]) -> None:
    """Raise OptionError for a name that nobody can be cited by."""
    if any(not name.strip() or "\n" in name for name in creators):
        raise OptionError("--creator is empty or has several lines; give one name, as in --creator 'Family, Given'")
