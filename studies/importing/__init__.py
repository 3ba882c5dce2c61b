"""Raw files of studies that were run elsewhere, read into the same tables as our own pages write."""

from crowdloom.studies.importing.jspsych import import_jspsych
from crowdloom.studies.importing.report import Report

__all__ = ["Report", "import_jspsych"]
