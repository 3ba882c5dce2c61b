"""Rehearsals: simulated people take a study by its real pages, and what its labels come to is measured."""

from crowdloom.studies.rehearsal.people import Habits
from crowdloom.studies.rehearsal.rehearsing import Rehearsal, rehearse
from crowdloom.studies.rehearsal.serving import serving

__all__ = ["Habits", "Rehearsal", "rehearse", "serving"]
