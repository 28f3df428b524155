"""Which operator of ONNX a function is, if it is one: decided by exact equality, never by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy as sp

from analysis.activation import functions
from analysis.activation.errors import Undecided
from analysis.activation.functions import Phi, clip, relu, sigmoid, softplus
from analysis.activation.parsing import X
from analysis.deployed.python_code import double
from analysis.exact.asymptotes import limit_at_infinity
from analysis.exact.normal import is_zero
from analysis.exact.pieces import SWITCHING, Piece, pieces

PROBES = (-3, -1, -sp.Rational(1, 3), 0, sp.Rational(1, 2), 2)  # a function that differs here is another one

Attributes = Mapping[str, float | str]

# without free attributes
_SINGLE: tuple[tuple[str, Attributes, sp.Expr], ...] = (
    ("Relu", {}, relu(X)),
    ("Mish", {}, X * sp.tanh(softplus(X))),
    ("HardSwish", {}, X * clip(X + 3, 0, 6) / 6),
    ("Sigmoid", {}, sigmoid(X)),
    ("Tanh", {}, sp.tanh(X)),
    ("Softplus", {}, softplus(X)),
    ("Softsign", {}, X / (1 + sp.Abs(X))),
    ("Gelu", {}, X * Phi(X)),
    ("Gelu", {"approximate": "tanh"}, X * sigmoid(2 * sp.sqrt(2 / sp.pi) * (X + sp.Rational("0.044715") * X**3))),
)


def single(f: sp.Expr) -> tuple[str, Attributes] | None:
    """The operator and its attributes; numbers among these are the exact ones, as doubles."""
    for name, attributes, candidate in (*_SINGLE, *_fitted(f)):
        if _is_same(f, candidate):
            return name, attributes
    return None


def _fitted(f: sp.Expr) -> Iterator[tuple[str, Attributes, sp.Expr]]:
    """Operators with attributes, these read off the function's slope and limit; whether f is that is decided later."""
    try:
        left, value = limit_at_infinity(f, -1), f.subs(X, 1)
        slope = -f.subs(X, -1)
        at_zero, at_one = f.subs(X, 0), f.subs(X, 1)
    except Undecided:
        return
    if slope.is_Rational:
        yield "LeakyRelu", {"alpha": double(slope)}, sp.Piecewise((slope * X, X < 0), (X, True))
    alpha, beta = at_one - at_zero, at_zero
    if alpha.is_Rational and beta.is_Rational and alpha.is_positive:
        yield "HardSigmoid", {"alpha": double(alpha), "beta": double(beta)}, clip(alpha * X + beta, 0, 1)
    depth = -left
    if not (depth.is_finite and depth.is_positive):
        return
    exponential = sp.exp(X) - 1
    yield "Elu", {"alpha": double(depth)}, sp.Piecewise((depth * exponential, X < 0), (X, True))
    yield "Celu", {"alpha": double(depth)}, sp.Piecewise((depth * (sp.exp(X / depth) - 1), X < 0), (X, True))
    scaled = {"alpha": double(depth / value), "gamma": double(value)}
    yield "Selu", scaled, sp.Piecewise((depth * exponential, X < 0), (value * X, True))


def _is_same(f: sp.Expr, g: sp.Expr) -> bool:
    """Whether two functions are one; False where that is not decided."""
    if f == g:
        return True
    difference = functions.elementary(f) - functions.elementary(g)
    if any(abs(sp.N(difference.subs(X, at), 20)) > 1e-12 for at in PROBES):
        return False
    if not (f.has(*SWITCHING) or g.has(*SWITCHING)):
        return is_zero(f - g) is True
    try:
        here, there = pieces(f), pieces(g)
    except Undecided:
        return False
    return len(here) == len(there) and all(map(_is_same_piece, here, there))


def _is_same_piece(a: Piece, b: Piece) -> bool:
    is_placed = (a.lower, a.upper) == (b.lower, b.upper)
    return is_placed and is_zero(a.expression - b.expression) is True
