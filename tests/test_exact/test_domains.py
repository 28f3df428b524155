"""Where formulas have values: what is left out is named, and nothing else is left out."""

import pytest

from analysis.activation.lookup import expression
from analysis.activation.parsing import Reading
from analysis.exact.domains import domain, requirements

CASES = [
    ("x/x", "x = 0"),
    ("1/(x**2 - 1)", "x = -1, x = 1"),
    ("1/(x**2 + 1)", ""),
    ("log(x)", "x <= 0"),
    ("sqrt(x - 2)", "x < 2"),
    ("sqrt(x)**2", "x < 0"),
    ("exp(log(x))", "x <= 0"),
    ("(x + 1)**(-1/2)", "x <= -1"),
    ("x**x", "x <= 0"),
    ("log(x**2)", "x = 0"),
    ("log(x**2 - 1)", "from -1 to 1"),
    ("1/relu(x)", "x <= 0"),
    ("1/(sin(x)**2 + cos(x)**2 - 1)", "every x"),
    ("{1/x, x > 1; x}", ""),
    ("{1/x, x > -1; x}", "x = 0"),
    ("where(x > 0, log(x), 0)", ""),
    ("where(x > 0, log(x - 1), 0)", "from 0 to 1"),
    ("{log(x), x > 0; log(-x)}", "x = 0"),
    ("1/(exp(x) - 1)", "x = 0"),
    ("log(1/x)", "x <= 0"),
    ("sqrt(k)*x", "where k < 0"),
    ("1/(sin(x) - x/2)", "where -x/2 + sin(x) = 0"),
]


@pytest.mark.parametrize(("text", "left_out"), CASES)
def test_what_is_left_out_is_named(text, left_out):
    reading = Reading()
    found = expression(text, unknown="real", reading=reading)
    assert domain([*reading.requirements, *requirements(found)]).text() == left_out


def test_a_point_between_stretches_belongs_to_the_domain_unless_it_is_left_out():
    reading = Reading()
    expression("{1/x, x > 1; x}", reading=reading)
    found = domain(reading.requirements)
    assert found.is_the_line
    assert found.points == (1,)
