"""What a claim is, and what a check finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict


@dataclass(frozen=True)
class Evidence:
    """A fact that a reader can follow: what it is, its exact value or enclosure, and a command that shows it again."""

    what: str
    value: str
    command: str = ""

    def to_dict(self) -> dict:
        found = {"what": self.what, "value": self.value}
        return found | {"command": self.command} if self.command else found


@dataclass(frozen=True)
class Finding:
    """What a check found: the verdict, the reason in one line, and the evidence for it."""

    verdict: Verdict
    reason: str
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self):
        if not self.reason or "\n" in self.reason:
            raise BadInput(f"expected a reason in one line, got {self.reason!r}")

    def says(self, *texts: str) -> bool:
        """Whether each of the texts stands in the reason or in the evidence: what a picture of it asks."""
        said = (self.reason, *(item.value for item in self.evidence))
        return all(any(text in one for one in said) for text in texts)


@dataclass(frozen=True)
class Claim:
    """A statement of a source in our own words, and the check that decides it.

    A statement with several readings stands once for each, under one id. `recorded` is the verdict that the check last
    gave; a run that finds another disagrees with the record.
    """

    id: str
    source: str
    statement: str
    recorded: Verdict
    check: Callable[[], Finding]
    reading: str = ""

    def __post_init__(self):
        for what in ("id", "source", "statement"):
            if not getattr(self, what).strip():
                raise BadInput(f"expected the {what} of a claim, got none in {self.id or self.statement!r}")


@dataclass(frozen=True)
class Decision:
    """A claim with what its check found in this run."""

    claim: Claim
    finding: Finding

    @property
    def agrees(self) -> bool:
        """Whether the run confirms the recorded verdict."""
        return self.finding.verdict is self.claim.recorded

    def to_dict(self) -> dict:
        return {
            "id": self.claim.id,
            "source": self.claim.source,
            "statement": self.claim.statement,
            "reading": self.claim.reading,
            "verdict": str(self.finding.verdict),
            "recorded": str(self.claim.recorded),
            "reason": self.finding.reason,
            "evidence": [item.to_dict() for item in self.finding.evidence],
        }
