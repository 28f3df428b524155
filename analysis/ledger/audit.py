"""`claims`: decides the statements of the ledger, several at a time."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from analysis.activation.errors import BadInput, Undecided
from analysis.activation.sheet import Line, Record, Sheet, Table
from analysis.exact.verdict import Verdict
from analysis.ledger import documents, field, notebook, paper, thread, workers
from analysis.ledger.claim import Claim, Decision, Finding

CLAIMS: tuple[Claim, ...] = (*paper.CLAIMS, *thread.CLAIMS, *notebook.CLAIMS, *field.CLAIMS, *documents.CLAIMS)
SLOWEST = ("W9", "T14", "W4", "F19", "T12", "T9", "T11", "T8", "N1", "T2")  # start first, or they end last

Heard = Callable[[Decision], object]


@dataclass(frozen=True)
class Ledger(Record):
    """Decided claims, in the order of the sources; `detailed` shows their evidence too."""

    decisions: tuple[Decision, ...]
    detailed: bool = False

    def __getitem__(self, id: str) -> tuple[Decision, ...]:
        """All readings of one claim."""
        found = tuple(decision for decision in self.decisions if decision.claim.id == id)
        if not found:
            raise KeyError(id)
        return found

    def part(self, letter: str) -> Ledger:
        """The claims of one source: those whose ids begin with this letter."""
        return Ledger(tuple(d for d in self.decisions if d.claim.id.startswith(letter)), self.detailed)

    @property
    def disagreeing(self) -> tuple[Decision, ...]:
        """The claims whose verdict in this run is not the recorded one."""
        return tuple(decision for decision in self.decisions if not decision.agrees)

    @property
    def agrees(self) -> bool:
        return not self.disagreeing

    def counts(self) -> dict[str, int]:
        """How many claims there are of each verdict."""
        found = Counter(str(decision.finding.verdict) for decision in self.decisions)
        return {str(verdict): found[verdict] for verdict in Verdict}

    def to_dict(self) -> dict:
        """The JSON of `actapprox claims`."""
        return {"claims": [decision.to_dict() for decision in self.decisions], "counts": self.counts()}

    def sheet(self) -> Sheet:
        counts = ", ".join(f"{number} {verdict}" for verdict, number in self.counts().items() if number)
        many = "1 claim" if len(self.decisions) == 1 else f"{len(self.decisions)} claims"
        against = tuple(f"not as recorded: {disagreement(decision)}" for decision in self.disagreeing)
        title = f"{many}, each reading counted: {counts or 'none'}"
        if self.detailed:
            return Sheet(title, tuple(line for d in self.decisions for line in _lines(d)), notes=against)
        rows = tuple(row for _, readings in groupby(self.decisions, _statement) for row in _rows(tuple(readings)))
        return Sheet(
            title, tables=(Table(("claim", "verdict", "statement, reading: reason"), rows, texts=3),), notes=against
        )


def disagreement(decision: Decision) -> str:
    """What was found and what the record says, in one line."""
    claim = decision.claim
    reading = f" ({claim.reading})" if claim.reading else ""
    return f"{claim.id}{reading}: found {decision.finding.verdict}, the record says {claim.recorded}"


def _statement(decision: Decision) -> tuple[str, str]:
    return decision.claim.id, decision.claim.statement


def _rows(readings: Sequence[Decision]) -> Iterator[tuple[str, str, str]]:
    """The statement once, below it each reading with its verdict and the reason."""
    yield readings[0].claim.id, "", readings[0].claim.statement
    for decision in readings:
        reading = f"{decision.claim.reading}: " if decision.claim.reading else ""
        yield "", str(decision.finding.verdict), reading + decision.finding.reason


def _lines(decision: Decision) -> Iterator[Line]:
    """Everything that is known of one claim."""
    claim, finding = decision.claim, decision.finding
    yield Line(claim.id, claim.statement)
    if claim.reading:
        yield Line("  reading", claim.reading)
    yield Line("  source", claim.source)
    yield Line("  verdict", f"{finding.verdict} ({'as' if decision.agrees else 'not as'} recorded)")
    yield Line("  reason", finding.reason)
    for item in finding.evidence:
        fair = item.what == "would hold"
        yield Line("  would hold", item.value) if fair else Line("  evidence", f"{item.what}: {item.value}")
        if item.command:
            yield Line("", f"$ {item.command}")


def claims(
    ids: Sequence[str] = (), *, verdict: Verdict | None = None, jobs: int = 1, heard: Heard | None = None
) -> Ledger:
    """Decides the claims with these ids, all if there are none, or of them those recorded with a verdict.

    With several jobs it starts that many processes; a script that calls it so guards its main part by
    `if __name__ == "__main__"`. `heard` is called with each decision as soon as it has fallen, in any order. Raises
    BadInput for an id that no claim has.
    """
    places = chosen(ids, verdict)
    found = {}
    for place, finding in _findings(places, jobs):
        found[place] = Decision(CLAIMS[place], finding)
        if heard:
            heard(found[place])
    return Ledger(tuple(found[place] for place in places), detailed=bool(ids))


def chosen(ids: Sequence[str] = (), verdict: Verdict | None = None) -> list[int]:
    """The places in the ledger of the claims with these ids, in any case, and this recorded verdict."""
    known = list(dict.fromkeys(claim.id for claim in CLAIMS))
    wanted = {id.upper() for id in ids}
    for id in ids:
        if id.upper() not in known:
            near = difflib.get_close_matches(id.upper(), known, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"expected one of {', '.join(known)}"
            raise BadInput(f"unknown claim {id!r}; {hint} (actapprox claims shows all)")
    return [
        place
        for place, claim in enumerate(CLAIMS)
        if (not wanted or claim.id in wanted) and verdict in (None, claim.recorded)
    ]


def _findings(places: Iterable[int], jobs: int) -> Iterator[tuple[int, Finding]]:
    """The readings of a claim stay together: they share fits and distances, which are worked out once a process."""
    batches = [list(batch) for _, batch in groupby(places, lambda place: CLAIMS[place].id)]
    if jobs <= 1 or len(batches) < 2:
        yield from ((place, finding(place)) for batch in batches for place in batch)
        return
    batches.sort(key=lambda batch: _rank(CLAIMS[batch[0]].id))
    lost = Finding(Verdict.UNDECIDED, "the process that was to decide it ended early")
    for place, found in workers.spread(finding, batches, jobs):
        yield place, found or lost


def _rank(id: str) -> int:
    return SLOWEST.index(id) if id in SLOWEST else len(SLOWEST)


def finding(place: int) -> Finding:
    """What the check of a claim finds, by the claim's place: a check is a function, which need not have a name."""
    try:
        return CLAIMS[place].check()
    except Undecided as reason:
        return Finding(Verdict.UNDECIDED, " ".join(str(reason).split()) or "no reason given")
