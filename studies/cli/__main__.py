"""`python -m crowdloom.studies.cli`, the same as `crowdloom`."""

from crowdloom.studies.cli import main

main()
