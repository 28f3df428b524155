"""The functions of the studies by name: published ones, the best constants found here, and certified designs for Mish.

A name is one of the catalogue or an expression; "best hard_gate", the member of the family nearest to Mish in the sup
norm; "pwl 6", the best continuous piecewise linear function of six pieces; a trailing "*" makes all constants of a
family trainable. All resolve to formulas in decimals, so a run is known by the text of its function.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from analysis.activation import lookup
from analysis.activation.record import Activation
from analysis.optimal.design import design
from analysis.optimal.fitting.constants import fit
from analysis.rigorous.comparison import compare
from analysis.rigorous.norms import Norm
from analysis.training.modules import Stacked, module

TARGET = "mish"
TRAINED = "*"
APTX = "aptx(alpha=1, beta=1, gamma=1/2)"
GATE, LINEAR = "best hard_gate", "linear_swish(s=2, beta=1.25)"
TOLERANCES = {"pwl 6": 1e-1, "pwl 10": 1e-2, "pwl 27": 1e-3}  # the fewest pieces that keep each

PUBLISHED = (
    *("relu", "silu", "gelu", "quick_gelu", "hard_swish", "hard_mish", "hard_gate(a=4, b=3)", "hard_gate(a=3, b=3)"),
    *("hard_gate(a=5, b=2.8)", "h_mish", "split_hard_gate(b=3, p=7, q=5)", "hard_gate_relu(a=7, b=3)"),
    *("hard_gate_relu(a=4, b=3)", LINEAR, "approx_mish", APTX, "cubic_hard_mish", "beta_mish(beta=1.5)"),
)
FAMILIES = ("hard_gate", "swish", "linear_swish", "two_sided_swish", "split_hard_gate", "hard_gate_relu")
PIECES = (3, 5, 6, 7, 10, 12, 16, 20, 27)
STAND_INS = (*PUBLISHED, *(f"best {family}" for family in FAMILIES), *(f"pwl {pieces}" for pieces in PIECES))


@cache
def function(name: str) -> Activation:
    """The activation of a name; BadInput where it is none."""
    head, _, rest = name.removesuffix(TRAINED).partition(" ")
    if head == "best" and rest:
        return lookup.function(fit(rest, to=TARGET).activation().formula)
    if head == "pwl" and rest:
        return design(TARGET, "pwl", pieces=int(rest)).activation
    return lookup.function(name.removesuffix(TRAINED))


@cache
def stacked(name: str) -> Stacked:
    """The exported module of a name, for stacked networks."""
    if not name.endswith(TRAINED):
        return Stacked(module(function(name)))
    found = function(name)
    return Stacked(module(found, tuple(found.constants)))


def refitted(family: str, samples: np.ndarray) -> str:
    """The formula of the member nearest to Mish in mean square over these pre-activations."""
    return fit(family, to=TARGET, norm=Norm.samples(samples)).activation().formula


def errors(name: str, sigma: float) -> tuple[tuple[str, str], tuple[str, str]]:
    """Certified enclosures of the sup distance to Mish and of the root mean square under N(0, sigma^2)."""
    found = function(name)
    sup, gaussian = (compare(found, TARGET, norm=norm).distance for norm in (Norm(), Norm("gaussian", sigma=sigma)))
    return sup, gaussian
