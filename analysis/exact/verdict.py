"""The verdicts."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """PROVED by exact algebra or a rigorous enclosure; REFUTED with a witness; UNDECIDED with the reason.

    "Not shown" is never "false", and floating-point sampling yields no verdict. MEASURED is for the ledger alone, where
    a claim speaks of speed or training and a recorded measurement answers it.
    """

    PROVED = "PROVED"
    REFUTED = "REFUTED"
    UNDECIDED = "UNDECIDED"
    MEASURED = "MEASURED"
