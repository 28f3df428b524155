"""The text of exported C: pieces, tables, constants, concatenation."""

import re
import shutil

import numpy as np
import pytest

from analysis import design, export
from analysis.deployed import c_pieces
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
def test_a_table_with_even_knots_needs_no_search():
    made = export(design("mish", "table:5", norm=None), dtype="float32")
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
