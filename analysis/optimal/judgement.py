"""Approximations in print against the best of their shape: beaten, unbeatable, or below what is possible.

Constants in print are measured again, with certainty; of a figure without constants only the figure is taken. The
rival is the best design with as many pieces, or the best member of the family, and its proved lower bound says how far
anybody could go. Neither a sample nor a tolerance takes part in a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from fractions import Fraction

import numpy as np

from analysis.activation import lookup, lowering
from analysis.activation.record import Activation
from analysis.activation.sheet import Record, Sheet, Table, decimal
from analysis.exact.verdict import Verdict
from analysis.optimal.design import design
from analysis.optimal.designs import Clock
from analysis.optimal.fitting.constants import fit
from analysis.optimal.literature import PRINTED, Printed, table
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import compare

DIGITS = 12  # of a mean square, rounded outward
AROUND = 4  # slopes of a lattice that are tried on either side of the best real one; a heuristic


class Standing(StrEnum):
    """What the comparison says of what is in print."""

    BEATEN = "beaten"
    UNBEATABLE = "unbeatable"
    IMPOSSIBLE = "below the proved bound"
    OPEN = "undecided"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True)
class Judged(Record):
    """One comparison; errors are enclosures in the unit of the figure, `lower` is proved for every rival."""

    printed: Printed
    measured: Pair | None = None  # the error of the constants in print
    ours: Pair | None = None
    lower: float = 0.0
    formula: str = ""  # of ours
    seconds: float = field(default=0.0, compare=False)

    @property
    def theirs(self) -> Pair | None:
        """The error of what is in print: as measured here, else as printed."""
        return self.measured or ((self.printed.figure,) * 2 if self.printed.figure else None)

    @property
    def standing(self) -> Standing:
        if self.printed.norm is None or self.theirs is None or self.ours is None:
            return Standing.NOT_COMPARED
        low, high = map(float, self.theirs)
        if high < self.lower:
            return Standing.IMPOSSIBLE
        if float(self.ours[1]) < low:
            return Standing.BEATEN
        return Standing.UNBEATABLE if self.lower else Standing.OPEN

    @property
    def holds(self) -> bool | None:
        """Whether the figure in print is the error of the constants in print, to its last digit; None without both."""
        if not self.printed.figure or self.measured is None:
            return None
        figure = Decimal(self.printed.figure)
        half = Decimal((0, (5,), int(figure.as_tuple().exponent) - 1))
        return all(abs(Decimal(end) - figure) <= half for end in self.measured)

    @property
    def sentence(self) -> str:
        """The verdict with its figures."""
        if self.standing is Standing.NOT_COMPARED or self.theirs is None or self.ours is None:
            return f"cannot be compared: {self.printed.why}"
        ratio = float(self.theirs[0]) / float(self.ours[1])
        if self.standing is Standing.IMPOSSIBLE:
            share = decimal(float(self.theirs[1]) / self.lower, 3)
            return f"{share} of the proved bound: no error of {self.printed.pieces} linear pieces on this domain"
        said = f"beaten by a factor of {decimal(ratio, 4)}" if self.standing is Standing.BEATEN else "not beaten"
        if not self.lower:
            return f"{said}; nothing is proved from below"
        return f"{said}; nobody can gain more than a factor of {decimal(float(self.theirs[1]) / self.lower, 4)}"

    def to_dict(self) -> dict:
        printed = self.printed
        return {
            "name": printed.name,
            "target": printed.target,
            "source": printed.source,
            "figure": printed.figure or None,
            "norm": printed.measure,
            "pieces": printed.pieces,
            "family": printed.family or None,
            "measured": self.measured and list(self.measured),
            "holds": self.holds,
            "ours": self.ours and list(self.ours),
            "lower": self.lower or None,
            "formula": self.formula or None,
            "standing": str(self.standing),
            "sentence": self.sentence,
            "why": printed.why or None,
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        rows = tuple((key, str(value)) for key, value in self.to_dict().items() if value is not None)
        return Sheet(self.printed.name, tables=(Table(("", ""), rows, texts=2),))


def judged(printed: Printed) -> Judged:
    """What is in print, measured and compared. Raises what design, fit and compare raise."""
    if printed.norm is None:
        return Judged(printed)
    clock, target = Clock(), lookup.function(printed.target)
    theirs = compare(target, lookup.function(printed.formula), printed.norm).distance if printed.formula else None
    ours, lower, formula = _best(target, printed)
    measured = theirs and _scaled(theirs, printed)
    return Judged(printed, measured, _scaled(ours, printed), lower, formula, clock.seconds())


def all_judged(printed: Iterable[Printed] = PRINTED) -> Iterable[Judged]:
    return map(judged, printed)


def _best(target: Activation, printed: Printed) -> tuple[Pair, float, str]:
    """The error of the best rival, the proved lower bound in the unit of the figure, and the rival's formula."""
    assert printed.norm is not None
    if printed.family:
        found = fit(printed.family, target, printed.norm)
        known = found.to_dict()["optimum"]["lower"] if found.verdict is Verdict.PROVED else None
        lower = float(_scaled((known, known), printed)[0]) if known else 0.0
        error = found.error or ("0", "inf")
        return error, lower, found.activation().formula
    assert printed.pieces is not None
    best = design(target, "pwl", pieces=printed.pieces, norm=printed.norm)
    bound = repr(best.bound.lower)
    lower = float(_scaled((bound, bound), printed)[0])
    if printed.step is None:
        return best.error, lower, best.polynomials.formula
    formula = on_lattice(target, printed.norm.points, printed.pieces, printed.step)
    return compare(target, lookup.function(formula), printed.norm).distance, lower, formula


def _scaled(error: Pair, printed: Printed) -> Pair:
    """In the unit of the figure: a distance in L2 squared, over the length of the domain, rounded outward."""
    if not printed.mean or printed.norm is None:
        return error
    length = Fraction(printed.norm.upper) - Fraction(printed.norm.lower)
    low, high = (Fraction(end) ** 2 / length for end in error)
    return _rounded(low, ROUND_FLOOR), _rounded(high, ROUND_CEILING)


def _rounded(value: Fraction, rounding: str) -> str:
    """A decimal with so many digits, not above (or below) the value."""
    if value == 0:
        return "0"
    place = Decimal(float(value)).adjusted() - DIGITS + 1
    units = value / Fraction(10) ** place
    whole = units.__floor__() if rounding == ROUND_FLOOR else units.__ceil__()
    return str(Decimal(whole).scaleb(place))


def on_lattice(target: Activation, points: np.ndarray | None, pieces: int, step: Fraction) -> str:
    """Lines that need not meet, whose slopes, intercepts and breakpoints are multiples of a step, as a formula.

    Dynamic programming over the points finds the cuts. For the points between two cuts the slopes around the best real
    one are tried, each with its best intercept: good lines, not provably the best ones.
    """
    assert points is not None
    x = np.sort(points)
    f, unit = lowering.evaluator(target.expression)(x), float(step)
    cuts = np.floor(x / unit) * unit  # the greatest breakpoint with the point on its right
    free = np.concatenate([[True], cuts[1:] > x[:-1], [True]])
    cost, slopes, intercepts = _lines(x, f, unit)
    cost[~free, :] = np.inf
    total, choices = cost[0], []
    for _ in range(pieces - 1):
        sums = total[:, None] + cost
        choices.append(sums.argmin(axis=0))
        total = sums.min(axis=0)
    ends = [len(x)]
    for choice in reversed(choices):
        ends.insert(0, int(choice[ends[0]]))
    spans = list(zip([0, *ends], ends, strict=False))
    lines = [(float(slopes[a, b]) + 0.0, float(intercepts[a, b]) + 0.0) for a, b in spans]
    return table(tuple(float(cuts[a]) for a, _ in spans[1:]), *zip(*lines, strict=True))


def _lines(x: np.ndarray, f: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For the points from a to b - 1: the sum of squares of a good line of the lattice, its slope and its intercept."""
    sums = [np.concatenate([[0.0], np.cumsum(v)]) for v in (np.ones_like(x), x, f, x * x, x * f, f * f)]
    n, sx, sf, sxx, sxf, sff = (s[None, :] - s[:, None] for s in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        mx, mf = sx / n, sf / n
        vxx, vxf, vff = sxx - n * mx**2, sxf - n * mx * mf, sff - n * mf**2
        slope = np.where(n > 1, vxf / vxx, 0.0)
    best, m, b = np.full(n.shape, np.inf), np.zeros(n.shape), np.zeros(n.shape)
    for k in range(-AROUND, AROUND + 1):
        tried = (np.rint(slope / unit) + k) * unit
        intercept = np.rint((mf - tried * mx) / unit) * unit
        cost = vff - 2 * tried * vxf + tried**2 * vxx + n * (mf - tried * mx - intercept) ** 2
        better = (n > 0) & (cost < best)
        best, m, b = np.where(better, cost, best), np.where(better, tried, m), np.where(better, intercept, b)
    return best, m, b
