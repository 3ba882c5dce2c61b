"""Platforms: where participants come from. One file each, one line each in `PLATFORMS`."""

from crowdloom.studies.platforms.link import Link
from crowdloom.studies.platforms.protocol import Platform

PLATFORMS: dict[str, Platform] = {
    "link": Link(),
}
