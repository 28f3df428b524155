"""Sollya's `infnorm` as the rival: our pieces in its language, and the settings with which it is fastest.

https://www.sollya.org. A function can be written in several ways, which changes Sollya's time severalfold; working
precision and `diam` trade time for width. All combinations are tried; the fastest that is as narrow as asked is kept.
"""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import sympy as sp

from analysis.activation.functions import elementary, softplus
from analysis.activation.parsing import X
from analysis.exact.normal import rational_form
from analysis.exact.pieces import Piece

PRECISIONS = (46, 60, 80)  # bits
DIAMETERS = ("1e-3", "1e-5", "1e-6", "1e-7", "1e-8")
TRIALS = 2  # of each setting
LONGEST = 10**6  # denominator that is left as it is; beyond, a constant is a double
PATIENCE = 600  # seconds for one run


@dataclass(frozen=True)
class Call:
    """infnorm(formula, [low; high]) at a working precision and with the option `diam`."""

    formula: str
    low: str
    high: str
    precision: int = 60
    diameter: str = "1e-7"

    def script(self, repeats: int) -> str:
        """Prints the norm and, after one call to warm up, the seconds of each call."""
        norm = f"infnorm({self.formula}, [{self.low}; {self.high}])"
        once = f"t = time(r = {norm}); print(inf(r), sup(r), t);"
        return (
            f"prec = {self.precision}!; diam = {self.diameter}!; r = {norm}; for i from 1 to {repeats} do {{ {once} }};"
        )


@dataclass(frozen=True)
class Norm:
    """What a call gave: a lower and an upper bound, and seconds."""

    low: float
    high: float
    seconds: float

    def is_within(self, tolerance: float) -> bool:
        return self.high - self.low <= tolerance * self.low


def version() -> str | None:
    """Sollya's version; None where it is not installed."""
    if shutil.which("sollya") is None:
        return None
    return subprocess.run(["sollya", "--version"], capture_output=True, text=True, check=True).stdout.split()[3]


def run(calls: Iterable[Call], repeats: int = 1) -> list[Norm]:
    """All calls in one process; of the seconds of each the least."""
    calls = list(calls)
    script = "verbosity = 0!; display = decimal!;\n" + "\n".join(call.script(repeats) for call in calls) + "\nquit;\n"
    done = subprocess.run(["sollya"], input=script, capture_output=True, text=True, timeout=PATIENCE, check=True)
    numbers = [tuple(map(float, line.split())) for line in done.stdout.splitlines() if line.strip()]
    groups = [numbers[i : i + repeats] for i in range(0, len(numbers), repeats)]
    if len(groups) != len(calls):
        raise RuntimeError(f"expected {len(calls)} answers of Sollya, got {done.stdout!r} {done.stderr!r}")
    return [Norm(*min(group, key=lambda answer: answer[2])) for group in groups]


def fastest(pieces: Iterable[Piece], tolerance: float) -> list[Call]:
    """One call for each piece; only where the supremum is attained has the answer to be narrow."""
    tried = [list(_tried(piece)) for piece in pieces]
    least = max(max(norm.low for _, norm in trials) for trials in tried)  # of the norm over all pieces
    chosen = []
    for trials in tried:
        good = [trial for trial in trials if trial[1].high < least or trial[1].is_within(tolerance)]
        if not good:
            raise RuntimeError(f"no setting of Sollya is within {tolerance:g} for {trials[0][0].formula}")
        chosen.append(min(good, key=lambda trial: trial[1].seconds)[0])
    return chosen


def _tried(piece: Piece) -> Iterable[tuple[Call, Norm]]:
    ends = text(piece.lower), text(piece.upper)
    calls = [
        Call(form, *ends, precision, diameter)
        for form, precision, diameter in product(forms(piece.expression), PRECISIONS, DIAMETERS)
    ]
    for call, norm in zip(calls, run(calls, TRIALS), strict=True):
        if math.isfinite(norm.high):
            yield call, norm


def forms(expression: sp.Expr) -> list[str]:
    """Ways to write the function: with tanh and log1p, by exponentials, and as one fraction in an exponential."""
    plain = elementary(expression)
    mish = elementary(expression.replace(lambda e: e.func is sp.tanh and e.args[0].func is softplus, _by_square))
    logistic = mish.replace(sp.tanh, lambda u: 1 - 2 / (1 + sp.exp(2 * u)))
    fraction = None if plain.has(sp.erf, sp.sqrt) else rational_form(expression)
    return list(dict.fromkeys(text(form) for form in (plain, mish, logistic, fraction) if form is not None))


def _by_square(gate: sp.Expr) -> sp.Expr:
    """tanh(log(1 + e^u)) = 1 - 2/((1 + e^u)^2 + 1)."""
    return 1 - 2 / ((1 + sp.exp(gate.args[0].args[0])) ** 2 + 1)


def text(expression: sp.Expr) -> str:
    """In Sollya's language; fitted coefficients as hexadecimal numbers, as a quotient would be evaluated each time."""
    fitted = {c: sp.Symbol(float(c).hex()) for c in expression.atoms(sp.Rational) if c.q > LONGEST}
    written = str(expression.xreplace(fitted) if fitted else expression)
    return written.replace("**", "^").replace(f"log(exp({X}) + 1)", f"log1p(exp({X}))")
