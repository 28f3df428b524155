"""Exported JAX code, run: under jit, vmap and repeated differentiation, against JAX's own functions."""

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="needs the extra frameworks (jax)")

import jax.numpy as jnp  # noqa: E402

from analysis.activation.lowering import evaluator  # noqa: E402
from analysis.deployed.export import export  # noqa: E402
from analysis.optimal.design import design  # noqa: E402

pytestmark = pytest.mark.extras

THEIRS = {
    "mish": jax.nn.mish,
    "silu": jax.nn.silu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "gelu_tanh": jax.nn.gelu,
    "softplus": jax.nn.softplus,
    "hard_swish": jax.nn.hard_swish,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "squareplus": jax.nn.squareplus,
    "softsign": jax.nn.soft_sign,
    "beta_mish(beta=0.7)": lambda x: x * jnp.tanh(0.7 * jax.nn.softplus(x)),
}
POINTS = np.array([-9.3, -4.1, -2.7, -1.19, -0.4, 0.013, 0.7, 1.9, 2.6, 3.4, 7.1, 25.0])


@pytest.fixture(autouse=True)
def _float64():
    with jax.enable_x64(True):
        yield


def run(function, called=None, **options):
    made = export(function, "jax", **options)
    scope = {}
    exec(compile(made.source, "<exported>", "exec"), scope)
    return scope[called or made.kernel.name]


@pytest.mark.parametrize("name", THEIRS)
def test_values_and_two_derivatives_are_those_of_jax(name):
    ours, theirs = run(name, variant="fast"), THEIRS[name]
    x = jnp.array(POINTS)
    assert np.asarray(jax.jit(ours)(x)) == pytest.approx(np.asarray(theirs(x)), rel=1e-11, abs=1e-14)
    for mine, its in ((jax.grad(ours), jax.grad(theirs)), (jax.grad(jax.grad(ours)), jax.grad(jax.grad(theirs)))):
        found, expected = jax.jit(jax.vmap(mine))(x), jax.vmap(its)(x)
        assert np.asarray(found) == pytest.approx(np.asarray(expected), rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("name", ["mish", "silu", "softplus", "tanh", "squareplus"])
def test_the_second_derivative_at_zero_takes_no_middle_of_two_slopes(name):
    slope = run(name, f"{run(name).__name__}_derivative", derivative=True)
    step = 1e-5
    expected = (slope(step) - slope(-step)) / (2 * step)
    assert float(jax.grad(jax.grad(run(name)))(0.0)) == pytest.approx(float(expected), abs=1e-8)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", ["mish", "gelu", "hard_mish"])
def test_types_and_their_ends(name, dtype):
    largest = float(jnp.finfo(dtype).max)
    x = jnp.array([-jnp.inf, -largest, largest, jnp.inf, jnp.nan], dtype)
    y = run(name)(x)
    assert y.dtype == x.dtype
    assert y[:4].tolist() == [0, 0, largest, jnp.inf]
    assert jnp.isnan(y[4])
    assert jax.vmap(jax.grad(run(name)))(x)[:4].tolist() == [0, 0, 1, 1]


def test_forward_mode_and_float32_without_float64():
    with jax.enable_x64(False):
        x = jnp.linspace(-4, 4, 9)
        value, tangent = jax.jvp(run("mish"), (x,), (jnp.ones(9),))
        assert value.dtype == tangent.dtype == jnp.float32
        assert np.asarray(value) == pytest.approx(np.asarray(jax.nn.mish(x)), rel=1e-5, abs=1e-7)
        expected = np.asarray(jax.vmap(jax.grad(jax.nn.mish))(x))
        assert np.asarray(tangent) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_the_accurate_variant_computes_in_float64():
    x = jnp.linspace(-80, 20, 4001, dtype=jnp.float32)
    exact = np.asarray(jax.nn.mish(x.astype(jnp.float64)))
    error = np.abs(np.asarray(run("mish")(x), np.float64) - exact) / np.spacing(np.abs(exact).astype(np.float32))
    assert error.max() <= 0.501


def test_a_design_of_many_pieces_is_read_from_a_table():
    made = design("gelu", "pwl", pieces=16)
    mine = run(made, name="pieces")
    expected = evaluator(made.activation.expression)(POINTS)
    assert np.asarray(jax.jit(mine)(POINTS)) == pytest.approx(expected, rel=1e-12, abs=1e-14)
