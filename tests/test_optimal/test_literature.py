"""What is in print is written down as it is printed, with its source, and can be read."""

from decimal import Decimal

import numpy as np
import pytest

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput
from analysis.optimal.literature import GQA_8, LINE, PRINTED, Printed, table


@pytest.mark.parametrize("one", PRINTED, ids=lambda one: f"{one.name} {one.target} {one.figure}")
def test_every_entry_has_a_source_and_can_be_read(one):
    assert one.source
    assert lookup.function(one.target)
    assert not one.figure or 0 < Decimal(one.figure) < 1
    assert not one.formula or lookup.function(one.formula)
    assert one.norm is not None or one.why


def test_a_table_takes_the_line_on_the_right_of_a_breakpoint():
    breakpoints, slopes, intercepts = [-1.0, 0.5], [0.0, 2.0, 1.0], [-0.25, 0.0, 3.0]
    value = lowering.evaluator(lookup.function(table(breakpoints, slopes, intercepts)).expression)
    x = np.array([-2.0, -1.0, 0.0, 0.5, 2.0])
    piece = np.digitize(x, breakpoints)
    np.testing.assert_array_equal(value(x), np.array(slopes)[piece] * x + np.array(intercepts)[piece])


def test_a_table_in_print_is_near_its_function():
    x = np.linspace(-4, 4, 801)
    gelu, printed = (lowering.evaluator(lookup.function(f).expression)(x) for f in ("gelu", GQA_8))
    assert np.abs(gelu - printed).max() < 0.04


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "a figure or constants"),
        ({"figure": "1e-3"}, "a reason why"),
        ({"figure": "1e-3", "norm": LINE}, "either a family or a number of pieces"),
        ({"figure": "1e-3", "norm": LINE, "family": "swish", "pieces": 3}, "either a family or a number of pieces"),
    ],
)
def test_an_entry_that_says_too_little_is_refused(given, message):
    with pytest.raises(BadInput, match=message):
        Printed("one", "gelu", "somewhere", **given)
