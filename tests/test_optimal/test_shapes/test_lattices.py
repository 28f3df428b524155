"""Designs of every shape in fixed point: all constants of the format, the error an enclosure."""

from fractions import Fraction

import numpy as np
import pytest

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput
from analysis.optimal.design import design
from analysis.optimal.lattice import Lattice
from analysis.rigorous.norms import Norm

CORE = Norm("sup", -4, 4)
CASES = [
    ("gelu", "pwl", 6, None),
    ("gelu", "pwl", 5, CORE),
    ("mish", "pwq", 3, CORE),
    pytest.param("silu", "pwq:c0", 4, None, marks=pytest.mark.proof),
    pytest.param("mish", "pwq", 5, CORE, marks=pytest.mark.proof),
    pytest.param("silu", "pwq:c0", 6, None, marks=pytest.mark.proof),
    ("mish", "gate:2", None, None),
    ("tanh(x)", "rational:3,2", None, CORE),
    ("gelu", "table:3", None, CORE),
]


def exactly(value) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def written(found) -> list[Fraction]:
    """The numbers that ship: of a gate those of its formula, of a table its knots and entries."""
    polynomials = found.polynomials
    if found.shape.startswith("gate"):
        b, a = -polynomials.begin, polynomials.end - polynomials.begin
        return [exactly(c) for c in (b, a, *polynomials.inner)]
    if found.shape.startswith("table"):
        ends = [-4, *map(exactly, polynomials.knots), 4]
        rows = [polynomials.coefficients[0], *polynomials.coefficients]
        return [exactly(a) + exactly(b) * Fraction(x) for x, (a, b) in zip(ends, rows, strict=True)]
    return [*map(exactly, polynomials.knots), *(exactly(c) for row in polynomials.coefficients for c in row)]


@pytest.mark.parametrize(("name", "shape", "pieces", "norm"), CASES)
def test_every_constant_is_of_the_fixed_point_format_and_the_error_is_certified(name, shape, pieces, norm):
    found, lattice = design(name, shape, pieces=pieces, norm=norm, round="fixed:5.9"), Lattice.of("fixed:5.9")
    for number in written(found):
        assert number % Fraction(1, 512) == 0
        assert -16 <= number <= 16 - Fraction(1, 512)
        assert lattice.holds(number)
    x = np.linspace(-4, 4, 20001) if norm else np.linspace(-12, 12, 60001)
    f, g = (lowering.evaluator(one.expression)(x) for one in (lookup.function(name), found.activation))
    largest = abs(f - g).max()
    low, high = map(float, found.error)
    assert largest <= high * (1 + 1e-12)
    assert low <= largest * (1 + 2e-2)
    assert found.bound.lower <= high
    assert found.to_dict()["round"] == "fixed:5.9"


@pytest.mark.parametrize(
    ("name", "shape", "pieces", "norm", "expected"),
    [
        ("gelu", "pwl", 6, None, "holds the asymptote's 1, .* got fixed:1.9, which goes from -1 to 0.998"),
        ("gelu", "pwl", 6, CORE, "reaches .*, got fixed:1.9"),
        pytest.param("gelu", "pwq", 6, CORE, "reaches .*, got fixed:1.9", marks=pytest.mark.proof),
        ("mish", "gate:1", None, None, "holds constants near|reaches .*, got fixed:1.9"),
        ("4*tanh(x)", "table:3", None, CORE, "reaches .*, got fixed:1.9"),
        ("4*tanh(x)", "rational:3,2", None, CORE, "constants near .*, got fixed:1.9"),
    ],
)
def test_constants_that_do_not_fit_are_one_clear_line(name, shape, pieces, norm, expected):
    with pytest.raises(BadInput, match=expected) as caught:
        design(name, shape, pieces=pieces, norm=norm, round="fixed:1.9")
    assert "\n" not in str(caught.value)


def test_a_format_that_does_not_hold_a_piecewise_linear_asymptote_is_refused():
    with pytest.raises(BadInput, match="holds the asymptote's 1/3"):
        design("x*sigmoid(x)/3", "pwl", pieces=5, round="dyadic:8")
