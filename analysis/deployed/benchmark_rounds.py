"""Times in interleaved rounds: each round measures every subject once, in a new order.

What is reported are medians and quartiles over the rounds, and for ratios those of the ratios within a round: then a
machine that is slower in one round is so for both sides. Time is that of the calling thread, which does not run while
another process has its core; every subject works in that one thread. One call warms each subject up; the number of
calls in an inner loop is chosen once so that it takes about `INNER` seconds.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

INNER = 1.5e-3  # seconds
LONG = 10  # times that: a call is an inner loop of its own
DIGITS = 4

Calls = Callable[[int], Any]  # does the work so many times


@dataclass(frozen=True)
class Spread:
    """Median and quartiles."""

    median: float
    quartiles: tuple[float, float]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        low, median, high = (float(f"{v:.{DIGITS}g}") for v in np.quantile(values, [0.25, 0.5, 0.75]))
        return cls(median, (low, high))

    def to_dict(self) -> dict[str, Any]:
        return {"median": self.median, "quartiles": list(self.quartiles)}


def rounds(subjects: Mapping[str, Calls], count: int, seed: int = 0) -> dict[str, list[float]]:
    """Seconds of one call of each subject, in each of `count` rounds."""
    repeats = {name: _repeats(calls) for name, calls in subjects.items()}
    found: dict[str, list[float]] = {name: [] for name in subjects}
    order, shuffled = list(subjects), random.Random(seed)
    for _ in range(count):
        shuffled.shuffle(order)
        for name in order:
            found[name].append(_seconds(subjects[name], repeats[name]))
    return found


def _repeats(calls: Calls) -> int:
    once = _seconds(calls, 1)  # which warms it up
    if once < LONG * INNER:
        once = min(_seconds(calls, 1) for _ in range(3))
    return max(1, round(INNER / max(once, 1e-9)))


def _seconds(calls: Calls, times: int) -> float:
    began = time.thread_time()
    calls(times)
    return (time.thread_time() - began) / times
