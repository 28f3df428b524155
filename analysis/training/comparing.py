"""Paired comparisons: differences over the same seeds with their intervals, spreads, trends, and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy import stats

LEVEL = 0.05


@dataclass(frozen=True)
class Paired:
    """The mean of paired differences, its standard deviation, Student's 95 % interval and two-sided p-value.

    `adjusted` is Holm's p-value among the comparisons of one question; `significant` says whether it is below 0.05.
    """

    mean: float
    deviation: float
    interval: tuple[float, float]
    p: float
    adjusted: float = math.nan
    count: int = 0

    @property
    def significant(self) -> bool:
        return self.adjusted < LEVEL

    def to_dict(self) -> dict:
        return asdict(self) | {"interval": list(self.interval), "significant": self.significant}


def paired(differences: Sequence[float] | np.ndarray) -> Paired:
    """Student's t over the differences, one a seed; two or more of them."""
    d = np.asarray(differences, float)
    mean, deviation, count = d.mean(), d.std(ddof=1), len(d)
    error = deviation / math.sqrt(count)
    if error == 0:
        return Paired(mean, 0.0, (mean, mean), 1.0 if mean == 0 else 0.0, count=count)
    half = stats.t.ppf(1 - LEVEL / 2, count - 1) * error
    p = 2 * stats.t.sf(abs(mean) / error, count - 1)
    return Paired(float(mean), float(deviation), (float(mean - half), float(mean + half)), float(p), count=count)


def spread(one: Sequence[float] | np.ndarray, other: Sequence[float] | np.ndarray) -> Paired | None:
    """The logarithm of the ratio of the two standard deviations over paired seeds, by the test of Pitman and Morgan.

    The sums and the differences of pairs are uncorrelated where the variances are equal. With s, t the deviations, r
    the pairs' correlation and w = (s/t)^2 the interval follows from the same test of w times the other variance; it is
    of log(s/t). None where one does not vary. Pitman, Biometrika 31 (1939) 9; Morgan, Biometrika 31 (1939) 13.
    """
    a, b = np.asarray(one, float), np.asarray(other, float)
    s, t, count = a.std(ddof=1), b.std(ddof=1), len(a)
    if min(s, t) == 0:
        return None
    w, r, freedom = s / t, float(np.corrcoef(a, b)[0, 1]), count - 2
    rest = max(1 - r * r, 1e-300)
    statistic = abs(w * w - 1) * math.sqrt(freedom) / (2 * w * math.sqrt(rest))
    quantile = stats.t.ppf(1 - LEVEL / 2, freedom)
    k = 1 + 2 * rest * quantile**2 / freedom
    half = 0.5 * math.log(k + math.sqrt(k * k - 1))
    mean, p = math.log(w), 2 * stats.t.sf(statistic, freedom)
    return Paired(mean, math.nan, (mean - half, mean + half), float(p), count=count)


def trend(levels: Sequence[float], differences: Sequence[Sequence[float]]) -> Paired:
    """The slope of the paired difference over log2 of the levels, fitted for each seed, and Student's t over the seeds.

    `differences` has a row for each level and a column for each seed.
    """
    x = np.log2(np.asarray(levels, float))
    x -= x.mean()
    return paired(x @ np.asarray(differences, float) / (x @ x))


def holm(found: dict[str, Paired]) -> dict[str, Paired]:
    """The same comparisons with Holm's adjusted p-values (Scand. J. Statist. 6 (1979) 65)."""
    ordered = sorted(found, key=lambda name: found[name].p)
    adjusted, running = {}, 0.0
    for rank, name in enumerate(ordered):
        running = max(running, min(1.0, (len(ordered) - rank) * found[name].p))
        known = found[name]
        adjusted[name] = Paired(known.mean, known.deviation, known.interval, known.p, running, known.count)
    return {name: adjusted[name] for name in found}
