"""How exact values and functions are written in figures and tables: short, and without losing a digit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import sympy as sp

from analysis.activation.errors import BadInput
from analysis.activation.record import Activation

if TYPE_CHECKING:
    from analysis.optimal.fitting.constants import Fit

DOTS = r"\ldots"  # in LaTeX


def span(domain: str) -> tuple[float, float]:
    """The ends of what is drawn: "-8,8" -> (-8.0, 8.0)."""
    try:
        low, high = (float(end) for end in domain.split(","))
    except ValueError:
        raise BadInput(f"expected a domain LO,HI to draw, got {domain!r}") from None
    if not -math.inf < low < high < math.inf:
        raise BadInput(f"expected a finite domain LO,HI with LO < HI to draw, got {domain!r}")
    return low, high


def number(value: sp.Expr, dots: str = "…") -> str:
    """An exact constant as one writes it: 2.8, 1/3, sqrt(2); dots stand where more than six decimals are cut off."""
    value = sp.sympify(value)
    if not isinstance(value, sp.Rational):
        return str(value)
    if (value * 10**6).is_Integer:
        return f"{float(value):.6f}".rstrip("0").rstrip(".")
    if len(str(value)) <= 7:
        return str(value)
    whole, part = divmod(abs(int(value * 10**6)), 10**6)
    return f"{'-' if value < 0 else ''}{whole}.{part:06d}{dots}"


def constants(activation: Activation) -> str:
    """The constants in order, as in (5, 2.8)."""
    return f"({', '.join(number(value) for value in activation.constants.values())})"


def rounded(fit: Fit, digits: int = 6) -> str:
    """The best constants in order, to so many significant digits."""
    return f"({', '.join(f'{value:.{digits}g}' for value in fit.constants.values())})"


def label(activation: Activation) -> str:
    """The name, or the family with its constants: hard_gate(a=5, b=2.8)."""
    if not activation.constants or not activation.name.startswith(f"{activation.family}("):
        return activation.name
    return f"{activation.family}({', '.join(f'{k}={number(v)}' for k, v in activation.constants.items())})"


def short_label(activation: Activation) -> str:
    """As `label`, the constants without their names, on a line of their own where that is needed."""
    if not activation.constants or "(" not in activation.name:
        return activation.name
    text = f"{activation.family}\n{constants(activation)}"
    return text if len(text) > 25 else text.replace("\n", " ")


def relu_form(gate: Activation) -> str:
    """A hard gate in the notation of the thread, as LaTeX: x ReLU5(x+3)/5; the two halves of a split one with a bar."""
    given = {name: number(value) for name, value in gate.constants.items()}
    caps = [given[name] for name in ("a", "p", "q") if name in given]
    halves = [rf"$x\,\mathrm{{ReLU{cap}}}(x+{given['b']})/{cap}$" for cap in caps]
    return " | ".join([*halves, "ReLU"] if gate.family == "hard_gate_relu" else halves)


def mathematics(value: sp.Basic) -> str:
    """LaTeX, short: 2/5 for a fraction on its own, and no number longer than `number` writes it."""
    if isinstance(value, sp.Rational):
        return str(value) if len(str(value)) <= 7 else number(value, DOTS)
    long = [q for q in value.atoms(sp.Rational) if len(str(q.q)) > 2 or len(str(q.p)) > 7]
    return sp.latex(value.xreplace({q: sp.Symbol(number(q, DOTS)) for q in long}))
