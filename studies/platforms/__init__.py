"""Platforms: where participants come from. One file each, one line each in `PLATFORMS`.

Loading them loads no vendor's library: these are needed only once `connect` is called.
"""

from crowdloom.studies.platforms.link import Link
from crowdloom.studies.platforms.mturk import MTurk
from crowdloom.studies.platforms.prolific import Prolific
from crowdloom.studies.platforms.protocol import Platform

PLATFORMS: dict[str, Platform] = {
    "link": Link(),
    "mturk": MTurk(),
    "prolific": Prolific(),
}
