"""Designs whose numbers are of a format."""

from fractions import Fraction

import pytest

from analysis.activation import lookup
from analysis.activation.errors import Refused
from analysis.exact.verdict import Verdict
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import pwl
from analysis.optimal.shapes.pwl_rounded import rounded
from analysis.rigorous.norms import Norm

MISH = lookup.function("mish")
CORE = Norm("sup", -4, 4)


@pytest.mark.parametrize("format_", ["1/64", "dyadic:8", "float16", "bfloat16"])
def test_all_numbers_are_of_the_format(format_):
    lattice = Lattice.of(format_)
    found = rounded(MISH, CORE, 6, None, lattice)
    numbers = [*found.polynomials.knots, *(c for row in found.polynomials.coefficients for c in row)]
    for number in numbers:
        exact = Fraction(int(number.p), int(number.q))
        assert exact in lattice.around(float(number), 0)


def test_finer_formats_come_nearer_to_the_best():
    errors = [
        float(rounded(MISH, CORE, 6, None, Lattice.of(f)).error[1]) for f in ("1/16", "1/64", "float16", "float32")
    ]
    best = float(pwl.free(MISH, CORE, 6, None).error[1])
    assert errors[0] > errors[1] > errors[2] > best * (1 - 1e-9)
    assert errors[-1] < 1.002 * best


def test_the_bound_holds_for_pieces_that_need_not_meet():
    found = rounded(MISH, CORE, 6, None, Lattice.of("float32"))
    assert 0 < found.bound.lower <= float(found.error[0])
    assert found.bound.lower <= pwl.free(MISH, CORE, 6, None).bound.lower * (1 + 1e-9)


def test_a_tolerance_is_kept_by_the_rounded_design():
    found = rounded(MISH, CORE, None, 0.03, Lattice.of("float16"))
    assert float(found.error[1]) <= 0.03
    assert found.fewest is Verdict.UNDECIDED


def test_a_tolerance_below_the_format_is_refused():
    with pytest.raises(Refused, match="least error is"):
        rounded(MISH, Norm("sup", -1, 1), None, 0.02, Lattice.of("1/4"))
