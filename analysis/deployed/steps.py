"""How a function is written for arrays, so that floating point evaluates it well: steps of exact algebra.

Smooth functions with one exponential are written over it (see `exponential`): Mish is x E (E + 2)/(E (E + 2) + 2), its
derivative E (4 (x + 1) + E ((4 x + 6) + E (4 + E)))/(E (E + 2) + 2)^2. Where the quotient tends to a constant as x
grows, x in it is held where the rest is negligible; else the polynomials are made homogeneous in min(1, E) and
min(1, 1/E). Neither overflows. Other functions are written with their primitives' stable forms, piecewise ones by
their pieces, many polynomial pieces by a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import sympy as sp

from analysis.activation import functions, lowering
from analysis.activation.errors import Undecided
from analysis.activation.lowering import NUMPY, Backend, Program
from analysis.activation.parsing import X
from analysis.deployed.exponential import Exponential, Quotient
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.pieces import SWITCHING, Piece, pieces, spots, value_on

MOST_ARMS = 4  # of selections in a row; polynomials of more pieces are read from a table
FAR = sp.Integer(10) ** 15  # where x of a family is held: its square is a float32
LARGEST = sp.Symbol("largest", real=True)  # whose exp is near the largest number of the type that is computed in


SATURATING = (sp.tanh, sp.atan, sp.erf, functions.sigmoid, functions.Phi, sp.sech)


class place(sp.Function):
    """place(x, k1, ..., kn): how many of the ascending knots are <= x."""


class entry(sp.Function):
    """entry(i, c0, ..., cn): the i-th of the numbers."""


ROWS = Backend(
    {
        **NUMPY.rows,
        place: lambda x, *knots: np.searchsorted(np.array(knots), x, "right"),
        entry: lambda i, *numbers: np.array(numbers)[i],
    },
    NUMPY.constant,
    NUMPY.kind,
)


@dataclass(frozen=True)
class Wanted:
    """A derivative of an expression: of order 0 or 1 by x, or the first by a free constant."""

    expression: sp.Expr
    order: int = 0
    by: sp.Symbol = X


@dataclass(frozen=True)
class Result:
    """A result in terms of x, free constants and names.

    `below` and `above` are its values at -oo and oo where floating point would not find them.
    """

    value: sp.Expr
    below: sp.Expr | None = None
    above: sp.Expr | None = None


@dataclass(frozen=True)
class Form:
    """Names with what they stand for, in order, and the results."""

    steps: tuple[tuple[sp.Symbol, sp.Expr], ...]
    results: tuple[Result, ...]

    @property
    def overflows(self) -> bool:
        """Whether LARGEST stands in it."""
        written = [*(e for _, e in self.steps), *(r.value for r in self.results)]
        return any(LARGEST in e.free_symbols for e in written)

    def program(self) -> Program:
        """The same as single instructions; its inputs are x and LARGEST."""
        return Program.chain(self.steps, [result.value for result in self.results], (X, LARGEST))

    def ends(self) -> tuple[float, float]:
        """What floating point makes of the first result at -inf and at inf."""
        with np.errstate(all="ignore"):
            program, largest = self.program(), np.float64(700)
            low, high = (float(program.run(ROWS, [np.float64(end), largest])[0]) for end in (-np.inf, np.inf))
        return low, high


def unheld(expression: sp.Expr) -> Form | None:
    """x^k N/(N + c) for `Wanted(expression)` where that is its form, without the bounds: nan where they count.

    N + c is infinite only where N is, and then the quotient is nan.
    """
    if expression.free_symbols - {X} or expression.has(*SWITCHING):
        return None
    found = Exponential.of(expression)
    quotient = found and found.quotient(0)
    if not quotient or not quotient.power or quotient.saturates is None or quotient.surplus is None:
        return None
    writer = _Writer(set(), is_holding=False)
    value = writer.quotient(quotient, X)
    return Form(tuple(writer.steps), (Result(value),))


def form(*wanted: Wanted) -> Form:
    """One form for several results, which share their steps."""
    taken = {s.name for w in wanted for s in w.expression.free_symbols}
    writer = _Writer(taken)
    values = [writer.write(w) for w in wanted]
    steps = tuple(writer.steps)
    return Form(steps, tuple(_mended(steps, value, w) for value, w in zip(values, wanted, strict=True)))


def _mended(steps: tuple[tuple[sp.Symbol, sp.Expr], ...], value: sp.Expr, wanted: Wanted) -> Result:
    """With the limits at the ends that the steps do not find."""
    if wanted.expression.free_symbols - {X}:
        return Result(value)
    derived = functions.derivative(wanted.expression, X) if wanted.order else wanted.expression
    values: list[sp.Expr | None] = []
    for direction, found in zip((-1, 1), Form(steps, (Result(value),)).ends(), strict=True):
        try:
            limit = limit_at_infinity(derived, direction)
        except Undecided:
            limit = sp.nan
        exact = float(limit) if limit.is_extended_real else np.nan
        values.append(limit if exact == exact and not np.isclose(found, exact, 1e-9, 0) else None)
    return Result(value, *values)


class _Writer:
    def __init__(self, taken: set[str], is_holding: bool = True) -> None:
        self.taken, self.is_holding = taken, is_holding
        self.steps: list[tuple[sp.Symbol, sp.Expr]] = []
        self.known: dict[sp.Expr, sp.Symbol] = {}
        self.names: dict[str, int] = {}
        self.ends: dict[sp.Expr, tuple[sp.Expr, sp.Expr]] = {X: (-sp.oo, sp.oo)}

    def let(self, name: str, e: sp.Expr) -> sp.Expr:
        """A name for `e`, the same one if it has one already; symbols and numbers are their own names."""
        if e.is_Symbol or e.is_number:
            return e
        if e not in self.known:
            count = self.names.get(name, 0) + 1
            while f"{name}{count}" in self.taken:
                count += 1
            self.names[name] = count
            self.known[e] = sp.Symbol(f"{name}{count}", real=True)
            self.steps.append((self.known[e], e))
        return self.known[e]

    def held(self, x: sp.Expr, lower: sp.Expr | None, upper: sp.Expr | None) -> sp.Expr:
        """`x` between the ends, where there are any and it is not between them anyway."""
        for head, end in ((sp.Max, lower), (sp.Min, upper)) if self.is_holding else ():
            low, high = self.ends[x]
            if end is None or (end <= low if head is sp.Max else end >= high):
                continue
            x = self.let("x", head(x, end))
            self.ends[x] = (end, high) if head is sp.Max else (low, end)
        return x

    def write(self, wanted: Wanted) -> sp.Expr:
        f, order = wanted.expression, wanted.order
        if f.free_symbols - {X}:
            return self.family(f, order, wanted.by)
        if _is_table(f):
            return self.table(f, order)
        if not f.has(*SWITCHING):
            return self.smooth(f, order)
        try:
            found = pieces(f)
            jumps = order == 0 and bool(spots(f))
        except Undecided:
            found, jumps = (), True
        if jumps:
            return self.expand(functions.derivative(f, X) if order else f)
        if order == 0 and _is_algebraic(f):
            return self.algebraic(f, found)
        return self.arms(f, found, order)

    # families: their constants are free, and may take any sign while they are trained

    def family(self, f: sp.Expr, order: int, by: sp.Symbol) -> sp.Expr:
        """x is held above -FAR, and in derivatives below FAR, lest a closed gate meets an infinity."""
        is_value = by == X and order == 0
        spelled = lowering.stable(f).replace(sp.tanh, _tanh)
        derived = spelled if is_value else sp.diff(spelled, by).replace(sp.DiracDelta, lambda *_: sp.S.Zero)
        return self.expand(derived, self.held(X, -FAR, None if is_value else FAR))

    def algebraic(self, f: sp.Expr, found: Sequence[Piece]) -> sp.Expr:
        """As it stands; x is held in a constant outermost piece where infinity would meet a zero in it."""
        below, above = Form((), (Result(f),)).ends()
        first, last = found[0].expression, found[-1].expression
        lower = None if first.has(X) or below == float(first) else found[0].upper
        upper = None if last.has(X) or above == float(last) else found[-1].lower
        return f.xreplace({X: self.held(X, lower, upper)})

    # smooth functions

    def smooth(self, f: sp.Expr, order: int, x: sp.Expr = X) -> sp.Expr:
        """The value or derivative at `x`."""
        found = Exponential.of(f)
        if found is not None and (quotient := found.quotient(order)) is not None:
            return self.quotient(quotient, x)
        if order:
            return self.smooth(functions.recognise(functions.derivative(f, X)), 0, x)
        if f.is_polynomial(X):
            return sp.horner(f, X).xreplace({X: x})
        return self.expand(f, x)

    def quotient(self, q: Quotient, x: sp.Expr) -> sp.Expr:
        """x^power N/D."""
        low, high = self.ends[x]
        if q.saturates is not None or high <= 0:
            front = self.held(x, q.lower, None)
            inside = self.held(front, None, q.saturates)
            e = self.let("e", sp.exp(q.u.xreplace({X: inside})))
            numerator = self.let("n", _horner([c.xreplace({X: inside}) for c in q.numerator], e))
            denominator = _horner(q.denominator, e) if q.surplus is None else numerator + q.surplus
        else:
            front = self.held(x, q.lower, q.upper)
            z = q.u.xreplace({X: front})
            t = self.let("t", sp.exp(-z if low >= 0 else -sp.Abs(z)))
            u = sp.S.One if low >= 0 else self.let("u", sp.Piecewise((1, front >= 0), (t, True)))
            v = t if low >= 0 else self.let("v", sp.Piecewise((t, front >= 0), (1, True)))
            numerator = self.let("n", _homogeneous([c.xreplace({X: front}) for c in q.numerator], u, v, q.degree))
            denominator = _homogeneous(q.denominator, u, v, len(q.denominator) - 1)
        denominator = self.let("d", denominator)
        gate = numerator / (denominator**2 if q.squared else denominator)
        return self.let("g", gate) * front**q.power if q.power else gate

    # other functions, by the primitives' stable forms

    def expand(self, f: sp.Expr, x: sp.Expr = X) -> sp.Expr:
        """The expression with each primitive in a form that neither overflows nor cancels."""
        return self._expanded(lowering.stable(f), x)

    def _expanded(self, e: sp.Basic, x: sp.Expr) -> sp.Basic:
        if e == X:
            return x
        if not e.has(X):
            return e
        if isinstance(e, sp.Pow) and abs(e.exp) == sp.S.Half and (e.base - X**2).is_nonnegative and x == X:
            return self._hypotenuse(X, e.base - X**2) ** (2 * e.exp)
        if isinstance(e, sp.Piecewise):
            return self._chosen(e, x)
        arguments = [self._expanded(a, x) for a in e.args]
        if isinstance(e, SATURATING):
            arguments = [a.replace(_bursts, lambda z: sp.exp(sp.Min(z.args[0], LARGEST))) for a in arguments]
        if isinstance(e, sp.Add):  # (alpha - 1) + 2 sigmoid loses nothing where alpha is 1
            still = sp.Add(*(a for a in e.args if not a.has(X)))
            moving = [m for a, m in zip(e.args, arguments, strict=True) if a.has(X)]
            return sp.Add(self.let("a", still), *moving)
        if isinstance(e, sp.Mul) and any(not a.is_polynomial(X) and not isinstance(a, sp.exp) for a in e.args):
            return self._product(e.args, arguments)
        row = getattr(self, f"_{type(e).__name__}", None) if isinstance(e, sp.Function) else None
        if row is None:
            return e.func(*arguments)
        named = [-self.let("z", -a) if a.could_extract_minus_sign() else self.let("z", a) for a in arguments]
        return row(*named)

    def _chosen(self, e: sp.Piecewise, x: sp.Expr) -> sp.Basic:
        """Each arm at x held to where it is chosen, as an infinity in another one makes its slope nan."""
        lower: sp.Expr | None = None
        chosen = []
        for arm, condition in e.args:
            plain = isinstance(condition, sp.Lt | sp.Le) and condition.lhs == X and condition.rhs.is_number
            upper = condition.rhs if plain else None
            inside = x if arm.is_polynomial(X) else self.held(x, lower, upper)
            chosen.append((self._expanded(arm, inside), self._expanded(condition, x)))
            lower = upper
        return sp.Piecewise(*chosen, evaluate=False)

    def _product(self, factors: Sequence[sp.Expr], written: Sequence[sp.Expr]) -> sp.Expr:
        """A decaying factor may be zero already where exp is infinite, or where a power of x times exp is."""
        held = [sp.exp(sp.Min(w.args[0], LARGEST)) if isinstance(w, sp.exp) else w for w in written]
        moving = [w for f, w in zip(factors, held, strict=True) if not f.is_polynomial(X)]
        rest = [w for f, w in zip(factors, held, strict=True) if f.is_polynomial(X)]
        has_exp = any(isinstance(w, sp.exp) for w in written)
        return sp.Mul(self.let("g", sp.Mul(*moving)) if has_exp else sp.Mul(*moving), *rest)

    def _decay(self, z: sp.Expr) -> sp.Expr:
        """exp(-|z|), one for z and -z."""
        return self.let("t", sp.exp(-sp.Abs(z)))

    def _sigmoid(self, z: sp.Expr) -> sp.Expr:
        """Of z and -z by the same selection, so that what differentiates the code takes the same side of |z| at 0."""
        t, above, below = self._decay(z), sp.S.One, sp.S.One
        if z.could_extract_minus_sign():
            z, above = -z, t
        else:
            below = t
        return self.let("s", sp.Piecewise((above, z >= 0), (below, True)) / (1 + t))

    def _softplus(self, z: sp.Expr) -> sp.Expr:
        return self.let("p", sp.Max(z, 0) + lowering.log1p(self._decay(z)))

    def _sech(self, z: sp.Expr) -> sp.Expr:
        t = self._decay(z)
        return self.let("h", 2 * t / (1 + t * t))

    def _squareplus(self, z: sp.Expr, b: sp.Expr) -> sp.Expr:
        """(z + r)/2 with r = hypot(z, sqrt(b)), where z < 0 as b/(2 (r - z)): the sum would cancel."""
        side = self.let("r", self._hypotenuse(z, b) + sp.Abs(z))
        return self.let("p", sp.Piecewise((side / 2, z >= 0), (b / side / 2, True)))

    def _hypotenuse(self, z: sp.Expr, b: sp.Expr) -> sp.Expr:
        """sqrt(z^2 + b), b >= 0, where the square may overflow."""
        large = self.let("m", sp.Max(sp.Abs(z), sp.sqrt(b)))
        small = self.let("m", sp.Min(sp.Abs(z), sp.sqrt(b)) / large)
        return self.let("r", large * sp.sqrt(1 + small**2))

    # pieces

    def arms(self, f: sp.Expr, found: Sequence[Piece], order: int) -> sp.Expr:
        """A selection of the pieces, each evaluated at x held between its own ends unless it is a polynomial.

        The last arm has x in it, so that nan, for which no condition holds, stays nan.
        """
        written = []
        for piece in found:
            if piece.expression.is_polynomial(X):
                slope = sp.factor_terms(sp.expand(sp.diff(piece.expression, X)))
                written.append(slope if order else piece.expression)
                continue
            lower = None if piece.lower == -sp.oo else piece.lower
            upper = None if piece.upper == sp.oo else piece.upper
            written.append(self.smooth(piece.expression, order, self.held(X, lower, upper)))
        if len(written) == 1:
            return written[0]
        right = [_belongs_to_right(f, a, b, order) for a, b in pairwise(found)]
        last = next((i for i, e in enumerate(written) if e.free_symbols), None)
        below = len(found) if last is None else last
        chosen: list[tuple[sp.Expr, sp.Expr]] = []
        for i, e in enumerate(written[:below]):
            if i < len(right):
                chosen.append((e, X < found[i].upper if right[i] else X <= found[i].upper))
            else:
                chosen.append((e, X >= found[i].lower if right[i - 1] else X > found[i].lower))
        for i in range(len(found) - 1, below, -1):
            chosen.append((written[i], X >= found[i].lower if right[i - 1] else X > found[i].lower))
        return sp.Piecewise(*chosen, (X if last is None else written[last], True), evaluate=False)

    def table(self, f: sp.Piecewise, order: int) -> sp.Expr:
        """By Horner's rule, the coefficients read from tables by the number of knots that are <= x."""
        knots = [condition.rhs for _, condition in f.args[:-1]]
        rows = [_ascending(sp.diff(arm, X, order)) for arm, _ in f.args]
        i = self.let("i", place(X, *knots))
        columns = [[row[k] if k < len(row) else sp.S.Zero for row in rows] for k in range(max(map(len, rows)))]
        return _horner([self.let("c", entry(i, *column)) for column in columns], X)


def _bursts(e: sp.Basic) -> bool:
    """Whether it is an exponential that may be infinite, where the function around it is at its limit already."""
    return isinstance(e, sp.exp) and e.args[0].has(X)


def _tanh(z: sp.Expr) -> sp.Expr:
    """2 sigmoid(2z) - 1, which beside a free constant of any value loses nothing that counts."""
    return 2 * functions.sigmoid(2 * z) - 1


def _is_table(f: sp.Expr) -> bool:
    """Whether f is polynomials on more than a few pieces, as designs are."""
    if not isinstance(f, sp.Piecewise) or len(f.args) <= MOST_ARMS:
        return False
    knots = [c.rhs for _, c in f.args[:-1] if isinstance(c, sp.Lt) and c.lhs == X and c.rhs.is_number]
    is_ascending = all(a < b for a, b in pairwise(knots))
    return len(knots) == len(f.args) - 1 and is_ascending and all(arm.is_polynomial(X) for arm, _ in f.args)


def _is_algebraic(f: sp.Expr) -> bool:
    """Whether f is made of clips and arithmetic alone, which a machine does faster than selections."""
    if f.has(sp.Piecewise, functions.step, sp.sign, sp.Heaviside):
        return False
    plain = f.replace(lambda e: isinstance(e, SWITCHING), lambda e: sp.Add(*e.args))
    return plain.is_polynomial(X)


def _belongs_to_right(f: sp.Expr, left: Piece, right: Piece, order: int) -> bool:
    """Which side's formula gives the value at the breakpoint between them."""
    if order == 0:
        return True
    value = value_on(functions.derivative(f, X), X, left.upper)
    return value == sp.diff(right.expression, X).subs(X, left.upper)


def _ascending(polynomial: sp.Expr) -> list[sp.Expr]:
    return list(reversed(sp.Poly(polynomial, X).all_coeffs()))


def _horner(rows: Sequence[sp.Expr], e: sp.Expr) -> sp.Expr:
    total = rows[-1]
    for row in reversed(rows[:-1]):
        total = row + e * total
    return total


def _homogeneous(rows: Sequence[sp.Expr], u: sp.Expr, v: sp.Expr, degree: int) -> sp.Expr:
    return sp.Add(*(row * u**k * v ** (degree - k) for k, row in enumerate(rows)))
