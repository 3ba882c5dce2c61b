"""Rehearsals: simulated people take a study by its real pages, and what its labels come to is measured."""

from crowdloom.studies.rehearsal.people import Habits
from crowdloom.studies.rehearsal.rehearsing import rehearse
from crowdloom.studies.rehearsal.report import Rehearsal
from crowdloom.studies.rehearsal.serving import serving
from crowdloom.studies.rehearsal.stand_in_coach import with_a_coach
from crowdloom.studies.rehearsal.stand_ins import missing, stand_ins, unprepared

__all__ = ["Habits", "Rehearsal", "missing", "rehearse", "serving", "stand_ins", "unprepared", "with_a_coach"]
