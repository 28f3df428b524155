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


def number_text(value: float) -> str:
    """The shortest decimal that reads as this very float; a whole number without a point, as long as it is short."""
    whole = math.isfinite(value) and value == int(value) and abs(value) < 1e16
    return str(int(value)) if whole else repr(float(value))


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
            raise BadInput(
                f"expected a domain LO,HI with LO < HI, got {number_text(self.lower)},{number_text(self.upper)}"
            )
        if not 0 < self.sigma < math.inf:
            raise BadInput(f"expected a positive sigma, got {number_text(self.sigma)}")
        if self.is_discrete and (self.points is None or len(self.points) == 0):
            raise BadInput(f"expected points for the norm {self.kind}, got none")
        if self.points is not None and not np.isfinite(self.points).all():
            raise BadInput(f"expected finite points for the norm {self.kind}, got inf or nan among them")

    @classmethod
    def grid(cls, low: float, high: float, count: int) -> Norm:
        """The mean square over linspace(low, high, count)."""
        ends = f"{number_text(low)}, {number_text(high)}, {count}"
        if not (math.isfinite(low) and math.isfinite(high) and low < high and 2 <= count <= MOST_POINTS):
            raise BadInput(f"expected a grid LO,HI,N with LO < HI and 2 <= N <= {MOST_POINTS}, got {ends}")
        return cls("grid", low, high, points=np.linspace(low, high, count), label=f"linspace({ends})")

    @classmethod
    def samples(cls, values: np.ndarray, label: str = "") -> Norm:
        """The mean square over an array of pre-activations, of any shape."""
        values = np.asarray(values, float).ravel()
        if values.size and not np.isfinite(values).all():
            raise BadInput("expected finite points for the norm samples, got inf or nan among them")
        low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
        return cls("samples", low, np.nextafter(high, np.inf), points=values, label=label or f"{values.size} samples")

    def __str__(self) -> str:
        kind = {"sup": "sup norm", "l2": "L2 norm", "gaussian": f"RMS under N(0, {number_text(self.sigma)}^2)"}.get(
            self.kind
        )
        if kind is None:
            return f"mean square over {self.label}"
        whole = math.isinf(self.lower) and math.isinf(self.upper)
        low, high = self.domain
        return f"{kind}, x in {'R' if whole else f'[{low}, {high}]'}"

    @property
    def domain(self) -> list[str]:
        """The ends as the JSON of an answer has them."""
        return [number_text(self.lower), number_text(self.upper)]

    @property
    def setting(self) -> str:
        """What else the JSON of an answer says: the points, or the deviation of the inputs."""
        return f"N(0, {number_text(self.sigma)}^2)" if self.kind == "gaussian" else self.label

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
