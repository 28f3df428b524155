"""Exported C, compiled and run: the last place, the special values, the compilers."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from analysis import BadInput, Undecided, export
from analysis.activation import functions, lookup
from analysis.activation.parsing import X
from analysis.deployed import compiled as module
from analysis.deployed.compiled import compiled
from tests.test_deployed.ulps import exact, points, worst

needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("gcc", "clang", "cc"))), reason="needs a C compiler: gcc, clang or cc"
)
SMOOTH = ["mish", "gelu", "tanh", "elu", "softplus"]
FAST = ["mish", "silu", "x*sigmoid(1.5*x)"]
QUICK = ("-O1", "-march=native")


@pytest.fixture(scope="module", params=["float32", "float64"])
def smooth(request):
    exports = [export(name, dtype=request.param, derivative=True, name=f"{name}_") for name in SMOOTH]
    return exports, compiled(*exports, flags=QUICK)


@needs_compiler
def test_values_and_derivatives_are_right_to_the_last_place(smooth):
    exports, library = smooth
    allowed = 1 if exports[0].kernel.dtype == "float32" else 2
    x = points(exports[0].kernel.dtype, 40)
    for name, made in zip(SMOOTH, exports, strict=True):
        expression = lookup.function(name).expression
        y, dy = library.both(made.kernel, x)
        assert worst(y, exact(expression, x)) <= allowed, name
        assert worst(library.value(made.kernel, x), exact(expression, x)) <= allowed, name
        assert worst(dy, exact(functions.derivative(expression, X), x)) <= allowed, name


@needs_compiler
def test_special_values_are_the_limits(smooth):
    exports, library = smooth
    x = np.array([-np.inf, np.inf, -0.0, 0.0])
    limits = {"mish": [0, np.inf, 0, 0], "gelu": [0, np.inf, 0, 0], "tanh": [-1, 1, 0, 0], "elu": [-1, np.inf, 0, 0],
              "softplus": [0, np.inf, np.log(2), np.log(2)]}  # fmt: skip
    slopes = {"mish": [0, 1, 0.6, 0.6], "gelu": [0, 1, 0.5, 0.5], "tanh": [0, 0, 1, 1], "elu": [0, 1, 1, 1],
              "softplus": [0, 1, 0.5, 0.5]}  # fmt: skip
    for name, made in zip(SMOOTH, exports, strict=True):
        dtype = np.dtype(made.kernel.dtype)
        y, dy = library.both(made.kernel, x.astype(dtype))
        assert np.array_equal(y, np.array(limits[name]).astype(dtype)), name
        assert np.array_equal(dy, np.array(slopes[name]).astype(dtype)), name
        assert np.isnan(library.value(made.kernel, np.array([np.nan], dtype))).all()
    for name in ("mish", "gelu", "tanh"):
        y = library.value(exports[SMOOTH.index(name)].kernel, np.array([-0.0]))
        assert np.signbit(y).all(), name


@needs_compiler
def test_backward_is_the_product(smooth):
    exports, library = smooth
    x = points(exports[0].kernel.dtype, 40)
    dy = np.linspace(-2, 2, x.size).astype(x.dtype)
    made = exports[0].kernel
    assert np.array_equal(library.backward(made, x, dy), dy * library.derivative(made, x))


@needs_compiler
def test_the_fast_variant_is_within_a_few_ulp_where_results_are_normal():
    made = [export(f, variant="fast", derivative=True, name=f"fast{i}") for i, f in enumerate(FAST)]
    library = compiled(*made, flags=QUICK)
    x = points("float32", 80)
    root = np.float32(-1.1924)
    x = np.concatenate([x[np.abs(x) > 2.0**-120], np.linspace(root - 0.2, root + 0.2, 80, dtype=np.float32)])
    for one, f in zip(made, FAST, strict=True):
        expression = lookup.function(f).expression
        for got, wanted, most in zip(
            library.both(one.kernel, x),
            (exact(expression, x), exact(functions.derivative(expression, X), x)),
            (4, 5),
            strict=True,
        ):
            normal = [i for i, value in enumerate(wanted) if abs(value) >= 2.0**-126]
            assert 0.5 < worst(got[normal], [wanted[i] for i in normal]) <= most, f
        assert np.array_equal(library.both(one.kernel, x)[0], library.value(one.kernel, x)), f
        assert np.array_equal(library.both(one.kernel, x)[1], library.derivative(one.kernel, x)), f


@needs_compiler
def test_the_fast_variant_has_the_limits_and_computes_in_float():
    x = np.array([-np.inf, np.inf, -0.0, 0.0, np.nan, -3e38, 3e38], np.float32)
    for f, slope in zip(FAST, (0.6, 0.5, 0.5), strict=True):
        made = export(f, variant="fast", derivative=True, name="fast")
        assert not re.search(r"\bdouble v\d", str(made.source)), f
        y, dy = compiled(made, flags=QUICK).both(made.kernel, x)
        assert np.array_equal(y, np.array([0, np.inf, 0, 0, np.nan, 0, 3e38], np.float32), equal_nan=True), f
        assert np.signbit(y[2]), f
        ends = [0, 1, 4, 5, 6]
        assert np.array_equal(dy[ends], np.array([0, 1, np.nan, 0, 1], np.float32), equal_nan=True), f
        assert np.allclose(dy[2:4], slope, rtol=2.0**-22, atol=0), f


@pytest.mark.parametrize("cc", ["gcc", "clang"])
@pytest.mark.parametrize(
    "flags",
    [
        ("-O0",),
        pytest.param(("-O2",), marks=pytest.mark.proof),
        pytest.param(("-O3", "-march=native"), marks=pytest.mark.proof),
        ("-O2", "-ffp-contract=fast", "-march=native"),
    ],
)
def test_every_compiler_gives_the_same_without_a_warning(cc, flags, tmp_path):
    if not shutil.which(cc):
        pytest.skip(f"needs {cc}")
    exports = [export(f, dtype=d, derivative=True, name=n) for f, d, n in
               (("mish", "float32", "m"), ("gelu", "float64", "g"), ("hard_mish", "float32", "h"))]  # fmt: skip
    source = tmp_path / "all.c"
    source.write_text("\n".join(str(e.source) for e in exports))
    command = [cc, "-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", *flags, "-c", str(source), "-o", "/dev/null"]
    assert subprocess.run(command, capture_output=True, text=True, check=False).stderr == ""
    library = compiled(*exports, cc=cc, flags=flags)
    for made in exports:
        kernel = made.kernel
        x = points(kernel.dtype, 12)
        wanted = exact(kernel.expression, x)
        assert worst(library.value(kernel, x), wanted) <= (2 if kernel.name == "h" or kernel.dtype == "float64" else 1)


@needs_compiler
def test_gcc_vectorises_the_loops(tmp_path):
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    source = tmp_path / "mish.c"
    source.write_text(str(export("mish", derivative=True).source))
    command = ["gcc", "-std=c99", "-O3", "-march=native", "-fopt-info-vec", "-c", str(source), "-o", "/dev/null"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    lines = source.read_text().splitlines()
    loops = [i for i, line in enumerate(lines, 1) if line.strip().startswith("for (")]
    assert len(loops) == 4
    assert all(f"mish.c:{line}:" in told for line in loops)


def test_a_missing_compiler_is_said_in_one_line():
    with pytest.raises(Undecided, match="a C compiler is needed, and none of no-such-compiler is installed"):
        module.compiler("no-such-compiler")


def test_what_is_no_c_is_refused():
    with pytest.raises(BadInput, match="expected exports to c, got cuda"):
        compiled(export("relu", to="cuda"))
