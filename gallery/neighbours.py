"""Which functions of the catalogue are nearest to each, by certified sup distance over the whole line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.activation import lowering
from analysis.activation.errors import Undecided
from analysis.activation.record import Activation
from analysis.rigorous.balls import Pair
from analysis.rigorous.comparison import UNKNOWN, compare

NEAREST = 6
POINTS = np.concatenate([np.linspace(-12, 12, 4801), np.geomspace(12, 1e4, 400), -np.geomspace(12, 1e4, 400)])
SLACK = 1e-9  # of a difference in floating point, which is a lower bound but for rounding


@dataclass(frozen=True)
class Neighbour:
    name: str
    distance: Pair
    attained: str


def differences(functions: Sequence[Activation]) -> np.ndarray:
    """The largest difference of each pair over some points: the sup distance is at least this, less the rounding."""
    with np.errstate(all="ignore"):
        values = np.array([lowering.evaluator(f.expression)(POINTS) for f in functions])
    return np.array([np.abs(values - row).max(axis=1) for row in values])


def measured(pair: tuple[str, str]) -> tuple[Pair, str]:
    """The certified distance and the place where it is attained; what is known of every distance if it is undecided."""
    try:
        found = compare(*pair, tol=1e-9)
    except Undecided:
        return UNKNOWN, ""
    return found.distance, found.witness.text() if found.witness else ""


def nearest(
    names: Sequence[str],
    least: np.ndarray,
    measure: Callable[[Iterable[tuple[str, str]]], Iterable[tuple[Pair, str]]],
    number: int = NEAREST,
) -> dict[str, list[Neighbour]]:
    """The `number` nearest of each: a pair is measured while its lower bound `least` may still bring it among them."""
    known: dict[frozenset[str], tuple[Pair, str]] = {}
    order = {a: sorted((least[i, j], b) for j, b in enumerate(names) if b != a) for i, a in enumerate(names)}
    while wanted := {frozenset((a, b)) for a in names for b in _open(a, order[a], known, number)}:
        pairs = [(first, last) for first, last in map(sorted, wanted)]
        pairs.sort()
        known |= zip(map(frozenset, pairs), measure(pairs), strict=True)
    found = {}
    for a in names:
        here = [Neighbour(b, *known[pair]) for b in names if (pair := frozenset((a, b))) in known and b != a]
        finite = [one for one in here if np.isfinite(float(one.distance[1]))]
        found[a] = sorted(finite, key=lambda one: float(one.distance[1]))[:number]
    return found


def _open(a: str, order: list[tuple[float, str]], known: dict, number: int) -> list[str]:
    """The next of the candidates that are not known to be farther than the `number` nearest measured so far."""
    measured = sorted(float(known[pair][0][1]) for _, b in order if (pair := frozenset((a, b))) in known)
    limit = measured[number - 1] if len(measured) >= number else np.inf
    candidates = [b for bound, b in order if frozenset((a, b)) not in known and bound * (1 - SLACK) <= limit]
    return candidates[: max(1, number - len(measured))]


def of_all(functions: Sequence[Activation], pool: Executor) -> dict[str, list[Neighbour]]:
    return nearest([f.name for f in functions], differences(functions), partial(pool.map, measured, chunksize=4))
