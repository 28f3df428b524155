"""Tables: interpolated ones with the best entries, and int8 ones rounded correctly with the best scale."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from analysis.activation import lookup, lowering
from analysis.activation.errors import BadInput
from analysis.exact.verdict import Verdict
from analysis.optimal.lattice import Lattice
from analysis.optimal.shapes import table
from analysis.rigorous.norms import Norm

CORE = Norm("sup", -8, 8)
CODES = np.arange(-128, 128)


def interpolated(name, bits, norm=CORE, lattice=None):
    return table.best(lookup.function(name), norm, bits, lattice)


def int8(name, *arguments, **options):
    return table.int8(lookup.function(name), *arguments, **options)


def values(found):
    x = float(found.input_scale) * (CODES - found.input_zero)
    return lowering.evaluator(found.target.expression)(x)


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_entries_are_proved_best_and_better_than_samples(bits):
    found, nodes = interpolated("mish", bits), np.linspace(-8, 8, 2**bits)
    assert found.verdict is Verdict.PROVED
    assert found.pieces == 2**bits - 1
    assert found.cost.table_bytes == 4 * 2**bits
    x = np.linspace(-8, 8, 20001)
    f = lowering.evaluator(found.target.expression)
    assert float(found.error[1]) < abs(np.interp(x, nodes, f(nodes)) - f(x)).max()


def test_beyond_a_table_on_the_line_are_the_asymptotes():
    found = interpolated("gelu", 4, Norm())
    assert found.pieces == 2**4 + 1
    assert [str(found.polynomials.expressions[k]) for k in (0, -1)] == ["0", "x"]
    assert 0 < found.bound.lower <= float(found.error[1])


def test_rounded_entries_are_of_the_format():
    lattice = Lattice.of("dyadic:6")
    found, exact = interpolated("gelu", 4, lattice=lattice), interpolated("gelu", 4)
    ends = [-8, *found.polynomials.knots, 8]
    rows = [*found.polynomials.coefficients, found.polynomials.coefficients[-1]]
    entries = [a + b * k for (a, b), k in zip(rows, ends, strict=True)]
    assert all(Fraction(int(e.p), int(e.q)) % lattice.step == 0 for e in entries)
    assert float(exact.error[0]) <= float(found.error[1]) <= float(exact.error[1]) + float(lattice.step)
    assert found.smoothness == 0


@pytest.mark.parametrize("bits", [0, 13])
def test_a_table_has_a_sensible_size(bits):
    with pytest.raises(BadInput, match="expected a table with"):
        interpolated("mish", bits)


# int8


@pytest.mark.parametrize("name", ["gelu", "mish", "tanh", "hard_swish", "sigmoid"])
def test_the_default_table_is_right_and_has_the_best_scale(name):
    found = int8(name)
    scale, zero, f = float(found.output_scale), found.output_zero, values(found)
    assert list(found.entries) == np.clip(np.round(f / scale) + zero, -128, 127).astype(int).tolist()
    error = abs(f - scale * (np.array(found.entries) - zero)).max()
    assert error == pytest.approx(float(found.error[1]), rel=1e-9)
    assert found.verdict is Verdict.PROVED


@pytest.mark.parametrize("name", ["gelu", "tanh", "softplus"])
def test_no_other_scale_and_zero_point_has_a_smaller_error(name):
    found, rng = int8(name), np.random.default_rng(2)
    f = values(found)
    for scale in float(found.output_scale) * np.append(np.linspace(0.97, 1.1, 400), rng.uniform(0.5, 3, 200)):
        for zero in {found.output_zero, found.output_zero + 1, found.output_zero - 1, 0, -128} & set(CODES.tolist()):
            kept = np.clip(np.round(f / scale), -128 - zero, 127 - zero)
            assert abs(f - scale * kept).max() >= found.lower * (1 - 1e-12)


def test_ties_go_to_even_and_are_decided_exactly():
    found = int8("relu", input_scale=1, input_zero=0, output_scale=2, output_zero=-128)
    assert [found.entries[128 + q] + 128 for q in (0, 1, 2, 3, 5, 7)] == [0, 0, 1, 2, 2, 4]
    assert found.error[1] == "1"


def test_a_poor_scale_is_refuted_by_a_better_one():
    found = int8("tanh", output_scale=0.02, output_zero=0)
    assert found.verdict is Verdict.REFUTED
    assert found.lower < float(found.error[0])
    again = int8("tanh", output_scale=found.best_scale, output_zero=found.best_zero)
    assert again.verdict is Verdict.PROVED


def test_a_given_zero_point_takes_its_own_best_scale():
    found = int8("tanh", output_zero=0)
    assert found.output_zero == 0
    assert float(found.error[1]) >= found.lower
    assert float(found.error[1]) < 0.005


def test_entries_are_clamped():
    found = int8("mish", output_scale=0.01, output_zero=0)
    assert max(found.entries) == 127
    assert float(found.error[1]) > 6


def test_the_record_is_json_and_a_sheet():
    found = int8("gelu")
    assert len(json.loads(json.dumps(found.to_dict()))["table"]) == 256
    assert "int8 table for gelu" in found.sheet().html()


def test_a_constant_has_a_table_without_error():
    assert int8("0*x").error == ("0", "0")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"input_scale": 0}, "positive number for input_scale"),
        ({"output_scale": -1.0}, "positive number for output_scale"),
        ({"output_scale": math.inf}, "positive number for output_scale"),
        ({"input_zero": 200}, "integer from -128 to 127 for input_zero"),
        ({"output_zero": -129}, "integer from -128 to 127 for output_zero"),
        ({"domain": (-math.inf, 8.0)}, "finite domain"),
    ],
)
def test_what_is_no_scale_is_one_clear_line(options, expected):
    with pytest.raises(BadInput, match=expected):
        int8("gelu", **options)
