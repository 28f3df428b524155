"""Exported NumPy code, run: against formulas in high precision written out by hand, and at the ends of the formats."""

import math

import mpmath as mp
import numpy as np
import pytest

from analysis.activation import lookup
from analysis.activation.lowering import evaluator
from analysis.deployed.export import export
from analysis.optimal.design import design
from tests import oracles

POINTS = np.array([-30, -9.5, -3, -2.99, -1.1925, -0.5, -1e-3, -0.0, 0, 1e-7, 0.3, 1, 2, 3.75, 8, 19.2, 19.3, 50, 700])
MOST_ULP = 16  # of the fast variant in float64 at POINTS, but where the argument of an exponential is itself rounded


def run(function, called=None, **options):
    """The function of the exported module `called` so, or of its own."""
    made = export(function, "numpy", **options)
    scope = {}
    exec(compile(made.source, "<exported>", "exec"), scope)
    return scope[called or made.kernel.name]


def ulps(found, exact, dtype):
    """|found - exact| in units in the last place of the exact value."""
    spacing = np.spacing(np.abs(np.array(float(exact), dtype)))
    return float(abs(mp.mpf(float(found)) - exact) / mp.mpf(float(spacing)))


@pytest.mark.parametrize("name", sorted(oracles.FUNCTIONS))
def test_catalogued_functions_agree_with_formulas_by_hand(name):
    kernel = run(name, variant="fast", dtype="float64")
    with mp.workdps(60):
        worst = max(ulps(y, oracles.FUNCTIONS[name](mp.mpf(float(x))), np.float64)
                    for x, y in zip(POINTS, kernel(POINTS), strict=True))  # fmt: skip
    squared = 450 if name.startswith(("gelu", "quick")) else 1  # exp(-u) with u about x^2/2 as rounded
    assert worst <= MOST_ULP * squared


@pytest.mark.parametrize("name", sorted(oracles.FUNCTIONS))
def test_derivatives_agree_with_differences_by_hand(name):
    """At points between the kinks of the catalogue."""
    points = np.array([-7.3, -2.51, -1.7, -0.31, 0.45, 1.3, 2.6, 7.7])
    slope = run(name, f"{run(name).__name__}_derivative", derivative=True, variant="fast", dtype="float64")(points)
    with mp.workdps(40):
        exact = [float(mp.diff(oracles.FUNCTIONS[name], mp.mpf(float(x)))) for x in points]
    assert slope == pytest.approx(exact, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", ["mish", "silu", "gelu", "gelu_tanh", "softplus", "hard_mish", "elu", "squareplus"])
def test_the_accurate_variant_rounds_once(name):
    """float32 through float64: half a unit, and what float64 adds."""
    x = np.concatenate([np.linspace(-100, 30, 400), np.linspace(-1.3, -1.1, 60)]).astype(np.float32)
    found = run(name, variant="accurate")(x)
    assert found.dtype == np.float32
    with mp.workdps(60):
        assert max(ulps(y, oracles.FUNCTIONS[name](mp.mpf(float(a))), np.float32)
                   for a, y in zip(x, found, strict=True)) <= 0.501  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("variant", ["accurate", "fast"])
def test_mish_at_the_ends_of_the_formats(variant, dtype):
    x = np.array(
        [-np.inf, -np.finfo(dtype).max, -np.finfo(dtype).tiny, -0.0, np.finfo(dtype).max, np.inf, np.nan], dtype
    )
    found = run("mish", variant=variant)(x)
    assert found.dtype == dtype
    assert found[:2].tolist() == [0, 0]
    assert np.signbit(found[:4]).all()
    assert found[4:6].tolist() == x[4:6].tolist()
    assert np.isnan(found[6])
    slope = run("mish", "mish_derivative", variant=variant, derivative=True)(x)
    assert slope[[0, 1, 4, 5]].tolist() == [0, 0, 1, 1]
    assert slope[3] == dtype(0.6)
    assert np.isnan(slope[6])


def test_nothing_is_lost_below_minus_88():
    """Where exp(-x) overflows float32: the values are normal numbers, and so are the slopes."""
    x = np.array([-88.5, -90, -91], np.float32)
    assert run("silu", variant="fast")(x) == pytest.approx(x * np.exp(x.astype(float)), rel=2e-5)
    slope = run("mish", "mish_derivative", derivative=True, variant="fast")(x)
    assert slope == pytest.approx((1 + x) * np.exp(x.astype(float)), rel=2e-5)


@pytest.mark.parametrize("function", ["gelu", "x*tanh(exp(x))", "x*tanh(0.7*softplus(x))", "x/(1 + abs(x))"])
def test_limits_are_put_in_where_floating_point_has_none(function):
    ends = np.array([-np.inf, -1e30, 100, 1e30, np.inf], np.float32)
    expected = evaluator(lookup.function(function).expression)(ends)
    assert run(function, "activation" if "x" in function else None)(ends).tolist() == expected.tolist()
    name = "activation_derivative" if "x" in function else "gelu_derivative"
    assert np.isfinite(run(function, name, derivative=True, variant="fast")(ends)).all()


@pytest.mark.parametrize("size", [0, 1, 16384, 16385, 40_000])
def test_blocks_join_without_a_seam(size):
    x = np.random.default_rng(size).normal(scale=5, size=size).astype(np.float32)
    kernel = run("mish", variant="fast")
    found = kernel(x)
    assert found.shape == x.shape
    assert all((found[at] == kernel(x[at])).all() for at in (slice(0, 50), slice(16_370, 16_400), slice(-50, None)))


def test_a_block_with_an_overflow_is_as_right_as_one_without():
    x = np.linspace(-5, 5, 1000, dtype=np.float32)
    kernel = run("mish", variant="fast")
    beside = kernel(np.append(x, np.float32([60, 1e30, np.inf, -np.inf])))
    assert (beside[:-4] == kernel(x)).all()
    assert beside[-4:].tolist() == [60, np.float32(1e30), np.inf, 0]


def test_shapes_and_outputs():
    kernel, x = run("mish"), np.linspace(-3, 3, 24).reshape(2, 3, 4)
    expected = kernel(x)
    assert expected.shape == x.shape
    assert kernel(1.0).shape == ()
    assert kernel([0, 1]).dtype == np.float64
    assert (kernel(x.T) == expected.T).all()
    out = np.empty((4, 3, 2)).T
    assert kernel(x, out=out) is out
    assert (out == expected).all()
    assert (kernel(x, out=x) == expected).all()
    with pytest.raises(ValueError, match="expected out of shape"):
        kernel(x, out=np.empty(3))
    with pytest.raises(ValueError, match="type float64"):
        kernel(x, out=np.empty(x.shape, np.float32))


def test_the_text_stands_alone():
    made = export("mish", "numpy", derivative=True)
    imports = [line for line in made.source.splitlines() if line.startswith(("import", "from"))]
    assert imports == ["import threading", "import numpy as np"]
    assert made.kernel.header()[1] in made.source


def test_a_design_of_many_pieces_is_read_from_a_table():
    made = design("mish", "pwl", pieces=24)
    made_kernel = run(made, name="mish_pwl", variant="fast", dtype="float64")
    x = np.linspace(-12, 12, 5001)
    assert made_kernel(x) == pytest.approx(evaluator(made.activation.expression)(x), rel=1e-12, abs=1e-14)
    ends = made_kernel(np.array([-np.inf, np.inf, np.nan]))
    assert ends[:2].tolist() == [0, np.inf]
    assert math.isnan(ends[2])
