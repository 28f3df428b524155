"""Polynomials beside zeros, against the function in high precision."""

import mpmath as mp
import pytest

from analysis.activation import functions, lookup
from analysis.activation.parsing import X
from analysis.deployed.zeros import high_precision, zeros
from analysis.exact.pieces import pieces


def of_slope(name):
    slope = functions.derivative(lookup.function(name).expression, X)
    return slope, list(zeros(slope, pieces(slope)[0], lambda _: False))


@pytest.mark.parametrize("name", ["mish", "silu", "gelu"])
@pytest.mark.parametrize("relative", [2.0**-20, 2.0**-25])
def test_the_quotient_keeps_its_error_and_no_less(name, relative):
    slope, (zero,) = of_slope(name)
    found = zero.factored(relative)
    f = high_precision(slope)
    with mp.workdps(40):
        errors = []
        for k in range(1, 200):
            d = found.radius * (k / 100 - 1)
            x = found.centre + mp.mpf(d)
            made = (x - zero.root) * mp.polyval(found.coefficients[::-1], d)
            errors.append(abs(made / f(x) - 1))
    assert relative / 1000 < max(errors) <= 1.01 * relative


def test_a_quotient_stops_before_the_next_zero():
    """x^2 Phi(x) has a slope with zeros at 0 and near -1.2."""
    _, found = of_slope("x**2*Phi(x)")
    (zero,) = [z for z in found if abs(z.root) > 0.1]
    near = zero.factored(2.0**-25)
    assert near.centre + near.radius < 0
    assert float(zero.upper) == pytest.approx(float(zero.root) / 2)
