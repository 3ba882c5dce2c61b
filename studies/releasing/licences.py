"""The licences that a release can have, by their SPDX ids."""

from __future__ import annotations

from typing import NamedTuple

from crowdloom.studies.errors import OptionError


class Licence(NamedTuple):
    """A licence: its SPDX id, its name, and where its text stands."""

    spdx: str
    name: str
    uri: str
    says: str = ""
    """What it means in a sentence, where that is certain to be understood rightly."""


_CC = "https://creativecommons.org/licenses"
_ODC = "https://opendatacommons.org/licenses"

LICENCES = {
    licence.spdx: licence
    for licence in (
        Licence(
            "CC0-1.0",
            "Creative Commons Zero 1.0 Universal",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            "Its makers have waived all rights to it worldwide, as far as the law allows; it can be used for any "
            "purpose without asking.",
        ),
        Licence(
            "CC-BY-4.0",
            "Creative Commons Attribution 4.0 International",
            f"{_CC}/by/4.0/",
            "It can be shared and adapted for any purpose by whoever gives appropriate credit, links to the licence "
            "and says what was changed.",
        ),
        Licence("CC-BY-SA-4.0", "Creative Commons Attribution Share Alike 4.0 International", f"{_CC}/by-sa/4.0/"),
        Licence("CC-BY-NC-4.0", "Creative Commons Attribution Non Commercial 4.0 International", f"{_CC}/by-nc/4.0/"),
        Licence(
            "CC-BY-NC-SA-4.0",
            "Creative Commons Attribution Non Commercial Share Alike 4.0 International",
            f"{_CC}/by-nc-sa/4.0/",
        ),
        Licence("CC-BY-ND-4.0", "Creative Commons Attribution No Derivatives 4.0 International", f"{_CC}/by-nd/4.0/"),
        Licence(
            "CC-BY-NC-ND-4.0",
            "Creative Commons Attribution Non Commercial No Derivatives 4.0 International",
            f"{_CC}/by-nc-nd/4.0/",
        ),
        Licence("ODC-By-1.0", "Open Data Commons Attribution License v1.0", f"{_ODC}/by/1-0/"),
        Licence("ODbL-1.0", "Open Data Commons Open Database License v1.0", f"{_ODC}/odbl/1-0/"),
        Licence("PDDL-1.0", "Open Data Commons Public Domain Dedication & License 1.0", f"{_ODC}/pddl/1-0/"),
        Licence("MIT", "MIT License", "https://spdx.org/licenses/MIT.html"),
        Licence("Apache-2.0", "Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    )
}
_HUB_IDS = {"ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl"}


def find_licence(written: str) -> Licence:
    """The licence with this SPDX id, however its letters are written. Raises OptionError for an unknown one.

    >>> find_licence("cc-by-4.0").spdx
    'CC-BY-4.0'
    """
    for spdx, licence in LICENCES.items():
        if spdx.lower() == written.strip().lower():
            return licence
    raise OptionError(f"--licence {written}: no licence with this SPDX id is known here; choose {', '.join(LICENCES)}")


def hub_id(licence: Licence) -> str:
    """How the metadata of data set hubs call it.

    >>> hub_id(LICENCES["ODbL-1.0"]), hub_id(LICENCES["CC0-1.0"])
    ('odbl', 'cc0-1.0')
    """
    return _HUB_IDS.get(licence.spdx, licence.spdx.lower())


def licence_text(licence: Licence, title: str) -> str:
    """The file LICENSE of a data set."""
    terms = f"This data set is licensed under {licence.name} (SPDX-License-Identifier: {licence.spdx})."
    lines = [title, "", terms]
    lines += [licence.says] if licence.says else []
    return "\n".join([*lines, f"The licence: {licence.uri}", ""])
