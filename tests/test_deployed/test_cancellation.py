"""Warnings of what sums lose towards zero, against what the exported code does there."""

import numpy as np
import pytest

from analysis.activation import lookup
from analysis.deployed import cancellation
from analysis.deployed.export import export
from analysis.deployed.torch_code import run


def said(function, to, **options):
    return export(function, to, **options).kernel.certificate.notes


def test_a_difference_that_cancels_is_told_of_in_the_header():
    for to in ("c", "numpy"):
        made = export("tanh(x) - x", to)
        assert any("the value cancels" in note for note in made.kernel.certificate.notes)
        assert "note: the value cancels towards zero" in str(made.source)


def test_what_is_told_is_what_the_code_does():
    """tanh(x) - x is -x^3/3 there, and the code gives something else altogether."""
    _, x = cancellation.lost(lookup.function("tanh(x) - x").expression, 0)
    made = export("tanh(x) - x", "numpy", dtype="float64", name="f")
    found = float(run(str(made.source)).f(np.array([x]))[0])
    assert abs(found / (-(x**3) / 3) - 1) > 0.5


@pytest.mark.parametrize("function", ["mish", "gelu", "silu", "tanh", "softplus", "elu", "hard_mish", "squareplus"])
def test_nothing_is_told_of_functions_that_keep_their_digits(function):
    for to in ("c", "numpy"):
        assert said(function, to, derivative=True) == ()


def test_more_bits_to_compute_in_keep_the_digits():
    expression = lookup.function("x - tanh(x)**2").expression
    bits, _ = cancellation.lost(expression, 0)
    assert bits < 8
    assert cancellation.notes(expression, 24, 24, False) == ()
    cancelling = lookup.function("mish(x) - silu(x)").expression
    assert cancellation.notes(cancelling, 24, 24, True)
    assert cancellation.notes(cancelling, 24, 53, True) == ()
