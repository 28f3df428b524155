"""The measures of distance: sup norm, L2, Gaussian root mean square, and mean squares over points.

sup       max |r(x)|, x in the domain
l2        sqrt(integral of r(x)^2 dx) over the domain
gaussian  sqrt(E r(X)^2), X ~ N(0, sigma^2), x in the domain
grid      mean of r(x)^2 over linspace(LO, HI, N)
samples   mean of r(x)^2 over given pre-activations
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from analysis.activation.errors import BadInput

KINDS = ("sup", "l2", "gaussian", "grid", "samples")
MOST_POINTS = 10**7
REACH = 40.0  # where the outermost quadrature panels begin on the whole line
SPREAD = 14.0  # standard deviations beyond which the Gaussian weight is below the smallest double's square root
NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)


@dataclass(frozen=True)
class Norm:
    """A norm with its domain; `points` are the abscissas of `grid` and `samples`."""

    kind: str = "sup"
    lower: float = -math.inf
    upper: float = math.inf
    sigma: float = 1.0
    points: np.ndarray | None = field(default=None, compare=False, repr=False)
    label: str = ""

    def __post_init__(self):
        if self.kind not in KINDS:
            raise BadInput(f"expected a norm out of {', '.join(KINDS)}, got {self.kind!r}")
        if not self.lower < self.upper:
            raise BadInput(f"expected a domain LO,HI with LO < HI, got {self.lower:g},{self.upper:g}")
        if not 0 < self.sigma < math.inf:
            raise BadInput(f"expected a positive sigma, got {self.sigma:g}")
        if self.is_discrete and (self.points is None or len(self.points) == 0):
            raise BadInput(f"expected points for the norm {self.kind}, got none")
        if self.points is not None and not np.isfinite(self.points).all():
            raise BadInput(f"expected finite points for the norm {self.kind}, got inf or nan among them")

    @classmethod
    def grid(cls, low: float, high: float, count: int) -> Norm:
        """The mean square over linspace(low, high, count)."""
        if not (math.isfinite(low) and math.isfinite(high) and low < high and 2 <= count <= MOST_POINTS):
            raise BadInput(
                f"expected a grid LO,HI,N with LO < HI and 2 <= N <= {MOST_POINTS}, got {low:g},{high:g},{count}"
            )
        return cls(
            "grid", low, high, points=np.linspace(low, high, count), label=f"linspace({low:g}, {high:g}, {count})"
        )

    @classmethod
    def samples(cls, values: np.ndarray, label: str = "") -> Norm:
        """The mean square over an array of pre-activations, of any shape."""
        values = np.asarray(values, float).ravel()
        if values.size and not np.isfinite(values).all():
            raise BadInput("expected finite points for the norm samples, got inf or nan among them")
        low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
        return cls("samples", low, np.nextafter(high, np.inf), points=values, label=label or f"{values.size} samples")

    def __str__(self) -> str:
        kind = {"sup": "sup norm", "l2": "L2 norm", "gaussian": f"RMS under N(0, {self.sigma:g}^2)"}.get(self.kind)
        if kind is None:
            return f"mean square over {self.label}"
        whole = math.isinf(self.lower) and math.isinf(self.upper)
        return f"{kind}, x in {'R' if whole else f'[{self.lower:g}, {self.upper:g}]'}"

    @property
    def unit(self) -> str:
        return {"sup": "sup norm", "l2": "L2 norm", "gaussian": "root mean square"}.get(self.kind, "mean square")

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the domain."""
        return self.lower, self.upper

    @property
    def is_discrete(self) -> bool:
        return self.kind in ("grid", "samples")

    @property
    def sees_the_tails(self) -> bool:
        """Whether a residual that does not vanish at infinity makes the value infinite, or bounds it from below."""
        return self.kind in ("sup", "l2") and not (math.isfinite(self.lower) and math.isfinite(self.upper))

    def quadrature(self, breaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Abscissas and weights whose weighted sum of r^2 is the square of the value; panels end at the breaks.

        The number of abscissas depends on the number of breaks alone, so that sums are smooth in moving breaks.
        """
        if self.is_discrete:
            assert self.points is not None
            return self.points, np.full(len(self.points), 1 / len(self.points))
        edges = np.sort(np.concatenate([self._fixed_edges(), np.clip(breaks, *self._window())]))
        x, w = _panels(edges)
        if self.kind == "gaussian":
            w = w * np.exp(-((x / self.sigma) ** 2) / 2) / (self.sigma * math.sqrt(2 * math.pi))
            return x, w
        for end, side in ((self.lower, -1), (self.upper, 1)):
            if math.isinf(end):
                tail_x, tail_w = _tail(side, max(REACH, side * (self.lower if side > 0 else self.upper)))
                x, w = np.concatenate([x, tail_x]), np.concatenate([w, tail_w])
        return x, w

    def _window(self) -> tuple[float, float]:
        reach = SPREAD * self.sigma if self.kind == "gaussian" else REACH
        low, high = max(self.lower, -reach), min(self.upper, reach)
        if low < high:
            return low, high
        near = self.lower if self.lower > 0 else self.upper  # the domain lies beyond the window
        return (self.lower, self.upper) if math.isfinite(self.upper - self.lower) else (near, near)

    def _fixed_edges(self) -> np.ndarray:
        low, high = self._window()
        scale = self.sigma if self.kind == "gaussian" else 1.0
        marks = scale * np.array([-20, -12, -8, -6, -4.5, -3, -2, -1, 0, 1, 2, 3, 4.5, 6, 8, 12, 20])
        inside = marks[(marks > low) & (marks < high)]
        return np.concatenate([[low], inside, [high]])


def _panels(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    return (middle[:, None] + half[:, None] * NODES).ravel(), (half[:, None] * WEIGHTS).ravel()


def _tail(side: int, start: float) -> tuple[np.ndarray, np.ndarray]:
    """The line beyond side*start through x = side*start/s, s in (0, 1)."""
    s = (NODES + 1) / 2
    return side * start / s, WEIGHTS / 2 * start / s**2
