"""`design --shape table:K`: interpolated look-up tables with 2^K entries. For `table:int8` see `quantised`.

An interpolated table is the linear spline on evenly spaced nodes: the entries are not samples of f but the best values,
and beyond a table on the line the design is the asymptote. See `spline`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import sympy as sp

from analysis.activation.errors import BadInput
from analysis.activation.record import Activation
from analysis.optimal.cost import WORD, Cost
from analysis.optimal.designs import Clock, Design, Polynomials
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import spline
from analysis.optimal.shapes.basis import LINEAR
from analysis.optimal.shapes.linear import Target
from analysis.optimal.shapes.quantised import DEFAULT, int8
from analysis.optimal.shapes.spacing import Candidate, Search
from analysis.optimal.shapes.spline import assembled, certified, joined, target_of, without_idle_knots
from analysis.rigorous.norms import Norm

__all__ = ["DEFAULT", "best", "int8"]

MOST_BITS = 12
SAMPLES = 16  # of a gap between nodes
ROUNDS = 20
NEIGHBOURS = 2  # lattice points on either side of an entry that are tried
ENTRIES = "the entries are rounded, and interpolated exactly; they are searched among neighbours, without proof"
OPERATIONS = {"mul": 2, "add": 3, "minmax": 2}  # place, the rest, and entry + rest*difference; the place clipped


def best(target: Activation, norm: Norm, bits: int, lattice: Lattice | None = None) -> Design:
    """The best table with 2^bits entries, over the domain or between ends that are searched."""
    clock = Clock()
    if not 1 <= bits <= MOST_BITS:
        raise BadInput(f"expected a table with 2^1 to 2^{MOST_BITS} entries, got 2^{bits}")
    search = Search(target_of(target, norm), LINEAR)
    pieces = 2**bits - 1 + search.outer
    found = search.best("uniform", pieces)
    bound = spline.bound_of(search, found, target, norm, pieces)
    if lattice is None:
        polynomials = assembled(search.problem, found.knots, found.fit.coefficients, found.error)
    else:
        polynomials = _rounded(search, found, lattice)
    polynomials = without_idle_knots(polynomials)
    error, notes = certified(search.target, polynomials), _notes(search.target, lattice)
    cost, rounding = Cost(**OPERATIONS, table_bytes=WORD * 2**bits), None if lattice is None else lattice.name
    seconds = clock.seconds()
    return Design(target, f"table:{bits}", norm, polynomials, error, bound, cost, rounding, None, None, notes, seconds)


def _notes(target: Target, lattice: Lattice | None) -> tuple[str, ...]:
    beyond = [f"beyond the table the design is the asymptote {m}*x + {c}" for m, c in filter(None, target.outer)]
    return tuple(dict.fromkeys([*beyond, *([ENTRIES] if lattice else [])]))


def _rounded(search: Search, found: Candidate, lattice: Lattice) -> Polynomials:
    """The entries on the lattice, one after the other moved to the neighbour that is best beside the others."""
    values = [sp.Rational(v.numerator, v.denominator) for v in _Entries(search, found, lattice).descended()]
    return joined(search.problem, found.knots, values)


class _Entries:
    """Values at the nodes of a lattice, and the error between neighbours."""

    def __init__(self, search: Search, found: Candidate, lattice: Lattice):
        self.lattice, self.values = lattice, [float(c) for c in found.fit.coefficients]
        curve, knots = search.problem.curve, np.array([float(k) for k in found.knots])
        share = np.linspace(0, 1, SAMPLES + 1)
        x = knots[:-1, None] * (1 - share) + knots[1:, None] * share
        self.share = share
        self.f = curve.jets(x.ravel(), np.searchsorted(curve.breaks, x.ravel()))[0].reshape(x.shape)
        n = len(knots)
        self.free = range(search.target.outer[0] is not None, n - (search.target.outer[1] is not None))

    def _error(self, gap: int, left: float, right: float) -> float:
        return float(abs(self.f[gap] - left * (1 - self.share) - right * self.share).max())

    def _beside(self, i: int, value: float, values: Sequence[float]) -> float:
        errors = [self._error(i - 1, values[i - 1], value)] if i else []
        return max([*errors, *([self._error(i, value, values[i + 1])] if i + 1 < len(values) else [])])

    def descended(self) -> list[Fraction]:
        exact = [Fraction(v) for v in self.values]
        for i in self.free:
            exact[i] = self.lattice.nearest(exact[i])
        for _ in range(ROUNDS):
            floats, changed = [float(v) for v in exact], False
            for i in self.free:
                tried = [exact[i], *self.lattice.around(exact[i], NEIGHBOURS)]
                errors = [self._beside(i, float(point), floats) for point in tried]
                found = tried[errors.index(min(errors))]
                changed |= found != exact[i]
                exact[i], floats[i] = found, float(found)
            if not changed:
                break
        return exact
