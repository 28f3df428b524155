"""The L2 norm and the Gaussian root mean square of f, enclosed: both are the root of an integral of f^2 by a measure.

l2        sqrt(integral of f(x)^2 dx)
gaussian  sqrt(E f(X)^2), X ~ N(0, sigma^2), f taken as zero outside the domain

Exact breakpoints split the domain; on a bounded piece f is analytic and `acb.integral` encloses the integral. Beyond T
`analysis.rigorous.tails` gives f = A + e, A algebraic and |e| <= C t^k e^(-r t), which is integrated in closed form; as
far as a finite end, A by `acb.integral`, which does not see the exponentials that would overflow there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import sympy as sp
from flint import acb, arb, ctx, fmpq

from analysis.activation.errors import Undecided
from analysis.activation.parsing import X
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.normal import is_zero, sign
from analysis.exact.pieces import Piece, pieces
from analysis.rigorous import balls
from analysis.rigorous.balls import Pair
from analysis.rigorous.holomorphic import continuation
from analysis.rigorous.tails import Envelope, T, growth, over_tail, tail

FIRST, STEP = 32, 4  # tails begin at FIRST, and then at STEP times as much until they are narrow enough
FARTHEST = 2**15  # a tail that has no bound by here has none
LAST = 2**50  # by here an algebraic tail is narrower than any tolerance that is asked for
DEVIATIONS = 12  # beyond so many standard deviations a Gaussian tail is negligible
SHARE = arb(2) ** -5  # of the tolerance, for each of the things that spoil it
NAN = acb(arb("nan"))
DEPTH = 4096  # of bisection: enough for ends as far as floats reach
MOST_VALUES = 2**16  # of the integrand, in all integrals together
FEWEST_VALUES = 2**8  # that an integral is given when these are spent
MODEST = 100  # times the tolerance is still an answer
NEGLIGIBLE = 1e-18  # times the tolerance is as good as zero

Density = Callable[[acb, bool], acb]  # what `acb.integral` takes


@dataclass(frozen=True)
class Size:
    """lower <= norm of f <= upper; `reason` says why it is infinite."""

    lower: arb
    upper: arb
    reason: str = ""

    def pair(self, digits: int = 15) -> Pair:
        """Two decimal strings, rounded outward."""
        if self.reason:
            return "inf", "inf"
        return balls.decimals(self.lower, digits)[0], balls.decimals(self.upper, digits)[1]


class TooWide(Undecided):
    """The enclosure reached is too wide to be an answer; `size` holds it."""

    def __init__(self, size: Size, tol: float):
        low, high = size.pair(4)
        width = float((size.upper - size.lower) / size.upper)
        super().__init__(f"the distance, in [{low}, {high}]: its relative width comes to {width:.2g}, not to {tol:g}")
        self.size = size


def l2(f: sp.Expr, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo, tol: float = 1e-12) -> Size:
    """sqrt(integral of f^2 over (lower, upper)) to about the relative width tol.

    Undecided where a breakpoint or a tail resists, or f^2 is not seen to be bounded on a piece; TooWide where the
    integral needs more values of f than we take.
    """
    return l2_of(pieces(f, X, lower, upper), tol)


def l2_of(found: tuple[Piece, ...], tol: float = 1e-12) -> Size:
    """As `l2`, of a function given by its pieces."""
    return _size(found, _Lebesgue(), tol)


def gaussian(
    f: sp.Expr, sigma: float = 1.0, lower: sp.Expr = -sp.oo, upper: sp.Expr = sp.oo, tol: float = 1e-12
) -> Size:
    """sqrt(E f(X)^2 over X in (lower, upper)), X ~ N(0, sigma^2), to about the relative width tol.

    Undecided as `l2`, and where f grows faster than a power of x.
    """
    return gaussian_of(pieces(f, X, lower, upper), sigma, tol)


def gaussian_of(found: tuple[Piece, ...], sigma: float = 1.0, tol: float = 1e-12) -> Size:
    """As `gaussian`, of a function given by its pieces."""
    return _size(found, _Gaussian(sigma), tol)


def precision(tol: float) -> int:
    """The bits at which rounding does not spoil a relative tolerance."""
    return max(balls.PRECISION, 64 + 4 * math.ceil(-math.log2(tol)))


def _size(found: tuple[Piece, ...], measure: _Measure, tol: float) -> Size:
    """To the tolerance, with more bits where rounding hides a small distance; else as near as it comes, or TooWide."""
    best = Size(arb(0), arb.pos_inf())
    try:
        for bits in (precision(tol), 4 * precision(tol)):
            with ctx.workprec(bits):
                total = _sum(found, measure, arb(tol))
                best = min(best, total.root(), key=_width)
                if _width(best) <= best.lower * tol or total.is_spent:
                    break
    except _Diverges as reason:
        return Size(arb.pos_inf(), arb.pos_inf(), str(reason))
    if _width(best) > (best.lower * tol).max(arb(tol) * NEGLIGIBLE) * MODEST:
        raise TooWide(best, tol)
    return best


def _width(size: Size) -> arb:
    return size.upper - size.lower


def _sum(found: tuple[Piece, ...], measure: _Measure, tol: arb) -> _Sum:
    total = _Sum(measure, tol * SHARE)
    for piece in found:
        measure.check(piece)
    for piece in found:
        if not is_zero(piece.expression):
            total.add(piece)
    return total


class _Diverges(Exception):
    """The integral is infinite; the message is the reason."""


class _Sum:
    """The integral of f^2 over what has been added so far, as a ball; `tol` is relative to it."""

    def __init__(self, measure: _Measure, tol: arb):
        self.measure, self.tol, self.square = measure, tol, arb(0)
        self.negligible = arb(2) ** -(3 * ctx.prec // 2)  # absolute, for distances that are zero
        self.values = 0  # of the integrand, so far

    @property
    def is_spent(self) -> bool:
        return self.values >= MOST_VALUES

    def add(self, piece: Piece) -> None:
        """What is near the origin by the integral, and beyond it by envelopes as soon as these are narrow."""
        near = {direction: self._start(direction, piece) for direction in (-1, 1)}
        low, high = (piece.lower if near[-1] is None else -near[-1]), (piece.upper if near[1] is None else near[1])
        density = self.measure.density(piece.expression)
        self._add_body(density, low, high)
        for direction, end in ((-1, piece.lower), (1, piece.upper)):
            start = near[direction]
            if start is not None:
                self._add_far(density, piece.expression, direction, start, direction * end)

    def root(self) -> Size:
        if not self.square.is_finite():
            raise Undecided("the integral of the square, which rounding hides")
        low, high = self.square.lower(), self.square.upper()
        return Size(low.sqrt().lower() if low > 0 else arb(0), high.sqrt().upper())

    def _start(self, direction: int, piece: Piece) -> sp.Expr | None:
        """The distance from the origin at which the far part of a piece begins; None where it has none."""
        end, other = (piece.upper, piece.lower) if direction > 0 else (-piece.lower, -piece.upper)
        first = sp.Integer(self.measure.first)
        if other.is_finite and sign(other - first) > 0:  # all of the piece is far
            return other
        return first if end.is_infinite or sign(end - first) > 0 else None

    def _add_body(self, density: Density, lower: sp.Expr, upper: sp.Expr) -> None:
        if lower == upper:
            return
        value = self._integral(density, lower, upper)
        if not value.is_finite():
            ends = f"({float(lower):g}, {float(upper):g})"
            raise Undecided(f"the integral of the square over {ends}, where it may be unbounded or rounding hides it")
        self.square += value.nonnegative_part()

    def _add_far(self, density: Density, f: sp.Expr, direction: int, start: sp.Expr, end: sp.Expr) -> None:
        """From the distance `start` to the distance `end`, finite or not."""
        if end.is_infinite and not start.is_Integer:  # where no tail begins
            self._add_far(density, f, direction, start, sp.ceiling(start))
            start = sp.ceiling(start)

        def outward(z: acb, analytic: bool) -> acb:
            """As `acb.integral` goes from right to left: what it sees first tells it what is negligible later."""
            return density(-direction * z, analytic)

        while True:
            rest = self._far(f, direction, start, end)
            is_narrow = rest is not None and not rest.rad() > self._tolerated()
            if rest is not None and (is_narrow or (end.is_infinite and start >= LAST)):
                self.square += rest
                return
            further = start * STEP
            if end.is_finite and (start >= LAST or sign(end - further) <= 0):
                further = end
            self._add_body(outward, -further, -start)
            if further == end:
                return
            start = further

    def _far(self, f: sp.Expr, direction: int, start: sp.Expr, end: sp.Expr) -> arb | None:
        """None where there is no bound; beyond an infinite end only as long as there may be one farther out."""
        first = int(start)
        try:
            if end.is_infinite:
                return self.measure.tail(f, direction, first)
            all_of_it = self._whole_tail(f, direction, first)
            if all_of_it is not None and not all_of_it.rad() > self._tolerated():
                return all_of_it
            return self.measure.stretch(f, direction, first, lambda density: self._integral(density, start, end))
        except Undecided as reason:
            if end.is_finite or start < FARTHEST:
                return None
            raise Undecided(f"the tail beyond {direction * start}: {reason}") from None

    def _whole_tail(self, f: sp.Expr, direction: int, start: int) -> arb | None:
        """Around the integral over any part of a tail; None where that over the tail may be infinite."""
        try:
            return arb(0).union(self.measure.tail(f, direction, start))
        except (Undecided, _Diverges):
            return None

    def _integral(self, density: Density, lower: sp.Expr, upper: sp.Expr) -> arb:
        def counted(z: acb, analytic: bool) -> acb:
            self.values += 1
            return density(z, analytic)

        left = max(MOST_VALUES - self.values, FEWEST_VALUES)
        return _integral(counted, balls.enclose(lower), balls.enclose(upper), self.tol, self._tolerated(), left)

    def _tolerated(self) -> arb:
        """How far the square may be off in one place more."""
        return (self.square.abs_lower() * self.tol).lower().max(self.negligible)


def _integral(density: Density, low: arb, high: arb, relative: arb, absolute: arb, most_values: int) -> arb:
    """Raises what interrupts the density, a time limit or Ctrl-C: flint would go on with the error set, and lose it."""
    stopped: BaseException | None = None

    def heard(z: acb, analytic: bool) -> acb:
        nonlocal stopped
        if stopped is None:
            try:
                return density(z, analytic)
            except BaseException as problem:
                stopped = problem
        return NAN

    try:
        found = acb.integral(
            heard, low, high, rel_tol=relative, abs_tol=absolute, depth_limit=DEPTH, eval_limit=most_values
        ).real
    except SystemError as problem:  # it came just outside of the density
        stopped = problem
    if stopped is not None:
        while isinstance(stopped, SystemError) and stopped.__cause__ is not None:  # so flint wraps, again and again
            stopped = stopped.__cause__
        raise stopped from None
    return found


# measures


class _Measure(Protocol):
    """What the square of f is integrated by; `first` is where tails begin at the earliest."""

    @property
    def first(self) -> int: ...

    def density(self, f: sp.Expr) -> Density:
        """f^2 times the weight."""

    def check(self, piece: Piece) -> None:
        """Raises _Diverges where the limits of f tell that the integral is infinite."""

    def tail(self, f: sp.Expr, direction: int, start: int) -> arb:
        """The integral over direction*x >= start, as a ball."""

    def stretch(self, f: sp.Expr, direction: int, start: int, integral: Callable[[Density], arb]) -> arb:
        """The same over a part of it, over which `integral` is taken of an algebraic function of direction*x."""


class _Lebesgue:
    """dx."""

    first = FIRST

    def density(self, f: sp.Expr) -> Density:
        value = continuation(f)

        def square(z: acb, analytic: bool) -> acb:
            y = value(z, analytic)
            return y * y

        return square

    def check(self, piece: Piece) -> None:
        for end, direction in ((piece.lower, -1), (piece.upper, 1)):
            if not end.is_finite:
                limit = limit_at_infinity(piece.expression, direction)
                if limit.is_infinite or sign(limit) != 0:
                    raise _Diverges(f"it tends to {limit} as x tends to {direction * sp.oo}")

    def tail(self, f: sp.Expr, direction: int, start: int) -> arb:
        """Between (||A|| - ||e||)^2 and (||A|| + ||e||)^2."""
        found = tail(f, direction, start)
        error = _energy(found.error).sqrt()  # finite, so that f is square integrable if and only if A is
        least, most = _algebraic(found.algebraic, start)
        return _square_between(least - error, most + error)

    def stretch(self, f: sp.Expr, direction: int, start: int, integral: Callable[[Density], arb]) -> arb:
        """As in the tail, with ||A|| by the integral."""
        found = tail(f, direction, start)
        error, size = _energy(found.error).sqrt(), arb(0)
        if not is_zero(found.algebraic):
            by_distance = found.algebraic.subs(T, X)  # from zero: the integral runs over distances
            size = integral(self.density(by_distance)).nonnegative_part().sqrt()
        return _square_between(size - error, size + error)


@dataclass(frozen=True)
class _Gaussian:
    """exp(-x^2/(2 sigma^2))/(sigma sqrt(2 pi)) dx."""

    sigma: float

    @property
    def first(self) -> int:
        return max(FIRST, DEVIATIONS * math.ceil(self.sigma))

    def density(self, f: sp.Expr) -> Density:
        value, sigma = continuation(f), arb(self.sigma)
        rate, peak = -1 / (2 * sigma * sigma), 1 / (sigma * (2 * arb.pi()).sqrt())

        def square(z: acb, analytic: bool) -> acb:
            y = value(z, analytic)
            return y * y * (z * z * rate).exp() * peak

        return square

    def check(self, piece: Piece) -> None:
        """No limit, and no power of x, makes the integral infinite."""

    def tail(self, f: sp.Expr, direction: int, start: int) -> arb:
        """Up to the square of what |f| <= G t^p + C t^k e^(-r start) gives."""
        found = tail(f, direction, start)
        scale, power = growth(found.algebraic, start)
        error = found.error.scale * (-found.error.rate * start).exp()
        bound = scale * self._moment(power, start) + error * self._moment(max(found.error.power, 0), start)
        return arb(0).union(bound * bound)

    def stretch(self, f: sp.Expr, direction: int, start: int, integral: Callable[[Density], arb]) -> arb:
        """No more than in the whole tail."""
        return self.tail(f, direction, start)

    def _moment(self, power: int, start: int) -> arb:
        """sqrt(E X^m over X > start), m = 2 power.

        E is sigma^m 2^(m/2 - 1)/sqrt(pi) Gamma((m + 1)/2, z), z = (start/sigma)^2/2.
        """
        sigma, half = arb(self.sigma), arb(fmpq(2 * power + 1, 2))
        scale = sigma ** (2 * power) * arb(2) ** (power - 1) / arb.pi().sqrt()
        return (scale * ((start / sigma) ** 2 / 2).gamma_upper(half)).sqrt()


def _square_between(low: arb, high: arb) -> arb:
    least, most = low.lower().max(arb(0)), high.upper()
    return (least * least).union(most * most)


def _algebraic(algebraic: sp.Expr, start: int) -> tuple[arb, arb]:
    """Bounds of ||A|| over t >= start: from m <= t^p |A| <= M, m and M times start^(1/2 - p)/sqrt(2p - 1)."""
    if is_zero(algebraic):
        return arb(0), arb(0)
    order = sp.S.One
    try:
        sizes = over_tail(algebraic * T, start)
    except Undecided:
        order = _order(algebraic)
        if 2 * order <= 1:
            raise _Diverges(f"it falls no faster than |x|**({-order}) at infinity") from None
        sizes = over_tail(algebraic * T**order, start)
    excess = balls.enclose(2 * order - 1)
    scale = (arb(start) ** (-excess) / excess).sqrt()
    return sizes.abs_lower() * scale, sizes.abs_upper() * scale


@cache
def _order(algebraic: sp.Expr) -> sp.Expr:
    """The p with A(t) ~ c t^(-p) as t tends to oo."""
    return -limit_at_infinity(T * sp.diff(algebraic, T) / algebraic, 1, T)


def _energy(error: Envelope) -> arb:
    """At least the integral of C^2 t^(m - 1) e^(-2rt) over t >= start, m = 2k + 1: C^2 (2r)^-m Gamma(m, 2 r start)."""
    if error.scale == 0:
        return arb(0)
    square, order, start, rate = error.scale * error.scale, 2 * error.power + 1, arb(error.start), 2 * error.rate
    if rate > 0:
        if order > 0:
            return square * rate ** (-order) * (rate * start).gamma_upper(order)
        return square * start ** (order - 1) * (-rate * start).exp() / rate
    if order < 0:
        return square * start**order / (-order)
    raise Undecided(f"whether the square of an error of the order t**({error.power}) is integrable")
