"""The function that a path is: what a walk that arrives leaves as knots and coefficients."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import chain, pairwise

import sympy as sp

from analysis.exact.normal import sign
from analysis.optimal.designs import Polynomials
from analysis.optimal.shapes.curve import Line
from analysis.optimal.shapes.grid import Attempt
from analysis.optimal.shapes.linear import Target

FINE = 1e-11  # times the error: to what decimal place nodes are rounded
DIGITS = 17  # of a knot: a double has no more
ASIDE = 1e-10  # of the error: by how much a link that ought to be parallel to an asymptote is out of place


def polynomials(target: Target, attempt: Attempt) -> Polynomials | None:
    """Knots and slopes rounded to a decimal place far below the error, the values at knots from left to right.

    The last slope before an asymptote is the one that meets it. None where links do not meet one after another.
    """
    place = 2 - math.floor(math.log10(FINE * attempt.error))
    found = nodes(target, attempt)
    if not all(map(math.isfinite, chain.from_iterable(found))) or any(a >= b for (a, _), (b, _) in pairwise(found)):
        return None
    left, right = target.outer
    knots = [_decimal(x, min(place, DIGITS - math.ceil(math.log10(abs(x) + 1)))) for x, _ in found]
    y = left[0] * knots[0] + left[1] if left else _decimal(found[0][1], place)
    rows = [left[::-1]] if left else []
    for i, (x, onward) in enumerate(pairwise(knots)):
        length = found[i + 1][0] - found[i][0]
        slope = _decimal((found[i + 1][1] - found[i][1]) / length, place + max(math.ceil(math.log10(length)), 0))
        if right and onward == knots[-1]:
            slope = (right[0] * onward + right[1] - y) / (onward - x)
        rows.append((y - slope * x, slope))
        y += slope * (onward - x)
    rows += [right[::-1]] if right else []
    return Polynomials(tuple(knots[0 if left else 1 : None if right else -1]), tuple(rows))


def _decimal(value: float, place: int) -> sp.Rational:
    return sp.Rational(f"{value:.{max(place, 0)}f}")


def nodes(target: Target, attempt: Attempt) -> list[tuple[float, float]]:
    """Where the links of a walk that arrives meet; at a finite end, also the end itself.

    A link that is parallel to an asymptote, or nearly so, is turned a little, to meet it somewhere.
    """
    left, right = target.lines
    links = [one.line for one in attempt.obstructions]
    closing = [line for line in attempt.closing if line is not None]
    links.append(closing[0] if len(closing) == 1 else _mean(*closing))
    begin, end = attempt.begin, attempt.end
    width = abs(end.x - begin.q) or ASIDE * (end.last - begin.p)  # at a jump any slope does
    steepness = attempt.error / width
    if left:
        links[0] = _turned(links[0], left[0], begin.side, steepness)
    if right:
        links[-1] = _turned(links[-1], right[0], -end.side, steepness)
    lines = [(line.slope, line.y - line.slope * line.x) for line in links]
    lines = [*([left] if left else []), *lines, *([right] if right else [])]
    found = [(x := (d - b) / (a - c), a * x + b) for (a, b), (c, d) in pairwise(lines) if a != c]
    first = [] if left else [(float(target.lower), lines[0][0] * float(target.lower) + lines[0][1])]
    last = [] if right else [(float(target.upper), lines[-1][0] * float(target.upper) + lines[-1][1])]
    return [*first, *found, *last]


def _mean(one: Line, other: Line) -> Line:
    """The line between two, given where the first one touches."""
    y = (one.y + other.at(one.x)) / 2
    return Line((one.slope + other.slope) / 2, one.x, y, math.nan, math.nan)


def _turned(line: Line, slope: float, side: int, steepness: float) -> Line:
    """Steeper than `slope` (side 1) or flatter (-1), at least by a small share of the steepness."""
    least = slope + side * ASIDE * steepness
    return replace(line, slope=least) if side * (line.slope - least) < 0 else line


def asymptotes(target: Target) -> Polynomials | None:
    """The function that consists of asymptotes, where they meet; None where they do not, or there is none."""
    lines = list(dict.fromkeys(line for line in target.outer if line is not None))
    if len(lines) < 2:
        return Polynomials((), (lines[0][::-1],)) if lines else None
    (slope, intercept), (onward, other) = lines
    if sign(onward - slope) == 0:
        return None
    return Polynomials(((intercept - other) / (onward - slope),), ((intercept, slope), (other, onward)))
