"""Downhill on a lattice: rounds of trying all neighbours, until none is better. A search, not a proof."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from analysis.activation.errors import BadInput
from analysis.optimal.lattice import Lattice

REACH = {1: 6, 2: 3, 3: 2}  # lattice steps around a point that one round tries, by the number of constants; else 1
ROUNDS = 60


def descended(
    lattice: Lattice,
    start: np.ndarray | Sequence[float],
    error: Callable[[np.ndarray], float],
    least: np.ndarray | Sequence[float] | None = None,
) -> tuple[Fraction, ...]:
    """The lattice point of least error found from the neighbours of `start` on.

    `least` are bounds of the constants from below; points below are left out. An error that is not finite is that of no
    admissible point. Raises BadInput where there is none near the start.
    """
    known: dict[tuple[Fraction, ...], float] = {}

    def tried(point: tuple[Fraction, ...]) -> float:
        if point not in known:
            value = error(np.array([float(c) for c in point]))
            known[point] = value if math.isfinite(value) else math.inf
        return known[point]

    reach, bounds = REACH.get(len(start), 1), least if least is not None else [-math.inf] * len(start)
    centre: tuple = tuple(float(c) for c in start)
    for _ in range(ROUNDS):
        axes = [[p for p in lattice.around(c, reach) if p >= low] for c, low in zip(centre, bounds, strict=True)]
        if not all(axes):
            raise BadInput(f"expected a format with admissible constants near the best, got {lattice.range}")
        found = min(itertools.product(*axes), key=tried)
        if found == centre:
            break
        centre = found
    return found
