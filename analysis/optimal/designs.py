"""What a design is: a piecewise polynomial, exactly, with its certificate and its cost; an activation again."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sympy as sp
from flint import arb

from analysis.activation import lookup
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.activation.sheet import Line, Record, Sheet, Table, decimal
from analysis.exact.breakpoints import breakpoints_of, smoothness_of
from analysis.exact.pieces import Piece
from analysis.exact.verdict import Verdict
from analysis.optimal.cost import Cost, cost_of
from analysis.rigorous import balls
from analysis.rigorous.norms import Norm

GAP = 1e-6  # relative: designs nearer to the bound count as best
SHOWN = 24  # pieces that a table for people lists

__all__ = ["Bound", "Clock", "Cost", "Design", "Polynomials", "cost_of"]

Pair = tuple[str, str]


@dataclass(frozen=True)
class Polynomials:
    """Polynomials on the intervals between knots, ascending powers of x; the outermost reach to the domain's ends.

    `knots` are exact, and so are the coefficients.
    """

    knots: tuple[sp.Expr, ...]
    coefficients: tuple[tuple[sp.Expr, ...], ...]

    @property
    def expressions(self) -> tuple[sp.Expr, ...]:
        return tuple(sp.Add(*(c * X**k for k, c in enumerate(row))) for row in self.coefficients)

    @cached_property
    def expression(self) -> sp.Expr:
        """One Piecewise; at a knot the piece on its right, as `formula` says."""
        *inner, last = self.expressions
        if not inner:
            return last
        conditions = (sp.Lt(X, k, evaluate=False) for k in self.knots)
        return sp.Piecewise(*zip(inner, conditions, strict=True), (last, True))

    @property
    def formula(self) -> str:
        """The same in our grammar."""
        texts = [polynomial_text(row) for row in self.coefficients]
        if len(texts) == 1:
            return texts[0]
        inner = [f"{text}, x < {lookup.number_text(k)}" for text, k in zip(texts, self.knots, strict=False)]
        return "{" + "; ".join([*inner, texts[-1]]) + "}"

    def pieces(self, lower: sp.Expr, upper: sp.Expr) -> tuple[Piece, ...]:
        ends = [lower, *self.knots, upper]
        return tuple(Piece(a, b, e) for a, b, e in zip(ends, ends[1:], self.expressions, strict=False))


@dataclass(frozen=True)
class Bound:
    """What is proved of all designs of a shape: none has an error below `lower`; without a proof, the reason."""

    lower: float = 0.0
    reason: str = ""

    @property
    def text(self) -> str | None:
        """The bound in decimals, rounded down; None where there is none."""
        return balls.decimals(arb(self.lower), 17)[0] if self.lower > 0 else None


@dataclass(frozen=True)
class Design(Record):
    """A design for a target: what it is exactly, its certified error, and how far from the best of its shape it is.

    `error` encloses the distance of these very coefficients; `bound` is what is proved of the shape. `fewest` says
    whether no design with fewer pieces keeps the tolerance that was asked for.
    """

    target: Activation
    shape: str
    norm: Norm
    polynomials: Polynomials
    error: Pair
    bound: Bound
    cost: Cost
    round: str | None = None
    fewest: Verdict | None = None
    tolerance: float | None = None
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def pieces(self) -> int:
        return len(self.polynomials.coefficients)

    @property
    def gap(self) -> float:
        """How far the error may be above the best of the shape, relative to it."""
        upper = float(self.error[1])
        if upper == 0:
            return 0.0
        return upper / self.bound.lower - 1 if self.bound.lower > 0 else math.inf

    @property
    def verdict(self) -> Verdict:
        """PROVED best of its shape where the gap is at most GAP."""
        return Verdict.PROVED if self.gap <= GAP else Verdict.UNDECIDED

    @cached_property
    def activation(self) -> Activation:
        formula = self.polynomials.formula
        return Activation(f"{self.shape} for {self.target.name}", self.polynomials.expression, formula)

    @property
    def ends(self) -> tuple[sp.Expr, sp.Expr]:
        low, high = self.norm.ends
        return _exact(low), _exact(high)

    @property
    def smoothness(self) -> int | sp.Expr | None:
        return smoothness_of(breakpoints_of(self.polynomials.pieces(*self.ends)))

    def to_dict(self) -> dict:
        """The JSON of `actapprox design`."""
        smoothness = self.smoothness
        return {
            "target": self.target.name,
            "shape": self.shape,
            "norm": self.norm.kind,
            "domain": [_number(end) for end in self.norm.ends],
            "pieces": self.pieces,
            "knots": [float(k) for k in self.polynomials.knots],
            "coefficients": [[float(c) for c in row] for row in self.polynomials.coefficients],
            "formula": self.polynomials.formula,
            "round": self.round,
            "error": list(self.error),
            "optimum": {
                "verdict": str(self.verdict),
                "lower": self.bound.text,
                "gap": self.gap if math.isfinite(self.gap) else None,
                "reason": self.bound.reason,
            },
            "tolerance": self.tolerance,
            "fewest": self.fewest and str(self.fewest),
            "cost": self.cost.to_dict(),
            "smoothness": "oo" if smoothness == sp.oo else smoothness,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }

    def sheet(self) -> Sheet:
        """The answer for people: the error and its standing, the cost, and the pieces."""
        low, high = self.error
        lines = [
            Line("error", f"{decimal(float(high), 9)} ({self.norm.unit})"),
            Line("certified", f"it is in [{low}, {high}]"),
            Line("optimum", self._standing()),
        ]
        if self.fewest is not None:
            lines.append(Line("fewest", f"{self.fewest}: fewer pieces do not keep {decimal(self.tolerance or 0.0)}"))
        cost = ", ".join(f"{n} {word}" for word, n in self.cost.to_dict().items() if n)
        lines.append(Line("cost", cost or "none"))
        rounded = f", rounded to {self.round}" if self.round else ""
        title = f"{self.shape} for {self.target.name}, {self.pieces} pieces, {self.norm}{rounded}"
        return Sheet(title, tuple(lines), (self._table(),), self.notes)

    def _standing(self) -> str:
        if not self.bound.lower:
            return f"{self.verdict}: {self.bound.reason}" if self.gap else f"{self.verdict}: the error is zero"
        gap = f"no design of this shape is below {decimal(self.bound.lower, 9)}, a gap of {decimal(self.gap, 2)}"
        return f"{self.verdict}: {gap}" + (f"; {self.bound.reason}" if self.bound.reason else "")

    def _table(self) -> Table:
        degree = max(len(row) for row in self.polynomials.coefficients) - 1
        powers = ["1", "x", *(f"x^{k}" for k in range(2, degree + 1))][: degree + 1]
        starts = [self.ends[0], *self.polynomials.knots]
        rows = [
            (_number(float(start)), *(f"{float(c):.12g}" for c in row))
            for start, row in zip(starts, self.polynomials.coefficients, strict=True)
        ]
        if len(rows) > SHOWN:
            rows = [*rows[: SHOWN - 1], ("...", *("" for _ in powers)), rows[-1]]
        return Table(("from x =", *powers), tuple(rows), texts=0)


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    def seconds(self) -> float:
        return time.perf_counter() - self.began


def _exact(end: float) -> sp.Expr:
    return sp.oo * int(math.copysign(1, end)) if math.isinf(end) else sp.Rational(end)


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def polynomial_text(row: Sequence[sp.Expr]) -> str:
    """By Horner's rule, so that no number stands twice."""
    kept = list(row)
    while len(kept) > 1 and kept[-1] == 0:
        kept.pop()
    text = lookup.number_text(kept[-1])
    for c in reversed(kept[:-1]):
        text = {"0": "0", "1": "x"}.get(text, f"x*({text})")
        text = text if c == 0 and text != "0" else f"{lookup.number_text(c)} + {text}"
    return text
