"""The text of exported C: pieces, tables, constants, concatenation."""

import re
import shutil

import numpy as np
import pytest
import sympy as sp

from analysis import BadInput, design, export
from analysis.activation.parsing import X
from analysis.activation.record import Activation
from analysis.deployed import c_pieces, c_registers
from analysis.deployed.compiled import compiled

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("gcc", "clang", "cc"))), reason="needs a C compiler: gcc, clang or cc"
)
QUICK = ("-O1",)


def test_constants_are_hexadecimal_and_rounded_to_nearest():
    text = str(export("selu", dtype="float64").source)
    scale = 1.0507009873554804934
    assert scale.hex() in text
    assert not re.search(r"[^x\w.]\d+\.\d*[1-9]\d{3,}", text.split("*/", 1)[1].replace("0x", "x"))


def test_no_function_of_libm_but_those_that_vectorise_is_called():
    text = "".join(
        str(export(f, dtype=d, derivative=True).source) for f in ("mish", "gelu") for d in ("float32", "float64")
    )
    called = set(re.findall(r"\b([a-z]\w*)\(", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)))
    assert not called & {"exp", "expf", "log", "log1p", "erf", "erfc", "tanh", "pow", "expm1", "fmaxf", "fmin"}


@pytest.fixture(scope="module")
def hinge():
    return design("mish", "pwl", pieces=6)


@needs_compiler
@pytest.mark.parametrize(("few", "selected"), [(64, 64), (1, 64), (1, 1)])
def test_pieces_agree_however_they_are_looked_up(hinge, few, selected, monkeypatch):
    monkeypatch.setattr(c_pieces, "FEW", few)
    monkeypatch.setattr(c_pieces, "SELECTED", selected)
    made = export(hinge, dtype="float64", derivative=True, name=f"d{few}_{selected}")
    knots = np.array([float(k) for k in hinge.polynomials.knots])
    x = np.concatenate([np.linspace(-30, 12, 4001), knots, np.nextafter(knots, -np.inf)])
    rows = np.array([[float(c) for c in (*row, 0, 0)[:2]] for row in hinge.polynomials.coefficients])
    piece = np.searchsorted(knots, x, side="right")
    y, dy = compiled(made, flags=QUICK).both(made.kernel, x)
    assert np.allclose(y, rows[piece, 0] + rows[piece, 1] * x, rtol=1e-14, atol=1e-15)
    away = np.abs(x[:, None] - knots).min(axis=1) > 1e-9
    assert np.array_equal(dy[away], rows[piece, 1][away])
    ends = compiled(made, flags=QUICK).value(made.kernel, np.array([-np.inf, np.inf, np.nan]))
    assert ends[0] == 0
    assert ends[1] == np.inf
    assert np.isnan(ends[2])


@needs_compiler
@pytest.mark.parametrize("bits", [3, pytest.param(5, marks=pytest.mark.proof)])
def test_a_table_with_even_knots_needs_no_search(monkeypatch, bits):
    if bits == 3:  # so that few pieces count as many
        monkeypatch.setattr(c_pieces, "FEW", 1)
        monkeypatch.setattr(c_pieces, "SELECTED", 1)
    made = export(design("mish", f"table:{bits}", norm=None), dtype="float32")
    assert "_knots[" not in str(made.source)


@needs_compiler
def test_values_at_jumps_and_kinks_are_those_of_the_expression():
    cases = {
        "step(x)": ([0.0, 1.0], 0.0),
        "sign(x)": ([-1.0, 0.0, 1.0], 0.0),
        "{x, x <= 1; 5, x > 1}": ([1.0, 5.0], 1.0),
    }
    made = [export(f, dtype="float64", name=f"f{i}") for i, f in enumerate(cases)]
    library = compiled(*made, flags=QUICK)
    for one, (f, (values, at)) in zip(made, cases.items(), strict=True):
        x = np.array([np.nextafter(at, -9), at, np.nextafter(at, 9)])
        got = library.value(one.kernel, x)
        wanted = {"step(x)": [0, 1, 1], "sign(x)": [-1, 0, 1]}.get(f, [x[0], 1, 5])
        assert np.array_equal(got, wanted), f
        assert set(values) <= {*got, 1.0}


def jumping(count: int, degree: int, left: list, right: list) -> tuple[Activation, np.ndarray, list[list[float]]]:
    """A function of `count` pieces, its knots uneven and on both sides of zero, and coefficients that floats hold."""
    random = np.random.default_rng(count)
    knots = np.sort(random.choice(np.arange(-4000, 4000), count - 1, replace=False)) / 512
    rows = [left, *(random.integers(-64, 64, (count - 2, degree + 1)) / 32).tolist(), right]
    arms = [sp.Add(*(sp.Rational(c) * X**k for k, c in enumerate(row))) for row in rows]
    conditions = [(arm, X < sp.Rational(knot)) for arm, knot in zip(arms, knots.tolist(), strict=False)]
    expression = sp.Piecewise(*conditions, (arms[-1], True))
    return Activation("jumping", expression, "jumping"), knots, rows


@needs_compiler
@pytest.mark.parametrize("dear", [False, pytest.param(True, marks=pytest.mark.proof)])
def test_many_pieces_give_the_same_bits_in_vector_registers(dear):
    cases = [
        jumping(16, 2, [0.25], [0, 1]), jumping(32, 2, [1, 0.5, -1], [0, 1]), jumping(40, 1, [-2.0], [0, 1]),
        jumping(64, 2, [0.0], [0, 1]),
    ] if dear else [
        jumping(5, 1, [0.0], [0, 1]), jumping(9, 2, [0, 1], [-1.5]), jumping(17, 1, [0, 1], [0.5, 2])
    ]  # fmt: skip
    made = [export(one, derivative=True, name=f"j{i}") for i, (one, _, _) in enumerate(cases)]
    many = ["-O1", "-march=native"]
    fast, plain = compiled(*made, flags=many), compiled(*made, flags=[*many, "-U__AVX512F__"])
    bits = np.random.default_rng(3).integers(0, 2**32, 3000, dtype=np.uint32).view(np.float32)
    for one, (_, knots, rows) in zip(made, cases, strict=True):
        at = knots.astype(np.float32)
        special = np.array([-np.inf, np.inf, np.nan, -0.0, 0.0, 3e38, -3e38], np.float32)
        x = np.concatenate([at, np.nextafter(at, -np.inf), np.linspace(-9, 9, 1003, dtype=np.float32), bits, special])
        with np.errstate(all="ignore"):
            wanted = np.array([np.polyval(rows[np.searchsorted(knots, v, "right")][::-1], v) for v in x.astype(float)])
        inside = np.abs(x) < 9
        for kernel, size in ((one.kernel, x.size), (one.kernel, 5), (one.kernel, 16), (one.kernel, 0)):
            part = x[:size]
            for got, other in zip(fast.both(kernel, part), plain.both(kernel, part), strict=True):
                same = got.view(np.uint32) == other.view(np.uint32)
                assert np.all(same | (np.isnan(got) & np.isnan(other) & np.isnan(part))), kernel.name
            assert np.array_equal(fast.both(kernel, part)[0], fast.value(kernel, part), equal_nan=True)
            with np.errstate(all="ignore"):
                product = part * fast.derivative(kernel, part)
            assert np.array_equal(fast.backward(kernel, part, part), product, equal_nan=True)
        assert np.allclose(fast.value(one.kernel, x)[inside], wanted[inside], rtol=0, atol=3e-5), one.kernel.name
        assert np.array_equal(np.isnan(fast.value(one.kernel, x)), np.isnan(x))


def test_knots_of_a_tree_are_found_level_by_level():
    knots = [str(k) for k in range(1, 7)]
    assert c_registers.levels(knots, 8) == [["4"], ["2", "6"], ["1", "3", "5", "INFINITY"]]


@needs_compiler
@pytest.mark.parametrize("variant", ["accurate", "fast"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steep_exponents_and_those_without_a_tail_stay_in_range(dtype, variant):
    """aptx with beta = 10^6 is relu but for a few ulp of x near zero; x^2 sigmoid(x) is x^2 from 100 on."""
    steep, growing = "aptx(alpha=1,beta=1000000,gamma=1/2)", "x**2*sigmoid(x)"
    made = [export(f, dtype=dtype, variant=variant, name=n) for f, n in ((steep, "steep"), (growing, "growing"))]
    both = compiled(*made, flags=QUICK)
    far = np.array([-np.inf, -1e30, -745, -1, 1, 300, 710, 1e10, np.inf], dtype)
    assert np.array_equal(both.value(made[0].kernel, far), np.maximum(far, 0))
    far = np.array([300, 700, 710, 745, 1000, 1e10], dtype)
    assert np.allclose(both.value(made[1].kernel, far), far**2, rtol=1e-6)
    growing = export("x*exp(x)", dtype=dtype, variant=variant, name="g")
    assert np.array_equal(compiled(growing, flags=QUICK).value(growing.kernel, far[2:]), np.full(4, np.inf, dtype))


def test_constants_out_of_range_are_refused():
    for text in ("1e300*x", "1e-300*x"):
        with pytest.raises(BadInput, match="expected constants that float32 holds"):
            export(text)
        assert export(text, dtype="float64").source
