"""`design`: the best function of a shape for a target, by a number of pieces or by a tolerance, certified."""

from __future__ import annotations

import math
import re

from analysis.activation import lookup
from analysis.activation.errors import BadInput
from analysis.activation.record import Activation
from analysis.optimal.designs import Design
from analysis.optimal.lattice import Lattice
from analysis.rigorous.norms import Norm

SHAPES = "pwl, pwq, pwq:c0, gate:D, rational:M,N, table:K or table:int8"
KNOTS = ("free", "uniform", "dyadic", "float")
MOST = 2048  # pieces


def design(
    target: str | Activation,
    shape: str,
    *,
    pieces: int | None = None,
    tolerance: float | None = None,
    norm: Norm | None = None,
    knots: str = "free",
    round: str | None = None,
) -> Design:
    """The best design of a shape: `pieces` of them, or the fewest that keep `tolerance`.

    pwl          continuous, piecewise linear; knots free, uniform, dyadic or float
    pwq, pwq:c0  piecewise quadratic with free knots, once differentiable or continuous
    gate:D       x P(clip(x, l, r)) with P of degree D, P(l) = 0, P(r) = 1
    rational:M,N on a finite domain
    table:K      linear interpolation between 2^K entries

    At an infinite end of the domain the outermost piece is the asymptote exactly. With `round` all numbers are of that
    format. The norm is the sup norm; for pwl with free knots and without `round` it may be any other. Raises BadInput
    for what is no such question, Refused where a tolerance cannot be kept.
    """
    found, norm = lookup.function(target), norm or Norm()
    if norm.kind != "sup" and (shape, knots, round) != ("pwl", "free", None):
        raise BadInput(f"expected --norm sup, except for pwl with free knots and without --round, got {norm.kind!r}")
    if knots not in KNOTS:
        raise BadInput(f"expected --knots out of {', '.join(KNOTS)}, got {knots!r}")
    if pieces is not None and not 1 <= pieces <= MOST:
        raise BadInput(f"expected from 1 to {MOST} pieces, got {pieces}")
    if tolerance is not None and not 0 < tolerance < math.inf:
        raise BadInput(f"expected a positive tolerance, got {tolerance:g}")
    lattice = None if round is None else Lattice.of(round)
    name, _, degrees = shape.partition(":")
    if name == "pwl" and not degrees:
        _one_of(pieces, tolerance)
        return _linear(found, norm, pieces, tolerance, knots, lattice)
    if knots != "free" and name in ("pwq", "gate", "rational", "table"):
        raise BadInput(f"expected --knots with --shape pwl, got it with {shape}")
    if shape in ("pwq", "pwq:c0"):
        from analysis.optimal.shapes import quadratic

        _one_of(pieces, tolerance)
        return quadratic.best(found, norm, pieces, tolerance, lattice, smooth=shape == "pwq")
    if pieces is not None and name in ("gate", "rational", "table"):
        raise BadInput(f"expected --pieces with --shape pwl or pwq, got it with {shape}")
    if name == "gate" and re.fullmatch(r"[1-9]\d?|", degrees):
        from analysis.optimal.shapes import gate

        _one_of(degrees or None, tolerance, "gate:D")
        return gate.best(found, norm, int(degrees) if degrees else None, tolerance, lattice)
    if name == "rational" and re.fullmatch(r"\d\d?,\d\d?|", degrees):
        from analysis.optimal.shapes import rational

        _one_of(degrees or None, tolerance, "rational:M,N")
        both = [int(d) for d in degrees.split(",")] if degrees else []
        return rational.best(found, norm, (both[0], both[1]) if both else None, tolerance, lattice)
    if shape == "table:int8":
        raise BadInput("expected another shape: for table:int8 see analysis.optimal.shapes.table.int8")
    if name == "table" and re.fullmatch(r"[1-9]\d?", degrees):
        from analysis.optimal.shapes import table

        if tolerance is not None:
            raise BadInput("expected no --tolerance with table:K")
        return table.best(found, norm, int(degrees), lattice)
    raise BadInput(f"expected --shape {SHAPES}, got {shape!r}")


def _linear(target: Activation, norm: Norm, pieces: int | None, tolerance: float | None, knots: str,
            lattice: Lattice | None) -> Design:  # fmt: skip
    if knots != "free":
        from analysis.optimal.shapes import spline

        return spline.best(target, norm, pieces, tolerance, knots, lattice)
    if lattice is not None:
        from analysis.optimal.shapes import pwl_rounded

        return pwl_rounded.rounded(target, norm, pieces, tolerance, lattice)
    if norm.kind != "sup":
        from analysis.optimal.shapes import pwl_squares

        return pwl_squares.best(target, norm, pieces, tolerance)
    from analysis.optimal.shapes import pwl

    return pwl.free(target, norm, pieces, tolerance)


def _one_of(size: object, tolerance: float | None, what: str = "--pieces N") -> None:
    if (size is None) == (tolerance is None):
        came = "none" if size is None else "both"
        raise BadInput(f"expected one of {what} and --tolerance E, got {came}")
