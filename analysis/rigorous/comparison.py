"""`compare`: how far two functions, or their derivatives, are from one another in any norm, and where."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, Decimal, localcontext

import sympy as sp
from flint import arb, ctx

from analysis.activation import lookup
from analysis.activation.errors import BadInput, Undecided
from analysis.activation.functions import derivative as derived
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet, decimal
from analysis.exact.normal import sign
from analysis.exact.pieces import Piece, derivative_pieces, pieces, spots, value_at, value_on
from analysis.exact.verdict import Verdict
from analysis.rigorous import balls
from analysis.rigorous.balls import Pair
from analysis.rigorous.distance import Supremum, supremum_of
from analysis.rigorous.integral import Size, TooWide, gaussian_of, l2_of, precision
from analysis.rigorous.norms import Norm
from analysis.rigorous.pointwise import enclose_mean_square

FINEST = 1e-30  # tolerance
SHOWN = 9  # digits of a distance
LONG = 17  # digits of a witness, as of a float
UNKNOWN: Pair = ("0", "inf")  # what is known of every distance
INFINITE: Pair = ("inf", "inf")


@dataclass(frozen=True)
class Witness:
    """Where the supremum is attained, and both functions there; at infinity, where it is a limit, without values.

    `side` is -1 or 1 where the functions jump at x and these are their limits from the left or from the right.
    """

    x: sp.Expr
    left: Pair | None = None
    right: Pair | None = None
    side: int = 0

    def to_dict(self) -> dict:
        found = {
            "x": lookup.number_text(self.x),
            "left": self.left and list(self.left),
            "right": self.right and list(self.right),
        }
        return found | {"side": "left" if self.side < 0 else "right"} if self.side else found

    def text(self) -> str:
        if not self.x.is_finite:
            return f"in the limit, as x tends to {self.x}"
        exact = lookup.number_text(self.x)
        x = exact if len(exact) < 9 else decimal(float(self.x), 9)
        return f"x = {x}" + {-1: ", from the left", 0: "", 1: ", from the right"}[self.side]


@dataclass(frozen=True)
class Comparison(Record):
    """The distance between left and right, or between their derivatives of order `derivative`, in the norm's unit."""

    left: Activation
    right: Activation
    norm: Norm
    derivative: int
    distance: Pair
    witness: Witness | None
    verdict: Verdict
    reason: str = ""
    seconds: float = field(default=0.0, compare=False)

    def to_dict(self) -> dict:
        """The JSON of `actapprox compare`."""
        return {
            "left": self.left.name,
            "right": self.right.name,
            "norm": self.norm.kind,
            "domain": self.norm.domain,
            "setting": self.norm.setting,
            "derivative": self.derivative,
            "distance": list(self.distance),
            "witness": self.witness and self.witness.to_dict(),
            "verdict": str(self.verdict),
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        """The answer for people: the distance, where it is attained, and both functions there."""
        of = {0: "", 1: "derivatives of "}.get(self.derivative, f"derivatives of order {self.derivative} of ")
        formulas = [
            Line(side, f.formula, sp.latex(f.expression)) for side, f in (("left", self.left), ("right", self.right))
        ]
        return Sheet(f"{of}{self.left.name} and {self.right.name}, {self.norm}", (*formulas, *self._answer()))

    def _answer(self) -> list[Line]:
        low, high = self.distance
        if self.verdict is not Verdict.PROVED:
            known = [] if self.distance == UNKNOWN else [Line("known", f"it is in [{low}, {high}]")]
            return [Line("distance", f"{self.verdict}: {self.reason}"), *known]
        if self.distance == INFINITE:
            return [Line("distance", f"infinite: {self.reason}"), Line("certified", f"{self.verdict}")]
        lines = [
            Line("distance", f"{_between(low, high)} ({self.norm.unit})"),
            Line("certified", f"{self.verdict}: it is in [{low}, {high}]"),
        ]
        return lines + (self._there(self.witness) if self.witness else [])

    def _there(self, witness: Witness) -> list[Line]:
        attained = [Line("attained", witness.text())]
        if witness.left is None or witness.right is None:
            return attained
        values = ((self.left.name, witness.left), (self.right.name, witness.right))
        prime = "'" * self.derivative
        there = ", ".join(f"{name}{prime} = {decimal(float(pair[0]), 9)}" for name, pair in values)
        return [*attained, Line("there", there)]


def _between(low: str, high: str) -> str:
    """The number in nine digits where its enclosure tells as many; else both ends, rounded outward."""
    with localcontext(Emin=MIN_EMIN, Emax=MAX_EMAX):
        least, most = Decimal(low), Decimal(high)
        if most - least > most.scaleb(-SHOWN):
            return f"between {low} and {high}"
        return decimal(float(high), SHOWN) if float(high) or not most else f"{most:.{SHOWN}g}"


def compare(
    f: str | Activation, g: str | Activation, norm: Norm | None = None, *, derivative: int = 0, tol: float = 1e-12
) -> Comparison:
    """The distance between f and g to about the relative width tol, proved, and the x that attains it.

    With `derivative` K it is the distance between the K-th derivatives, over all x at which both exist; where they jump
    the supremum may be a limit from one side. In the norms over points a derivative at a kink is the one that
    `analysis.activation.functions.derivative` gives. Raises BadInput for unknown names, K < 0 and tol out of range.
    """
    began = time.perf_counter()
    left, right, norm = lookup.function(f), lookup.function(g), norm or Norm()
    if derivative < 0:
        raise BadInput(f"expected the order of a derivative, 0 or more, got {derivative}")
    if not FINEST <= tol < 1:
        raise BadInput(f"expected a tolerance between {FINEST:g} and 1, got {tol:g}")
    try:
        distance, reason, witness = _measured(left, right, norm, derivative, tol)
        verdict = Verdict.PROVED
    except Undecided as problem:
        distance = problem.size.pair(_digits(tol)) if isinstance(problem, TooWide) else UNKNOWN
        reason, witness, verdict = str(problem), None, Verdict.UNDECIDED
    return Comparison(left, right, norm, derivative, distance, witness, verdict, reason, time.perf_counter() - began)


def _measured(
    left: Activation, right: Activation, norm: Norm, derivative: int, tol: float
) -> tuple[Pair, str, Witness | None]:
    """The distance, why it is infinite if it is, and where a supremum is attained."""
    difference = left.expression - right.expression
    if norm.points is not None:
        return _mean_square(difference, norm, derivative, tol), "", None
    size = _size(difference, norm, derivative, tol)
    witness = _witness(left, right, norm, derivative, size, tol) if isinstance(size, Supremum) else None
    return size.pair(_digits(tol)), size.reason, witness


def enclose(f: sp.Expr, norm: Norm, tol: float = 1e-12) -> Pair:
    """The size of f in the norm and in its unit, ("inf", "inf") if unbounded; Undecided where none is found."""
    if norm.points is not None:
        return _mean_square(f, norm, 0, tol)
    return _size(f, norm, 0, tol).pair(_digits(tol))


def _size(f: sp.Expr, norm: Norm, derivative: int, tol: float) -> Supremum | Size:
    found = _pieces(f, norm, derivative)
    if norm.kind == "sup":  # a derivative does not exist where f jumps
        return supremum_of(found, tol, apart=() if derivative else spots(f, X, *_ends(norm)))
    return l2_of(found, tol) if norm.kind == "l2" else gaussian_of(found, norm.sigma, tol)


def _mean_square(f: sp.Expr, norm: Norm, derivative: int, tol: float) -> Pair:
    assert norm.points is not None
    low, high = enclose_mean_square(derived(f, X, derivative), norm.points, _digits(tol))
    if high == "inf":
        raise Undecided(f"the values at the points of {norm.label}, at one of which they may be infinite")
    return low, high


def _pieces(f: sp.Expr, norm: Norm, derivative: int) -> tuple[Piece, ...]:
    found = pieces(f, X, *_ends(norm))
    return derivative_pieces(found, order=derivative) if derivative else found


def _ends(norm: Norm) -> tuple[sp.Expr, sp.Expr]:
    low, high = (sp.oo * int(math.copysign(1, end)) if math.isinf(end) else sp.Rational(end) for end in norm.ends)
    return low, high


def _digits(tol: float) -> int:
    """So many that rounding adds little to the width."""
    return max(15, math.ceil(-math.log10(tol)) + 3)


# the witness


def _witness(left: Activation, right: Activation, norm: Norm, derivative: int, size: Supremum, tol: float) -> Witness:
    """The point of the supremum, and both functions there, or on the side from which the supremum is reached."""
    if size.reason or not size.x.is_finite:
        return Witness(size.x)
    try:
        both = [_pieces(f.expression, norm, derivative) for f in (left, right)]
    except Undecided:  # what one function does elsewhere may be hard to tell although the difference is not
        return Witness(size.x)
    with ctx.workprec(precision(tol)):
        x = _shortened(size.x, both, size.pair(_digits(tol))[0])
        sides = {side: values for side in (-1, 1) if (values := _values(both, x, side))}
        jumps = len(sides) == 2 and any(_gap(across) > 0 for across in zip(*sides.values(), strict=True))
        if not derivative and x in {spot.x for spot in spots(left.expression - right.expression, X, *_ends(norm))}:
            sides[0] = tuple(value_on(f.expression, X, x) for f in (left, right))
        side = max(sides, key=lambda side: _gap(sides[side]).mid())
        pairs = [balls.decimals_of(value, _digits(tol)) for value in sides[side]]
    return Witness(x, pairs[0], pairs[1], side if jumps else 0)


def _values(both: list[tuple[Piece, ...]], x: sp.Expr, side: int) -> tuple[sp.Expr, ...]:
    """The exact limits of both functions at x from one side; empty beyond an end of the domain."""
    beside = [piece.expression for parts in both for piece in parts if _reaches(piece, x, side)]
    return tuple(value_at(expression, X, x, side) for expression in beside)


def _reaches(piece: Piece, x: sp.Expr, side: int) -> bool:
    """Whether the piece holds the points just beside x."""
    before, after = sign(x - piece.lower), sign(piece.upper - x)
    return (before > 0 and after >= 0) if side < 0 else (before >= 0 and after > 0)


def _gap(values: tuple[sp.Expr, ...]) -> arb:
    return abs(balls.enclose(values[0]) - balls.enclose(values[1]))


def _shortened(x: sp.Expr, both: list[tuple[Piece, ...]], least: str) -> sp.Expr:
    """A decimal beside a long binary fraction, as good a witness; any other x as it is."""
    if not x.is_Rational or x.q < 10**LONG:
        return x
    for digits in (LONG, 2 * LONG):
        near = sp.Rational(str(sp.Float(x, digits)))
        values = _values(both, near, -1)
        if values and Decimal(balls.decimals(_gap(values), len(least))[0]) >= Decimal(least):
            return near
    return x
