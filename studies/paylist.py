"""Whom to pay what, as a file: for payments by the researcher's own means."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from crowdloom.analysis.files import whole_file
from crowdloom.studies.ledger import Due


def write_list(path: Path, dues: Sequence[Due]) -> None:
    """Write payments as CSV: submission, participant (the platform's or panel's id), purpose, amount, currency.

    The one file that holds people's platform ids: they are needed to pay them.
    """
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["submission", "participant", "purpose", "amount", "currency"])
        for due in dues:
            amount = str(due.amount).split()[0]
            rows.writerow([due.code, due.participant or "", due.purpose, Decimal(amount), due.amount.currency])
